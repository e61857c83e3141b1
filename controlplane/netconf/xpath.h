/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in XPath: NETCONF writes them with prefixes that the XML around declares (RFC 6241, section 8.9), the
 * management socket with the names of modules (RFC 7951, section 6.11).
 */
#pragma once

#include <jansson.h>

#include "controlplane/netconf/models.h"
#include "controlplane/netconf/text.h"
#include "controlplane/netconf/xml.h"

/*
 * Writes xpath with every prefix replaced by the name of its module, also in a literal that is nothing but a
 * prefixed name (an identity). scope: the element whose declarations hold. 0, or -1 with *fault, the
 * caller's.
 */
int xpath_to_modules(struct str xpath, const struct xml_node *scope, const struct models *m, struct text *out,
	json_t **fault);

/*
 * Writes an instance path of RFC 7951 with a prefix on every name, and into `declarations` the attributes
 * which declare them (" xmlns:MODULE=\"NAMESPACE\""...). Prefixes are the modules' names.
 */
void xpath_from_modules(struct str path, const struct models *m, struct text *out, struct text *declarations);
