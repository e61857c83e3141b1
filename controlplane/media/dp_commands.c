/* SPDX-License-Identifier: Apache-2.0 */
/* Outstanding commands: sent, answered, timed out, cancelled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/media/dp_private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct dp_command *dp_outstanding(struct dp_client *c, uint64_t seq)
{
	struct dp_command *k = &c->commands[seq & c->queue_mask];

	return seq && k->seq == seq ? k : NULL;
}

/* Twice as many places, each outstanding command at its own in the new ring. -ENOBUFS: as many as there may
 * be. */
static int grow(struct dp_client *c)
{
	uint32_t n = 2 * (c->queue_mask + 1);
	struct dp_command *bigger = n <= c->queue_max ? calloc(n, sizeof *bigger) : NULL;

	if (!bigger)
		return -ENOBUFS;
	for (uint32_t i = 0; i <= c->queue_mask; i++)
		if (c->commands[i].seq)
			bigger[c->commands[i].seq & (n - 1)] = c->commands[i];
	free(c->commands);
	c->commands = bigger;
	c->queue_mask = n - 1;
	return 0;
}

static bool has_place(struct dp_client *c)
{
	return !c->commands[(c->seq + 1) & c->queue_mask].seq || grow(c) == 0;
}

int dp_submit(struct dp_client *c, union dp_msg *m, const struct dp_command *what)
{
	struct dp_command *k;
	int rc;

	if (c->stage == DP_DOWN || c->failed) {
		rc = -EAGAIN;
		goto out;
	}
	if (!has_place(c)) {
		c->counters.queue_full++;
		rc = -ENOBUFS;
		goto out;
	}
	m->h.seq = c->seq + 1;
	rc = framing_send(c->framing, m);
	if (rc == -ENOBUFS)
		c->counters.queue_full++;
	else if (rc < 0 && rc != -EINVAL && rc != -ENOMEM)
		dp_fail(c, "the data plane closed the connection");
	if (rc < 0)
		goto out;
	k = &c->commands[(c->seq + 1) & c->queue_mask];
	*k = *what;
	k->seq = ++c->seq;
	k->sent_ns = clock_mono_ns();
	if (!c->n_outstanding++) {
		c->tail = k->seq;
		dp_arm_timer(c);
	}
	c->counters.commands++;
	if (framing_wants_write(c->framing))
		event_add(c->writable, NULL);
	return 0;
out:
	dp_msg_wipe(m);
	return rc;
}

/* A session that was never added has no DP_DELETED to wait for; any other failure is settled by a new
 * listing. */
static void delete_finished(struct dp_client *c, dp_session_id id, int result)
{
	if (result == -ENOENT)
		dp_place_free(c, id);
	else if (result < 0 && result != -ENOTCONN && result != -ECANCELED)
		dp_fail(c, "the data plane did not delete a session");
}

/* Frees the place first: the callback may send the next command. */
static void finish(struct dp_client *c, struct dp_command *k, int result, const char *reason)
{
	struct dp_command was = *k;
	const struct session_place *p;

	*k = (struct dp_command){0};
	c->n_outstanding--;
	while (c->n_outstanding && !dp_outstanding(c, c->tail))
		c->tail++;
	if (was.deletes)
		delete_finished(c, was.session, result);
	if (!was.done)
		return;
	p = was.session ? session_ids_find(&c->ids, was.session) : NULL;
	if (!was.session || (p && p->state == SESSION_OPEN))
		was.done(was.arg, result, reason);
}

void dp_acked(struct dp_client *c, const struct dp_ack *a)
{
	struct dp_command *k = dp_outstanding(c, a->h.seq);

	if (!k) {
		c->counters.stray++;
		return;
	}
	c->acked_ns = clock_mono_ns();
	if (a->result == -ENOENT && k->deletes) {
		c->counters.acks++;
	} else if (a->result < 0) {
		c->counters.nacks++;
		log_warn("dp_client", "the data plane refused a command",
			LZ("type", dp_type_name((enum dp_type)a->of_type)), LU("session", a->session),
			LI("result", a->result), LZ("reason", a->reason));
	} else {
		c->counters.acks++;
	}
	finish(c, k, a->result, a->reason);
}

static uint64_t deadline(const struct dp_client *c, const struct dp_command *k)
{
	return dp_deadline(k->sent_ns, c->acked_ns, c->ack_timeout_ms * NS_PER_MS);
}

void dp_arm_timer(struct dp_client *c)
{
	const struct dp_command *k = c->n_outstanding ? dp_outstanding(c, c->tail) : NULL;
	uint64_t now = clock_mono_ns();

	if (!k || c->stage == DP_DOWN)
		return;
	uint64_t at = deadline(c, k), left = at > now ? at - now : 0;
	const struct timeval tv = {
		.tv_sec = (time_t)(left / NS_PER_S), .tv_usec = (suseconds_t)(left % NS_PER_S / 1000 + 1)};

	event_add(c->timer, &tv);
}

void dp_expire(struct dp_client *c, uint64_t now_ns)
{
	while (c->n_outstanding) {
		struct dp_command *k = dp_outstanding(c, c->tail);

		if (deadline(c, k) > now_ns)
			break;
		c->counters.timeouts++;
		finish(c, k, -ETIMEDOUT, "the data plane does not answer");
	}
	dp_arm_timer(c);
}

void dp_cancel_all(struct dp_client *c, int result, const char *why)
{
	while (c->n_outstanding)
		finish(c, dp_outstanding(c, c->tail), result, why);
}

/* The session whose command this is; 0 for commands without one. */
static dp_session_id session_of(const union dp_msg *m)
{
	switch ((enum dp_type)m->h.type) {
	case DP_SESSION_ADD:
	case DP_LEG_UPDATE:
	case DP_KEY_ADD:
	case DP_KEY_RETIRE:
	case DP_SESSION_DEL:
	case DP_PUNT_TX:
	case DP_LEG_ICE:
		return m->session_add.session; /* first behind the header in each of them */
	case DP_STATS:
		return m->stats.scope == DP_STATS_SCOPE_SESSION ? m->stats.session : 0;
	default:
		return 0;
	}
}

int dp_client_send(struct dp_client *c, union dp_msg *m, dp_client_done done, void *arg)
{
	struct dp_command k = {.session = session_of(m), .done = done, .arg = arg};

	if (c->stage != DP_READY) {
		dp_msg_wipe(m);
		return -EAGAIN;
	}
	return dp_submit(c, m, &k);
}

int dp_client_stats_session(struct dp_client *c, dp_session_id id,
	void (*leg)(void *arg, const struct dp_stats_leg *s), dp_client_done done, void *arg)
{
	/* No session: done is called even when the call is over by then. */
	struct dp_command k = {.done = done, .arg = arg, .leg = leg};
	union dp_msg m;

	if (c->stage != DP_READY)
		return -EAGAIN;
	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_SESSION;
	m.stats.session = id;
	return dp_submit(c, &m, &k);
}

int dp_client_stats_global(struct dp_client *c, void (*global)(void *arg, const struct dp_stats_global *s),
	void (*port)(void *arg, const struct dp_stats_port *s), dp_client_done done, void *arg)
{
	struct dp_command k = {.done = done, .arg = arg, .global = global, .port = port};
	union dp_msg m;

	if (c->stage != DP_READY)
		return -EAGAIN;
	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_GLOBAL;
	return dp_submit(c, &m, &k);
}
