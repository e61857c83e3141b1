/* SPDX-License-Identifier: Apache-2.0 */
/* How calls end: once, on both sides, with a reason that each side and the operator can read. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/route/reason.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

void call_tell_outside(struct call *c, const char *text, ...)
{
	char line[CALL_REASON_MAX];
	va_list ap;

	if (c->state == CALL_ENDING)
		return;
	va_start(ap, text);
	vsnprintf(line, sizeof line, text, ap);
	va_end(ap);
	(void)call_hold(c, &c->end.outside, str_z(line));
}

/* Why, as this leg's peer may know it. */
static const char *told(const struct leg *l)
{
	const struct call_end *end = &l->call->end;

	return call_z(l->trunk->realm->trusted || !end->outside ? end->reason : end->outside);
}

/* What the peer that ended the call said of why, as this leg's peer may know it; NULL: nothing. */
static const char *peer_reason(const struct leg *l)
{
	const struct call_end *end = &l->call->end;

	return l->trunk->realm->trusted ? end->peer_reason : end->peer_reason_outside;
}

/* Somebody hung up or gave up; there is no fault to be told. */
static bool normal_clearing(const struct call *c)
{
	return c->end.status == 200 || c->end.peer_reason;
}

static void keep_reason(struct call *c, const char **out, const struct sip_msg *m, bool with_text)
{
	char text[CALL_REASON_MAX - 1];
	struct wbuf w = wbuf_make(text, sizeof text);

	reason_copy(&w, m, STR(""), with_text);
	(void)call_hold(c, out, w.overflow ? STR("") : wbuf_view(&w));
}

void call_keep_reason(struct call *c, const struct sip_msg *m)
{
	if (c->state == CALL_ENDING)
		return;
	keep_reason(c, &c->end.peer_reason, m, true);
	keep_reason(c, &c->end.peer_reason_outside, m, false);
}

void release_bye(struct leg *l)
{
	struct call *c = l->call;

	if (l->ended || l->ancestor)
		return;
	l->ended = true;
	invite_bye(l, l->dialog, c->end.status, normal_clearing(c) ? NULL : told(l), peer_reason(l));
}

static void answer_pending(struct leg *l)
{
	struct call *c = l->call;
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;
	unsigned status = c->end.status >= (c->initial ? 300 : 500) ? c->end.status : 487;
	const char *phrase = status == c->end.status ? c->end.phrase : NULL;

	responses_count(leg_trunk(l)->responses.sent, status);
	sip_build_response(&b, buf, sizeof buf, sip_stx_request(l->stx), status, phrase, str_z(l->local_tag));
	if (status != 487)
		reply_why(&b, status, told(l));
	if (l == c->exchange)
		passing_build(c, &b);
	if (c->contacts.p)
		sip_build_hdr(&b, SIP_H_CONTACT, (struct str){c->contacts.p, c->contacts.n});
	if (c->end.retry_after)
		sip_build_hdr_u32(&b, SIP_H_RETRY_AFTER, c->end.retry_after);
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(l->stx, &b) < 0)
		sip_stx_reply(l->stx, status, phrase, str_z(l->local_tag));
}

/* INVITEs of ours that are open: RFC 3261 section 9. Without the CANCEL they might stay open for ever. */
static void cancel_open(struct leg *l)
{
	struct call *c = l->call;
	char reason[CALL_REASON_MAX], line[CALL_REASON_MAX + 16];
	const char *said = peer_reason(l);

	if (said)
		snprintf(reason, sizeof reason, "%s", said);
	else
		snprintf(reason, sizeof reason, "SIP;cause=%u", c->end.status == 200 ? 487 : c->end.status);
	contacts_cancel(l, reason);
	if (!l->ctx || l->concluded)
		return;
	snprintf(line, sizeof line, "Reason: %s\r\n", reason);
	l->cancelled = true;
	sip_ctx_cancel(l->ctx, str_z(line));
}

static void release_leg(struct leg *l)
{
	if (l->ack_due && !l->ended)
		invite_ack(l, STR(""));
	if (l->stx && !l->awaiting_ack) {
		answer_pending(l);
		leg_drop_stx(l);
	}
	cancel_open(l);
	if (l->ctx && l->concluded)
		leg_drop_ctx(l);
	if (!l->established || l->ended || !l->dialog)
		return;
	/* RFC 3261 section 15: a callee sends no BYE before its 2xx is acknowledged. */
	if (l->awaiting_ack)
		l->bye_due = true;
	else
		release_bye(l);
}

/* Nothing more is begun on this leg. */
static void leg_quiet(struct leg *l)
{
	timer_cancel(l->call->b->wheel, &l->own_timer);
	contacts_stop(l);
	call_text_drop(&l->offer);
	session_timer_stop(l);
	nat_stop(l);
	rekey_stop(l);
	reliable_stop(l);
	reliable_forget(&l->reliable.prack);
	leg_drop_update(l);
}

static void note_rejection(struct call *c)
{
	struct trunk_state *s = leg_trunk(&c->legs[DP_SIDE_A]);

	s->rejected++;
	snprintf(s->last_reject, sizeof s->last_reject, "%u %.200s", c->end.status,
		call_z(c->end.reason));
	notice_refusal(c->b, s, c->end.status, call_z(c->end.reason));
}

void call_release(struct call *c, struct leg *by, unsigned status, const char *format, ...)
{
	bool refused = c->state < CALL_ANSWERED;
	char reason[CALL_REASON_MAX];
	va_list ap;

	if (c->state == CALL_ENDING)
		return;
	c->end.status = status;
	va_start(ap, format);
	vsnprintf(reason, sizeof reason, format, ap);
	va_end(ap);
	(void)call_hold(c, &c->end.reason, str_z(reason));
	c->state = CALL_ENDING;
	c->ended_ms = clock_wall_ms();
	c->waiting++;
	timer_cancel(c->b->wheel, &c->ring);
	call_text_drop(&c->due.offer);
	refer_forget(c);
	early_stop(c);
	for (unsigned side = 0; side < 2; side++)
		leg_quiet(&c->legs[side]);
	restore_forget(c);
	revive_forget(c);
	checkpoint_ended(c);
	if (refused && status >= 300 && status != 487 && c->legs[DP_SIDE_A].stx)
		note_rejection(c);
	log_at(status == 200 || status == 487 ? LOG_INFO : LOG_WARN, "call",
		refused && status >= 300 ? "refused" : "ended",
		LZ("call", c->id), LZ("from", call_z(c->from)), LZ("to", call_z(c->to)), LU("status", status),
		LZ("reason", reason), LZ("by", by ? by->trunk->name : "gateway"),
		LU("seconds", c->answered_ms ? clock_between_ms(c->answered_ms, c->ended_ms) / 1000 : 0));
	succession_ended(c);
	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].trunk)
			release_leg(&c->legs[side]);
	legs_close(c);
	call_unwait(c);
}

void release_in_bye(struct leg *in, struct sip_stx *stx)
{
	const char *side = in->side == DP_SIDE_A ? "calling" : "called";

	if (succession_left(in)) {
		sip_stx_reply(stx, 200, NULL, str_z(in->local_tag));
		return;
	}
	call_keep_reason(in->call, sip_stx_request(stx));
	sip_stx_reply(stx, 200, NULL, str_z(in->local_tag));
	/* RFC 3261 section 15 forbids a callee to do so early: its INVITE is cancelled all the same. */
	in->ended = in->established;
	in->call->waiting++;
	if (in->awaiting_ack) {
		sip_stx_acked(in->stx); /* a BYE says as much as the ACK that was lost */
		in->awaiting_ack = false;
		leg_drop_stx(in);
	}
	if (in->established || in->side == DP_SIDE_A)
		call_release(in->call, in, 200, "the %s side hung up%s%s", side,
			leg_dtls_refused(in)[0] ? "; its DTLS handshake was refused: " : "", leg_dtls_refused(in));
	else
		call_release(in->call, in, 480, "the called side hung up before it answered");
	call_unwait(in->call);
}
