/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and XPath expressions, token by token, before libyang evaluates them. */
#include <ctype.h>
#include <string.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/config/engine/fault.h"

#define PATH_DEPTH 32

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

/* What a pair of brackets or parentheses holds, or the whole expression: operands, and what stands between
 * them. */
struct level {
	bool predicate, call; /* [ ], the arguments of a function; else ( ) or the whole */
	bool nodes;           /* the operand that we are in may be nodes */
	bool left_nodes;      /* so may be what it is compared with */
	bool compared;        /* it is the right side of a comparison */
	bool boolean;         /* an operator makes a truth value of all of this */
};

/* An XPath expression, token by token. */
struct walk {
	const char *p;
	bool operand;   /* behind one: "*" multiplies, a word is an operator, "/" goes on from there */
	bool call;      /* behind the name of a function */
	unsigned depth; /* of predicates */
	unsigned wide;
	struct level levels[PATH_DEPTH + 1];
	unsigned level;
	struct engine_fault *f;
};

static int refuse(const struct walk *w, const char *why)
{
	return fault_protocol(w->f, "operation-not-supported", "%s", why);
}

static int refuse_elsewhere(const struct walk *w)
{
	return refuse(w, "a predicate of a filter looks at what is below its node: no /, .. or other axis to "
			 "elsewhere in [ ]");
}

/* What is in a predicate is looked at for each node that the step before it found, and for what is below
 * that. */
static void count_wide(struct walk *w)
{
	w->wide += w->depth < 8 ? 1u << w->depth : BOUNDS_WIDE + 1;
}

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

static bool is_one_of(const char *name, size_t n, const char *const *words)
{
	while (*words && !is(name, n, *words))
		words++;
	return *words;
}

/* libyang compares each node of one side with each of the other. */
static int end_operand(struct walk *w)
{
	struct level *l = &w->levels[w->level];

	if (l->compared && l->left_nodes && l->nodes)
		return refuse(w,
			"a comparison in a filter has a literal, a number or a function on one side: "
			"number(NODE) or string(NODE) is one node's value");
	l->left_nodes = l->nodes;
	l->nodes = l->compared = false;
	return 0;
}

static int compare(struct walk *w)
{
	struct level *l = &w->levels[w->level];

	if (end_operand(w))
		return -1;
	l->compared = l->boolean = true;
	return 0;
}

static int open_level(struct walk *w, bool predicate)
{
	if (w->level == PATH_DEPTH)
		return fault_protocol(
			w->f, "too-big", "the path is nested deeper than %u levels", PATH_DEPTH);
	w->levels[++w->level] = (struct level){.predicate = predicate, .call = !predicate && w->call};
	w->depth += predicate;
	return 0;
}

static int close_level(struct walk *w)
{
	struct level l = w->levels[w->level];

	if (end_operand(w))
		return -1;
	if (!w->level)
		return 0; /* libyang refuses it */
	w->level--;
	w->depth -= l.predicate;
	if (!l.predicate && !l.call && !l.boolean)
		w->levels[w->level].nodes |= l.nodes;
	return 0;
}

static int walk_axis(struct walk *w, const char *name, size_t n)
{
	static const char *const narrow[] = {"child", "self", "attribute", NULL},
				 *const down[] = {"descendant", "descendant-or-self", NULL},
				 *const sideways[] = {"preceding", "following", "preceding-sibling",
					 "following-sibling", NULL};

	w->operand = false;
	if (is_one_of(name, n, narrow))
		return 0;
	if (w->depth && !is_one_of(name, n, down))
		return refuse_elsewhere(w);
	/* From each of many nodes to each of the others. */
	if (is_one_of(name, n, sideways))
		return refuse(w, "the axes preceding and following are not taken in filters");
	count_wide(w);
	return 0;
}

/* libyang takes it for one by how it begins: "a order" is "a or der" to it. */
static int walk_operator(struct walk *w)
{
	w->operand = false;
	if (skip(w, "and") || skip(w, "or")) {
		w->levels[w->level].boolean = true;
		return end_operand(w);
	}
	if (!skip(w, "div"))
		w->p++; /* libyang refuses it */
	return 0;
}

/* The name of a function, or of a test that looks like one. */
static int walk_function(struct walk *w, const char *name, size_t n)
{
	static const char *const crash[] = {"deref", "enum-value", "bit-is-set", NULL};

	w->call = true;
	/* libyang 2.1 reads a leaf that is no leafref as one, and the root as a leaf. */
	if (is_one_of(name, n, crash))
		return refuse(w, "the functions deref, enum-value and bit-is-set are not taken in filters");
	/* What a pattern costs is not to be told from it, and it is matched for each node. XPath 1.0, which
	 * RFC 6241 8.9 wants of a filter, has no such function. */
	if (is(name, n, "re-match"))
		return refuse(
			w, "the function re-match is not taken in filters: contains() and starts-with() are");
	if (w->depth && is(name, n, "current"))
		return refuse_elsewhere(w);
	if (is(name, n, "node"))
		count_wide(w);
	w->levels[w->level].nodes |= is(name, n, "node") || is(name, n, "text") || is(name, n, "current");
	return 0;
}

/* A name, an axis or a function. */
static int walk_word(struct walk *w)
{
	const char *begin = w->p;

	while (is_name_char(*w->p) || (w->p[0] == ':' && w->p[1] != ':' && begins_name(w->p[1])))
		w->p++;
	size_t n = (size_t)(w->p - begin);

	w->p += strspn(w->p, " \t\r\n");
	if (skip(w, "::"))
		return walk_axis(w, begin, n);
	if (*w->p == '(')
		return walk_function(w, begin, n);
	w->operand = w->levels[w->level].nodes = true;
	return 0;
}

/* "." and ".." too, and a "/" with what follows. */
static int walk_step(struct walk *w, bool was_operand)
{
	w->levels[w->level].nodes = true;
	if (*w->p == '/') {
		if (!was_operand && w->depth)
			return refuse_elsewhere(w);
		if (skip(w, "//"))
			count_wide(w);
		skip(w, "/");
		return 0;
	}
	w->operand = true;
	if (skip(w, ".."))
		return w->depth ? refuse_elsewhere(w) : 0;
	if (*w->p++ == '*')
		count_wide(w);
	return 0;
}

static bool is_number(const char *p)
{
	return isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]));
}

/* Any other token. */
static int walk_sign(struct walk *w)
{
	bool was_operand = w->operand, was_call = w->call;
	char c = *w->p;

	w->operand = w->call = false;
	if (is_number(w->p)) {
		w->p += strspn(w->p, "0123456789.");
		w->operand = true;
		return 0;
	}
	if (c == '/' || c == '.' || (c == '*' && !was_operand))
		return walk_step(w, was_operand);
	if (skip(w, "!=") || skip(w, "<=") || skip(w, ">=") || skip(w, "=") || skip(w, "<") || skip(w, ">"))
		return compare(w);
	w->p++;
	if (c == '\'' || c == '"') {
		const char *end = strchr(w->p, c);

		w->p = end ? end + 1 : w->p + strlen(w->p);
		w->operand = true;
	} else if (c == '[' || c == '(') {
		w->call = was_call;
		return open_level(w, c == '[');
	} else if (c == ']' || c == ')') {
		w->operand = true;
		return close_level(w);
	} else if (c == ',') {
		return end_operand(w);
	}
	return 0;
}

static int check_cost(const char *xpath, struct engine_fault *f)
{
	struct walk w = {.p = xpath, .f = f};

	while (*(w.p += strspn(w.p, " \t\r\n"))) {
		if (!begins_name(*w.p) ? walk_sign(&w) : w.operand ? walk_operator(&w) : walk_word(&w))
			return -1;
	}
	if (end_operand(&w))
		return -1;
	if (w.wide > BOUNDS_WIDE)
		return fault_protocol(f, "too-big",
			"more than %u of //, * and axes in one filter, of which one in a predicate counts twice, and "
			"so on",
			BOUNDS_WIDE);
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
