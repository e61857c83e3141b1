/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generator and checker of media: N calls, each with keys, addresses and numbers of its own, one direction
 * (from the caller's leg in to the leg out). It builds frames as the callers' peers send them and takes the
 * frames that the gateway sends to the other side: every one is authenticated, decrypted and compared octet
 * by octet with what that call must hear next. It knows the gateway only by its messages and its frames.
 *
 * Single-threaded; mbufs are the caller's.
 */
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/msg/dp_msg.h"

#define GEN_SESSIONS_MAX 100000
#define GEN_PAYLOAD_MIN 12 /* octets: the call's number and the packet's */
#define GEN_PAYLOAD_MAX 1400

/* Where a call's ends are, by side: 0 where its media comes from. IPv4. */
struct gen_flow {
	struct ip_port gateway[2], peer[2];
	struct secret key; /* master key and salt that the gateway sends with on side 1; len 0: the generator's */
};

struct gen_conf {
	const struct gen_flow *flows; /* of each session, the caller's; NULL: the generator's own addresses */
	uint32_t sessions;
	uint16_t payload;        /* octets of RTP payload */
	enum srtp_suite in, out; /* SRTP_SUITE_NONE: that leg is plain */
	uint8_t gateway_mac[6];
};

struct gen_stats {
	uint64_t sent;
	uint64_t good;      /* came back with the right content, in order */
	uint64_t bad_frame; /* not a sound IPv4 and UDP frame from the right port to the right one */
	uint64_t bad_auth;  /* did not authenticate (a clear packet on a secure leg is one, too) */
	uint64_t bad_rtp;   /* sequence number, SSRC or timestamp do not go on from the packet before */
	uint64_t bad_content;
};

struct gen; /* opaque */

int gen_open(const struct gen_conf *conf, struct gen **out, struct err *err); /* -EINVAL, -ENOMEM, -EIO */
void gen_close(struct gen *g); /* wipes every key; NULL is ignored */

/*
 * Programs the gateway: configuration, sessions, legs, keys. command() gets each message and returns the
 * gateway's answer to it; the first failure ends it. worker: which one owns the sessions.
 */
int gen_program(struct gen *g, int (*command)(void *user, union dp_msg *m), void *user, struct err *err);

/* The next packets that are built are those after the first `packets` of each call; none was built yet. */
void gen_skip(struct gen *g, uint32_t packets);

/* Fills n empty mbufs with the next packets, one call after the other in a shuffled order. 0 or -EIO. */
int gen_build(struct gen *g, struct rte_mbuf **frames, unsigned n);

/* Judges a frame that the gateway sent; the mbuf's content is decrypted in place. */
void gen_verify(struct gen *g, struct rte_mbuf *frame);

uint32_t gen_calls(const struct gen *g);

/* What was sent and did not come back is sent - good - (everything bad). */
const struct gen_stats *gen_stats(const struct gen *g);
