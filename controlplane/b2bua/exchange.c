/* SPDX-License-Identifier: Apache-2.0 */
/* An INVITE on one leg and what it becomes on the other, until the ACK. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/route/refusal.h"
#include "controlplane/b2bua/transfer/pickup.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

/* Counters are of calls: what becomes of a later exchange does not count there. */
static void count(const struct call *c, uint64_t *counter)
{
	*counter += c->initial;
}

#define EXPIRES_MAX_S 86400 /* whoever names more waits for as long as it rings */
#define MEDIA_RETRY_S 2 /* of calls refused for want of the data plane: it is soon back, or has caught up */

/* Refuses the exchange's INVITE: the first one ends the call, a later one leaves it as it was. */
static void refuse(struct leg *in, unsigned status, const char *why)
{
	struct call *c = in->call;

	if (c->initial) {
		call_release(c, NULL, status, "%s", why);
		return;
	}
	log_warn("call", "re-INVITE refused", LZ("call", c->id), LZ("trunk", in->trunk->name),
		LU("status", status), LZ("reason", why));
	timer_cancel(c->b->wheel, &c->ring);
	oa_rollback(&in->oa);
	oa_rollback(&leg_twin(in)->oa);
	c->exchange = NULL;
	c->delayed = false; /* what is offered next is ours */
	c->due.status = 0;
	call_text_drop(&c->due.offer);
	c->waiting++;
	if (in->stx) {
		const char *outside = c->end.outside ? c->end.outside : why;

		reply_refuse_for(
			in->stx, status, in->trunk->realm->trusted ? why : outside, str_z(in->local_tag));
	}
	(void)call_hold(c, &c->end.outside, STR(""));
	leg_drop_stx(in);
	passing_forget(c); /* the next response may be the other side's */
	legs_program(c);
	reinvite_start(c);
	call_unwait(c);
}

static void nobody_answered(struct timer *t)
{
	struct call *c = (struct call *)((char *)t - offsetof(struct call, ring));

	if (c->initial) {
		c->b->counters.failed_no_answer++;
		call_release(c, NULL, 408, "nobody answered within %u s", c->config->limits.ring_timeout_s);
	} else if (c->exchange && leg_twin(c->exchange)->ctx) {
		/* Its final answer, or none, decides. */
		sip_ctx_cancel(leg_twin(c->exchange)->ctx, STR("Reason: SIP;cause=408\r\n"));
	}
}

static void invitation_expired(struct timer *t)
{
	struct call *c = (struct call *)((char *)t - offsetof(struct call, ring));

	call_release(c, NULL, 487, "nobody answered before the caller's invitation expired (Expires)");
}

void exchange_expires(struct call *c, const struct sip_msg *m)
{
	uint64_t s, most_s = c->config->limits.ring_timeout_s;

	if (str_to_u64(sip_msg_value(m, SIP_H_EXPIRES), most_s ? most_s - 1 : EXPIRES_MAX_S, &s) == 0)
		timer_set(c->b->wheel, &c->ring, (uint32_t)s * 1000, invitation_expired);
}

void exchange_unsent(struct leg *out, int err, const char *why)
{
	struct call *c = out->call;

	if (err == -EMSGSIZE) { /* the caller's fault: no peer rests for it */
		count(c, &c->b->counters.refused_request);
		refuse(leg_twin(out), 513, why);
		return;
	}
	if (c->initial && !out->ancestor) {
		failure_at_target(
			out, &(struct refusal){
				     .trunk = out->trunk, .reason = why, .status = failure_unreached(out)});
		return;
	}
	count(c, &c->b->counters.failed_unreachable);
	call_tell_outside(c, "the other side could not be reached");
	refuse(leg_twin(out), failure_unreached(out), why);
}

/* The INVITE to the other side, with our offer or an empty text. */
static void pass_on(struct leg *in, struct str sdp)
{
	struct call *c = in->call;
	struct err e = {0};
	int err = invite_send(leg_twin(in), sdp, &e);

	if (err < 0) {
		exchange_unsent(leg_twin(in), err, e.text);
	} else if (c->config->limits.ring_timeout_s && !timer_running(&c->ring)) {
		timer_set(c->b->wheel, &c->ring, c->config->limits.ring_timeout_s * 1000, nobody_answered);
	}
}

/* Our offer to the other side, from what `in` offered; the INVITE that carries it is sent. */
static void pass_on_offer(struct leg *in)
{
	struct leg *out = leg_twin(in);
	struct call *c = in->call;
	struct oa_refusal why = {.status = 488};
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct err e = {0};

	if (call_media_ports(&c->media, &e) < 0) {
		count(c, &c->b->counters.refused_no_media_plane);
		refuse(in, 503, e.text);
		return;
	}
	if (oa_offer_make(&out->oa, &in->oa, &sdp, &why) < 0) {
		count(c, &c->b->counters.refused_media);
		refuse(in, (unsigned)why.status, why.reason.text);
		return;
	}
	/* First: media under the new keys may be faster than the answer that brings them. */
	legs_program(c);
	if (c->state != CALL_ENDING)
		pass_on(in, wbuf_view(&sdp));
	mem_wipe(text, sizeof text);
}

void exchange_begin(struct leg *in, const struct sip_msg *m)
{
	struct call *c = in->call;
	struct oa_refusal why = {.status = 488};
	struct err e = {0};
	int result;

	/* Whoever asks anew has our last ACK. */
	if (in->ctx && in->concluded)
		sip_ctx_forget_answer(in->ctx);
	c->due.status = 0;
	c->due.ack = false;
	call_text_drop(&c->due.offer);
	c->delayed = !m || message_bare(m);
	if (c->initial && legs_open(c, &e) < 0) {
		c->b->counters.refused_no_media_plane++;
		c->end.retry_after = MEDIA_RETRY_S;
		refuse(in, 503, e.text);
		return;
	}
	if (c->delayed) {
		pass_on(in, STR(""));
		return;
	}
	result = oa_offer_received(&in->oa, message_sdp(m), &why);
	if (result < 0) {
		leg_note_refusal(in, &why);
		count(c, &c->b->counters.refused_media);
		refuse(in, (unsigned)why.status, why.reason.text);
	} else if (result == 1) {
		answer_due(in, 200, NULL, true); /* a session refresh: nobody else need be asked */
	} else {
		leg_note_unused(in);
		pass_on_offer(in);
	}
}

void exchange_again(struct leg *in)
{
	exchange_begin(in, in->stx ? sip_stx_request(in->stx) : NULL);
}

/*
 * A later offer of ours, answered before its 2xx (RFC 3262 section 5): that need not repeat the answer, and
 * who gave it may speak under its new keys at once.
 */
static void answered_early(struct leg *out, const struct sip_msg *m)
{
	struct call *c = out->call;
	struct str body = message_sdp(m);

	if (!body.n || c->state == CALL_ENDING || out->oa.state != OA_OFFER_SENT)
		return;
	if (call_text_keep(&out->early_answer, body) < 0) {
		call_release(c, NULL, 500, "no memory");
		return;
	}
	oa_answer_early(&out->oa, body);
	legs_program(c);
}

void exchange_provisional(struct leg *out, const struct sip_msg *m)
{
	struct leg *in = leg_twin(out);
	struct call *c = out->call;
	struct oa_refusal why = {.status = 488};
	char phrase[CALL_PHRASE_MAX];
	/* An offer comes in a response that is sent reliably: the 2xx. */
	struct str body = c->delayed || c->early.settled ? STR("") : message_sdp(m);

	if (!c->initial || out->joining)
		answered_early(out, m);
	if (!c->initial || c->state > CALL_RINGING || (!in->stx && !in->ancestor))
		return;
	c->state = CALL_RINGING;
	if (in->ancestor) {
		succession_progress(c, m);
		return;
	}
	/* Reliable, it would have to offer; only the 2xx does. */
	if (c->delayed && in->reliable.required)
		return;
	/* Early media: the called side's answer comes before the call is taken (RFC 3960). */
	if (body.n && oa_answer_received(&out->oa, body, &why) < 0) {
		c->b->counters.failed_answer++;
		leg_note_refusal(out, &why);
		call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
		return;
	}
	if (body.n && call_text_keep(&out->early_answer, body) < 0) {
		call_release(c, NULL, 500, "no memory");
		return;
	}
	passing_keep(in, out->trunk, m);
	if (body.n && !passing_early_media(out, m)) {
		answer_due(in, 180, NULL, false);
		return;
	}
	str_copy(phrase, sizeof phrase, str_sub(m->reason, 0, sizeof phrase - 1));
	c->early_media |= body.n > 0;
	answer_due(in, m->status, phrase, body.n > 0);
}

/* The answer was settled before the 2xx, whose own is ignored (RFC 3261 section 13.2.1). */
static void settled(struct leg *out)
{
	struct call *c = out->call;

	if (c->early.settled == out->dialog) {
		answer_due(leg_twin(out), 200, NULL, false);
		return;
	}
	c->b->counters.failed_answer++;
	call_release(c, NULL, 502, "another branch of the called side answered than the one whose session was "
				   "changed");
}

void exchange_answered(struct leg *out, const struct sip_msg *m)
{
	struct leg *in = leg_twin(out);
	struct call *c = out->call;
	struct oa_refusal why = {.status = 502};
	struct str body = message_sdp(m);

	timer_cancel(c->b->wheel, &c->ring);
	/* Nobody can connect to an account; to a peer we can. */
	if (out->binding && !out->established)
		nat_watch(out);
	out->established = true;
	out->switched = out->ancestor != NULL;
	if (c->state == CALL_ENDING) {
		release_bye(out); /* the answer crossed our CANCEL */
		leg_drop_ctx(out);
		return;
	}
	passing_keep(in, out->trunk, m);
	if (c->delayed) {
		delayed_offered(out, m);
		return;
	}
	if (c->initial && c->early.settled) {
		settled(out);
		return;
	}
	/* What this branch answered early is its answer: another one's may have come since. */
	if (!body.n)
		body = (struct str){out->early_answer.p, out->early_answer.n};
	if (!body.n)
		err_set(&why.reason, EINVAL, "the called side answered without SDP");
	if (body.n && oa_answer_received(&out->oa, body, &why) == 0) {
		call_text_drop(&out->early_answer);
		answer_due(in, 200, NULL, true);
		return;
	}
	/*
	 * What was answered cannot be used: in a first INVITE the call ends on both sides; after a re-INVITE
	 * the two ends of this leg no longer agree about it, so the call cannot go on either.
	 */
	c->b->counters.failed_answer++;
	leg_note_refusal(out, &why);
	call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
}

void exchange_failed(struct leg *out, enum sip_tx_error error, const char *reason, const struct sip_msg *m)
{
	struct leg *in = leg_twin(out);
	struct call *c = out->call;
	unsigned none = error == SIP_TX_TIMEOUT ? 408 : failure_unreached(out);
	struct refusal r = {.trunk = out->trunk, .m = m, .reason = reason, .status = none};
	char why[CALL_REASON_MAX];

	if (c->state == CALL_ENDING) {
		leg_drop_ctx(out);
		return;
	}
	c->waiting++;
	/* It may have changed its session already when it answered: it is offered the one that stands. */
	out->timer.refresh_due |= !c->initial && out->early_answer.p;
	/* So it may without an answer that could be heard. */
	if (!c->initial && !m && error == SIP_TX_TRANSPORT)
		reinvite_lost(out);
	leg_drop_ctx(out); /* what follows may send the next INVITE */
	if (succession_retry(out, m)) {
		call_unwait(c);
		return;
	}
	if (m && !(c->initial && out->dialog) && session_timer_raise(out, m)) {
		oa_rollback(&out->oa);
		if (c->delayed)
			pass_on(in, STR(""));
		else
			pass_on_offer(in);
		call_unwait(c);
		return;
	}
	if (c->initial && !out->ancestor) {
		failure_at_target(out, &r);
		call_unwait(c);
		return;
	}
	failure_explain(out, &r, why);
	succession_lost(out, error, m, why);
	if (c->initial) {
		failure_conclude(out, &r);
		call_unwait(c);
		return;
	}
	if (m)
		passing_keep(in, out->trunk, m);
	if (m ? m->status == 408 || m->status == 481 : error == SIP_TX_TIMEOUT) {
		/* RFC 3261 section 12.2.1.2: the dialog is gone, or its peer is. */
		call_release(c, NULL, 408, "%s", why);
	} else {
		refuse(in, m ? failure_status(out, m->status) : out->cancelled ? 487 : none, why);
	}
	call_unwait(c);
}

void exchange_call_off(struct leg *in)
{
	struct leg *out = leg_twin(in);

	if (out->offer.p) {
		call_text_drop(&out->offer); /* nobody has heard of it */
		refuse(in, 487, "the change was called off");
	} else if (out->ctx) {
		/* It is answered when the other side has: an answer that crosses the CANCEL holds on both
		 * sides then. */
		out->cancelled = true;
		sip_ctx_cancel(out->ctx, STR(""));
	}
}

void exchange_cancelled(struct leg *in, const struct sip_msg *cancel)
{
	if (!in->call->initial) {
		exchange_call_off(in);
		return;
	}
	call_keep_reason(in->call, cancel);
	call_release(in->call, in, 487, "the caller gave up");
}

void exchange_over(struct call *c)
{
	bool written = c->initial && checkpoint_has_it(c);

	c->exchange = NULL;
	c->initial = c->delayed = false;
	if (c->state == CALL_ANSWERED) {
		c->state = CALL_UP;
		log_info("call", "up", LZ("call", c->id), LZ("from", call_z(c->from)), LZ("to", call_z(c->to)),
			LZ("suite_a", leg_suite(&c->legs[0])), LZ("suite_b", leg_suite(&c->legs[1])));
	}
	route_hunt_free(&c->hunt);
	succession_done(c);
	if (!written) /* as it was answered: an ACK says nothing more */
		checkpoint_touch(c);
	reinvite_start(c); /* what was put off until now */
}

void exchange_acked(struct leg *in, const struct sip_msg *ack)
{
	struct call *c = in->call;

	if (!in->stx || !in->awaiting_ack || ack->cseq != sip_stx_request(in->stx)->cseq)
		return;
	c->waiting++;
	in->awaiting_ack = false;
	sip_stx_acked(in->stx);
	leg_drop_stx(in);
	if (in->bye_due)
		release_bye(in);
	if (c->state != CALL_ENDING && c->pickup)
		pickup_acked(in, ack);
	else if (c->state != CALL_ENDING && leg_twin(in)->ack_due)
		delayed_answered(in, ack);
	else if (c->state != CALL_ENDING)
		exchange_over(c);
	call_unwait(c);
}

void exchange_reinvite(struct leg *in, struct sip_stx *stx, const struct sip_msg *m)
{
	struct call *c = in->call;
	struct str tag = str_z(in->local_tag);

	if (c->exchange == in) {
		/* RFC 3261 section 14.2: their last INVITE has no final answer, or its ACK is still to come.
		 */
		reply_refuse(stx, 500, NULL, "the previous INVITE of this dialog is not finished", tag);
	} else if (c->exchange || reinvite_open(c) || succession_pending(c)) {
		reply_refuse(stx, 491, NULL, "an INVITE of ours is pending in this dialog", tag);
	} else if (c->b->leaving == LEAVING_NOW) {
		/* Tried again, which is at the next process. */
		reply_refuse(stx, 491, NULL, b2bua_ends(c->b), tag);
	} else if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, tag)) {
		log_warn("call", "re-INVITE refused", LZ("call", c->id), LZ("trunk", in->trunk->name),
			LU("status", 420), LZ("reason", "it requires an extension"));
	} else if (session_timer_too_small(m)) {
		reply_refuse(stx, 422, NULL, "Session-Expires is too small", tag);
	} else if (!message_bare(m) && !message_sdp(m).n) {
		reply_refuse(stx, 415, NULL, message_why_no_sdp(m), tag);
	} else {
		leg_take_stx(in, stx);
		session_timer_asked(in, m);
		c->exchange = in;
		exchange_begin(in, m);
	}
}
