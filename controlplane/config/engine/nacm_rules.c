/* SPDX-License-Identifier: Apache-2.0 */
/* /ietf-netconf-acm:nacm read into rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/nacm_private.h"

static const struct lyd_node *child(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *c;

	LY_LIST_FOR(lyd_child(parent), c)
	{
		if (strcmp(LYD_NAME(c), name) == 0)
			return c;
	}
	return NULL;
}

static const char *text(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *c = child(parent, name);

	return c ? lyd_get_value(c) : NULL;
}

static bool is(const struct lyd_node *parent, const char *name, const char *value, bool absent)
{
	const char *z = text(parent, name);

	return z ? strcmp(z, value) == 0 : absent;
}

/* NULL for "*" and for what is absent. */
static const char *unless_any(const char *z)
{
	return z && strcmp(z, "*") != 0 ? z : NULL;
}

static unsigned operations(const char *z)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{"create", NACM_CREATE},
		{"read", NACM_READ},
		{"update", NACM_UPDATE},
		{"delete", NACM_DELETE},
		{"exec", NACM_EXEC},
	};
	unsigned bits = 0;

	if (!unless_any(z))
		return NACM_CREATE | NACM_READ | NACM_UPDATE | NACM_DELETE | NACM_EXEC;
	for (struct str rest = str_z(z); rest.n;) {
		struct str word = str_cut(&rest, ' ');

		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (str_eq(word, str_z(names[i].name)))
				bits |= names[i].bit;
	}
	return bits;
}

/* "[key='value']" or "[.='value']" off the front of *rest; the step that it stands behind is step's. */
static int take_key(struct str *rest, unsigned step, struct nacm_rule *r)
{
	size_t i = 1, name_end;
	struct nacm_key *more = realloc(r->keys, (r->n_keys + 1) * sizeof *more);

	if (!more)
		return -ENOMEM;
	r->keys = more;
	while (i < rest->n && rest->p[i] != '=')
		i++;
	name_end = i;
	if (i + 2 >= rest->n || (rest->p[i + 1] != '\'' && rest->p[i + 1] != '"'))
		return -EINVAL;
	struct str value = str_sub(*rest, i + 2, rest->n);
	ptrdiff_t close = str_chr(value, rest->p[i + 1]);

	if (close < 0)
		return -EINVAL;
	struct str name = str_trim(str_sub(*rest, 1, name_end - 1));
	ptrdiff_t colon = str_chr(name, ':');

	more[r->n_keys++] = (struct nacm_key){
		.step = step,
		.name = colon < 0 ? name : str_sub(name, (size_t)colon + 1, name.n),
		.value = str_sub(value, 0, (size_t)close),
	};
	i += 2 + (size_t)close + 1;
	while (i < rest->n && rest->p[i] != ']')
		i++;
	*rest = str_sub(*rest, i + 1, rest->n);
	return 0;
}

/* A node-instance-identifier: its steps for libyang, its predicates for us. */
static int read_path(struct nacm_rule *r, const struct ly_ctx *ctx, const char *path)
{
	struct str rest = str_z(path);
	char *plain = malloc(rest.n + 1);
	unsigned step = 0;
	size_t n = 0;
	int rc = 0;

	if (!plain)
		return -ENOMEM;
	while (rest.n && !rc) {
		if (*rest.p == '[') {
			rc = take_key(&rest, step, r);
			continue;
		}
		step += *rest.p == '/';
		plain[n++] = *rest.p;
		rest = str_sub(rest, 1, rest.n);
	}
	plain[n] = 0;
	if (n > 1 && !rc)
		r->path = lys_find_path(ctx, NULL, plain, 0);
	r->nowhere = rc == -EINVAL || (n > 1 && !r->path);
	free(plain);
	return rc == -ENOMEM ? rc : 0;
}

static int read_rule(struct nacm_rule *r, const struct ly_ctx *ctx, const struct lyd_node *node)
{
	const char *rpc = text(node, "rpc-name"), *notification = text(node, "notification-name");
	const char *path = text(node, "path");

	*r = (struct nacm_rule){
		.module = unless_any(text(node, "module-name")),
		.kind = rpc            ? NACM_CALL
			: notification ? NACM_NOTIFICATION
			: path         ? NACM_DATA
				       : NACM_ANY,
		.name = unless_any(rpc ? rpc : notification),
		.operations = operations(text(node, "access-operations")),
		.permit = is(node, "action", "permit", false),
	};
	return path ? read_path(r, ctx, path) : 0;
}

static unsigned count(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *c;
	unsigned n = 0;

	LY_LIST_FOR(lyd_child(parent), c)
	{
		n += strcmp(LYD_NAME(c), name) == 0;
	}
	return n;
}

static int read_list(struct nacm_list *l, const struct ly_ctx *ctx, const struct lyd_node *node)
{
	const struct lyd_node *c;
	int rc = 0;

	l->node = node;
	l->rules = calloc(count(node, "rule") + 1, sizeof *l->rules);
	if (!l->rules)
		return -ENOMEM;
	LY_LIST_FOR(lyd_child(node), c)
	{
		if (!rc && strcmp(LYD_NAME(c), "rule") == 0)
			rc = read_rule(&l->rules[l->n_rules++], ctx, c);
	}
	return rc;
}

int nacm_read(struct nacm *n, const struct ly_ctx *ctx, const struct lyd_node *tree)
{
	const struct lyd_node *top, *c;
	int rc = 0;

	LY_LIST_FOR(tree, top)
	{
		if (strcmp(LYD_NAME(top), "nacm") == 0 &&
			strcmp(lyd_owner_module(top)->name, "ietf-netconf-acm") == 0)
			break;
	}
	*n = (struct nacm){
		.node = top,
		.enabled = is(top, "enable-nacm", "true", true),
		.external_groups = is(top, "enable-external-groups", "true", true),
		.read_default = is(top, "read-default", "permit", true),
		.write_default = is(top, "write-default", "permit", false),
		.exec_default = is(top, "exec-default", "permit", true),
	};
	n->lists = calloc(count(top, "rule-list") + 1, sizeof *n->lists);
	if (!n->lists)
		return -ENOMEM;
	LY_LIST_FOR(lyd_child(top), c)
	{
		if (!rc && strcmp(LYD_NAME(c), "rule-list") == 0)
			rc = read_list(&n->lists[n->n_lists++], ctx, c);
	}
	if (rc)
		nacm_clear(n);
	return rc;
}

void nacm_clear(struct nacm *n)
{
	for (unsigned i = 0; i < n->n_lists; i++) {
		for (unsigned k = 0; k < n->lists[i].n_rules; k++)
			free(n->lists[i].rules[k].keys);
		free(n->lists[i].rules);
	}
	free(n->lists);
	*n = (struct nacm){0};
}

static bool has_value(const struct lyd_node *parent, const char *leaf_list, const char *value)
{
	const struct lyd_node *c;

	LY_LIST_FOR(lyd_child(parent), c)
	{
		if (strcmp(LYD_NAME(c), leaf_list) == 0 && strcmp(lyd_get_value(c), value) == 0)
			return true;
	}
	return false;
}

static bool in_group(const struct nacm *n, const struct nacm_account *who, const char *group)
{
	const struct lyd_node *c;

	for (unsigned i = 0; n->external_groups && i < who->n_groups; i++)
		if (strcmp(who->groups[i], group) == 0)
			return true;
	LY_LIST_FOR(lyd_child(child(n->node, "groups")), c)
	{
		if (strcmp(text(c, "name"), group) == 0 && has_value(c, "user-name", who->user))
			return true;
	}
	return false;
}

/* RFC 8341 3.4.4 steps 3 to 5: an account in no group at all has no lists, not even those of '*'. */
static bool in_any_group(const struct nacm *n, const struct nacm_account *who)
{
	const struct lyd_node *c;

	if (n->external_groups && who->n_groups)
		return true;
	LY_LIST_FOR(lyd_child(child(n->node, "groups")), c)
	{
		if (has_value(c, "user-name", who->user))
			return true;
	}
	return false;
}

static bool is_for(const struct nacm *n, const struct nacm_account *who, const struct nacm_list *l)
{
	const struct lyd_node *c;

	LY_LIST_FOR(lyd_child(l->node), c)
	{
		if (strcmp(LYD_NAME(c), "group") == 0 &&
			(strcmp(lyd_get_value(c), "*") == 0 || in_group(n, who, lyd_get_value(c))))
			return true;
	}
	return false;
}

void nacm_view(struct nacm_view *v, const struct nacm *n, const struct nacm_account *who)
{
	v->rules = n;
	v->user = who->user;
	v->all = who->recovery || !n->enabled;
	v->n_lists = 0;
	if (v->all || !in_any_group(n, who))
		return;
	for (unsigned i = 0; i < n->n_lists && v->n_lists < NACM_LISTS_MAX; i++)
		if (is_for(n, who, &n->lists[i]))
			v->lists[v->n_lists++] = &n->lists[i];
}
