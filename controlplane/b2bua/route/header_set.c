/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/header_set.h"

enum fate {
	DROPPED, /* unless a rule says otherwise; what has no line below */
	OWNED,   /* the gateway's own */
	PASSES,
	GMT_ONLY, /* passes when it is a date: RFC 3261 section 20.17 */
	URN_ONLY, /* passes when it names nothing that could be looked up */
};

static const uint8_t fates[SIP_H_COUNT] = {
	[SIP_H_ACCEPT_CONTACT] = PASSES,
	[SIP_H_ACCEPT_LANGUAGE] = PASSES,
	[SIP_H_ALERT_INFO] = URN_ONLY,
	[SIP_H_ALLOW] = OWNED,
	[SIP_H_AUTHENTICATION_INFO] = OWNED,
	[SIP_H_AUTHORIZATION] = OWNED,
	[SIP_H_CALL_ID] = OWNED,
	[SIP_H_CONTACT] = OWNED,
	[SIP_H_CONTENT_DISPOSITION] = OWNED,
	[SIP_H_CONTENT_ENCODING] = OWNED,
	[SIP_H_CONTENT_LENGTH] = OWNED,
	[SIP_H_CONTENT_TYPE] = OWNED,
	[SIP_H_CSEQ] = OWNED,
	[SIP_H_DATE] = GMT_ONLY,
	[SIP_H_EVENT] = OWNED,
	[SIP_H_EXPIRES] = OWNED,
	[SIP_H_FROM] = OWNED,
	[SIP_H_IDENTITY] = PASSES,
	[SIP_H_INFO_PACKAGE] = OWNED,
	[SIP_H_MAX_FORWARDS] = OWNED,
	[SIP_H_MIME_VERSION] = OWNED,
	[SIP_H_MIN_EXPIRES] = OWNED,
	[SIP_H_MIN_SE] = OWNED,
	[SIP_H_PATH] = OWNED,
	[SIP_H_PRIORITY] = PASSES,
	[SIP_H_PROXY_AUTHENTICATE] = OWNED,
	[SIP_H_PROXY_AUTHORIZATION] = OWNED,
	[SIP_H_PROXY_REQUIRE] = OWNED,
	[SIP_H_RACK] = OWNED,
	[SIP_H_REASON] = OWNED,
	[SIP_H_RECORD_ROUTE] = OWNED,
	[SIP_H_RECV_INFO] = PASSES,
	[SIP_H_REFER_SUB] = OWNED,
	[SIP_H_REFER_TO] = OWNED,
	[SIP_H_REJECT_CONTACT] = PASSES,
	[SIP_H_REPLACES] = OWNED,
	[SIP_H_REQUEST_DISPOSITION] = PASSES,
	[SIP_H_REQUIRE] = OWNED,
	[SIP_H_RETRY_AFTER] = OWNED,
	[SIP_H_ROUTE] = OWNED,
	[SIP_H_RSEQ] = OWNED,
	[SIP_H_SERVICE_ROUTE] = OWNED,
	[SIP_H_SESSION_EXPIRES] = OWNED,
	[SIP_H_SESSION_ID] = PASSES,
	[SIP_H_SIP_ETAG] = OWNED,
	[SIP_H_SIP_IF_MATCH] = OWNED,
	[SIP_H_SUBJECT] = PASSES,
	[SIP_H_SUBSCRIPTION_STATE] = OWNED,
	[SIP_H_SUPPORTED] = OWNED,
	[SIP_H_TARGET_DIALOG] = OWNED,
	[SIP_H_TIMESTAMP] = OWNED,
	[SIP_H_TO] = OWNED,
	[SIP_H_UNSUPPORTED] = OWNED,
	[SIP_H_USER_TO_USER] = PASSES,
	[SIP_H_VIA] = OWNED,
	[SIP_H_WARNING] = OWNED,
	[SIP_H_WWW_AUTHENTICATE] = OWNED,
};

/* Headers that the parser has no number for. */
static const char *const others_pass[] = {
	"Answer-Mode",
	"Geolocation-Routing",
	"Priv-Answer-Mode",
	"Resource-Priority",
};

static bool passes_by_default(enum sip_hdr_id id, struct str name, struct str value)
{
	if (id != SIP_H_OTHER)
		return fates[id] == PASSES ||
		       (fates[id] == GMT_ONLY && value.n == 29 &&
			       str_eq(str_sub(value, 25, 4), STR(" GMT"))) ||
		       (fates[id] == URN_ONLY && str_istarts(value, STR("<urn:")));
	for (unsigned i = 0; i < sizeof others_pass / sizeof *others_pass; i++)
		if (str_ieq(name, str_z(others_pass[i])))
			return true;
	return false;
}

static void add_line(struct header_set *s, struct header_line line)
{
	if (s->n == HEADER_SET_MAX)
		s->full = true;
	else
		s->lines[s->n++] = line;
}

void header_set_empty(struct header_set *s, bool request)
{
	s->request = request;
	s->n = 0;
	s->full = false;
	s->text = wbuf_make(s->buf, sizeof s->buf);
}

static bool is_trickle(struct str package)
{
	return str_ieq(str_trim(str_cut(&package, ';')), STR("trickle-ice"));
}

/* Candidates of one side are nothing to the other, and do not pass in INFO: nobody is told that they are
 * wanted. */
static struct str without_trickle(struct header_set *s, struct str packages)
{
	struct str rest = packages;
	size_t at = s->text.len;
	bool any = false;

	while (rest.n)
		any |= is_trickle(str_cut(&rest, ','));
	if (!any)
		return packages;
	while (packages.n) {
		struct str package = str_trim(str_cut(&packages, ','));

		if (is_trickle(package))
			continue;
		wbuf_z(&s->text, s->text.len > at ? ", " : "");
		wbuf_str(&s->text, package);
	}
	s->full |= s->text.overflow;
	return s->full ? STR("") : (struct str){s->buf + at, s->text.len - at};
}

void header_set_from(struct header_set *s, const struct sip_msg *m)
{
	header_set_empty(s, m->request);
	for (unsigned i = 0; i < m->hdr_count; i++) {
		const struct sip_hdr *h = &m->hdrs[i];

		struct str value = h->id == SIP_H_RECV_INFO ? without_trickle(s, h->value) : h->value;

		if (fates[h->id] != OWNED)
			add_line(s, (struct header_line){.id = (enum sip_hdr_id)h->id,
					    .name = h->id == SIP_H_OTHER ? h->name : sip_hdr_name(h->id),
					    .value = value,
					    .passes = passes_by_default(h->id, h->name, h->value)});
	}
}

struct str header_set_keep(struct header_set *s, struct str value)
{
	size_t at = s->text.len;

	wbuf_str(&s->text, value);
	if (s->text.overflow)
		s->full = true;
	return s->full ? STR("") : (struct str){s->buf + at, value.n};
}

void header_set_add(struct header_set *s, enum sip_hdr_id id, struct str name, struct str value)
{
	struct str copy = header_set_keep(s, value);

	if (copy.n)
		add_line(s, (struct header_line){.id = id, .name = name, .value = copy, .passes = true});
}

struct header_line *header_set_find(struct header_set *s, enum sip_hdr_id id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].id == id && s->lines[i].value.n)
			return &s->lines[i];
	return NULL;
}

static void take_out(struct header_line *l)
{
	l->value = STR("");
	l->passes = false;
	l->id = SIP_H_OTHER;
	l->name = STR("");
}

void header_set_remove(struct header_set *s, enum sip_hdr_id id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].id == id)
			take_out(&s->lines[i]);
}

/* The place behind the first text that equals part, at or behind from; -1: there is none. */
static ptrdiff_t find_part(struct str value, size_t from, struct str part)
{
	for (size_t at = from; at + part.n <= value.n; at++)
		if (str_ieq(str_sub(value, at, part.n), part))
			return (ptrdiff_t)(at + part.n);
	return -1;
}

#define STARS_MAX 16

/* form with its stars replaced by what was found. */
static void put_form(struct wbuf *w, struct str form, const struct str *found, unsigned n)
{
	unsigned star = 0;

	for (size_t i = 0; i < form.n; i++) {
		if (form.p[i] != '*')
			wbuf_u8(w, (uint8_t)form.p[i]);
		else if (star < n)
			wbuf_str(w, found[star++]);
	}
}

bool header_match(struct str value, struct str pattern, struct str form, struct wbuf *made)
{
	struct str found[STARS_MAX], part = pattern;
	ptrdiff_t star = str_chr(pattern, '*');
	unsigned n = 0;
	size_t at;

	if (star < 0) {
		if (!str_ieq(value, pattern))
			return false;
	} else {
		part = str_cut(&pattern, '*');
		if (!str_istarts(value, part))
			return false;
		at = part.n;
		/* The earliest place of each part is as good as any, but for the last: that is at the end. */
		while (str_chr(pattern, '*') >= 0) {
			part = str_cut(&pattern, '*');
			ptrdiff_t end = find_part(value, at, part);

			if (end < 0)
				return false;
			if (n < STARS_MAX)
				found[n++] = str_sub(value, at, (size_t)end - part.n - at);
			at = (size_t)end;
		}
		if (value.n < at + pattern.n ||
			!str_ieq(str_sub(value, value.n - pattern.n, pattern.n), pattern))
			return false;
		if (n < STARS_MAX)
			found[n++] = str_sub(value, at, value.n - pattern.n - at);
	}
	if (made)
		put_form(made, form, found, n);
	return true;
}

static bool same_header(const struct header_line *l, enum sip_hdr_id id, struct str name)
{
	return l->id == id && (id != SIP_H_OTHER || str_ieq(l->name, name));
}

static void rewrite(struct header_set *s, struct header_line *l, const struct config_header_rule *r)
{
	size_t at = s->text.len;

	header_match(l->value, str_z(r->match ? r->match : "*"), str_z(r->value), &s->text);
	if (s->text.overflow) {
		s->full = true;
		return;
	}
	l->value = str_trim((struct str){s->buf + at, s->text.len - at});
	l->passes = l->value.n > 0;
}

static void apply(struct header_set *s, const struct config_header_rule *r)
{
	struct str name = str_z(r->header);
	enum sip_hdr_id id = sip_hdr_by_name(name);
	unsigned n = s->n;

	if (r->action == CONFIG_RULE_ADD) {
		header_set_add(s, id, id == SIP_H_OTHER ? name : sip_hdr_name(id), str_z(r->value));
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct header_line *l = &s->lines[i];

		if (!same_header(l, id, name) ||
			(r->match && !header_match(l->value, str_z(r->match), STR(""), NULL)))
			continue;
		if (r->action == CONFIG_RULE_PASS)
			l->passes = l->value.n > 0;
		else if (r->action == CONFIG_RULE_REMOVE)
			take_out(l);
		else
			rewrite(s, l, r);
	}
}

void header_set_rules(struct header_set *s, const struct config_headers *h, bool out)
{
	enum config_rule_messages other = s->request ? CONFIG_RULE_RESPONSES : CONFIG_RULE_REQUESTS;

	for (uint32_t i = 0; i < h->n_rules; i++)
		if (h->rules[i].out == out && h->rules[i].messages != other)
			apply(s, &h->rules[i]);
}

void header_set_build(const struct header_set *s, struct sip_builder *b)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].passes)
			sip_build_hdr_named(b, s->lines[i].name, s->lines[i].value);
	b->w.overflow |= s->full;
}
