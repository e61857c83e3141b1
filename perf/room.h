/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane in this process with nothing around it: a worker, or two, one port whose wire is rings.
 * Frames are put in, the worker is stepped, frames are taken out; commands go through control.h as the server
 * would pass them.
 */
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/control/control.h"
#include "dataplane/worker.h"
#include "lib/base/err.h"

#define ROOM_RING 2048
#define ROOM_WORKERS 2 /* at most */

struct room {
	unsigned n_workers;
	struct worker *workers[ROOM_WORKERS];
	struct port *port; /* with a queue for each worker */
	struct rte_mempool *pool;
	struct rte_ring *rxs[ROOM_WORKERS], *txs[ROOM_WORKERS];
	struct worker *worker; /* the first one, and its rings */
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
/* The same with several workers, sessions in all. */
int room_open_workers(struct room *r, unsigned workers, uint32_t sessions, struct err *err);
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
/* The same of one worker, in its own thread; answers to commands stay where they are. */
unsigned room_relay_at(struct room *r, unsigned worker, struct rte_mbuf **frames, unsigned n,
	struct rte_mbuf **out, struct room_time *took);
