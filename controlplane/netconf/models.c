/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/models.h"

#include <string.h>

static const char *member(const json_t *module, const char *name)
{
	const char *z = json_string_value(json_object_get(module, name));

	return z ? z : "";
}

const char *models_name(const struct models *m, const char *ns)
{
	size_t i;
	json_t *module;

	json_array_foreach(m->list, i, module)
	{
		if (strcmp(member(module, "namespace"), ns) == 0)
			return member(module, "name");
	}
	return NULL;
}

const char *models_namespace(const struct models *m, struct str name)
{
	size_t i;
	json_t *module;

	json_array_foreach(m->list, i, module)
	{
		if (str_eq(str_z(member(module, "name")), name))
			return member(module, "namespace");
	}
	return NULL;
}

static void put_capability(const json_t *module, struct text *t)
{
	const json_t *features = json_object_get(module, "features"), *feature;
	size_t i;

	text_fmt(t, "%s?module=%s", member(module, "namespace"), member(module, "name"));
	if (*member(module, "revision"))
		text_fmt(t, "&revision=%s", member(module, "revision"));
	json_array_foreach(features, i, feature)
		text_fmt(t, "%s%s", i ? "," : "&features=", json_string_value(feature));
}

void models_capabilities(const struct models *m, void (*visit)(struct str uri, void *ctx), void *ctx)
{
	struct text t = {0};
	size_t i;
	json_t *module;

	json_array_foreach(m->list, i, module)
	{
		/* A module that is only imported has names, but nothing to offer. */
		if (json_is_false(json_object_get(module, "implemented")))
			continue;
		text_reset(&t);
		put_capability(module, &t);
		if (!t.failed)
			visit(text_view(&t), ctx);
	}
	text_free(&t);
}
