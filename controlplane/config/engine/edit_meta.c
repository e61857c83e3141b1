/* SPDX-License-Identifier: Apache-2.0 */
/* An edit's attributes: operation (RFC 6241 7.2), insert, key and value (RFC 7950 7.7.9, 7.8.6). */
#include <string.h>

#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"

#define NETCONF_NAMESPACE "urn:ietf:params:xml:ns:netconf:base:1.0"

static const char *const operations[] = {
	[EDIT_MERGE] = "merge",
	[EDIT_REPLACE] = "replace",
	[EDIT_CREATE] = "create",
	[EDIT_DELETE] = "delete",
	[EDIT_REMOVE] = "remove",
};

static const char *meta_value(const struct lyd_node *node, const char *module, const char *name)
{
	for (const struct lyd_meta *m = node->meta; m; m = m->next)
		if (strcmp(m->name, name) == 0 && strcmp(m->annotation->module->name, module) == 0)
			return lyd_get_meta_value(m);
	return NULL;
}

/* Of a node that has no schema, or a value that is none of its type's. */
static const char *opaque_operation(const struct lyd_node *node)
{
	for (const struct lyd_attr *a = ((const struct lyd_node_opaq *)node)->attr; a; a = a->next) {
		const char *module = a->format == LY_VALUE_XML ? a->name.module_ns : a->name.module_name;
		const char *wanted = a->format == LY_VALUE_XML ? NETCONF_NAMESPACE : "ietf-netconf";

		if (strcmp(a->name.name, "operation") == 0 && module && strcmp(module, wanted) == 0)
			return a->value;
	}
	return NULL;
}

int edit_operation(
	const struct lyd_node *node, enum edit_op inherited, enum edit_op *out, struct engine_fault *f)
{
	const char *value =
		node->schema ? meta_value(node, "ietf-netconf", "operation") : opaque_operation(node);

	*out = inherited;
	if (!value)
		return 0;
	for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (strcmp(value, operations[i]) == 0) {
			*out = (enum edit_op)i;
			return 0;
		}
	fault_set(f, "bad-attribute", NULL, "operation is merge, replace, create, delete or remove, not '%s'",
		value);
	fault_blame(f, LYD_NAME(node));
	strcpy(f->bad_attribute, "operation");
	return fault_at(f, node);
}

enum edit_op edit_default(enum engine_default_operation op)
{
	static const enum edit_op ops[] = {
		[ENGINE_MERGE] = EDIT_MERGE,
		[ENGINE_REPLACE] = EDIT_REPLACE,
		[ENGINE_NONE] = EDIT_NONE,
	};

	return ops[op];
}

/* The first or last of node's list; NULL: it is alone. */
static struct lyd_node *end_of_list(struct lyd_node *first, const struct lyd_node *node, bool last)
{
	struct lyd_node *n, *found = NULL;

	LY_LIST_FOR(lyd_parent(node) ? lyd_child(lyd_parent(node)) : first, n)
	{
		if (n->schema != node->schema || n == node)
			continue;
		found = n;
		if (!last)
			break;
	}
	return found;
}

int edit_no_anchor(const struct lyd_node *edit, struct engine_fault *f)
{
	bool list = edit->schema->nodetype == LYS_LIST;
	const char *insert = meta_value(edit, "yang", "insert");
	const char *text = meta_value(edit, "yang", list ? "key" : "value");

	fault_set(f, text ? "bad-attribute" : "missing-attribute", NULL,
		text ? "insert %s '%s': there is no such entry" : "insert %s needs the attribute '%s'",
		insert,
		text   ? text
		: list ? "key"
		       : "value");
	fault_blame(f, LYD_NAME(edit));
	strcpy(f->bad_attribute, list ? "key" : "value");
	if (text)
		f->app_tag = "missing-instance";
	return fault_at(f, edit);
}

const char *edit_anchor(const struct lyd_node *edit)
{
	const char *insert = meta_value(edit, "yang", "insert");

	if (!insert || (strcmp(insert, "before") != 0 && strcmp(insert, "after") != 0))
		return NULL;
	return meta_value(edit, "yang", edit->schema->nodetype == LYS_LIST ? "key" : "value");
}

static struct lyd_node *find_anchor(
	struct lyd_node *first, const struct lyd_node *node, const struct lyd_node *edit)
{
	struct lyd_node *found = NULL, *among = lyd_parent(node) ? lyd_child(lyd_parent(node)) : first;
	const char *text = edit_anchor(edit);

	if (text && among)
		lyd_find_sibling_val(among, node->schema, text, strlen(text), &found);
	return found;
}

int edit_move(
	struct lyd_node **data, struct lyd_node *node, const struct lyd_node *edit, struct engine_fault *f)
{
	const char *insert = meta_value(edit, "yang", "insert");
	struct lyd_node *to;
	LY_ERR rc;

	if (!insert)
		return 0;
	if (!(node->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) ||
		!(node->schema->flags & LYS_ORDBY_USER)) {
		fault_set(f, "bad-attribute", NULL, "insert is for lists that are ordered by their user");
		fault_blame(f, LYD_NAME(edit));
		strcpy(f->bad_attribute, "insert");
		return fault_at(f, edit);
	}
	if (strcmp(insert, "first") == 0 || strcmp(insert, "last") == 0) {
		to = end_of_list(*data, node, insert[0] == 'l');
		if (!to)
			return 0;
	} else {
		to = find_anchor(*data, node, edit);
		if (to == node)
			return 0;
		if (!to)
			return edit_no_anchor(edit, f);
	}
	bool before = insert[0] == 'f' || insert[0] == 'b';

	/* The first of the top level may be the one that moves, or get one before it. */
	rc = before ? lyd_insert_before(to, node) : lyd_insert_after(to, node);
	if (rc != LY_SUCCESS)
		return fault_from_libyang(f, LYD_CTX(node), node);
	*data = lyd_first_sibling(*data);
	return 0;
}
