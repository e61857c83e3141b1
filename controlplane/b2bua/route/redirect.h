/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a called side that answers 300, 301 or 302 (RFC 3261 section 8.1.3.4). By the trunk's
 * policy the call goes on where the Contacts point, best q-value first, but to peers of configured trunks
 * only; or the caller is told, with Contacts at the gateway's own address; or it hears 502.
 */
#pragma once

#include "controlplane/b2bua/route/route.h"

#define REDIRECT_TARGETS_MAX 8 /* that are kept, of all 3xx of a call */
#define REDIRECT_DEPTH_MAX 5   /* 3xx in one call */

struct header_set;
struct identity_ends;
struct refusal;
struct sip_uri;

/* Where a call may still go, and who has sent it there. */
struct redirection {
	struct redirect_target {
		struct route_target to;
		unsigned q;     /* thousandths */
		unsigned by;    /* as below */
		unsigned cause; /* why it is called in another's place (RFC 4458) */
		char user[CALL_PARTY_MAX];
	} list[REDIRECT_TARGETS_MAX];
	unsigned n;
	/* Each 3xx that was followed, in the order in which they came. */
	struct redirect_past {
		char user[CALL_PARTY_MAX]; /* that was called */
		unsigned status;           /* of the answer */
		bool private;              /* its Privacy does not let it be named */
		unsigned by;               /* whose target it was: in `past`, from 1; 0: the caller's own */
		unsigned cause;            /* why it was that; 0: the caller's own */
	} past[REDIRECT_DEPTH_MAX];
	unsigned by, cause; /* of the target in use */
	unsigned depth;
	char why_not[CALL_REASON_MAX]; /* of the last Contact that was not taken */
};

/*
 * The peer that a URI names by its host, with the trunk that was asked before all others. False: no
 * configured one, or none that the URI's transport and scheme allow.
 */
bool redirect_find(struct call *c, const struct config_trunk *first, const struct sip_uri *uri,
	struct route_target *out);

/*
 * The first INVITE ended without a 2xx. True: the call is tried where a redirection points, or has ended
 * there.
 */
bool redirect_failed(struct leg *out, const struct refusal *f);
/* A 3xx of the trunk's that the caller, on `in`, is to hear: keeps what it says. False: he is not told of it.
 */
bool redirect_pass(struct leg *in, const struct config_trunk *trunk, const struct sip_msg *m);

/* ---- diverted.c ---- */

/* Why a Contact of a 3xx is called in place of who sent it: as its cause says (RFC 4458), else 302. */
unsigned redirect_cause(const struct sip_uri *contact);

/* Has one of those who sent it to where it goes now asked for privacy? */
bool redirect_is_private(const struct redirection *r);
/*
 * Says in the headers of an INVITE from whom it comes; `called` is the number that it goes to. Behind
 * identity_apply(), whose ends and privacy these are.
 */
void redirect_tell(struct header_set *s, const struct identity_ends *e, unsigned privacy,
	const struct redirection *r, struct str called);
