/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a call that takes over a party of another one, or of two: after a transfer (RFC 3515,
 * RFC 5589) or Replaces (RFC 3891). It is a call as any other, with ports, keys and a media session of its
 * own; of the leg that it takes over it borrows the dialog, in which it sends a re-INVITE. Until its exchange
 * is complete the old call stands as it is, and goes on when nothing comes of the new one; then the party is
 * the new call's, and the old call ends.
 *
 * The exchange begins with an INVITE that came (Replaces), which becomes the re-INVITE; or, where neither
 * side has asked for anything (transfers), with an INVITE without an offer on leg 1, whose 2xx brings the
 * offer of the re-INVITE on leg 0 (RFC 3725 section 4.1).
 */
#pragma once

#include <stdbool.h>

#include "controlplane/sip/transaction.h"
#include "lib/base/str.h"

struct b2bua;
struct call;
struct leg;

/* Why the leg's party cannot be taken over now, with the status for who wants it; NULL: it can. */
const char *succession_hindered(const struct leg *from, unsigned *status);
/* The same of its trunk and listener alone. */
const char *succession_configured(const struct leg *from, unsigned *status);
/* `to`, of a new call, stands for from's party, which nothing hinders. The name of the party is written to
 * it. */
void succession_borrow(struct leg *to, struct leg *from);
/* Is a party of the call about to be taken over? Then nothing else is begun in it. */
bool succession_pending(const struct call *c);

/* The offer of the other leg's 2xx, for the borrowed leg `in`; what becomes of the re-INVITE that carries it.
 */
void succession_offer(struct leg *in, struct str sdp);
void succession_answered(struct leg *l, const struct sip_msg *m);
void succession_failed(struct leg *l, enum sip_tx_error error, const char *reason, const struct sip_msg *m);
/* A re-INVITE on a borrowed leg met with glare, and is sent again later. False: none of that. */
bool succession_retry(struct leg *l, const struct sip_msg *m);
/* The party of a borrowed leg is gone: so is the call that it was in, and this one. False: it is not. */
bool succession_lost(struct leg *l, enum sip_tx_error error, const struct sip_msg *m, const char *why);
/* Leg 1 rings. */
void succession_progress(struct call *c, const struct sip_msg *m);

/* The exchange is complete: what was borrowed is taken over. */
void succession_done(struct call *c);
/* The call ends: what it borrowed goes back as soon as no transaction of its own is open on it. */
void succession_return(struct call *c);
/* The call ends, whose party was to be taken over. */
void succession_ended(struct call *c);
/* The party that is not taken over hangs up early. True: the call waits for what becomes of the other. */
bool succession_left(struct leg *in);
/* Before the call is freed. */
void succession_forget(struct call *c);
