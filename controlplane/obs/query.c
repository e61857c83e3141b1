/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/query.h"

#include <stdio.h>
#include <string.h>

#include <libyang/libyang.h>

#include "lib/base/str.h"

static const struct {
	enum query_part part;
	const char *path;
} parts[] = {
	{QUERY_CALL, "/srtp-gateway:calls/call"},
	{QUERY_STATISTICS, "/srtp-gateway:statistics"},
	{QUERY_TRUNKS, "/srtp-gateway:gateway/trunks/trunk/state"},
	{QUERY_CERTIFICATES, "/srtp-gateway:gateway/tls-profiles/tls-profile/state"},
	{QUERY_MEDIA, "/srtp-gateway:gateway/media/interface/state"},
	{QUERY_MANAGEMENT, "/srtp-gateway:gateway/management/state"},
	{QUERY_MONITORING, "/ietf-netconf-monitoring:netconf-state"},
	{QUERY_MONITORING, "/nc-notifications:netconf"},
	{QUERY_CONFIG, "/srtp-gateway:gateway"},
	{QUERY_CONFIG, "/ietf-netconf-acm:nacm"},
};

static bool inside(const struct lysc_node *n, const struct lysc_node *ancestor)
{
	while (n && n != ancestor)
		n = n->parent;
	return n != NULL;
}

/* selected: nodes whose whole subtrees are the answer; else nodes that are only looked at. */
static unsigned parts_of(const struct ly_ctx *ctx, const struct ly_set *nodes, bool selected)
{
	unsigned found = 0;

	for (unsigned p = 0; p < sizeof parts / sizeof *parts; p++) {
		const struct lysc_node *part = lys_find_path(ctx, NULL, parts[p].path, 0);

		for (uint32_t i = 0; part && i < nodes->count; i++)
			if (inside(nodes->snodes[i], part) || (selected && inside(part, nodes->snodes[i])))
				found |= parts[p].part;
	}
	return found;
}

static unsigned parts_of_xpath(const struct ly_ctx *ctx, const char *xpath)
{
	struct ly_set *selected = NULL, *touched = NULL;
	unsigned found = QUERY_ALL;

	/* It may be about anything, and libyang takes half a second to say so, of each node of the model. */
	if (strstr(xpath, "//") && (strchr(xpath, '*') || strstr(xpath, "::") || strstr(xpath, "node")))
		return found;
	if (lys_find_xpath(ctx, NULL, xpath, 0, &selected) == LY_SUCCESS &&
		lys_find_xpath_atoms(ctx, NULL, xpath, 0, &touched) == LY_SUCCESS)
		found = parts_of(ctx, selected, true) | parts_of(ctx, touched, false);
	ly_set_free(selected, NULL);
	ly_set_free(touched, NULL);
	return found;
}

static char *member(struct query *q, struct str name)
{
	const struct {
		const char *name;
		char *to;
	} members[] = {{"id", q->id}, {"state", q->state}, {"ingress-trunk", q->ingress_trunk},
		{"egress-trunk", q->egress_trunk}};

	for (unsigned i = 0; i < sizeof members / sizeof *members; i++)
		if (str_eq(name, str_z(members[i].name)))
			return members[i].to;
	return NULL;
}

static bool skip(struct str *s, const char *prefix)
{
	if (!str_starts(*s, str_z(prefix)))
		return false;
	*s = str_sub(*s, strlen(prefix), s->n);
	return true;
}

/* [name='value'], one of those that narrow; false: something else. */
static bool predicate(struct str *s, struct query *q)
{
	skip(s, "srtp-gateway:");
	struct str name = str_trim(str_cut(s, '='));
	char quote = s->n ? *s->p : 0, *to = member(q, name);

	if (!to || (quote != '\'' && quote != '"'))
		return false;
	*s = str_sub(*s, 1, s->n);
	struct str value = str_cut(s, quote);

	return str_copy(to, QUERY_TEXT, value) == 0 && skip(s, "]");
}

/* Exactly /srtp-gateway:calls/call[...]...[...], with plain names behind it or nothing. */
static bool narrow_xpath(struct str s, struct query *q)
{
	static const struct str plain =
		STR("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:/");

	if (!skip(&s, "/srtp-gateway:calls/"))
		return false;
	skip(&s, "srtp-gateway:");
	if (!skip(&s, "call["))
		return false;
	do {
		if (!predicate(&s, q))
			return false;
	} while (skip(&s, "["));
	for (size_t i = 0; i < s.n; i++)
		if (str_chr(plain, s.p[i]) < 0)
			return false;
	return true;
}

static const struct lyd_node *find(const struct lyd_node *first, const char *name)
{
	const struct lyd_node *n;

	LY_LIST_FOR(first, n)
	{
		if (strcmp(LYD_NAME(n), name) == 0)
			return n;
	}
	return NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names) != 0)
		names++;
	return *names != NULL;
}

/* The filter is one <calls> with one <call>, whose simple members narrow. */
static void narrow_subtree(const struct lyd_node *call, struct query *q)
{
	const struct lyd_node *n;

	if (call->next || call->prev != call)
		return;
	LY_LIST_FOR(lyd_child(call), n)
	{
		const char *value = lyd_get_value(n);
		char *to = member(q, str_z(LYD_NAME(n)));

		if (to && value && str_copy(to, QUERY_TEXT, str_trim(str_z(value))) != 0)
			*to = 0;
	}
}

static unsigned parts_of_subtree(const struct ly_ctx *ctx, const char *subtree, struct query *q)
{
	static const char *const cheap[] = {"active", "total", NULL};
	struct lyd_node *tree = NULL;
	const struct lyd_node *top, *n;
	unsigned found = 0;

	if (lyd_parse_data_mem(ctx, subtree, LYD_XML, LYD_PARSE_ONLY | LYD_PARSE_OPAQ, 0, &tree) !=
			LY_SUCCESS ||
		!tree) {
		lyd_free_all(tree);
		return QUERY_ALL;
	}
	LY_LIST_FOR(tree, top)
	{
		const struct lyd_node *below = lyd_child(top);

		if (strcmp(LYD_NAME(top), "gateway") == 0) {
			found |= QUERY_CONFIG;
			found |= !below || find(below, "management") ? QUERY_MANAGEMENT : 0;
			found |= !below || find(below, "media") ? QUERY_MEDIA : 0;
			found |= !below || find(below, "trunks") ? QUERY_TRUNKS : 0;
			found |= !below || find(below, "tls-profiles") ? QUERY_CERTIFICATES : 0;
		} else if (strcmp(LYD_NAME(top), "statistics") == 0) {
			found |= QUERY_STATISTICS;
		} else if (strcmp(LYD_NAME(top), "nacm") == 0) {
			found |= QUERY_CONFIG;
		} else if (strcmp(LYD_NAME(top), "netconf-state") == 0 ||
			   strcmp(LYD_NAME(top), "netconf") == 0) {
			found |= QUERY_MONITORING;
		} else if (strcmp(LYD_NAME(top), "calls") == 0) {
			found |= below ? 0 : QUERY_CALL;
			LY_LIST_FOR(below, n)
			found |= is_one_of(LYD_NAME(n), cheap) ? 0 : QUERY_CALL;
			n = find(below, "call");
			if (n && !top->next && top->prev == top)
				narrow_subtree(n, q);
		}
	}
	lyd_free_all(tree);
	return found;
}

void query_make(const struct ly_ctx *ctx, const char *xpath, const char *subtree, struct query *out)
{
	struct query narrowed = {0};

	*out = (struct query){.parts = QUERY_ALL};
	if (xpath) {
		out->parts = parts_of_xpath(ctx, xpath);
		if (narrow_xpath(str_z(xpath), &narrowed)) {
			narrowed.parts = out->parts;
			*out = narrowed;
		}
	} else if (subtree) {
		out->parts = parts_of_subtree(ctx, subtree, out);
	}
}
