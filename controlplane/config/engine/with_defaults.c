/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/with_defaults.h"

#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"

#define OF_MODULE "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
#define OF_RFC "urn:ietf:params:xml:ns:netconf:default:1.0"

/* In well-formed XML a value that is one of a tag's, not text: its quotes stand behind "=", within < and >.
 */
static size_t replace(const char *from, size_t n, const char *old, const char *new, char *to)
{
	size_t n_old = strlen(old), n_new = strlen(new), out = 0;
	bool in_tag = false;

	for (size_t i = 0; i < n;) {
		if (from[i] == '<' || from[i] == '>')
			in_tag = from[i] == '<';
		if (in_tag && i > 1 && (from[i - 1] == '"' || from[i - 1] == '\'') && from[i - 2] == '=' &&
			n - i > n_old && memcmp(from + i, old, n_old) == 0 &&
			from[i + n_old] == from[i - 1]) {
			memcpy(to + out, new, n_new);
			out += n_new;
			i += n_old;
		} else {
			to[out++] = from[i++];
		}
	}
	return out;
}

void with_defaults_to_rfc(char *xml)
{
	_Static_assert(sizeof OF_RFC <= sizeof OF_MODULE, "it becomes no longer");
	xml[replace(xml, strlen(xml), OF_MODULE, OF_RFC, xml)] = 0;
}

char *with_defaults_from_rfc(struct str xml)
{
	char *copy;

	if (!memmem(xml.p, xml.n, OF_RFC, strlen(OF_RFC)))
		return str_dup(xml);
	_Static_assert(sizeof OF_MODULE <= 2 * sizeof OF_RFC, "no text becomes more than twice as long");
	copy = malloc(2 * xml.n + 1);
	if (copy)
		copy[replace(xml.p, xml.n, OF_RFC, OF_MODULE, copy)] = 0;
	return copy;
}

static bool is_default_of(const struct lyd_node *n)
{
	const struct lysc_node_leaflist *list = (const struct lysc_node_leaflist *)n->schema;
	const struct lysc_node_leaf *leaf = (const struct lysc_node_leaf *)n->schema;
	LY_ARRAY_COUNT_TYPE i;

	if (n->schema->nodetype == LYS_LEAF)
		return leaf->dflt &&
		       strcmp(lyd_value_get_canonical(LYD_CTX(n), leaf->dflt), lyd_get_value(n)) == 0;
	LY_ARRAY_FOR(list->dflts, i)
	{
		if (strcmp(lyd_value_get_canonical(LYD_CTX(n), list->dflts[i]), lyd_get_value(n)) == 0)
			return true;
	}
	return false;
}

int with_defaults_check(const struct lyd_node *tree, struct engine_fault *f)
{
	const struct lyd_node *n;

	LY_LIST_FOR(tree, n)
	{
		if (n->schema && n->flags & LYD_DEFAULT && n->schema->nodetype & LYD_NODE_TERM &&
			!is_default_of(n)) {
			fault_set(f, "invalid-value", NULL,
				"'%.64s' is not the default, and the attribute says that it is",
				lyd_get_value(n));
			return fault_at(f, n);
		}
		if (with_defaults_check(lyd_child(n), f))
			return -1;
	}
	return 0;
}
