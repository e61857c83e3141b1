/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8341 3.4: may this account do that? */
#include "controlplane/config/engine/nacm.h"

#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/nacm_private.h"

static bool has_extension(const struct lysc_node *node, const char *name)
{
	LY_ARRAY_COUNT_TYPE i;
	LY_ARRAY_FOR(node->exts, i)
	{
		if (strcmp(node->exts[i].def->name, name) == 0 &&
			strcmp(node->exts[i].def->module->name, "ietf-netconf-acm") == 0)
			return true;
	}
	return false;
}

/* What lies below a node that is denied by default is denied too. */
static bool denied_by_model(const struct lysc_node *node, bool write)
{
	for (; node; node = node->parent)
		if (has_extension(node, "default-deny-all") ||
			(write && has_extension(node, "default-deny-write")))
			return true;
	return false;
}

static unsigned depth_of(const struct lyd_node *node)
{
	unsigned n = 0;

	for (; node; node = lyd_parent(node))
		n++;
	return n;
}

static bool key_matches(const struct nacm_view *v, const struct nacm_key *key, const struct lyd_node *node)
{
	struct str wanted = str_eq(key->value, STR("$USER")) ? str_z(v->user) : key->value;
	const struct lyd_node *c;

	if (str_eq(key->name, STR(".")))
		return str_eq(str_z(lyd_get_value(node)), wanted);
	LY_LIST_FOR(lyd_child(node), c)
	{
		if (c->schema && str_eq(str_z(c->schema->name), key->name))
			return str_eq(str_z(lyd_get_value(c)), wanted);
	}
	return false;
}

static const char *module_of(const struct nacm_place *p)
{
	return p->leaf ? p->leaf->module->name : lyd_owner_module(p->node)->name;
}

/* The rule's node is this one or above it, and is the entry that the path names. */
static bool path_matches(const struct nacm_view *v, const struct nacm_rule *r, const struct nacm_place *p)
{
	const struct lyd_node *at = p->node;

	if (r->nowhere)
		return false;
	if (!r->path)
		return true;
	while (at && at->schema != r->path && p->leaf != r->path)
		at = lyd_parent(at);
	if (!at)
		return false;
	unsigned depth = depth_of(at);

	for (unsigned i = 0; i < r->n_keys; i++) {
		const struct lyd_node *step = at;

		for (unsigned up = depth; up > r->keys[i].step; up--)
			step = lyd_parent(step);
		if (!key_matches(v, &r->keys[i], step))
			return false;
	}
	return true;
}

/* 1 permit, 0 deny, -1: no rule says anything. */
static int ask_data(const struct nacm_view *v, const struct nacm_place *p, unsigned op)
{
	const char *module = module_of(p);

	for (unsigned l = 0; l < v->n_lists; l++)
		for (unsigned i = 0; i < v->lists[l]->n_rules; i++) {
			const struct nacm_rule *r = &v->lists[l]->rules[i];

			if (r->operations & op && (r->kind == NACM_ANY || r->kind == NACM_DATA) &&
				(!r->module || strcmp(r->module, module) == 0) &&
				(r->kind == NACM_ANY || path_matches(v, r, p)))
				return r->permit;
		}
	return -1;
}

static int ask_name(
	const struct nacm_view *v, enum nacm_kind kind, const char *module, const char *name, unsigned op)
{
	for (unsigned l = 0; l < v->n_lists; l++)
		for (unsigned i = 0; i < v->lists[l]->n_rules; i++) {
			const struct nacm_rule *r = &v->lists[l]->rules[i];

			if (r->operations & op && (r->kind == NACM_ANY || r->kind == kind) &&
				(!r->module || strcmp(r->module, module) == 0) &&
				(!r->name || strcmp(r->name, name) == 0))
				return r->permit;
		}
	return -1;
}

bool nacm_may_call(
	const struct nacm_view *v, const char *module, const char *rpc, const struct lysc_node *schema)
{
	/* RFC 8341 3.4.4: closing one's session is never refused; these two are, unless a rule permits. */
	static const char *const sensitive[] = {"kill-session", "delete-config"};
	int said;

	if (v->all || strcmp(rpc, "close-session") == 0)
		return true;
	said = ask_name(v, NACM_CALL, module, rpc, NACM_EXEC);
	if (said >= 0)
		return said;
	if (schema && denied_by_model(schema, false))
		return false;
	for (size_t i = 0; i < sizeof sensitive / sizeof sensitive[0]; i++)
		if (strcmp(rpc, sensitive[i]) == 0)
			return false;
	return v->rules->exec_default;
}

bool nacm_may_place(const struct nacm_view *v, const struct nacm_place *p, enum nacm_operation op)
{
	int said = v->all ? 1 : ask_data(v, p, op);
	bool write = op & (NACM_CREATE | NACM_UPDATE | NACM_DELETE);

	if (said >= 0)
		return said;
	if (denied_by_model(p->leaf ? p->leaf : p->node->schema, write))
		return false;
	return write             ? v->rules->write_default
	       : op == NACM_EXEC ? v->rules->exec_default
				 : v->rules->read_default;
}

bool nacm_may(const struct nacm_view *v, const struct lyd_node *node, enum nacm_operation op)
{
	return nacm_may_place(v, &(struct nacm_place){.node = node}, op);
}

static bool may_read_ancestors(const struct nacm_view *v, const struct lyd_node *node)
{
	for (node = lyd_parent(node); node; node = lyd_parent(node))
		if (!nacm_may(v, node, NACM_READ))
			return false;
	return true;
}

bool nacm_may_at(
	const struct nacm_view *v, const struct ly_ctx *ctx, const char *path, enum nacm_operation op)
{
	struct lyd_node *first = NULL, *last = NULL;
	struct nacm_place p;
	bool yes;

	if (v->all)
		return true;
	/* A leaf without its value is one that libyang does not understand. */
	ly_err_clean((struct ly_ctx *)ctx, NULL);
	if (lyd_new_path2(NULL, ctx, path, NULL, 0, LYD_ANYDATA_STRING, LYD_NEW_PATH_OPAQ, &first, &last) !=
		LY_SUCCESS)
		return false;
	p.node = last->schema ? last : lyd_parent(last);
	p.leaf = last->schema || !p.node
			 ? NULL
			 : lys_find_child(p.node->schema, lyd_owner_module(p.node), LYD_NAME(last), 0, 0, 0);
	yes = (last->schema || p.leaf) && nacm_may_place(v, &p, op);
	if (op == NACM_READ)
		yes = yes && (!p.leaf || nacm_may(v, p.node, op)) && may_read_ancestors(v, p.node);
	lyd_free_all(first);
	return yes;
}

bool nacm_may_notify(const struct nacm_view *v, const struct lyd_node *notification)
{
	const char *module = lyd_owner_module(notification)->name, *name = LYD_NAME(notification);
	int said;

	/* RFC 5277: the marks of a replay tell nothing. */
	if (v->all || strcmp(name, "replayComplete") == 0 || strcmp(name, "notificationComplete") == 0)
		return true;
	if (lyd_parent(notification))
		return may_read_ancestors(v, notification) && nacm_may(v, notification, NACM_READ);
	said = ask_name(v, NACM_NOTIFICATION, module, name, NACM_READ);
	if (said >= 0)
		return said;
	return !denied_by_model(notification->schema, false) && v->rules->read_default;
}

static void prune(const struct nacm_view *v, struct lyd_node **first, struct lyd_node *among)
{
	struct lyd_node *n, *next;

	LY_LIST_FOR_SAFE(among, next, n)
	{
		/* An entry without its key is no entry: keys go with it. */
		if (n->schema && n->schema->flags & LYS_KEY)
			continue;
		if (!n->schema || nacm_may(v, n, NACM_READ)) {
			prune(v, first, lyd_child(n));
			continue;
		}
		if (n == *first)
			*first = n->next;
		lyd_free_tree(n);
	}
}

void nacm_prune(const struct nacm_view *v, struct lyd_node **tree)
{
	if (!v->all)
		prune(v, tree, *tree);
}

static const char *meta_value(const struct lyd_node *node, const char *name)
{
	for (const struct lyd_meta *m = node->meta; m; m = m->next)
		if (strcmp(m->name, name) == 0 && strcmp(m->annotation->module->name, "yang") == 0)
			return lyd_get_meta_value(m);
	return NULL;
}

static enum nacm_operation operation_of(const struct lyd_node *diff, enum nacm_operation inherited)
{
	static const struct {
		const char *name;
		enum nacm_operation op;
	} names[] = {{"none", 0}, {"create", NACM_CREATE}, {"delete", NACM_DELETE}, {"replace", NACM_UPDATE}};

	const char *op = meta_value(diff, "operation"), *was_default = meta_value(diff, "orig-default");

	/* The value is the default's, and is set or not set any more. */
	if (op && strcmp(op, "none") == 0 && was_default && diff->schema->nodetype & LYD_NODE_TERM)
		return strcmp(was_default, "true") == 0 ? NACM_CREATE : NACM_DELETE;
	for (size_t i = 0; op && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, op) == 0)
			return names[i].op;
	return inherited;
}

/* Defaults come and go by themselves; containers without presence are not there for their own sake. */
static bool counts(const struct lyd_node *n)
{
	if (n->schema->flags & LYS_KEY)
		return false;
	if (n->schema->nodetype == LYS_CONTAINER && !(n->schema->flags & LYS_PRESENCE))
		return false;
	/* A node of a difference has the flags of the tree that it is in: a default there may have been a
	 * value. */
	return !(n->flags & LYD_DEFAULT) || meta_value(n, "orig-default");
}

static const struct lyd_node *find_denied(
	const struct nacm_view *v, const struct lyd_node *diff, enum nacm_operation inherited)
{
	const struct lyd_node *n;

	LY_LIST_FOR(diff, n)
	{
		enum nacm_operation op = operation_of(n, inherited);
		const struct lyd_node *below;

		if (op && counts(n) && !nacm_may(v, n, op))
			return n;
		below = find_denied(v, lyd_child(n), op);
		if (below)
			return below;
	}
	return NULL;
}

const struct lyd_node *nacm_find_denied(const struct nacm_view *v, const struct lyd_node *diff)
{
	return v->all ? NULL : find_denied(v, diff, 0);
}
