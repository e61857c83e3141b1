/* SPDX-License-Identifier: Apache-2.0 */
/* One node by its path. */
#include <stdio.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/explain.h"
#include "lib/base/buf.h"

static int complain(struct engine_fault *f, const char *tag, const char *path, const char *message)
{
	return fault_set(f, tag, path, "%s", message);
}

/* libyang's reason with the path that was asked for: what it names is the schema's node, without its lists'
 * keys, or the first tree that it looked in, or of a leaf-list's value nothing. */
static int path_fault(struct engine_fault *f, const struct ly_ctx *ctx, const char *path)
{
	bool placed = ly_errpath(ctx) != NULL;
	char said[256];

	snprintf(said, sizeof said, "%s", ly_errmsg(ctx) ? ly_errmsg(ctx) : "");
	fault_from_libyang(f, ctx, NULL);
	if (*said && (!placed || strncmp(said, "Not found node", 14) == 0)) {
		struct wbuf reason = wbuf_make(f->message, sizeof f->message - 1);

		explain_reason(ctx, said, str_z(path), &reason);
		f->message[reason.len] = 0;
	}
	snprintf(f->path, sizeof f->path, "%s", path);
	return -1;
}

/* Said of the model, not of what is there, which the account may not read. Of a path that is none
 * lys_find_path() crashes: lyd_find_path() goes before it. */
static bool is_a_key(const struct ly_ctx *ctx, const char *path)
{
	const struct lysc_node *schema = lys_find_path(ctx, NULL, path, 0);

	return schema && schema->flags & LYS_KEY;
}

int edit_delete(struct ly_ctx *ctx, struct lyd_node **data, const char *path, struct engine_fault *f)
{
	struct lyd_node *found = NULL;
	LY_ERR rc;

	ly_err_clean(ctx, NULL);
	rc = *data ? lyd_find_path(*data, path, 0, &found) : LY_ENOTFOUND;
	if (rc == LY_EVALID || rc == LY_EINVAL)
		return path_fault(f, ctx, path);
	if (*data && is_a_key(ctx, path))
		return complain(f, "invalid-value", path, "a key cannot be deleted: delete the entry");
	if (rc != LY_SUCCESS || !edit_exists(found))
		return complain(f, "data-missing", path, "there is no such thing to delete");
	struct lyd_node *parent = lyd_parent(found);

	edit_remove(data, found);
	while (parent)
		parent = edit_prune(data, parent);
	return 0;
}

static bool is_configuration(const struct lyd_node *top)
{
	for (const struct lyd_node *n = top; n; n = lyd_child_no_keys(n))
		if (!(n->schema->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)) ||
			!(n->schema->flags & LYS_CONFIG_W))
			return false;
	return true;
}

/* Nothing can be told to what holds others; an entry of a list, or a container that means something, can be
 * made. */
static bool takes(const struct lyd_node *top, const char *path, const char *value)
{
	struct lyd_node *node = NULL;

	if (lyd_find_path(top, path, 0, &node) != LY_SUCCESS || node->schema->nodetype & LYD_NODE_TERM)
		return true;
	return !*value && (node->schema->nodetype == LYS_LIST || node->schema->flags & LYS_PRESENCE);
}

int edit_check_path(const char *path, struct engine_fault *f)
{
	if (bounds_path(path, f))
		return -1;
	if (path[0] != '/')
		return complain(
			f, "invalid-value", NULL, "a path begins at the top: /srtp-gateway:gateway/...");
	return 0;
}

int edit_at(struct ly_ctx *ctx, const char *path, const char *value, struct lyd_node **out,
	struct engine_fault *f)
{
	struct lyd_node *edit = NULL;
	int rc = 0;

	ly_err_clean(ctx, NULL);
	if (lyd_new_path(NULL, ctx, path, value, 0, &edit) != LY_SUCCESS || !edit)
		rc = path_fault(f, ctx, path);
	else if (!is_configuration(edit))
		rc = complain(f, "invalid-value", path, "this is not configuration: it cannot be set");
	else if (!takes(edit, path, value))
		rc = complain(f, "invalid-value", path, "this has no value of its own: set what is in it");
	if (rc) {
		lyd_free_all(edit);
		return rc;
	}
	*out = edit;
	return 0;
}
