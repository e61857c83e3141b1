/* SPDX-License-Identifier: Apache-2.0 */
/* Times of many packets, counted in steps: percentiles within 1.6 %. Zero it before use. */
#pragma once

#include <stdint.h>

#define LATENCY_STEPS (60 * 64)

struct latency {
	uint64_t n, max; /* nanoseconds */
	uint64_t counts[LATENCY_STEPS];
};

/* Below 64 ns each has its own step; above, 64 lie between a power of two and the next. */
static inline unsigned latency_step(uint64_t ns)
{
	unsigned shift = ns < 64 ? 0 : 63 - 6 - (unsigned)__builtin_clzll(ns);

	return ns < 64 ? (unsigned)ns : (shift + 1) * 64 + (unsigned)(ns >> shift) - 64;
}

/* The lowest time of a step. */
static inline uint64_t latency_of(unsigned step)
{
	return step < 64 ? step : (uint64_t)(step % 64 + 64) << (step / 64 - 1);
}

static inline void latency_add(struct latency *l, uint64_t ns)
{
	l->counts[latency_step(ns)]++;
	l->n++;
	l->max = ns > l->max ? ns : l->max;
}

/* part: 0.99 for the 99th percentile. Nanoseconds; 0 when there are none. */
static inline uint64_t latency_part(const struct latency *l, double part)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < LATENCY_STEPS; i++) {
		below += l->counts[i];
		if (l->n && (double)below >= part * (double)l->n)
			return latency_of(i);
	}
	return l->max;
}
