/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot's private half: its memory and the orders that lookups use. Only this folder's files include
 * this. */
#pragma once

#include <stdatomic.h>

#include "controlplane/config/config.h"

struct ly_ctx;
struct lyd_node;
struct block;

/* Memory that is freed as a whole: zeroed, aligned for any type. */
struct arena {
	struct block *blocks;
};

struct snapshot {
	struct config pub; /* first: config_ref() and config_unref() cast back */
	atomic_uint references;
	struct arena arena;
	const struct config_trunk **trunks_by_name;  /* sorted with strcmp() */
	const struct config_route **routes_by_match; /* sorted by route_order() */
	struct route_node *route_nodes;              /* see find_route.c; the first is the root */
};

/* NULL without memory. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
char *arena_text(struct arena *a, const char *z);
void arena_free(struct arena *a);

/* From a validated tree with its defaults. One reference, the caller's. -ENOMEM, -EINVAL. */
int snapshot_make(const struct lyd_node *tree, struct config **out, struct err *e);

/*
 * load.c: the tree of a text, validated and with its defaults; lyd_free_all() it. text is NUL-terminated behind
 * its n octets and is changed: comments are blanked.
 */
int load_tree(struct ly_ctx *ctx, char *text, size_t n, const char *name, struct lyd_node **out, struct err *e);

/*
 * load.c: config_parse() with a context that schema_context() made. text as for load_tree(). */
int load_text(struct ly_ctx *ctx, char *text, size_t n, const char *name, struct config **out, struct err *e);

/* tree.c: fills s->pub from the tree. -ENOMEM, -EINVAL. */
int tree_read(const struct lyd_node *tree, struct snapshot *s);

/* check_identify.c: no two trunks of a realm that a request could be of just as well. -ENOMEM, or -EINVAL with both and
 * the entry that they share in e. */
int config_check_identify(const struct config *c, struct err *e);

/* check_places.c: can a socket be made where the management's is to be? -EINVAL. */
int config_check_socket(const struct config *c, struct err *e);

/* Make the sorted arrays from s->pub, once the trunks or routes in it are complete. -ENOMEM. */
int snapshot_index_trunks(struct snapshot *s);
int snapshot_index_routes(struct snapshot *s);

/* Prefix order, then the host's (any host last), then the trunk's index (any trunk last), then the file's order. */
int route_order(const struct config_route *a, const struct config_route *b);
