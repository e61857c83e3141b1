/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that nobody else is asked for. An offer that has nothing but another address or other keys is
 * answered with what was agreed before. And where both sides have offered, each is answered with what the
 * other's offer has in common with its own: what passes through the gateway keeps its payload type, so a
 * codec that the two number differently is not common.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

/* A description of which a part is kept. */
struct words {
	struct sdp s;
	char formats[SDP_MEDIA_MAX][SDP_LINE_MAX];
};

static struct str value_of(const struct sdp *s, const struct sdp_media *m, struct str name, struct str format)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++) {
		struct str value = a[i].value;

		if (str_eq(a[i].name, name) && str_eq(str_cut(&value, ' '), format))
			return str_trim(value);
	}
	return STR("");
}

/* Encodings whose payload is laid out as their parameters say: AMR's octet-align, H.264's packetization-mode.
 */
static bool is_laid_out_by_parameters(struct str rtpmap)
{
	static const char *const names[] = {"AMR", "AMR-WB", "H264", "iLBC"};
	struct str name = str_cut(&rtpmap, '/');

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (str_ieq(name, str_z(names[i])))
			return true;
	return false;
}

/* "opus/48000/1" is "opus/48000": one channel (RFC 8866 section 6.6). */
static struct str without_one_channel(struct str rtpmap)
{
	bool one = rtpmap.n > 2 && str_eq(str_sub(rtpmap, rtpmap.n - 2, rtpmap.n), STR("/1"));

	return one ? str_sub(rtpmap, 0, rtpmap.n - 2) : rtpmap;
}

bool oa_means_the_same(const struct sdp *a, const struct sdp_media *am, const struct sdp *b,
	const struct sdp_media *bm, struct str format)
{
	struct str here = value_of(a, am, STR("rtpmap"), format),
		   there = value_of(b, bm, STR("rtpmap"), format);
	uint64_t pt;

	/* RFC 3551 says it of the static ones. */
	if (!here.n || !there.n)
		return str_to_u64(format, 34, &pt) == 0;
	if (!str_ieq(without_one_channel(here), without_one_channel(there)))
		return false;
	return !is_laid_out_by_parameters(here) ||
	       str_ieq(value_of(a, am, STR("fmtp"), format), value_of(b, bm, STR("fmtp"), format));
}

bool oa_has_format(const struct sdp_media *m, struct str format)
{
	struct str formats = m->formats;

	while (formats.n)
		if (str_eq(str_cut(&formats, ' '), format))
			return true;
	return false;
}

static bool attr_stays(
	const struct sdp_attr *a, const struct sdp_media *m, const struct sdp *by, const struct sdp_media *bm)
{
	struct str value = a->value, format = str_cut(&value, ' ');
	unsigned n;
	const struct sdp_attr *b = sdp_attrs(by, bm, &n);

	if (str_eq(a->name, STR("rtpmap")) || str_eq(a->name, STR("fmtp")) || str_eq(a->name, STR("rtcp-fb")))
		return m && (oa_has_format(m, format) || str_eq(format, STR("*")));
	if (!str_eq(a->name, STR("extmap")))
		return true;
	for (unsigned i = 0; i < n; i++)
		if (str_eq(b[i].name, a->name) && str_eq(b[i].value, a->value))
			return true;
	return false;
}

/* Formats of the m-line that `by` has too, in our order; an m-line without any is disabled. */
static void keep_formats(struct words *w, unsigned i, const struct sdp *by)
{
	struct sdp_media *m = &w->s.media[i];
	struct wbuf kept = wbuf_make(w->formats[i], sizeof w->formats[i]);
	struct str formats = m->formats;
	char text[SDP_LINE_MAX];
	size_t n = 0;

	while (i < by->n_media && by->media[i].port && by->media[i].kind == m->kind && formats.n) {
		struct str format = str_cut(&formats, ' ');

		if (oa_has_format(&by->media[i], format) && oa_means_the_same(&w->s, m, by, &by->media[i], format))
			n += (size_t)snprintf(
				text + n, sizeof text - n, "%s%.*s", n ? " " : "", STR_ARG(format));
	}
	wbuf_str(&kept, (struct str){text, n});
	m->formats = wbuf_view(&kept);
	if (!n)
		m->port = 0;
}

/* What is in `by` too stays. Attributes stand in the order of their m-lines, those of the session first. */
static void words_keep(struct words *w, const struct sdp *by)
{
	struct sdp *s = &w->s;
	uint16_t n = 0;

	for (unsigned level = 0; level <= s->n_media; level++) {
		struct sdp_media *m = level ? &s->media[level - 1] : NULL;
		const struct sdp_media *bm = level && level <= by->n_media ? &by->media[level - 1] : NULL;
		uint16_t first = m ? m->first_attr : 0,
			 end = (uint16_t)(first + (m ? m->n_attrs : s->n_session_attrs));
		uint16_t begin = n;

		if (m)
			keep_formats(w, level - 1, by);
		for (uint16_t i = first; i < end; i++)
			if ((!m || bm) && attr_stays(&s->attrs[i], m, by, bm))
				s->attrs[n++] = s->attrs[i];
		if (m) {
			m->first_attr = begin;
			m->n_attrs = (uint16_t)(n - begin);
		} else {
			s->n_session_attrs = n;
		}
	}
	s->n_attrs = n;
}

/* A body of ours, read again. *text has what it points to. */
static struct sdp *read_own(const char *sent, char **text)
{
	static const char head[] = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n";
	size_t n = sizeof head + (sent ? strlen(sent) : 0);
	struct sdp *s = malloc(sizeof *s);
	struct err e;

	*text = malloc(n);
	if (s && *text && sent) {
		snprintf(*text, n, "%s%s", head, sent);
		if (sdp_parse(str_z(*text), s, &e) == 0)
			return s;
	}
	free(s);
	free(*text);
	*text = NULL;
	return NULL;
}

static bool is_answer(const struct oa_leg *leg)
{
	static const uint8_t none[sizeof leg->received];

	return memcmp(leg->received, none, sizeof none) != 0;
}

/* The body of ours that says what was agreed: an answer, on whichever leg it was. */
static const char *agreed_body(const struct oa_leg *leg, const struct oa_leg *other)
{
	return is_answer(leg) ? leg->sent : is_answer(other) ? other->sent : NULL;
}

/* Is everything in m-line i of what was agreed in the peer's new offer too? */
static bool goes_on(const struct oa_leg *leg, unsigned i, const struct sdp *agreed)
{
	const struct oa_exchange *x = leg->pending;
	const struct oa_media *om = &x->media[i], *held = &leg->media[i];
	const struct sdp_media *m = &agreed->media[i];
	struct str formats = m->formats;

	if (!held->used || !om->used)
		return held->used == om->used;
	if (held->kind != om->kind || held->direction != om->direction || om->ice || held->ice ||
		sdp_proto_info(held->proto)->secure != sdp_proto_info(om->proto)->secure ||
		sdp_proto_info(om->proto)->dtls)
		return false;
	while (formats.n) {
		struct str format = str_cut(&formats, ' ');

		if (!oa_has_format(&x->remote->media[i], format) ||
			!oa_means_the_same(agreed, m, x->remote, &x->remote->media[i], format))
			return false;
	}
	return true;
}

bool oa_answers_alone(const struct oa_leg *leg, const struct oa_leg *other)
{
	const struct oa_exchange *x = leg->pending;
	char *text = NULL;
	struct sdp *agreed = NULL;
	bool alone = false;

	if (leg->state != OA_OFFER_RECEIVED || other->pending || x->n_media != leg->n_media)
		goto out;
	agreed = read_own(agreed_body(leg, other), &text);
	alone = agreed && agreed->n_media >= x->n_media;
	for (unsigned i = 0; alone && i < x->n_media; i++)
		alone = goes_on(leg, i, agreed);
out:
	free(agreed);
	free(text);
	return alone;
}

int oa_answer_alone(struct oa_leg *to, const struct oa_leg *other, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x = to->pending;
	char *said_text, *agreed_text;
	struct sdp *said = read_own(to->sent, &said_text),
		   *agreed = read_own(agreed_body(to, other), &agreed_text);
	struct words *words = calloc(1, sizeof *words);
	int rc = 0;

	if (!said || !agreed || !words) {
		rc = oa_refuse(r, ENOMEM, 500, 0, "there is nothing that was agreed before");
		goto out;
	}
	words->s = *said;
	words_keep(words, x->remote);
	words_keep(words, agreed);
	for (unsigned i = 0; i < x->n_media; i++) {
		oa_answer_media(x, i, &to->media[i]);
		x->media[i].direction = to->media[i].direction;
	}
	rc = oa_answer_emit(to, &words->s, w, r);
out:
	free(words);
	free(said);
	free(said_text);
	free(agreed);
	free(agreed_text);
	return rc;
}

int oa_answer_met(struct oa_leg *to, const struct oa_leg *other, struct wbuf *w, struct oa_refusal *r)
{
	struct oa_exchange *x = to->pending;
	const struct oa_exchange *got = other->pending;
	static const struct oa_media none;
	struct words *words = calloc(1, sizeof *words);
	unsigned used = 0;
	int rc = 0;

	if (!words)
		return oa_refuse(r, ENOMEM, 500, 0, "out of memory");
	words->s = *got->remote;
	words_keep(words, x->remote);
	for (unsigned i = 0; i < x->n_media; i++) {
		bool common = i < words->s.n_media && words->s.media[i].port && got->media[i].used;
		struct oa_between between = oa_between(x->media[i].proto, got->media[i].proto, x->media[i].kind);

		oa_answer_media(x, i, common ? &got->media[i] : &none);
		if (x->media[i].used)
			oa_note_agreed(&x->media[i], &words->s, &words->s.media[i], &between);
		used += x->media[i].used;
	}
	if (!used)
		rc = oa_refuse(r, EPROTONOSUPPORT, 488, OA_WARN_OTHER,
			"the two sides have both offered, and have no codec in common under one payload "
			"type");
	if (rc == 0)
		rc = oa_answer_emit(to, &words->s, w, r);
	free(words);
	return rc;
}
