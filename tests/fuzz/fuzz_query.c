/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any filter of a <get> within the bounds of one, as XPath (the first octet is even) or as a subtree: what it is about
 * is found out, and it narrows to certain calls only where it is about calls.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/engine/bounds.h"
#include "controlplane/obs/query.h"
#include "tests/fuzz/engine_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_fault f = {0};
	struct query q;
	char *text;
	bool xpath;

	if (size < 1)
		return 0;
	engine_tree_begin();
	text = engine_text(data, size);
	xpath = !(data[0] & 1);
	if (xpath ? bounds_xpath(text, &f) : bounds_text(str_z(text), ENGINE_XML, &f)) {
		if (!f.tag || !f.message[0])
			abort();
	} else {
		query_make(engine_ctx, xpath ? text : NULL, xpath ? NULL : text, &q);
		if ((q.id[0] || q.state[0] || q.ingress_trunk[0] || q.egress_trunk[0]) && !(q.parts & QUERY_CALL))
			abort();
	}
	free(text);
	return 0;
}
