/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/standby/send.h"
#include "controlplane/standby/status.h"
#include "controlplane/standby/stream.h"
#include "lib/base/clock.h"

#define LOOK_MS 20 /* as often as the control plane writes */
#define BEAT_MS 1000
/* Segments that were removed stay in memory while they are being sent: not for somebody who reads nothing. */
#define TAKES_MS 30000
#define BUFFER (2 * STREAM_FRAME_MAX)

struct sender {
	const struct send_conf *conf;
	struct stream_crc *crc;
	struct wbuf w;
	uint8_t buffer[BUFFER];
};

/* -ECANCELED: it is to end. */
static int wait_for(struct sender *s, short events, int ms)
{
	struct pollfd fds[] = {
		{.fd = s->conf->out, .events = events}, {.fd = s->conf->term, .events = POLLIN}};
	int n = poll(fds, 2, ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		return -ECANCELED;
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		return -EPIPE;
	return n;
}

static int flush(struct sender *s)
{
	size_t done = 0;
	int rc = 0;

	while (rc >= 0 && done < s->w.len) {
		ssize_t n = write(s->conf->out, s->buffer + done, s->w.len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			rc = wait_for(s, POLLOUT, TAKES_MS) ?: -ETIMEDOUT;
		else if (n < 0 && errno != EINTR)
			rc = -errno;
	}
	s->w = wbuf_make(s->buffer, sizeof s->buffer);
	return rc < 0 ? rc : 0;
}

static int put(void *arg, unsigned kind, uint64_t key, const void *data, size_t n)
{
	struct sender *s = arg;
	int rc = s->w.cap - s->w.len < STREAM_FRAME_MAX ? flush(s) : 0;

	if (rc == 0)
		stream_write(s->crc, &s->w,
			&(struct stream_frame){.kind = kind, .key = key, .data = data, .n = n});
	return rc;
}

static int told(void *arg, enum journal_told what, uint64_t key, const void *data, size_t n)
{
	return put(arg, what, key, data, n);
}

static int run(struct sender *s, struct journal_follow *f)
{
	uint64_t beat_ns = 0;
	int rc;

	stream_write_hello(&s->w, s->conf->records);
	do {
		uint64_t now = clock_mono_ns();
		int stands = journal_follow_poll(f, told, s);

		rc = stands < 0 ? stands : 0;
		if (rc == 0 && (!beat_ns || now - beat_ns >= BEAT_MS * NS_PER_MS)) {
			beat_ns = now;
			rc = status_received(s->conf->recovery) ? -EBUSY
								: put(s, STREAM_BEAT, stands == 1, NULL, 0);
		}
		if (rc == 0)
			rc = flush(s);
		if (rc == 0)
			rc = wait_for(s, 0, LOOK_MS);
	} while (rc >= 0);
	return rc;
}

static int explain(const struct send_conf *conf, int rc, struct err *e)
{
	switch (-rc) {
	case ECANCELED:
		return 0;
	case EPIPE:
		return err_set(e, EPIPE, "the standby is gone");
	case ETIMEDOUT:
		return err_set(e, ETIMEDOUT, "the standby has taken nothing for %u s", TAKES_MS / 1000);
	case EBUSY:
		return err_set(e, EBUSY, "%s is a standby's itself: srtpgw-standby receive writes there",
			conf->recovery);
	case EPROTO:
		return err_set(e, EPROTO, "%s has a journal of another version", conf->recovery);
	default:
		return err_set(e, -rc, "%s: %s", conf->recovery, strerror(-rc));
	}
}

int standby_send(const struct send_conf *conf, struct err *e)
{
	struct sender *s = calloc(1, sizeof *s);
	struct journal_follow *f = NULL;
	int flags = fcntl(conf->out, F_GETFL), rc = -ENOMEM;

	if (s) {
		s->conf = conf;
		s->w = wbuf_make(s->buffer, sizeof s->buffer);
		rc = stream_crc_new(&s->crc);
	}
	if (rc == 0)
		rc = journal_follow_new(conf->recovery, &f);
	if (rc == 0 && (flags < 0 || fcntl(conf->out, F_SETFL, flags | O_NONBLOCK) < 0))
		rc = -errno;
	if (rc == 0)
		rc = run(s, f);
	rc = explain(conf, rc, e);
	journal_follow_free(f);
	if (s)
		free(s->crc);
	free(s);
	return rc;
}
