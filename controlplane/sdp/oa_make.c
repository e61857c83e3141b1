/* SPDX-License-Identifier: Apache-2.0 */
/* Making our offers and answers out of what the other leg's peer said. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

enum { WARN_ADDRESS = 301, WARN_OTHER = OA_WARN_OTHER };

/* Ports there, and of the family that the peer uses? */
static int check_local(const struct oa_leg *leg, const struct oa_exchange *x, struct oa_refusal *r)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		const struct oa_media *om = &x->media[i];

		if (!om->open)
			continue;
		if (!oa_local_of(leg, i)->set)
			return oa_refuse(r, EADDRNOTAVAIL, 500, 0, "m-line %u has no media port", i + 1);
		if (om->remote.ip.family != IP_NONE && om->remote.ip.family != oa_local_of(leg, i)->rtp.ip.family)
			return oa_refuse(r, EAFNOSUPPORT, 488, WARN_ADDRESS,
				"m-line %u: there is no media address of the peer's address family", i + 1);
	}
	return 0;
}

const struct agreement_method *oa_method_of(const struct oa_leg *leg, unsigned t)
{
	const struct agreement *before = oa_keys_before(leg, t);

	return before ? before->method : leg->policy.method;
}

static int check_hop(const struct oa_leg *leg, struct oa_refusal *r)
{
	const struct oa_policy *p = &leg->policy;

	if (p->security == OA_SECURITY_REQUIRED && oa_method_of(leg, 0)->needs_secure_hop && !p->hop_encrypted)
		return oa_refuse(r, ENOKEY, 488, WARN_OTHER,
			"keys in SDP (%s) may not be sent over a signalling hop that is not encrypted",
			oa_method_of(leg, 0)->name);
	return 0;
}

/* Is there to be a key for transport i in our offer? */
static bool offers_keys(const struct oa_leg *leg, unsigned i)
{
	const struct oa_policy *p = &leg->policy;
	bool stands = i < leg->n_media && leg->media[i].open && !leg->media[i].keys;

	if (p->security != OA_SECURITY_OPTIONAL)
		return p->security == OA_SECURITY_REQUIRED;
	/* What was agreed to be clear stays so until the peer offers more. */
	return (p->hop_encrypted || !p->method->needs_secure_hop) && !stands;
}

/* Keys for transport i of our offer: fresh ones, but for peers that take no others when keep is set. */
static int offer_keys(
	const struct oa_leg *leg, struct oa_media *om, unsigned i, bool again, struct oa_refusal *r)
{
	struct keying_policy policy = leg->policy.keying;
	struct err e = {"out of memory"};
	int rc;

	om->keys = NULL;
	if (!om->open || !offers_keys(leg, i))
		return 0;
	policy.again = again;
	policy.renew = oa_is_burnt(leg, oa_keys_before(leg, i));
	policy.keep = policy.keep && !policy.renew && oa_is_known(oa_keys_before(leg, i));
	rc = oa_method_of(leg, i)->create(&policy, &om->keys);
	if (rc == 0)
		rc = om->keys->method->offer(om->keys, oa_keys_before(leg, i), &e);
	return rc < 0 ? oa_refuse(r, -rc, 500, 0, "m-line %u: %s", i + 1, e.text) : 0;
}

/* Completes and writes our offer x, which becomes the leg's outstanding one; or frees it. */
static int send_offer(
	struct oa_leg *leg, struct oa_exchange *x, char *content, struct wbuf *w, struct oa_refusal *r)
{
	int rc;

	for (unsigned i = 0; i < x->n_media; i++) {
		x->media[i].ice = x->media[i].open && oa_ice_offers(leg, i);
		x->offered[i].ice = x->media[i].ice;
		x->offered[i].used = x->media[i].used;
		x->offered[i].transport = x->media[i].transport;
		x->offered[i].mux = x->media[i].mux;
		x->offered[i].direction = x->media[i].direction;
	}
	if (content && oa_ice_choose(leg, x) == 0) {
		rc = oa_emit(leg, x, content, w, r);
	} else {
		rc = oa_refuse(r, ENOMEM, 500, 0,
			content ? "no random numbers" : "no memory for a session description, or it is too long");
		free(content);
	}
	if (rc < 0) {
		oa_exchange_free(x);
		return rc;
	}
	leg->pending = x;
	leg->state = OA_OFFER_SENT;
	return 0;
}

/*
 * Is our offer to be in the feedback profile? Browsers write SAVPF and congestion control for speech as a
 * matter of course, and so do phones (Linphone); peers that know nothing of RFC 4585 would refuse such an
 * offer for nothing. Pictures need it, and some peers take nothing else: those are known by their policy.
 */
static bool wants_feedback(const struct oa_leg *to, const struct oa_exchange *got, unsigned i, bool by_dtls)
{
	const struct sdp_media *m = &got->remote->media[i];
	const struct sdp_proto_info *from = sdp_proto_info(got->media[i].proto);
	bool video = m->kind == SDP_VIDEO, asks = video && sdp_attr_find(got->remote, m, STR("rtcp-fb"));

	/* A session keeps its profile: who began without takes no other. */
	if (i < to->n_media && to->media[i].used)
		return sdp_proto_info(to->media[i].proto)->feedback;
	if (to->policy.profile == OA_PROFILE_FEEDBACK)
		return true;
	if (by_dtls)
		return from->feedback || asks;
	return from->feedback && to->policy.profile == OA_PROFILE_VIDEO && video && (asks || !from->dtls);
}

/* M-line i of our offer on `to` out of the peer's on the other leg, on the transport that is planned for it. */
static void derive(const struct oa_leg *to, const struct oa_exchange *got, const struct oa_media *plan, unsigned i,
	struct oa_media *om)
{
	const struct oa_media *holds = i < to->n_media ? &to->media[i] : NULL, *from = &got->media[i];
	bool secure = to->policy.security == OA_SECURITY_REQUIRED ||
		      (holds && sdp_proto_info(holds->proto)->secure);
	bool dtls = secure && oa_method_of(to, plan[i].transport)->media_path;

	*om = (struct oa_media){
		.used = plan[i].used,
		.transport = plan[i].transport,
		.kind = from->kind,
		.proto = sdp_proto_find(secure, wants_feedback(to, got, i, dtls), dtls),
		.direction = sdp_direction_mirror(got->offered[i].direction),
		.clock_hz = from->clock_hz,
		.open = plan[i].open,
		.swapped = holds && holds->swapped,
		.mux = plan[i].open && (to->policy.mux == OA_MUX_OFFER || (holds && holds->open && holds->mux)),
	};
}

/* Our body describes a transport in the first m-line on it. */
static void tag_first(struct oa_exchange *x)
{
	for (unsigned t = 0; t < x->n_media; t++) {
		int first = oa_first_on(x, t);

		x->tag[t] = (uint8_t)(first < 0 ? 0 : first);
	}
}

int oa_offer_make(struct oa_leg *to, const struct oa_leg *from, struct wbuf *w, struct oa_refusal *r)
{
	const struct oa_exchange *got = from->pending;
	struct oa_media plan[SDP_MEDIA_MAX];
	struct oa_exchange *x;
	int rc;

	*r = (struct oa_refusal){0};
	if (to->state != OA_IDLE)
		return oa_refuse(r, EBUSY, 491, 0, "an offer is outstanding on the other leg");
	if (from->state != OA_OFFER_RECEIVED || got->n_media < to->n_media)
		return oa_refuse(r, EINVAL, 500, 0, "there is no offer to pass on");
	rc = check_hop(to, r);
	if (rc < 0)
		return rc;
	x = oa_exchange_new(true);
	if (!x)
		return oa_refuse(r, ENOMEM, 500, 0, "out of memory");
	oa_plan_transports(to, got, plan);
	x->n_media = got->n_media;
	for (unsigned i = 0; i < got->n_media; i++) {
		derive(to, got, plan, i, &x->media[i]);
		x->offered[i].between = oa_between(x->media[i].proto, got->media[i].proto, x->media[i].kind);
	}
	for (unsigned i = 0; rc == 0 && i < got->n_media; i++)
		rc = offer_keys(to, &x->media[i], i, false, r);
	tag_first(x);
	if (rc == 0)
		rc = check_local(to, x, r);
	if (rc < 0) {
		oa_exchange_free(x);
		return rc;
	}
	return send_offer(to, x, oa_write(to, x, got->remote), w, r);
}

/* Does transport i of our offer move to the other one of its ports? A new association wants a fresh one. */
static bool moves_away(const struct oa_leg *leg, const struct oa_media *om, unsigned i)
{
	return om->open && om->mux && leg->media[i].mux && oa_method_of(leg, i)->media_path && oa_local_of(leg, i)->rtcp.port;
}

static int offer_again(struct oa_leg *leg, bool again, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x;
	int rc;

	*r = (struct oa_refusal){0};
	if (leg->state != OA_IDLE)
		return oa_refuse(r, EBUSY, 491, 0, "an offer is outstanding");
	if (!leg->sent)
		return oa_refuse(r, EINVAL, 500, 0, "no session stands on this leg");
	rc = check_hop(leg, r);
	if (rc < 0)
		return rc;
	x = oa_exchange_new(true);
	if (!x)
		return oa_refuse(r, ENOMEM, 500, 0, "out of memory");
	x->n_media = leg->n_media;
	for (unsigned i = 0; i < leg->n_media; i++) {
		x->media[i] = leg->media[i];
		x->media[i].keys = NULL;
	}
	tag_first(x);
	for (unsigned i = 0; rc == 0 && i < leg->n_media; i++) {
		struct oa_media *om = &x->media[i];

		om->mux = leg->media[i].mux || leg->policy.mux == OA_MUX_OFFER;
		om->swapped ^= again && moves_away(leg, om, i);
		rc = offer_keys(leg, om, i, again, r);
	}
	if (rc < 0) {
		oa_exchange_free(x);
		return rc;
	}
	return send_offer(leg, x, oa_write_again(leg, x), w, r);
}

int oa_offer_rekey(struct oa_leg *leg, struct wbuf *w, struct oa_refusal *r)
{
	return offer_again(leg, true, w, r);
}

int oa_offer_refresh(struct oa_leg *leg, struct wbuf *w, struct oa_refusal *r)
{
	return offer_again(leg, false, w, r);
}

void oa_answer_media(struct oa_exchange *x, unsigned i, const struct oa_media *other)
{
	struct oa_media *om = &x->media[i];

	om->used = x->offered[i].used && other->used;
	om->transport = x->offered[i].transport;
	if (!om->used)
		return;
	om->direction =
		(enum sdp_direction)(sdp_direction_mirror(other->direction) & x->offered[i].direction);
	om->extensions = other->extensions;
	om->feedback = other->feedback;
}

/* Our half of the keys of every transport. */
static int answer_keys(struct oa_leg *to, struct oa_exchange *x, struct oa_refusal *r)
{
	struct err e = {0};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < x->n_media; i++) {
		struct agreement *a = x->media[i].keys;

		if (x->media[i].open && a)
			rc = a->method->answer(a, oa_keys_before(to, i), &e);
		if (rc < 0)
			oa_refuse(r, -rc, 500, 0, "m-line %u: %s", i + 1, e.text);
	}
	return rc;
}

/* A session refresh, answered as before: with the keys in force. */
static int answer_again(struct oa_leg *to, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x = to->pending;
	char *content = strdup(to->sent);
	int rc = content ? answer_keys(to, x, r) : oa_refuse(r, ENOMEM, 500, 0, "out of memory");

	if (rc < 0) {
		free(content);
		return rc;
	}
	oa_number_keys(to, x);
	rc = oa_emit(to, x, content, w, r);
	x->answered = rc == 0;
	return rc;
}

int oa_answer_emit(struct oa_leg *to, const struct sdp *s, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x = to->pending;
	char *content;
	int rc;

	if (oa_settle_transports(to, x) < 0)
		return oa_refuse(r, ENOMEM, 500, 0, "out of memory");
	oa_mid_answer(to, x);
	rc = answer_keys(to, x, r);
	if (rc == 0)
		rc = check_local(to, x, r);
	if (rc < 0)
		return rc;
	oa_number_keys(to, x);
	content = oa_write(to, x, s);
	if (!content)
		return oa_refuse(r, ENOMEM, 500, 0, "no memory for a session description, or it is too long");
	rc = oa_emit(to, x, content, w, r);
	x->answered = rc == 0;
	return rc;
}

int oa_answer_make(struct oa_leg *to, const struct oa_leg *from, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x = to->pending;
	const struct oa_exchange *got = from->pending;

	*r = (struct oa_refusal){0};
	if (to->state != OA_OFFER_RECEIVED)
		return oa_refuse(r, EINVAL, 500, 0, "there is no offer to answer");
	if (!got)
		return x->refresh ? answer_again(to, w, r) : oa_answer_alone(to, from, w, r);
	if (!got->ours)
		return oa_answer_met(to, from, w, r);
	if (!got->answered || got->n_media != x->n_media)
		return oa_refuse(r, EINVAL, 500, 0, "there is no answer to pass on");
	for (unsigned i = 0; i < x->n_media; i++)
		oa_answer_media(x, i, &got->media[i]);
	return oa_answer_emit(to, got->remote, w, r);
}
