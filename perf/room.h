/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane in this process with nothing around it: one worker, one port whose wire is two rings. Frames
 * are put in, the worker is stepped, frames are taken out; commands go through control.h as the server would
 * pass them.
 */
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/control.h"
#include "dataplane/worker.h"
#include "lib/base/err.h"

#define ROOM_RING 2048

struct room {
	struct worker *worker;
	struct port *port;
	struct rte_mempool *pool;
	struct rte_ring *rx, *tx;
	struct neighbour *neighbour;
	struct leg_table *table;
	struct control *control;
	uint64_t seq;   /* of the last command */
	uint64_t acked; /* of the last DP_ACK */
	int32_t ack_result;
	char ack_reason[96];
	struct dp_stats_global stats; /* the last that were asked for */
};

/* After eal_start(). sessions: of two legs each. On failure nothing is left open. */
int room_open(struct room *r, uint32_t sessions, struct err *err);
void room_close(struct room *r);

/* A command and its answer: what the DP_ACK says, -ETIMEDOUT when none comes. Wipes m. user is the room. */
int room_command(void *user, union dp_msg *m);

/* The gateway's own counters, as a control plane hears them. As room_command(). */
int room_stats(struct room *r, struct dp_stats_global *out);

/* What a turn of the worker took, nanoseconds. */
struct room_time {
	uint64_t cpu; /* of this thread: what others do with the core meanwhile does not count */
	uint64_t wall;
};

/* Of the processor's time, what this thread has had. */
uint64_t room_cpu_ns(void);

/*
 * Puts n frames on the wire and lets the worker run until it has taken them all. out: the frames that it
 * sent, at most n of them; returns how many. Adds the worker's time to *took.
 */
unsigned room_relay(
	struct room *r, struct rte_mbuf **frames, unsigned n, struct rte_mbuf **out, struct room_time *took);
