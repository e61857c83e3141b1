/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: the first octet says which kind, the rest is a subtree filter or an XPath expression. */
#include <stdint.h>

#include "controlplane/config/engine/select.h"
#include "tests/fuzz/engine_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_fault f = {0};
	struct lyd_node *tree;
	char *text;
	int rc;

	if (size < 1)
		return 0;
	engine_tree_begin();
	text = engine_text(data, size);
	tree = engine_tree_copy();
	rc = data[0] & 1 ? select_subtree(&tree, engine_names, text, &f)
			 : select_xpath(&tree, engine_ctx, text, &f);
	if (rc && (!f.tag || !f.message[0]))
		abort();
	if (!rc)
		engine_tree_check(tree);
	lyd_free_all(tree);
	free(text);
	return 0;
}
