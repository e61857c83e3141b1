/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: where a call goes, and where it goes next when that fails. The trunks of a route are
 * tried in its order; of a trunk the peers by priority and weight, of a peer the addresses likewise (RFC
 * 2782, RFC 3263 section 4.3).
 */
#pragma once

#include "controlplane/b2bua/trunks/peer.h"
#include "controlplane/config/config.h"
#include "lib/base/err.h"

#define ROUTE_CALLED_MAX 128
#define ROUTE_TRIES_MAX 16 /* of one call: whoever calls does not wait for ever */

struct b2bua;
struct b2bua_generation;
struct call;
struct leg;
struct refusal;
struct sip_flow;
struct sip_msg;

struct route_target {
	const struct config_trunk *trunk;
	const struct config_peer *peer; /* NULL: an account's binding */
	struct ip_port remote;
	uint64_t binding; /* see users.h; 0: none */
};

/* A call's way along its route. Zeroed but for route and called. */
struct route_hunt {
	const struct config_route *route;
	char called[ROUTE_CALLED_MAX]; /* the number, inside the gateway; "": nobody is looked for by it */
	const struct call *call;       /* whose places at its trunks are its own; NULL: it has none yet */
	bool message;                  /* no call: how many a trunk may have is nothing to it */
	bool sips;           /* only to peers over TLS: the caller asked for a sips: URI */
	uint32_t next_trunk; /* in route->to, which is gone through twice: for those that rest, last */
	struct route_target targets[ROUTE_TRIES_MAX]; /* of the trunk before that */
	unsigned n, at;                               /* at: the next of them */
	struct route_target tried[ROUTE_TRIES_MAX];   /* the last is the one in use, the first of those that ring */
	unsigned n_tried;
	struct refusal *best; /* of those that have failed, NULL: none has; owned */
};

/* Why there is no target (any more). */
enum route_result {
	ROUTE_FOUND,
	ROUTE_CLOSED,         /* no trunk takes calls */
	ROUTE_NO_USER,        /* one did, but has no account of the called number */
	ROUTE_LIMIT,          /* one did, but has as many as it may */
	ROUTE_RESTING,        /* one did, but its peers that are left have asked for a rest */
	ROUTE_UNREACHABLE,    /* one did, but none of its peers can be called now */
	ROUTE_NOT_REGISTERED, /* one did, but the called account is registered nowhere */
};

/* *h becomes NULL. */
void route_hunt_free(struct route_hunt **h);

/* The next target to try. Otherwise why: for people, the last trunk's reason. */
enum route_result route_next(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h,
	const struct route_target **out, struct err *why);
/* What whoever asked for it hears then, by reply_refuse_for(). */
unsigned route_status(enum route_result result);

/* For people. */
static inline const char *route_target_name(const struct route_target *t)
{
	return t->peer ? t->peer->name : "registration";
}

/* Can the call go on to the target now? */
bool route_usable(struct call *c, const struct route_target *t, struct err *why);
/* The leg as it was before its first INVITE, on its way to another target: exchange_begin() is next. */
void route_start_again(struct leg *out, const struct route_target *to);

/*
 * The way to the target, and the listener that speaks for us on it; NULL: there is none that is open. What
 * the flow names is the generation's.
 */
const struct config_listener *route_flow(const struct b2bua *b, const struct b2bua_generation *g,
	const struct route_target *to, struct sip_flow *out);
/*
 * A further binding that rings together with the last of h->tried: of the same account, with the same q, and with
 * which the same offer may be made. False: there is none. It counts as tried.
 */
bool route_beside(struct b2bua *b, struct route_hunt *h, struct route_target *out);
/* Does the account have bindings that have not been tried? */
bool route_more_bindings(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h);
/* The leg's INVITE goes there: a target of route_next(), or one that is usable. */
void route_aim(struct leg *out, const struct route_target *to);

/*
 * What a request's failure says of the target that it went to. A target that could not be reached, or asked
 * for it, rests.
 */
void route_note_failure(
	const struct b2bua_generation *g, const struct route_target *at, const struct refusal *r);

/* Does this final response of the trunk's party send what was asked of it to the next peer? RFC 3263
 * section 4.3. */
bool route_hunts(const struct config_trunk *t, unsigned status);

/*
 * The first INVITE could not be sent, or ended without a 2xx. True: the call is tried at the next target, or
 * has ended there. False: this was the last one, or no other may be tried, and nothing has changed.
 */
bool route_failover(struct leg *out, const struct refusal *r);
