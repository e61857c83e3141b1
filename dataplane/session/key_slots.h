/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free key slots of a worker's crypto backend, but for those that belong to legs (struct leg). A backend
 * keeps keys of AES-GCM and of AES-CM in tables of their own, by slot, and of each the pages that are touched
 * cost memory: so GCM takes slots from the low end and CM from the high one, and each takes again what it
 * gave back last. Only when one end has met the other it takes what the other gave back.
 */
#pragma once

#include <stdint.h>

#include "lib/srtp/suite.h"

#define SLOT_NONE UINT32_MAX

struct key_slots {
	uint32_t *back;     /* n places, the owner's: given back, GCM's from below and CM's from above */
	uint32_t n;         /* slots there are, from one on */
	uint32_t low, high; /* never taken: from low to below high */
	uint32_t n_back[2]; /* GCM, CM */
	uint32_t n_free;
};

/* n slots from first on. */
static inline void key_slots_init(struct key_slots *s, uint32_t *back, uint32_t first, uint32_t n)
{
	*s = (struct key_slots){.back = back, .n = n, .low = first, .high = first + n, .n_free = n};
}

static inline unsigned key_slots_end(enum srtp_suite suite)
{
	return suite != SRTP_AEAD_AES_128_GCM && suite != SRTP_AEAD_AES_256_GCM;
}

static inline uint32_t *key_slots_top(struct key_slots *s, unsigned end)
{
	return end ? &s->back[s->n - s->n_back[1]] : &s->back[s->n_back[0] - 1];
}

/* SLOT_NONE: all are in use. */
static inline uint32_t key_slots_take(struct key_slots *s, enum srtp_suite suite)
{
	unsigned end = key_slots_end(suite);
	uint32_t slot;

	if (s->n_free == 0)
		return SLOT_NONE;
	s->n_free--;
	if (!s->n_back[end] && s->low < s->high)
		return end ? --s->high : s->low++;
	if (!s->n_back[end])
		end = !end;
	slot = *key_slots_top(s, end);
	s->n_back[end]--;
	return slot;
}

/* suite: as it was taken. */
static inline void key_slots_put(struct key_slots *s, enum srtp_suite suite, uint32_t slot)
{
	unsigned end = key_slots_end(suite);

	s->n_free++;
	s->n_back[end]++;
	*key_slots_top(s, end) = slot;
}
