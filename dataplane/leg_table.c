/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/leg_table.h"

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

void leg_table_clear_media(struct leg_table *t)
{
	for (uint32_t i = 0; i < LEG_TABLE_SLOTS; i++) {
		struct leg_address *a = atomic_load_explicit(&t->slots[i], memory_order_relaxed);

		for (unsigned word = 0; a && word < 1024; word++)
			atomic_store_explicit(&a->media[word], 0, memory_order_relaxed);
	}
}

void leg_table_set_media(struct leg_address *a, uint16_t lower, uint16_t upper)
{
	for (uint32_t port = lower; port <= upper; port++)
		atomic_fetch_or_explicit(
			&a->media[port / 64], UINT64_C(1) << port % 64, memory_order_relaxed);
}
