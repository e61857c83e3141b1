/* SPDX-License-Identifier: Apache-2.0 */
/* edit-config: the first octet says format and default operation, the rest is the edit. */
#include <stdint.h>

#include "controlplane/config/engine/edit.h"
#include "tests/fuzz/engine_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lyd_node *edit = NULL, *tree;
	struct engine_fault f = {0};
	enum engine_format format;

	if (size < 1)
		return 0;
	engine_tree_begin();
	format = data[0] & 1 ? ENGINE_XML : ENGINE_JSON;
	if (edit_parse(engine_ctx, (struct str){(const char *)data + 1, size - 1}, format, &edit, &f)) {
		if (edit || !f.tag || !f.type || !f.message[0])
			abort();
		return 0;
	}
	tree = engine_tree_copy();
	if (edit_apply(&tree, edit, (enum engine_default_operation)((data[0] >> 1) % 3), &f)) {
		if (!f.tag || !f.type || !f.message[0])
			abort();
	} else {
		engine_tree_check(tree);
		/* Right or wrong, it can be told. */
		if (lyd_validate_all(&tree, engine_ctx, LYD_VALIDATE_NO_STATE, NULL) == LY_SUCCESS)
			engine_tree_check(tree);
	}
	lyd_free_all(edit);
	lyd_free_all(tree);
	return 0;
}
