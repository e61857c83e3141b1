/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/explain_address.h"
#include "lib/base/buf.h"
#include "lib/base/nearest.h"

#define DESCRIPTION_MAX 200

/* What would be right, and where the model has it. */
enum hint { HINT_NONE, HINT_CHOICES, HINT_RANGE, HINT_DESCRIPTION, HINT_NEAREST };

/*
 * Each row: how libyang's message begins and what it has in it (NULL: anything), and what to say instead,
 * with the message's first quoted word between before and after. The first row that fits.
 */
static const struct {
	const char *begins, *has, *before, *after;
	enum hint hint;
} plain_words[] = {
	{"Invalid leafref value \"", NULL, "'", "' is not defined: there is no entry of that name"},
	{"Invalid enumeration value \"", NULL, "'", "' is not one of the choices", HINT_CHOICES},
	{"Invalid identityref \"", NULL, "'", "' is not one of the choices", HINT_CHOICES},
	{"Invalid union value \"", NULL, "'", "' is not valid here", HINT_DESCRIPTION},
	{"Unsatisfied pattern - \"", NULL, "'", "' is not valid here", HINT_DESCRIPTION},
	{"Unsatisfied length - \"", NULL, "'", "' is too short or too long", HINT_DESCRIPTION},
	{"Unsatisfied range - value \"", NULL, "'", "' is out of range", HINT_RANGE},
	{"Value \"", "min/max bounds", "'", "' is out of range", HINT_RANGE},
	{"Invalid type ", " value \"", "'", "' is not a whole number", HINT_RANGE},
	{"Invalid non-boolean-encoded ", NULL, "write true or false without quotes, not '", "'"},
	{"The leaf-list \"", "is expected to be represented", "'", "' is a list: write its values in [ ]"},
	{"The list \"", "is expected to be represented", "'", "' is a list: write its entries in [ ]"},
	{"The container \"", "is expected to be represented", "'", "' has members: write them in { }"},
	{"The leaf \"", "is expected to be represented", "'", "' takes one value"},
	{"Expected JSON name/value", NULL, "one value is needed here, without [ ] or { }", ""},
	{"The ", "is expected to be represented", "'", "' is written otherwise"},
	{"List instance is missing its key \"", NULL, "an entry has no '", "'"},
	{"Top-level JSON object member \"", "namespace-qualified", "'",
		"' needs the name of its model before it, as in \"srtp-gateway:gateway\""},
	{"Mandatory node \"", NULL, "'", "' is missing and must be given"},
	{"Too few \"", NULL, "'", "' is missing: at least one is needed"},
	{"Duplicate instance of \"", NULL, "'", "' is there twice"},
	{"Unique data leaf(s) \"", NULL, "another entry has the same ", ""},
	{"No module named \"", NULL, "there is no model '",
		"' here: a configuration has srtp-gateway and ietf-netconf-acm"},
	{"Unexpected data state node \"", NULL, "'", "' is state: it is read, never configured"},
	{"Not found node \"", NULL, "there is no '", "' here", HINT_NEAREST},
	{"Invalid boolean value \"", NULL, "write true or false, not '", "'"},
	{"Invalid type ", " empty value", "a value is needed here", ""},
	{"Predicate missing for list \"", NULL, "'",
		"' is a list: the path goes on with the entry that is meant"},
	{"Predicate missing for leaf-list \"", NULL, "'",
		"' is a list: the path goes on with the value that is meant"},
	{"Node \"", NULL, "there is no '", "' here", HINT_NEAREST},
};

struct str explain_quoted(const char *msg)
{
	const char *open = strchr(msg, '"');
	const char *close = open ? strchr(open + 1, '"') : NULL;

	return close ? (struct str){open + 1, (size_t)(close - open - 1)} : (struct str){msg, 0};
}

/* The model's node for a data path, or NULL. */
static const struct lysc_node *node_of(const struct ly_ctx *ctx, struct str path)
{
	char schema_path[512];
	struct wbuf plain = wbuf_make(schema_path, sizeof schema_path - 1);
	unsigned depth = 0;

	for (size_t i = 0; i < path.n; i++) {
		depth += path.p[i] == '[';
		if (!depth)
			wbuf_u8(&plain, (uint8_t)path.p[i]);
		depth -= path.p[i] == ']' && depth;
	}
	schema_path[plain.len] = 0;
	return plain.len ? lys_find_path(ctx, NULL, schema_path, 0) : NULL;
}

static const struct lysc_type *type_of(const struct lysc_node *node)
{
	if (node && node->nodetype == LYS_LEAF)
		return ((const struct lysc_node_leaf *)node)->type;
	if (node && node->nodetype == LYS_LEAFLIST)
		return ((const struct lysc_node_leaflist *)node)->type;
	return NULL;
}

static void put_choices(const struct lysc_type *type, struct wbuf *w)
{
	const char *separator = ": ";

	if (type && type->basetype == LY_TYPE_ENUM) {
		const struct lysc_type_bitenum_item *items = ((const struct lysc_type_enum *)type)->enums;

		LY_ARRAY_COUNT_TYPE i;
		LY_ARRAY_FOR(items, i)
		{
			wbuf_fmt(w, "%s%s", separator, items[i].name);
			separator = ", ";
		}
	} else if (type && type->basetype == LY_TYPE_IDENT) {
		const struct lysc_ident *base = ((const struct lysc_type_identityref *)type)->bases[0];

		LY_ARRAY_COUNT_TYPE i;
		LY_ARRAY_FOR(base->derived, i)
		{
			wbuf_fmt(w, "%s%s", separator, base->derived[i]->name);
			separator = ", ";
		}
	}
}

/* The largest value of the unsigned types, which the model's numbers are when it gives no range. */
static uint64_t largest(LY_DATA_TYPE type)
{
	return type == LY_TYPE_UINT8    ? UINT8_MAX
	       : type == LY_TYPE_UINT16 ? UINT16_MAX
	       : type == LY_TYPE_UINT32 ? UINT32_MAX
	       : type == LY_TYPE_UINT64 ? UINT64_MAX
					: 0;
}

static void put_range(const struct lysc_type *type, struct wbuf *w)
{
	if (!type || !largest(type->basetype))
		return;
	const struct lysc_range *range = ((const struct lysc_type_num *)type)->range;
	const char *separator = ": ";

	if (!range) {
		wbuf_fmt(w, ": 0 to %" PRIu64, largest(type->basetype));
		return;
	}
	LY_ARRAY_COUNT_TYPE i;
	LY_ARRAY_FOR(range->parts, i)
	{
		wbuf_fmt(w, "%s%" PRIu64, separator, range->parts[i].min_u64);
		if (range->parts[i].max_u64 != range->parts[i].min_u64)
			wbuf_fmt(w, " to %" PRIu64, range->parts[i].max_u64);
		separator = ", ";
	}
}

/* The first sentence of what the model says the node is, on one line. */
static void put_description(const struct lysc_node *node, struct wbuf *w)
{
	const char *p = node ? node->dsc : NULL;

	if (!p)
		return;
	wbuf_z(w, "; the model says: ");
	for (size_t n = 0; *p && n < DESCRIPTION_MAX; n++) {
		if (*p == '.' && (!p[1] || strchr(" \n", p[1])))
			return;
		if (*p == '\n') {
			wbuf_u8(w, ' ');
			p += strspn(p, " \n");
		} else {
			wbuf_u8(w, (uint8_t)*p++);
		}
	}
}

void explain_unknown(const struct lysc_node *parent, struct str name, struct wbuf *w)
{
	struct nearest near = nearest_to(name);
	const struct lysc_node *child = NULL;

	while (parent && (child = lys_getnext(child, parent, NULL, 0)))
		if (child->flags & LYS_CONFIG_W)
			nearest_offer(&near, str_z(child->name));
	wbuf_fmt(w, "there is no '%.*s' here", STR_ARG(str_sub(name, 0, 64)));
	if (near.name.n)
		wbuf_fmt(w, ": did you mean '%.*s'?", STR_ARG(near.name));
	else
		wbuf_z(w, ", or this build of the gateway cannot do it");
}

/* The path without its last node; empty for one at the top. */
static struct str above(struct str path)
{
	unsigned depth = 0;
	size_t end = 0;

	for (size_t i = 0; i < path.n; i++) {
		depth += path.p[i] == '[';
		depth -= path.p[i] == ']' && depth;
		if (path.p[i] == '/' && !depth)
			end = i;
	}
	return str_sub(path, 0, end);
}

/* What holds the node that there is not: path leads to it, or to that node. */
static const struct lysc_node *container_of(const struct ly_ctx *ctx, struct str path)
{
	const struct lysc_node *node = node_of(ctx, path);

	while (!node && path.n) {
		path = above(path);
		node = node_of(ctx, path);
	}
	return node;
}

static bool is_number(struct str s)
{
	uint64_t ignored;

	return str_to_u64(str_sub(s, s.n && s.p[0] == '-', s.n), UINT64_MAX, &ignored) != -EINVAL;
}

/* "Invalid non-number-encoded uint32 value": of text where a number belongs, which may be one in quotes. */
static bool explain_number(const char *msg, struct wbuf *w)
{
	struct str value = explain_quoted(msg);

	if (!str_starts(str_z(msg), STR("Invalid non-number-encoded ")))
		return false;
	if (!value.n)
		wbuf_z(w, "a number is needed here");
	else if (is_number(value))
		wbuf_fmt(w, "write the number %.*s without quotes", STR_ARG(str_sub(value, 0, 64)));
	else
		wbuf_fmt(w, "'%.*s' is not a number", STR_ARG(str_sub(value, 0, 64)));
	return true;
}

void explain_reason(const struct ly_ctx *ctx, const char *msg, struct str path, struct wbuf *w)
{
	if (explain_number(msg, w))
		return;
	for (size_t i = 0; i < sizeof plain_words / sizeof plain_words[0]; i++) {
		if (!str_starts(str_z(msg), str_z(plain_words[i].begins)) ||
			(plain_words[i].has && !strstr(msg, plain_words[i].has)))
			continue;
		if (plain_words[i].hint == HINT_NEAREST) {
			explain_unknown(container_of(ctx, path), explain_quoted(msg), w);
			return;
		}
		const struct lysc_node *node = plain_words[i].hint ? node_of(ctx, path) : NULL;

		if (plain_words[i].hint == HINT_DESCRIPTION &&
			explain_address(type_of(node), str_sub(explain_quoted(msg), 0, 64), w))
			return;
		wbuf_z(w, plain_words[i].before);
		wbuf_str(w, str_sub(explain_quoted(msg), 0, 64));
		wbuf_z(w, plain_words[i].after);
		if (plain_words[i].hint == HINT_CHOICES)
			put_choices(type_of(node), w);
		else if (plain_words[i].hint == HINT_RANGE)
			put_range(type_of(node), w);
		else if (plain_words[i].hint == HINT_DESCRIPTION)
			put_description(node, w);
		return;
	}
	wbuf_str(w, str_sub(str_z(msg), 0, 200));
}
