/* SPDX-License-Identifier: Apache-2.0 */
/* Judging what a peer offers and answers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

/* RFC 3261 section 20.43 */
enum { WARN_ADDRESS = 301, WARN_TRANSPORT = 302, WARN_MEDIA_TYPE = 304, WARN_OTHER = 399 };

/* Why one m-line is not used. */
struct objection {
	int warn_code;
	struct err e;
};

#define object(o, code, warn, ...) ((o)->warn_code = (warn), err_set(&(o)->e, code, __VA_ARGS__))

/* Does the peer say by ICE where it is? Then c= names one of several places, or none yet (RFC 8840 section 4.1.3). */
static bool by_ice(const struct sdp *s, const struct sdp_media *m)
{
	return sdp_attr_find(s, m, STR("ice-ufrag")) || sdp_attr_find(s, NULL, STR("ice-ufrag"));
}

/* c=0.0.0.0 (RFC 2543's hold) says that its writer does not want to hear anything. */
static enum sdp_direction effective_direction(const struct sdp *s, const struct sdp_media *m)
{
	bool held = ip_is_unspecified(&m->connection) && !by_ice(s, m);

	return held ? (enum sdp_direction)(m->direction & ~SDP_RECVONLY) : m->direction;
}

/* Where the peer hears m. */
static int take_remote(const struct oa_leg *leg, unsigned i, const struct sdp *s, const struct sdp_media *m,
	struct oa_media *om, struct objection *o)
{
	bool other_family = leg->local[i].set && leg->local[i].rtp.ip.family != m->connection.family;

	om->remote = om->remote_rtcp = (struct ip_port){0};
	if (by_ice(s, m) && (other_family || ip_is_unspecified(&m->connection)))
		return 0;

	om->remote = (struct ip_port){.ip = m->connection, .port = m->port};
	if (om->mux) {
		om->remote_rtcp = om->remote;
	} else if (m->rtcp_port) {
		om->remote_rtcp.ip = m->rtcp_ip.family == IP_NONE ? m->connection : m->rtcp_ip;
		om->remote_rtcp.port = m->rtcp_port;
	} else if (m->port < 65535) {
		om->remote_rtcp = om->remote;
		om->remote_rtcp.port++;
	} else {
		return object(o, EINVAL, WARN_OTHER, "port 65535 leaves no port for RTCP");
	}
	if (other_family && !ip_is_unspecified(&m->connection))
		return object(o, EAFNOSUPPORT, WARN_ADDRESS, "its address is not of the family of ours");
	if (om->remote_rtcp.ip.family != m->connection.family)
		return object(
			o, EAFNOSUPPORT, WARN_ADDRESS, "RTP and RTCP are of different address families");
	if (ip_is_unspecified(&om->remote.ip))
		om->remote.ip = (struct ip_addr){0};
	if (ip_is_unspecified(&om->remote_rtcp.ip))
		om->remote_rtcp.ip = (struct ip_addr){0};
	return 0;
}

static bool has_crypto(const struct sdp *s, const struct sdp_media *m)
{
	return sdp_attr_find(s, m, STR("crypto")) != NULL;
}

/* Is it keyed by DTLS? Some write RTP/SAVP(F) where UDP/TLS/RTP/SAVP(F) belongs (RFC 5764 section 8). */
static bool by_dtls(const struct sdp *s, const struct sdp_media *m)
{
	const struct sdp_proto_info *proto = sdp_proto_info(m->proto);
	bool fingerprint = sdp_attr_find(s, m, STR("fingerprint")) || sdp_attr_find(s, NULL, STR("fingerprint"));

	return proto->dtls || (proto->secure && fingerprint && !has_crypto(s, m));
}

/* How the keys of the peer's m-line are to be agreed; NULL: not in a way that is allowed. */
static const struct agreement_method *method_for(
	const struct oa_leg *leg, const struct sdp *s, const struct sdp_media *m)
{
	const struct oa_policy *p = &leg->policy;
	bool dtls = by_dtls(s, m);

	if (p->method->media_path == dtls)
		return p->method;
	return p->other && p->other->media_path == dtls ? p->other : NULL;
}

/* Does the profile fit what the leg promised? */
static int check_security(const struct oa_leg *leg, unsigned i, const struct sdp *s,
	const struct sdp_media *m, struct objection *o)
{
	const struct sdp_proto_info *proto = sdp_proto_info(m->proto);
	const struct agreement_method *method;

	if (leg->policy.security == OA_SECURITY_NONE) {
		if (proto->secure)
			return object(o, EPROTONOSUPPORT, WARN_TRANSPORT, "%s where plain RTP is configured",
				proto->name);
		return 0;
	}
	if (leg->policy.security == OA_SECURITY_OPTIONAL && !proto->secure) {
		if (leg->secured >> i & 1 && !has_crypto(s, m))
			return object(
				o, ENOKEY, WARN_OTHER, "a stream that is encrypted does not become clear");
		return 0;
	}
	if (!proto->secure)
		return object(o, ENOKEY, WARN_TRANSPORT, "SRTP is required, and this is %s%s", proto->name,
			has_crypto(s, m) ? " (a=crypto belongs into RTP/SAVP)" : " without a=crypto");
	method = method_for(leg, s, m);
	if (!method)
		return object(o, EPROTONOSUPPORT, WARN_TRANSPORT,
			leg->policy.method->media_path
				? "%s with keys in SDP: DTLS-SRTP (a=fingerprint) is required here"
				: "%s: DTLS-SRTP is not enabled here",
			proto->name);
	if (method->needs_secure_hop && !leg->policy.hop_encrypted)
		return object(o, ENOKEY, WARN_OTHER,
			"keys in SDP (%s) over a signalling hop that is not encrypted", method->name);
	return 0;
}

/* May this m-line be plain RTP when no key of the offer's can be used? RFC 8643 section 4.2. */
static bool plain_will_do(const struct oa_leg *leg, unsigned i, const struct sdp_media *m)
{
	return leg->policy.security == OA_SECURITY_OPTIONAL && !sdp_proto_info(m->proto)->secure &&
	       !(leg->secured >> i & 1);
}

static int take_offered_keys(const struct oa_leg *leg, unsigned i, const struct sdp *s,
	const struct sdp_media *m, struct oa_media *om, struct objection *o)
{
	const struct oa_policy *p = &leg->policy;
	const struct agreement_method *method;
	struct keying_policy policy = p->keying;

	if (p->security == OA_SECURITY_NONE)
		return 0;
	if (plain_will_do(leg, i, m) &&
		(!has_crypto(s, m) || (p->method->needs_secure_hop && !p->hop_encrypted)))
		return 0;
	method = method_for(leg, s, m);
	policy.renew = oa_is_burnt(leg, oa_keys_before(leg, i));
	if (method->create(&policy, &om->keys) < 0)
		return object(o, ENOMEM, WARN_OTHER, "out of memory");
	o->warn_code = WARN_OTHER;
	int rc = method->offered(om->keys, oa_keys_before(leg, i), s, m, &o->e);

	if (rc < 0 && plain_will_do(leg, i, m)) {
		agreement_destroy(om->keys);
		om->keys = NULL;
		return 0;
	}
	return rc;
}

static int judge_offered(struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct oa_media *om,
	struct objection *o)
{
	const struct sdp *s = x->remote;
	const struct sdp_media *m = &s->media[i];

	if (m->kind == SDP_OTHER_KIND)
		return object(o, EPROTONOSUPPORT, WARN_MEDIA_TYPE, "media of this type is not relayed");
	if (!sdp_proto_info(m->proto)->rtp)
		return object(o, EPROTONOSUPPORT, WARN_TRANSPORT, "the protocol %.*s is not relayed",
			STR_ARG(str_sub(m->proto_text, 0, 40)));
	if (oa_shares_transport(x, i))
		return object(o, EPROTONOSUPPORT, WARN_TRANSPORT,
			"it shares the transport of another m-line (BUNDLE): one is relayed");
	int rc = check_security(leg, i, s, m, o);

	if (rc < 0)
		return rc;
	if (m->rtcp_mux_only && leg->policy.mux == OA_MUX_NEVER)
		return object(o, EPROTONOSUPPORT, WARN_OTHER,
			"RTCP only multiplexed (rtcp-mux-only), which is not allowed here");
	om->mux = m->rtcp_mux && leg->policy.mux != OA_MUX_NEVER;
	o->warn_code = WARN_OTHER;
	rc = oa_ice_offered(leg, x, i, om, &o->e);
	if (rc < 0)
		return rc;
	om->direction = sdp_direction_mirror(effective_direction(s, m));
	om->clock_hz = sdp_media_clock(s, m);
	rc = take_remote(leg, i, s, m, om, o);
	return rc < 0 ? rc : take_offered_keys(leg, i, s, m, om, o);
}

/* Notes why m-line i is not used, and in *r why the first one that was offered is not. */
static void note(struct oa_refusal *r, struct oa_media *om, const struct sdp_media *m, unsigned i, int code,
	const struct objection *o)
{
	struct oa_refusal line;

	oa_refuse(&line, -code, code == -ENOMEM ? 500 : 488, o->warn_code, "m-line %u (%.*s): %s", i + 1,
		STR_ARG(str_sub(m->kind_text, 0, 20)), o->e.text);
	if (code == -ENOKEY)
		line.downgrade = sdp_proto_info(m->proto)->secure ? OA_DOWNGRADE_KEYS : OA_DOWNGRADE_CLEAR;
	snprintf(om->why_not, sizeof om->why_not, "%.*s", (int)sizeof om->why_not - 1, line.reason.text);
	if (!r->status)
		*r = line;
}

static int judge_offer(struct oa_leg *leg, struct oa_exchange *x, struct oa_refusal *r)
{
	const struct sdp *s = x->remote;
	unsigned used = 0, offered = 0;
	int first = -EPROTONOSUPPORT;

	for (unsigned i = 0; i < s->n_media; i++) {
		struct oa_media *om = &x->media[i];
		const struct sdp_media *m = &s->media[i];
		struct objection o = {0};

		*om = (struct oa_media){.kind = m->kind,
			.proto = m->proto,
			.swapped = i < leg->n_media && leg->media[i].swapped};
		x->n_media = i + 1;
		if (!m->port)
			continue;
		int rc = judge_offered(leg, x, i, om, &o);

		if (rc < 0) {
			first = offered == used ? rc : first;
			note(r, om, m, i, rc, &o);
			agreement_destroy(om->keys);
			om->keys = NULL;
		}
		offered++;
		used += om->used = rc == 0;
		x->offered[i].used = om->used;
		x->offered[i].mux = om->mux;
		x->offered[i].direction = om->direction;
	}
	if (used)
		return 0;
	if (offered)
		return first;
	if (leg->n_media)
		return 0; /* every m-line of a call that stands was disabled */
	return oa_refuse(r, EINVAL, 488, WARN_OTHER, "the offer has no m-line to be used");
}

/* A refresh changes nothing: what was agreed after its first offer holds for this one. */
static void keep_agreed(const struct oa_leg *leg, struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media && i < leg->n_media; i++) {
		x->media[i].used = x->media[i].used && leg->media[i].used;
		x->media[i].direction = leg->media[i].direction;
		x->media[i].extensions = leg->media[i].extensions;
		x->media[i].feedback = leg->media[i].feedback;
	}
}

int oa_offer_received(struct oa_leg *leg, struct str body, struct oa_refusal *r)
{
	struct err e = {0};
	struct oa_exchange *x;
	int rc;

	*r = (struct oa_refusal){0};
	if (leg->state != OA_IDLE)
		return oa_refuse(r, EBUSY, 491, 0, "an offer is outstanding");
	x = oa_exchange_new(false);
	if (!x)
		return oa_refuse(r, ENOMEM, 500, 0, "out of memory");
	rc = oa_exchange_read(x, body, &e);
	if (rc < 0) {
		rc = oa_refuse(r, -rc, rc == -ENOMEM ? 500 : 400, WARN_OTHER, "the offer: %s", e.text);
		goto out;
	}
	if (x->remote->n_media < leg->n_media) {
		rc = oa_refuse(r, EINVAL, 488, WARN_OTHER, "an offer of %u m-lines in a session of %u",
			x->remote->n_media, leg->n_media);
		goto out;
	}
	rc = judge_offer(leg, x, r);
	if (rc == 0 && oa_ice_choose(leg, x) < 0)
		rc = oa_refuse(r, EIO, 500, 0, "no random numbers");
	if (rc < 0)
		goto out;
	*r = (struct oa_refusal){0};
	x->refresh = leg->n_media == x->n_media && !memcmp(x->digest, leg->received, sizeof x->digest);
	if (x->refresh)
		keep_agreed(leg, x);
	oa_number_keys(leg, x);
	leg->pending = x;
	leg->state = OA_OFFER_RECEIVED;
	return x->refresh;
out:
	oa_exchange_free(x);
	return rc;
}

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

static int judge_answered(struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct objection *o)
{
	struct oa_media *om = &x->media[i];
	const struct sdp_media *m = &x->remote->media[i];

	om->used = x->offered[i].used && m->port;
	if (!om->used)
		return 0;
	if (om->kind != m->kind)
		return object(o, EPROTO, WARN_MEDIA_TYPE, "the answer is of another media type");
	int rc = check_answered_proto(leg, om, m, o);

	if (rc < 0)
		return rc;
	om->mux = x->offered[i].mux && m->rtcp_mux;
	o->warn_code = WARN_OTHER;
	rc = oa_ice_answered(x, i, om, &o->e);
	if (rc < 0)
		return rc;
	om->direction =
		(enum sdp_direction)(sdp_direction_mirror(effective_direction(x->remote, m)) & x->offered[i].direction);
	om->clock_hz = sdp_media_clock(x->remote, m);
	if (x->offered[i].between.known)
		oa_note_agreed(om, x->remote, m, &x->offered[i].between);
	rc = take_remote(leg, i, x->remote, m, om, o);
	if (rc < 0 || !om->keys)
		return rc;
	o->warn_code = WARN_OTHER;
	/* The peer knows nothing of OSRTP, or wants none. */
	if (leg->policy.security == OA_SECURITY_OPTIONAL && !has_crypto(x->remote, m)) {
		if (leg->secured >> i & 1)
			return object(
				o, ENOKEY, WARN_OTHER, "a stream that is encrypted does not become clear");
		om->keys->established = false;
		return 0;
	}
	return om->keys->method->answered(om->keys, oa_keys_before(leg, i), x->remote, m, &o->e);
}

static int judge_answer(struct oa_leg *leg, struct oa_exchange *x, struct oa_refusal *r)
{
	unsigned used = 0, offered = 0;

	/* Those that an earlier session had, and that stand behind ours for its sake, are of no use. */
	if (x->remote->n_media > x->n_media && x->remote->n_media == leg->least)
		x->remote->n_media = x->n_media;
	if (x->remote->n_media != x->n_media)
		return oa_refuse(r, EPROTO, 502, WARN_OTHER, "the answer has %u m-lines, %u were offered",
			x->remote->n_media, x->n_media);
	for (unsigned i = 0; i < x->n_media; i++) {
		struct objection o = {0};
		int rc = judge_answered(leg, x, i, &o);

		if (rc < 0) {
			note(r, &x->media[i], &x->remote->media[i], i, rc, &o);
			if (rc == -EPROTO)
				r->status = 502;
			return rc;
		}
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
