/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a session before the INVITE is answered, and by UPDATE: reliable responses (RFC 3262), offers in them (RFC 3311). */
#pragma once

#include "controlplane/b2bua/call.h"

/* ---- reliable.c: RFC 3262 ---- */

/* Notes what the peer's INVITE says of 100rel. */
void reliable_asked(struct leg *in, const struct sip_msg *m);
/* Is a 18x to be sent reliably? Then its headers, and it is repeated until its PRACK comes. */
bool reliable_wanted(const struct leg *in, bool sdp);
void reliable_begin(struct leg *in, struct sip_builder *b, bool sdp);
void reliable_stop(struct leg *l);
/* Whether a PRACK of ours arrives is nothing to anybody any more. */
void reliable_forget(struct leg_prack **prack);
void reliable_prack(struct leg *in, struct sip_stx *stx, const struct sip_msg *m);
/* Acknowledges a reliable 1xx in the leg's dialog. False: it was here before, or is out of order. */
bool reliable_received(struct leg *out, const struct sip_msg *m);

/* ---- early.c: an offer before the answer, in a PRACK or an UPDATE ---- */

/*
 * Refuses it or changes the session; may end the call. The 1xx that a PRACK is for counts as acknowledged. Dialog
 * and CSeq of the request are checked.
 */
void early_offered(struct leg *in, struct sip_stx *stx, const struct sip_msg *m);
/* The UPDATE that it became has its final response. */
void early_answered(struct leg *out, const struct sip_msg *m);
/* Or none. */
void early_unanswered(struct leg *out, enum sip_tx_error error, const char *reason);
/* The data plane has acknowledged. */
void early_go_on(struct call *c);
/* The call is over: the offer hears 487. Harmless without one. */
void early_stop(struct call *c);
/* Before the call's memory goes. */
void early_forget(struct call *c);
/* Is the UPDATE that the leg has sent one that an offer of the other side became? */
static inline bool early_asks(const struct leg *l)
{
	return l->call->early.open && l->call->early.by != l;
}
/* Is m of another branch of a fork than the one whose session is settled? */
static inline bool early_elsewhere(const struct leg *out, const struct sip_msg *m)
{
	return out->call->early.settled && out->call->early.settled == out->dialog &&
	       !str_eq(out->dialog->remote_tag, m->to_tag);
}

/* ---- update.c: UPDATE ---- */

void update_received(struct leg *l, struct sip_stx *stx, const struct sip_msg *m);
/* Refreshes the leg's session. */
void update_send(struct leg *l);
/* An offer that is an UPDATE: our own, of invite_send() (leg.own_update), or that of a PRACK. */
int update_offer(struct leg *l, struct str sdp, struct err *e);
