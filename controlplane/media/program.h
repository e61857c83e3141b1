/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From two negotiated legs to what the data plane is to hold, and from one such state to the next: which
 * commands of dp_msg.h say the difference. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "controlplane/sdp/offer_answer.h"
#include "lib/msg/dp_msg.h"

/* What the call's trunks and realms say about a side; the rest comes from its oa_leg. */
struct program_side {
	const struct oa_leg *leg;
	uint8_t learn;          /* enum dp_learn of a plain leg; a secure one learns with authentic packets */
	uint8_t dscp;           /* 0 to 63 */
	uint16_t replay_window; /* packets, 0: the data plane's default */
	bool keep_roc;          /* the rollover counter goes on under a new key on the same transport */
	uint64_t key_packets, key_octets; /* after which a key is to be renewed; 0: by its suite's limits */
	uint32_t media_timeout_s;         /* 0: never */
};

struct program_call {
	dp_session_id session;
	uint32_t worker;
	struct program_side a, b; /* a: towards the caller */
};

/* One leg of the wanted state, keys included. */
struct program_leg {
	struct dp_leg_update update;       /* header zero */
	struct agreed_key rx, rx_next, tx; /* suite NONE: none */
	bool ice;              /* it does ICE */
	struct dp_leg_ice checks; /* header zero; without credentials: only the data plane knows them */
	bool keep_roc;
	uint64_t key_packets, key_octets;  /* see program_side */
};

/* Wanted (or programmed) state of one session. Holds keys; opaque. */
struct program;

/* The wanted state now, offers that are outstanding included. -ENOMEM. */
int program_make(const struct program_call *call, struct program **out);
void program_free(struct program *p); /* wipes; NULL is ignored */

/* The legs of a state that is not packed. */
size_t program_legs(const struct program *p, const struct program_leg **legs);
/* The side that a leg of the data plane is on: transport i has the numbers 2i and 2i + 1. */
static inline enum dp_side program_side_of(unsigned leg)
{
	return leg % 2 ? DP_SIDE_B : DP_SIDE_A;
}

/*
 * The same state in a fifth of the memory, to be kept while the session stands as it is: only program_diff(), as `old`,
 * and program_free() take it. Owns p from now on. Without memory it is p itself.
 */
struct program *program_pack(struct program *p);

/*
 * Calls put() with every command that takes the data plane from `old` (NULL: no session) to `now`, in this
 * order: session, ICE that ends, legs (a secure one is mute and deaf until its keys come), ICE, receive keys, send
 * keys, legs whose keys were pending, keys to retire. put() owns the message's content only during the call and must wipe what it copies; here it is
 * wiped after it returns. Stops and returns what put() returns when that is negative; -ENOMEM.
 */
int program_diff(const struct program *old, const struct program *now, int (*put)(void *arg, union dp_msg *m),
	void *arg);

/*
 * The data plane had no room for this receive key beside the one in use (-ENOSPC to a DP_KEY_NEXT): *kept forgets that it
 * was told, so that it is told again, and once it is agreed on in the place of the one in use. Is it that by now, put()
 * has the command; fresh: as it was in the one that was refused. -ENOMEM, or what put() returns.
 */
int program_defer_next(struct program **kept, unsigned leg, uint32_t epoch, bool fresh,
	int (*put)(void *arg, union dp_msg *m), void *arg);
