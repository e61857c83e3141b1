/* SPDX-License-Identifier: Apache-2.0 */
/* Judging what a peer offers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/sdp/oa_judge.h"

/* Does the peer say by ICE where it is? Then c= names one of several places, or none yet (RFC 8840 section 4.1.3). */
static bool by_ice(const struct sdp *s, const struct sdp_media *m)
{
	return sdp_attr_find(s, m, STR("ice-ufrag")) || sdp_attr_find(s, NULL, STR("ice-ufrag"));
}

enum sdp_direction oa_direction(const struct sdp *s, const struct sdp_media *m)
{
	bool held = ip_is_unspecified(&m->connection) && !by_ice(s, m);

	return held ? (enum sdp_direction)(m->direction & ~SDP_RECVONLY) : m->direction;
}

int oa_take_remote(const struct oa_leg *leg, unsigned t, const struct sdp *s, const struct sdp_media *m,
	struct oa_media *om, struct objection *o)
{
	bool other_family = oa_local_of(leg, t)->set && oa_local_of(leg, t)->rtp.ip.family != m->connection.family;

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

bool oa_has_crypto(const struct sdp *s, const struct sdp_media *m)
{
	return sdp_attr_find(s, m, STR("crypto")) != NULL;
}

/* Is it keyed by DTLS? Some write RTP/SAVP(F) where UDP/TLS/RTP/SAVP(F) belongs (RFC 5764 section 8). */
bool oa_by_dtls(const struct sdp *s, const struct sdp_media *m)
{
	const struct sdp_proto_info *proto = sdp_proto_info(m->proto);
	bool fingerprint = sdp_attr_find(s, m, STR("fingerprint")) || sdp_attr_find(s, NULL, STR("fingerprint"));

	return proto->dtls || (proto->secure && fingerprint && !oa_has_crypto(s, m));
}

/* How the keys of the peer's m-line are to be agreed; NULL: not in a way that is allowed. */
static const struct agreement_method *method_for(
	const struct oa_leg *leg, const struct sdp *s, const struct sdp_media *m)
{
	const struct oa_policy *p = &leg->policy;
	bool dtls = oa_by_dtls(s, m);

	if (p->method->media_path == dtls)
		return p->method;
	return p->other && p->other->media_path == dtls ? p->other : NULL;
}

/* Does the profile fit what the leg promised? */
static int check_security(const struct oa_leg *leg, unsigned t, const struct sdp *s,
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
		if (leg->secured >> t & 1 && !oa_has_crypto(s, m))
			return object(
				o, ENOKEY, WARN_OTHER, "a stream that is encrypted does not become clear");
		return 0;
	}
	if (!proto->secure)
		return object(o, ENOKEY, WARN_TRANSPORT, "SRTP is required, and this is %s%s", proto->name,
			oa_has_crypto(s, m) ? " (a=crypto belongs into RTP/SAVP)" : " without a=crypto");
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
static bool plain_will_do(const struct oa_leg *leg, unsigned t, const struct sdp_media *m)
{
	return leg->policy.security == OA_SECURITY_OPTIONAL && !sdp_proto_info(m->proto)->secure &&
	       !(leg->secured >> t & 1);
}

static int take_offered_keys(const struct oa_leg *leg, unsigned t, const struct sdp *s,
	const struct sdp_media *m, struct oa_media *om, struct objection *o)
{
	const struct oa_policy *p = &leg->policy;
	const struct agreement_method *method;
	struct keying_policy policy = p->keying;

	if (p->security == OA_SECURITY_NONE)
		return 0;
	if (plain_will_do(leg, t, m) &&
		(!oa_has_crypto(s, m) || (p->method->needs_secure_hop && !p->hop_encrypted)))
		return 0;
	method = method_for(leg, s, m);
	policy.renew = oa_is_burnt(leg, oa_keys_before(leg, t));
	if (method->create(&policy, &om->keys) < 0)
		return object(o, ENOMEM, WARN_OTHER, "out of memory");
	o->warn_code = WARN_OTHER;
	int rc = method->offered(om->keys, oa_keys_before(leg, t), s, m, &o->e);

	if (rc < 0 && plain_will_do(leg, t, m)) {
		agreement_destroy(om->keys);
		om->keys = NULL;
		return 0;
	}
	return rc;
}

/* Transport t by what m-line i of the peer's offer says of it. */
static int judge_transport(struct oa_leg *leg, struct oa_exchange *x, unsigned t, unsigned i, struct objection *o)
{
	const struct sdp *s = x->remote;
	const struct sdp_media *m = &s->media[i];
	struct oa_media *om = &x->media[t];
	int rc = check_security(leg, t, s, m, o);

	if (rc < 0)
		return rc;
	if (m->rtcp_mux_only && leg->policy.mux == OA_MUX_NEVER)
		return object(o, EPROTONOSUPPORT, WARN_OTHER,
			"RTCP only multiplexed (rtcp-mux-only), which is not allowed here");
	om->mux = x->offered[t].mux = m->rtcp_mux && leg->policy.mux != OA_MUX_NEVER;
	x->tag[t] = (uint8_t)i;
	o->warn_code = WARN_OTHER;
	rc = oa_ice_offered(leg, x, t, &o->e);
	if (rc == 0)
		rc = oa_take_remote(leg, t, s, m, om, o);
	if (rc == 0)
		rc = take_offered_keys(leg, t, s, m, om, o);
	if (rc < 0) {
		agreement_destroy(om->keys);
		om->keys = NULL;
	}
	return rc;
}

static int judge_offered(struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct objection *o)
{
	const struct sdp *s = x->remote;
	const struct sdp_media *m = &s->media[i];
	struct oa_media *om = &x->media[i];
	int rc;

	if (m->kind == SDP_OTHER_KIND)
		return object(o, EPROTONOSUPPORT, WARN_MEDIA_TYPE, "media of this type is not relayed");
	if (!sdp_proto_info(m->proto)->rtp)
		return object(o, EPROTONOSUPPORT, WARN_TRANSPORT, "the protocol %.*s is not relayed",
			STR_ARG(str_sub(m->proto_text, 0, 40)));
	om->direction = sdp_direction_mirror(oa_direction(s, m));
	om->clock_hz = sdp_media_clock(s, m);
	oa_note_sources(om, s, m);
	o->warn_code = WARN_TRANSPORT;
	rc = oa_place_offered(leg, x, i, &o->e);
	return rc == 0 ? judge_transport(leg, x, om->transport, i, o) : rc < 0 ? rc : 0;
}

/* The first m-line on transport t of which the peer's offer says where it is; -1: none. */
static int next_tag(const struct oa_exchange *x, unsigned t)
{
	for (unsigned i = 0; i < x->n_media; i++)
		if (x->media[i].used && x->media[i].transport == t && x->remote->media[i].port)
			return (int)i;
	return -1;
}

int oa_settle_transports(struct oa_leg *leg, struct oa_exchange *x)
{
	for (unsigned t = 0; t < x->n_media; t++) {
		struct objection o = {0};
		int rc, next = next_tag(x, t);

		if (oa_first_on(x, t) < 0 || oa_describes(x, x->tag[t]))
			continue;
		agreement_destroy(x->media[t].keys);
		x->media[t].keys = NULL;
		rc = next < 0 ? -EPROTONOSUPPORT : judge_transport(leg, x, t, (unsigned)next, &o);
		if (rc == -ENOMEM)
			return rc;
		/* RFC 9143 section 7.3.1: what is bundle-only has nothing to be on. */
		for (unsigned i = 0; rc < 0 && i < x->n_media; i++)
			if (x->media[i].transport == t)
				x->media[i].used = false;
	}
	oa_open_transports(x->media, x->n_media);
	return 0;
}

void oa_note(struct oa_refusal *r, struct oa_exchange *x, const struct sdp_media *m, unsigned i, int code,
	const struct objection *o)
{
	struct oa_refusal line;

	oa_refuse(&line, -code, code == -ENOMEM ? 500 : 488, o->warn_code, "m-line %u (%.*s): %s", i + 1,
		STR_ARG(str_sub(m->kind_text, 0, 20)), o->e.text);
	if (code == -ENOKEY)
		line.downgrade = sdp_proto_info(m->proto)->secure ? OA_DOWNGRADE_KEYS : OA_DOWNGRADE_CLEAR;
	snprintf(x->why_not[i], sizeof x->why_not[i], "%.*s", (int)sizeof x->why_not[i] - 1, line.reason.text);
	if (!r->status)
		*r = line;
}

static void begin_lines(const struct oa_leg *leg, struct oa_exchange *x)
{
	x->n_media = x->remote->n_media;
	for (unsigned i = 0; i < x->n_media; i++)
		x->media[i] = (struct oa_media){
			.kind = x->remote->media[i].kind,
			.proto = x->remote->media[i].proto,
			.transport = (uint8_t)i,
			.swapped = i < leg->n_media && leg->media[i].swapped,
		};
}

static int judge_offer(struct oa_leg *leg, struct oa_exchange *x, struct oa_refusal *r)
{
	const struct sdp *s = x->remote;
	unsigned used = 0, offered = 0;
	int first = -EPROTONOSUPPORT;

	begin_lines(leg, x);
	for (unsigned i = 0; i < s->n_media; i++) {
		struct oa_media *om = &x->media[i];
		struct objection o = {0};

		if (!oa_offers_media(s, i))
			continue;
		int rc = judge_offered(leg, x, i, &o);

		if (rc < 0) {
			first = offered == used ? rc : first;
			oa_note(r, x, &s->media[i], i, rc, &o);
		}
		offered++;
		used += om->used = rc == 0;
		x->offered[i].used = om->used;
		x->offered[i].transport = om->transport;
		x->offered[i].direction = om->direction;
	}
	oa_open_transports(x->media, x->n_media);
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
		x->media[i].mid_sent = leg->media[i].mid_sent;
	}
	oa_open_transports(x->media, x->n_media);
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
