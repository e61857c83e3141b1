/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/texts.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/hash.h"

#define BUCKETS_FIRST 256 /* a power of two */

struct text {
	struct text *next;
	uint32_t hash;
	uint32_t refs;
	char z[];
};

struct texts {
	struct hash_key key;
	struct text **buckets;
	uint32_t n_buckets, count;
};

struct texts *texts_new(void)
{
	struct texts *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->n_buckets = BUCKETS_FIRST;
	t->buckets = calloc(t->n_buckets, sizeof *t->buckets);
	if (!t->buckets || hash_key_make(&t->key) < 0) {
		texts_free(t);
		return NULL;
	}
	return t;
}

void texts_free(struct texts *t)
{
	struct text *x, *next;

	if (!t)
		return;
	for (uint32_t i = 0; t->buckets && i < t->n_buckets; i++)
		for (x = t->buckets[i]; x; x = next) {
			next = x->next;
			free(x);
		}
	free(t->buckets);
	free(t);
}

static struct text **place(const struct texts *t, uint32_t hash)
{
	return &t->buckets[hash & (t->n_buckets - 1)];
}

/* As many buckets as texts at least; without memory it stays as it is. */
static void grow(struct texts *t)
{
	const struct texts was = *t;
	struct text **more, *x, *next;

	if (t->count < t->n_buckets || !(more = calloc(2 * (size_t)t->n_buckets, sizeof *more)))
		return;
	t->buckets = more;
	t->n_buckets *= 2;
	for (uint32_t i = 0; i < was.n_buckets; i++)
		for (x = was.buckets[i]; x; x = next) {
			next = x->next;
			x->next = *place(t, x->hash);
			*place(t, x->hash) = x;
		}
	free(was.buckets);
}

static struct text *add(struct texts *t, struct str s, uint32_t hash)
{
	struct text *x = malloc(sizeof *x + s.n + 1);

	if (!x)
		return NULL;
	grow(t);
	*x = (struct text){.next = *place(t, hash), .hash = hash};
	memcpy(x->z, s.p, s.n);
	x->z[s.n] = '\0';
	*place(t, hash) = x;
	t->count++;
	return x;
}

int texts_hold(struct texts *t, const char **slot, struct str s)
{
	uint32_t hash;
	struct text *x;

	if (!s.n) {
		texts_drop(t, slot);
		return 0;
	}
	hash = (uint32_t)hash_str(&t->key, s);
	for (x = *place(t, hash); x && !(x->hash == hash && str_eq(str_z(x->z), s));)
		x = x->next;
	if (!x)
		x = add(t, s, hash);
	if (x)
		x->refs++;
	texts_drop(t, slot);
	*slot = x ? x->z : NULL;
	return x ? 0 : -ENOMEM;
}

void texts_drop(struct texts *t, const char **slot)
{
	struct text *x, **at;

	if (!*slot)
		return;
	x = (struct text *)((char *)*slot - offsetof(struct text, z));
	*slot = NULL;
	if (--x->refs)
		return;
	for (at = place(t, x->hash); *at != x;)
		at = &(*at)->next;
	*at = x->next;
	t->count--;
	free(x);
}

unsigned texts_count(const struct texts *t)
{
	return t->count;
}
