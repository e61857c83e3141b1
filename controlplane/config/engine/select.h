/* SPDX-License-Identifier: Apache-2.0 */
/* Filters (RFC 6241 6 and 8.9): what is not asked for is removed from a tree. */
#pragma once

#include "controlplane/config/engine.h"

int select_xpath(struct lyd_node **tree, const struct ly_ctx *ctx, const char *xpath, struct engine_fault *f);
/* filter: XML, the content of a <filter> of type subtree. names: schema_context_of_names(). */
int select_subtree(struct lyd_node **tree, struct ly_ctx *names, const char *filter, struct engine_fault *f);

/* Marks, in lyd_node.priv: SELECT_WAY is on the way to a node that was asked for with all below it. */
#define SELECT_WAY ((void *)1)
#define SELECT_ALL ((void *)2)
/* Marks a node and the way to it. */
void select_mark(struct lyd_node *node);
/* Removes what has no mark, but for keys, and the marks. */
void select_sweep(struct lyd_node **tree);
