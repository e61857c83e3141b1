/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the offerer hears. A response or an ACK with our answer waits until the data plane has acknowledged
 * what the answer says: who hears it may speak at once, and not one of its packets is lost. So does our
 * offer, in an INVITE or a 200: who answers it may speak under new keys before the answer is here, and the
 * data plane holds such packets once it knows that keys are to come.
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/transfer/pickup.h"
#include "lib/base/clock.h"
#include "lib/base/secret.h"

/* Our answer to the offerer. The first time settles what it says, later ones repeat it. */
static bool make(struct leg *l, struct wbuf *w)
{
	struct call *c = l->call;
	struct oa_refusal why = {.status = 500};

	if (oa_answer_make(&l->oa, &leg_twin(l)->oa, w, &why) == 0)
		return true;
	c->b->counters.failed_answer++;
	call_release(c, NULL, (unsigned)why.status, "%s", why.reason.text);
	return false;
}

/* What was agreed is on its way to the data plane. False: the call is over. */
static bool prepare(struct leg *l)
{
	char text[OA_BODY_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	bool made = make(l, &w);

	mem_wipe(text, sizeof text);
	if (made)
		legs_program(l->call);
	return l->call->state != CALL_ENDING;
}

void answer_note(struct call *c)
{
	if (!c->initial || c->state >= CALL_ANSWERED)
		return;
	/* What is picked up has no INVITE whose 2xx ends this. */
	timer_cancel(c->b->wheel, &c->ring);
	c->state = CALL_ANSWERED;
	c->answered_ms = clock_wall_ms();
	c->b->counters.answered++;
	metrics_observe(&c->b->setup, clock_between_ms(c->began_ms, c->answered_ms) * 1000);
	for (unsigned side = 0; side < 2; side++)
		leg_trunk(&c->legs[side])->answered++;
	checkpoint_touch(c); /* it is not being set up any more */
}

bool answer_accept(struct leg *in, struct str sdp)
{
	struct call *c = in->call;
	int err;

	if (!c->initial)
		sip_dialog_refresh(in->dialog, sip_stx_request(in->stx));
	sip_dialog_confirm(in->dialog);
	in->awaiting_ack = true;
	err = reply_invite(in, 200, NULL, sdp);
	/* What was not even written leaves the INVITE open; what was lost on the way may have arrived. */
	in->established |= err != -EMSGSIZE && err != -ENOMEM;
	if (err < 0 && err != -EMSGSIZE && err != -ENOMEM && !c->initial && !leg_twin(in)->ack_due) {
		/* The other side has agreed: who asked is offered that when there is a way. */
		sip_stx_acked(in->stx);
		in->awaiting_ack = false;
		in->astray = true;
	} else if (err < 0) {
		in->awaiting_ack = false;
		call_release(c, NULL, 500, "the answer could not be sent to the caller");
		return false;
	}
	answer_note(c);
	return true;
}

/* From here on what was agreed holds. An UPDATE has no ACK: it is over. */
static void agree(struct leg *in, struct str sdp)
{
	struct call *c = in->call;
	bool update = sip_stx_request(in->stx)->method == SIP_UPDATE;
	/* Whoever was answered reliably while it rang does not read what this says (RFC 3261 section 13.2.1).
	 */
	bool unread = c->initial && sdp.n && in->reliable.agreed &&
		      in->reliable.version != (uint32_t)in->oa.version;
	bool over;

	c->waiting++;
	if (answer_accept(in, sdp)) {
		in->timer.refresh_due |= unread; /* so it is offered, once the ACK is there */
		legs_commit(c);
		if (c->initial)
			checkpoint_answered(c);
		over = update || !in->awaiting_ack;
		if (over) {
			in->awaiting_ack = false;
			leg_drop_stx(in);
		}
		if (over && c->state != CALL_ENDING)
			exchange_over(c);
	}
	call_unwait(c);
}

static void respond(struct leg *in)
{
	struct call_due due = in->call->due;
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);

	if (in->reliable.outstanding || in->call->early.open)
		return; /* its PRACK comes first, and what that is answered */
	in->call->due.status = 0;
	in->call->due.offer = (struct call_text){0};
	if (!in->stx) {
		/* An UPDATE whose sender has given up waiting: the two ends do not agree any more. */
		call_release(in->call, NULL, 408, "an UPDATE was answered too late");
	} else if (due.offer.p) {
		answer_accept(in, (struct str){due.offer.p, due.offer.n});
	} else if (!due.sdp || make(in, &sdp)) {
		if (due.status >= 200)
			agree(in, wbuf_view(&sdp));
		else
			reply_invite(in, due.status, due.phrase[0] ? due.phrase : NULL, wbuf_view(&sdp));
	}
	call_text_drop(&due.offer);
	mem_wipe(text, sizeof text);
}

/* Nothing that it says is still on its way to the data plane. */
static bool may_respond(const struct call *c)
{
	return !c->media.pending || !(c->due.sdp || c->due.offer.p);
}

void answer_due(struct leg *in, unsigned status, const char *phrase, bool sdp)
{
	struct call *c = in->call;

	if (sdp && !prepare(in))
		return;
	/* A later response takes the place of one that still waits, and its answer along. */
	c->due.sdp = sdp || (c->due.status && c->due.sdp);
	c->due.status = status;
	str_copy(c->due.phrase, sizeof c->due.phrase, str_z(phrase ? phrase : ""));
	if (may_respond(c))
		respond(in);
}

void answer_due_offer(struct leg *in, struct str offer)
{
	struct call *c = in->call;

	if (call_text_keep(&c->due.offer, offer) < 0) {
		call_release(c, NULL, 500, "no memory");
		return;
	}
	c->due.status = 200;
	c->due.sdp = false;
	if (may_respond(c))
		respond(in);
}

void answer_go_on(struct leg *in)
{
	const struct call *c = in->call;

	if (c->state != CALL_ENDING && c->due.status && may_respond(c))
		respond(in);
}

static void acknowledge(struct leg *out)
{
	struct call *c = out->call;
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);

	c->due.ack = false;
	if (make(out, &sdp)) {
		invite_ack(out, wbuf_view(&sdp));
		legs_commit(c);
		if (c->initial)
			checkpoint_answered(c);
		if (c->state != CALL_ENDING)
			exchange_over(c);
	}
	mem_wipe(text, sizeof text);
}

void answer_due_ack(struct leg *out)
{
	struct call *c = out->call;

	if (!prepare(out))
		return;
	c->due.ack = true;
	if (!c->media.pending)
		acknowledge(out);
}

void answer_settled(void *arg)
{
	struct call *c = arg;
	struct leg *in;

	c->waiting++;
	invite_go_on(&c->legs[0]);
	invite_go_on(&c->legs[1]);
	early_go_on(c);
	pickup_go_on(c);
	in = c->exchange;
	/* The offerer may have given up, or the call be over, in the meantime. */
	if (c->state == CALL_ENDING || !in)
		;
	else if (c->due.ack && leg_twin(in)->ack_due)
		acknowledge(leg_twin(in));
	else if (c->due.status && !in->awaiting_ack)
		respond(in);
	call_unwait(c);
}
