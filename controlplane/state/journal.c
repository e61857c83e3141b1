/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/state/journal_private.h"
#include "lib/base/buf.h"

#define BUFFER (256u << 10)
#define LOCK_TEXT_MAX 64
#define SLACK (4u << 20) /* octets that a segment may have besides: small ones are not worth a turn */

const char journal_magic[8] = "SRTPGWJ\n";

_Static_assert(JOURNAL_DATA_MAX + JOURNAL_FRAME <= BUFFER, "a record that never fits");

void journal_name(uint32_t number, char out[32])
{
	snprintf(out, 32, JOURNAL_NAME "%08x", number);
}

void journal_crc_table(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (unsigned bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
		table[i] = c;
	}
}

uint32_t journal_crc(const uint32_t table[256], const uint8_t *p, size_t n)
{
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		c = table[(c ^ p[i]) & 0xff] ^ c >> 8;
	return ~c;
}

void journal_record_write(const uint32_t table[256], struct wbuf *w, const struct journal_record *r)
{
	uint8_t *at = (uint8_t *)w->p + w->len;
	struct wbuf crc;

	wbuf_u32(w, r->n);
	wbuf_u32(w, 0);
	wbuf_u32(w, (uint32_t)(r->key >> 32));
	wbuf_u32(w, (uint32_t)r->key);
	wbuf_u8(w, r->what);
	wbuf_bytes(w, r->data, r->n);
	if (w->overflow)
		return;
	crc = wbuf_make(at + 4, 4);
	wbuf_u32(&crc, journal_crc(table, at + 8, JOURNAL_FRAME - 8 + r->n));
}

static int add_number(uint32_t **numbers, uint32_t *n, uint32_t number)
{
	uint32_t *more = realloc(*numbers, (*n + 1) * sizeof *more);

	if (!more)
		return -ENOMEM;
	*numbers = more;
	more[(*n)++] = number;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int journal_list(int directory, uint32_t **out, uint32_t *n)
{
	int rc = 0, fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned number;
	int end;

	*out = NULL;
	*n = 0;
	if (!d) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		end = 0;
		if (sscanf(entry->d_name, JOURNAL_NAME "%8x%n", &number, &end) == 1 && end &&
			!entry->d_name[end])
			rc = add_number(out, n, number);
	}
	closedir(d);
	if (*n)
		qsort(*out, *n, sizeof **out, by_number);
	return rc;
}

static int begin(struct journal *j, uint32_t number)
{
	uint8_t head[JOURNAL_HEAD];
	struct wbuf w = wbuf_make(head, sizeof head);
	char name[32];
	int fd;

	journal_name(number, name);
	fd = openat(j->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	wbuf_bytes(&w, journal_magic, sizeof journal_magic);
	wbuf_u32(&w, JOURNAL_VERSION);
	wbuf_u32(&w, 0);
	if (write(fd, head, sizeof head) != sizeof head) {
		unlinkat(j->directory, name, 0);
		close(fd);
		return -ENOSPC;
	}
	if (j->segment >= 0)
		close(j->segment);
	j->segment = fd;
	j->number = number;
	j->octets = sizeof head;
	j->gathered = 0;
	return 0;
}

/* Who has the lock, for people who wonder. */
static void sign_lock(const struct journal *j)
{
	char text[LOCK_TEXT_MAX];
	int n = snprintf(text, sizeof text, "%s, process %ld", program_invocation_short_name, (long)getpid());

	if (ftruncate(j->lock, 0) == 0 && pwrite(j->lock, text, (size_t)n, 0) != n)
		(void)!ftruncate(j->lock, 0);
}

static int in_use(const struct journal *j, const char *path, struct err *e)
{
	char text[LOCK_TEXT_MAX];
	ssize_t n = pread(j->lock, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return err_set(e, EBUSY, "%s is in use by %s", path, text[0] ? text : "another process");
}

static int open_directory(struct journal *j, const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "%s cannot be made: %s", path, strerror(errno));
	j->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->directory < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	j->lock = openat(j->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->lock < 0)
		return err_set(e, errno, "%s/lock: %s", path, strerror(errno));
	if (flock(j->lock, LOCK_EX | LOCK_NB) < 0)
		return in_use(j, path, e);
	sign_lock(j);
	return 0;
}

int journal_open(const char *directory, struct journal **out, struct err *e)
{
	struct journal *j = calloc(1, sizeof *j);
	int rc;

	if (!j)
		return err_set(e, ENOMEM, "out of memory");
	j->directory = j->lock = j->segment = -1;
	journal_crc_table(j->crc);
	j->buffer = malloc(BUFFER);
	rc = j->buffer ? open_directory(j, directory, e) : err_set(e, ENOMEM, "out of memory");
	if (rc == 0) {
		rc = journal_list(j->directory, &j->older, &j->n_older);
		if (rc == 0)
			rc = begin(j, j->n_older ? j->older[j->n_older - 1] + 1 : 1);
		if (rc < 0)
			err_set(e, -rc, "%s: %s", directory, strerror(-rc));
	}
	if (rc < 0)
		journal_free(j);
	else
		*out = j;
	return rc;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	for (const int *fd = (int[]){j->segment, j->lock, j->directory, -2}; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	free(j->older);
	free(j->buffer);
	free(j);
}

int journal_flush(struct journal *j)
{
	size_t done = 0;

	while (done < j->gathered) {
		ssize_t n = write(j->segment, j->buffer + done, j->gathered - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = n < 0 ? -errno : -EIO;

			/* The half of a record would hide those that follow it. */
			if (ftruncate(j->segment, (off_t)j->octets) < 0)
				rc = -errno;
			j->gathered = 0;
			return rc;
		}
		done += (size_t)n;
	}
	j->octets += done;
	j->gathered = 0;
	return 0;
}

size_t journal_record_octets(size_t n)
{
	return JOURNAL_FRAME + n;
}

static int append(struct journal *j, uint64_t key, uint8_t what, const void *data, size_t n)
{
	int rc = n > JOURNAL_DATA_MAX ? -E2BIG : 0;

	if (rc == 0 && j->gathered + JOURNAL_FRAME + n > BUFFER)
		rc = journal_flush(j);
	if (rc < 0)
		return rc;
	struct wbuf w = wbuf_make(j->buffer + j->gathered, JOURNAL_FRAME + n);

	journal_record_write(j->crc, &w,
		&(struct journal_record){.key = key, .what = what, .n = (uint32_t)n, .data = data});
	j->gathered += JOURNAL_FRAME + n;
	return 0;
}

int journal_put(struct journal *j, uint64_t key, const void *data, size_t n)
{
	return append(j, key, JOURNAL_PUT, data, n);
}

int journal_remove(struct journal *j, uint64_t key)
{
	return append(j, key, JOURNAL_REMOVE, NULL, 0);
}

bool journal_due(const struct journal *j, uint64_t live)
{
	return j->octets > 2 * live + SLACK;
}

int journal_turn(struct journal *j)
{
	uint32_t before = j->number;
	int rc = add_number(&j->older, &j->n_older, before);

	(void)journal_flush(j); /* what it cannot take now is put again */
	if (rc == 0 && (rc = begin(j, before + 1)) < 0)
		j->n_older--;
	return rc;
}

void journal_trim(struct journal *j)
{
	char name[32];

	for (uint32_t i = 0; i < j->n_older; i++) {
		journal_name(j->older[i], name);
		unlinkat(j->directory, name, 0);
	}
	j->n_older = 0;
}
