/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 65536

struct block {
	struct block *next;
	size_t used, cap;
	_Alignas(max_align_t) char octets[];
};

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t octets;

	if (__builtin_mul_overflow(n, size, &octets) || octets > SIZE_MAX / 2)
		return NULL;
	octets = (octets + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!a->blocks || a->blocks->cap - a->blocks->used < octets) {
		size_t cap = octets > ARENA_BLOCK ? octets : ARENA_BLOCK;
		struct block *b = calloc(1, sizeof *b + cap);

		if (!b)
			return NULL;
		b->cap = cap;
		b->next = a->blocks;
		a->blocks = b;
	}
	void *p = a->blocks->octets + a->blocks->used;

	a->blocks->used += octets;
	return p;
}

char *arena_text(struct arena *a, const char *z)
{
	size_t n = strlen(z) + 1;
	char *p = arena_alloc(a, n, 1);

	return p ? memcpy(p, z, n) : NULL;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}

struct config *config_ref(const struct config *c)
{
	struct snapshot *s = (struct snapshot *)c;

	/* Pairs with config_unref(): a reference is only made from one that is held. */
	if (s)
		atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
	return (struct config *)c;
}

void config_unref(struct config *c)
{
	struct snapshot *s = (struct snapshot *)c;

	/* Pairs with itself on other threads: the last one sees all their reads done before it frees. */
	if (!s || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(&s->arena);
	free(s);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct config_trunk *const *)a)->name,
		(*(const struct config_trunk *const *)b)->name);
}

int snapshot_index_trunks(struct snapshot *s)
{
	uint32_t n = s->pub.n_trunks;

	s->trunks_by_name = arena_alloc(&s->arena, n, sizeof *s->trunks_by_name);
	if (!s->trunks_by_name)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->trunks_by_name[i] = &s->pub.trunks[i];
	qsort(s->trunks_by_name, n, sizeof *s->trunks_by_name, by_name);
	return 0;
}

int snapshot_make(const struct lyd_node *tree, struct config **out, struct err *e)
{
	static atomic_ullong generations;
	struct snapshot *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return err_set(e, ENOMEM, "no memory for the configuration");
	atomic_init(&s->references, 1);
	rc = tree_read(tree, s);
	if (rc) {
		config_unref(&s->pub);
		return err_set(e, -rc,
			rc == -ENOMEM ? "no memory for the configuration"
				      : "the configuration contradicts its own model");
	}
	rc = config_check_identify(&s->pub, e);
	if (rc) {
		config_unref(&s->pub);
		return rc;
	}
	s->pub.generation = atomic_fetch_add(&generations, 1) + 1;
	*out = &s->pub;
	return 0;
}
