/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that wait a moment: for a key (RFC 3264 section 5.1: media under the new key may overtake the
 * answer that carries it), or for the link-layer address of their next hop. Both are bounded and end by time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "dataplane/dp_clock.h"

#define HOLD_PACKETS 1024 /* per worker, both kinds together */
#define HOLD_KEYS 512     /* of them for keys at most, and as many for next hops: neither starves the other */
#define HOLD_PER_LEG 32   /* waiting for a key: a picture's packets beside its sound */
#define HOLD_HOP_PER_LEG 32           /* waiting for the next hop */
#define HOLD_NS (200 * NS_PER_MS)     /* for a key */
#define HOLD_HOP_NS (500 * NS_PER_MS) /* for the next hop */

struct worker;
struct leg;
struct packet;
struct rte_mbuf;

struct held {
	TAILQ_ENTRY(held) in_leg; /* waiting for a key */
	TAILQ_ENTRY(held) in_all;
	struct rte_mbuf *m;
	struct leg *in, *out; /* out: waiting for the next hop of this leg */
	uint8_t kind; /* enum packet_kind */
	uint16_t payload, clear_len; /* octets of UDP payload, and in the clear */
	uint64_t until;              /* ns */
};

TAILQ_HEAD(held_list, held);

struct hold {
	struct held memory[HOLD_PACKETS];
	struct held_list free, keys, hops;
	uint32_t hops_waiting, keys_waiting;
	struct {
		struct rte_mbuf *m;
		uint64_t until;
	} again[HOLD_PACKETS]; /* to be handled once more by the next iterations, in order */
	uint32_t again_from, again_n;
};

void hold_open(struct hold *h);
void hold_close(struct worker *w); /* frees all that waits */

/*
 * Keeps a packet that no key opens: PACKET_TAKEN, or the verdict when it may not wait (any more). A leg that
 * holds its share lets the oldest go, as time would: what is heard in the end has a late beginning and no gap.
 */
int hold_for_key(struct worker *w, struct packet *p, int verdict);
/* A key came: what waits on the leg is tried again. */
void hold_retry(struct worker *w, struct leg *leg);

/* Keeps a packet that is complete but for its link-layer header. */
int hold_for_hop(struct worker *w, struct packet *p);
/* A packet of this leg is about to go: what waits for a next hop that is known meanwhile goes before it, for a peer's
 * jitter buffer takes a packet that was overtaken for one that is too late. */
void hold_hop_known(struct worker *w, struct leg *out);

/* What has waited too long goes; what knows its next hop now is sent. Called every tick. */
void hold_tick(struct worker *w);
/* A leg goes away. */
void hold_forget(struct worker *w, struct leg *leg);
/* A leg sends elsewhere or otherwise from now on: what waits for its old next hop is dropped. */
void hold_forget_hops(struct worker *w, struct leg *out);
