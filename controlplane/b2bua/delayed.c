/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A delayed offer (RFC 3261 section 13.2.1, RFC 3264 section 4): an INVITE without a session description
 * becomes one on the other side. The offer comes back in its 2xx, which is not acknowledged before the answer
 * has come in the ACK to ours.
 */
#include <errno.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/message.h"
#include "lib/base/secret.h"

/* l: whose peer said what cannot be used. */
static void failed(struct leg *l, const struct oa_refusal *why)
{
	struct call *c = l->call;

	c->b->counters.failed_answer++;
	leg_note_refusal(l, why);
	call_release(c, NULL, (unsigned)why->status, "%s", why->reason.text);
}

void delayed_offered(struct leg *out, const struct sip_msg *m)
{
	struct leg *in = leg_twin(out);
	struct call *c = out->call;
	struct oa_refusal why = {.status = 502};
	char text[OA_BODY_MAX];
	struct wbuf sdp = wbuf_make(text, sizeof text);
	struct str body = message_sdp(m);
	struct err e = {0};

	if (!body.n) {
		err_set(&why.reason, EINVAL,
			"the called side was asked for an offer and answered without SDP");
		failed(out, &why);
	} else if (oa_offer_received(&out->oa, body, &why) < 0) {
		failed(out, &why);
	} else if (call_media_ports(&c->media, &e) < 0) {
		c->b->counters.refused_no_media_plane += c->initial;
		call_release(c, NULL, 503, "%s", e.text);
	} else if (oa_offer_make(&in->oa, &out->oa, &sdp, &why) < 0) {
		failed(out, &why);
	} else {
		legs_program(c);
		if (c->state != CALL_ENDING && in->ancestor)
			succession_offer(in, wbuf_view(&sdp));
		else if (c->state != CALL_ENDING)
			answer_due_offer(in, wbuf_view(&sdp));
	}
	mem_wipe(text, sizeof text);
}

void delayed_answered(struct leg *in, const struct sip_msg *ack)
{
	struct oa_refusal why = {.status = 488};
	struct str body = message_sdp(ack);

	if (!body.n) {
		err_set(&why.reason, EINVAL, "the ACK to an offer of ours has no answer");
		failed(in, &why);
	} else if (oa_answer_received(&in->oa, body, &why) < 0) {
		failed(in, &why);
	} else {
		answer_due_ack(leg_twin(in));
	}
}
