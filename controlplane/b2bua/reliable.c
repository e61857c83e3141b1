/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reliable provisional responses (RFC 3262), each leg's own: one side may have them and the other not. Where
 * the caller insists every 18x is reliable, where it can only those with early media are. One is under way at
 * a time, and what follows waits for its PRACK.
 */
#include <stddef.h>

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

static void no_matter(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)ctx, (void)m, (void)from;
}

static const struct sip_ctx_ops prack_ops = {.response = no_matter};

static void send_prack(struct leg *out, uint32_t rseq)
{
	struct b2bua *b = out->call->b;
	struct sip_flow flow = invite_dialog_flow(b, out->dialog);
	uint32_t invite = out->dialog->invite_seq;
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;
	struct sip_ctx *ctx;

	sip_dialog_build(out->dialog, &r, buf, sizeof buf, SIP_PRACK);
	sip_build_hdr_fmt(&r, SIP_H_RACK, "%u %u INVITE", rseq, invite);
	auth_put(out, &r);
	/* Whether it arrived shows in what the called side does next. */
	if (sip_build_end(&r, STR(""), STR("")) == 0 &&
		sip_ctx_send(b->txl, &r, &flow, &prack_ops, NULL, &ctx) == 0) {
		auth_follow(out, ctx);
		sip_ctx_detach(ctx);
	}
}

bool reliable_received(struct leg *out, const struct sip_msg *m)
{
	uint64_t rseq;

	if (!sip_msg_has_token(m, SIP_H_REQUIRE, STR("100rel")) ||
		str_to_u64(sip_msg_value(m, SIP_H_RSEQ), UINT32_MAX, &rseq) < 0 || !rseq || !out->dialog ||
		!str_eq(out->dialog->remote_tag, m->to_tag))
		return true;
	/* RFC 3262 section 4: once each, and in order. */
	if (out->reliable.heard && rseq != out->reliable.heard + 1)
		return false;
	out->reliable.heard = (uint32_t)rseq;
	out->reliable.agreed |= message_sdp(m).n > 0;
	send_prack(out, (uint32_t)rseq);
	return true;
}
