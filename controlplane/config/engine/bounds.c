/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/bounds.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/config/engine/fault.h"

/* How deep we are in a text, and how many stand at each level of the way there. */
struct count {
	unsigned depth, nodes;
	unsigned children[BOUNDS_DEPTH + 1];
	struct engine_fault *f;
};

static int add(struct count *c)
{
	if (++c->nodes > BOUNDS_NODES)
		return fault_protocol(c->f, "too-big", "more than %u nodes: send it in parts", BOUNDS_NODES);
	if (++c->children[c->depth] > BOUNDS_CHILDREN)
		return fault_protocol(
			c->f, "too-big", "more than %u nodes in one: send it in parts", BOUNDS_CHILDREN);
	return 0;
}

static int enter(struct count *c)
{
	if (c->depth == BOUNDS_DEPTH)
		return fault_protocol(c->f, "too-big", "nested deeper than %u levels", BOUNDS_DEPTH);
	c->children[++c->depth] = 0;
	return 0;
}

static void leave(struct count *c)
{
	c->depth -= c->depth > 0;
}

static int check_json_count(struct str text, struct engine_fault *f)
{
	struct count c = {.f = f};
	bool quoted = false;
	int rc = 0;

	for (size_t i = 0; i < text.n && !rc; i++) {
		char ch = text.p[i];

		if (quoted && ch == '\\')
			i++;
		else if (ch == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (ch == '{' || ch == '[')
			rc = add(&c) ? -1 : enter(&c);
		else if (ch == ',')
			rc = add(&c);
		else if (ch == '}' || ch == ']')
			leave(&c);
	}
	return rc;
}

static int check_json(struct str text, struct engine_fault *f)
{
	json_error_t where;
	json_t *root;
	bool is_object;

	if (check_json_count(text, f))
		return -1;
	root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &where);
	is_object = json_is_object(root);
	json_decref(root);
	if (!root) {
		fault_protocol(f, "malformed-message", "not JSON: line %d, column %d: %s", where.line,
			where.column, where.text);
		return -1;
	}
	if (!is_object)
		return fault_protocol(f, "malformed-message",
			"a configuration is a JSON object: {\"srtp-gateway:gateway\":{...}}");
	return 0;
}

/* Behind the end of what begins at p with a known word, or NULL when the text ends before it does. */
static const char *behind(const char *p, const char *end, struct str close)
{
	const char *found = memmem(p, (size_t)(end - p), close.p, close.n);

	return found ? found + close.n : NULL;
}

/* Behind a tag; '>' may stand in an attribute's value. */
static const char *behind_tag(const char *p, const char *end)
{
	char quote = 0;

	for (; p < end; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '>')
			return p + 1;
	}
	return NULL;
}

enum markup { MARKUP_NONE, MARKUP_OPEN, MARKUP_EMPTY, MARKUP_CLOSE };

static const char *next_markup(const char *p, const char *end, enum markup *what)
{
	struct str rest = {p, (size_t)(end - p)};

	*what = MARKUP_NONE;
	if (str_starts(rest, STR("<!--")))
		return behind(p + 4, end, STR("-->"));
	if (str_starts(rest, STR("<![CDATA[")))
		return behind(p, end, STR("]]>"));
	if (str_starts(rest, STR("<?")))
		return behind(p, end, STR("?>"));
	if (str_starts(rest, STR("<!")))
		return NULL;
	const char *next = behind_tag(p, end);

	if (next)
		*what = p[1] == '/' ? MARKUP_CLOSE : next[-2] == '/' ? MARKUP_EMPTY : MARKUP_OPEN;
	return next;
}

static bool is_declaration(struct str rest)
{
	return str_starts(rest, STR("<!")) && !str_starts(rest, STR("<!--")) &&
	       !str_starts(rest, STR("<![CDATA["));
}

static int refuse_attribute(struct str element, struct str attribute, struct engine_fault *f)
{
	ptrdiff_t colon = str_chr(element, ':');

	fault_protocol(f, "unknown-attribute",
		"the attribute '%.*s' names no namespace and means nothing; an operation is nc:operation with "
		"xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\"",
		(int)(attribute.n < 64 ? attribute.n : 64), attribute.p);
	element = str_sub(element, (size_t)(colon + 1), element.n);
	snprintf(f->bad_element, sizeof f->bad_element, "%.*s", STR_ARG(element));
	snprintf(f->bad_attribute, sizeof f->bad_attribute, "%.*s", STR_ARG(attribute));
	return -1;
}

/* A name, off the front of *rest. */
static struct str cut_name(struct str *rest)
{
	size_t n = 0;

	while (n < rest->n && !strchr(" \t\r\n=/>", rest->p[n]))
		n++;
	struct str name = str_sub(*rest, 0, n);

	*rest = str_sub(*rest, n, rest->n);
	return name;
}

static struct str behind_space(struct str s)
{
	size_t n = 0;

	while (n < s.n && strchr(" \t\r\n", s.p[n]))
		n++;
	return str_sub(s, n, s.n);
}

/* libyang passes over attributes without a prefix: one that says what to do would not be done, unseen. What
 * is not well-formed libyang refuses. */
static int check_attributes(struct str tag, struct engine_fault *f)
{
	struct str rest = str_sub(tag, 1, tag.n), element = cut_name(&rest);

	for (;;) {
		rest = behind_space(rest);
		struct str name = cut_name(&rest);

		if (!name.n)
			return 0;
		if (str_chr(name, ':') < 0 && !str_eq(name, STR("xmlns")))
			return refuse_attribute(element, name, f);
		rest = behind_space(rest);
		if (!str_starts(rest, STR("=")))
			return 0;
		rest = behind_space(str_sub(rest, 1, rest.n));
		if (!str_starts(rest, STR("\"")) && !str_starts(rest, STR("'")))
			return 0;
		ptrdiff_t close = str_chr(str_sub(rest, 1, rest.n), rest.p[0]);

		if (close < 0)
			return 0;
		rest = str_sub(rest, (size_t)close + 2, rest.n);
	}
}

static int check_xml(struct str text, struct engine_fault *f)
{
	const char *p = text.p, *end = text.p + text.n, *tag;
	struct count c = {.f = f};
	enum markup what;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		if (is_declaration((struct str){p, (size_t)(end - p)}))
			return fault_protocol(
				f, "malformed-message", "declarations (<!DOCTYPE, <!ENTITY) are not taken");
		tag = p;
		p = next_markup(p, end, &what);
		if (!p)
			return fault_protocol(
				f, "malformed-message", "the XML ends in the middle of its markup");
		if ((what == MARKUP_OPEN || what == MARKUP_EMPTY) &&
			(add(&c) || check_attributes((struct str){tag, (size_t)(p - tag)}, f)))
			return -1;
		if (what == MARKUP_OPEN && enter(&c))
			return -1;
		if (what == MARKUP_CLOSE)
			leave(&c);
	}
	return 0;
}

int bounds_text(struct str text, enum engine_format format, struct engine_fault *f)
{
	if (text.n > BOUNDS_OCTETS)
		return fault_protocol(f, "too-big", "larger than %u octets", BOUNDS_OCTETS);
	if (text.n && memchr(text.p, 0, text.n))
		return fault_protocol(f, "malformed-message", "this is not text: it holds a NUL");
	return format == ENGINE_XML ? check_xml(text, f) : check_json(text, f);
}
