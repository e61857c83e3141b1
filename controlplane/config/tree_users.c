/* SPDX-License-Identifier: Apache-2.0 */
/* Registrars and the accounts that register there. */
#include "controlplane/config/tree_private.h"

static const char *const algorithms[CONFIG_DIGESTS] = {
	[CONFIG_DIGEST_MD5] = "md5",
	[CONFIG_DIGEST_SHA_256] = "sha-256",
	[CONFIG_DIGEST_SHA_512_256] = "sha-512-256",
};

void tree_read_registrar(struct reader *r, const struct lyd_node *n, struct config_registrar *out)
{
	if (!n)
		return;
	out->realm = keep_leaf(r, n, "realm");
	out->nonce_lifetime_s = number(n, "nonce-lifetime", 0);
	out->min_expires_s = number(n, "min-expires", 0);
	out->max_expires_s = number(n, "max-expires", 0);
	out->default_expires_s = number(n, "default-expires", 0);
	out->ring_next_s = number(n, "ring-next-after", 0);
	for (const struct lyd_node *a = child(n, "algorithm"); a; a = next_entry(a))
		for (unsigned i = 0; i < CONFIG_DIGESTS; i++)
			if (strcmp(lyd_get_value(a), algorithms[i]) == 0)
				out->algorithms[out->n_algorithms++] = (enum config_digest)i;
	require(r, out->realm && out->n_algorithms);
}

static void read_user(struct reader *r, const struct lyd_node *n, struct config_user *u)
{
	const struct lyd_node *hash = child(n, "password-hash"), *e = child(n, "number");
	const char **numbers = make_list(r, n, "number", sizeof *numbers, &u->n_numbers);
	const char *trunk = text(n, "trunk");

	u->name = keep_leaf(r, n, "name");
	u->enabled = is_true(n, "enabled");
	u->trunk = trunk ? config_trunk_named(&r->s->pub, trunk) : NULL;
	u->max_registrations = number(n, "max-registrations", 1);
	u->numbers = numbers;
	for (uint32_t i = 0; i < u->n_numbers; i++, e = next_entry(e))
		numbers[i] = keep(r, lyd_get_value(e));
	for (unsigned i = 0; i < CONFIG_DIGESTS; i++)
		u->ha1[i] = keep_leaf(r, hash, algorithms[i]);
	require(r, u->name && u->trunk && u->trunk->registrar.realm);
}

static int by_text(const void *a, const void *b)
{
	const struct config_user_key *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : strcmp(x->user->name, y->user->name);
}

/* Each registrar's list of what its accounts are called by. */
static void join_trunks(struct reader *r)
{
	struct config *c = &r->s->pub;
	struct config_trunk *trunks = (struct config_trunk *)c->trunks;

	for (uint32_t i = 0; i < c->n_users; i++)
		trunks[c->users[i].trunk->index].registrar.n_keys += 1 + c->users[i].n_numbers;
	for (uint32_t i = 0; i < c->n_trunks; i++) {
		struct config_registrar *g = &trunks[i].registrar;

		g->keys = g->n_keys ? make(r, g->n_keys, sizeof *g->keys) : NULL;
		g->n_keys = 0;
	}
	for (uint32_t i = 0; i < c->n_users && !r->rc; i++) {
		const struct config_user *u = &c->users[i];
		struct config_registrar *g = &trunks[u->trunk->index].registrar;
		struct config_user_key *keys = (struct config_user_key *)g->keys;

		keys[g->n_keys++] = (struct config_user_key){u->name, u};
		for (uint32_t k = 0; k < u->n_numbers; k++)
			keys[g->n_keys++] = (struct config_user_key){u->numbers[k], u};
	}
	for (uint32_t i = 0; i < c->n_trunks && !r->rc; i++)
		if (trunks[i].registrar.n_keys)
			qsort((void *)trunks[i].registrar.keys, trunks[i].registrar.n_keys,
				sizeof *trunks[i].registrar.keys, by_text);
}

void tree_read_users(struct reader *r, const struct lyd_node *parent)
{
	struct config *c = &r->s->pub;
	struct config_user *rows = make_list(r, parent, "user", sizeof *rows, &c->n_users);
	const struct lyd_node *n = child(parent, "user");

	c->users = rows;
	for (uint32_t i = 0; i < c->n_users; i++, n = next_entry(n))
		read_user(r, n, &rows[i]);
	if (!r->rc)
		join_trunks(r);
}

const struct config_user *config_find_user(const struct config_trunk *t, struct str called)
{
	const struct config_registrar *g = &t->registrar;
	uint32_t low = 0, high = g->n_keys;

	/* The first that is not below: of equal ones the first. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const char *text = g->keys[mid].text;
		int order = strncmp(text, called.n ? called.p : "", called.n);

		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == g->n_keys || !str_eq(str_z(g->keys[low].text), called))
		return NULL;
	return g->keys[low].user;
}
