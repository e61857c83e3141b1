/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read the validated tree share. Only they include this. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/snapshot.h"

static inline const struct lyd_node *child(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *n;

	LY_LIST_FOR(lyd_child(parent), n)
	{
		if (strcmp(LYD_NAME(n), name) == 0)
			return n;
	}
	return NULL;
}

/* The next entry of a list or leaf-list. libyang keeps the instances of one together. */
static inline const struct lyd_node *next_entry(const struct lyd_node *n)
{
	return n && n->next && n->next->schema == n->schema ? n->next : NULL;
}

static inline uint32_t count(const struct lyd_node *parent, const char *name)
{
	uint32_t n = 0;

	for (const struct lyd_node *c = child(parent, name); c; c = next_entry(c))
		n++;
	return n;
}

/* Canonical text of a leaf; NULL when it is absent. */
static inline const char *text(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *n = child(parent, name);

	return n ? lyd_get_value(n) : NULL;
}

static inline uint32_t number(const struct lyd_node *parent, const char *name, uint32_t absent)
{
	const char *z = text(parent, name);

	return z ? (uint32_t)strtoul(z, NULL, 10) : absent;
}

static inline bool is_true(const struct lyd_node *parent, const char *name)
{
	const char *z = text(parent, name);

	return z && strcmp(z, "true") == 0;
}

/* The index of a leaf's value in a table of names; -1 when it is absent or not in it. */
static inline int choice(const struct lyd_node *parent, const char *name, const char *const *names, int n)
{
	const char *z = text(parent, name);

	for (int i = 0; z && i < n; i++) {
		if (strcmp(z, names[i]) == 0)
			return i;
	}
	return -1;
}
#define CHOICE(parent, name, names) choice(parent, name, names, (int)(sizeof(names) / sizeof((names)[0])))

/* What is being filled. Once failed, everything that is asked of it gives nothing, so that one test at the
 * end does. */
struct reader {
	struct snapshot *s;
	int rc;
};

static inline void *make(struct reader *r, size_t n, size_t size)
{
	void *p = r->rc ? NULL : arena_alloc(&r->s->arena, n, size);

	if (!p && !r->rc)
		r->rc = -ENOMEM;
	return p;
}

/* An array for the entries of a list; *n is 0 when there is no memory for it. */
static inline void *make_list(
	struct reader *r, const struct lyd_node *parent, const char *name, size_t size, uint32_t *n)
{
	*n = count(parent, name);
	void *p = make(r, *n, size);

	if (!p)
		*n = 0;
	return p;
}

static inline const char *keep(struct reader *r, const char *z)
{
	if (!z || r->rc)
		return NULL;
	const char *p = arena_text(&r->s->arena, z);

	if (!p)
		r->rc = -ENOMEM;
	return p;
}

static inline const char *keep_leaf(struct reader *r, const struct lyd_node *parent, const char *name)
{
	return keep(r, text(parent, name));
}

static inline void require(struct reader *r, bool ok)
{
	if (!ok && !r->rc)
		r->rc = -EINVAL;
}

static inline int one_of(struct reader *r, int index)
{
	require(r, index >= 0);
	return index < 0 ? 0 : index;
}

/* Every row of the arrays below begins with its name. */
static inline const void *find_named(const void *rows, uint32_t n, size_t size, const char *name)
{
	for (uint32_t i = 0; name && i < n; i++) {
		const void *row = (const char *)rows + i * size;
		const char *row_name = *(const char *const *)row; /* NULL: there was no memory for it */

		if (row_name && strcmp(row_name, name) == 0)
			return row;
	}
	return NULL;
}
#define FIND(rows, n, name) find_named(rows, n, sizeof *(rows), name)

/* tree.c: of a listener or peer, as an index for one_of(). */
int tree_transport(const struct lyd_node *n);

/* tree_trunks.c: once everything that they name is there; then the routes to them. */
void tree_read_trunks(struct reader *r, const struct lyd_node *parent);
void tree_read_routes(struct reader *r, const struct lyd_node *parent);

/* tree_users.c: a trunk's registrar (n NULL: none); then the accounts, once the trunks are there. */
void tree_read_registrar(struct reader *r, const struct lyd_node *n, struct config_registrar *out);
void tree_read_users(struct reader *r, const struct lyd_node *parent);

/* tree_headers.c: what a trunk says of headers, numbers and identities. trusted: its realm is. */
void tree_read_headers(
	struct reader *r, const struct lyd_node *trunk, bool trusted, struct config_headers *out);
