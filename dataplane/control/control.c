/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "dataplane/control/control_private.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

static int emit(struct control *c, union dp_msg *m)
{
	return c->listening ? c->conf.out(c->conf.user, m) : 0;
}

int control_emit(struct control *c, union dp_msg *m)
{
	/* Order is kept: behind what waits, everything waits. */
	if (c->n_waiting == CONTROL_WAITING)
		return -ENOBUFS;
	if (c->n_waiting || emit(c, m) < 0)
		c->waiting[(c->first_waiting + c->n_waiting++) % CONTROL_WAITING] = *m;
	return 0;
}

void control_ack(struct control *c, uint32_t connection, const struct control_answer *a)
{
	union dp_msg m;

	if (connection != c->connection)
		return;
	dp_msg_init(&m, DP_ACK, a->seq);
	m.ack.result = a->result;
	m.ack.of_type = a->type;
	m.ack.session = a->session;
	if (a->result < 0 && a->reason)
		snprintf(m.ack.reason, sizeof m.ack.reason, "%s",
			a->reason[0] ? a->reason : strerror(-a->result));
	if (a->result < 0)
		log_debug("control", "command refused", LZ("type", dp_type_name((enum dp_type)a->type)),
			LU("session", a->session), LI("result", a->result), LZ("reason", m.ack.reason));
	control_emit(c, &m);
}

int control_open(const struct control_conf *conf, struct control **out, struct err *err)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c || directory_open(&c->directory, conf->sessions) < 0) {
		free(c);
		return err_set(err, ENOMEM, "no memory for a directory of %u sessions", conf->sessions);
	}
	c->conf = *conf;
	c->listening = true;
	if (secret_random(&c->instance, sizeof(uint64_t)) < 0) {
		control_close(c);
		return err_set(err, EIO, "no random numbers");
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->conf.n_workers; i++) {
		struct mailbox *m = worker_mailbox(c->conf.workers[i]);
		void *command;

		/* Legs' memory that is on its way between the threads belongs to nobody else. */
		while (rte_ring_dequeue(m->commands, &command) == 0 ||
			rte_ring_dequeue(m->done, &command) == 0)
			control_free_memory(command);
	}
	directory_close(&c->directory);
	mem_wipe(c, sizeof *c);
	free(c);
}

void control_connection(struct control *c, bool listening)
{
	c->connection++;
	c->listening = listening;
	c->n_waiting = 0;
	c->pages = 0;
	control_alarms_untold(c);
}

bool control_ready(const struct control *c)
{
	if (c->n_waiting)
		return false;
	for (uint32_t i = 0; i < c->conf.n_workers; i++)
		if (rte_ring_empty(worker_mailbox(c->conf.workers[i])->idle))
			return false;
	return true;
}

uint32_t control_sessions(const struct control *c)
{
	return c->directory.used;
}

void control_sum(const struct control *c, struct dp_stats_global *sum)
{
	for (uint32_t i = 0; i < c->conf.n_workers; i++)
		stats_sum(sum, worker_stats(c->conf.workers[i]));
}

static bool flush_waiting(struct control *c)
{
	for (; c->n_waiting; c->n_waiting--) {
		if (emit(c, &c->waiting[c->first_waiting]) < 0)
			return false;
		c->first_waiting = (c->first_waiting + 1) % CONTROL_WAITING;
	}
	return true;
}

static unsigned poll_done(struct control *c, struct mailbox *m)
{
	unsigned n = 0;
	void *command;

	/* An answer makes two messages at most: a page of figures or DP_DELETED, and the acknowledgement. */
	while (CONTROL_WAITING - c->n_waiting >= 2 && rte_ring_dequeue(m->done, &command) == 0) {
		control_done(c, m, command);
		n++;
	}
	return n;
}

static unsigned poll_events(struct control *c, struct mailbox *m)
{
	unsigned n = 0;
	union dp_msg *event;

	/* Nobody listens: events stay in the ring, then in their legs. */
	while (c->listening && !c->n_waiting && rte_ring_dequeue(m->events, (void **)&event) == 0) {
		if (event->h.type == DP_ALARM)
			control_alarm_note(c, &event->alarm);
		else
			control_emit(c, event);
		rte_ring_enqueue(m->event_idle, event);
		n++;
	}
	return n;
}

unsigned control_poll(struct control *c)
{
	unsigned n = 0;

	if (!flush_waiting(c))
		return 0;
	for (uint32_t i = 0; i < c->conf.n_workers; i++) {
		struct mailbox *m = worker_mailbox(c->conf.workers[i]);

		n += poll_done(c, m);
		n += poll_events(c, m);
	}
	control_alarms_tell(c);
	return n;
}
