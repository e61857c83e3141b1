/* SPDX-License-Identifier: Apache-2.0 */
/* A call's legs towards the media side: what the data plane is told of them, and handshakes on their media path. */
#pragma once

#include "controlplane/b2bua/call.h"

/* ---- legs.c: a call's legs towards the media side ---- */

/* The rules of both legs. -EIO with e. */
int legs_prepare(struct call *c, struct err *e);
/* The same and a media session. -EAGAIN, -ENOSPC and others with e. */
int legs_open(struct call *c, struct err *e);
/* Tells the data plane what is agreed now. A refusal by it ends the call. */
void legs_program(struct call *c);
/* The same from nothing, and without the send keys that were in use. */
void legs_program_again(struct call *c);
/* Takes one data-plane leg's statistics. */
void call_note_stats(struct call *c, const struct dp_stats_leg *s);
/* Counts what asked for less than the leg's trunk requires. */
void leg_note_refusal(struct leg *l, const struct oa_refusal *why);
/* Logs why m-lines of its outstanding offer are not used. */
void leg_note_unused(const struct leg *l);
/* How its media keys are agreed, or would be by our offer: "sdes" or "dtls"; NULL: it has none. */
const char *leg_keying(const struct leg *l);
/* Asks for the last statistics, then deletes the session. */
void legs_close(struct call *c);
/* What was negotiated holds from now on, on both legs. */
void legs_commit(struct call *c);

/* ---- consent.c: peers that are not heard any more ---- */

/*
 * The data plane says that no check came on this transport for longer than one may stay away, and nothing else for
 * silent_ms. May end the call: not while the peer is heard on another transport.
 */
void leg_consent_lost(struct leg *l, unsigned transport, uint32_t silent_ms);
/*
 * A while ago the peer ended DTLS associations, and began no others: ends the call if that was its last word
 * on all transports. While that cannot be told it is asked again, by leg_dtls_ask_again().
 */
void leg_parted(struct leg *l);
#define LEG_PARTING_MS                                                                                       \
	7000 /* that while: the next check for consent comes within 6 s (RFC 7675 section 5.1) */

/* ---- leg_dtls.c: handshakes on a leg's media path ---- */

/* Before the leg's oa_leg is initialized; for a trunk without DTLS nothing. Fills in keying->dtls. */
int leg_dtls_open(struct leg *l, struct keying_policy *keying, struct err *e);
/* After its oa_leg is closed. Harmless without one. */
void leg_dtls_close(struct leg *l);
/* Begins what was agreed on now, and ends what is not any more. */
void leg_dtls_update(struct leg *l);
/* The call is up: peers that have not begun must now. */
void leg_dtls_expect(struct leg *l);
/* Has the peer ended the association on transport i, with nothing in its place? */
bool leg_dtls_parted(const struct leg *l, unsigned i);
/* leg_parted() has come too early: once more in LEG_PARTING_MS, as long as the association is the one that
 * was ended. */
void leg_dtls_ask_again(struct leg *l);
/* Why somebody's handshake, perhaps the peer's, was refused, when none was finished since; "": none was. */
const char *leg_dtls_refused(const struct leg *l);
/* A datagram from the leg's media path. */
void leg_dtls_punted(struct leg *l, unsigned line, const struct dp_punt *p);

/* Suite of a leg's first transport, for people: "AEAD_AES_256_GCM" or "none". */
static inline const char *leg_suite(const struct leg *l)
{
	return l->suite == SRTP_SUITE_NONE ? "none" : srtp_suite_info(l->suite)->name;
}
