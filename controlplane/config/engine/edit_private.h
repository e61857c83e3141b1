/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of edit-config. */
#pragma once

#include <libyang/libyang.h>

#include "controlplane/config/engine/edit.h"

enum edit_op { EDIT_MERGE, EDIT_REPLACE, EDIT_CREATE, EDIT_DELETE, EDIT_REMOVE, EDIT_NONE };

/* edit_meta.c: the attributes of an edit's node. inherited where it has none. */
int edit_operation(
	const struct lyd_node *node, enum edit_op inherited, enum edit_op *out, struct engine_fault *f);
/* What the operation is at the top of an edit. */
enum edit_op edit_default(enum engine_default_operation op);
/* What an edit's node shall stand before or behind, as the client wrote it: predicates of keys, or a
 * leaf-list's value. NULL: nothing. */
const char *edit_anchor(const struct lyd_node *edit);
/* The fault of a node whose anchor is not there, or not named. */
int edit_no_anchor(const struct lyd_node *edit, struct engine_fault *f);
/* Moves node, which is in the data, where the edit wants it in a list that is ordered by its user. */
int edit_move(
	struct lyd_node **data, struct lyd_node *node, const struct lyd_node *edit, struct engine_fault *f);

/* edit_tree.c: a data tree's nodes. first is the first of the top-level siblings. */

/* The node of the data that edit is about, also a default; NULL: there is none. */
struct lyd_node *edit_find(struct lyd_node *first, struct lyd_node *parent, const struct lyd_node *edit);
/*
 * Copies one node without its children, but with the keys of a list entry, into parent or the top level. What
 * must make room does: the node's default, the other cases of its choice.
 */
int edit_insert(struct lyd_node **first, struct lyd_node *parent, const struct lyd_node *edit,
	struct lyd_node **out, struct engine_fault *f);
void edit_remove(struct lyd_node **first, struct lyd_node *node);
/* Frees a container without presence that holds nothing: then its parent is looked at next. NULL: it stays,
 * or was none. */
struct lyd_node *edit_prune(struct lyd_node **first, struct lyd_node *node);

/*
 * edit_opaque.c: a node of an edit that libyang could not make one of the model's, because it is none, its
 * value is not of the type, or an entry lacks a key.
 */
const struct lysc_node *edit_opaque_schema(const struct lyd_node *parent, const struct lyd_node *edit);
bool edit_opaque_is_empty(const struct lyd_node *edit);
int edit_opaque_fault(const struct lyd_node *parent, const struct lyd_node *edit, struct engine_fault *f);

/* Of the edit or of the data. */
static inline bool edit_is_key(const struct lyd_node *node)
{
	return node->schema && node->schema->flags & LYS_KEY;
}

static inline bool edit_exists(const struct lyd_node *node)
{
	return node && !(node->flags & LYD_DEFAULT);
}
