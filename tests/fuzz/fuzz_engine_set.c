/* SPDX-License-Identifier: Apache-2.0 */
/* set: "PATH", which deletes, or "PATH\nVALUE". */
#include <stdint.h>

#include "controlplane/config/engine/edit.h"
#include "tests/fuzz/engine_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int set(struct lyd_node **tree, const char *path, const char *value, struct engine_fault *f)
{
	struct lyd_node *edit = NULL;
	int rc;

	if (edit_check_path(path, f))
		return -1;
	if (!value)
		return edit_delete(engine_ctx, tree, path, f);
	if (edit_at(engine_ctx, path, value, &edit, f))
		return -1;
	rc = edit_apply(tree, edit, ENGINE_MERGE, f);
	lyd_free_all(edit);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_fault f = {0};
	struct lyd_node *tree;
	char *path = calloc(1, size + 1), *value;

	if (!path)
		abort();
	memcpy(path, data, size);
	value = strchr(path, '\n');
	if (value)
		*value++ = 0;
	engine_tree_begin();
	tree = engine_tree_copy();
	if (set(&tree, path, value, &f)) {
		if (!f.tag || !f.type || !f.message[0])
			abort();
	} else {
		engine_tree_check(tree);
	}
	lyd_free_all(tree);
	free(path);
	return 0;
}
