/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/mailbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "dataplane/ice_lite.h"
#include "dataplane/punt.h"
#include "dataplane/worker_private.h"
#include "lib/base/secret.h"

#define APPLY_BURST 16 /* commands per iteration: a key takes about a microsecond to expand */

static struct rte_ring *ring_new(const char *what, uint32_t index, uint32_t n)
{
	static uint32_t generation; /* rings' names are unique in a process; main thread only */
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s_%u_%u", what, index, generation++);
	return rte_ring_create(name, n, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int mailbox_open(struct mailbox *m, uint32_t index, struct idle *worker, struct err *err)
{
	memset(m, 0, sizeof *m);
	m->worker = worker;
	m->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	m->commands = ring_new("commands", index, MAILBOX_COMMANDS);
	m->done = ring_new("done", index, MAILBOX_COMMANDS);
	m->idle = ring_new("idle", index, MAILBOX_COMMANDS);
	m->events = ring_new("events", index, MAILBOX_EVENTS);
	m->event_idle = ring_new("event_idle", index, MAILBOX_EVENTS);
	m->command_memory = rte_zmalloc("commands", MAILBOX_COMMANDS * sizeof(struct command), 64);
	m->event_memory = rte_zmalloc("events", MAILBOX_EVENTS * sizeof(union dp_msg), 64);
	if (m->wake < 0 || !m->commands || !m->done || !m->idle || !m->events || !m->event_idle ||
		!m->command_memory || !m->event_memory) {
		mailbox_close(m);
		return err_set(err, ENOMEM, "no memory for the mailbox of worker %u", index);
	}
	for (unsigned i = 0; i < MAILBOX_COMMANDS - 1; i++)
		rte_ring_enqueue(m->idle, &m->command_memory[i]);
	for (unsigned i = 0; i < MAILBOX_EVENTS - 1; i++)
		rte_ring_enqueue(m->event_idle, &m->event_memory[i]);
	return 0;
}

void mailbox_close(struct mailbox *m)
{
	rte_ring_free(m->commands);
	rte_ring_free(m->done);
	rte_ring_free(m->idle);
	rte_ring_free(m->events);
	rte_ring_free(m->event_idle);
	if (m->command_memory)
		mem_wipe(m->command_memory, MAILBOX_COMMANDS * sizeof(struct command));
	rte_free(m->command_memory);
	rte_free(m->event_memory);
	if (m->wake >= 0)
		close(m->wake);
	memset(m, 0, sizeof *m);
	m->wake = -1;
}

struct command *mailbox_take(struct mailbox *m)
{
	void *c;

	if (rte_ring_dequeue(m->idle, &c) < 0)
		return NULL;
	memset(c, 0, offsetof(struct command, session_add));
	return c;
}

void mailbox_put(struct mailbox *m, struct command *c)
{
	rte_ring_enqueue(m->idle, c);
}

int mailbox_send(struct mailbox *m, struct command *c)
{
	int rc = rte_ring_enqueue(m->commands, c);

	idle_wake(m->worker, IDLE_NAP);
	return rc;
}

static int apply(struct worker *w, struct command *c)
{
	switch ((enum dp_type)c->type) {
	case DP_SESSION_ADD:
		return session_add(w, c);
	case DP_LEG_UPDATE:
		return session_leg_update(w, c);
	case DP_KEY_ADD:
		return session_key_add(w, c);
	case DP_KEY_RETIRE:
		return session_key_retire(w, c);
	case DP_SESSION_DEL:
		return session_del(w, c);
	case DP_STATS:
		return session_stats(w, c);
	case DP_PUNT_TX:
		return punt_send(w, c);
	case DP_LEG_ICE:
		return ice_leg(w, c);
	case DP_CONFIGURE:
		w->trial_per_second = c->configure.trial_per_second;
		w->media_timeout_s = c->configure.media_timeout_s;
		return 0;
	default:
		return -ENOTSUP;
	}
}

void mailbox_apply(struct worker *w)
{
	void *taken[APPLY_BURST];
	unsigned n = rte_ring_dequeue_burst(w->mailbox.commands, taken, APPLY_BURST, NULL);

	for (unsigned i = 0; i < n; i++) {
		struct command *c = taken[i];

		c->result = apply(w, c);
		if (c->type == DP_KEY_ADD)
			mem_wipe(&c->key_add, sizeof c->key_add);
		else if (c->type == DP_LEG_ICE)
			mem_wipe(&c->leg_ice, sizeof c->leg_ice);
		/* Cannot be full: it has room for every command there is. */
		rte_ring_enqueue(w->mailbox.done, c);
		w->reported = true;
	}
}

union dp_msg *mailbox_event(struct mailbox *m)
{
	void *event;

	return rte_ring_dequeue(m->event_idle, &event) < 0 ? NULL : event;
}

void mailbox_event_send(struct mailbox *m, union dp_msg *event)
{
	rte_ring_enqueue(m->events, event);
}

void mailbox_wake(struct mailbox *m)
{
	uint64_t one = 1;

	/* Only a counter at its limit refuses, and then the main thread is awake already. */
	(void)!write(m->wake, &one, sizeof one);
}
