/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nexthop/neighbour_table.h"

#include <errno.h>
#include <string.h>

#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "dataplane/pages.h"

#define CELLS 16 /* per bucket: two lines of the cache */
/*
 * At most 2 entries a bucket on average: P(more than 16) of a Poisson distribution of mean 2 is 1e-11, so a
 * full bucket is an attack on the hash, which is seeded at random.
 */
#define LOAD 2
#define KEY_WORDS 5
#define VALUE_WORDS 3
#define READ_TRIES 8
#define VICTIMS 32
#define VICTIMS_MAX 1024 /* while all of them are in use */
#define TICKS_HELD 1

_Static_assert(sizeof(struct neighbour_key) == KEY_WORDS * sizeof(uint64_t), "key is whole words");
_Static_assert(sizeof(struct neighbour_value) == VALUE_WORDS * sizeof(uint64_t), "value is whole words");

/* First line: all that a lookup by reference reads. */
struct entry {
	_Atomic uint32_t
		seq; /* odd while the writer is at it; pairs: write_begin/write_end with entry_read */
	_Atomic uint32_t used; /* by workers, at most once a tick */
	_Atomic uint64_t value[VALUE_WORDS];
	_Alignas(64) _Atomic uint64_t key[KEY_WORDS];
	uint32_t next_free; /* the writer's; index + 1 */
};

struct bucket {
	_Alignas(64) _Atomic uint32_t cells[CELLS]; /* index + 1; 0: empty */
};

struct neighbour_table {
	uint32_t capacity, mask, seed;
	/* The writer's. */
	uint32_t free;  /* index + 1 of the entry given back last */
	uint32_t fresh; /* entries from here on were never taken */
	uint32_t hand;  /* where the search for victims goes on */
	uint32_t tick;  /* the last one told */
	struct entry *entries;
	struct bucket *buckets;
	struct pages entry_pages, bucket_pages;
	_Atomic uint32_t version; /* pairs: version_next/neighbour_table_version */
};

int neighbour_table_create(uint32_t capacity, struct neighbour_table **out)
{
	struct neighbour_table *t = rte_zmalloc("neighbours", sizeof(*t), 0);
	uint32_t buckets = rte_align32pow2(capacity / LOAD + 1);

	if (t == NULL)
		return -ENOMEM;
	t->capacity = capacity;
	t->mask = buckets - 1;
	t->seed = (uint32_t)rte_rand();
	/* Entries are taken low ones first; a hash finds buckets all over, where few pairs would fill large
	 * pages. */
	int rc = pages_map(&t->entry_pages, capacity * sizeof(*t->entries), PAGES_THP);
	if (rc == 0)
		rc = pages_map(&t->bucket_pages, buckets * sizeof(*t->buckets), PAGES_SMALL);
	if (rc < 0) {
		neighbour_table_destroy(t);
		return rc;
	}
	t->entries = (void *)t->entry_pages.base;
	t->buckets = (void *)t->bucket_pages.base;
	atomic_store(&t->version, 1);
	*out = t;
	return 0;
}

void neighbour_table_destroy(struct neighbour_table *t)
{
	if (t == NULL)
		return;
	pages_unmap(&t->entry_pages);
	pages_unmap(&t->bucket_pages);
	rte_free(t);
}

static struct bucket *bucket_of(const struct neighbour_table *t, const struct neighbour_key *key)
{
	return &t->buckets[rte_jhash(key, sizeof(*key), t->seed) & t->mask];
}

static void words_load(const _Atomic uint64_t *from, void *to, unsigned n)
{
	uint64_t words[KEY_WORDS];

	for (unsigned i = 0; i < n; i++)
		words[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
	memcpy(to, words, n * sizeof(uint64_t));
}

static void words_store(_Atomic uint64_t *to, const void *from, unsigned n)
{
	uint64_t words[KEY_WORDS];

	memcpy(words, from, n * sizeof(uint64_t));
	for (unsigned i = 0; i < n; i++)
		atomic_store_explicit(&to[i], words[i], memory_order_relaxed);
}

uint32_t neighbour_table_version(const struct neighbour_table *t)
{
	return atomic_load_explicit(&t->version, memory_order_acquire);
}

/* After what it tells of: a reader that sees it sees that, too. */
static void version_next(struct neighbour_table *t)
{
	uint32_t next = atomic_load_explicit(&t->version, memory_order_relaxed) + 1;

	atomic_store_explicit(&t->version, next ? next : 1, memory_order_release);
}

void neighbour_table_tick(struct neighbour_table *t, uint32_t tick)
{
	t->tick = tick;
	version_next(t);
}

static void write_begin(struct entry *e)
{
	uint32_t seq = atomic_load_explicit(&e->seq, memory_order_relaxed);

	atomic_store_explicit(&e->seq, seq + 1, memory_order_relaxed);
	atomic_thread_fence(
		memory_order_release); /* odd is seen before any word; pairs with the fence in entry_read */
}

static void write_end(struct entry *e)
{
	uint32_t seq = atomic_load_explicit(&e->seq, memory_order_relaxed);

	atomic_store_explicit(
		&e->seq, seq + 1, memory_order_release); /* pairs with the acquire in entry_read */
}

/*
 * A consistent copy; key may be NULL. false: the writer is at it. It may have been preempted there, on a
 * machine with one CPU by this very reader, so the tries are bounded.
 */
static bool entry_read(const struct entry *e, struct neighbour_key *key, struct neighbour_value *value)
{
	for (unsigned i = 0; i < READ_TRIES; i++) {
		uint32_t seq = atomic_load_explicit(&e->seq, memory_order_acquire);

		if (seq & 1)
			continue;
		words_load(e->value, value, VALUE_WORDS);
		if (key != NULL)
			words_load(e->key, key, KEY_WORDS);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&e->seq, memory_order_relaxed) == seq)
			return true;
	}
	return false;
}

static void mark_used(struct entry *e, uint32_t tick)
{
	/* A store per packet would move the line between workers; one per tick does not. */
	if (atomic_load_explicit(&e->used, memory_order_relaxed) != tick)
		atomic_store_explicit(&e->used, tick, memory_order_relaxed);
}

static uint32_t unused_for(const struct neighbour_table *t, uint32_t index)
{
	int32_t ticks = (int32_t)(t->tick - neighbour_table_used(t, index));

	return ticks > 0 ? (uint32_t)ticks : 0;
}

/*
 * May somebody go on using what the entry says until the version changes? Who does has read this version,
 * after it the tick, which is then t->tick or later, and marked the entry with that; one tick more for a mark
 * that is not seen yet, or that another worker's of the tick before has replaced. Whose is later still uses
 * an old answer until the next tick at most.
 */
static bool is_held(const struct neighbour_table *t, uint32_t index)
{
	return unused_for(t, index) <= TICKS_HELD;
}

static enum neighbour_found find_by_key(const struct neighbour_table *t, const struct neighbour_key *key,
	uint32_t *index, struct neighbour_value *out)
{
	const struct bucket *b = bucket_of(t, key);
	enum neighbour_found result = NEIGHBOUR_MISSING;
	struct neighbour_key other;

	for (unsigned c = 0; c < CELLS; c++) {
		uint32_t at = atomic_load_explicit(&b->cells[c], memory_order_acquire);

		if (at == 0)
			continue;
		if (!entry_read(&t->entries[at - 1], &other, out)) {
			result = NEIGHBOUR_BUSY;
		} else if (memcmp(&other, key, sizeof(other)) == 0) {
			*index = at - 1;
			return NEIGHBOUR_FOUND;
		}
	}
	return result;
}

enum neighbour_found neighbour_table_find(struct neighbour_table *t, struct neighbour_ref *ref,
	const struct neighbour_key *key, uint32_t tick, struct neighbour_value *out)
{
	uint32_t index;
	enum neighbour_found found;

	if (ref != NULL && ref->index != 0 && ref->index <= t->capacity) {
		struct entry *e = &t->entries[ref->index - 1];

		if (!entry_read(e, NULL, out))
			return NEIGHBOUR_BUSY;
		if (out->generation == ref->generation) {
			mark_used(e, tick);
			return NEIGHBOUR_FOUND;
		}
	}
	found = find_by_key(t, key, &index, out);
	if (found == NEIGHBOUR_FOUND) {
		mark_used(&t->entries[index], tick);
		if (ref != NULL)
			*ref = (struct neighbour_ref){.index = index + 1, .generation = out->generation};
	}
	return found;
}

static bool has_room(const struct neighbour_table *t)
{
	return t->free != 0 || t->fresh < t->capacity;
}

/* Those given back first, so that only as many are ever touched as were in use at once. */
static uint32_t entry_take(struct neighbour_table *t)
{
	uint32_t at = t->free;

	if (at == 0)
		return ++t->fresh;
	t->free = t->entries[at - 1].next_free;
	return at;
}

uint32_t neighbour_table_insert(struct neighbour_table *t, const struct neighbour_key *key, uint32_t tick)
{
	struct bucket *b = bucket_of(t, key);
	struct neighbour_value value;
	unsigned c = 0;

	while (c < CELLS && atomic_load_explicit(&b->cells[c], memory_order_relaxed) != 0)
		c++;
	if (c == CELLS || !has_room(t))
		return NEIGHBOUR_NONE;
	uint32_t at = entry_take(t);
	struct entry *e = &t->entries[at - 1];

	words_load(e->value, &value, VALUE_WORDS);
	value = (struct neighbour_value){.generation = value.generation + 1, .state = NEIGHBOUR_PENDING};
	write_begin(e);
	words_store(e->key, key, KEY_WORDS);
	words_store(e->value, &value, VALUE_WORDS);
	write_end(e);
	atomic_store_explicit(&e->used, tick, memory_order_relaxed);
	atomic_store_explicit(
		&b->cells[c], at, memory_order_release); /* pairs with the acquire in find_by_key */
	return at - 1;
}

void neighbour_table_remove(struct neighbour_table *t, uint32_t index)
{
	struct entry *e = &t->entries[index];
	struct neighbour_key key, none = {0};
	struct neighbour_value value;

	words_load(e->key, &key, KEY_WORDS);
	words_load(e->value, &value, VALUE_WORDS);
	struct bucket *b = bucket_of(t, &key);
	for (unsigned c = 0; c < CELLS; c++)
		if (atomic_load_explicit(&b->cells[c], memory_order_relaxed) == index + 1)
			atomic_store_explicit(&b->cells[c], 0, memory_order_release);
	value = (struct neighbour_value){.generation = value.generation + 1, .state = NEIGHBOUR_PENDING};
	write_begin(e);
	words_store(e->key, &none, KEY_WORDS);
	words_store(e->value, &value, VALUE_WORDS);
	write_end(e);
	e->next_free = t->free;
	t->free = index + 1;
	if (is_held(t, index))
		version_next(t);
}

void neighbour_table_publish(struct neighbour_table *t, uint32_t index, const struct neighbour_value *value)
{
	struct entry *e = &t->entries[index];
	struct neighbour_value now, next = *value;

	words_load(e->value, &now, VALUE_WORDS);
	next.generation = now.generation;
	next.pad = 0;
	if (memcmp(&now, &next, sizeof(now)) == 0)
		return;
	write_begin(e);
	words_store(e->value, &next, VALUE_WORDS);
	write_end(e);
	/* Who waits for an answer asks with every packet. */
	if (now.state == NEIGHBOUR_READY && is_held(t, index))
		version_next(t);
}

uint32_t neighbour_table_index(struct neighbour_table *t, const struct neighbour_key *key)
{
	struct neighbour_value value;
	uint32_t index;

	return find_by_key(t, key, &index, &value) == NEIGHBOUR_FOUND ? index : NEIGHBOUR_NONE;
}

uint32_t neighbour_table_used(const struct neighbour_table *t, uint32_t index)
{
	return atomic_load_explicit(&t->entries[index].used, memory_order_relaxed);
}

bool neighbour_table_in_use(const struct neighbour_table *t, uint32_t index)
{
	return unused_for(t, index) <= NEIGHBOUR_IN_USE_S;
}

uint32_t neighbour_table_extent(const struct neighbour_table *t)
{
	return t->fresh;
}

static void victim_compare(const struct neighbour_table *t, uint32_t at, uint32_t *best)
{
	/* Ticks wrap after 136 years of seconds. */
	if (at != 0 &&
		(*best == NEIGHBOUR_NONE || neighbour_table_used(t, at - 1) < neighbour_table_used(t, *best)))
		*best = at - 1;
}

uint32_t neighbour_table_victim(struct neighbour_table *t, const struct neighbour_key *key)
{
	struct bucket *b = bucket_of(t, key);
	uint32_t best = NEIGHBOUR_NONE;

	/* A full bucket is cured only by an entry of its own. */
	if (has_room(t)) {
		for (unsigned c = 0; c < CELLS; c++)
			victim_compare(t, atomic_load_explicit(&b->cells[c], memory_order_relaxed), &best);
		return best;
	}
	for (unsigned i = 0; i < VICTIMS_MAX && i < t->capacity; i++) {
		if (i >= VICTIMS && !neighbour_table_in_use(t, best))
			break;
		victim_compare(t, t->hand + 1, &best);
		t->hand = (t->hand + 1) % t->capacity;
	}
	return best;
}
