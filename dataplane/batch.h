/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets that one iteration of a worker handles, and where each is on its way. A stage is a function
 * over one packet that says what becomes of it: PACKET_ON, PACKET_TAKEN (somebody else has the mbuf now), or
 * the verdict (enum dp_verdict) it is dropped with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/aside.h"
#include "dataplane/crypto/backend.h"
#include "lib/base/netaddr.h"
#include "lib/srtp/rtp_hdr.h"

/*
 * Frames: a burst of a port, and a good burst for every backend. With twice as many, the batches of packets,
 * frames and what is fetched for them are more than the first-level cache holds, and a packet costs some 5 %
 * more.
 */
#define BATCH_MAX 32

#define PACKET_ON (-1)
#define PACKET_TAKEN (-2)

enum packet_kind { PACKET_RTP, PACKET_RTCP, PACKET_DTLS, PACKET_STUN };

/* What srtp_rx found to open a packet with; at most each key with two indexes. */
#define PACKET_TRIES_MAX 6

struct departure;
struct leg;

struct packet {
	/* cleared when a packet enters the batch */
	struct rte_mbuf *m;
	struct leg *in;       /* where it arrived */
	struct departure *to; /* where it leaves; packet_out() */
	uint64_t held_until;  /* ns; 0: was not held for a key yet */
	uint64_t index;       /* RTP: 48 bits; RTCP: 31 */
	uint32_t ssrc;        /* RTP: of the header; RTCP: of the first packet */
	int16_t refused;      /* verdict when nothing opens it; of STUN that is answered: what it was */
	uint16_t clear_len;   /* octets of it in the clear, for the counters */
	uint8_t kind;         /* enum packet_kind */
	bool rtcp_port;       /* arrived at the leg's separate RTCP port */
	bool foreign;         /* not from the remote: learned from if it proves genuine */
	bool sealed;          /* in: not opened yet. out: leaves a secure leg protected */
	bool waits;           /* next hop not resolved yet */
	bool named;           /* out: leaves with the MID of its m-line */
	uint8_t stream;       /* of leg `in` */
	uint8_t tries;        /* srtp_rx and srtcp: keys and indexes gone through */
	bool fresh_try;       /* the same try was made again with a newer estimate */
	uint8_t key;          /* leg_rx() of the try under way */
	bool summed;          /* it came over IPv4 with a checksum of UDP's that is right; of RTP that leaves
			       * in the clear over IPv4 as prepared, the numbers alone are others since */
	uint8_t usual;        /* enum ip_family: leaves over it with what its leg has prepared: leaving.h */
	bool departs;         /* leg_tx_count() */
	bool next;            /* the next one of a source, under a key that leg_rx_is_near(): srtp_rx.c */
	uint16_t tx_port;     /* place of the port in the worker's table */

	/* written by classify_packet() */
	const _Atomic uint32_t *entry; /* of the leg table: whose it is */
	uint8_t *data;                 /* RTP or RTCP: the UDP payload */
	uint16_t len;    /* octets of it; without tag and MKI once opened, with them once sealed */
	uint16_t port;   /* where it arrived */
	uint16_t l3, l4; /* where the received headers begin */
	struct ip_port source;
	/* by the stages that come to know it */
	struct rtp_hdr rtp;
	uint8_t ether[14];
	uint8_t class; /* enum frame_class; classify_packet() */
	struct crypto_job job;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct packet) == 192 && offsetof(struct packet, entry) == 64,
	"a packet is three cache lines, of which the first is cleared");

struct batch {
	uint16_t n; /* packets still on their way */
	struct packet *live[BATCH_MAX];
	struct packet packets[BATCH_MAX];
};

struct worker;

typedef int (*packet_stage)(struct worker *w, struct packet *p);
/* Brings near what stages will read of a packet on its way; ends nothing. */
typedef void (*packet_fetch)(struct worker *w, const struct packet *p);

/* Takes frames from where they wait: packets held for a key, other workers, ports. How many. */
unsigned batch_fill(struct worker *w, struct batch *b);

/* Counts a packet's verdict (PACKET_TAKEN: nothing) and frees its mbuf. Its place is empty: batch_close_up().
 */
void batch_end(struct worker *w, struct batch *b, uint16_t place, int verdict);

/* Leaves no place empty. */
void batch_close_up(struct batch *b);

/* One stage over the packet at a place. Does its way end here? */
static inline __attribute__((always_inline)) bool batch_one(
	struct worker *w, struct batch *b, packet_stage stage, uint16_t place)
{
	int verdict = stage(w, b->live[place]);

	if (likely(verdict == PACKET_ON))
		return false;
	batch_end(w, b, place, verdict);
	return true;
}

/* One stage over all packets still on their way. */
static inline __attribute__((always_inline)) void batch_each(
	struct worker *w, struct batch *b, packet_stage stage)
{
	bool ended = false;

	for (uint16_t i = 0; i < b->n; i++)
		ended |= batch_one(w, b, stage, i);
	if (unlikely(ended))
		batch_close_up(b);
}

/* One stage, and fetching for the batch behind it in between. */
static inline __attribute__((always_inline)) void batch_fetching(
	struct worker *w, struct batch *b, packet_stage stage, const struct batch *behind, packet_fetch fetch)
{
	uint16_t most = b->n > behind->n ? b->n : behind->n;
	bool ended = false;

	for (uint16_t i = 0; i < most; i++) {
		if (i < b->n)
			ended |= batch_one(w, b, stage, i);
		if (i < behind->n)
			fetch(w, behind->live[i]);
	}
	if (unlikely(ended))
		batch_close_up(b);
}

/*
 * One stage, an early one over the last batch and fetching for the one in the middle: what they fetch comes
 * while this one works.
 */
static inline __attribute__((always_inline)) void batch_three(struct worker *w, struct batch *b,
	packet_stage stage, struct batch *last, packet_stage early, const struct batch *next,
	packet_fetch fetch)
{
	uint16_t most = b->n > last->n ? b->n : last->n;
	bool ended = false, ended_early = false;

	most = most > next->n ? most : next->n;
	for (uint16_t i = 0; i < most; i++) {
		if (i < b->n)
			ended |= batch_one(w, b, stage, i);
		if (i < last->n)
			ended_early |= batch_one(w, last, early, i);
		if (i < next->n)
			fetch(w, next->live[i]);
	}
	if (unlikely(ended))
		batch_close_up(b);
	if (unlikely(ended_early))
		batch_close_up(last);
}
