/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
	uint64_t rotate_at; /* size at which a next file is asked for again; 0: the last time there was one */
	EVP_PKEY *key;
	struct audit_chain chain;
	uint32_t unsigned_records;
	uint64_t signed_ms; /* wall clock: when the last checkpoint was signed */
	bool broken;        /* the last write failed, and was logged */
	char why[96];       /* the last failure's reason; no quotes in it */
	struct {
		uint64_t records; /* 0: none */
		uint64_t since_ms; /* wall clock */
		char why[96];
	} lost; /* that the file does not tell of yet */
	struct audit_counters counters;
	char line[AUDIT_LINE_MAX];
};

/* All or nothing: half a line is taken back. */
static bool put(struct audit *a, struct str text)
{
	ssize_t n = write(a->fd, text.p, text.n);

	if (n == (ssize_t)text.n) {
		if (a->broken)
			log_warn("audit", "records are written again", LZ("file", a->file),
				LU("lost", a->lost.records));
		a->size += text.n;
		a->broken = false;
		return true;
	}
	snprintf(a->why, sizeof a->why, "%s", n < 0 ? strerror(errno) : "the disk is full");
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
		log_error("audit", "a record is lost: it is longer than a record may be",
			LZ("file", a->file), LU("octets", members.n));
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
}

static void path_of(const struct audit *a, unsigned n, char out[AUDIT_PATH_MAX])
{
	if (n)
		snprintf(out, AUDIT_PATH_MAX, "%s.%u", a->file, n);
	else
		snprintf(out, AUDIT_PATH_MAX, "%s", a->file);
}

/* Opens path to append to, for this process alone. The descriptor, or a negative errno value; -ENOTSUP: it is
 * no file, and a pipe that is full would stop who writes. */
static int open_locked(const char *path, int flags, uint64_t *size)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOTSUP;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static bool move(const struct audit *a, unsigned from, unsigned to)
{
	char old[AUDIT_PATH_MAX], new[AUDIT_PATH_MAX];

	path_of(a, from, old);
	path_of(a, to, new);
	return rename(old, new) == 0;
}

/* FILE becomes FILE.1, and those behind it go up by one as far as the first number that nobody has; the
 * oldest goes. */
static bool make_way(const struct audit *a)
{
	char path[AUDIT_PATH_MAX];
	unsigned n = 1;

	if (!a->conf.max_files)
		return true; /* what takes its place removes it */
	for (; n < a->conf.max_files; n++) {
		path_of(a, n, path);
		if (access(path, F_OK) < 0)
			break;
	}
	for (; n > 0; n--)
		if (!move(a, n - 1, n))
			return false;
	return true;
}

/*
 * The chain goes on in the next file, which is there before anything is moved: without one (no descriptor, no
 * room, a folder that cannot be written) the old one grows on under its name, and nothing that was kept goes.
 */
static void rotate(struct audit *a, uint64_t wall_ms)
{
	char next[AUDIT_PATH_MAX];
	uint64_t size = 0;
	int fd;

	sign(a, wall_ms);
	snprintf(next, sizeof next, "%s.next", a->file);
	fd = open_locked(next, O_TRUNC, &size);
	if (fd >= 0 && !(make_way(a) && rename(next, a->file) == 0)) {
		int rc = -errno;

		close(fd);
		unlink(next);
		fd = rc;
	}
	if (fd < 0) {
		log_error("audit", "there is no next file: the one that is full grows on",
			LZ("file", a->file), LZ("reason", strerror(-fd)));
		a->rotate_at = a->size + a->conf.max_octets / 16 + 1;
		return;
	}
	close(a->fd);
	a->fd = fd;
	a->size = size;
	a->rotate_at = 0;
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

void audit_write(struct audit *a, struct str members, uint64_t wall_ms)
{
	if (!a)
		return;
	if (a->size >= a->conf.max_octets && a->size >= a->rotate_at)
		rotate(a, wall_ms);
	if (!tell_gap(a, wall_ms) || !put_next(a, members, NULL)) {
		lose(a, wall_ms);
		return;
	}
	a->counters.records++;
	if (++a->unsigned_records >= a->conf.checkpoint_records)
		sign(a, wall_ms);
}

void audit_tick(struct audit *a, uint64_t wall_ms)
{
	if (a && tell_gap(a, wall_ms) && wall_ms - a->signed_ms >= (uint64_t)a->conf.checkpoint_s * 1000)
		sign(a, wall_ms);
}

struct audit_counters audit_counters(const struct audit *a)
{
	return a ? a->counters : (struct audit_counters){0};
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
	a->fd = open_locked(a->file, 0, &a->size);
	if (a->fd == -EWOULDBLOCK)
		rc = err_set(e, -a->fd, "%s: another process writes it", a->file);
	else if (a->fd == -ENOTSUP)
		rc = err_set(e, -a->fd, "%s: is not a file", a->file);
	else if (a->fd < 0)
		rc = err_set(e, -a->fd, "%s: cannot be opened for writing: %s", a->file, strerror(-a->fd));
	else
		rc = take_up(a, e);
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
	if (!tell_gap(a, clock_wall_ms()))
		log_error("audit", "records were lost, which the file does not tell", LZ("file", a->file),
			LU("lost", a->lost.records));
	sign(a, clock_wall_ms());
	if (a->fd >= 0)
		close(a->fd);
	EVP_PKEY_free(a->key);
	free(a->file);
	free(a);
}
