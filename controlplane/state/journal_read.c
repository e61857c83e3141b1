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
	uint64_t key;
	uint32_t order;
	uint8_t what;
	uint32_t n;
	const uint8_t *data;
};

struct reading {
	const uint32_t *crc;
	struct place *places;
	uint32_t n, room;
	struct journal_found *found;
};

static int note(struct reading *r, const struct place *p)
{
	if (r->n == r->room) {
		uint32_t room = r->room ? 2 * r->room : 1024;
		struct place *more = realloc(r->places, room * sizeof *more);

		if (!more)
			return -ENOMEM;
		r->places = more;
		r->room = room;
	}
	r->places[r->n] = *p;
	r->places[r->n].order = r->n;
	r->n++;
	return 0;
}

/* One record. 1: it was; 0: there is none that is whole. */
static int take(struct reading *r, struct rbuf *in)
{
	const uint8_t *at = in->p;
	struct place p = {.n = rbuf_u32(in)};
	uint32_t crc = rbuf_u32(in);
	int rc;

	p.key = (uint64_t)rbuf_u32(in) << 32;
	p.key |= rbuf_u32(in);
	p.what = rbuf_u8(in);
	if (in->short_read || p.n > JOURNAL_DATA_MAX || p.what > JOURNAL_PUT)
		return 0;
	p.data = rbuf_bytes(in, p.n);
	if (in->short_read || journal_crc(r->crc, at + 8, JOURNAL_FRAME - 8 + p.n) != crc)
		return 0;
	rc = note(r, &p);
	return rc < 0 ? rc : 1;
}

static int take_segment(struct reading *r, const void *text, size_t n)
{
	struct rbuf in = rbuf_make(text, n);
	const uint8_t *magic = rbuf_bytes(&in, sizeof journal_magic);
	uint32_t version = rbuf_u32(&in);
	int rc = 1;

	rbuf_u32(&in);
	if (in.short_read || memcmp(magic, journal_magic, sizeof journal_magic) != 0 ||
		version != JOURNAL_VERSION) {
		r->found->torn++;
		return 0;
	}
	r->found->segments++;
	while (rc == 1 && in.left)
		rc = take(r, &in);
	r->found->torn += rc == 0;
	return rc < 0 ? rc : 0;
}

static int by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void tell(struct reading *r, void (*record)(void *, uint64_t, const void *, size_t), void *arg)
{
	r->found->records = r->n;
	if (r->n)
		qsort(r->places, r->n, sizeof *r->places, by_key);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct place *p = &r->places[i];

		if ((i + 1 == r->n || r->places[i + 1].key != p->key) && p->what == JOURNAL_PUT)
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
