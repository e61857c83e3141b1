/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "controlplane/config/engine/edit_private.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/explain.h"
#include "lib/base/buf.h"

static const struct lyd_node_opaq *opaque(const struct lyd_node *edit)
{
	return (const struct lyd_node_opaq *)edit;
}

static const struct lys_module *module_of(const struct lyd_node *parent, const struct lyd_node *edit)
{
	const struct ly_opaq_name *name = &opaque(edit)->name;

	/* In JSON a child's module is its parent's unless it says otherwise. */
	if (!name->module_name)
		return parent ? lyd_owner_module(parent) : NULL;
	return opaque(edit)->format == LY_VALUE_XML
		       ? ly_ctx_get_module_implemented_ns(opaque(edit)->ctx, name->module_ns)
		       : ly_ctx_get_module_implemented(opaque(edit)->ctx, name->module_name);
}

const struct lysc_node *edit_opaque_schema(const struct lyd_node *parent, const struct lyd_node *edit)
{
	const struct lys_module *m = module_of(parent, edit);

	return m ? lys_find_child(parent ? parent->schema : NULL, m, opaque(edit)->name.name, 0, 0, 0) : NULL;
}

bool edit_opaque_is_empty(const struct lyd_node *edit)
{
	return !opaque(edit)->child && (!opaque(edit)->value || !*opaque(edit)->value);
}

static int value_fault(const struct lysc_node *schema, const struct lyd_node *edit, const char *value,
	struct engine_fault *f)
{
	ly_err_clean((struct ly_ctx *)opaque(edit)->ctx, NULL);
	if (opaque(edit)->child)
		return fault_set(
			f, "invalid-value", NULL, "'%s' has a value, nothing stands in it", schema->name);
	if (lyd_value_validate(opaque(edit)->ctx, schema, value, strlen(value), NULL, NULL, NULL) ==
		LY_EVALID)
		return fault_from_libyang(f, opaque(edit)->ctx, NULL);
	/* The value is right and JSON writes it otherwise. */
	return fault_set(f, "invalid-value", NULL,
		"'%.64s' is not written as JSON wants it: true, false and numbers of up to 32 bits stand "
		"without "
		"quotes, everything else with them",
		value);
}

static int entry_fault(const struct lysc_node *list, const struct lyd_node *edit, struct engine_fault *f)
{
	const struct lysc_node *key;
	const struct lyd_node *c;

	for (key = lysc_node_child(list); key && key->flags & LYS_KEY; key = key->next) {
		LY_LIST_FOR(lyd_child(edit), c)
		{
			if (strcmp(LYD_NAME(c), key->name) == 0)
				break;
		}
		if (!c) {
			fault_set(f, "missing-element", NULL, "'%s' is missing: an entry is named by its key",
				key->name);
			fault_blame(f, key->name);
			return -1;
		}
		if (!c->schema)
			return value_fault(key, c, opaque(c)->value ? opaque(c)->value : "", f);
	}
	return fault_set(
		f, "invalid-value", NULL, "'%s' is a list: its entries are objects in an array", list->name);
}

int edit_opaque_fault(const struct lyd_node *parent, const struct lyd_node *edit, struct engine_fault *f)
{
	const struct lysc_node *schema = edit_opaque_schema(parent, edit);
	const char *name = opaque(edit)->name.name, *value = opaque(edit)->value;

	if (!module_of(parent, edit)) {
		const char *module = opaque(edit)->name.module_name ? opaque(edit)->name.module_name : "";

		fault_set(f, "unknown-namespace", NULL, "there is no model '%.128s'", module);
		fault_blame(f, name);
		snprintf(f->bad_namespace, sizeof f->bad_namespace, "%s", module);
	} else if (!schema) {
		/* Without xmlns an element is in its parent's namespace, which is NETCONF's own. */
		bool bare = !parent && strcmp(module_of(parent, edit)->name, "ietf-netconf") == 0;

		fault_set(f, "unknown-element", NULL,
			"'%.64s' has no namespace of its own: say which model's it is, such as "
			"xmlns=\"urn:srtpgw:yang:srtp-gateway\"",
			name);
		if (!bare) {
			struct wbuf reason = wbuf_make(f->message, sizeof f->message - 1);

			explain_unknown(parent ? parent->schema : NULL, str_z(name), &reason);
			f->message[reason.len] = 0;
		}
		fault_blame(f, name);
	} else if (schema->nodetype & LYD_NODE_TERM) {
		value_fault(schema, edit, value ? value : "", f);
	} else if (schema->nodetype == LYS_LIST) {
		entry_fault(schema, edit, f);
	} else {
		fault_set(f, "invalid-value", NULL, "'%s' is an object: {...}", name);
	}
	return fault_at(f, edit);
}
