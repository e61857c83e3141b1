/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "lib/audit/chain.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define PATH_OCTETS 4096

struct audit {
	struct audit_conf conf;
	char *file;
	int fd;
	uint64_t size;
	EVP_PKEY *key;
	struct audit_chain chain;
	uint32_t unsigned_records;
	uint64_t signed_ms; /* wall clock: when the last checkpoint was signed */
	bool broken;        /* the last write failed, and was logged */
	struct audit_counters counters;
	char line[AUDIT_LINE_MAX];
};

/* All or nothing: half a line is taken back. */
static bool put(struct audit *a, struct str text)
{
	ssize_t n = write(a->fd, text.p, text.n);

	if (n == (ssize_t)text.n) {
		a->size += text.n;
		a->broken = false;
		return true;
	}
	if (!a->broken)
		log_error("audit", "records are lost: they cannot be written", LZ("file", a->file),
			LZ("reason", n < 0 ? strerror(errno) : "the disk is full"));
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
	if (w.overflow || !put(a, wbuf_view(&w)))
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

static void path_of(const struct audit *a, unsigned n, char out[PATH_OCTETS])
{
	if (n)
		snprintf(out, PATH_OCTETS, "%s.%u", a->file, n);
	else
		snprintf(out, PATH_OCTETS, "%s", a->file);
}

static int open_file(struct audit *a)
{
	int fd = open(a->file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	if (a->fd >= 0)
		close(a->fd);
	a->fd = fd;
	a->size = (uint64_t)st.st_size;
	return 0;
}

/* The chain goes on in the next file. Where it cannot be opened the old one goes on, under its new name. */
static void rotate(struct audit *a, uint64_t wall_ms)
{
	char from[PATH_OCTETS], to[PATH_OCTETS];
	int rc;

	sign(a, wall_ms);
	path_of(a, a->conf.max_files, to);
	unlink(to);
	for (unsigned n = a->conf.max_files; n > 0; n--) {
		path_of(a, n - 1, from);
		path_of(a, n, to);
		rename(from, to);
	}
	rc = open_file(a);
	if (rc < 0)
		log_error("audit", "the next file cannot be opened", LZ("file", a->file),
			LZ("reason", strerror(-rc)));
}

void audit_write(struct audit *a, struct str members, uint64_t wall_ms)
{
	if (!a)
		return;
	if (a->size >= a->conf.max_octets)
		rotate(a, wall_ms);
	if (!put_next(a, members, NULL)) {
		a->counters.failed++;
		return;
	}
	a->counters.records++;
	if (++a->unsigned_records >= a->conf.checkpoint_records)
		sign(a, wall_ms);
}

void audit_tick(struct audit *a, uint64_t wall_ms)
{
	if (a && wall_ms - a->signed_ms >= (uint64_t)a->conf.checkpoint_s * 1000)
		sign(a, wall_ms);
}

struct audit_counters audit_counters(const struct audit *a)
{
	return a ? a->counters : (struct audit_counters){0};
}

/* Where the text's last whole line begins and ends. False: there is none. */
static bool last_line(struct str text, struct str *line)
{
	while (text.n && text.p[text.n - 1] != '\n')
		text.n--;
	if (!text.n)
		return false;
	line->p = text.p + text.n - 1;
	while (line->p > text.p && line->p[-1] != '\n')
		line->p--;
	line->n = (size_t)(text.p + text.n - 1 - line->p);
	return true;
}

/* Goes on where the file ends; of a line that was torn (the machine went down) nothing stays. */
static int take_up(struct audit *a, struct err *e)
{
	uint64_t from = a->size > 2 * AUDIT_LINE_MAX ? a->size - 2 * AUDIT_LINE_MAX : 0;
	struct str text = {.n = a->size - from}, line;
	char *tail = malloc(text.n + 1);
	int rc = 0;

	if (!tail)
		return err_set(e, ENOMEM, "%s: no memory to read it", a->file);
	text.p = tail;
	if (pread(a->fd, tail, text.n, (off_t)from) != (ssize_t)text.n) {
		rc = err_set(e, EIO, "%s: cannot be read", a->file);
	} else if (!last_line(text, &line)) {
		rc = a->size ? err_set(e, EINVAL, "%s: this is no audit: move it away", a->file) : 0;
	} else if (!audit_line_seq(line, &a->chain.seq)) {
		rc = err_set(e, EINVAL, "%s: its last line is no record: move it away", a->file);
	} else {
		uint64_t whole = from + (uint64_t)(line.p - tail) + line.n + 1;

		audit_line_hash(line, a->chain.hash);
		if (whole < a->size) {
			log_warn(
				"audit", "a record that was half written is taken away", LZ("file", a->file));
			if (ftruncate(a->fd, (off_t)whole) < 0)
				rc = err_set(e, errno, "%s: %s", a->file, strerror(errno));
			a->size = whole;
		}
	}
	free(tail);
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
	a->fd = -1;
	a->signed_ms = clock_wall_ms();
	rc = open_file(a);
	if (rc == -EWOULDBLOCK)
		err_set(e, -rc, "%s: another process writes it", a->file);
	else if (rc < 0)
		err_set(e, -rc, "%s: cannot be opened for writing: %s", a->file, strerror(-rc));
	if (!rc)
		rc = take_up(a, e);
	if (!rc)
		rc = audit_key_open(a->file, &a->key, e);
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
	sign(a, clock_wall_ms());
	if (a->fd >= 0)
		close(a->fd);
	EVP_PKEY_free(a->key);
	free(a->file);
	free(a);
}
