/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus of notifications: any room raises one, whoever listens hears it at once, and the last of them are
 * remembered for replay (RFC 5277). Runs on the loop's thread.
 *
 *   struct notice n = notify_begin(bus, "trunk-state-change");
 *   state_text(&n.tree, n.node, "trunk", name);
 *   notify_end(bus, &n);
 */
#pragma once

#include <stdint.h>

#include "controlplane/obs/state_tree.h"

#define NOTIFY_REMEMBERED 1000

struct notify; /* opaque */

struct notify *notify_new(void);    /* NULL without memory */
void notify_free(struct notify *n); /* listeners are forgotten; NULL is ignored */
/* From now on there are notifications; before, what is raised is lost. ctx outlives the bus, or is taken away
 * again with NULL, which forgets what was remembered. */
void notify_set_context(struct notify *n, const struct ly_ctx *ctx);

/* One that is being written. */
struct notice {
	struct state_tree tree;
	struct lyd_node *node; /* NULL: nobody will hear it, and writing to it does nothing */
};
/* bus NULL is allowed. */
struct notice notify_begin(struct notify *bus, const char *name);
struct notice notify_begin_of(struct notify *bus, const char *module, const char *name);
void notify_end(struct notify *bus, struct notice *n);

/* node: the notification, borrowed for the call. */
typedef void (*notify_fn)(void *ctx, uint64_t wall_ms, const struct lyd_node *node);

struct notify_listener {
	struct notify *bus; /* the bus's, as are the next two; NULL: not listening */
	struct notify_listener *next, **prev;
	notify_fn hear;
	void *ctx;
};
/* l is the caller's, with hear and ctx set, and stays until notify_leave(), also from inside hear. */
void notify_listen(struct notify *n, struct notify_listener *l);
void notify_leave(struct notify_listener *l);

/* What is remembered from a time to another (wall clock, both inclusive), the oldest first. */
void notify_replay(const struct notify *n, uint64_t from_ms, uint64_t to_ms, notify_fn hear, void *ctx);
uint64_t notify_began(const struct notify *n); /* since when they are remembered */
uint64_t notify_aged(const struct notify *n);  /* the time of the newest that is forgotten; 0: none is */
