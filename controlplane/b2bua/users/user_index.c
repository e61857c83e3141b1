/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "controlplane/b2bua/users/users.h"

#define SIZE_MIN 64

/* Accounts are configured: nobody outside chooses what is hashed. */
static uint32_t hash_of(const char *trunk, const char *user)
{
	uint32_t h = 2166136261u;

	for (const char *p = user; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	for (const char *p = trunk; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return h ^ h >> 15;
}

static struct user_binding **bucket_of(const struct user_index *x, const char *trunk, const char *user)
{
	return &x->of[hash_of(trunk, user) & (x->size - 1)];
}

/* Ids are given in turn: they fill the buckets evenly as they are. */
static struct user_binding **bucket_id(const struct user_index *x, uint64_t id)
{
	return &x->id[id & (x->size - 1)];
}

static void put(struct user_index *x, struct user_binding *u)
{
	struct user_binding **of = bucket_of(x, u->trunk, u->user), **id = bucket_id(x, u->id);

	u->next_of = *of;
	*of = u;
	u->next_id = *id;
	*id = u;
}

static int grow(struct user_index *x, uint32_t size)
{
	struct user_index big = {
		.of = calloc(size, sizeof *big.of), .id = calloc(size, sizeof *big.id), .size = size};

	if (!big.of || !big.id) {
		user_index_free(&big);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < x->size; i++)
		for (struct user_binding *u = x->id[i], *next; u; u = next) {
			next = u->next_id;
			put(&big, u);
		}
	user_index_free(x);
	*x = big;
	return 0;
}

int user_index_add(struct user_index *x, struct user_binding *u, uint32_t n)
{
	/* Without memory for more buckets those that are there do, with longer chains. */
	if (n >= x->size && grow(x, x->size ? 2 * x->size : SIZE_MIN) < 0 && !x->size)
		return -ENOMEM;
	put(x, u);
	return 0;
}

void user_index_remove(struct user_index *x, const struct user_binding *u)
{
	struct user_binding **of = bucket_of(x, u->trunk, u->user), **id = bucket_id(x, u->id);

	while (*of != u)
		of = &(*of)->next_of;
	*of = u->next_of;
	while (*id != u)
		id = &(*id)->next_id;
	*id = u->next_id;
}

struct user_binding *user_index_of(const struct user_index *x, const char *trunk, const char *user)
{
	return x->size ? *bucket_of(x, trunk, user) : NULL;
}

struct user_binding *user_index_id(const struct user_index *x, uint64_t id)
{
	struct user_binding *u = x->size ? *bucket_id(x, id) : NULL;

	while (u && u->id != id)
		u = u->next_id;
	return u;
}

void user_index_free(struct user_index *x)
{
	free(x->of);
	free(x->id);
	*x = (struct user_index){0};
}
