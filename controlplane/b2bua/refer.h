/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a party that wants to be replaced in its call (REFER, RFC 3515), where its trunk's
 * policy lets it be relayed. The other side is asked in its own dialog to call the target by way of the
 * gateway; what it reports comes back. One at a time in a call.
 */
#pragma once

#include "controlplane/sip/timer.h"

struct call;
struct leg;
struct sip_ctx;
struct sip_msg;
struct sip_stx;

/* A call's. Zeroed: nobody has asked. */
struct call_refer {
	struct leg *by;      /* who asked; NULL: nobody, or it is over */
	struct sip_stx *stx; /* its REFER, until it is answered */
	struct sip_ctx *ctx; /* ours, until it is answered */
	uint32_t cseq;       /* of its REFER */
	unsigned count;      /* in this call so far */
	struct timer expiry; /* the other side reports no more */
};

void refer_received(struct leg *l, struct sip_stx *stx, const struct sip_msg *m);
void refer_notified(struct leg *l, struct sip_stx *stx, const struct sip_msg *m);
/* Before the call ends, or is freed. */
void refer_forget(struct call *c);
