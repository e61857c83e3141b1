/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/with_defaults.h"

/* What is edited: the top of the data, where the edit stands in it, and what to say of it. */
struct edit {
	struct lyd_node **data;
	struct engine_fault *f;
};

static int edit_children(
	struct edit *e, struct lyd_node *parent, const struct lyd_node *first, enum edit_op op);

static int complain(struct edit *e, const struct lyd_node *node, const char *tag, const char *message)
{
	fault_set(e->f, tag, NULL, "%s", message);
	return fault_at(e->f, node);
}

/* All but the keys, which are what the entry is. */
static void empty(struct edit *e, struct lyd_node *node)
{
	struct lyd_node *c, *next;

	LY_LIST_FOR_SAFE(lyd_child_no_keys(node), next, c)
	{
		lyd_free_tree(c);
	}
	(void)e;
}

static int edit_leaf(struct edit *e, struct lyd_node *found, const struct lyd_node *edit)
{
	LY_ERR rc;

	if (found->schema->nodetype != LYS_LEAF)
		return edit_move(e->data, found, edit, e->f);
	rc = lyd_change_term(found, lyd_get_value(edit));
	if (rc != LY_SUCCESS && rc != LY_EEXIST && rc != LY_ENOT)
		return fault_from_libyang(e->f, LYD_CTX(edit), edit);
	return 0;
}

/* What an edit says of what is in a node, which goes only then when nothing is left in it: more may be put
 * there. */
static int edit_inside(struct edit *e, struct lyd_node *node, const struct lyd_node *edit, enum edit_op op)
{
	if (edit_children(e, node, lyd_child(edit), op))
		return -1;
	edit_prune(e->data, node);
	return 0;
}

/* create, replace and merge: the node is there afterwards. */
static int set_node(struct edit *e, struct lyd_node *parent, const struct lyd_node *edit,
	struct lyd_node *found, enum edit_op op)
{
	bool is_new = !edit_exists(found);

	if (op == EDIT_CREATE && !is_new)
		return complain(e, edit, "data-exists", "this is there already");
	/* RFC 6243 4.5.2: the default is what it shall have, so nothing of its own. */
	if (edit->flags & LYD_DEFAULT && edit->schema->nodetype & LYD_NODE_TERM) {
		if (!is_new)
			edit_remove(e->data, found);
		return 0;
	}
	/* A container without presence is there or not as its children are: it is kept for them. */
	if (is_new && !(found && found->schema->nodetype == LYS_CONTAINER) &&
		edit_insert(e->data, parent, edit, &found, e->f))
		return -1;
	if (found->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST))
		return edit_leaf(e, found, edit);
	if (op == EDIT_REPLACE && !is_new)
		empty(e, found);
	if (edit_move(e->data, found, edit, e->f))
		return -1;
	return edit_inside(e, found, edit, op);
}

static int delete_node(struct edit *e, const struct lyd_node *edit, struct lyd_node *found, enum edit_op op)
{
	if (edit_exists(found))
		edit_remove(e->data, found);
	else if (op == EDIT_DELETE)
		return complain(e, edit, "data-missing", "there is no such thing to delete");
	return 0;
}

/* A node that is only on the way to others. */
static int pass_node(
	struct edit *e, struct lyd_node *parent, const struct lyd_node *edit, struct lyd_node *found)
{
	if (edit->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST))
		return 0;
	if (!found) {
		if (edit->schema->nodetype != LYS_CONTAINER || edit->schema->flags & LYS_PRESENCE)
			return complain(e, edit, "data-missing", "there is no such thing to edit");
		if (edit_insert(e->data, parent, edit, &found, e->f))
			return -1;
	}
	return edit_inside(e, found, edit, EDIT_NONE);
}

/* A leaf that libyang could not read may still be deleted. */
static int edit_opaque(struct edit *e, struct lyd_node *parent, const struct lyd_node *edit, enum edit_op op)
{
	const struct lysc_node *schema = edit_opaque_schema(parent, edit);
	struct lyd_node *c;

	if ((op != EDIT_DELETE && op != EDIT_REMOVE) || !schema || schema->nodetype != LYS_LEAF ||
		schema->flags & LYS_KEY || !edit_opaque_is_empty(edit))
		return edit_opaque_fault(parent, edit, e->f);
	LY_LIST_FOR(lyd_child(parent), c)
	{
		if (c->schema == schema)
			break;
	}
	return delete_node(e, edit, c, op);
}

static int edit_node(
	struct edit *e, struct lyd_node *parent, const struct lyd_node *edit, enum edit_op inherited)
{
	enum edit_op op;

	if (edit_operation(edit, inherited, &op, e->f))
		return -1;
	if (!edit->schema)
		return edit_opaque(e, parent, edit, op);
	if (!(edit->schema->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)) ||
		!(edit->schema->flags & LYS_CONFIG_W))
		return complain(e, edit, "invalid-value", "this is not configuration: it cannot be edited");
	if (edit_is_key(edit))
		return 0;
	struct lyd_node *found = edit_find(*e->data, parent, edit);

	if (op == EDIT_DELETE || op == EDIT_REMOVE)
		return delete_node(e, edit, found, op);
	if (op == EDIT_NONE)
		return pass_node(e, parent, edit, found);
	return set_node(e, parent, edit, found, op);
}

/* A leaf has one value: of two, which is meant? */
static int occurs_twice(struct edit *e, const struct lyd_node *edit)
{
	const struct lyd_node *other;

	if (!edit->schema || edit->schema->nodetype != LYS_LEAF)
		return 0;
	for (other = edit->next; other && other->schema != edit->schema;)
		other = other->next;
	if (!other)
		return 0;
	complain(e, edit, "bad-element", "this stands here twice: a leaf has one value");
	fault_blame(e->f, LYD_NAME(edit));
	return -1;
}

static int edit_children(
	struct edit *e, struct lyd_node *parent, const struct lyd_node *first, enum edit_op op)
{
	const struct lyd_node *edit;

	LY_LIST_FOR(first, edit)
	{
		if (occurs_twice(e, edit) || edit_node(e, parent, edit, op))
			return -1;
	}
	return 0;
}

int edit_apply(struct lyd_node **data, const struct lyd_node *edit, enum engine_default_operation op,
	struct engine_fault *f)
{
	struct edit e = {.data = data, .f = f};

	if (op == ENGINE_REPLACE) {
		lyd_free_all(*data);
		*data = NULL;
	}
	return edit_children(&e, NULL, edit, edit_default(op));
}

/* A wrong value of configuration that has no value: it was an attribute's. */
static void blame_attribute(const struct ly_ctx *ctx, struct engine_fault *f)
{
	char plain[sizeof f->path];
	unsigned depth = 0;
	size_t n = 0;

	for (const char *p = f->path; *p; p++) {
		depth += *p == '[';
		if (!depth)
			plain[n++] = *p;
		depth -= *p == ']' && depth;
	}
	plain[n] = 0;
	const struct lysc_node *node = n ? lys_find_path(ctx, NULL, plain, 0) : NULL;

	if (node && node->flags & LYS_CONFIG_W && !(node->nodetype & LYD_NODE_TERM) &&
		strcmp(f->tag, "invalid-value") == 0)
		f->tag = "bad-attribute";
}

static int parse(struct ly_ctx *ctx, struct str text, enum engine_format format, uint32_t options,
	struct lyd_node **out, struct engine_fault *f)
{
	char *z;
	LY_ERR rc;

	*out = NULL;
	if (bounds_text(text, format, f))
		return -1;
	z = format == ENGINE_XML ? with_defaults_from_rfc(text) : str_dup(text);
	if (!z)
		return fault_memory(f);
	ly_err_clean(ctx, NULL);
	rc = lyd_parse_data_mem(
		ctx, z, format == ENGINE_XML ? LYD_XML : LYD_JSON, LYD_PARSE_ONLY | options, 0, out);
	free(z);
	if (rc == LY_SUCCESS && with_defaults_check(*out, f) == 0)
		return 0;
	if (rc != LY_SUCCESS) {
		fault_from_libyang(f, ctx, NULL);
		blame_attribute(ctx, f);
	}
	lyd_free_all(*out);
	*out = NULL;
	return -1;
}

int edit_parse(struct ly_ctx *ctx, struct str text, enum engine_format format, struct lyd_node **out,
	struct engine_fault *f)
{
	return parse(ctx, text, format, LYD_PARSE_OPAQ | LYD_PARSE_NO_STATE, out, f);
}

int edit_parse_config(struct ly_ctx *ctx, struct str text, enum engine_format format, struct lyd_node **out,
	struct engine_fault *f)
{
	return parse(ctx, text, format, LYD_PARSE_STRICT | LYD_PARSE_NO_STATE, out, f);
}

int edit_parse_filter(struct ly_ctx *names, struct str text, struct lyd_node **out, struct engine_fault *f)
{
	return parse(names, text, ENGINE_XML, LYD_PARSE_OPAQ, out, f);
}
