/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/transfer/pickup.h"

#include <errno.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/transfer/succession.h"
#include "controlplane/obs/trace.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

/* RFC 3326 section 2: phones that stop ringing for this show no missed call. */
#define ELSEWHERE "SIP;cause=200;text=\"Call completed elsewhere\""

const char *pickup_hindered(const struct leg *caller, unsigned *status)
{
	const struct call *c = caller->call;

	*status = 500;
	if (!caller->stx || caller->heir)
		return "another transfer of this call is under way";
	if (c->early.open)
		return "a change of this call is under way";
	*status = 488;
	if (c->delayed)
		return "the caller has made no offer that could be answered";
	if (c->early.settled)
		return "the caller's session was changed while it rings";
	if (c->early_media && caller->trunk->keep_keys && caller->trunk->srtp != CONFIG_SRTP_NONE)
		return "the caller has heard early media and is deaf under new keys (reinvite-keys own-leg "
		       "of its trunk)";
	return succession_configured(caller, status);
}

void pickup_borrow(struct leg *to, struct leg *caller)
{
	succession_borrow(to, caller);
	to->dialog = NULL;
	to->established = false;
	to->call->pickup = true;
}

static void give_up(struct leg *l, const struct oa_refusal *why)
{
	struct call *c = l->call;

	leg_note_refusal(l, why);
	c->b->counters.refused_media++;
	call_release(c, NULL, (unsigned)why->status, "%s", why->reason.text);
}

/* Our answer to the leg's offer. False: there is none, and the call is over. */
static bool make(struct leg *l, struct wbuf *w)
{
	struct oa_refusal why = {.status = 500};

	if (oa_answer_make(&l->oa, &leg_twin(l)->oa, w, &why) == 0)
		return true;
	give_up(l, &why);
	return false;
}

/* Both answers are settled, and said when the data plane holds what they say. */
static void answer_both(struct call *c)
{
	char text[OA_BODY_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	bool made = make(&c->legs[DP_SIDE_A], &w);

	w = wbuf_make(text, sizeof text);
	made = made && make(&c->legs[DP_SIDE_B], &w);
	mem_wipe(text, sizeof text);
	if (!made)
		return;
	c->pickup_due = true;
	legs_program(c);
	pickup_go_on(c);
}

static void offer(struct leg *in)
{
	struct oa_refusal why = {.status = 488};
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);

	if (oa_offer_make(&in->oa, &leg_twin(in)->oa, &sdp, &why) < 0) {
		give_up(in, &why);
	} else {
		legs_program(in->call);
		if (in->call->state != CALL_ENDING)
			answer_due_offer(in, wbuf_view(&sdp));
	}
	mem_wipe(text, sizeof text);
}

void pickup_begin(struct leg *in, const struct sip_msg *m)
{
	struct leg *l = leg_twin(in);
	struct call *c = in->call;
	struct oa_refusal why = {.status = 488};
	struct err e = {0};

	c->delayed = message_bare(m);
	if (legs_open(c, &e) < 0) {
		c->b->counters.refused_no_media_plane++;
		call_release(c, NULL, 503, "%s", e.text);
	} else if (oa_offer_received(&l->oa, message_sdp(sip_stx_request(l->ancestor->stx)), &why) < 0) {
		give_up(l, &why);
	} else if (!c->delayed && oa_offer_received(&in->oa, message_sdp(m), &why) < 0) {
		give_up(in, &why);
	} else if (call_media_ports(&c->media, &e) < 0) {
		c->b->counters.refused_no_media_plane++;
		call_release(c, NULL, 503, "%s", e.text);
	} else if (c->delayed) {
		offer(in);
	} else {
		answer_both(c);
	}
}

/* The dialog that our answer to the caller makes. */
static int make_dialog(struct leg *l, struct leg *caller)
{
	const struct sip_msg *m = sip_stx_request(caller->stx);
	int err;

	if (caller->reliable.sent || caller->call->early_media)
		sip_token_make(l->local_tag);
	err = sip_dialog_new_uas(m, str_z(l->local_tag), &caller->dialog->flow, &l->dialog);
	nat_stop(caller);
	reliable_stop(caller);
	fork_clear(caller);
	if (err < 0)
		return err;
	l->flow = l->dialog->flow;
	l->dialog->user = l;
	return sip_dialogs_add(l->call->b->dialogs, l->dialog);
}

/* The caller's INVITE is this call's from now on. The call that it leaves; NULL: there is none, and this one
 * is over. */
static struct call *take_over(struct leg *l)
{
	struct leg *caller = l->ancestor;
	struct call *c = l->call, *was = caller->call;
	struct sip_stx *stx = caller->stx;
	int err;

	if (!stx || was->state > CALL_RINGING) {
		call_release(c, NULL, 480, "the call to be picked up was answered meanwhile");
		return NULL;
	}
	err = make_dialog(l, caller);
	l->ancestor = NULL;
	caller->heir = NULL;
	caller->ended = true;
	leg_drop_stx(caller);
	leg_take_stx(l, stx);
	session_timer_asked(l, sip_stx_request(stx));
	nat_watch(l);
	if (c->b->trace)
		trace_bind(c->b->trace, sip_stx_request(stx)->call_id, c->id, 'b');
	c->b->counters.replaced++;
	log_info("call", "picked up", LZ("call", was->id), LZ("as", c->id), LZ("from", call_z(c->from)),
		LZ("to", call_z(c->to)));
	if (err < 0)
		call_release(c, NULL, 500, "no dialog could be made with the caller: %s", strerror(-err));
	return was;
}

/* What rings is cancelled. Its call may be gone afterwards. */
static void stop_ringing(struct call *was, const struct call *c)
{
	(void)call_hold(was, &was->end.peer_reason, STR(ELSEWHERE));
	(void)call_hold(was, &was->end.peer_reason_outside, STR(ELSEWHERE));
	call_release(was, NULL, 200, "picked up: goes on as call %s", c->id);
	call_unwait(was);
}

static bool answer_leg(struct leg *l)
{
	char text[OA_BODY_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	bool done = make(l, &w) && answer_accept(l, wbuf_view(&w));

	mem_wipe(text, sizeof text);
	return done;
}

void pickup_go_on(struct call *c)
{
	struct leg *in = &c->legs[DP_SIDE_A], *l = leg_twin(in);
	struct call *was;

	if (!c->pickup_due || c->media.pending || c->state == CALL_ENDING)
		return;
	c->pickup_due = false;
	c->waiting++;
	was = take_over(l);
	if (c->state != CALL_ENDING && (c->delayed || answer_leg(in)) && answer_leg(l))
		legs_commit(c);
	if (was)
		stop_ringing(was, c);
	call_unwait(c);
}

void pickup_acked(struct leg *in, const struct sip_msg *ack)
{
	struct call *c = in->call;
	struct oa_refusal why = {.status = 488};
	struct str body = message_sdp(ack);

	if (leg_twin(in)->awaiting_ack)
		return;
	if (!leg_twin(in)->ancestor) {
		c->pickup = false;
		exchange_over(c);
		return;
	}
	if (!body.n)
		err_set(&why.reason, EINVAL, "the ACK to an offer of ours has no answer");
	if (!body.n || oa_answer_received(&in->oa, body, &why) < 0) {
		give_up(in, &why);
		return;
	}
	c->pickup_due = true;
	legs_program(c);
	pickup_go_on(c);
}
