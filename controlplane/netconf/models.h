/* SPDX-License-Identifier: Apache-2.0 */
/* The YANG modules of the engine, as its `hello` names them: what stands for what between XML and JSON. */
#pragma once

#include <jansson.h>

#include "controlplane/netconf/text.h"
#include "lib/base/str.h"

/* The array "modules" of the engine's hello: {"name","revision","namespace","implemented","features":[...]};
 * borrowed. */
struct models {
	const json_t *list;
};

/* NULL: there is none. */
const char *models_name(const struct models *m, const char *ns);
const char *models_namespace(const struct models *m, struct str name);

/* Calls visit with every implemented module's capability URI (RFC 6020, section 5.6.4), not yet escaped. */
void models_capabilities(const struct models *m, void (*visit)(struct str uri, void *ctx), void *ctx);
