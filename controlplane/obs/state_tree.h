/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of state, as srtp-gateway.yang has it, while it is being written. Nothing here returns an error:
 * what fails is noted, and everything after it does nothing, so that the writers read like the model. NULL as
 * a parent is allowed and does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/netaddr.h"
#include "lib/base/str.h"

struct ly_ctx;
struct lyd_node;

struct state_tree {
	const struct ly_ctx *ctx; /* schema_context()'s or the engine's */
	struct lyd_node *first;   /* of the top-level nodes; the owner lyd_free_all()s it */
	const char *failed;       /* the first node that could not be made; NULL: all well */
};

/* A top-level container, made when it is not there yet. */
struct lyd_node *state_top_of(struct state_tree *t, const char *module, const char *name);
static inline struct lyd_node *state_top(struct state_tree *t, const char *name)
{
	return state_top_of(t, "srtp-gateway", name);
}
/* The container in parent, made when it is not there yet. */
struct lyd_node *state_in(struct state_tree *t, struct lyd_node *parent, const char *name);
/* A new entry of a list with one key. */
struct lyd_node *state_entry(
	struct state_tree *t, struct lyd_node *parent, const char *list, const char *key);
/* The same with two: a number and a name. */
struct lyd_node *state_entry2(
	struct state_tree *t, struct lyd_node *parent, const char *list, uint64_t number, const char *name);
/* The same with two names. */
struct lyd_node *state_entry_named(
	struct state_tree *t, struct lyd_node *parent, const char *list, const char *first, const char *second);

/* Leaves. Text from the network: octets that YANG does not take are written as \xNN. NULL: none. */
void state_text(struct state_tree *t, struct lyd_node *parent, const char *leaf, const char *z);
void state_str(struct state_tree *t, struct lyd_node *parent, const char *leaf, struct str s);
void state_number(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t v);
void state_signed(struct state_tree *t, struct lyd_node *parent, const char *leaf, int64_t v);
void state_bool(struct state_tree *t, struct lyd_node *parent, const char *leaf, bool v);
/* A decimal64 with three digits: v in thousandths. */
void state_milli(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t v);
void state_time(struct state_tree *t, struct lyd_node *parent, const char *leaf, uint64_t wall_ms);
/* Nothing for IP_NONE. */
void state_address(struct state_tree *t, struct lyd_node *parent, const char *leaf, const struct ip_port *a);
/* A counter whose name in C has underscores where the model has hyphens. */
void state_counter(struct state_tree *t, struct lyd_node *parent, const char *c_name, uint64_t v);
