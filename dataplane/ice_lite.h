/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICE as a lite agent has it (RFC 8445): answers connectivity checks, remembers which addresses proved the
 * credentials, and sends to the one that the peer nominates. It starts no checks of its own, so it needs no
 * control plane once a leg has its credentials.
 *
 * A component is one local port: RTP, and RTCP where that is not muxed. All of it belongs to the leg's
 * worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/session/session.h"
#include "lib/stun/stun.h"

#define ICE_PAIRS_MAX 8 /* addresses of the peer per component; the one not heard of for longest gives way   \
			 */
#define ICE_PAIR_NONE 0xff
#define ICE_CHECKS_PER_SECOND                                                                                \
	100 /* and leg, from known addresses and from others each. A browser sends 20 a second while it      \
	       looks for a pair, and less later; who does not know the fragment uses none up */

/* A local port and one address of the peer that a check came from. */
struct ice_pair {
	struct ip_port remote;
	uint16_t local;    /* port: with RTCP_MUX a leg is heard on two */
	uint32_t priority; /* as the newest check says */
	bool newest;       /* it was nominated with the newest credentials, not those before an ICE restart */
	uint64_t peer;     /* dp_ice_peer() of who checked with the newest credentials; 0: nobody */
	uint64_t heard;    /* ns: the newest check */
	uint64_t nominated; /* ns: the newest one that nominates, with the newest credentials; 0: none */
};

struct ice_component {
	struct ice_pair pairs[ICE_PAIRS_MAX];
	uint8_t n;
	uint8_t selected; /* place of the nominated one, or ICE_PAIR_NONE */
	bool selects;     /* a check came without USE-CANDIDATE: the peer nominates what it has selected */
	bool astray;      /* what goes out may go to another than the peer: its next check says better */
};

/* A good check. */
struct ice_check {
	const struct stun_msg *message;
	const struct ip_port *remote;
	uint16_t local; /* port that it came to */
	bool newest;    /* it proved the newest credentials */
	uint64_t peer;  /* dp_ice_peer() of who sent it */
	uint64_t now;   /* ns */
};

struct leg_ice {
	struct dp_ice_credentials credentials[2]; /* newest, previous */
	uint64_t peer;                            /* as in struct dp_leg_ice */
	uint32_t consent_s;
	bool lost;          /* DP_CONSENT_LOST is out, and no check came since */
	bool any;           /* a check came */
	uint64_t checked;   /* ns: last check that was answered with success */
	uint64_t alive;     /* ns: last keepalive; a peer of RFC 5245 sends no checks once it has a pair */
	uint64_t waited;    /* ns: since when a check is missed */
	uint64_t since;     /* ns: since when checks are expected */
	uint32_t silent_ms; /* of the event under way */
	uint64_t budget_at; /* ns: when the second began */
	uint32_t budget[2]; /* checks of it: from anybody, from known addresses */
	struct ice_component components[2]; /* RTP, RTCP */
};

/* Does the leg do ICE now? */
static inline bool ice_on(const struct leg *leg)
{
	return leg->far->ice && leg->far->ice->credentials[0].ufrag_len;
}

/* Did a check come from where this packet comes from? The leg does ICE. */
bool ice_validated(const struct leg *leg, const struct packet *p);
/* Whose, as in struct dp_punt; also of a leg without ICE. */
uint64_t ice_sender(const struct leg *leg, const struct packet *p);

/* A STUN datagram of a leg that does ICE: PACKET_TAKEN when it is answered, or its verdict. */
int ice_packet(struct worker *w, struct packet *p);

/* DP_LEG_ICE. c->memory[0] becomes the leg's when it has none. */
int ice_leg(struct worker *w, struct command *c);
/* Every second: has the peer stopped to check? */
void ice_tick(struct worker *w, struct leg *leg);
void ice_describe(const struct worker *w, const struct leg *leg, struct dp_stats_leg *o);
/* Wiped, and the caller's to free; NULL: there is none. */
struct leg_ice *ice_take(struct leg *leg);

/* ice_pairs.c: what a component knows. */
void ice_component_init(struct ice_component *c);
/* New credentials came: what is selected holds until the peer nominates with them. */
void ice_component_restart(struct ice_component *c);
/* One with that remote, whichever its local port is. */
const struct ice_pair *ice_pair_find(const struct ice_component *c, const struct ip_port *remote);
/*
 * Of all that the newest credentials were offered to this peer has answered: what the others nominated with
 * them is selected no more. The peer's pair that media is to go by now; NULL: as it does.
 */
const struct ice_pair *ice_component_choose(struct ice_component *c, uint64_t peer);
/*
 * Notes a good check. True: its pair is nominated, and selected from now on. chosen: it is the peer's, not
 * that of another that the credentials were offered to.
 */
bool ice_component_checked(struct ice_component *c, const struct ice_check *k, bool chosen);
