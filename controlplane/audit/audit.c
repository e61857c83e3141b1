/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "controlplane/audit/audit_private.h"
#include "lib/audit/chain.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct audit {
	struct audit_conf conf;
	char *file;
	int fd;
	uint64_t size;
	uint64_t begun_at;  /* size behind the file's beginning, which is no record of anybody's */
	uint64_t rotate_at; /* size at which a next file is asked for again; 0: the last time there was one */
	bool away;          /* its path is not its own any more, and it is written on all the same */
	bool orphan;        /* likewise, and it has no path at all: what is written would be lost */
	EVP_PKEY *key;
	struct audit_chain chain;
	uint32_t unsigned_records;
	uint64_t signed_ms; /* wall clock: when the last checkpoint was signed */
	bool broken;        /* the last write failed, and was logged */
	char why[96];       /* the last failure's reason; no quotes in it */
	struct {
		uint64_t records;  /* 0: none */
		uint64_t since_ms; /* wall clock */
		char why[96];
	} lost; /* that the file does not tell of yet */
	struct {
		bool seen;
		uint64_t at_ms; /* wall clock */
	} cut;                  /* likewise: somebody took of it what was in it */
	struct audit_counters counters;
	char line[AUDIT_LINE_MAX];
};

static void can_write(struct audit *a)
{
	if (a->broken)
		log_warn("audit", "records are written again", LZ("file", a->file),
			LU("lost", a->lost.records));
	a->broken = false;
}

/* All or nothing: half a line is taken back. */
static bool put(struct audit *a, struct str text)
{
	ssize_t n = a->orphan ? 0 : write(a->fd, text.p, text.n);

	if (n == (ssize_t)text.n) {
		a->size += text.n;
		can_write(a);
		return true;
	}
	snprintf(a->why, sizeof a->why, "%s",
		a->orphan ? "the file was removed, and in its place there can be no other"
		: n < 0   ? strerror(errno)
			  : "the disk is full");
	if (!a->broken)
		log_error("audit", "records cannot be written, and until they can are lost",
			LZ("file", a->file), LZ("reason", a->why));
	a->broken = true;
	if (n > 0 && ftruncate(a->fd, (off_t)a->size) < 0)
		log_error("audit", "half a record stays in the file", LZ("file", a->file));
	return false;
}

static bool put_next(struct audit *a, struct str members, const char *sign_time)
{
	struct audit_chain next = a->chain;
	struct wbuf w = wbuf_make(a->line, sizeof a->line);

	if (!sign_time)
		audit_chain_add(&next, members, &w);
	else if (audit_chain_sign(&next, a->key, sign_time, &w) < 0)
		return false;
	if (w.overflow) {
		snprintf(a->why, sizeof a->why, "longer than a record may be");
		log_error("audit", "a record is lost: it is longer than a record may be", LZ("file", a->file),
			LU("octets", members.n));
		return false;
	}
	if (!put(a, wbuf_view(&w)))
		return false;
	a->chain = next;
	return true;
}

static void sign(struct audit *a, uint64_t wall_ms)
{
	char time[CLOCK_TEXT_MAX];

	if (!a->unsigned_records || !put_next(a, STR(""), clock_text(wall_ms, time)))
		return;
	a->unsigned_records = 0;
	a->signed_ms = wall_ms;
	/* The disk has little to do when the file ends, and the loop with it little to wait for. */
	sync_file_range(a->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* The file is left. What the next one goes on from is on the disk before that: else a power cut leaves a
 * chain in which records are missing, and nobody removed them. */
static void end_file(struct audit *a, uint64_t wall_ms)
{
	sign(a, wall_ms);
	if (!a->orphan && fsync(a->fd) < 0)
		log_error("audit", "the file that ends may not outlive a power cut", LZ("file", a->file),
			LZ("reason", strerror(errno)));
}

static void lose(struct audit *a, uint64_t wall_ms)
{
	a->counters.failed++;
	if (a->lost.records++)
		return;
	a->lost.since_ms = wall_ms;
	memcpy(a->lost.why, a->why, sizeof a->lost.why);
}

/* Whoever reads the audit must see that records are missing: the first that can be written says so. */
static bool tell_gap(struct audit *a, uint64_t wall_ms)
{
	char now[CLOCK_TEXT_MAX], since[CLOCK_TEXT_MAX], text[320];

	if (!a->lost.records)
		return true;
	snprintf(text, sizeof text,
		"\"type\":\"gap\",\"records\":%" PRIu64 ",\"since\":\"%s\",\"time\":\"%s\",\"reason\":\"%s\"",
		a->lost.records, clock_text(a->lost.since_ms, since), clock_text(wall_ms, now), a->lost.why);
	if (!put_next(a, str_z(text), NULL))
		return false;
	a->lost.records = 0;
	a->unsigned_records++;
	return true;
}

/* The next file begins with a checkpoint: it is never without a record by which the next start finds the
 * chain, whichever files were moved away, and says by itself what it goes on from. It is on the disk before
 * the one before it is left, and may go. first: a record before that, or nothing. False with errno: some of
 * it may be in the file. */
static bool begin_file(struct audit *a, int fd, struct str first, struct audit_chain *chain, uint64_t wall_ms,
	uint64_t *size)
{
	struct wbuf w = wbuf_make(a->line, sizeof a->line);
	char time[CLOCK_TEXT_MAX];

	*chain = a->chain;
	if (first.n)
		audit_chain_add(chain, first, &w);
	errno = EIO;
	if (audit_chain_sign(chain, a->key, clock_text(wall_ms, time), &w) < 0 || w.overflow)
		return false;
	errno = ENOSPC;
	if (write(fd, wbuf_view(&w).p, wbuf_view(&w).n) != (ssize_t)wbuf_view(&w).n)
		return false;
	*size = wbuf_view(&w).n;
	return fsync(fd) == 0;
}

/* From the file that is written to one that is begun. */
static void go_on_in(
	struct audit *a, int fd, const struct audit_chain *chain, uint64_t size, uint64_t wall_ms)
{
	close(a->fd);
	a->fd = fd;
	a->chain = *chain;
	a->size = a->begun_at = size;
	a->rotate_at = 0;
	a->away = a->orphan = false;
	a->unsigned_records = 0;
	a->signed_ms = wall_ms;
	can_write(a);
}

/*
 * The chain goes on in the next file, which is there and begun before anything is moved: without one (no
 * descriptor, no room, a folder that cannot be written) the old one grows on under its name, and nothing that
 * was kept goes.
 */
static int rotate(struct audit *a, uint64_t wall_ms)
{
	char next[AUDIT_PATH_MAX];
	struct audit_chain chain;
	uint64_t size = 0;
	int fd;

	end_file(a, wall_ms);
	snprintf(next, sizeof next, "%s.next", a->file);
	fd = audit_open_locked(next, O_TRUNC, &size);
	if (fd >= 0 && !(begin_file(a, fd, STR(""), &chain, wall_ms, &size) &&
			       audit_replace(a->file, next, a->conf.max_files))) {
		int rc = -errno;

		close(fd);
		unlink(next);
		fd = rc;
	}
	if (fd < 0) {
		log_error("audit", "there is no next file: the one that is full grows on",
			LZ("file", a->file), LZ("reason", strerror(-fd)));
		a->rotate_at = a->size + a->conf.max_octets / 16 + 1;
		return fd;
	}
	go_on_in(a, fd, &chain, size, wall_ms);
	return 0;
}

/* ---- what others do to the file ---- */

static struct str file_record(const char *what, uint64_t wall_ms, char out[256])
{
	char time[CLOCK_TEXT_MAX];

	snprintf(out, 256, "\"type\":\"file\",\"time\":\"%s\",\"reason\":\"%s\"", clock_text(wall_ms, time),
		what);
	return str_z(out);
}

static void say_taken(const struct audit *a, const char *what)
{
	log_error("audit", "somebody else moved, removed or cut the file while records are written to it",
		LZ("file", a->file), LZ("what", what));
}

#define WAS_CUT "the file was cut: records that were in it are gone"

/* What is left may end within a record. */
static bool tell_cut(struct audit *a, uint64_t wall_ms)
{
	char last = '\n', text[256];

	if (!a->cut.seen)
		return true;
	if (a->size && pread(a->fd, &last, 1, (off_t)a->size - 1) == 1 && last != '\n' && !put(a, STR("\n")))
		return false;
	if (!put_next(a, file_record(WAS_CUT, a->cut.at_ms, text), NULL))
		return false;
	a->cut.seen = false;
	a->unsigned_records++;
	sign(a, wall_ms);
	return true;
}

/* Less is in it than was written. */
static void see_cut(struct audit *a, uint64_t size, uint64_t wall_ms)
{
	a->size = a->begun_at = size;
	a->cut.seen = true;
	a->cut.at_ms = wall_ms;
	a->counters.taken++;
	say_taken(a, WAS_CUT);
}

/* What the file lacks comes before what is to be in it next. */
static bool tell_all(struct audit *a, uint64_t wall_ms)
{
	return tell_cut(a, wall_ms) && tell_gap(a, wall_ms);
}

/* Its path is nobody's, or another file's. That is ours when it has nothing in it. */
static int open_again(const struct audit *a)
{
	uint64_t size;
	int fd = audit_open_locked(a->file, 0, &size);

	if (fd >= 0 && size) {
		close(fd);
		return -EEXIST;
	}
	return fd;
}

/* A file at its path, begun with what happened. The former ends with a checkpoint if it can. A descriptor, or
 * a negative errno value: the path has no more than it had, or an empty file. */
static int begin_again(struct audit *a, bool removed, const char *what, struct audit_chain *chain,
	uint64_t wall_ms, uint64_t *size)
{
	int fd = open_again(a), rc;
	char text[256];

	if (fd < 0)
		return fd;
	if (!removed)
		end_file(a, wall_ms);
	if (begin_file(a, fd, file_record(what, wall_ms, text), chain, wall_ms, size)) {
		audit_sync_folder(a->file);
		return fd;
	}
	rc = -errno;
	if (ftruncate(fd, 0) < 0)
		log_error("audit", "half a record stays in the file", LZ("file", a->file));
	close(fd);
	return rc;
}

/* From the file that is away to one at its path, once there is one with its first record. */
static void follow_path(struct audit *a, bool removed, uint64_t wall_ms)
{
	const char *what = removed ? "the file before was removed, and what was in it with it"
				   : "the file before was moved while records were written to it";
	struct audit_chain chain;
	uint64_t size;
	bool news = !a->away || (removed && !a->orphan); /* else it was counted before */
	int fd = begin_again(a, removed, what, &chain, wall_ms, &size);

	a->counters.taken += news;
	if (fd >= 0) {
		go_on_in(a, fd, &chain, size, wall_ms);
		a->begun_at = 0; /* what happened is somebody's record */
		say_taken(a, what);
		return;
	}
	if (news)
		log_error("audit",
			removed ? "the file was removed, and there can be no other: records are lost"
				: "the file was moved, and there can be no other: it grows on where it is, and a start "
				  "may be refused",
			LZ("file", a->file),
			LZ("reason", fd == -EEXIST ? "another file has its name" : strerror(-fd)));
	a->away = true;
	a->orphan = removed;
}

/* Is what is written still the file that has the name? */
static void look(struct audit *a, uint64_t wall_ms)
{
	struct stat mine, there;

	if (fstat(a->fd, &mine) < 0)
		return;
	if ((uint64_t)mine.st_size < a->size)
		see_cut(a, (uint64_t)mine.st_size, wall_ms);
	if (stat(a->file, &there) == 0 && there.st_dev == mine.st_dev && there.st_ino == mine.st_ino)
		a->away = a->orphan = false;
	else
		follow_path(a, !mine.st_nlink, wall_ms);
}

int audit_rotate(struct audit *a, uint64_t wall_ms, struct audit_closed *out, struct err *e)
{
	uint64_t last;
	int rc;

	look(a, wall_ms);
	if (a->away)
		return err_set(e, EBUSY,
			"%s: what is written is not there any more, and there can be no other", a->file);
	if (!a->conf.max_files)
		return err_set(e, EPERM, "max-files is 0: the records would be removed, not kept");
	if (!tell_all(a, wall_ms))
		return err_set(e, EIO, "%s: records cannot be written: %s", a->file, a->why);
	if (a->size <= a->begun_at)
		return err_set(e, ENODATA, "%s: there is no record in it", a->file);
	sign(a, wall_ms);
	last = a->chain.seq;
	rc = rotate(a, wall_ms);
	if (rc)
		return err_set(e, -rc, "%s: there can be no next file: %s", a->file, strerror(-rc));
	audit_path_of(a->file, 1, out->file);
	out->last = last;
	return 0;
}

void audit_write(struct audit *a, struct str members, uint64_t wall_ms)
{
	if (!a)
		return;
	look(a, wall_ms);
	if (!a->away && a->size >= a->conf.max_octets && a->size >= a->rotate_at)
		rotate(a, wall_ms);
	if (!tell_all(a, wall_ms) || !put_next(a, members, NULL)) {
		lose(a, wall_ms);
		return;
	}
	a->counters.records++;
	if (++a->unsigned_records >= a->conf.checkpoint_records)
		sign(a, wall_ms);
}

void audit_tick(struct audit *a, uint64_t wall_ms)
{
	if (!a)
		return;
	look(a, wall_ms);
	if (tell_all(a, wall_ms) && wall_ms - a->signed_ms >= (uint64_t)a->conf.checkpoint_s * 1000)
		sign(a, wall_ms);
}

char *audit_last(const struct audit *a)
{
	return a ? audit_find_last(a->fd, a->size) : NULL;
}

struct audit_counters audit_counters(const struct audit *a)
{
	struct audit_counters c = {0};

	if (!a)
		return c;
	c = a->counters;
	c.losing = a->broken || a->orphan;
	c.away = a->away;
	return c;
}

/* Goes on where the file ends; of a line that was torn (the machine went down) nothing stays. */
static int take_up(struct audit *a, struct err *e)
{
	uint64_t whole;
	int rc = audit_find_end(a->file, a->fd, a->size, &a->chain, &whole, e);

	if (rc == 0 && whole < a->size) {
		log_warn("audit", "a record that was half written is taken away", LZ("file", a->file));
		if (ftruncate(a->fd, (off_t)whole) < 0)
			rc = err_set(e, errno, "%s: %s", a->file, strerror(errno));
		a->size = whole;
	}
	return rc;
}

int audit_open(const struct audit_conf *conf, struct audit **out, struct err *e)
{
	struct audit *a = calloc(1, sizeof *a);
	int rc;

	if (!a || !(a->file = strdup(conf->file))) {
		free(a);
		return err_set(e, ENOMEM, "%s: no memory", conf->file);
	}
	a->conf = *conf;
	a->conf.file = a->file;
	a->signed_ms = clock_wall_ms();
	a->fd = audit_open_locked(a->file, 0, &a->size);
	if (a->fd == -EWOULDBLOCK)
		rc = err_set(e, -a->fd, "%s: another process writes it", a->file);
	else if (a->fd == -ENOTSUP)
		rc = err_set(e, -a->fd, "%s: is not a file", a->file);
	else if (a->fd < 0)
		rc = err_set(e, -a->fd, "%s: cannot be opened for writing: %s", a->file, strerror(-a->fd));
	else
		rc = take_up(a, e);
	if (!rc)
		audit_undo_replace(a->file, a->fd);
	if (!rc)
		rc = audit_key_open(a->file, a->chain.seq > 0, &a->key, e);
	if (rc) {
		a->unsigned_records = 0;
		audit_close(a);
		return rc;
	}
	*out = a;
	return 0;
}

void audit_change(struct audit *a, const struct audit_conf *conf)
{
	a->conf = *conf;
	a->conf.file = a->file;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		look(a, clock_wall_ms());
	if (!tell_all(a, clock_wall_ms()))
		log_error("audit", "records were lost, which the file does not tell", LZ("file", a->file),
			LU("lost", a->lost.records));
	if (a->fd >= 0) {
		end_file(a, clock_wall_ms());
		close(a->fd);
	}
	EVP_PKEY_free(a->key);
	free(a->file);
	free(a);
}
