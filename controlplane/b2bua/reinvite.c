/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers of our own, on one leg of a call that is up and without asking the other: they bring new keys where
 * those in force must not be used again or are due, and refresh sessions whose peer knows no UPDATE. They are
 * re-INVITEs, or UPDATEs where the trunk's rekey-policy says so and the peer takes them. Glare is settled as
 * RFC 3261 section 14.1 says.
 */
#include <errno.h>
#include <stddef.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define ANSWER_MS 32000 /* 64*T1: as long as a peer without any response is waited for */
#define TRIES 8
#define REACH_MS 32000 /* as long as there is no way to a peer whose answer must be had */
#define REACH_EVERY_MS 2000
#define REFRESH_EVERY_MS 10000 /* later, while the session has not expired */

static struct leg *leg_of(struct timer *t)
{
	return (struct leg *)((char *)t - offsetof(struct leg, own_timer));
}

static bool own_open(const struct leg *l)
{
	return l->own_invite || l->own_update;
}

bool reinvite_open(const struct call *c)
{
	return own_open(&c->legs[0]) || own_open(&c->legs[1]);
}

static void overdue(struct timer *t)
{
	struct leg *l = leg_of(t);

	call_tell_outside(l->call, "an offer of new keys was not answered");
	call_release(l->call, NULL, 408, "trunk %s did not answer an offer of new keys", l->trunk->name);
}

/* The session cannot go on as it is: its keys must not be used again, or its peer is in another one. */
static bool must_agree(const struct leg *l)
{
	return oa_keys_burnt(&l->oa) || l->astray;
}

static bool wanted(const struct leg *l)
{
	return must_agree(l) || l->timer.refresh_due || l->rekey.due;
}

static void again(struct timer *t)
{
	reinvite_start(leg_of(t)->call);
}

static void again_in(struct leg *l, uint32_t ms)
{
	timer_set(l->call->b->wheel, &l->own_timer, ms, again);
}

/*
 * An offer did not reach its peer, or nobody knows whether it did. That ends no dialog (RFC 3261 sections
 * 8.1.3.1 and 14.1: as a 503): the peer is asked again over a new connection.
 */
static void unreached(struct leg *l, const char *why)
{
	struct call *c = l->call;
	uint64_t now = timer_now_ms(c->b->wheel);

	if (!l->unreached_ms || now < l->unreached_ms + REACH_MS) {
		again_in(l, l->unreached_ms ? REACH_EVERY_MS : 0);
		if (!l->unreached_ms)
			l->unreached_ms = now;
		return;
	}
	if (must_agree(l)) {
		call_tell_outside(c, "the other side could not be reached");
		call_release(c, NULL, 503, "trunk %s: %s", l->trunk->name, why);
		return;
	}
	if (l->rekey.due)
		rekey_unsent(l, why);
	/* Until its session expires, which ends the call. */
	l->timer.refresh_due &= l->timer.interval_s > 0;
	if (c->state != CALL_ENDING && l->timer.refresh_due)
		again_in(l, REFRESH_EVERY_MS);
}

void reinvite_lost(struct leg *l)
{
	if (l->call->state != CALL_UP)
		return;
	revive_lost(l);
	l->timer.refresh_due = true;
	if (own_open(l) || timer_running(&l->own_timer))
		return;
	l->unreached_ms = timer_now_ms(l->call->b->wheel);
	again_in(l, 0);
}

/*
 * There is no way to the peer now, such as to a browser whose WebSocket is gone and that has not registered
 * again.
 */
void reinvite_unsent(struct leg *l, const char *why)
{
	struct call *c = l->call;

	l->own_invite = l->own_update = false;
	timer_cancel(c->b->wheel, &l->own_timer);
	c->waiting++;
	oa_rollback(&l->oa);
	l->rekey.offered = false;
	/* What only brings new keys has time. */
	if (l->rekey.due && !must_agree(l) && !l->timer.refresh_due && !l->unreached_ms)
		rekey_unsent(l, why);
	else
		unreached(l, why);
	legs_program(c);
	call_unwait(c);
}

static void offer_keys(struct leg *l)
{
	struct call *c = l->call;
	struct oa_refusal why = {.status = 500};
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct err e = {0};

	if ((l->rekey.due || oa_keys_burnt(&l->oa) ? oa_offer_rekey : oa_offer_refresh)(&l->oa, &sdp, &why) < 0) {
		call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
		goto out;
	}
	legs_program(c); /* media under the new key may be faster than the answer that brings it */
	if (c->state == CALL_ENDING)
		goto out;
	rekey_offered(l);
	l->own_update = l->trunk->rekey && l->trunk->rekey->by_update && l->timer.peer_updates && !l->update;
	l->own_invite = !l->own_update;
	if (invite_send(l, wbuf_view(&sdp), &e) < 0) {
		reinvite_unsent(l, e.text);
		goto out;
	}
	timer_set(c->b->wheel, &l->own_timer, ANSWER_MS, overdue);
out:
	mem_wipe(text, sizeof text);
}

void reinvite_start(struct call *c)
{
	if (c->b->leaving == LEAVING_NOW)
		return;
	c->waiting++;
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];

		if (!wanted(l))
			l->unreached_ms = 0;
		else if (c->state == CALL_UP && !c->exchange && !succession_pending(c) && !own_open(l) &&
			 !timer_running(&l->own_timer))
			offer_keys(l);
	}
	call_unwait(c);
}

/* The transaction is over, whatever came of it. False: so is the call. */
static bool transaction_over(struct leg *l)
{
	struct call *c = l->call;

	l->own_invite = l->own_update = false;
	timer_cancel(c->b->wheel, &l->own_timer);
	if (c->state != CALL_ENDING)
		return true;
	if (l->established)
		release_bye(l);
	leg_drop_ctx(l);
	return false;
}

void reinvite_answered(struct leg *l, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct oa_refusal why = {.status = 502};
	struct str body = message_sdp(m);

	if (!transaction_over(l))
		return;
	l->own_tries = 0;
	l->unreached_ms = 0;
	if (!body.n)
		body = (struct str){l->early_answer.p, l->early_answer.n};
	if (!body.n)
		err_set(&why.reason, EINVAL, "an offer of new keys was answered without SDP");
	if (!body.n || oa_answer_received(&l->oa, body, &why) < 0) {
		leg_note_refusal(l, &why);
		call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
		return;
	}
	call_text_drop(&l->early_answer);
	l->astray = false;
	legs_commit(c);
	if (l->ctx) /* of an INVITE before: what is agreed now was by UPDATE */
		sip_ctx_forget_answer(l->ctx);
	rekey_answered(l);
}

/* RFC 3261 section 14.1: who chose the Call-ID waits longer, so that the two do not meet again. */
uint32_t reinvite_back_off_ms(const struct leg *l)
{
	return l->dialog->uac ? 2100 + 10 * call_random(190) : 10 * call_random(200);
}

/* The session goes on as it is; when it is not refreshed in time, that ends it. */
static void refresh_refused(struct leg *l, const struct sip_msg *m)
{
	log_warn("call", "a session refresh was refused", LZ("call", l->call->id),
		LZ("trunk", l->trunk->name), LU("status", m->status));
	l->timer.refresh_due = false;
}

static void end(struct leg *l, enum sip_tx_error error, const char *reason, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct str phrase = m ? str_sub(m->reason, 0, 100) : STR("");

	if (m) {
		call_tell_outside(c, "an offer of new keys was refused: %u %.*s", m->status, STR_ARG(phrase));
		call_release(c, NULL, 503, "trunk %s refused an offer of new keys: %u %.*s", l->trunk->name,
			m->status, STR_ARG(phrase));
	} else {
		call_tell_outside(c, "an offer of new keys was not answered");
		call_release(c, NULL, error == SIP_TX_TIMEOUT ? 408 : 503, "trunk %s: %s", l->trunk->name,
			reason ? reason : "no answer");
	}
}

static bool met_with_glare(const struct sip_msg *m)
{
	return m->status == 491 || (m->status == 500 && sip_msg_hdr(m, SIP_H_RETRY_AFTER));
}

void reinvite_failed(struct leg *l, enum sip_tx_error error, const char *reason, const struct sip_msg *m)
{
	struct call *c = l->call;
	bool lost = !m || m->status == 408 || m->status == 481, unsure = !m && error == SIP_TX_TRANSPORT;
	bool by_update = l->own_update, keys = l->rekey.offered, must = must_agree(l);

	if (!transaction_over(l))
		return;
	c->waiting++;
	leg_drop_ctx(l); /* what follows may send the next one */
	oa_rollback(&l->oa);
	l->rekey.offered = false;
	if (m)
		l->unreached_ms = 0;
	if (m && met_with_glare(m) && ++l->own_tries < TRIES) {
		again_in(l, reinvite_back_off_ms(l));
	} else if (m && ((by_update && !l->timer.peer_updates) || session_timer_raise(l, m))) {
		again_in(l, 0);
	} else if (unsure) {
		if (!by_update)
			revive_lost(l);
		unreached(l, reason);
	} else if (lost || must) {
		end(l, error, reason, m);
	} else {
		l->own_tries = 0;
		if (l->timer.refresh_due)
			refresh_refused(l, m);
		if (keys)
			rekey_refused(l, m);
	}
	legs_program(c);
	call_unwait(c);
}
