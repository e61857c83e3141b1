/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/state/journal_private.h"
#include "lib/base/buf.h"

/* Where a record is, in the order of reading. */
struct place {
	struct journal_record record;
	uint32_t order;
};

struct reading {
	const uint32_t *crc;
	struct place *places;
	uint32_t n, room;
	struct journal_found *found;
};

int journal_record_read(const uint32_t table[256], struct rbuf *in, uint8_t most, struct journal_record *out)
{
	struct rbuf r = *in;
	const uint8_t *at = r.p;
	uint32_t crc;

	out->n = rbuf_u32(&r);
	crc = rbuf_u32(&r);
	out->key = (uint64_t)rbuf_u32(&r) << 32;
	out->key |= rbuf_u32(&r);
	out->what = rbuf_u8(&r);
	if (r.short_read)
		return -EAGAIN;
	if (out->n > JOURNAL_DATA_MAX || out->what > most)
		return -EPROTO;
	out->data = rbuf_bytes(&r, out->n);
	if (r.short_read)
		return -EAGAIN;
	if (journal_crc(table, at + 8, JOURNAL_FRAME - 8 + out->n) != crc)
		return -EPROTO;
	*in = r;
	return 0;
}

int journal_head_read(struct rbuf *in)
{
	const uint8_t *magic = rbuf_bytes(in, sizeof journal_magic);
	uint32_t version = rbuf_u32(in);

	rbuf_u32(in);
	if (in->short_read)
		return -EAGAIN;
	return memcmp(magic, journal_magic, sizeof journal_magic) == 0 && version == JOURNAL_VERSION
		       ? 0
		       : -EPROTO;
}

static int note(struct reading *r, const struct journal_record *record)
{
	if (r->n == r->room) {
		uint32_t room = r->room ? 2 * r->room : 1024;
		struct place *more = realloc(r->places, room * sizeof *more);

		if (!more)
			return -ENOMEM;
		r->places = more;
		r->room = room;
	}
	r->places[r->n] = (struct place){*record, r->n};
	r->n++;
	return 0;
}

static int take_segment(struct reading *r, const void *text, size_t n)
{
	struct rbuf in = rbuf_make(text, n);
	struct journal_record record;
	int rc = 0;

	if (journal_head_read(&in) < 0) {
		r->found->torn++;
		return 0;
	}
	r->found->segments++;
	while (rc == 0 && in.left) {
		if (journal_record_read(r->crc, &in, JOURNAL_PUT, &record) < 0) {
			r->found->torn++;
			break;
		}
		rc = note(r, &record);
	}
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->record.key != y->record.key)
		return x->record.key < y->record.key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void tell(struct reading *r, void (*record)(void *, uint64_t, const void *, size_t), void *arg)
{
	r->found->records = r->n;
	if (r->n)
		qsort(r->places, r->n, sizeof *r->places, by_key);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct journal_record *p = &r->places[i].record;

		if ((i + 1 == r->n || r->places[i + 1].record.key != p->key) && p->what == JOURNAL_PUT)
			record(arg, p->key, p->data, p->n);
	}
}

/* A segment in memory. *out NULL: it has no octet. */
static int map(int directory, uint32_t number, void **out, size_t *n)
{
	char name[32];
	struct stat st;
	int fd, rc = 0;

	*out = NULL;
	*n = 0;
	journal_name(number, name);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	if (rc == 0 && st.st_size > 0) {
		void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (at == MAP_FAILED) {
			rc = -errno;
		} else {
			*out = at;
			*n = (size_t)st.st_size;
		}
	}
	close(fd);
	return rc;
}

int journal_read(struct journal *j, void (*record)(void *arg, uint64_t key, const void *data, size_t n),
	void *arg, struct journal_found *found)
{
	struct segment {
		void *text;
		size_t n;
	} *segments = calloc(j->n_older + 1, sizeof *segments);
	struct reading r = {.crc = j->crc, .found = found};
	int rc = segments ? 0 : -ENOMEM;

	*found = (struct journal_found){0};
	for (uint32_t i = 0; rc == 0 && i < j->n_older; i++) {
		rc = map(j->directory, j->older[i], &segments[i].text, &segments[i].n);
		if (rc == 0)
			rc = take_segment(&r, segments[i].text, segments[i].n);
	}
	if (rc == 0)
		tell(&r, record, arg);
	for (uint32_t i = 0; segments && i < j->n_older; i++)
		if (segments[i].text)
			munmap(segments[i].text, segments[i].n);
	free(segments);
	free(r.places);
	return rc;
}
