/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An offer before the call is answered: in a PRACK (RFC 3262 section 5) or an UPDATE (RFC 3311), from either
 * side. Once a reliable 1xx has answered the first offer the session may be changed while the called side
 * still rings: that becomes an UPDATE in the other side's early dialog, and its answer goes back in the 200.
 * Where the other side takes no UPDATE the gateway answers an offer by itself that has nothing but another
 * address or other keys. What the first offer agreed on is settled then, and holds on when the change is
 * refused. Responses to the INVITE wait until the change has its own.
 */
#include <errno.h>
#include <stdio.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

/* Is the first offer answered for good on this leg? */
static bool is_settled(const struct leg *l)
{
	return l->established || (l->reliable.agreed && !l->reliable.outstanding);
}

/* Why the other side's session cannot be changed, as a status with words; 0: nothing is in the way. */
static unsigned hindered(const struct leg *other, const char **why)
{
	const struct leg *out = &other->call->legs[DP_SIDE_B];

	if (other->update) {
		*why = "an UPDATE of ours is pending on the other side";
		return 491;
	}
	if (!other->dialog || out->others || out->ancestor || leg_twin((struct leg *)out)->ancestor) {
		*why = "a session is not changed before the answer where the call has forked or is "
		       "transferred";
		return 488;
	}
	if (is_settled(other))
		return 0;
	if (other->reliable.outstanding) {
		*why = "the caller has not acknowledged the first answer yet";
		return 500;
	}
	*why = other->side == DP_SIDE_B ? "the called side's answer was not reliable: its session cannot be "
					  "changed before the call is answered"
					: "the caller takes no reliable responses: its session cannot be "
					  "changed before the call is answered";
	return 488;
}

/* Why the offer is not dealt with, as a status with words; 0: it is. RFC 3311 section 5.2. */
static unsigned refusal(const struct leg *in, const char **why)
{
	const struct call *c = in->call;

	if (!is_settled(in)) {
		*why = in->side == DP_SIDE_A ? "the first offer of this dialog is not answered yet"
					     : "our offer in this dialog is not answered yet";
		return in->side == DP_SIDE_A ? 500 : 491;
	}
	if (c->early.open) {
		*why = c->early.by == in ? "the previous offer of this dialog is not finished"
					 : "an offer of ours is pending in this dialog";
		return c->early.by == in ? 500 : 491;
	}
	return hindered(&c->legs[!in->side], why);
}

static void stx_gone(void *user, struct sip_stx *stx)
{
	struct call *c = user;

	(void)stx;
	c->early.stx = NULL;
	call_unwait(c);
}

static const struct sip_stx_ops stx_ops = {.gone = stx_gone};

static void begin(struct leg *in, struct sip_stx *stx)
{
	struct call *c = in->call;

	c->early.open = true;
	c->early.by = in;
	c->early.stx = stx;
	c->waiting++;
	sip_stx_set_user(stx, &stx_ops, c);
	/* Without memory an answer is lost with its connection. */
	if (in->flow.transport == SIP_TLS)
		(void)sip_stx_set_tls(stx, &in->flow);
}

static void finish(struct call *c)
{
	bool had = c->early.stx != NULL;

	early_forget(c);
	if (had)
		call_unwait(c);
}

void early_forget(struct call *c)
{
	if (c->early.stx)
		sip_stx_set_user(c->early.stx, NULL, NULL);
	c->early.stx = NULL;
	c->early.by = NULL;
	c->early.open = c->early.due = false;
	call_text_drop(&c->early.offer);
}

void early_stop(struct call *c)
{
	if (c->early.stx)
		reply_refuse(c->early.stx, 487, NULL, "the call is over", str_z(c->early.by->local_tag));
	finish(c);
}

static void note_refused(const struct leg *in, unsigned status, const char *why)
{
	log_warn("call", "an offer before the answer was refused", LZ("call", in->call->id),
		LZ("trunk", in->trunk->name), LU("status", status), LZ("reason", why));
}

/* The first INVITE may have its response now. */
static void go_on_answering(struct call *c)
{
	if (c->exchange)
		answer_go_on(c->exchange);
}

/* The session is as it was before this offer. outside: why, for peers of realms that are not trusted. */
static void refuse(struct leg *in, unsigned status, const char *why, const char *outside)
{
	struct call *c = in->call;

	note_refused(in, status, why);
	oa_rollback(&in->oa);
	oa_rollback(&leg_twin(in)->oa);
	if (c->early.stx)
		reply_refuse_for(c->early.stx, status, in->trunk->realm->trusted ? why : outside,
			str_z(in->local_tag));
	finish(c);
	legs_program(c);
	go_on_answering(c);
}

/* What the first offer agreed on holds from now on, and nothing of it is said again. */
static bool settle(struct leg *in)
{
	struct call *c = in->call;

	if (!c->early.settled) {
		c->due.sdp = false;
		c->early.settled = c->legs[DP_SIDE_B].dialog;
		legs_commit(c);
	}
	if (c->state != CALL_ENDING && (in->oa.state != OA_IDLE || leg_twin(in)->oa.state != OA_IDLE))
		call_release(c, NULL, 500, "no memory");
	return c->state != CALL_ENDING;
}

/* The ends of a leg no longer agree about its session, so the call cannot go on. */
static void disagree(struct leg *l, const struct oa_refusal *why)
{
	struct call *c = l->call;

	c->b->counters.failed_answer++;
	leg_note_refusal(l, why);
	call_release(c, NULL, (unsigned)why->status, "%s", why->reason.text);
}

static void send_offer(struct leg *in)
{
	struct call *c = in->call;
	struct call_text offer = c->early.offer;
	struct err e = {0};
	int err;

	c->early.offer = (struct call_text){0};
	err = update_offer(leg_twin(in), (struct str){offer.p, offer.n}, &e);
	call_text_drop(&offer);
	if (err < 0)
		refuse(in, 503, e.text, "the other side could not be reached");
}

/* An UPDATE is one more target refresh than a PRACK, and may ask for a session timer: see update.c. */
static void put_update(struct leg *in, struct sip_builder *b)
{
	sip_dialog_refresh(in->dialog, sip_stx_request(in->call->early.stx));
	reply_contact(b, in);
	session_timer_agree(in, b);
	if (!in->established)
		session_timer_stop(in);
}

static void respond(struct leg *in)
{
	struct call *c = in->call;
	const struct sip_msg *m = c->early.stx ? sip_stx_request(c->early.stx) : NULL;
	char buf[CALL_MESSAGE_MAX], text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct oa_refusal why = {.status = 500};
	struct sip_builder b;
	int err;

	c->early.due = false;
	if (!m) {
		call_release(c, NULL, 408, "an offer before the answer was answered too late");
		return;
	}
	if (oa_answer_make(&in->oa, &leg_twin(in)->oa, &sdp, &why) < 0) {
		disagree(in, &why);
		return;
	}
	sip_build_response(&b, buf, sizeof buf, m, 200, NULL, str_z(in->local_tag));
	if (m->method == SIP_UPDATE)
		put_update(in, &b);
	err = sip_build_end(&b, STR("application/sdp"), wbuf_view(&sdp));
	if (err < 0) {
		call_release(c, NULL, 500, "the answer to an offer does not fit %u octets", CALL_MESSAGE_MAX);
		goto out;
	}
	err = sip_stx_respond(c->early.stx, &b);
	/*
	 * The change holds on the other side, and who wanted it does not know: it is offered when the call is
	 * up. What a full socket has lost is asked for again.
	 */
	in->astray |= err < 0 && (err != -ENOBUFS || sip_transport_reliable(in->flow.transport));
	finish(c);
	legs_commit(c);
	log_info("call", "its session was changed before the answer", LZ("call", c->id),
		LZ("by", in->trunk->name));
	go_on_answering(c);
out:
	mem_wipe(buf, sizeof buf);
	mem_wipe(text, sizeof text);
}

void early_go_on(struct call *c)
{
	if (c->state == CALL_ENDING || c->media.pending)
		return;
	if (c->early.offer.p)
		send_offer(c->early.by);
	else if (c->early.due)
		respond(c->early.by);
}

/* Our answer is settled, and is sent when the data plane holds what it says. */
static void answer(struct leg *in)
{
	struct call *c = in->call;
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct oa_refusal why = {.status = 500};

	if (oa_answer_make(&in->oa, &leg_twin(in)->oa, &sdp, &why) < 0) {
		disagree(in, &why);
	} else {
		c->early.due = true;
		legs_program(c);
		early_go_on(c);
	}
	mem_wipe(text, sizeof text);
}

/* As exchange.c does it: our offer, and what the data plane is to know before somebody hears of it. */
static void pass_on(struct leg *in)
{
	struct call *c = in->call;
	struct oa_refusal why = {.status = 488};
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct err e = {0};

	if (call_media_ports(&c->media, &e) < 0) {
		refuse(in, 503, e.text, e.text);
	} else if (oa_offer_make(&leg_twin(in)->oa, &in->oa, &sdp, &why) < 0) {
		refuse(in, (unsigned)why.status, why.reason.text, why.reason.text);
	} else if (call_text_keep(&c->early.offer, wbuf_view(&sdp)) < 0) {
		refuse(in, 500, "no memory", "no memory");
	} else {
		legs_program(c);
		early_go_on(c);
	}
	mem_wipe(text, sizeof text);
}

static void change(struct leg *in, struct sip_stx *stx, struct str sdp)
{
	struct oa_refusal why = {.status = 488};
	int result;

	begin(in, stx);
	if (!settle(in))
		return;
	result = oa_offer_received(&in->oa, sdp, &why);
	if (result < 0) {
		leg_note_refusal(in, &why);
		refuse(in, (unsigned)why.status, why.reason.text, why.reason.text);
	} else if (result == 1) {
		answer(in); /* the same offer again: nobody else need be asked */
	} else if (leg_twin(in)->timer.peer_updates) {
		pass_on(in);
	} else if (oa_answers_alone(&in->oa, &leg_twin(in)->oa)) {
		answer(in);
	} else {
		static const char no_update[] = "the other side takes no UPDATE, which a session is changed "
						"with before the answer";

		refuse(in, 488, no_update, no_update);
	}
}

void early_offered(struct leg *in, struct sip_stx *stx, const struct sip_msg *m)
{
	struct str tag = str_z(in->local_tag), sdp = message_sdp(m);
	const char *why;
	unsigned status;

	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, tag))
		return;
	if (!sdp.n) {
		reply_refuse(stx, 415, NULL, message_why_no_sdp(m), tag);
	} else if ((status = refusal(in, &why))) {
		note_refused(in, status, why);
		reply_refuse(stx, status, NULL, why, tag);
	} else {
		if (m->method == SIP_UPDATE)
			session_timer_asked(in, m);
		change(in, stx, sdp);
	}
}

static void answered(struct leg *out, const struct sip_msg *m)
{
	struct oa_refusal why = {.status = 502};
	struct str body = message_sdp(m);

	sip_dialog_refresh(out->dialog, m);
	if (out->established)
		session_timer_answered(out, m);
	if (!body.n)
		err_set(&why.reason, EINVAL, "a change of the session was answered without SDP");
	if (!body.n || oa_answer_received(&out->oa, body, &why) < 0)
		disagree(out, &why);
	else
		answer(leg_twin(out));
}

/* What the offerer hears: the other side's own words where they mean the same here. */
static unsigned status_for_offerer(const struct leg *out, unsigned status)
{
	if (!out->timer.peer_updates)
		return 488; /* it was UPDATE that was not liked */
	return status == 422 || status == 487 ? 500 : reply_status(status);
}

void early_answered(struct leg *out, const struct sip_msg *m)
{
	struct str phrase = str_sub(m->reason, 0, 100);
	char why[CALL_REASON_MAX], outside[CALL_REASON_MAX];

	if (m->status < 300) {
		answered(out, m);
		return;
	}
	snprintf(why, sizeof why, "trunk %s answered %u %.*s to a change of the session", out->trunk->name,
		m->status, STR_ARG(phrase));
	snprintf(outside, sizeof outside, "the %s side answered %u %.*s",
		out->side == DP_SIDE_A ? "calling" : "called", m->status, STR_ARG(phrase));
	if (m->status == 408 || m->status == 481) {
		/* RFC 3261 section 12.2.1.2: the dialog is gone, or its peer is. */
		call_tell_outside(out->call, "%s", outside);
		call_release(out->call, NULL, 408, "%s", why);
		return;
	}
	refuse(leg_twin(out), status_for_offerer(out, m->status), why, outside);
}

void early_unanswered(struct leg *out, enum sip_tx_error error, const char *reason)
{
	static const char outside[] = "the other side could not be reached";
	char why[CALL_REASON_MAX];

	snprintf(why, sizeof why, "trunk %s: a change of the session: %s", out->trunk->name, reason);
	if (error == SIP_TX_TIMEOUT) {
		call_tell_outside(out->call, "%s", outside);
		call_release(out->call, NULL, 408, "%s", why);
		return;
	}
	/* RFC 3261 section 8.1.3.1: as a 503. When the call is up, who may have heard of it is offered what
	 * stands. */
	out->astray = true;
	refuse(leg_twin(out), 503, why, outside);
}
