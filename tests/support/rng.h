/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers for property tests: SRTPGW_TEST_SEED in the environment, or a fixed seed. Tests print
 * the seed at their start, where a failure shows it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct rng {
	uint64_t state;
};

static inline struct rng rng_make(const char *who)
{
	const char *given = getenv("SRTPGW_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : UINT64_C(0x5eed5eed);

	fprintf(stderr, "# %s: SRTPGW_TEST_SEED=%#llx\n", who, (unsigned long long)seed);
	return (struct rng){seed};
}

static inline uint64_t rng_u64(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint32_t rng_u32(struct rng *r)
{
	return (uint32_t)(rng_u64(r) >> 32);
}

/* 0 to n - 1 */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_u64(r) >> 32) * n) >> 32);
}

static inline void rng_fill(struct rng *r, void *p, size_t n)
{
	for (uint8_t *b = p; n--; b++)
		*b = (uint8_t)rng_u32(r);
}
