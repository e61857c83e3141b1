/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edit asks of what an account may not read. The differences that it makes are asked about afterwards
 * (nacm_find_denied()), and what it leaves as it is needs no right (RFC 8341 3.2.3: unaltered nodes are
 * ignored). Where the account may not read, that would tell it what is there: a value that was guessed right
 * makes no difference. So there everything that the edit says is asked about, as if it made one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/nacm_private.h"

struct asking {
	const struct nacm_view *v;
	struct lyd_node *data; /* the top of what is edited */
	struct engine_fault *f;
};

/* A node of the edit with what the edit found out on the way to it. */
struct spot {
	const struct lyd_node *edit;
	struct lyd_node *parent; /* in the data; NULL: the top, or not there */
	bool missing;            /* what holds it is not there */
	bool readable;           /* what holds it may be read */
	enum edit_op op;         /* inherited, then its own */
};

static int ask_children(const struct asking *a, const struct spot *above, struct lyd_node *found, bool *asks);

static bool may_any(const struct nacm_view *v, const struct nacm_place *p, unsigned operations)
{
	static const enum nacm_operation writes[] = {NACM_CREATE, NACM_UPDATE, NACM_DELETE};

	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
		if (operations & writes[i] && nacm_may_place(v, p, writes[i]))
			return true;
	return false;
}

/* Not there for its own sake. */
static bool is_only_a_folder(const struct lysc_node *schema)
{
	return schema->nodetype == LYS_CONTAINER && !(schema->flags & LYS_PRESENCE);
}

/* The rights of which one is enough to do this to the node itself; 0: nothing is done to it. Who may create
 * or update an entry may put it there: whether it was is then nothing to hide. */
static unsigned rights(const struct spot *at, const struct lysc_node *schema, bool there)
{
	if (at->op == EDIT_DELETE || at->op == EDIT_REMOVE)
		return NACM_DELETE;
	if (at->op == EDIT_NONE || is_only_a_folder(schema))
		return 0;
	if (at->op == EDIT_CREATE)
		return NACM_CREATE;
	if (at->edit->flags & LYD_DEFAULT && schema->nodetype & LYD_NODE_TERM)
		return NACM_DELETE;
	if (!there)
		return NACM_CREATE;
	return schema->nodetype == LYS_LEAF       ? NACM_UPDATE
	       : schema->nodetype == LYS_LEAFLIST ? NACM_CREATE | NACM_UPDATE
						  : 0;
}

/* An entry that is there, of which the edit says no more than that: an answer would say that it is. */
static unsigned rights_to_name(const struct spot *at, const struct lysc_node *schema, bool there)
{
	if (!there || is_only_a_folder(schema) || schema->nodetype & LYD_NODE_TERM)
		return 0;
	return at->op == EDIT_NONE ? NACM_DELETE : NACM_CREATE | NACM_UPDATE;
}

/* Else a place behind an entry would say that it is there. By its path, not by what is there: the answer is
 * one. */
static bool anchor_may_be_read(const struct asking *a, const struct lyd_node *edit)
{
	const char *text = edit->schema ? edit_anchor(edit) : NULL;
	char *above, *path = NULL;
	bool may;

	if (!text)
		return true;
	above = lyd_parent(edit) ? lyd_path(lyd_parent(edit), LYD_PATH_STD, NULL, 0) : strdup("");
	if (!above ||
		asprintf(&path, edit->schema->nodetype == LYS_LIST ? "%s/%s:%s%s" : "%s/%s:%s[.=\"%s\"]",
			above, edit->schema->module->name, LYD_NAME(edit), text) < 0)
		path = NULL;
	may = path && nacm_may_at(a->v, LYD_CTX(edit), path, NACM_READ);
	free(above);
	free(path);
	return may;
}

static int deny(const struct asking *a)
{
	return fault_set(a->f, "access-denied", NULL, "'%s' may not change this: see /ietf-netconf-acm:nacm",
		a->v->user);
}

static int ask_place(const struct asking *a, const struct spot *at, const struct lysc_node *schema,
	const struct nacm_place *p, bool *asks)
{
	bool see = at->readable && nacm_may_place(a->v, p, NACM_READ), inside = false;
	bool deleted = at->op == EDIT_DELETE || at->op == EDIT_REMOVE;
	struct lyd_node *found = at->missing || p->leaf ? NULL : edit_find(a->data, at->parent, at->edit);
	unsigned needs = rights(at, schema, edit_exists(found));

	*asks |= needs;
	if (!see && needs && !may_any(a->v, p, needs))
		return deny(a);
	if (!deleted && !anchor_may_be_read(a, at->edit))
		return edit_no_anchor(at->edit, a->f);
	if (!deleted && schema->nodetype & (LYS_CONTAINER | LYS_LIST)) {
		struct spot here = *at;

		here.readable = see;
		here.missing = !found;
		if (ask_children(a, &here, found, &inside))
			return -1;
	}
	*asks |= inside;
	needs = inside ? 0 : rights_to_name(at, schema, edit_exists(found));
	return !see && needs && !may_any(a->v, p, needs) ? deny(a) : 0;
}

/* What the edit cannot do at all edit_apply() says, of the edit alone: it is passed over here. */
static int ask_node(const struct asking *a, struct spot *at, bool *asks)
{
	const struct lyd_node *up = lyd_parent(at->edit);
	const struct lysc_node *schema = at->edit->schema;
	struct engine_fault ignored;

	if (edit_operation(at->edit, at->op, &at->op, &ignored) || edit_is_key(at->edit))
		return 0;
	if (!schema && up)
		schema = edit_opaque_schema(up, at->edit);
	if (!schema || !(schema->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)))
		return 0;
	/* A leaf without its value is one that libyang does not understand. */
	return ask_place(a, at, schema,
		at->edit->schema ? &(struct nacm_place){.node = at->edit}
				 : &(struct nacm_place){.node = up, .leaf = schema},
		asks);
}

static int ask_siblings(
	const struct asking *a, const struct lyd_node *first, const struct spot *with, bool *asks)
{
	const struct lyd_node *n;

	LY_LIST_FOR(first, n)
	{
		struct spot at = *with;

		at.edit = n;
		if (ask_node(a, &at, asks))
			return -1;
	}
	return 0;
}

static int ask_children(const struct asking *a, const struct spot *above, struct lyd_node *found, bool *asks)
{
	struct spot with = *above;

	with.parent = found;
	return ask_siblings(a, lyd_child(above->edit), &with, asks);
}

int nacm_may_ask(const struct nacm_view *v, const struct lyd_node *data, const struct lyd_node *edit,
	enum engine_default_operation op, struct engine_fault *f)
{
	const struct asking a = {.v = v, .data = (struct lyd_node *)data, .f = f};
	const struct spot top = {.readable = true, .op = edit_default(op)};
	bool asks = false;

	return v->all ? 0 : ask_siblings(&a, edit, &top, &asks);
}
