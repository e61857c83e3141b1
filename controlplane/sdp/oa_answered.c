/* SPDX-License-Identifier: Apache-2.0 */
/* Judging what a peer answers. */
#include <errno.h>

#include "controlplane/sdp/oa_judge.h"

/* An answer in another profile than the offer's. AVP for AVPF is tolerated: media flows all the same. */
static int check_answered_proto(
	const struct oa_leg *leg, const struct oa_media *om, const struct sdp_media *m, struct objection *o)
{
	const struct sdp_proto_info *offered = sdp_proto_info(om->proto), *proto = sdp_proto_info(m->proto);

	o->warn_code = WARN_TRANSPORT;
	if (leg->policy.security == OA_SECURITY_REQUIRED && !proto->secure)
		return err_set(&o->e, ENOKEY, "the answer to a secure offer (%s) is %.*s", offered->name,
			STR_ARG(str_sub(m->proto_text, 0, 40)));
	if (!proto->rtp || proto->secure != offered->secure || proto->dtls != offered->dtls)
		return err_set(&o->e, EPROTO, "the answer to %s is %.*s", offered->name,
			STR_ARG(str_sub(m->proto_text, 0, 40)));
	return 0;
}

/* Transport t by what m-line i of the peer's answer says of it. */
static int judge_answered_transport(
	struct oa_leg *leg, struct oa_exchange *x, unsigned t, unsigned i, struct objection *o)
{
	struct oa_media *om = &x->media[t];
	const struct sdp_media *m = &x->remote->media[i];
	int rc;

	om->mux = x->offered[t].mux && m->rtcp_mux;
	o->warn_code = WARN_OTHER;
	rc = oa_ice_answered(x, t, i, &o->e);
	if (rc == 0)
		rc = oa_take_remote(leg, t, x->remote, m, om, o);
	if (rc < 0 || !om->keys)
		return rc;
	o->warn_code = WARN_OTHER;
	/* The peer knows nothing of OSRTP, or wants none. */
	if (leg->policy.security == OA_SECURITY_OPTIONAL && !oa_has_crypto(x->remote, m)) {
		if (leg->secured >> t & 1)
			return object(
				o, ENOKEY, WARN_OTHER, "a stream that is encrypted does not become clear");
		om->keys->established = false;
		return 0;
	}
	return om->keys->method->answered(om->keys, oa_keys_before(leg, t), x->remote, m, &o->e);
}

/* M-line i of the answer, without its transport. */
static int judge_answered(struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct objection *o)
{
	struct oa_media *om = &x->media[i];
	const struct sdp_media *m = &x->remote->media[i];
	int rc;

	om->used = x->offered[i].used && m->port;
	if (!om->used)
		return 0;
	if (om->kind != m->kind)
		return object(o, EPROTO, WARN_MEDIA_TYPE, "the answer is of another media type");
	rc = check_answered_proto(leg, om, m, o);
	if (rc < 0)
		return rc;
	om->direction =
		(enum sdp_direction)(sdp_direction_mirror(oa_direction(x->remote, m)) & x->offered[i].direction);
	om->clock_hz = sdp_media_clock(x->remote, m);
	oa_note_sources(om, x->remote, m);
	if (x->offered[i].between.known)
		oa_note_agreed(om, x->remote, m, &x->offered[i].between);
	return 0;
}

/* The m-line that describes transport t in the peer's answer: the first of its group, or else the first on it. */
static int answered_tag(const struct oa_exchange *x, unsigned t)
{
	int first = oa_first_on(x, t);
	struct str mids = first < 0 ? STR("") : oa_bundle_of(x, (unsigned)first);

	while (mids.n) {
		struct str mid = str_cut(&mids, ' ');

		for (unsigned i = 0; i < x->n_media; i++)
			if (x->media[i].used && x->media[i].transport == t && oa_is_among(mid, x, i))
				return (int)i;
	}
	return first;
}

static int judge_answered_lines(struct oa_leg *leg, struct oa_exchange *x, unsigned *at, struct objection *o)
{
	int rc = 0;

	for (*at = 0; rc == 0 && *at < x->n_media; ++*at)
		rc = judge_answered(leg, x, *at, o);
	if (rc < 0) {
		--*at;
		return rc;
	}
	oa_drop_unbundled(leg, x);
	oa_mid_answered(x);
	oa_open_transports(x->media, x->n_media);
	for (unsigned t = 0; rc == 0 && t < x->n_media; t++) {
		int i = answered_tag(x, t);

		if (i < 0)
			continue;
		*at = (unsigned)i;
		rc = judge_answered_transport(leg, x, t, *at, o);
	}
	return rc;
}

static int judge_answer(struct oa_leg *leg, struct oa_exchange *x, struct oa_refusal *r)
{
	unsigned used = 0, offered = 0, at;
	struct objection o = {0};
	int rc;

	/* Those that an earlier session had, and that stand behind ours for its sake, are of no use. */
	if (x->remote->n_media > x->n_media && x->remote->n_media == leg->least)
		x->remote->n_media = x->n_media;
	if (x->remote->n_media != x->n_media)
		return oa_refuse(r, EPROTO, 502, WARN_OTHER, "the answer has %u m-lines, %u were offered",
			x->remote->n_media, x->n_media);
	rc = judge_answered_lines(leg, x, &at, &o);
	if (rc < 0) {
		oa_note(r, x, &x->remote->media[at], at, rc, &o);
		if (rc == -EPROTO)
			r->status = 502;
		return rc;
	}
	for (unsigned i = 0; i < x->n_media; i++) {
		offered += x->offered[i].used;
		used += x->media[i].used;
	}
	if (offered && !used && !leg->n_media)
		return oa_refuse(
			r, EPROTONOSUPPORT, 488, WARN_OTHER, "the answer accepts none of the media offered");
	return 0;
}

int oa_answer_received(struct oa_leg *leg, struct str body, struct oa_refusal *r)
{
	struct oa_exchange *x = leg->pending;
	struct err e = {0};
	int rc;

	*r = (struct oa_refusal){0};
	if (leg->state != OA_OFFER_SENT)
		return oa_refuse(r, EINVAL, 500, 0, "an answer without an offer");
	x->answered = false;
	rc = oa_exchange_read(x, body, &e);
	if (rc < 0)
		return oa_refuse(r, -rc, rc == -ENOMEM ? 500 : 502, WARN_OTHER, "the answer: %s", e.text);
	rc = judge_answer(leg, x, r);
	if (rc < 0)
		return rc;
	oa_number_keys(leg, x);
	x->answered = true;
	return 0;
}

void oa_answer_early(struct oa_leg *leg, struct str body)
{
	struct oa_refusal later;

	if (oa_answer_received(leg, body, &later) < 0)
		return;
	leg->pending->answered = false;
	leg->pending->early = true;
}
