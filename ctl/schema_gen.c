/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time: writes the configuration's nodes, as the models have them, as the table of ctl/schema.h.
 * usage: ctl_schema_gen OUTPUT
 */
#include <stdio.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"

static const char *const modules[] = {"srtp-gateway", "ietf-netconf-acm"};

static void put_identities(const struct lysc_ident *base, FILE *to)
{
	LY_ARRAY_COUNT_TYPE u;

	LY_ARRAY_FOR(base->derived, u)
	fprintf(to, "%s%s", u ? " " : "", base->derived[u]->name);
}

/* "/sgw:gateway/sgw:trunks/sgw:trunk/sgw:name" as "@trunks/trunk": whose names the value is one of. */
static void put_reference(const struct lysc_type_leafref *type, FILE *to)
{
	const char *p = lyxp_get_expr(type->path), *last = strrchr(p, '/');

	if (strncmp(p, "/sgw:gateway/", 13) != 0)
		return;
	fputc('@', to);
	for (p += 13; p < last; p++) {
		if (strncmp(p, "sgw:", 4) == 0)
			p += 4;
		fputc(*p, to);
	}
}

/* What a value may be, where that is a short list. */
static void put_values(const struct lysc_type *type, FILE *to)
{
	const struct lysc_type_enum *e = (const struct lysc_type_enum *)type;
	LY_ARRAY_COUNT_TYPE u;

	switch (type->basetype) {
	case LY_TYPE_BOOL:
		fputs("true false", to);
		break;
	case LY_TYPE_ENUM:
		LY_ARRAY_FOR(e->enums, u)
		fprintf(to, "%s%s", u ? " " : "", e->enums[u].name);
		break;
	case LY_TYPE_IDENT:
		put_identities(((const struct lysc_type_identityref *)type)->bases[0], to);
		break;
	case LY_TYPE_LEAFREF:
		put_reference((const struct lysc_type_leafref *)type, to);
		break;
	default:
		break;
	}
}

static void put_keys(const struct lysc_node *list, FILE *to)
{
	const struct lysc_node *child = NULL;
	bool first = true;

	while ((child = lys_getnext(child, list, NULL, 0)) != NULL) {
		if (!lysc_is_key(child))
			continue;
		fprintf(to, "%s%s", first ? "" : " ", child->name);
		first = false;
	}
}

static void put_node(const struct lysc_node *node, unsigned depth, FILE *to);

static void put_children(
	const struct lysc_node *parent, const struct lysc_module *module, unsigned depth, FILE *to)
{
	const struct lysc_node *child = NULL;

	while ((child = lys_getnext(child, parent, module, 0)) != NULL)
		if (child->flags & LYS_CONFIG_W)
			put_node(child, depth, to);
}

static void put_node(const struct lysc_node *node, unsigned depth, FILE *to)
{
	const char *kind = node->nodetype == LYS_CONTAINER ? "CONTAINER"
			   : node->nodetype == LYS_LIST    ? "LIST"
			   : node->nodetype == LYS_LEAF    ? "LEAF"
							   : "LEAF_LIST";

	fprintf(to, "\t{%u, SCHEMA_%s, \"%s\", \"", depth, kind, node->name);
	if (depth == 0)
		fputs(node->module->name, to);
	else if (node->nodetype == LYS_LIST)
		put_keys(node, to);
	fputs("\", \"", to);
	if (node->nodetype == LYS_LEAF)
		put_values(((const struct lysc_node_leaf *)node)->type, to);
	else if (node->nodetype == LYS_LEAFLIST)
		put_values(((const struct lysc_node_leaflist *)node)->type, to);
	fputs("\"},\n", to);
	if (node->nodetype & (LYS_CONTAINER | LYS_LIST))
		put_children(node, NULL, depth + 1, to);
}

static void put_notifications(const struct lys_module *module, FILE *to)
{
	const struct lysc_node *n;

	fputs("const char schema_notifications[] = \"", to);
	LY_LIST_FOR((const struct lysc_node *)module->compiled->notifs, n)
	{
		fprintf(to, "%s%s", n->prev->next ? " " : "", n->name);
	}
	fputs("\";\n", to);
}

int main(int argc, char **argv)
{
	struct ly_ctx *ctx = NULL;
	struct err e = {0};
	FILE *to = argc == 2 ? fopen(argv[1], "w") : NULL;

	if (!to || schema_context(&ctx, &e) < 0) {
		fprintf(stderr, "ctl_schema_gen: %s\n", e.text[0] ? e.text : "usage: ctl_schema_gen OUTPUT");
		return 1;
	}
	fputs("#include \"ctl/schema.h\"\n\nconst struct schema_node schema_nodes[] = {\n", to);
	for (unsigned i = 0; i < sizeof modules / sizeof modules[0]; i++)
		put_children(NULL, ly_ctx_get_module_implemented(ctx, modules[i])->compiled, 0, to);
	fputs("};\nconst unsigned schema_nodes_n = sizeof schema_nodes / sizeof schema_nodes[0];\n", to);
	put_notifications(ly_ctx_get_module_implemented(ctx, modules[0]), to);
	ly_ctx_destroy(ctx);
	return fclose(to) == 0 ? 0 : 1;
}
