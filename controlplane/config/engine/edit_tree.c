/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"

static struct lyd_node *siblings(struct lyd_node *first, struct lyd_node *parent)
{
	return parent ? lyd_child(parent) : first;
}

struct lyd_node *edit_find(struct lyd_node *first, struct lyd_node *parent, const struct lyd_node *edit)
{
	struct lyd_node *found = NULL, *among = siblings(first, parent);

	if (!among || !edit->schema)
		return NULL;
	/* There is one leaf of a name whatever its value, by which lyd_find_sibling_first() would look. */
	if (edit->schema->nodetype & (LYS_LEAFLIST | LYS_LIST))
		return lyd_find_sibling_first(among, edit, &found) == LY_SUCCESS ? found : NULL;
	return lyd_find_sibling_val(among, edit->schema, NULL, 0, &found) == LY_SUCCESS ? found : NULL;
}

static bool is_container_to_prune(const struct lyd_node *node)
{
	const struct lyd_node *c;

	if (!node || node->schema->nodetype != LYS_CONTAINER || node->schema->flags & LYS_PRESENCE)
		return false;
	LY_LIST_FOR(lyd_child(node), c)
	{
		if (!(c->flags & LYD_DEFAULT))
			return false;
	}
	return true;
}

void edit_remove(struct lyd_node **first, struct lyd_node *node)
{
	if (*first == node)
		*first = node->next;
	lyd_free_tree(node);
}

struct lyd_node *edit_prune(struct lyd_node **first, struct lyd_node *node)
{
	struct lyd_node *parent;

	if (!is_container_to_prune(node))
		return NULL;
	parent = lyd_parent(node);
	edit_remove(first, node);
	return parent;
}

/* The case of this choice that a node belongs to; NULL: it is not in the choice. */
static const struct lysc_node *case_in(const struct lysc_node *node, const struct lysc_node *choice)
{
	for (const struct lysc_node *s = node; s && s->parent; s = s->parent) {
		if (s->parent == choice)
			return s;
		if (s->parent->nodetype & ~(LYS_CHOICE | LYS_CASE))
			return NULL;
	}
	return NULL;
}

/* RFC 7950 7.9: a node of one case removes those of the others. */
static void remove_other_cases(
	struct lyd_node **first, struct lyd_node *parent, const struct lysc_node *schema)
{
	for (const struct lysc_node *s = schema; s->parent && s->parent->nodetype & (LYS_CHOICE | LYS_CASE);
		s = s->parent) {
		struct lyd_node *n, *next;

		if (s->parent->nodetype != LYS_CHOICE)
			continue;
		LY_LIST_FOR_SAFE(siblings(*first, parent), next, n)
		{
			const struct lysc_node *its = n->schema ? case_in(n->schema, s->parent) : NULL;

			if (its && its != s)
				edit_remove(first, n);
		}
	}
}

/* A default makes room for what is set; of a leaf-list, all of them do: it has defaults or values, not both.
 */
static void remove_defaults(struct lyd_node **first, struct lyd_node *parent, const struct lysc_node *schema)
{
	struct lyd_node *n, *next;

	if (schema->nodetype == LYS_LIST)
		return;
	LY_LIST_FOR_SAFE(siblings(*first, parent), next, n)
	{
		if (n->schema != schema)
			continue;
		if (!(n->flags & LYD_DEFAULT))
			return;
		edit_remove(first, n);
	}
}

int edit_insert(struct lyd_node **first, struct lyd_node *parent, const struct lyd_node *edit,
	struct lyd_node **out, struct engine_fault *f)
{
	struct lyd_node *node = NULL;
	LY_ERR rc;

	remove_other_cases(first, parent, edit->schema);
	remove_defaults(first, parent, edit->schema);
	if (lyd_dup_single(edit, NULL, LYD_DUP_NO_META, &node) != LY_SUCCESS)
		return fault_memory(f);
	rc = parent ? lyd_insert_child(parent, node) : lyd_insert_sibling(*first, node, first);
	if (rc != LY_SUCCESS) {
		lyd_free_tree(node);
		return fault_from_libyang(f, LYD_CTX(edit), edit);
	}
	*out = node;
	return 0;
}
