/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy that came in part leaves each call as it was or as it is now, because it holds the newest of each
 * alone and older segments stay until it is complete. After it the journal turns and is trimmed when the
 * active machine's is, so that nothing has to be remembered here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/standby/receive.h"
#include "controlplane/standby/status.h"
#include "controlplane/standby/stream.h"
#include "controlplane/state/journal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define STATUS_MS 1000

struct receiver {
	const struct receive_conf *conf;
	struct stream *stream;
	struct journal *journal;
	struct status_file *file;
	struct standby_status status;
	uint64_t registrations; /* of the copy that is being made */
	int rewritten; /* how it went to put what was there together */
	struct err *e;
};

static void put_again(void *arg, uint64_t key, const void *data, size_t n)
{
	struct receiver *r = arg;
	int rc = journal_put(r->journal, key, data, n);

	if (rc < 0 && r->rewritten == 0)
		r->rewritten = rc;
}

static int cannot_write(struct receiver *r, int rc)
{
	return err_set(r->e, -rc, "%s cannot be written: %s", r->conf->recovery, strerror(-rc));
}

static void enter(struct receiver *r, enum standby_state state)
{
	r->status.state = state;
	r->status.since_ms = clock_wall_ms();
	status_write(r->file, &r->status);
}

/* What streams before have left in many segments goes into one: they may break off again and again. */
static int open_journal(struct receiver *r)
{
	struct journal_found found;
	int rc = journal_open(r->conf->recovery, &r->journal, r->e);

	if (rc < 0)
		return rc;
	rc = status_new(r->conf->recovery, &r->file);
	if (rc == 0)
		rc = journal_read(r->journal, put_again, r, &found);
	if (rc == 0)
		rc = r->rewritten;
	if (rc == 0)
		rc = journal_flush(r->journal);
	if (rc < 0)
		return cannot_write(r, rc);
	journal_trim(r->journal);
	enter(r, STANDBY_WAITING);
	return 0;
}

static int stands(struct receiver *r, uint64_t all)
{
	int rc = journal_flush(r->journal);

	if (rc < 0)
		return rc;
	journal_trim(r->journal);
	r->status.calls = all - r->registrations;
	r->status.registrations = r->registrations;
	r->status.changes = 0;
	enter(r, STANDBY_IN_STEP);
	log_info("standby", "in step: everything of the active machine is here", LU("calls", r->status.calls),
		LU("registrations", r->registrations));
	return 0;
}

static void beat(struct receiver *r, bool all)
{
	uint64_t now = clock_wall_ms();

	if (!all && r->status.state == STANDBY_WAITING && !r->status.heard_ms)
		log_info("standby", "there is no control plane on the active machine yet");
	r->status.heard_ms = now;
	status_write(r->file, &r->status);
}

static int trim(struct receiver *r)
{
	int rc = journal_flush(r->journal);

	if (rc == 0)
		journal_trim(r->journal);
	return rc;
}

/* journal_turn() alone would lose what could not be written, and say nothing. */
static int turn(struct receiver *r)
{
	int rc = journal_flush(r->journal);

	return rc < 0 ? rc : journal_turn(r->journal);
}

static int apply(struct receiver *r, const struct stream_frame *f)
{
	r->status.changes += f->kind == JOURNAL_TOLD_PUT || f->kind == JOURNAL_TOLD_REMOVE;
	switch (f->kind) {
	case JOURNAL_TOLD_BEGIN:
		r->registrations = 0;
		enter(r, STANDBY_COPYING);
		return turn(r);
	case JOURNAL_TOLD_STANDS:
		return stands(r, f->key);
	case JOURNAL_TOLD_PUT:
		r->registrations += r->status.state == STANDBY_COPYING && saved_binding_key(f->key);
		return journal_put(r->journal, f->key, f->data, f->n);
	case JOURNAL_TOLD_REMOVE:
		return journal_remove(r->journal, f->key);
	case JOURNAL_TOLD_TURN:
		return turn(r);
	case JOURNAL_TOLD_TRIM:
		return trim(r);
	default:
		beat(r, f->key == 1);
		return 0;
	}
}

/* What was read so far. */
static int apply_all(struct receiver *r)
{
	struct stream_frame f;
	int rc, done;

	do {
		rc = stream_next(r->stream, &f, r->e);
		if (rc >= 0 && !r->journal && stream_greeted(r->stream) && (done = open_journal(r)) < 0)
			return done;
		if (rc == 1 && (done = apply(r, &f)) < 0)
			return cannot_write(r, done);
	} while (rc == 1);
	if (r->journal && (done = journal_flush(r->journal)) < 0)
		return cannot_write(r, done);
	return rc;
}

static int ended(struct receiver *r)
{
	return err_set(r->e, EPIPE,
		"the stream %s: the active machine, the way to it or its srtpgw-standby send is gone",
		!stream_greeted(r->stream) ? "never began"
		: stream_whole(r->stream)  ? "ended"
					   : "was torn");
}

/* 1: something was read; 0: nothing yet. -ECANCELED: it is to end. */
static int read_some(struct receiver *r)
{
	struct pollfd fds[] = {
		{.fd = r->conf->in, .events = POLLIN}, {.fd = r->conf->term, .events = POLLIN}};
	size_t room;
	void *at = stream_room(r->stream, &room);
	ssize_t n;

	if (poll(fds, 2, STATUS_MS) < 0 && errno != EINTR)
		return err_set(r->e, errno, "poll: %s", strerror(errno));
	if (fds[1].revents)
		return -ECANCELED;
	if (!fds[0].revents)
		return 0;
	n = read(r->conf->in, at, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return ended(r);
	stream_filled(r->stream, (size_t)n);
	return 1;
}

static int run(struct receiver *r)
{
	uint64_t heard = clock_mono_ns();
	int rc;

	do {
		rc = read_some(r);
		if (rc == 1) {
			heard = clock_mono_ns();
			rc = apply_all(r);
		} else if (rc == 0 && clock_mono_ns() - heard >= r->conf->silence_s * NS_PER_S) {
			rc = err_set(r->e, ETIMEDOUT, "nothing came from the active machine for %u s",
				r->conf->silence_s);
		}
	} while (rc >= 0);
	return rc == -ECANCELED ? 0 : rc;
}

int standby_receive(const struct receive_conf *conf, struct err *e)
{
	struct receiver r = {.conf = conf, .e = e};
	int rc = stream_new(conf->records, &r.stream);

	if (rc < 0)
		return err_set(e, ENOMEM, "out of memory");
	rc = run(&r);
	if (rc == -EPROTONOSUPPORT)
		status_refused(conf->recovery, e->text);
	if (r.journal && journal_flush(r.journal) < 0 && rc == 0)
		rc = cannot_write(&r, -EIO);
	status_free(r.file);
	journal_free(r.journal);
	stream_free(r.stream);
	return rc;
}
