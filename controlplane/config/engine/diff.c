/* SPDX-License-Identifier: Apache-2.0 */
/* Two configurations compared, as a list that a person can read. */
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine.h"

struct changes {
	struct engine_change *rows;
	unsigned n, cap;
	bool failed;
};

enum what { NOTHING, CREATE, DELETE, REPLACE };

static const char *meta(const struct lyd_node *n, const char *name)
{
	for (const struct lyd_meta *m = n->meta; m; m = m->next)
		if (strcmp(m->name, name) == 0 && strcmp(m->annotation->module->name, "yang") == 0)
			return lyd_get_meta_value(m);
	return NULL;
}

static char *copy(struct changes *c, const char *z)
{
	char *p = z ? strdup(z) : NULL;

	c->failed |= z && !p;
	return p;
}

static void add(struct changes *c, const struct lyd_node *n, const char *operation, const char *before,
	const char *after)
{
	if (c->n == c->cap) {
		unsigned cap = c->cap ? c->cap * 2 : 64;
		struct engine_change *more = realloc(c->rows, cap * sizeof *more);

		if (!more) {
			c->failed = true;
			return;
		}
		c->rows = more;
		c->cap = cap;
	}
	char *path = lyd_path(n, LYD_PATH_STD, NULL, 0);

	c->failed |= !path;
	c->rows[c->n++] = (struct engine_change){
		.operation = operation,
		.path = path,
		.before = copy(c, before),
		.after = copy(c, after),
	};
}

static enum what what_of(const struct lyd_node *n, enum what inherited)
{
	static const char *const names[] = {"none", "create", "delete", "replace"};
	const char *op = meta(n, "operation"), *was_default = meta(n, "orig-default");

	/* The value is the default's, and is set or not set any more. */
	if (op && strcmp(op, "none") == 0 && was_default && n->schema->nodetype & LYD_NODE_TERM)
		return strcmp(was_default, "true") == 0 ? CREATE : DELETE;
	for (unsigned i = 0; op && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(op, names[i]) == 0)
			return (enum what)i;
	return inherited;
}

static void add_term(struct changes *c, const struct lyd_node *n, enum what what)
{
	const char *value = lyd_get_value(n), *before = meta(n, "orig-value");

	if (what == CREATE)
		add(c, n, "create", NULL, value);
	else if (what == DELETE)
		add(c, n, "delete", value, NULL);
	else if (what == REPLACE && n->schema->nodetype == LYS_LEAFLIST)
		add(c, n, "move", NULL, meta(n, "value"));
	else if (what == REPLACE)
		add(c, n, "replace", before, value);
}

static void add_inner(struct changes *c, const struct lyd_node *n, enum what what)
{
	if (n->schema->nodetype == LYS_CONTAINER && !(n->schema->flags & LYS_PRESENCE))
		return;
	if (what == CREATE || what == DELETE)
		add(c, n, what == CREATE ? "create" : "delete", NULL, NULL);
	else if (what == REPLACE)
		add(c, n, "move", NULL, meta(n, "key"));
}

static void walk(struct changes *c, const struct lyd_node *first, enum what inherited)
{
	const struct lyd_node *n;

	LY_LIST_FOR(first, n)
	{
		enum what what = what_of(n, inherited);

		/* A default that comes or goes with its parent is no news; keys are in the path. */
		if (n->schema->flags & LYS_KEY || (n->flags & LYD_DEFAULT && !meta(n, "orig-default")))
			continue;
		if (n->schema->nodetype & LYD_NODE_TERM)
			add_term(c, n, what);
		else
			add_inner(c, n, what);
		walk(c, lyd_child(n), what == REPLACE ? NOTHING : what);
	}
}

int engine_diff(
	const struct lyd_node *from, const struct lyd_node *to, struct engine_change **out, unsigned *n)
{
	struct lyd_node *diff = NULL;
	struct changes c = {0};

	if (lyd_diff_siblings(from, to, LYD_DIFF_DEFAULTS, &diff) != LY_SUCCESS)
		return -1;
	walk(&c, diff, NOTHING);
	lyd_free_all(diff);
	if (c.failed) {
		engine_diff_free(c.rows, c.n);
		return -1;
	}
	*out = c.rows;
	*n = c.n;
	return 0;
}

void engine_diff_free(struct engine_change *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		free(c[i].path);
		free(c[i].before);
		free(c[i].after);
	}
	free(c);
}
