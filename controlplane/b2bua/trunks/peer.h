/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: what is known of a trunk's peers beyond their configuration. A peer is an entry of the
 * trunk's list; its targets are the addresses that its host stands for now. State is kept from one
 * configuration to the next while a peer's name, host, port and transport stay the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "controlplane/config/config.h"
#include "controlplane/dns/weighted.h"
#include "controlplane/sip/timer.h"

#define PEER_WHY_MAX 192
#define PEER_REST_S 30 /* after it could not be reached: others go before it */

struct b2bua;
struct dns_locator;
struct peer_state;
struct sip_ctx;
struct trunk_state;

/* One address of a peer. */
struct peer_target {
	TAILQ_ENTRY(peer_target) entry; /* in peer_state.targets */
	struct peer_state *peer;
	struct ip_port remote;
	uint16_t priority, weight; /* of its SRV record */
	struct timer rest;         /* runs while it rests */
	bool told_to;              /* it rests because it said so (Retry-After): it is not tried meanwhile */
	char why[PEER_WHY_MAX];    /* what went wrong last; "": nothing */
	struct sip_ctx *options;   /* the check that is under way; see health.h */
	uint32_t refused;          /* a REGISTER failed there, the later the more; see registration_way.h */
	bool down;                 /* it does not answer: it is not called */
	unsigned failed, answered; /* checks in a row */
};

struct peer_state {
	TAILQ_ENTRY(peer_state) entry; /* in trunk_state.peers */
	struct trunk_state *trunk;
	unsigned refs; /* generations that have it */
	char *name, *host;
	uint16_t port; /* 0: SRV records say it */
	enum config_transport transport;
	TAILQ_HEAD(, peer_target) targets;
	struct timer check;          /* the next round of OPTIONS */
	struct dns_locator *locator; /* NULL: the host is an address */
};

TAILQ_HEAD(peer_state_list, peer_state);

/* The state of a configured peer, the one that is there or a new one: one reference. NULL without memory. */
struct peer_state *peer_get(struct trunk_state *t, const struct config_peer *p);
void peer_unref(struct peer_state *p); /* NULL is ignored */
/* What a peer cannot be called for, beyond its targets' own; "": nothing. */
const char *peer_trouble(const struct peer_state *p);
/* Before the timers are freed. */
void peer_forget(struct peer_state *p);

/* NULL when the peer's host does not stand for this address any more. */
struct peer_target *peer_target_at(struct peer_state *p, const struct ip_port *remote);
/* Its targets, WEIGHTED_MAX at most, in the order in which one request tries them (RFC 2782). How many there are. */
unsigned peer_targets(const struct peer_state *p, struct peer_target *out[WEIGHTED_MAX]);
/* The target takes no calls (told_to), or only those that no other takes, for so long. */
void peer_rest(struct peer_target *t, uint32_t seconds, bool told_to, const char *why);
static inline bool peer_target_rests(const struct peer_target *t)
{
	return timer_running(&t->rest);
}
/* It asked for the rest itself, and is not tried meanwhile. */
static inline bool peer_target_declines(const struct peer_target *t)
{
	return t->told_to && peer_target_rests(t);
}
/* How long it rests still, in seconds begun; 0: it does not. */
uint32_t peer_target_rest_s(const struct peer_target *t);
