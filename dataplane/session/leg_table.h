/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns a datagram: a direct array [local address][UDP port], one load after the address is found. Shared
 * by all workers. The main thread adds addresses and says which ports are media; an entry is written by the
 * worker that owns the leg, and read by every worker, so that what arrives at the wrong one can be handed
 * over.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/netaddr.h"

#define LEG_TABLE_ADDRESSES_MAX 1024
#define LEG_TABLE_SLOTS 4096 /* of the address hash; a power of two, at least 4 * addresses */
#define LEG_TABLE_LEGS_MAX 0x7ffffeu

/* worker << 24 | RTCP port << 23 | leg + 1; 0: no leg. */
typedef uint32_t leg_entry;

struct leg_address {
	struct ip_addr ip;
	_Atomic uint64_t
		media[1024]; /* bit per port: inside a configured range. Written by the main thread */
	_Atomic leg_entry legs[65536]; /* written by the worker that owns the port */
};

/* Addresses are never removed: what is no longer configured has no media bits. */
struct leg_table {
	uint32_t n;
	_Atomic(struct leg_address *) slots[LEG_TABLE_SLOTS]; /* main: release; workers: acquire */
};

/* Zeroed, in DPDK memory. -ENOMEM. */
int leg_table_create(struct leg_table **out);
void leg_table_destroy(struct leg_table *t);

/* Main thread. An address known already is fine. -ENOSPC, -ENOMEM. */
int leg_table_add_address(struct leg_table *t, const struct ip_addr *ip);

/* Ports of an address. */
struct leg_range {
	struct ip_addr ip;
	uint16_t lower, upper; /* inclusive */
};

/*
 * Main thread: exactly these ports are media from now on, those of addresses that the table has not left out.
 * Workers may look meanwhile: a port that was media and stays so is media at every moment.
 */
void leg_table_set_media(struct leg_table *t, const struct leg_range *ranges, uint32_t n);

static inline uint32_t leg_table_hash_words(uint64_t a, uint64_t b)
{
	return (uint32_t)(((a ^ b * 3) * UINT64_C(0x9e3779b97f4a7c15)) >> 40);
}

static inline uint32_t leg_table_hash(const struct ip_addr *ip)
{
	uint64_t a, b;

	memcpy(&a, ip->octets, 8);
	memcpy(&b, ip->octets + 8, 8);
	return leg_table_hash_words(a, b);
}

/* The same for an IPv4 address, as it lies in memory: family and address are its first 8 octets, the rest is 0. */
static inline struct leg_address *leg_table_address_v4(const struct leg_table *t, uint32_t ip)
{
	const uint64_t wanted = IP_V4 | (uint64_t)ip << 32;
	uint64_t found;

	for (uint32_t i = leg_table_hash_words(ip, 0);; i++) {
		struct leg_address *a =
			atomic_load_explicit(&t->slots[i % LEG_TABLE_SLOTS], memory_order_acquire);

		if (!a)
			return NULL;
		memcpy(&found, &a->ip, sizeof found);
		if (found == wanted)
			return a;
	}
}

/* The same for an IPv6 address, 16 octets as they lie in a packet. */
static inline struct leg_address *leg_table_address_v6(const struct leg_table *t, const uint8_t *octets)
{
	uint64_t first, rest, x, y;

	memcpy(&first, octets, sizeof first);
	memcpy(&rest, octets + 8, sizeof rest);
	for (uint32_t i = leg_table_hash_words(first, rest);; i++) {
		struct leg_address *a =
			atomic_load_explicit(&t->slots[i % LEG_TABLE_SLOTS], memory_order_acquire);

		if (!a)
			return NULL;
		memcpy(&x, a->ip.octets, sizeof x);
		memcpy(&y, a->ip.octets + 8, sizeof y);
		if (x == first && y == rest && a->ip.family == IP_V6)
			return a;
	}
}

/* NULL: no address of ours. */
static inline struct leg_address *leg_table_address(const struct leg_table *t, const struct ip_addr *ip)
{
	for (uint32_t i = leg_table_hash(ip);; i++) {
		struct leg_address *a =
			atomic_load_explicit(&t->slots[i % LEG_TABLE_SLOTS], memory_order_acquire);

		if (!a || memcmp(&a->ip, ip, sizeof *ip) == 0)
			return a;
	}
}

static inline leg_entry leg_entry_make(uint32_t worker, uint32_t leg, bool rtcp)
{
	return worker << 24 | (uint32_t)rtcp << 23 | (leg + 1);
}

static inline uint32_t leg_entry_worker(leg_entry e)
{
	return e >> 24;
}

static inline bool leg_entry_rtcp(leg_entry e)
{
	return (e & UINT32_C(1) << 23) != 0;
}

static inline uint32_t leg_entry_leg(leg_entry e)
{
	return (e & 0x7fffffu) - 1;
}

static inline leg_entry leg_address_get(const struct leg_address *a, uint16_t port)
{
	return atomic_load_explicit(&a->legs[port], memory_order_relaxed);
}

static inline void leg_address_set(struct leg_address *a, uint16_t port, leg_entry e)
{
	atomic_store_explicit(&a->legs[port], e, memory_order_relaxed);
}

/* The address that an entry of its legs belongs to. */
static inline const struct leg_address *leg_address_of(const _Atomic leg_entry *entry, uint16_t port)
{
	return (const void *)((const uint8_t *)(entry - port) - offsetof(struct leg_address, legs));
}

static inline bool leg_address_is_media(const struct leg_address *a, uint16_t port)
{
	return atomic_load_explicit(&a->media[port / 64], memory_order_relaxed) >> port % 64 & 1;
}
