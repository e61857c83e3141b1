/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/session/leg_table.h"

#include <errno.h>

#include <rte_malloc.h>

int leg_table_create(struct leg_table **out)
{
	*out = rte_zmalloc("leg_table", sizeof **out, 64);
	return *out ? 0 : -ENOMEM;
}

void leg_table_destroy(struct leg_table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < LEG_TABLE_SLOTS; i++)
		rte_free(atomic_load(&t->slots[i]));
	rte_free(t);
}

int leg_table_add_address(struct leg_table *t, const struct ip_addr *ip)
{
	struct leg_address *a;
	uint32_t i = leg_table_hash(ip);

	if (leg_table_address(t, ip))
		return 0;
	if (t->n >= LEG_TABLE_ADDRESSES_MAX)
		return -ENOSPC;
	a = rte_zmalloc("leg_address", sizeof *a, 64);
	if (!a)
		return -ENOMEM;
	a->ip = *ip;
	while (atomic_load_explicit(&t->slots[i % LEG_TABLE_SLOTS], memory_order_relaxed))
		i++;
	/* Pairs with the acquire in leg_table_address(): a worker that sees the address sees it filled. */
	atomic_store_explicit(&t->slots[i % LEG_TABLE_SLOTS], a, memory_order_release);
	t->n++;
	return 0;
}

static void set_address(struct leg_address *a, const struct leg_range *ranges, uint32_t n)
{
	uint64_t bits[1024] = {0};

	for (uint32_t i = 0; i < n; i++) {
		if (!ip_equal(&ranges[i].ip, &a->ip))
			continue;
		for (uint32_t port = ranges[i].lower; port <= ranges[i].upper; port++)
			bits[port / 64] |= UINT64_C(1) << port % 64;
	}
	for (unsigned word = 0; word < 1024; word++)
		atomic_store_explicit(&a->media[word], bits[word], memory_order_relaxed);
}

void leg_table_set_media(struct leg_table *t, const struct leg_range *ranges, uint32_t n)
{
	for (uint32_t i = 0; i < LEG_TABLE_SLOTS; i++) {
		struct leg_address *a = atomic_load_explicit(&t->slots[i], memory_order_relaxed);

		if (a)
			set_address(a, ranges, n);
	}
}
