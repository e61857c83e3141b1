/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PRACK with an offer (RFC 3262 section 5). Once a reliable 1xx has answered the first offer the caller may
 * change the session while the called side still rings: that becomes an UPDATE in the early dialog there
 * (RFC 3311), and its answer goes back in the 200. What the first offer agreed on is settled then, and holds
 * on when the change is refused. Responses to the INVITE wait until the PRACK has its own.
 */
#include <errno.h>
#include <stdio.h>

#include "controlplane/b2bua/call.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

/* Why the offer cannot be passed on, as a status with words; 0: it can. */
static unsigned refusal(const struct leg *in, const char **why)
{
	const struct call *c = in->call;
	const struct leg *out = &c->legs[!in->side];

	if (!in->reliable.agreed) {
		*why = "the first offer of this dialog is not answered yet";
		return 500; /* RFC 3311 section 5.2 */
	}
	if (out->update) {
		*why = "an UPDATE of ours is pending on the other side";
		return 491;
	}
	if (!out->dialog || out->others || out->ancestor)
		*why = "a session is not changed in a PRACK where the call has forked or is transferred";
	else if (!out->timer.peer_updates)
		*why = "the called side takes no UPDATE, which a session is changed with before the answer";
	else if (!out->established && !out->reliable.agreed)
		*why = "the called side's answer was not reliable: its session cannot be changed in a PRACK";
	else
		return 0;
	return 488;
}

static void stx_gone(void *user, struct sip_stx *stx)
{
	struct call *c = user;

	(void)stx;
	c->prack.stx = NULL;
	call_unwait(c);
}

static const struct sip_stx_ops stx_ops = {.gone = stx_gone};

static void begin(struct call *c, struct sip_stx *stx)
{
	c->prack.open = true;
	c->prack.stx = stx;
	c->waiting++;
	sip_stx_set_user(stx, &stx_ops, c);
}

static void finish(struct call *c)
{
	bool had = c->prack.stx != NULL;

	prack_forget(c);
	if (had)
		call_unwait(c);
}

void prack_forget(struct call *c)
{
	if (c->prack.stx)
		sip_stx_set_user(c->prack.stx, NULL, NULL);
	c->prack.stx = NULL;
	c->prack.open = c->prack.due = false;
	call_text_drop(&c->prack.offer);
}

void prack_stop(struct call *c)
{
	struct str tag = str_z(c->legs[DP_SIDE_A].local_tag);

	if (c->prack.stx)
		reply_refuse(c->prack.stx, 487, NULL, "the call is over", tag);
	finish(c);
}

static void note_refused(const struct leg *in, unsigned status, const char *why)
{
	log_warn("call", "the offer in a PRACK was refused", LZ("call", in->call->id),
		LZ("trunk", in->trunk->name), LU("status", status), LZ("reason", why));
}

/* The session is as it was before this offer. outside: why, for peers of realms that are not trusted. */
static void refuse(struct leg *in, unsigned status, const char *why, const char *outside)
{
	struct call *c = in->call;

	note_refused(in, status, why);
	oa_rollback(&in->oa);
	oa_rollback(&leg_twin(in)->oa);
	if (c->prack.stx)
		reply_refuse(c->prack.stx, status, NULL, in->trunk->realm->trusted ? why : outside,
			str_z(in->local_tag));
	finish(c);
	legs_program(c);
	answer_go_on(in);
}

/* What the first offer agreed on holds from now on, and nothing of it is said again. */
static bool settle(struct leg *in)
{
	struct call *c = in->call;
	struct leg *out = leg_twin(in);

	if (!c->prack.settled) {
		c->due.sdp = false;
		c->prack.settled = out->dialog;
		legs_commit(c);
	}
	if (c->state != CALL_ENDING && (in->oa.state != OA_IDLE || out->oa.state != OA_IDLE))
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
	struct call_text offer = c->prack.offer;
	struct err e = {0};
	int err;

	c->prack.offer = (struct call_text){0};
	err = update_offer(leg_twin(in), (struct str){offer.p, offer.n}, &e);
	call_text_drop(&offer);
	if (err < 0)
		refuse(in, 503, e.text, "the other side could not be reached");
}

static void respond(struct leg *in)
{
	struct call *c = in->call;
	char buf[CALL_MESSAGE_MAX], text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct oa_refusal why = {.status = 500};
	struct sip_builder b;
	int err;

	c->prack.due = false;
	if (!c->prack.stx) {
		call_release(c, NULL, 408, "a PRACK with an offer was answered too late");
		return;
	}
	if (oa_answer_make(&in->oa, &leg_twin(in)->oa, &sdp, &why) < 0) {
		disagree(in, &why);
		return;
	}
	sip_build_response(
		&b, buf, sizeof buf, sip_stx_request(c->prack.stx), 200, NULL, str_z(in->local_tag));
	err = sip_build_end(&b, STR("application/sdp"), wbuf_view(&sdp));
	if (!err)
		err = sip_stx_respond(c->prack.stx, &b);
	mem_wipe(buf, sizeof buf);
	mem_wipe(text, sizeof text);
	/* What a full socket has lost is asked for again. */
	if (err < 0 && (err != -ENOBUFS || sip_transport_reliable(in->flow.transport))) {
		call_release(c, NULL, 500, "the answer to a PRACK could not be sent to the caller");
		return;
	}
	finish(c);
	legs_commit(c);
	log_info("call", "its session was changed before the answer", LZ("call", c->id));
	answer_go_on(in);
}

void prack_go_on(struct call *c)
{
	struct leg *in = &c->legs[DP_SIDE_A];

	if (c->state == CALL_ENDING || c->media.pending)
		return;
	if (c->prack.offer.p)
		send_offer(in);
	else if (c->prack.due)
		respond(in);
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
		c->prack.due = true;
		legs_program(c);
		prack_go_on(c);
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
	} else if (call_text_keep(&c->prack.offer, wbuf_view(&sdp)) < 0) {
		refuse(in, 500, "no memory", "no memory");
	} else {
		legs_program(c);
		prack_go_on(c);
	}
	mem_wipe(text, sizeof text);
}

static void change(struct leg *in, struct sip_stx *stx, struct str sdp)
{
	struct oa_refusal why = {.status = 488};
	int result;

	begin(in->call, stx);
	if (!settle(in))
		return;
	result = oa_offer_received(&in->oa, sdp, &why);
	if (result < 0) {
		leg_note_refusal(in, &why);
		refuse(in, (unsigned)why.status, why.reason.text, why.reason.text);
	} else if (result == 1) {
		answer(in); /* the same offer again: nobody else need be asked */
	} else {
		pass_on(in);
	}
}

void prack_offered(struct leg *in, struct sip_stx *stx, const struct sip_msg *m)
{
	struct str tag = str_z(in->local_tag), sdp = message_sdp(m);
	const char *why;
	unsigned status;

	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, tag))
		return;
	if (!sdp.n) {
		reply_refuse(stx, 415, NULL, "the body is not application/sdp", tag);
	} else if ((status = refusal(in, &why))) {
		note_refused(in, status, why);
		reply_refuse(stx, status, NULL, why, tag);
	} else {
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

/* What the caller hears: the called side's own words where they mean the same in the answer to a PRACK. */
static unsigned status_for_caller(const struct leg *out, unsigned status)
{
	if (!out->timer.peer_updates)
		return 488; /* it was UPDATE that was not liked */
	if (status < 400 || status == 401 || status == 407)
		return 502;
	return status == 422 || status == 487 ? 500 : status;
}

void prack_answered(struct leg *out, const struct sip_msg *m)
{
	struct str phrase = str_sub(m->reason, 0, 100);
	char why[CALL_REASON_MAX], outside[CALL_REASON_MAX];

	if (m->status < 300) {
		answered(out, m);
		return;
	}
	snprintf(why, sizeof why, "trunk %s answered %u %.*s to a change of the session", out->trunk->name,
		m->status, STR_ARG(phrase));
	snprintf(outside, sizeof outside, "the called side answered %u %.*s", m->status, STR_ARG(phrase));
	if (m->status == 408 || m->status == 481) {
		/* RFC 3261 section 12.2.1.2: the dialog is gone, or its peer is. */
		call_tell_outside(out->call, "%s", outside);
		call_release(out->call, NULL, 408, "%s", why);
		return;
	}
	refuse(leg_twin(out), status_for_caller(out, m->status), why, outside);
}

void prack_unanswered(struct leg *out, enum sip_tx_error error, const char *reason)
{
	call_tell_outside(out->call, "the other side could not be reached");
	call_release(out->call, NULL, error == SIP_TX_TIMEOUT ? 408 : 503,
		"trunk %s: a change of the session: %s", out->trunk->name, reason);
}
