/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/transfer/succession.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/obs/trace.h"
#include "lib/base/log.h"

#define TRIES 8 /* of a re-INVITE that meets with glare */

static const struct config_listener *listener_now(const struct leg *l)
{
	const struct b2bua_generation *g = l->call->b->now;

	for (uint32_t i = 0; i < g->config->n_listeners; i++)
		if (!strcmp(g->config->listeners[i].name, l->listener->name))
			return g->listeners[i] ? &g->config->listeners[i] : NULL;
	return NULL;
}

const char *succession_configured(const struct leg *from, unsigned *status)
{
	*status = 480;
	if (!config_trunk_named(from->call->b->now->config, from->trunk->name) || !listener_now(from))
		return "the trunk or the listener of the other side is not configured any more";
	return NULL;
}

const char *succession_hindered(const struct leg *from, unsigned *status)
{
	const struct call *c = from->call;

	*status = c->state == CALL_ENDING ? 481 : 491;
	if (c->state != CALL_UP)
		return "a call that is not up cannot be transferred";
	if (succession_pending(c))
		return "another transfer of this call is under way";
	if (c->exchange || reinvite_open(c) || c->legs[0].astray || c->legs[1].astray)
		return "a change of this call is under way";
	*status = 488;
	if (from->trunk->keep_keys && leg_keyed_mask(from))
		return "the other side is deaf under new keys (reinvite-keys own-leg of its trunk)";
	return succession_configured(from, status);
}

bool succession_pending(const struct call *c)
{
	return c->legs[0].heir || c->legs[1].heir;
}

static void note_names(struct leg *to, const struct leg *from)
{
	struct call *c = to->call, *was = from->call;
	const char *party = from->side == DP_SIDE_A ? was->from : was->to;

	(void)call_hold(c, to->side == DP_SIDE_A ? &c->from : &c->to, str_z(party));
	memcpy(c->predecessor[to->side], was->id, CALL_ID_TEXT);
	memcpy(was->successor, c->id, CALL_ID_TEXT);
}

void succession_borrow(struct leg *to, struct leg *from)
{
	to->trunk = config_trunk_named(to->call->config, from->trunk->name);
	to->listener = listener_now(from);
	to->dialog = from->dialog;
	to->flow = from->dialog->flow;
	to->established = true;
	to->invite_cseq = from->invite_cseq;
	memcpy(to->local_tag, from->local_tag, sizeof to->local_tag);
	memcpy(to->call_id, from->call_id, sizeof to->call_id);
	(void)call_hold(to->call, &to->local_uri, str_z(from->local_uri));
	(void)call_hold(to->call, &to->remote_uri, str_z(from->remote_uri));
	(void)call_hold(to->call, &to->tls, str_z(from->tls));
	(void)call_hold(to->call, &to->remote, str_z(from->remote));
	(void)call_hold(to->call, &to->peer_name, str_z(from->peer_name));
	(void)call_hold(to->call, &to->peer_fingerprint, str_z(from->peer_fingerprint));
	to->timer.interval_s = from->timer.interval_s;
	to->timer.min_s = from->timer.min_s;
	to->timer.ours = from->timer.ours;
	to->timer.peer_updates = from->timer.peer_updates;
	to->ancestor = from;
	from->heir = to;
	from->call->waiting++;
	note_names(to, from);
}

static void again(struct timer *t)
{
	struct leg *l = (struct leg *)((char *)t - offsetof(struct leg, own_timer));
	struct call_text offer = l->again;
	struct err e = {0};
	int err;

	l->again = (struct call_text){0};
	err = invite_send(l, (struct str){offer.p, offer.n}, &e);
	if (err < 0)
		exchange_unsent(l, err, e.text);
	call_text_drop(&offer);
}

bool succession_retry(struct leg *l, const struct sip_msg *m)
{
	if (!l->ancestor || !m || m->status != 491 || ++l->own_tries >= TRIES)
		return false;
	timer_set(l->call->b->wheel, &l->own_timer, reinvite_back_off_ms(l), again);
	return true;
}

bool succession_lost(struct leg *l, enum sip_tx_error error, const struct sip_msg *m, const char *why)
{
	struct call *was = l->ancestor ? l->ancestor->call : NULL;

	/* RFC 3261 section 12.2.1.2 */
	if (!was || (m && m->status != 408 && m->status != 481))
		return false;
	/* Only its connection is: the call that it was in goes on, and offers it what holds. */
	if (!m && error == SIP_TX_TRANSPORT) {
		reinvite_lost(l->ancestor);
		return false;
	}
	call_tell_outside(was, "the other side has lost the call");
	call_release(was, NULL, 408, "%s", why);
	return true;
}

void succession_offer(struct leg *in, struct str sdp)
{
	struct err e = {0};
	int err;

	in->joining = true;
	err = invite_send(in, sdp, &e);
	if (err < 0)
		exchange_unsent(in, err, e.text);
}

void succession_answered(struct leg *l, const struct sip_msg *m)
{
	struct call *c = l->call;
	struct oa_refusal why = {.status = 502};
	struct str body = message_sdp(m);

	l->switched = true;
	l->joining = false;
	if (c->state == CALL_ENDING) {
		leg_drop_ctx(l);
		return;
	}
	if (!body.n)
		body = (struct str){l->early_answer.p, l->early_answer.n};
	if (!body.n)
		err_set(&why.reason, EINVAL, "a re-INVITE with an offer was answered without SDP");
	if (!body.n || oa_answer_received(&l->oa, body, &why) < 0) {
		c->b->counters.failed_answer++;
		leg_note_refusal(l, &why);
		call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
		return;
	}
	call_text_drop(&l->early_answer);
	answer_note(c);
	answer_due_ack(leg_twin(l));
}

void succession_failed(struct leg *l, enum sip_tx_error error, const char *reason, const struct sip_msg *m)
{
	struct call *c = l->call;
	char why[CALL_REASON_MAX];

	if (c->state == CALL_ENDING) {
		leg_drop_ctx(l);
		return;
	}
	c->waiting++;
	leg_drop_ctx(l);
	if (!succession_retry(l, m)) {
		if (m)
			snprintf(why, sizeof why, "trunk %s did not take the re-INVITE: %u %.*s",
				l->trunk->name, m->status, STR_ARG(str_sub(m->reason, 0, 100)));
		else
			snprintf(why, sizeof why, "trunk %s: %.200s", l->trunk->name,
				reason ? reason : "no answer");
		succession_lost(l, error, m, why);
		call_tell_outside(c, "the other side could not be connected");
		call_release(c, NULL, 480, "%s", why);
	}
	call_unwait(c);
}

void succession_progress(struct call *c, const struct sip_msg *m)
{
	refer_progress(c->legs[DP_SIDE_A].ancestor->call, m->status, m->reason);
}

static void take_over(struct leg *l)
{
	struct leg *from = l->ancestor;
	struct call *c = l->call;

	l->ancestor = NULL;
	l->switched = false;
	l->own_tries = 0;
	call_text_drop(&l->again);
	/* What was sent in the dialog before is still answered, to whoever has it now. */
	l->before = from->before;
	if (l->agreed_seq < from->agreed_seq)
		l->agreed_seq = from->agreed_seq;
	from->heir = NULL;
	from->dialog = NULL;
	from->ended = true;
	nat_stop(from);
	l->dialog->user = l;
	nat_watch(l);
	if (c->b->trace)
		trace_bind(c->b->trace, l->dialog->call_id, c->id, l->side == DP_SIDE_A ? 'a' : 'b');
}

void succession_done(struct call *c)
{
	struct call *was[2] = {NULL, NULL};

	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].ancestor) {
			was[side] = c->legs[side].ancestor->call;
			take_over(&c->legs[side]);
		}
	for (unsigned side = 0; side < 2; side++) {
		if (!was[side])
			continue;
		log_info("call", "goes on as another call", LZ("call", was[side]->id), LZ("as", c->id),
			LZ("from", call_z(c->from)), LZ("to", call_z(c->to)));
		c->b->counters.replaced += !was[side]->refer.executing && !was[!side];
		refer_succeeded(was[side]);
		call_release(was[side], NULL, 200, "goes on as call %s", c->id);
		call_unwait(was[side]);
	}
}

/* What the party of the old call that is left hears and becomes. */
static void go_on_as_before(struct leg *from, const struct call *failed)
{
	struct call *c = from->call;
	unsigned status = failed->end.status >= 300 ? failed->end.status : 480;

	c->successor[0] = '\0';
	log_warn("call", "was to go on as another call, which failed", LZ("call", c->id),
		LZ("as", failed->id), LU("status", status), LZ("reason", call_z(failed->end.reason)));
	refer_failed(c, status, call_z(failed->end.phrase));
	if (leg_twin(from)->ended) {
		call_tell_outside(c, "the transfer failed, and who asked for it has left");
		call_release(c, NULL, status, "the transfer failed (%.150s), and who asked for it has left",
			call_z(failed->end.reason));
	} else {
		reinvite_start(c);
	}
}

static void give_back(struct leg *l)
{
	struct leg *from = l->ancestor;
	struct call *was = from->call;

	l->ancestor = NULL;
	l->dialog = NULL;
	l->ended = true;
	call_text_drop(&l->again);
	from->heir = NULL;
	from->astray |= l->switched;
	if (!l->call->pickup)
		oa_leg_resume(&from->oa, &l->oa);
	if (was->state != CALL_ENDING)
		go_on_as_before(from, l->call);
	call_unwait(was);
}

void succession_return(struct call *c)
{
	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].ancestor && !c->legs[side].ctx)
			give_back(&c->legs[side]);
}

void succession_ended(struct call *c)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct leg *heir = c->legs[side].heir;

		if (!heir)
			continue;
		call_tell_outside(heir->call, "the party to be connected has left");
		call_release(heir->call, NULL, 480, "call %s, which it was to take over, has ended: %.150s",
			c->id, call_z(c->end.reason));
	}
}

bool succession_left(struct leg *in)
{
	struct call *c = in->call;

	if (c->state != CALL_UP || !leg_twin(in)->heir)
		return false;
	in->ended = true;
	session_timer_stop(in);
	rekey_stop(in);
	refer_left(c, in);
	log_info("call", "one side left while the other is transferred", LZ("call", c->id),
		LZ("trunk", in->trunk->name), LZ("as", c->successor));
	return true;
}

void succession_forget(struct call *c)
{
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];

		if (l->ancestor)
			give_back(l);
		if (l->heir) {
			l->heir->ancestor = NULL;
			l->heir->dialog = NULL;
			l->heir = NULL;
		}
	}
}
