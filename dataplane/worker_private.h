/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's inside, for its stages and for tests that look at state. */
#pragma once

#include <stdatomic.h>

#include <rte_ring.h>

#include "dataplane/batch.h"
#include "dataplane/control/mailbox.h"
#include "dataplane/hold.h"
#include "dataplane/idle.h"
#include "dataplane/session/key_slots.h"
#include "dataplane/session/session.h"
#include "dataplane/session/slab.h"
#include "dataplane/stats.h"
#include "dataplane/worker.h"
#include "lib/base/siphash.h"

#define HANDOVER_RING 4096
#define TICK_NS (10 * NS_PER_MS)
#define BATCHES 16 /* of an iteration, at most */
#define TX_TRIES 2 /* a port's full queue gets one more chance, then the packets are dropped and counted */

/* Jobs of the batch under way, those first that the backend has: crypto_run.h. */
struct crypto_round {
	uint16_t n, submitted;
	struct crypto_job *jobs[BATCH_MAX];
};

struct worker {
	uint32_t index;
	uint64_t now;       /* ns, of this iteration */
	uint64_t now_ticks; /* the same in 2^-32 s, as NTP counts, for source_arrival() */
	uint32_t now_ms;
	struct leg_table *table;
	struct pages leg_pages; /* worker_leg() */
	struct pages far_pages; /* of each place the struct leg_far with its block, far_octets */
	size_t far_octets;
	struct slab large, retired;  /* leg_memory.h */
	uint32_t legs_max, legs_top; /* legs_top: places ever used */
	struct session *sessions;
	uint32_t sessions_max;
	const struct crypto_backend *backend;
	struct crypto_queue *crypto;
	uint32_t at_once; /* crypto_backend.at_once() of it */
	struct neighbour *neighbour;
	uint32_t hops;               /* version of the next hops in this iteration */
	uint16_t n_ports, port_next; /* port_next: whose turn it is */
	struct port *const *ports;
	struct rte_mempool *pool;
	uint32_t trial_per_second, media_timeout_s;
	uint64_t ssrc_seed;

	struct batch batches[3]; /* one is worked on while what the others need is fetched */
	struct crypto_round round;
	struct leg *due[BATCH_MAX]; /* legs with something due: that a packet of the batch arrived on */
	uint16_t n_due;
	struct hold hold;
	struct mailbox mailbox;
	bool alarm_reported; /* the crypto device is known to be out of use */
	uint64_t alarm_times;
	bool reported;             /* something for the main thread in this iteration */
	_Atomic bool failed;       /* the backend lost jobs: no key can be trusted any more */
	STAILQ_HEAD(, leg) events; /* legs with events to report */
	struct worker_stats stats;

	uint32_t n_leg_free;
	uint32_t *leg_pairs, n_leg_pairs; /* stack of pairs of places that are free */
	TAILQ_HEAD(, leg) leg_halves;     /* free places beside legs that are used */
	uint32_t near_slots;    /* the backend's lowest: of them each leg has two, in struct leg; 0: none */
	uint32_t near_suites;   /* bit 1 << enum srtp_suite: whose keys lie there */
	struct key_slots slots; /* of the others, free ones */
	TAILQ_HEAD(, leg) overlaps; /* legs with a PREVIOUS key, the longest had first */
	uint64_t tick_at;
	uint32_t tick_leg; /* where the slow walk over the legs goes on */
	struct idle idle;
	struct rte_ring *handover; /* others -> this worker */
	struct worker *const *all; /* every worker, this one too */
	uint32_t n_all;
	struct siphash_key names; /* of what sources call themselves: rtcp_describe.h */
	_Atomic bool stop;        /* written by worker_stop() */
};

/* The leg in place i, and a leg's place. */
static inline struct leg *worker_leg(const struct worker *w, uint32_t i)
{
	return (struct leg *)(void *)w->leg_pages.base + i;
}

static inline uint32_t worker_leg_place(const struct worker *w, const struct leg *leg)
{
	return (uint32_t)(leg - worker_leg(w, 0));
}

/* The slot whose key lies beside what its packets read, of what the leg receives, of what it sends; or
 * SLOT_NONE. */
static inline uint32_t leg_near_rx(const struct worker *w, const struct leg *leg)
{
	return w->near_slots ? worker_leg_place(w, leg) * 2 : SLOT_NONE;
}

static inline uint32_t leg_near_tx(const struct worker *w, const struct leg *leg)
{
	return w->near_slots ? worker_leg_place(w, leg_beside(leg)) * 2 + 1 : SLOT_NONE;
}

/* To be done once all packets of the batch are opened. */
static inline void leg_due(struct worker *w, struct leg *leg, enum leg_due what)
{
	if (!leg->due)
		w->due[w->n_due++] = leg;
	leg->due |= (uint8_t)what;
}

/* Counts and frees. leg may be NULL. */
void worker_drop(struct worker *w, struct leg *in, struct rte_mbuf *m, enum dp_verdict v);
/* The same of a packet, which was not sent then, if it was to be. */
void packet_drop(struct worker *w, struct packet *p, enum dp_verdict v);
/* To its owner's ring: PACKET_TAKEN, or the verdict. */
int worker_hand_over(struct worker *w, struct packet *p, uint32_t owner);
/* Hands one complete frame to its port, outside a batch. */
void worker_send_one(struct worker *w, struct packet *p);
