/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the peers of a call that was taken over still have it? They are asked with an UPDATE, or with OPTIONS
 * where they know none, in the dialog: who has lost it answers 481 (RFC 3261 section 12.2.2), and the call
 * ends on the other side too. Whom no connection can be made to is waited for: he may have to call us. Who
 * answers a re-INVITE of the process before, or one that went with its connection, is in a session that
 * nobody else knows: he is offered the one that holds.
 */
#include <stddef.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/log.h"

#define FIRST_MS 1000 /* peers that noticed are back by then, and say BYE or refresh by themselves */
#define BATCH 25      /* calls, every PACE_MS: 1250 a second */
#define PACE_MS 20

static void lost(struct leg *l, const char *what)
{
	struct call *c = l->call;

	c->b->counters.ended_meanwhile++;
	call_tell_outside(c, "the other side has lost the call");
	call_release(c, NULL, 408, "trunk %s %s after a restart of the control plane", l->trunk->name, what);
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct leg *l = user;
	struct call *c = l->call;
	bool update = l->asked_with_update;

	(void)from;
	if (ctx != l->update || m->status < 200)
		return;
	c->waiting++;
	leg_drop_update(l);
	if (m->status == 481 || m->status == 408) {
		lost(l, m->status == 481 ? "did not know the call any more" : "did not answer for the call");
	} else if (m->status < 300 && update) {
		sip_dialog_refresh(l->dialog, m);
		session_timer_answered(l, m);
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
	if (error == SIP_TX_TIMEOUT)
		lost(l, "did not answer for the call");
	else
		log_warn("call", "a peer cannot be reached after a restart: its next request is waited for",
			LZ("call", c->id), LZ("trunk", l->trunk->name), LZ("reason", reason));
	call_unwait(c);
}

static void gone(void *user, struct sip_ctx *ctx)
{
	struct leg *l = user;

	if (l->update == ctx)
		l->update = NULL;
	call_unwait(l->call);
}

static const struct sip_ctx_ops ops = {.response = response, .failed = failed, .gone = gone};

static void ask(struct leg *l)
{
	struct call *c = l->call;
	struct sip_flow flow = invite_dialog_flow(c->b, l->dialog);
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;

	l->asked_with_update = l->timer.peer_updates;
	sip_dialog_build(l->dialog, &r, buf, sizeof buf, l->asked_with_update ? SIP_UPDATE : SIP_OPTIONS);
	reply_contact(&r, l);
	if (l->asked_with_update) {
		sip_build_hdr(&r, SIP_H_SUPPORTED, STR("timer"));
		session_timer_ask(l, &r);
	}
	auth_put(l, &r);
	if (sip_build_end(&r, STR(""), STR("")) == 0 &&
		sip_ctx_send(c->b->txl, &r, &flow, &ops, l, &l->update) == 0) {
		auth_follow(l, l->update);
		c->waiting++;
	}
}

static void revive(struct timer *t)
{
	struct b2bua *b = (struct b2bua *)((char *)t - offsetof(struct b2bua, revive));
	struct call *c;

	for (unsigned i = 0; i < BATCH && (c = TAILQ_FIRST(&b->unsure)) != NULL; i++) {
		revive_forget(c);
		c->waiting++;
		for (unsigned side = 0; side < 2; side++)
			if (c->state == CALL_UP && !c->legs[side].update)
				ask(&c->legs[side]);
		call_unwait(c);
	}
	if (!TAILQ_EMPTY(&b->unsure))
		timer_set(b->wheel, t, PACE_MS, revive);
}

void revive_later(struct call *c)
{
	struct b2bua *b = c->b;

	c->unsure = true;
	TAILQ_INSERT_TAIL(&b->unsure, c, unsure_entry);
	if (!timer_running(&b->revive))
		timer_set(b->wheel, &b->revive, FIRST_MS, revive);
}

void revive_forget(struct call *c)
{
	if (c->unsure)
		TAILQ_REMOVE(&c->b->unsure, c, unsure_entry);
	c->unsure = false;
}

void revive_lost(struct leg *l)
{
	l->before.last_seq = l->dialog->invite_seq;
	l->before.answered_seq = l->agreed_seq;
}

void revive_answered(struct leg *l, const struct sip_msg *m)
{
	struct call *c = l->call;

	if (c->state != CALL_UP || !l->before.last_seq || m->cseq > l->before.last_seq)
		return;
	invite_ack_before(l, m->cseq);
	if (m->cseq <= l->before.answered_seq || m->cseq <= l->agreed_seq)
		return; /* again: our ACK was lost; or another was agreed on since */
	l->before.answered_seq = m->cseq;
	log_warn("call", "a re-INVITE that nobody waits for was answered: the session is offered anew",
		LZ("call", c->id), LZ("trunk", l->trunk->name));
	sip_dialog_refresh(l->dialog, m);
	l->astray = true;
	reinvite_start(c);
}
