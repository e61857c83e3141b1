/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: a party that wants to be replaced in its call (REFER, RFC 3515), as its trunk's policy has
 * it. Relayed: the other side is asked in its own dialog to call the target by way of the gateway; what it
 * reports comes back. Executed: the gateway calls the target, and a new call takes over the other side (see
 * succession.h). One at a time in a call.
 */
#pragma once

#include <stdbool.h>

#include "controlplane/sip/timer.h"
#include "lib/base/str.h"

struct call;
struct leg;
struct sip_addr;
struct sip_ctx;
struct sip_msg;
struct sip_stx;

/* A call's. Zeroed: nobody has asked. */
struct call_refer {
	struct leg *by;      /* who asked; NULL: nobody, or it is over */
	bool executing;      /* by the gateway */
	bool quiet;          /* who asked wants no reports (RFC 4488) */
	unsigned told;       /* executed: the status that was reported last */
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

/* What refer.c and refer_execute.c share. */
void refer_begin(struct leg *by, const struct sip_msg *m);
void refer_refuse(struct leg *l, struct sip_stx *stx, unsigned status, const char *why);
/* 202; refer_begin() comes first. */
void refer_accept(const struct leg *by, struct sip_stx *stx);
/* Tells who asked: a status line, as RFC 3515 section 2.4.5 has it. */
void refer_report(struct call *c, unsigned status, struct str phrase, bool last);
void refer_over(struct call *c);

/* ---- refer_execute.c ---- */

/* A REFER that passed the checks of all, by the policy to be executed here. */
void refer_execute(struct leg *l, struct sip_stx *stx, const struct sip_msg *m, const struct sip_addr *target);
/* How the new call goes. Harmless where no REFER is executed. */
void refer_progress(struct call *c, unsigned status, struct str phrase);
void refer_succeeded(struct call *c);
void refer_failed(struct call *c, unsigned status, const char *phrase);
/* Who asked has hung up: nobody is told any more. */
void refer_left(struct call *c, const struct leg *by);
