/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the main thread and one worker: fixed-size commands one way, the same commands back with their
 * results, and events. Rings of pointers to preallocated memory; no locks, and no call that waits.
 *
 *   commands   main -> worker      taken from `idle` by the main thread
 *   done       worker -> main      with result; returned to `idle`, keys wiped by the worker
 *   events     worker -> main      taken from event_idle by the worker
 *   event_idle main -> worker
 *
 * Events that do not fit wait as bits in their leg (event.h), so a slow reader loses none and memory is
 * bounded.
 */
#pragma once

#include <stdint.h>

#include <rte_ring.h>

#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"
#include "lib/srtp/kdf.h"

#define MAILBOX_COMMANDS 2048 /* under way at once, per worker; less one, as rings hold */
#define MAILBOX_EVENTS 1024

struct idle;
struct worker;

/* One command. The first members of each variant are the message that it came in. */
struct command {
	uint16_t type; /* enum dp_type of the command */
	uint8_t leg;   /* DP_STATS: begin here; on return: the leg described, DP_LEGS_MAX at the end */
	uint8_t pad;
	uint32_t connection; /* the main thread's number of the connection that asked */
	uint64_t seq;
	dp_session_id session;
	int result;
	char reason[96];
	/* Memory that changes hands: LEG_UPDATE and LEG_ICE bring it (NULL on return: kept), DP_SESSION_DEL returns
	 * it: the legs', then that of their ICE.
	 */
	void *memory[2 * DP_LEGS_MAX];
	union {
		struct dp_session_add session_add;
		struct dp_leg_update leg_update;
		struct {
			struct dp_key_add conf; /* the master key is wiped already */
			struct srtp_session_keys keys;
		} key_add;
		struct dp_key_retire key_retire;
		struct dp_leg_ice leg_ice;
		union dp_msg reply; /* DP_STATS: a DP_STATS_LEG on return */
		struct dp_punt punt;
		struct {
			uint32_t trial_per_second, media_timeout_s;
		} configure;
	};
};

struct mailbox {
	struct rte_ring *commands, *done, *events, *event_idle;
	struct rte_ring *idle; /* main thread's own */
	struct command *command_memory;
	union dp_msg *event_memory;
	int wake; /* eventfd: the worker has written something; the main thread polls it */
	struct idle *worker; /* the other way: what wakes the worker */
};

/* index makes the rings' names unique; worker outlives the mailbox. -ENOMEM, -EIO. */
int mailbox_open(struct mailbox *m, uint32_t index, struct idle *worker, struct err *err);
void mailbox_close(struct mailbox *m);

/* Main thread: a command to fill, or NULL when all are under way. Zeroed but for `octets` of its union. */
struct command *mailbox_take(struct mailbox *m);
void mailbox_put(struct mailbox *m, struct command *c); /* back, unused */
int mailbox_send(struct mailbox *m, struct command *c); /* -ENOBUFS */

/* Worker: applies what has come, bounded per call, and answers. */
void mailbox_apply(struct worker *w);
/* Worker: memory for an event, or NULL; then hands it over. */
union dp_msg *mailbox_event(struct mailbox *m);
void mailbox_event_send(struct mailbox *m, union dp_msg *event);
/* Worker, at the end of an iteration that answered or reported: wakes the main thread. */
void mailbox_wake(struct mailbox *m);
