/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/bounds.h"

#include <ctype.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/config/engine/fault.h"

#define PATH_DEPTH 32

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

static int check_xml(struct str text, struct engine_fault *f)
{
	const char *p = text.p, *end = text.p + text.n;
	struct count c = {.f = f};
	enum markup what;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		if (is_declaration((struct str){p, (size_t)(end - p)}))
			return fault_protocol(
				f, "malformed-message", "declarations (<!DOCTYPE, <!ENTITY) are not taken");
		p = next_markup(p, end, &what);
		if (!p)
			return fault_protocol(
				f, "malformed-message", "the XML ends in the middle of its markup");
		if ((what == MARKUP_OPEN || what == MARKUP_EMPTY) && add(&c))
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

int bounds_path(const char *path, struct engine_fault *f)
{
	size_t n = strnlen(path, BOUNDS_PATH + 1);
	unsigned depth = 0;

	if (n > BOUNDS_PATH)
		return fault_protocol(f, "too-big", "the path is longer than %u octets", BOUNDS_PATH);
	for (size_t i = 0; i < n; i++) {
		if ((path[i] == '[' || path[i] == '(') && ++depth > PATH_DEPTH)
			return fault_protocol(
				f, "too-big", "the path is nested deeper than %u levels", PATH_DEPTH);
		if ((path[i] == ']' || path[i] == ')') && depth)
			depth--;
	}
	return 0;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.", c)) || (unsigned char)c >= 0x80;
}

/* Could an operand end here? Then a word that follows is read as an operator. */
static bool ends_operand(char c)
{
	return is_name_char(c) || (c && strchr(")]'\"*", c));
}

/*
 * "mod" where libyang's lexer may take it for the operator: behind an operand, whatever follows ("a model" is
 * "a mod el" to it), or right behind a number. Some names that begin so are refused too; they can be written
 * ./NAME.
 */
static bool is_mod(const char *xpath, size_t at)
{
	size_t token = at, before;

	if (strncmp(xpath + at, "mod", 3) != 0)
		return false;
	while (token && is_name_char(xpath[token - 1]))
		token--;
	if (token < at)
		return !isalpha((unsigned char)xpath[token]) && xpath[token] != '_';
	for (before = at; before && strchr(" \t\r\n", xpath[before - 1]);)
		before--;
	return before && ends_operand(xpath[before - 1]);
}

/* An XPath expression, token by token. */
struct walk {
	const char *p;
	bool operand;   /* behind one: "*" multiplies, a word is an operator, "/" goes on from there */
	unsigned depth; /* of predicates */
	unsigned wide;
};

static bool skip(struct walk *w, const char *token)
{
	size_t n = strlen(token);

	if (strncmp(w->p, token, n) != 0)
		return false;
	w->p += n;
	return true;
}

static bool begins_name(char c)
{
	return is_name_char(c) && !isdigit((unsigned char)c) && c != '-' && c != '.';
}

static bool is(const char *name, size_t n, const char *what)
{
	return strlen(what) == n && strncmp(name, what, n) == 0;
}

/* A name, an axis, a function or an operator. False: what leaves the node of a predicate. */
static bool walk_word(struct walk *w)
{
	const char *begin = w->p;

	while (is_name_char(*w->p) || (w->p[0] == ':' && w->p[1] != ':' && begins_name(w->p[1])))
		w->p++;
	size_t n = (size_t)(w->p - begin);

	w->p += strspn(w->p, " \t\r\n");
	if (skip(w, "::")) {
		bool down = is(begin, n, "descendant") || is(begin, n, "descendant-or-self");

		w->operand = false;
		if (is(begin, n, "child") || is(begin, n, "self") || is(begin, n, "attribute"))
			return true;
		w->wide++;
		return down || !w->depth;
	}
	w->operand = !w->operand && *w->p != '(';
	w->wide += *w->p == '(' && is(begin, n, "node");
	return !w->depth || !is(begin, n, "current");
}

/* Any other token; false as above. */
static bool walk_sign(struct walk *w)
{
	bool was_operand = w->operand;

	w->operand = false;
	if (*w->p == '/') {
		w->wide += skip(w, "//");
		skip(w, "/");
		return was_operand || !w->depth;
	}
	if (skip(w, "..")) {
		w->operand = true;
		return !w->depth;
	}
	if (*w->p == '\'' || *w->p == '"') {
		const char *end = strchr(w->p + 1, *w->p);

		w->p = end ? end : w->p + strlen(w->p) - 1;
		w->operand = true;
	} else if (*w->p == '*') {
		w->operand = !was_operand;
		w->wide += w->operand;
	} else if (*w->p == '.' || *w->p == ')' || isdigit((unsigned char)*w->p)) {
		w->operand = true;
	} else if (*w->p == ']') {
		w->depth -= w->depth > 0;
		w->operand = true;
	} else if (*w->p == '[') {
		w->depth++;
	}
	w->p++;
	return true;
}

static int check_cost(const char *xpath, struct engine_fault *f)
{
	struct walk w = {.p = xpath};

	while (*(w.p += strspn(w.p, " \t\r\n"))) {
		if (!(begins_name(*w.p) ? walk_word(&w) : walk_sign(&w)))
			return fault_protocol(f, "operation-not-supported",
				"a predicate of a filter looks at what is below its node: no /, .. or other axis to "
				"elsewhere in [ ]");
	}
	if (w.wide > BOUNDS_WIDE)
		return fault_protocol(
			f, "too-big", "more than %u of //, * and axes in one filter", BOUNDS_WIDE);
	return 0;
}

int bounds_xpath(const char *xpath, struct engine_fault *f)
{
	char quote = 0;

	if (bounds_path(xpath, f))
		return -1;
	for (size_t i = 0; xpath[i]; i++) {
		if (quote)
			quote = xpath[i] == quote ? 0 : quote;
		else if (xpath[i] == '\'' || xpath[i] == '"')
			quote = xpath[i];
		else if (is_mod(xpath, i))
			return fault_protocol(f, "operation-not-supported",
				"the operator mod is not taken in filters; a node whose name begins so is "
				"./NAME");
	}
	return check_cost(xpath, f);
}
