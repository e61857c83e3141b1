/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes by prefix: a tree with one step for each digit, so that a lookup costs as many steps as the number
 * has digits, however many routes there are. A node has the routes whose prefix ends there, in route_order().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controlplane/config/snapshot.h"

/* Longer than any prefix in the model; what a number has beyond it cannot matter. */
#define NUMBER_MAX 32
#define SYMBOLS 13 /* 0 to 9, '*', '#', '+' */

struct route_node {
	uint32_t child[SYMBOLS]; /* index in snapshot.route_nodes; 0: none, for the root is nobody's child */
	uint32_t first, n;       /* in snapshot.routes_by_match */
	uint32_t pad;            /* a node is a cache line's size */
};

static int symbol_of(char c)
{
	static const char others[] = "*#+";
	const char *at = c ? strchr(others, c) : NULL;

	if (c >= '0' && c <= '9')
		return c - '0';
	return at ? 10 + (int)(at - others) : -1;
}

static int compare_hosts(const char *a, struct str b)
{
	int order = strncasecmp(a, b.p, b.n);

	return order ? order : a[b.n] != '\0';
}

static uint32_t trunk_rank(const struct config_trunk *t)
{
	return t ? t->index : UINT32_MAX;
}

int route_order(const struct config_route *a, const struct config_route *b)
{
	int by_prefix = strcmp(a->prefix, b->prefix), by_host = 0;
	uint32_t from_a = trunk_rank(a->from), from_b = trunk_rank(b->from);

	if (by_prefix)
		return by_prefix;
	if (a->host && b->host)
		by_host = strcasecmp(a->host, b->host);
	else if (a->host || b->host)
		by_host = a->host ? -1 : 1;
	if (by_host)
		return by_host;
	if (from_a != from_b)
		return from_a < from_b ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int by_match(const void *a, const void *b)
{
	return route_order(*(const struct config_route *const *)a, *(const struct config_route *const *)b);
}

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* How many nodes the sorted routes take: each prefix adds what it has beyond its neighbour's. */
static size_t count_nodes(const struct snapshot *s)
{
	const char *before = "";
	size_t n = 1;

	for (uint32_t i = 0; i < s->pub.n_routes; i++) {
		const char *prefix = s->routes_by_match[i]->prefix;

		n += strlen(prefix) - common(before, prefix);
		before = prefix;
	}
	return n;
}

/* -EINVAL: a prefix that the model does not allow. */
static int plant(struct snapshot *s, uint32_t route, uint32_t *used)
{
	struct route_node *node = &s->route_nodes[0];

	for (const char *p = s->routes_by_match[route]->prefix; *p; p++) {
		int symbol = symbol_of(*p);

		if (symbol < 0)
			return -EINVAL;
		if (!node->child[symbol])
			node->child[symbol] = (*used)++;
		node = &s->route_nodes[node->child[symbol]];
	}
	if (!node->n++)
		node->first = route;
	return 0;
}

int snapshot_index_routes(struct snapshot *s)
{
	uint32_t n = s->pub.n_routes, used = 1;
	int rc = 0;

	s->routes_by_match = arena_alloc(&s->arena, n, sizeof *s->routes_by_match);
	if (!s->routes_by_match)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->routes_by_match[i] = &s->pub.routes[i];
	if (n)
		qsort(s->routes_by_match, n, sizeof *s->routes_by_match, by_match);
	s->route_nodes = arena_alloc(&s->arena, count_nodes(s), sizeof *s->route_nodes);
	if (!s->route_nodes)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = plant(s, i, &used);
	return rc;
}

/* Is the route before the first for this host (p NULL: any) and trunk (NULL: any)? */
static bool is_before(const struct config_route *r, struct str host, const struct config_trunk *from)
{
	int order = r->host && host.p ? compare_hosts(r->host, host) : r->host ? -1 : host.p ? 1 : 0;

	return order < 0 || (order == 0 && trunk_rank(r->from) < trunk_rank(from));
}

/* Exactly for this host and trunk, the first in the file; NULL. */
static const struct config_route *at_node(const struct snapshot *s, const struct route_node *node,
	struct str host, const struct config_trunk *from)
{
	uint32_t low = node->first, high = node->first + node->n;
	const struct config_route *r;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_before(s->routes_by_match[middle], host, from))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == node->first + node->n)
		return NULL;
	r = s->routes_by_match[low];
	if (r->from != from || !r->host != !host.p || (host.p && compare_hosts(r->host, host) != 0))
		return NULL;
	return r;
}

static const struct config_route *match(const struct snapshot *s, const struct route_node *node,
	struct str host, const struct config_trunk *from)
{
	const struct config_route *r = at_node(s, node, host, from);

	return r || !from ? r : at_node(s, node, host, NULL);
}

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Off the front; an escape (RFC 3261 section 19.1.4) is the character that it stands for: a '#' cannot be written otherwise. */
static char next_char(struct str *s)
{
	int high = s->n >= 3 && s->p[0] == '%' ? hex_digit(s->p[1]) : -1, low = high < 0 ? -1 : hex_digit(s->p[2]);
	char c = low < 0 ? s->p[0] : (char)(high << 4 | low);

	*s = str_sub(*s, low < 0 ? 1 : 3, s->n);
	return c;
}

const struct config_route *config_find_route(
	const struct config *config, const struct config_trunk *from, struct str host, struct str number)
{
	const struct snapshot *s = (const struct snapshot *)config;
	const struct route_node *node = &s->route_nodes[0];
	const struct config_route *of_host = NULL, *of_any = NULL, *r;
	size_t used = 0;

	for (;;) {
		if (node->n) {
			r = host.n ? match(s, node, host, from) : NULL;
			of_host = r ? r : of_host;
			r = match(s, node, (struct str){0}, from);
			of_any = r ? r : of_any;
		}
		char c = '\0';

		do
			c = number.n ? next_char(&number) : '\0';
		while (is_separator(c));
		int symbol = used++ < NUMBER_MAX ? symbol_of(c) : -1;

		if (symbol < 0 || !node->child[symbol])
			return of_host ? of_host : of_any;
		node = &s->route_nodes[node->child[symbol]];
	}
}
