/* SPDX-License-Identifier: Apache-2.0 */
/* When two URIs name the same thing: RFC 3261 section 19.1.4, RFC 3966 section 4. */
#include "controlplane/sip/chars.h"
#include "controlplane/sip/uri.h"

#define PARAMS_MAX 32 /* each is compared with each */

/*
 * The next character of escaped text. An escaped reserved character is not the same as the bare one, so it
 * comes back with 0x100 added.
 */
static int next_char(struct str *s, bool fold)
{
	int c = (uint8_t)s->p[0];
	size_t used = 1;

	if (c == '%' && s->n >= 3 && ch_hex(s->p[1]) >= 0 && ch_hex(s->p[2]) >= 0) {
		c = ch_hex(s->p[1]) << 4 | ch_hex(s->p[2]);
		used = 3;
		if (!ch_is((char)c, CH_UNRESERVED))
			c |= 0x100;
	}
	*s = str_sub(*s, used, s->n);
	if (fold && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	return c;
}

static bool text_equal(struct str a, struct str b, bool fold)
{
	while (a.n && b.n)
		if (next_char(&a, fold) != next_char(&b, fold))
			return false;
	return !a.n && !b.n;
}

static bool param_find(struct str params, struct str name, struct str *value)
{
	struct str n, v;

	while (sip_param_next(&params, &n, &v)) {
		if (text_equal(n, name, true)) {
			*value = v;
			return true;
		}
	}
	return false;
}

bool sip_uri_params_ok(struct str params)
{
	struct str name, value, other;

	for (unsigned n = 0; sip_param_next(&params, &name, &value); n++)
		if (n == PARAMS_MAX || (param_find(params, name, &other) && !text_equal(value, other, true)))
			return false;
	return true;
}

/* Parameters that count even when only one of the URIs has them. */
static bool param_significant(struct str name)
{
	return str_ieq(name, STR("user")) || str_ieq(name, STR("ttl")) || str_ieq(name, STR("method")) ||
	       str_ieq(name, STR("maddr")) || str_ieq(name, STR("transport"));
}

static bool params_match(struct str a, struct str b, bool all_count)
{
	struct str name, va, vb, rest = a;

	while (sip_param_next(&rest, &name, &va)) {
		if (!param_find(b, name, &vb)) {
			if (all_count || param_significant(name))
				return false;
		} else if (!text_equal(va, vb, true)) {
			return false;
		}
	}
	return true;
}

/* Every "name=value" of a is in b. Order does not matter. */
static bool headers_within(struct str a, struct str b)
{
	while (a.n) {
		struct str ha = str_cut(&a, '&'), rest = b;
		bool found = false;

		while (rest.n && !found) {
			struct str hb = str_cut(&rest, '&'), ta = ha, tb = hb;

			found = text_equal(str_cut(&ta, '='), str_cut(&tb, '='), true) &&
				text_equal(ta, tb, false);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool is_visual(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

static bool number_equal(struct str a, struct str b)
{
	for (;;) {
		while (a.n && is_visual(a.p[0]))
			a = str_sub(a, 1, a.n);
		while (b.n && is_visual(b.p[0]))
			b = str_sub(b, 1, b.n);
		if (!a.n || !b.n)
			return !a.n && !b.n;
		if (next_char(&a, true) != next_char(&b, true))
			return false;
	}
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == SIP_SCHEME_OTHER)
		return str_eq(a->text, b->text);
	if (a->scheme == SIP_SCHEME_TEL)
		return number_equal(a->user, b->user) && params_match(a->params, b->params, true) &&
		       params_match(b->params, a->params, true);
	return a->has_user == b->has_user && a->port == b->port && text_equal(a->user, b->user, false) &&
	       text_equal(a->password, b->password, false) && str_ieq(a->host, b->host) &&
	       params_match(a->params, b->params, false) && params_match(b->params, a->params, false) &&
	       headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}
