/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/xpath.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/netconf/fault.h"

#define USED_MAX 8 /* modules in one instance path */

/* Octets above 127 are taken for letters: whoever evaluates the path knows better. */
static bool begins_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_char(char c)
{
	return begins_name(c) || isdigit((unsigned char)c) || c == '-' || c == '.';
}

static struct str name_at(struct str s)
{
	size_t n = 0;

	if (s.n && begins_name(s.p[0])) {
		while (n < s.n && is_name_char(s.p[n]))
			n++;
	}
	return str_sub(s, 0, n);
}

/* A literal with its quotes, to the end of s when it is not closed. */
static struct str literal_at(struct str s)
{
	ptrdiff_t end = str_chr(str_sub(s, 1, s.n - 1), s.p[0]);

	return str_sub(s, 0, end < 0 ? s.n : (size_t)end + 2);
}

/* A number is taken whole, or the e of 1e5 would begin a name. */
static struct str number_at(struct str s)
{
	size_t n = 0;

	while (n < s.n && (is_name_char(s.p[n])))
		n++;
	return str_sub(s, 0, n);
}

/* Is name, at the front of s, a prefix: followed by one colon and not by an axis's two? */
static bool is_prefix(struct str s, struct str name)
{
	return name.n && name.n + 1 < s.n && s.p[name.n] == ':' && s.p[name.n + 1] != ':';
}

static void skip(struct str *s, size_t n)
{
	*s = str_sub(*s, n, s->n - n);
}

static json_t *unknown(struct str prefix, const char *ns)
{
	json_t *f;

	if (!ns)
		return fault_info(fault_info(fault_make("protocol", "bad-attribute",
						     "no xmlns declares the prefix \"%.*s\" of the select",
						     STR_ARG(prefix)),
					  "bad-attribute", "select"),
			"bad-element", "filter");
	f = fault_make(
		"protocol", "unknown-namespace", "no module of this gateway has the namespace \"%s\"", ns);
	return fault_info(fault_info(f, "bad-element", "filter"), "bad-namespace", ns);
}

/* A literal that is one prefixed name is an identity: its prefix is translated if there is such a one. */
static void put_literal(
	struct str literal, const struct xml_node *scope, const struct models *m, struct text *out)
{
	struct str inner = str_sub(literal, 1, literal.n > 2 ? literal.n - 2 : 0), prefix = name_at(inner);
	struct str rest = str_sub(inner, prefix.n + 1, inner.n);
	const char *ns =
		is_prefix(inner, prefix) && name_at(rest).n == rest.n ? xml_namespace(scope, prefix) : NULL;
	const char *module = ns ? models_name(m, ns) : NULL;

	if (module)
		text_fmt(out, "%c%s:%.*s%c", literal.p[0], module, STR_ARG(rest), literal.p[0]);
	else
		text_str(out, literal);
}

int xpath_to_modules(
	struct str s, const struct xml_node *scope, const struct models *m, struct text *out, json_t **fault)
{
	while (s.n) {
		struct str token = str_sub(s, 0, 1);

		if (token.p[0] == '\'' || token.p[0] == '"') {
			token = literal_at(s);
			put_literal(token, scope, m, out);
		} else if (begins_name(token.p[0]) && is_prefix(s, name_at(s))) {
			token = name_at(s);
			const char *ns = xml_namespace(scope, token);
			const char *module = ns ? models_name(m, ns) : NULL;

			if (!module) {
				*fault = unknown(token, ns);
				return -1;
			}
			text_fmt(out, "%s:", module);
			token.n++;
			/* The name behind the prefix must not be looked at as a prefix again. */
			struct str local = name_at(str_sub(s, token.n, s.n - token.n));

			text_str(out, local);
			token.n += local.n;
		} else {
			if (begins_name(token.p[0]))
				token = name_at(s);
			else if (isdigit((unsigned char)token.p[0]))
				token = number_at(s);
			text_str(out, token);
		}
		skip(&s, token.n);
	}
	return 0;
}

struct path_writer {
	const struct models *m;
	struct text *out, *declarations;
	struct str used[USED_MAX];
	unsigned n_used;
	struct str module; /* of the step that was written last */
};

static void declare(struct path_writer *w, struct str module)
{
	const char *ns = models_namespace(w->m, module);

	for (unsigned i = 0; i < w->n_used; i++) {
		if (str_eq(w->used[i], module))
			return;
	}
	if (!ns || w->n_used == USED_MAX)
		return;
	w->used[w->n_used++] = module;
	text_fmt(w->declarations, " xmlns:%.*s=\"", STR_ARG(module));
	text_xml_value(w->declarations, str_z(ns));
	text_z(w->declarations, "\"");
}

/* One name of the path; returns how many octets of s it was. */
static size_t put_step(struct path_writer *w, struct str s, bool in_predicate)
{
	struct str name = name_at(s), module = w->module;
	size_t taken = name.n;

	if (is_prefix(s, name)) {
		module = name;
		name = name_at(str_sub(s, module.n + 1, s.n));
		taken = module.n + 1 + name.n;
		if (!in_predicate)
			w->module = module;
	}
	if (module.n) {
		declare(w, module);
		text_fmt(w->out, "%.*s:", STR_ARG(module));
	}
	text_str(w->out, name);
	return taken;
}

void xpath_from_modules(struct str s, const struct models *m, struct text *out, struct text *declarations)
{
	struct path_writer w = {.m = m, .out = out, .declarations = declarations};
	bool in_predicate = false;

	while (s.n) {
		struct str token = str_sub(s, 0, 1);

		if (begins_name(s.p[0])) {
			skip(&s, put_step(&w, s, in_predicate));
			continue;
		}
		if (s.p[0] == '\'' || s.p[0] == '"')
			token = literal_at(s);
		else if (isdigit((unsigned char)s.p[0]))
			token = number_at(s);
		else if (s.p[0] == '[' || s.p[0] == ']')
			in_predicate = s.p[0] == '[';
		text_str(out, token);
		skip(&s, token.n);
	}
}
