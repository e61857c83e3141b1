/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a call that rings and is picked up: an INVITE whose Replaces names an early dialog that
 * the gateway began (RFC 3891 section 3). A new call answers both INVITEs, that of who picks up and that of
 * the caller, each with an answer, ports and keys of its own; then what rings is cancelled. Until then, and
 * when nothing comes of it, it rings on.
 *
 * Both have made an offer, so each is answered with what they have in common. Who picks up without an offer
 * hears the caller's in the 200, and the caller is answered with what the ACK brings.
 *
 * A caller that has heard early media is answered as another branch of a fork, with another To tag: the
 * answer that it had does not bind the new one (RFC 3261 section 13.2.2.4).
 */
#pragma once

#include <stdbool.h>

struct call;
struct leg;
struct sip_msg;

/* Why the caller cannot be connected to who picks up, with the status for that; NULL: it can. */
const char *pickup_hindered(const struct leg *caller, unsigned *status);
/* `to`, leg 1 of a new call, is to answer the caller's INVITE; nothing hinders it. */
void pickup_borrow(struct leg *to, struct leg *caller);
/* The INVITE of who picks up, in place of exchange_begin(). */
void pickup_begin(struct leg *in, const struct sip_msg *m);
/* The data plane has acknowledged. */
void pickup_go_on(struct call *c);
/* An ACK to one of the two answers came; the leg's transaction is over. May end the call. */
void pickup_acked(struct leg *in, const struct sip_msg *ack);
