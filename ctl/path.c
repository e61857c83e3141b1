/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

#define ROOT "/srtp-gateway:gateway"

/* How far a path has come. */
struct place {
	const struct schema_node *node; /* NULL: above the top level */
	bool known;                     /* false: the schema says nothing of where this is */
	unsigned keys;                  /* of node, a list: how many of its keys were given */
	bool complete;                  /* node is no list, or its entry is named */
};

static struct str keys_left(const struct place *at, unsigned *n)
{
	struct str all = str_z(at->node->keys);

	*n = 0;
	for (unsigned i = 0; i < at->keys; i++)
		str_cut(&all, ' ');
	for (struct str rest = all; rest.n; str_cut(&rest, ' '))
		++*n;
	return all;
}

/* The next sibling: past everything that is deeper. */
static const struct schema_node *next_of(const struct schema_node *n)
{
	const struct schema_node *end = schema_nodes + schema_nodes_n, *p = n + 1;

	while (p < end && p->depth > n->depth)
		p++;
	return p < end && p->depth == n->depth ? p : NULL;
}

static const struct schema_node *first_child(const struct schema_node *n)
{
	const struct schema_node *end = schema_nodes + schema_nodes_n;

	if (!n)
		return schema_nodes;
	return n + 1 < end && n[1].depth == n->depth + 1 ? n + 1 : NULL;
}

static const struct schema_node *child_of(const struct schema_node *n, struct str name)
{
	const struct schema_node *c = first_child(n);

	while (c && !str_eq(str_z(c->name), name))
		c = next_of(c);
	return c;
}

static struct str without_module(struct str name)
{
	ptrdiff_t colon = str_chr(name, ':');

	return colon < 0 ? name : str_sub(name, (size_t)colon + 1, name.n);
}

static void put_predicate(struct wbuf *w, struct str key, struct str value)
{
	char quote = str_chr(value, '\'') < 0 ? '\'' : '"';

	wbuf_fmt(w, "[%.*s=%c%.*s%c]", STR_ARG(key), quote, STR_ARG(value), quote);
}

/* Octets of the predicate at the beginning of text; 0 when it does not end. */
static size_t predicates_one(struct str text)
{
	char quote = 0;

	for (size_t i = 1; i < text.n; i++) {
		if (!quote && text.p[i] == ']')
			return i + 1;
		if (quote ? text.p[i] == quote : text.p[i] == '\'' || text.p[i] == '"')
			quote = quote ? 0 : text.p[i];
	}
	return 0;
}

/* Octets of all predicates at the beginning of text; 0 when one does not end. */
static size_t predicates(struct str text)
{
	size_t i = 0;

	while (i < text.n && text.p[i] == '[') {
		size_t n = predicates_one(str_sub(text, i, text.n));

		if (!n)
			return 0;
		i += n;
	}
	return i;
}

/* As they are, but a value without quotes, which a shell takes away, gets them back. */
static void put_predicates(struct wbuf *w, struct str all)
{
	while (all.n) {
		size_t n = predicates_one(all);
		struct str inside = str_sub(all, 1, n - 2), value = inside;
		struct str key = str_cut(&value, '=');

		if (value.n && key.n + 1 < inside.n && value.p[0] != '\'' && value.p[0] != '"')
			put_predicate(w, str_trim(key), str_trim(value));
		else
			wbuf_bytes(w, all.p, n);
		all = str_sub(all, n, all.n);
	}
}

/* The first name of a path: of a top-level node, or of a child of the gateway's. */
static void enter(struct place *at, struct str name, bool qualified, struct wbuf *w)
{
	const struct schema_node *top = child_of(NULL, without_module(name));

	at->complete = true;
	if (top) {
		wbuf_fmt(w, "/%s:%s", top->keys, top->name);
	} else if (qualified) {
		wbuf_fmt(w, "/%.*s", STR_ARG(name));
		at->known = false;
	} else {
		wbuf_z(w, ROOT);
		top = child_of(NULL, STR("gateway"));
	}
	at->node = top;
}

/* One name with its predicates off the front of *rest. */
static int step(struct place *at, struct str *rest, struct wbuf *w, struct err *e)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] != '/' && rest->p[n] != '[')
		n++;
	struct str name = {rest->p, n}, tail = str_sub(*rest, n, rest->n);
	size_t brackets = predicates(tail);

	if (tail.n && tail.p[0] == '[' && !brackets)
		return err_set(e, EINVAL, "the path '%.*s' has a bracket or a quote that does not end",
			STR_ARG(*rest));
	if (at->known && !at->node) {
		enter(at, name, str_chr(name, ':') >= 0, w);
		if (!at->known || str_eq(str_z(at->node->name), without_module(name))) {
			*rest = tail;
			return 0;
		}
	}
	const struct schema_node *child = at->known ? child_of(at->node, without_module(name)) : NULL;

	wbuf_fmt(w, "/%.*s", STR_ARG(name));
	put_predicates(w, str_sub(tail, 0, brackets));
	at->known = child != NULL;
	at->node = child;
	at->keys = 0;
	at->complete = !child || child->kind == SCHEMA_CONTAINER || child->kind == SCHEMA_LEAF || brackets;
	*rest = str_sub(tail, brackets, tail.n);
	return 0;
}

/* A list's key, or the value of a leaf-list's entry, in the place of a name. */
static void name_entry(struct place *at, struct str *rest, struct wbuf *w)
{
	unsigned left;
	struct str keys = keys_left(at, &left);

	if (at->node->kind == SCHEMA_LEAF_LIST) {
		put_predicate(w, STR("."), *rest);
		*rest = STR("");
		at->complete = true;
		return;
	}
	put_predicate(w, str_cut(&keys, ' '), str_cut(rest, '/'));
	at->keys++;
	at->complete = left == 1;
}

/* As far as the text goes. */
static int walk(struct str rest, struct place *at, struct wbuf *w, struct err *e)
{
	*at = (struct place){.known = true, .complete = true};
	while (rest.n) {
		if (rest.p[0] == '/') {
			rest = str_sub(rest, 1, rest.n);
			continue;
		}
		if (at->known && at->node && !at->complete) {
			name_entry(at, &rest, w);
			continue;
		}
		int rc = step(at, &rest, w, e);

		if (rc)
			return rc;
	}
	return 0;
}

int path_expand(const char *text, char out[PATH_MAX_OCTETS], struct err *e)
{
	struct wbuf w = wbuf_make(out, PATH_MAX_OCTETS - 1);
	struct place at;
	unsigned left;
	int rc = walk(str_z(text), &at, &w, e);

	if (rc)
		return rc;
	if (w.overflow)
		return err_set(e, EINVAL, "the path is longer than %u octets", PATH_MAX_OCTETS - 2);
	if (w.len == 0)
		wbuf_z(&w, ROOT);
	out[w.len] = 0;
	if (at.known && at.node && !at.complete && at.keys) {
		struct str keys = keys_left(&at, &left);

		return err_set(e, EINVAL, "%s: '%s' needs its key '%.*s' too", out, at.node->name,
			STR_ARG(str_cut(&keys, ' ')));
	}
	return 0;
}

const char *path_short(const char *path)
{
	size_t n = strlen(ROOT "/");

	return strncmp(path, ROOT "/", n) == 0 && path[n] ? path + n : path;
}

const struct schema_node *path_node(const char *text)
{
	char out[PATH_MAX_OCTETS];
	struct wbuf w = wbuf_make(out, sizeof out);
	struct place at;
	struct err e;

	return walk(str_z(text), &at, &w, &e) == 0 && at.known ? at.node : NULL;
}

/* Where candidates go: those that begin with `partial`, with `before` in front. */
struct offer {
	struct str before, partial;
	const char *after;
	FILE *to;
};

static void offer(void *arg, const char *name)
{
	const struct offer *o = arg;

	if (str_starts(str_z(name), o->partial) && !strpbrk(name, "/\n"))
		fprintf(o->to, "%.*s%s%s\n", STR_ARG(o->before), name, o->after);
}

static void offer_children(const struct schema_node *n, struct offer *o)
{
	for (const struct schema_node *c = first_child(n); c; c = next_of(c)) {
		o->after = c->kind == SCHEMA_LEAF || c->kind == SCHEMA_LEAF_LIST ? "" : "/";
		offer(o, c->name);
	}
}

void path_complete(const char *text, path_keys_fn keys_of, void *ctx, FILE *to)
{
	const char *last = strrchr(text, '/');
	struct str before = {text, last ? (size_t)(last - text) + 1 : 0};
	struct offer o = {before, str_z(text + before.n), "", to};
	char path[PATH_MAX_OCTETS];
	struct wbuf w = wbuf_make(path, sizeof path - 1);
	struct place at;
	struct err e;
	unsigned left;

	if (walk(before, &at, &w, &e) < 0 || !at.known || w.overflow)
		return;
	path[w.len] = 0;
	if (!at.node) {
		offer_children(NULL, &o);
		offer_children(child_of(NULL, STR("gateway")), &o);
	} else if (at.complete) {
		offer_children(at.node, &o);
	} else if (at.node->kind == SCHEMA_LIST && keys_of) {
		char key[64];
		struct str keys = keys_left(&at, &left);

		str_copy(key, sizeof key, str_cut(&keys, ' '));
		o.after = "/";
		keys_of(ctx, path, key, offer, &o);
	}
}
