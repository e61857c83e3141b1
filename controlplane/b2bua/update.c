/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UPDATE (RFC 3311). A peer's without a session description refreshes its leg; with one it changes the
 * session as a re-INVITE does, and becomes one on the other side; before the call is answered see early.c. Ours
 * refresh, offer new keys, or are what an offer before the answer becomes.
 */
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/secret.h"

static void refreshed(struct leg *l, struct sip_stx *stx, const struct sip_msg *m)
{
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;

	sip_dialog_refresh(l->dialog, m);
	sip_build_response(&b, buf, sizeof buf, m, 200, NULL, str_z(l->local_tag));
	reply_contact(&b, l);
	session_timer_agree(l, &b);
	if (!l->established)
		session_timer_stop(l); /* how long it rings is not its affair */
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(stx, &b) < 0)
		sip_stx_reply(stx, 500, NULL, str_z(l->local_tag));
}

void update_received(struct leg *l, struct sip_stx *stx, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct str tag = str_z(l->local_tag);

	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, tag))
		return;
	if (session_timer_too_small(m)) {
		reply_refuse(stx, 422, NULL, "Session-Expires is too small", tag);
	} else if (message_bare(m)) {
		session_timer_asked(l, m);
		refreshed(l, stx, m);
	} else if (!message_sdp(m).n) {
		reply_refuse(stx, 415, NULL, message_why_no_sdp(m), tag);
	} else if (c->initial && c->state < CALL_ANSWERED) {
		early_offered(l, stx, m);
	} else if (c->exchange == l) {
		reply_refuse(stx, 500, NULL, "the previous offer of this dialog is not finished", tag);
	} else if (c->exchange || reinvite_open(c) || succession_pending(c) || c->state != CALL_UP) {
		reply_refuse(stx, 491, NULL, "an offer of ours is pending in this dialog", tag);
	} else if (c->b->leaving == LEAVING_NOW) {
		reply_refuse(stx, 491, NULL, b2bua_ends(c->b), tag);
	} else {
		session_timer_asked(l, m);
		leg_take_stx(l, stx);
		c->exchange = l;
		exchange_begin(l, m);
	}
}

/* What UPDATE did not do a re-INVITE may. */
static void fall_back(struct leg *l)
{
	l->timer.peer_updates = false;
	l->timer.refresh_due = true;
	reinvite_start(l->call);
}

/* Statuses of a peer that does not take offers this way: a re-INVITE may do (RFC 3311 section 5.2). */
static bool takes_no_offers(unsigned status)
{
	return status == 405 || status == 415 || status == 420 || status == 501 || status == 504;
}

/* The answer to an offer of ours, or none. */
static void offer_response(struct leg *l, const struct sip_msg *m)
{
	if (m->status < 300) {
		sip_dialog_refresh(l->dialog, m);
		session_timer_answered(l, m);
		reinvite_answered(l, m);
		return;
	}
	if (takes_no_offers(m->status))
		l->timer.peer_updates = false;
	reinvite_failed(l, 0, NULL, m);
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct leg *l = user;
	struct call *c = l->call;

	(void)from;
	if (ctx != l->update || m->status < 200)
		return;
	c->waiting++;
	leg_drop_update(l);
	if (early_asks(l)) {
		if (takes_no_offers(m->status))
			l->timer.peer_updates = false;
		early_answered(l, m);
	} else if (l->own_update) {
		offer_response(l, m);
	} else if (m->status < 300) {
		sip_dialog_refresh(l->dialog, m);
		session_timer_answered(l, m);
	} else if (m->status == 408 || m->status == 481) {
		call_tell_outside(c, "the other side has lost the call");
		call_release(
			c, NULL, 408, "trunk %s answered %u to a session refresh", l->trunk->name, m->status);
	} else if (session_timer_raise(l, m)) {
		update_send(l);
	} else {
		fall_back(l);
	}
	call_unwait(c);
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct leg *l = user;
	struct call *c = l->call;

	if (ctx != l->update)
		return;
	c->waiting++;
	leg_drop_update(l);
	if (early_asks(l)) {
		early_unanswered(l, error, reason);
	} else if (l->own_update) {
		reinvite_failed(l, error, reason, NULL);
	} else if (error == SIP_TX_TRANSPORT) {
		reinvite_lost(l);
	} else {
		call_tell_outside(c, "the other side could not be reached");
		call_release(c, NULL, 408, "trunk %s: session refresh: %s", l->trunk->name, reason);
	}
	call_unwait(c);
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct leg *l = user;

	if (l->update == ctx)
		l->update = NULL;
	call_unwait(l->call);
}

static const struct sip_ctx_ops update_ops = {
	.response = response,
	.failed = failed,
	.gone = gone,
};

static int transmit(struct leg *l, struct str sdp)
{
	struct b2bua *b = l->call->b;
	struct sip_flow flow = invite_dialog_flow(b, l->dialog);
	char buf[CALL_MESSAGE_MAX];
	struct sip_builder r;
	int err;

	leg_drop_update(l);
	sip_dialog_build(l->dialog, &r, buf, sizeof buf, SIP_UPDATE);
	reply_contact(&r, l);
	sip_build_hdr(&r, SIP_H_SUPPORTED, STR("timer"));
	if (l->established || !early_asks(l)) /* how long it rings is not its affair */
		session_timer_ask(l, &r);
	auth_put(l, &r);
	err = sip_build_end(&r, sdp.n ? STR("application/sdp") : STR(""), sdp);
	if (err == 0)
		err = sip_ctx_send(b->txl, &r, &flow, &update_ops, l, &l->update);
	if (err >= 0) {
		l->call->waiting++;
		auth_follow(l, l->update);
	}
	mem_wipe(buf, sizeof buf);
	return err;
}

void update_send(struct leg *l)
{
	/* An offer that is out refreshes too. */
	if (!l->own_update && !early_asks(l) && transmit(l, STR("")) < 0)
		reinvite_lost(l);
}

int update_offer(struct leg *l, struct str sdp, struct err *e)
{
	int err = transmit(l, sdp);

	return err < 0 ? err_set(e, err, "the UPDATE could not be sent to %s: %s", call_z(l->remote), strerror(-err))
		       : 0;
}
