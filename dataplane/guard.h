/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forged packets that come from where the peer is and bear its SSRC, as many as a line carries: each would
 * cost an authentication, and together the calls of the whole worker. A leg on which GUARD_FAILURES packets
 * did not authenticate within GUARD_WINDOW_NS is guarded: it has a budget of authentications, and what
 * exceeds that is dropped before its key is touched (DP_V_POLICED). GUARD_WINDOW_NS with half as many ends
 * it, and so does a new key.
 *
 * The budget is a bucket that fills with the time and holds what GUARD_DEPTH_MS bring. The less a packet
 * looks like the one that the leg waits for, the fuller the bucket must be for it, so that what a forger who
 * knows little sends leaves most of it for what may be genuine, and what he sends too early leaves it for the
 * time when the genuine one is due. RTP of SSRCs that are not known and RTCP have small buckets of their own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dp_clock.h"

#define GUARD_WINDOW_NS (50 * NS_PER_MS)
#define GUARD_FAILURES 64
/* A video's key frame comes as some hundred packets at once: they fit into the bucket several times. */
#define GUARD_TRIALS_PER_MS 64
#define GUARD_OTHERS_PER_MS 1
#define GUARD_DEPTH_MS 32
/* All guarded legs of a worker together; but each may have as many as any call of speech sends. */
#define GUARD_WORKER_PER_MS 512
#define GUARD_LEAST_PER_MS 2
#define GUARD_REPORT_NS (10 * NS_PER_S) /* between two reports about one leg */

struct leg;
struct packet;
struct worker;

enum guard_bucket { GUARD_RTP, GUARD_RTCP, GUARD_UNKNOWN, GUARD_BUCKETS };

/* Of a leg; all but the window is of use while it is guarded. Zeroed: not guarded. */
struct leg_guard {
	uint64_t window;   /* ns: when it began */
	uint32_t failures; /* in it: packets that did not authenticate */
	uint32_t dropped;  /* in it: packets beyond the budget */
	uint64_t filled;   /* ns: up to when the buckets are filled */
	uint32_t tokens[GUARD_BUCKETS];
	uint16_t len;             /* octets of the last genuine RTP packet, 0: none yet */
	uint8_t pt;               /* its payload type */
	bool steady;              /* the one before was as long */
	uint64_t reported;        /* ns; 0: never */
	uint64_t failed, policed; /* since that report */
};

/* Stage: is there budget to authenticate the packet? PACKET_ON or DP_V_POLICED. */
int guard_packet(struct worker *w, struct packet *p);
/* A packet from the leg's peer did not authenticate. */
void guard_failed(struct worker *w, struct leg *leg);
/* A guarded leg's packet did. */
void guard_passed(struct leg *leg, const struct packet *p);
/* Called once a second or so, so that a guard ends where nothing comes any more. */
void guard_tick(struct worker *w, struct leg *leg);
/* The leg has a new key, or goes away. */
void guard_end(struct worker *w, struct leg *leg);
