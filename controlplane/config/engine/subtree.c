/* SPDX-License-Identifier: Apache-2.0 */
/* Subtree filters, RFC 6241 section 6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/edit.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/select.h"
#include "lib/base/str.h"

/* A filter's node: a name and a text, of no model. */
static const struct lyd_node_opaq *said(const struct lyd_node *f)
{
	return (const struct lyd_node_opaq *)f;
}

/* What a filter's elements are in that name no namespace: any (RFC 6241 6.2.1). */
#define ANY "urn:ietf:params:xml:ns:netconf:base:1.0"

static const char *namespace_of(const struct lyd_node *f)
{
	return said(f)->name.module_ns ? said(f)->name.module_ns : ANY;
}

static struct str trim(struct str s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]))
		s = str_sub(s, 1, s.n);
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_content_match(const struct lyd_node *f)
{
	return !lyd_child(f) && trim(str_z(said(f)->value)).n > 0;
}

static bool is_same_node(const struct lyd_node *f, const struct lyd_node *n)
{
	const char *ns = namespace_of(f);

	return n->schema && strcmp(said(f)->name.name, n->schema->name) == 0 &&
	       (strcmp(ns, ANY) == 0 || strcmp(ns, n->schema->module->ns) == 0);
}

/* An identity may be written with its module, a prefix, or without; a number or an address in any of its
 * ways. */
static bool is_same_value(const struct lyd_node *f, const struct lyd_node *n)
{
	struct str wanted = trim(str_z(said(f)->value)), is = str_z(lyd_get_value(n));
	ptrdiff_t a = str_chr(wanted, ':'), b = str_chr(is, ':');

	if (!(n->schema->nodetype & LYD_NODE_TERM))
		return false;
	if (((const struct lysc_node_leaf *)n->schema)->type->basetype == LY_TYPE_IDENT)
		return str_eq(str_sub(wanted, (size_t)(a + 1), wanted.n), str_sub(is, (size_t)(b + 1), is.n));
	return str_eq(wanted, is) ||
	       lyd_value_compare((const struct lyd_node_term *)n, wanted.p, wanted.n) == LY_SUCCESS;
}

/* Do the siblings hold what every content match of the filter asks for? */
static bool contents_match(const struct lyd_node *siblings, const struct lyd_node *filter)
{
	const struct lyd_node *f, *n;

	LY_LIST_FOR(filter, f)
	{
		if (!is_content_match(f))
			continue;
		LY_LIST_FOR(siblings, n)
		{
			if (is_same_node(f, n) && is_same_value(f, n))
				break;
		}
		if (!n)
			return false;
	}
	return true;
}

static bool only_content_matches(const struct lyd_node *filter)
{
	const struct lyd_node *f;

	LY_LIST_FOR(filter, f)
	{
		if (!is_content_match(f))
			return false;
	}
	return true;
}

static void match(struct lyd_node *siblings, const struct lyd_node *filter);

/* A data node against a filter node of its name. */
static void match_node(struct lyd_node *n, const struct lyd_node *f)
{
	const struct lyd_node *below = lyd_child(f);

	if (is_content_match(f)) {
		if (is_same_value(f, n))
			select_mark(n);
	} else if (!below) {
		select_mark(n);
	} else if (lyd_child(n) && contents_match(lyd_child(n), below)) {
		if (only_content_matches(below))
			select_mark(n);
		else
			match(lyd_child(n), below);
	}
}

static void match(struct lyd_node *siblings, const struct lyd_node *filter)
{
	const struct lyd_node *f;
	struct lyd_node *n;

	LY_LIST_FOR(filter, f)
	{
		LY_LIST_FOR(siblings, n)
		{
			if (n->priv != SELECT_ALL && is_same_node(f, n))
				match_node(n, f);
		}
	}
}

/*
 * An attribute match expression (RFC 6241 6.2.2) selects elements that have the attribute. What is configured
 * has none, nor has state: nothing would be selected, and to leave the attribute out of account would select
 * too much.
 */
static int refuse_attributes(const struct lyd_node *filter, struct engine_fault *f)
{
	const struct lyd_node *n;
	int rc = 0;

	LY_LIST_FOR(filter, n)
	{
		const struct lyd_attr *a = said(n)->attr;

		if (a) {
			rc = fault_protocol(f, "unknown-attribute",
				"'%.64s' of '%.64s': no node has attributes that a filter could ask for",
				a->name.name, said(n)->name.name);
			fault_blame(f, said(n)->name.name);
			snprintf(f->bad_attribute, sizeof f->bad_attribute, "%s", a->name.name);
		} else {
			rc = refuse_attributes(lyd_child(n), f);
		}
		if (rc)
			break;
	}
	return rc;
}

int select_subtree(struct lyd_node **tree, struct ly_ctx *names, const char *filter, struct engine_fault *f)
{
	struct lyd_node *parsed = NULL;
	char *whole = NULL;
	int rc = -1;

	if (asprintf(&whole, "<filter xmlns=\"" ANY "\">%s</filter>", filter) < 0)
		return fault_memory(f);
	if (edit_parse_filter(names, str_z(whole), &parsed, f)) {
		fault_blame(f, "filter");
		goto out;
	}
	rc = refuse_attributes(lyd_child(parsed), f);
	if (!rc) {
		/* An empty filter selects nothing (RFC 6241 6.4.2). */
		match(*tree, lyd_child(parsed));
		select_sweep(tree);
	}
	lyd_free_all(parsed);
out:
	free(whole);
	return rc;
}
