/* SPDX-License-Identifier: Apache-2.0 */
/* Writing our offers and answers out of what the other leg's peer wrote. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

enum { WARN_ADDRESS = 301, WARN_OTHER = OA_WARN_OTHER };

static const struct ip_addr *advertised(const struct oa_leg *leg, unsigned t)
{
	const struct oa_local *l = &leg->local[t];

	return l->advertised.family == IP_NONE ? &l->rtp.ip : &l->advertised;
}

/* The session's address: that of the first m-line in use, or of any that ever had one. */
static struct ip_addr session_address(const struct oa_leg *leg, const struct oa_exchange *x)
{
	struct ip_addr ip = {.family = IP_V4};

	for (unsigned i = x->n_media; i-- > 0;)
		if (x->media[i].used)
			ip = *advertised(leg, x->media[i].transport);
		else if (leg->local[i].set && ip_is_unspecified(&ip))
			ip = *advertised(leg, i);
	return ip;
}

static void put_attrs(
	struct wbuf *w, const struct sdp *s, const struct sdp_media *m, const struct oa_between *b)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++)
		if (oa_attr_passes(&a[i], b))
			sdp_put_attr(w, &a[i]);
}

/* M-line i of x, with codecs and attributes of the other peer's m-line m. Keys are put behind it by
 * oa_emit(). */
static void put_used(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i,
	struct str proto, const struct sdp *s, const struct ip_addr *session_ip)
{
	const struct oa_media *om = &x->media[i];
	const unsigned t = om->transport;
	const struct oa_media *on = &x->media[t];
	const struct ip_port rtp = oa_rtp_port(leg, on, t), rtcp = oa_rtcp_port(leg, on, t);
	const struct sdp_media *m = &s->media[i];
	const struct oa_between between = oa_between(om->proto, m->proto, om->kind);
	const bool bundle_only = oa_bundle_only(leg, x, i);

	sdp_put_media(w, m->kind_text, bundle_only ? 0 : rtp.port, proto, m->formats);
	if (!ip_equal(advertised(leg, t), session_ip))
		sdp_put_connection(w, advertised(leg, t));
	sdp_put_bandwidth(w, m->bandwidth, m->n_bandwidth);
	oa_put_mid(w, leg, x, i);
	put_attrs(w, s, m, &between);
	/* A port that was swapped away hears late packets only: RTCP is muxed. */
	if (rtcp.port != rtp.port + 1 && !(on->mux && on->swapped) && oa_describes(x, i))
		wbuf_fmt(w, "a=rtcp:%u\r\n", rtcp.port);
	if (on->mux)
		wbuf_z(w, "a=rtcp-mux\r\n");
	if (bundle_only)
		wbuf_z(w, "a=bundle-only\r\n");
	wbuf_fmt(w, "a=%s\r\n", sdp_direction_name(om->direction));
}

/* Proto as this leg writes it: an answer repeats the offer's, an offer has the profile of the leg's security.
 */
static struct str proto_text(const struct oa_exchange *x, const struct sdp *s, unsigned i)
{
	const struct sdp_media *m = &s->media[i];

	if (!x->ours)
		return x->remote->media[i].proto_text;
	return sdp_proto_info(m->proto)->rtp ? str_z(sdp_proto_info(x->media[i].proto)->name) : m->proto_text;
}

static const char *kind_name(enum sdp_kind k)
{
	return k == SDP_AUDIO ? "audio" : k == SDP_VIDEO ? "video" : "application";
}

/* Everything behind the o= line, keys left out; s is the other leg's peer's. NULL: no memory, or too long. */
static char *write_content(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s)
{
	char *text = malloc(OA_BODY_MAX);
	struct wbuf w = wbuf_make(text, OA_BODY_MAX - 1);
	struct ip_addr ip = session_address(leg, x);
	struct oa_between between;

	if (!text)
		return NULL;
	wbuf_z(&w, "s=-\r\n");
	sdp_put_connection(&w, &ip);
	sdp_put_bandwidth(&w, s->bandwidth, s->n_bandwidth);
	wbuf_z(&w, "t=0 0\r\n");
	between = x->n_media ? oa_between(x->media[0].proto, s->media[0].proto, x->media[0].kind) : (struct oa_between){0};
	put_attrs(&w, s, NULL, &between);
	oa_put_group(&w, leg, x);
	for (unsigned i = 0; i < x->n_media; i++) {
		/* The one who offered an m-line that is not used sees its own words again. */
		const struct sdp_media *words = x->ours ? &s->media[i] : &x->remote->media[i];

		if (x->media[i].used) {
			put_used(&w, leg, x, i, proto_text(x, s, i), s, &ip);
		} else {
			sdp_put_media(&w, words->kind_text, 0, proto_text(x, s, i), words->formats);
			oa_put_mid(&w, leg, x, i);
		}
	}
	for (unsigned i = x->n_media; x->ours && i < leg->least; i++)
		sdp_put_media(&w, str_z(kind_name(leg->least_kind[i])), 0, STR("RTP/AVP"), STR("0"));
	if (w.overflow) {
		free(text);
		return NULL;
	}
	text[w.len] = '\0';
	char *fitted = realloc(text, w.len + 1);

	return fitted ? fitted : text;
}

/* What is secret or belongs to one description alone: once for each transport (RFC 9143 section 7.1.3). */
static void put_keys(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	unsigned t = x->media[i].transport;

	if (!oa_describes(x, i))
		return;
	if (x->media[t].keys)
		x->media[t].keys->method->print(x->media[t].keys, w);
	oa_ice_put_media(w, leg, x, t);
}

/* Are there keys in this body that the one that holds did not have? */
static bool keys_changed(const struct oa_leg *leg, const struct oa_exchange *x)
{
	if (oa_ice_changed(leg, x))
		return true;
	for (unsigned i = 0; i < x->n_media; i++) {
		const struct agreement *now = x->media[i].keys, *before = oa_keys_before(leg, i);

		if (!x->media[i].open || !now)
			continue;
		if (now->method->media_path) {
			if (!before || !now->method->repeats(now, before))
				return true;
			continue;
		}
		if (x->ours ? !(now->policy.keep && before && before->established)
			    : !before || now->tx.epoch != before->tx.epoch)
			return true;
	}
	return false;
}

static void choose_version(struct oa_leg *leg, const struct oa_exchange *x, const char *content)
{
	if (x->sent) {
		leg->version += strcmp(x->sent, content) != 0;
		return;
	}
	/* A version that was refused is not used for anything else. */
	if (!leg->sent || leg->version != leg->sent_version || strcmp(leg->sent, content) ||
		keys_changed(leg, x))
		leg->version++;
}

int oa_emit(struct oa_leg *leg, struct oa_exchange *x, char *content, struct wbuf *w, struct oa_refusal *r)
{
	struct str rest = str_z(content), connection = rest;
	size_t start = w->len;
	unsigned media = 0;

	choose_version(leg, x, content);
	str_cut(&connection, '=');
	str_cut(&connection, '='); /* content begins with s= and c= */
	wbuf_fmt(w, "v=0\r\no=- %s %llu ", leg->sess_id, (unsigned long long)leg->version);
	wbuf_str(w, str_cut(&connection, '\n'));
	wbuf_z(w, "\n");
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		if (str_starts(line, STR("m="))) {
			if (media)
				put_keys(w, leg, x, media - 1);
			else
				oa_ice_put_session(w, x);
			media++;
		}
		wbuf_str(w, line);
		wbuf_z(w, "\n");
	}
	if (media)
		put_keys(w, leg, x, media - 1);
	if (w->overflow) {
		mem_wipe(w->p + start, w->cap - start);
		free(content);
		return oa_refuse(
			r, EMSGSIZE, 500, 0, "a session description of more than %zu octets", w->cap);
	}
	free(x->sent);
	x->sent = content;
	x->sent_version = leg->version;
	return 0;
}

/* Ports there, and of the family that the peer uses? */
static int check_local(const struct oa_leg *leg, const struct oa_exchange *x, struct oa_refusal *r)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		const struct oa_media *om = &x->media[i];

		if (!om->open)
			continue;
		if (!leg->local[i].set)
			return oa_refuse(r, EADDRNOTAVAIL, 500, 0, "m-line %u has no media port", i + 1);
		if (om->remote.ip.family != IP_NONE && om->remote.ip.family != leg->local[i].rtp.ip.family)
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
 * Is our offer to be in the feedback profile? Browsers write SAVPF and congestion control for speech as a matter of
 * course; phones that know nothing of RFC 4585 would refuse such an offer for nothing. Pictures need it.
 */
static bool wants_feedback(const struct oa_leg *to, const struct oa_exchange *got, unsigned i, bool by_dtls)
{
	const struct sdp_media *m = &got->remote->media[i];
	const struct sdp_proto_info *from = sdp_proto_info(got->media[i].proto);
	bool video = m->kind == SDP_VIDEO && sdp_attr_find(got->remote, m, STR("rtcp-fb"));

	/* A session keeps its profile: who began without takes no other. */
	if (i < to->n_media && to->media[i].used)
		return sdp_proto_info(to->media[i].proto)->feedback;
	if (by_dtls)
		return from->feedback || video;
	return from->feedback && !to->policy.basic_profile && (!from->dtls || video);
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
	return send_offer(to, x, write_content(to, x, got->remote), w, r);
}

/* What was sent last, with the ports of x: those of m-lines that moved are others. NULL: no memory. */
static char *sent_with_ports(const struct oa_leg *leg, const struct oa_exchange *x)
{
	size_t cap = strlen(leg->sent) + x->n_media * sizeof "65535" + 1;
	char *text = malloc(cap);
	struct wbuf w = wbuf_make(text, cap - 1);
	struct str rest = str_z(leg->sent);

	for (unsigned i = 0; text && rest.n;) {
		struct str line = str_cut(&rest, '\n'), kind = str_cut(&line, ' ');

		wbuf_str(&w, kind);
		if (line.p > kind.p + kind.n) /* there was a space */
			wbuf_z(&w, " ");
		if (str_starts(kind, STR("m="))) {
			unsigned t = i < x->n_media ? x->media[i].transport : 0;

			/* What waits for an answer to be bundled has no port. */
			if (i < x->n_media && x->media[t].swapped != leg->media[t].swapped && x->media[i].used &&
				!str_starts(line, STR("0 "))) {
				str_cut(&line, ' ');
				wbuf_fmt(&w, "%u ", oa_rtp_port(leg, &x->media[t], t).port);
			}
			i++;
		}
		wbuf_str(&w, line);
		wbuf_z(&w, "\n");
	}
	if (text)
		text[w.len] = '\0';
	return text;
}

/* Does transport i of our offer move to the other one of its ports? A new association wants a fresh one. */
static bool moves_away(const struct oa_leg *leg, const struct oa_media *om, unsigned i)
{
	return om->open && om->mux && leg->media[i].mux && oa_method_of(leg, i)->media_path && leg->local[i].rtcp.port;
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
	return send_offer(leg, x, sent_with_ports(leg, x), w, r);
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
	rc = answer_keys(to, x, r);
	if (rc == 0)
		rc = check_local(to, x, r);
	if (rc < 0)
		return rc;
	oa_number_keys(to, x);
	content = write_content(to, x, s);
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
