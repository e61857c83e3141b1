/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/select.h"

#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/config/engine/fault.h"

void select_mark(struct lyd_node *node)
{
	node->priv = SELECT_ALL;
	for (struct lyd_node *up = lyd_parent(node); up && !up->priv; up = lyd_parent(up))
		up->priv = SELECT_WAY;
}

static void clear_marks(struct lyd_node *node)
{
	struct lyd_node *c;

	node->priv = NULL;
	LY_LIST_FOR(lyd_child(node), c)
	{
		clear_marks(c);
	}
}

static void sweep(struct lyd_node **first, struct lyd_node *among)
{
	struct lyd_node *n, *next;

	LY_LIST_FOR_SAFE(among, next, n)
	{
		if (n->priv == SELECT_ALL) {
			clear_marks(n);
		} else if (n->priv == SELECT_WAY) {
			n->priv = NULL;
			sweep(first, lyd_child(n));
		} else if (!n->schema || !(n->schema->flags & LYS_KEY)) {
			if (n == *first)
				*first = n->next;
			lyd_free_tree(n);
		}
	}
}

void select_sweep(struct lyd_node **tree)
{
	sweep(tree, *tree);
}

int select_xpath(struct lyd_node **tree, const struct ly_ctx *ctx, const char *xpath, struct engine_fault *f)
{
	struct ly_set *found = NULL;

	if (bounds_xpath(xpath, f))
		return -1;
	if (!*tree)
		return 0;
	ly_err_clean((struct ly_ctx *)ctx, NULL);
	if (lyd_find_xpath3(NULL, *tree, xpath, NULL, &found) != LY_SUCCESS) {
		const char *reason = ly_errmsg(ctx);

		fault_protocol(f, "invalid-value", "not an XPath expression that selects nodes: %s",
			reason ? reason : xpath);
		fault_blame(f, "filter");
		return -1;
	}
	for (uint32_t i = 0; i < found->count; i++)
		select_mark(found->dnodes[i]);
	ly_set_free(found, NULL);
	select_sweep(tree);
	return 0;
}
