/* SPDX-License-Identifier: Apache-2.0 */
/* The text of our offers and answers, in the words of the other leg's peer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/extmap.h"
#include "controlplane/sdp/oa_private.h"

static const struct ip_addr *advertised(const struct oa_leg *leg, unsigned t)
{
	const struct oa_local *l = oa_local_of(leg, t);

	return l->advertised.family == IP_NONE ? &l->rtp.ip : &l->advertised;
}

/* The session's address: that of the first m-line in use, or of any that ever had one. */
static struct ip_addr session_address(const struct oa_leg *leg, const struct oa_exchange *x)
{
	struct ip_addr ip = {.family = IP_V4};

	for (unsigned i = x->n_media; i-- > 0;)
		if (x->media[i].used)
			ip = *advertised(leg, x->media[i].transport);
		else if (oa_local_of(leg, i)->set && ip_is_unspecified(&ip))
			ip = *advertised(leg, i);
	return ip;
}

/* mid: what its extension's number is on this side, which has no other then; 0: none */
static void put_attrs(
	struct wbuf *w, const struct sdp *s, const struct sdp_media *m, const struct oa_between *b, unsigned mid)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);
	struct extmap e;

	for (unsigned i = 0; i < n; i++)
		if (oa_attr_passes(&a[i], b) && !(mid && extmap_read(&a[i], &e) && e.id == mid))
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
	const unsigned mid = oa_mid_number(leg, x, s, i);

	sdp_put_media(w, m->kind_text, bundle_only ? 0 : rtp.port, proto, m->formats);
	if (!ip_equal(advertised(leg, t), session_ip))
		sdp_put_connection(w, advertised(leg, t));
	sdp_put_bandwidth(w, m->bandwidth, m->n_bandwidth);
	oa_put_mid(w, leg, x, i);
	oa_put_mid_extension(w, x, i, mid);
	put_attrs(w, s, m, &between, mid);
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

/* The number of the MID's extension in any m-line of x: extensions of the session are those of all. */
static unsigned any_mid(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s)
{
	unsigned mid = 0;

	for (unsigned i = 0; !mid && i < x->n_media; i++)
		if (x->media[i].used)
			mid = oa_mid_number(leg, x, s, i);
	return mid;
}

static const char *kind_name(enum sdp_kind k)
{
	return k == SDP_AUDIO ? "audio" : k == SDP_VIDEO ? "video" : "application";
}

char *oa_write(const struct oa_leg *leg, const struct oa_exchange *x, const struct sdp *s)
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
	put_attrs(&w, s, NULL, &between, any_mid(leg, x, s));
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
		sdp_put_media(&w, str_z(kind_name((enum sdp_kind)leg->least_kind[i])), 0, STR("RTP/AVP"), STR("0"));
	if (w.overflow) {
		free(text);
		return NULL;
	}
	text[w.len] = '\0';
	char *fitted = realloc(text, w.len + 1);

	return fitted ? fitted : text;
}

/*
 * What is secret or belongs to one description alone: once for each transport (RFC 9143 section 7.1.3). But the
 * fingerprint stands in every m-line on it: Firefox 153 loses its page to an answer with one that has none, Chromium takes
 * an offer's third m-line for one in clear when the second has none, and others are to ignore it.
 */
static void put_keys(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	unsigned t = x->media[i].transport;
	const struct agreement *keys = x->media[t].keys;
	bool describes = oa_describes(x, i), bundled = x->media[i].used && !describes;

	if (keys && (describes || (bundled && keys->method->media_path)))
		keys->method->print(keys, w);
	if (describes)
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

char *oa_write_again(const struct oa_leg *leg, const struct oa_exchange *x)
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
