/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind neighbour.h: (local, remote) -> next hop, written by one thread, read by all workers
 * without locks. Each entry is guarded by its own sequence lock; all data is read and written as relaxed
 * atomic words, so that a reader that loses a race sees garbage it then throws away, never undefined
 * behaviour. Private to neighbour*.c and their tests.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nexthop/neighbour.h"

#define NEIGHBOUR_NONE UINT32_MAX

struct neighbour_key {
	struct ip_addr local, remote;
};

/* What an entry says. generation: of the pair in this place, so that a kept reference notices a reuse. */
struct neighbour_value {
	uint32_t generation;
	uint16_t port, mtu;
	uint8_t ether[14];
	uint8_t state; /* enum neighbour_state */
	uint8_t pad;
};

struct neighbour_table;

/*
 * Used within this many seconds, a pair is some call's: RTCP alone makes it one look up in 5 seconds or so.
 * Of others a full table gives up a pair that no call has any more.
 */
#define NEIGHBOUR_IN_USE_S 10

/* Takes memory as pairs come, for as many as there were at once. */
int neighbour_table_create(uint32_t capacity, struct neighbour_table **out);
void neighbour_table_destroy(struct neighbour_table *t);

/* --- readers, any thread --- */

enum neighbour_found {
	NEIGHBOUR_FOUND,
	NEIGHBOUR_MISSING,
	NEIGHBOUR_BUSY /* being written: take it as pending */
};

/*
 * By reference where it still holds, else by key (and then sets *ref, unless NULL). Marks the entry as used
 * at tick.
 */
enum neighbour_found neighbour_table_find(struct neighbour_table *t, struct neighbour_ref *ref,
	const struct neighbour_key *key, uint32_t tick, struct neighbour_value *out);

/* Another one, never 0, once an answer in use that was NEIGHBOUR_READY may be another, and at every tick. */
uint32_t neighbour_table_version(const struct neighbour_table *t);

/* --- the writer --- */

/*
 * A second is over: who goes on using an answer looks it up again, and so marks its entry. tick: what lookups
 * mark with from now on, which they are told before this.
 */
void neighbour_table_tick(struct neighbour_table *t, uint32_t tick);

/* A new pair, state PENDING; it must not be there yet. NEIGHBOUR_NONE: no room (evict, then try again). */
uint32_t neighbour_table_insert(struct neighbour_table *t, const struct neighbour_key *key, uint32_t tick);
void neighbour_table_remove(struct neighbour_table *t, uint32_t index);
/* generation of value is ignored. */
void neighbour_table_publish(struct neighbour_table *t, uint32_t index, const struct neighbour_value *value);
/* Index of a pair, or NEIGHBOUR_NONE. Does not mark it. */
uint32_t neighbour_table_index(struct neighbour_table *t, const struct neighbour_key *key);
/* Tick of the last lookup. */
uint32_t neighbour_table_used(const struct neighbour_table *t, uint32_t index);
bool neighbour_table_in_use(const struct neighbour_table *t, uint32_t index);
/* Entries from this index on never held a pair. */
uint32_t neighbour_table_extent(const struct neighbour_table *t);
/* Which entry to give up when `key` finds no room: the longest unused of some candidates, more when all are
 * in use. */
uint32_t neighbour_table_victim(struct neighbour_table *t, const struct neighbour_key *key);
