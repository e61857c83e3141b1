/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_remote.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/msg/framing.h"

#define ANSWER_MS 20000

struct remote {
	struct framing *framing;
	uint64_t seq;
};

/* Waits for a message of that type; -ETIMEDOUT, or what the connection says. */
static int await(struct remote *r, enum dp_type type, union dp_msg *m)
{
	struct pollfd p = {.fd = framing_fd(r->framing), .events = POLLIN};
	const char *why;
	int rc;

	do {
		rc = framing_recv(r->framing, m, &why);
		if (rc == 0 && poll(&p, 1, ANSWER_MS) == 0)
			return -ETIMEDOUT;
	} while (rc == 0 || (rc == 1 && m->h.type != type));
	return rc < 0 ? rc : 0;
}

int remote_command(void *user, union dp_msg *m)
{
	struct remote *r = user;
	int rc;

	m->h.seq = ++r->seq;
	rc = framing_send(r->framing, m);
	rc = rc < 0 ? rc : await(r, DP_ACK, m);
	return rc < 0 ? rc : m->ack.result;
}

int remote_stats(void *user, struct dp_stats_global *out)
{
	struct remote *r = user;
	union dp_msg m;
	int rc;

	dp_msg_init(&m, DP_STATS, ++r->seq);
	m.stats.scope = DP_STATS_SCOPE_GLOBAL;
	rc = framing_send(r->framing, &m);
	rc = rc < 0 ? rc : await(r, DP_STATS_GLOBAL, &m);
	if (rc < 0)
		return rc;
	*out = m.stats_global;
	rc = await(r, DP_ACK, &m);
	return rc < 0 ? rc : m.ack.result;
}

static int greet(struct remote *r)
{
	union dp_msg m;
	int rc;

	dp_msg_init(&m, DP_HELLO, ++r->seq);
	m.hello.instance = (uint64_t)getpid();
	rc = framing_send(r->framing, &m);
	return rc < 0 ? rc : await(r, DP_WELCOME, &m);
}

int remote_open(const char *socket, struct remote **out, struct err *err)
{
	struct remote *r = calloc(1, sizeof(*r));
	int fd = -1, rc = r ? framing_connect(socket, &fd, err) : err_set(err, ENOMEM, "no memory");

	if (rc < 0) {
		free(r);
		return rc;
	}
	rc = framing_open(fd, 0, &r->framing);
	if (rc < 0)
		close(fd);
	else
		rc = greet(r);
	if (rc < 0) {
		remote_close(r);
		return err_set(err, -rc, "%s: no welcome: %s", socket, strerror(-rc));
	}
	*out = r;
	return 0;
}

void remote_close(struct remote *r)
{
	if (r && r->framing)
		framing_close(r->framing);
	free(r);
}
