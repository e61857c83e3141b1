/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/locate.h"

/* A place in the text. All movement is bounded by end, so that a text that is not JSON misleads, not crashes.
 */
struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r' || *c->p == '\n'))
		c->p++;
}

static bool take(struct cursor *c, char ch)
{
	skip_space(c);
	if (c->p >= c->end || *c->p != ch)
		return false;
	c->p++;
	return true;
}

/* A string's text between its quotes, escapes as they are. */
static struct str string_text(struct cursor *c)
{
	struct str s = {c->p, 0};

	if (!take(c, '"'))
		return s;
	s.p = c->p;
	while (c->p < c->end && *c->p != '"')
		c->p += *c->p == '\\' && c->end - c->p > 1 ? 2 : 1;
	s.n = (size_t)(c->p - s.p);
	if (c->p < c->end)
		c->p++;
	return s;
}

/* A string, or the text of a number, true, false or null. */
static struct str scalar_text(struct cursor *c)
{
	skip_space(c);
	if (c->p < c->end && *c->p == '"')
		return string_text(c);
	struct str s = {c->p, 0};

	while (c->p < c->end && *c->p != ',' && *c->p != ']' && *c->p != '}' && *c->p > ' ')
		c->p++;
	s.n = (size_t)(c->p - s.p);
	return s;
}

static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		skip_space(c);
		if (c->p >= c->end)
			return;
		if (*c->p == '{' || *c->p == '[') {
			depth++;
			c->p++;
		} else if (*c->p == '}' || *c->p == ']') {
			depth -= depth > 0;
			c->p++;
		} else if (*c->p == ',' || *c->p == ':') {
			c->p++;
		} else if (scalar_text(c).n == 0 && c->p < c->end && *c->p < ' ') {
			c->p++; /* a control character, which JSON does not have */
		}
	} while (depth);
}

static struct str without_module(struct str name)
{
	ptrdiff_t colon = str_chr(name, ':');

	return colon < 0 ? name : str_sub(name, (size_t)colon + 1, name.n);
}

/* Moves into the object at c to the value of a member. */
static bool enter_member(struct cursor *c, struct str name)
{
	struct cursor at = *c;

	if (!take(&at, '{'))
		return false;
	while (at.p < at.end && !take(&at, '}')) {
		struct str found = string_text(&at);

		if (!take(&at, ':'))
			return false;
		if (str_eq(without_module(found), name)) {
			skip_space(&at);
			*c = at;
			return true;
		}
		skip_value(&at);
		take(&at, ',');
	}
	return false;
}

/* One [key='value'], [.='value'] or [number] off the front of *preds. */
struct predicate {
	struct str key, value;
};

static bool next_predicate(struct str *preds, struct predicate *out)
{
	if (!str_starts(*preds, STR("[")))
		return false;
	struct str rest = str_sub(*preds, 1, preds->n);
	size_t i = 0;

	while (i < rest.n && rest.p[i] != '=' && rest.p[i] != ']')
		i++;
	out->key = str_sub(rest, 0, i);
	out->value = str_sub(rest, 0, 0);
	if (i < rest.n && rest.p[i] == '=' && i + 1 < rest.n) {
		char quote = rest.p[i + 1];
		struct str v = str_sub(rest, i + 2, rest.n);
		ptrdiff_t close = str_chr(v, quote);

		if (close < 0)
			return false;
		out->value = str_sub(v, 0, (size_t)close);
		i += 3 + (size_t)close;
	}
	*preds = str_sub(rest, i + 1, rest.n);
	return true;
}

static bool entry_matches(struct cursor entry, struct str preds)
{
	struct predicate pr;

	while (next_predicate(&preds, &pr)) {
		struct cursor at = entry;

		if (!str_eq(pr.key, STR(".")) && !enter_member(&at, without_module(pr.key)))
			return false;
		struct str value = scalar_text(&at);

		/* An identity may be written with its module or without. */
		if (!str_eq(value, pr.value) && !str_eq(without_module(value), without_module(pr.value)))
			return false;
	}
	return true;
}

/* Moves into the array at c to the entry that the predicates name; [3] names the third. */
static bool enter_entry(struct cursor *c, struct str preds)
{
	struct cursor at = *c;
	struct predicate first;
	struct str copy = preds;
	uint64_t position = 0, i = 1;

	if (!take(&at, '['))
		return false;
	if (next_predicate(&copy, &first) && first.value.n == 0)
		str_to_u64(first.key, UINT32_MAX, &position);
	for (; at.p < at.end && !take(&at, ']'); i++) {
		skip_space(&at);
		if (position ? i == position : entry_matches(at, preds)) {
			*c = at;
			return true;
		}
		const char *before = at.p;

		skip_value(&at);
		take(&at, ',');
		if (at.p == before)
			return false;
	}
	return false;
}

/* The next /module:name[predicates] off the front of *path. */
static bool next_step(struct str *path, struct str *name, struct str *preds)
{
	if (!str_starts(*path, STR("/")))
		return false;
	struct str rest = str_sub(*path, 1, path->n);
	size_t i = 0, name_end;
	char quote = 0;

	while (i < rest.n && rest.p[i] != '/' && rest.p[i] != '[')
		i++;
	name_end = i;
	for (; i < rest.n && (quote || rest.p[i] != '/'); i++) {
		if (quote)
			quote = rest.p[i] == quote ? 0 : quote;
		else if (rest.p[i] == '\'' || rest.p[i] == '"')
			quote = rest.p[i];
	}
	*name = without_module(str_sub(rest, 0, name_end));
	*preds = str_sub(rest, name_end, i - name_end);
	*path = str_sub(rest, i, rest.n);
	return true;
}

unsigned locate_line(struct str text, struct str path, bool *exact)
{
	struct cursor at = {text.p, text.p + text.n};
	struct str name, preds;
	unsigned line = 1;

	skip_space(&at);
	*exact = path.n > 0;
	while (next_step(&path, &name, &preds)) {
		if (!enter_member(&at, name) || (preds.n && !enter_entry(&at, preds))) {
			*exact = false;
			break;
		}
	}
	for (const char *p = text.p; p < at.p; p++)
		line += *p == '\n';
	return line;
}
