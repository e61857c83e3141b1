/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two things are relied on. The writer appends to the newest segment only, and what is below a file's size is
 * final: so a segment that another follows has its last octet, and a record that is not whole at the end of
 * the newest one is still coming. And older segments are removed only when all that lives is in the newest:
 * so where one segment is alone, what it holds is everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/state/journal_follow.h"
#include "controlplane/state/journal_private.h"

#define BUFFER (256u << 10)
#define AGAIN (-EAGAIN) /* what was to be read is not what is there any more: all has to be told anew */

_Static_assert(JOURNAL_DATA_MAX + JOURNAL_FRAME <= BUFFER, "a record that never fits");
_Static_assert((int)JOURNAL_TOLD_REMOVE == JOURNAL_REMOVE && (int)JOURNAL_TOLD_PUT == JOURNAL_PUT,
	"as in a segment");

/* A segment that is read. What is in the buffer begins at `offset` of the file. */
struct source {
	int fd; /* -1: none */
	uint32_t number;
	uint64_t offset;
	bool headed, torn; /* its head was read; behind `offset` is no record */
	uint64_t torn_size;
	size_t from, have; /* in the buffer */
};

struct journal_follow {
	char *path;
	uint32_t crc[256];
	uint8_t *buffer;
	struct source at; /* the segment that is followed; no fd: all has to be told yet */
	bool mixed;       /* when all was told older segments were still there */
	bool turned;      /* TURN was told, and no TRIM since */
	int directory;    /* during a poll, and what is in it, ascending */
	uint32_t *numbers, n_numbers;
};

/* Where a record is, in the order of reading. */
struct spot {
	uint64_t key, offset;
	uint32_t order, segment, n;
	uint8_t what;
};

struct spots {
	struct spot *at;
	uint32_t n, room, live;
	struct source *segments;
};

int journal_follow_new(const char *directory, struct journal_follow **out)
{
	struct journal_follow *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->at.fd = f->directory = -1;
	f->path = strdup(directory);
	f->buffer = malloc(BUFFER);
	journal_crc_table(f->crc);
	if (!f->path || !f->buffer) {
		journal_follow_free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

static void source_close(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void journal_follow_free(struct journal_follow *f)
{
	if (!f)
		return;
	source_close(&f->at);
	free(f->buffer);
	free(f->path);
	free(f);
}

static int source_open(const struct journal_follow *f, uint32_t number, struct source *s)
{
	char name[32];

	journal_name(number, name);
	*s = (struct source){.number = number};
	s->fd = openat(f->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return s->fd < 0 ? -errno : 0;
}

/* More octets behind those in the buffer. 0: there are none now. */
static ssize_t fill(struct journal_follow *f, struct source *s)
{
	ssize_t n;

	if (s->from) {
		memmove(f->buffer, f->buffer + s->from, s->have - s->from);
		s->have -= s->from;
		s->from = 0;
	}
	do {
		n = pread(s->fd, f->buffer + s->have, BUFFER - s->have, (off_t)(s->offset + s->have));
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		s->have += (size_t)n;
	return n < 0 ? -errno : n;
}

/*
 * 1: a record, whose data lives until the next call; 0: there is no more now. -EPROTO: what is there is none,
 * or, where the head was not read yet, no segment of this version.
 */
static int source_next(struct journal_follow *f, struct source *s, struct journal_record *r)
{
	ssize_t n;

	for (;;) {
		struct rbuf in = rbuf_make(f->buffer + s->from, s->have - s->from);
		bool head = !s->headed;
		int rc = head ? journal_head_read(&in) : journal_record_read(f->crc, &in, JOURNAL_PUT, r);

		if (rc == 0) {
			size_t took = (size_t)(in.p - (f->buffer + s->from));

			s->headed = true;
			s->from += took;
			s->offset += took;
			if (!head)
				return 1;
			continue;
		}
		if (rc != -EAGAIN)
			return rc;
		n = fill(f, s);
		if (n <= 0) {
			s->from = s->have = 0; /* read again: it may be taken back */
			return (int)n;
		}
	}
}

static int note(struct spots *spots, const struct journal_record *r, uint32_t segment, uint64_t behind)
{
	if (spots->n == spots->room) {
		uint32_t room = spots->room ? 2 * spots->room : 1024;
		struct spot *more = realloc(spots->at, room * sizeof *more);

		if (!more)
			return -ENOMEM;
		spots->at = more;
		spots->room = room;
	}
	spots->at[spots->n] = (struct spot){.key = r->key,
		.offset = behind - journal_record_octets(r->n),
		.order = spots->n,
		.segment = segment,
		.n = r->n,
		.what = r->what};
	spots->n++;
	return 0;
}

/* Up to its end, or to where a crash tore it, as journal_read() does. */
static int scan(struct journal_follow *f, struct source *s, struct spots *spots, uint32_t segment)
{
	struct journal_record r;
	struct stat st;
	int rc, noted = 0;

	while (noted == 0 && (rc = source_next(f, s, &r)) == 1)
		noted = note(spots, &r, segment, s->offset);
	if (noted < 0)
		return noted;
	if (rc == -EPROTO && (s->headed || segment + 1 < f->n_numbers)) {
		s->torn = true;
		s->torn_size = fstat(s->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
		rc = 0;
	}
	s->from = s->have = 0; /* the buffer is the next one's */
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* Leaves the newest of each key that lives. */
static void thin(struct spots *spots)
{
	if (spots->n)
		qsort(spots->at, spots->n, sizeof *spots->at, by_key);
	for (uint32_t i = 0; i < spots->n; i++) {
		const struct spot *p = &spots->at[i];

		if ((i + 1 == spots->n || spots->at[i + 1].key != p->key) && p->what == JOURNAL_PUT)
			spots->at[spots->live++] = *p;
	}
}

/* The segments' files are held, so what was found is still there, unless the writer took it back. */
static int tell_spots(struct journal_follow *f, struct spots *spots, journal_tell *tell, void *arg)
{
	int rc = tell(arg, JOURNAL_TOLD_BEGIN, 0, NULL, 0);

	for (uint32_t i = 0; rc == 0 && i < spots->live; i++) {
		const struct spot *p = &spots->at[i];
		size_t n = journal_record_octets(p->n);
		ssize_t got = pread(spots->segments[p->segment].fd, f->buffer, n, (off_t)p->offset);
		struct rbuf in = rbuf_make(f->buffer, got > 0 ? (size_t)got : 0);
		struct journal_record r;

		if (journal_record_read(f->crc, &in, JOURNAL_PUT, &r) < 0 || r.key != p->key)
			return AGAIN;
		rc = tell(arg, JOURNAL_TOLD_PUT, r.key, r.data, r.n);
	}
	return rc ? rc : tell(arg, JOURNAL_TOLD_STANDS, spots->live, NULL, 0);
}

/* Everything, from all the segments that are listed; then the newest of them is followed. */
static int tell_all(struct journal_follow *f, journal_tell *tell, void *arg)
{
	struct spots spots = {.segments = calloc(f->n_numbers, sizeof *spots.segments)};
	uint32_t opened = 0;
	int rc = spots.segments ? 0 : -ENOMEM;

	source_close(&f->at); /* until all is told */
	while (rc == 0 && opened < f->n_numbers) {
		rc = source_open(f, f->numbers[opened], &spots.segments[opened]);
		if (rc == 0) {
			opened++;
			rc = scan(f, &spots.segments[opened - 1], &spots, opened - 1);
		}
	}
	if (rc == -ENOENT) /* trimmed meanwhile */
		rc = AGAIN;
	if (rc == 0) {
		thin(&spots);
		rc = tell_spots(f, &spots, tell, arg);
	}
	if (rc == 0) {
		f->at = spots.segments[--opened];
		f->mixed = f->n_numbers > 1;
		f->turned = false;
	}
	while (opened)
		source_close(&spots.segments[--opened]);
	free(spots.segments);
	free(spots.at);
	return rc ? rc : 1;
}

/* Is the segment that is followed one of this directory, or was it? */
static bool known(const struct journal_follow *f)
{
	struct stat ours, st;
	char name[32];

	if (f->at.fd < 0 || fstat(f->at.fd, &ours) < 0 || (uint64_t)ours.st_size < f->at.offset)
		return false;
	if (f->at.torn && (uint64_t)ours.st_size != f->at.torn_size)
		return false; /* somebody still writes it: it was none of a crash */
	journal_name(f->at.number, name);
	if (fstatat(f->directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return st.st_ino == ours.st_ino && st.st_dev == ours.st_dev;
	return f->numbers[f->n_numbers - 1] > f->at.number;
}

/* What is new in the segment that is followed. */
static int tell_new(struct journal_follow *f, journal_tell *tell, void *arg)
{
	struct journal_record r;
	int rc = 0, told = 0;

	while (!f->at.torn && told == 0 && (rc = source_next(f, &f->at, &r)) == 1)
		told = tell(arg, (enum journal_told)r.what, r.key, r.data, r.n);
	if (told)
		return told;
	return rc == -EPROTO && f->at.headed ? AGAIN : rc;
}

/* The first segment behind the one that is followed. 1: there is none. */
static int step(struct journal_follow *f, journal_tell *tell, void *arg)
{
	struct source next;
	uint32_t i = 0;
	int rc;

	while (i < f->n_numbers && f->numbers[i] <= f->at.number)
		i++;
	if (i == f->n_numbers)
		return 1;
	rc = source_open(f, f->numbers[i], &next);
	if (rc < 0)
		return rc;
	source_close(&f->at);
	f->at = next;
	f->turned = true;
	return tell(arg, JOURNAL_TOLD_TURN, 0, NULL, 0);
}

static int follow(struct journal_follow *f, journal_tell *tell, void *arg)
{
	int rc;

	do {
		rc = tell_new(f, tell, arg);
		if (rc)
			return rc;
		rc = step(f, tell, arg);
	} while (rc == 0);
	if (rc == -ENOENT)
		return 0; /* trimmed since it was listed: at the next poll what came behind it */
	if (rc < 0)
		return rc;
	if (f->n_numbers > 1)
		return 1;
	if (f->turned)
		rc = tell(arg, JOURNAL_TOLD_TRIM, 0, NULL, 0);
	else if (f->mixed)
		return AGAIN; /* what was in the older segments alone is gone, and nobody says what that was
			       */
	f->turned = f->mixed = false;
	return rc < 0 ? rc : 1;
}

int journal_follow_poll(struct journal_follow *f, journal_tell *tell, void *arg)
{
	int rc;

	f->directory = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->directory < 0)
		return errno == ENOENT ? 0 : -errno;
	rc = journal_list(f->directory, &f->numbers, &f->n_numbers);
	if (rc == 0 && f->n_numbers) {
		rc = known(f) ? follow(f, tell, arg) : AGAIN;
		if (rc == AGAIN)
			rc = tell_all(f, tell, arg);
		if (rc == AGAIN)
			rc = 0;
	}
	free(f->numbers);
	f->numbers = NULL;
	close(f->directory);
	f->directory = -1;
	return rc;
}
