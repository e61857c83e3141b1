/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reliable provisional responses (RFC 3262), each leg's own: one side may have them and the other not. Where
 * the caller insists every 18x is reliable, where it can only those with early media are. One is under way at
 * a time, and what follows waits for its PRACK.
 */
#include <stddef.h>
#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"

#define T1_MS 500
#define LIMIT_MS (64 * T1_MS)

void reliable_asked(struct leg *in, const struct sip_msg *m)
{
	in->reliable.required = sip_msg_has_token(m, SIP_H_REQUIRE, STR("100rel"));
	in->reliable.supported =
		in->reliable.required || sip_msg_has_token(m, SIP_H_SUPPORTED, STR("100rel"));
}

bool reliable_wanted(const struct leg *in, bool sdp)
{
	return in->reliable.required || (in->reliable.supported && sdp);
}

static void repeat(struct timer *t)
{
	struct leg *in = (struct leg *)((char *)t - offsetof(struct leg, reliable.timer));
	struct leg_reliable *r = &in->reliable;

	r->waited_ms += r->interval_ms;
	if (r->waited_ms >= LIMIT_MS) {
		/* RFC 3262 section 3: a 5xx. */
		call_release(in->call, NULL, 504, "a reliable response was never acknowledged with PRACK");
		return;
	}
	r->interval_ms *= 2;
	timer_set(in->call->b->wheel, t, r->interval_ms, repeat);
	sip_stx_repeat(in->stx);
}

void reliable_begin(struct leg *in, struct sip_builder *b, bool sdp)
{
	struct leg_reliable *r = &in->reliable;

	r->sent = r->sent ? r->sent + 1 : 1 + call_random(1u << 30);
	r->outstanding = true;
	if (sdp && !r->agreed)
		r->version = (uint32_t)in->oa.version;
	r->agreed |= sdp;
	r->waited_ms = 0;
	r->interval_ms = T1_MS;
	sip_build_hdr(b, SIP_H_REQUIRE, STR("100rel"));
	sip_build_hdr_u32(b, SIP_H_RSEQ, r->sent);
	timer_set(in->call->b->wheel, &r->timer, r->interval_ms, repeat);
}

void reliable_stop(struct leg *l)
{
	timer_cancel(l->call->b->wheel, &l->reliable.timer);
	l->reliable.outstanding = false;
}

/* RAck: the response's number, then the number and method of its request. */
static bool names_outstanding(const struct leg *in, const struct sip_msg *m)
{
	struct str rest = sip_msg_value(m, SIP_H_RACK), rseq = str_cut(&rest, ' '), cseq;
	uint64_t r, c;

	rest = str_trim(rest);
	cseq = str_cut(&rest, ' ');
	return in->reliable.outstanding && in->stx && str_to_u64(rseq, UINT32_MAX, &r) == 0 &&
	       str_to_u64(cseq, UINT32_MAX, &c) == 0 && r == in->reliable.sent &&
	       c == sip_stx_request(in->stx)->cseq && str_eq(str_trim(rest), STR("INVITE"));
}

void reliable_prack(struct leg *in, struct sip_stx *stx, const struct sip_msg *m)
{
	struct str tag = str_z(in->local_tag);
	struct call *c = in->call;

	if (!names_outstanding(in, m)) {
		reply_refuse(stx, 481, NULL, "no reliable response of this number waits for a PRACK", tag);
		return;
	}
	reliable_stop(in);
	c->waiting++;
	if (message_bare(m))
		sip_stx_reply(stx, 200, NULL, tag);
	else
		early_offered(in, stx, m);
	answer_go_on(in);
	call_unwait(c);
}

/* A PRACK of ours, of an early dialog: one that breaks with its connection is sent again by another. */
struct leg_prack {
	struct leg *out;
	struct sip_ctx *ctx;  /* on its way; NULL: not any more */
	bool answered, again; /* again: it is the second */
};

static void send_prack(struct leg *out, bool again);

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct leg_prack *p = user;

	(void)ctx, (void)from;
	/* Whether it was liked shows in what the called side does next. */
	p->answered |= m->status >= 200;
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct leg_prack *p = user;
	struct leg *out = p->out;

	(void)ctx, (void)reason;
	/* Else when its response is repeated. */
	if (error == SIP_TX_TRANSPORT && !p->again && out->reliable.prack == p)
		send_prack(out, true);
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct leg_prack *p = user;

	if (p->ctx == ctx)
		p->ctx = NULL;
}

static const struct sip_ctx_ops prack_ops = {.response = response, .failed = failed, .gone = gone};

void reliable_forget(struct leg_prack **prack)
{
	struct leg_prack *p = *prack;

	*prack = NULL;
	if (p && p->ctx)
		sip_ctx_detach(p->ctx);
	free(p);
}

/* For the last response that was heard. Without memory a PRACK that is lost is not sent again. */
static void send_prack(struct leg *out, bool again)
{
	struct b2bua *b = out->call->b;
	struct sip_flow flow = invite_dialog_flow(b, out->dialog);
	uint32_t invite = out->dialog->invite_seq;
	char buf[CALL_HEAD_MAX];
	struct leg_prack *p;
	struct sip_builder r;
	struct sip_ctx *ctx;

	reliable_forget(&out->reliable.prack);
	p = calloc(1, sizeof *p);
	if (p)
		*p = (struct leg_prack){.out = out, .again = again};
	out->reliable.prack = p;
	sip_dialog_build(out->dialog, &r, buf, sizeof buf, SIP_PRACK);
	sip_build_hdr_fmt(&r, SIP_H_RACK, "%u %u INVITE", out->reliable.heard, invite);
	auth_put(out, &r);
	if (sip_build_end(&r, STR(""), STR("")) < 0 ||
		sip_ctx_send(b->txl, &r, &flow, p ? &prack_ops : NULL, p, &ctx) < 0)
		return;
	auth_follow(out, ctx);
	if (p)
		p->ctx = ctx;
}

/* The response was here before, and nobody knows whether its PRACK arrived (RFC 3261 section 8.1.3.1). */
static bool prack_was_lost(const struct leg *out)
{
	const struct leg_prack *p = out->reliable.prack;

	return p && !p->ctx && !p->answered;
}

bool reliable_received(struct leg *out, const struct sip_msg *m)
{
	uint64_t rseq;

	if (!sip_msg_has_token(m, SIP_H_REQUIRE, STR("100rel")) ||
		str_to_u64(sip_msg_value(m, SIP_H_RSEQ), UINT32_MAX, &rseq) < 0 || !rseq || !out->dialog ||
		!str_eq(out->dialog->remote_tag, m->to_tag))
		return true;
	/* RFC 3262 section 4: once each, and in order. */
	if (out->reliable.heard && rseq != out->reliable.heard + 1) {
		if (rseq == out->reliable.heard && prack_was_lost(out))
			send_prack(out, false);
		return false;
	}
	out->reliable.heard = (uint32_t)rseq;
	out->reliable.agreed |= message_sdp(m).n > 0;
	send_prack(out, false);
	return true;
}
