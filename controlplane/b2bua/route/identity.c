/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/identity.h"

#include "controlplane/b2bua/route/number.h"
#include "controlplane/b2bua/route/reason.h"
#include "controlplane/sip/chars.h"

#define NOWHERE "anonymous.invalid" /* RFC 3323 section 4.1.1.3 */
#define ANONYMOUS "sip:anonymous@" NOWHERE
#define VALUE_MAX 1024
#define DISPLAY_MAX 128

static const struct {
	const char *name;
	unsigned bit;
	bool stays; /* also towards a party outside the trust domain: there is somebody left who may heed it
		     */
} privacy_names[] = {
	{"id", PRIVACY_ID, true},
	{"user", PRIVACY_USER, false},
	{"header", PRIVACY_HEADER, false},
	{"session", PRIVACY_SESSION, false},
	{"history", PRIVACY_HISTORY, false},
	{"none", PRIVACY_NONE, true},
	{"critical", PRIVACY_CRITICAL, false},
};
#define PRIVACY_NAMES (sizeof privacy_names / sizeof *privacy_names)

static unsigned bits_of(struct str list)
{
	unsigned bits = 0;

	while (list.n) {
		struct str values = str_cut(&list, ';');

		while (values.n) {
			struct str value = str_trim(str_cut(&values, ','));
			unsigned bit = value.n ? PRIVACY_UNKNOWN : 0;

			for (unsigned k = 0; k < PRIVACY_NAMES; k++)
				if (str_ieq(value, str_z(privacy_names[k].name)))
					bit = privacy_names[k].bit;
			bits |= bit;
		}
	}
	return bits;
}

unsigned identity_privacy(struct header_set *s)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].id == SIP_H_PRIVACY)
			bits |= bits_of(s->lines[i].value);
	return bits;
}

bool identity_cannot(unsigned privacy)
{
	return (privacy & PRIVACY_CRITICAL) && (privacy & PRIVACY_UNKNOWN);
}

struct str identity_host(const struct identity_ends *e, const struct config_host_part *p, struct str was)
{
	switch (p->kind) {
	case CONFIG_HOST_NAME:
		return str_z(p->name);
	case CONFIG_HOST_PEER:
		return e->peer_host;
	case CONFIG_HOST_KEEP:
		return was.n ? was : e->own_host;
	default:
		return e->own_host;
	}
}

/* The host of an address with its brackets: they stand around it in the text that it is a view of. */
static struct str host_text(const struct sip_uri *u)
{
	return u->host_v6 ? (struct str){u->host.p - 1, u->host.n + 2} : u->host;
}

/* A user part of the sender's as the receiver has it. */
static void put_user(struct wbuf *w, const struct identity_ends *e, struct str user)
{
	char buf[VALUE_MAX];
	struct wbuf inside = wbuf_make(buf, sizeof buf);

	number_read(&e->from->numbers, user, &inside);
	w->overflow |= inside.overflow;
	number_write(&e->to->numbers, wbuf_view(&inside), w);
}

static bool is_anonymous(const struct sip_addr *a)
{
	return str_ieq(a->uri.host, STR(NOWHERE));
}

/* What a reason is made of may not stand in a URI. */
static void put_escaped(struct wbuf *w, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ch_is(s.p[i], CH_UNRESERVED))
			wbuf_u8(w, (uint8_t)s.p[i]);
		else
			wbuf_fmt(w, "%%%02X", (uint8_t)s.p[i]);
}

/* A header in a URI, without its escapes. */
struct uri_header {
	char name_text[32], text[VALUE_MAX];
	struct str name, value; /* "": it has none, or none that can be read */
	bool garbled;           /* it is a Privacy that cannot be read: too long */
};

static struct str unescaped(struct str in, char *text, size_t cap)
{
	int n = sip_unescape(in, text, cap);

	return (struct str){text, n > 0 ? (size_t)n : 0};
}

static bool is_privacy(const struct uri_header *h)
{
	return str_ieq(h->name, STR("Privacy"));
}

/* The next of a URI's headers; false: there is no other. */
static bool next_header(struct str *headers, struct uri_header *h)
{
	struct str value, name;

	if (!headers->n)
		return false;
	value = str_cut(headers, '&');
	name = str_cut(&value, '=');
	h->name = unescaped(name, h->name_text, sizeof h->name_text);
	h->value = unescaped(value, h->text, sizeof h->text);
	h->garbled = is_privacy(h) && value.n && !h->value.n;
	return true;
}

/* Does a history's entry with these headers ask for privacy? What cannot be read does. */
static bool asks_for_privacy(struct str headers)
{
	struct uri_header h;

	while (next_header(&headers, &h))
		if (h.garbled || (is_privacy(&h) && (bits_of(h.value) & PRIVACY_HISTORY)))
			return true;
	return false;
}

/*
 * The headers of a history's URI as a party outside may have them: which reason and what is private. A
 * reason's text is the other side's own, as that of a Reason header is.
 */
static void put_headers_outside(struct wbuf *w, struct str headers)
{
	const char *before = "?";
	struct uri_header h;

	while (next_header(&headers, &h)) {
		char text[VALUE_MAX];
		struct wbuf plain = wbuf_make(text, sizeof text);

		if (str_ieq(h.name, STR("Reason")))
			reason_plain(&plain, h.value);
		else if (is_privacy(&h))
			wbuf_str(&plain, h.value);
		if (!plain.len || plain.overflow)
			continue;
		wbuf_fmt(w, "%s%.*s=", before, STR_ARG(h.name));
		put_escaped(w, wbuf_view(&plain));
		before = "&";
	}
}

/*
 * The headers of a history's URI for a party that may read all of it, who is told that nobody outside may
 * (RFC 7044 section 10.1.2). Another Privacy that stood there would say otherwise.
 */
static void put_headers_private(struct wbuf *w, struct str headers)
{
	wbuf_z(w, "?");
	while (headers.n) {
		struct str one = str_cut(&headers, '&'), rest = one;
		struct uri_header h;

		if (!next_header(&rest, &h) || is_privacy(&h))
			continue;
		wbuf_str(w, one);
		wbuf_z(w, "&");
	}
	wbuf_z(w, "Privacy=history");
}

/* An address in what is passed on. Its own parameters stay: they name nobody. */
static void put_address(struct wbuf *w, const struct identity_ends *e, const struct config_host_part *part,
	const struct sip_addr *a)
{
	struct str value;
	uint64_t cause;

	if (a->display.n) {
		wbuf_str(w, a->display);
		wbuf_z(w, " ");
	}
	if (is_anonymous(a)) {
		wbuf_z(w, "<" ANONYMOUS);
	} else {
		wbuf_z(w, "<sip:");
		put_user(w, e, sip_uri_party(&a->uri));
		wbuf_z(w, a->uri.user.n ? "@" : "");
		wbuf_str(w, identity_host(e, part, host_text(&a->uri)));
	}
	if (a->uri.scheme == SIP_SCHEME_TEL || sip_param(a->uri.params, STR("user"), &value))
		wbuf_z(w, ";user=phone");
	/* RFC 4458: why it was sent here, in a history. */
	if (sip_param(a->uri.params, STR("cause"), &value) && str_to_u64(value, 999, &cause) == 0)
		wbuf_fmt(w, ";cause=%u", (unsigned)cause);
	if (part == &e->to->history && !e->to->identity_trusted) {
		put_headers_outside(w, a->uri.headers);
	} else if (part == &e->to->history && e->private_history && !is_anonymous(a) &&
		   !asks_for_privacy(a->uri.headers)) {
		put_headers_private(w, a->uri.headers);
	} else if (a->uri.headers.n) {
		wbuf_z(w, "?");
		wbuf_str(w, a->uri.headers);
	}
	wbuf_z(w, ">");
	if (a->params.n) {
		wbuf_z(w, ";");
		wbuf_str(w, a->params);
	}
}

enum verdict { SHOW, SHOW_TEL, HIDE, LEAVE_OUT };

/* What the judge of an address may look at. */
struct matter {
	const struct identity_ends *ends;
	unsigned privacy;
	bool beside_sip; /* the list has one of a sip: URI */
};

typedef enum verdict judge_fn(const struct sip_addr *a, const struct matter *m);

/* RFC 3325 section 9.1: of two one is a tel: URI. */
static enum verdict judge_asserted(const struct sip_addr *a, const struct matter *m)
{
	return a->uri.scheme == SIP_SCHEME_TEL && m->beside_sip ? SHOW_TEL : SHOW;
}

/* RFC 5806 section 4.2. */
static enum verdict judge_diversion(const struct sip_addr *a, const struct matter *m)
{
	struct str value;

	return !m->ends->to->identity_trusted && sip_param(a->params, STR("privacy"), &value) &&
			       !str_ieq(value, STR("off")) && !str_ieq(value, STR("\"off\""))
		       ? LEAVE_OUT
		       : SHOW;
}

/* RFC 7044 section 10.1.2: an entry keeps its index, and is nobody's. */
static enum verdict judge_history(const struct sip_addr *a, const struct matter *m)
{
	if (m->ends->to->identity_trusted)
		return SHOW;
	return m->ends->private_history || (m->privacy & (PRIVACY_HISTORY | PRIVACY_HEADER)) ||
			       asks_for_privacy(a->uri.headers)
		       ? HIDE
		       : SHOW;
}

/* A number of the whole world; another would need its context, which the sip: URI has. */
static void put_tel(struct wbuf *w, const struct identity_ends *e, const struct sip_addr *a)
{
	char buf[VALUE_MAX];
	struct wbuf number = wbuf_make(buf, sizeof buf);

	put_user(&number, e, a->uri.user);
	if (number.overflow || !str_starts(wbuf_view(&number), STR("+")))
		return;
	wbuf_z(w, w->len ? ", " : "");
	wbuf_str(w, a->display);
	wbuf_fmt(w, "%s<tel:%.*s>", a->display.n ? " " : "", STR_ARG(wbuf_view(&number)));
}

static void put_entry(struct wbuf *w, const struct identity_ends *e, const struct config_host_part *part,
	enum verdict verdict, const struct sip_addr *a)
{
	static const struct config_host_part own = {.kind = CONFIG_HOST_OWN};
	struct sip_addr nobody = {.params = a->params};

	if (verdict == SHOW_TEL)
		put_tel(w, e, a);
	if (verdict == LEAVE_OUT || verdict == SHOW_TEL)
		return;
	wbuf_z(w, w->len ? ", " : "");
	nobody.uri.host = STR(NOWHERE);
	put_address(w, e, verdict == SHOW ? part : &own, verdict == SHOW ? a : &nobody);
}

/* Is one of the header's addresses a sip: or sips: URI? */
static bool has_sip(const struct header_set *s, enum sip_hdr_id id)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct str rest = s->lines[i].id == id ? s->lines[i].value : STR(""), one;
		struct sip_addr a;

		while (sip_list_next(&rest, &one))
			if (sip_addr_parse(one, &a) == 0 && !a.star && a.uri.scheme != SIP_SCHEME_TEL)
				return true;
	}
	return false;
}

/* Every value of a header that is a list of addresses. What is no address is left out. True: so was another.
 */
static bool rewrite_list(struct header_set *s, enum sip_hdr_id id, const struct identity_ends *e,
	const struct config_host_part *part, judge_fn *judge, unsigned privacy)
{
	const struct matter matter = {e, privacy, has_sip(s, id)};
	bool hidden = false;

	for (unsigned i = 0; i < s->n; i++) {
		struct header_line *l = &s->lines[i];
		struct str rest = l->value, one;
		char buf[VALUE_MAX];
		struct wbuf w = wbuf_make(buf, sizeof buf);
		struct sip_addr a;

		if (l->id != id)
			continue;
		while (sip_list_next(&rest, &one)) {
			if (sip_addr_parse(one, &a) < 0 || a.star)
				continue;
			enum verdict verdict = judge(&a, &matter);

			hidden |= verdict == HIDE || verdict == LEAVE_OUT;
			put_entry(&w, e, part, verdict, &a);
		}
		l->value = header_set_keep(s, wbuf_view(&w));
		l->passes = w.len > 0;
		s->full |= w.overflow;
	}
	return hidden;
}

static bool is_own(const struct config_headers *h, struct str number)
{
	for (uint32_t i = 0; i < h->n_own_numbers; i++)
		if (str_starts(number, str_z(h->own_numbers[i])))
			return true;
	return false;
}

/* For a party outside: the number of its own that it prefers, that it calls from, or the first (RFC 3325). */
static void assert_own(struct header_set *s, const struct identity_ends *e, const struct sip_addr *from)
{
	const struct header_line *preferred = header_set_find(s, SIP_H_P_PREFERRED_IDENTITY);
	struct sip_addr asked[2] = {[1] = *from};
	char number[VALUE_MAX], buf[VALUE_MAX];
	struct wbuf w = wbuf_make(buf, sizeof buf), n;
	unsigned i;

	if (preferred)
		(void)sip_addr_parse(preferred->value, &asked[0]);
	for (i = 0; i < 2; i++) {
		n = wbuf_make(number, sizeof number);
		number_read(&e->from->numbers, asked[i].uri.user, &n);
		if (!n.overflow && is_own(e->from, wbuf_view(&n)))
			break;
	}
	wbuf_z(&w, "<sip:");
	number_write(&e->to->numbers, i < 2 ? wbuf_view(&n) : str_z(e->from->own_numbers[0]), &w);
	wbuf_z(&w, "@");
	wbuf_str(&w, identity_host(e, &e->to->asserted, STR("")));
	wbuf_z(&w, ">");
	s->full |= w.overflow;
	header_set_add(s, SIP_H_P_ASSERTED_IDENTITY, sip_hdr_name(SIP_H_P_ASSERTED_IDENTITY), wbuf_view(&w));
}

/* What of the Privacy lines is left to be done by others. */
static void pass_privacy(struct header_set *s, bool inside, unsigned privacy)
{
	char buf[128];
	struct wbuf w = wbuf_make(buf, sizeof buf);

	if (inside) {
		for (unsigned i = 0; i < s->n; i++)
			s->lines[i].passes |= s->lines[i].id == SIP_H_PRIVACY;
		return;
	}
	header_set_remove(s, SIP_H_PRIVACY);
	for (unsigned k = 0; k < PRIVACY_NAMES; k++) {
		if (!(privacy & privacy_names[k].bit) || !privacy_names[k].stays)
			continue;
		wbuf_z(&w, w.len ? ";" : "");
		wbuf_z(&w, privacy_names[k].name);
	}
	if (w.len)
		header_set_add(s, SIP_H_PRIVACY, sip_hdr_name(SIP_H_PRIVACY), wbuf_view(&w));
}

/*
 * Who has asked for the transfer (RFC 3892) is asserted like any identity: inside the trust domain, at our
 * address. Its parameters point to a signed token in a body that is not passed on.
 */
static void referrer(
	struct header_set *s, const struct identity_ends *e, bool both, struct identity_done *done)
{
	const struct header_line *l = header_set_find(s, SIP_H_REFERRED_BY);
	char buf[VALUE_MAX];
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct sip_addr a;
	bool passes =
		both && !(done->privacy & PRIVACY_USER) && l && sip_addr_parse(l->value, &a) == 0 && !a.star;

	done->dropped |= l && !e->from->identity_trusted;
	done->hidden |= l && e->from->identity_trusted && !passes;
	if (passes) {
		a.params = a.uri.headers = STR("");
		put_address(&w, e, &e->to->asserted, &a);
	}
	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].id == SIP_H_REFERRED_BY && !s->lines[i].passes) /* no rule says otherwise */
			s->lines[i].value = STR("");
	s->full |= w.overflow;
	if (w.len)
		header_set_add(s, SIP_H_REFERRED_BY, sip_hdr_name(SIP_H_REFERRED_BY), wbuf_view(&w));
}

void identity_apply(struct header_set *s, const struct identity_ends *e, const struct sip_addr *from,
	struct identity_done *done)
{
	bool both = e->from->identity_trusted && e->to->identity_trusted;
	struct header_line *early = header_set_find(s, SIP_H_P_EARLY_MEDIA);

	*done = (struct identity_done){.privacy = identity_privacy(s)};
	if (!e->from->identity_trusted) {
		done->dropped = header_set_find(s, SIP_H_P_ASSERTED_IDENTITY) != NULL;
		header_set_remove(s, SIP_H_P_ASSERTED_IDENTITY);
	}
	rewrite_list(s, SIP_H_P_ASSERTED_IDENTITY, e, &e->to->asserted, judge_asserted, done->privacy);
	if (!e->from->identity_trusted && from && e->from->n_own_numbers)
		assert_own(s, e, from);
	if (!e->to->identity_trusted && (done->privacy & PRIVACY_ID)) {
		done->hidden = header_set_find(s, SIP_H_P_ASSERTED_IDENTITY) != NULL;
		header_set_remove(s, SIP_H_P_ASSERTED_IDENTITY);
	}
	header_set_remove(s, SIP_H_P_PREFERRED_IDENTITY);
	referrer(s, e, both, done);
	done->hidden |=
		rewrite_list(s, SIP_H_DIVERSION, e, &e->to->diversion, judge_diversion, done->privacy);
	done->hidden |= rewrite_list(s, SIP_H_HISTORY_INFO, e, &e->to->history, judge_history, done->privacy);
	done->hidden |= !e->to->identity_trusted && (done->privacy & PRIVACY_USER);
	if (early)
		early->passes = both;
	pass_privacy(s, e->to->identity_trusted, done->privacy);
}

void identity_from(const struct identity_ends *e, unsigned privacy, struct str user,
	const struct sip_addr *was, struct wbuf *w)
{
	bool hidden = (privacy & PRIVACY_USER) && !e->to->identity_trusted;

	if (hidden || (was && is_anonymous(was))) {
		wbuf_z(w, "\"Anonymous\" <" ANONYMOUS ">");
		return;
	}
	if (was && was->display.n && was->display.n < DISPLAY_MAX) {
		wbuf_str(w, was->display);
		wbuf_z(w, " ");
	}
	wbuf_z(w, "<sip:");
	if (user.n)
		number_write(&e->to->numbers, user, w);
	else
		wbuf_z(w, "anonymous");
	wbuf_z(w, "@");
	wbuf_str(w, identity_host(e, &e->to->from, was ? host_text(&was->uri) : STR("")));
	wbuf_z(w, ">");
}
