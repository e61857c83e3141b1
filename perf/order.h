/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which calls take turns: every one before one has another, without a pattern that a cache could
 * follow, the same in every run.
 */
#pragma once

#include <stdint.h>

/* Fills order with 0 to n - 1. */
static inline void order_shuffle(uint32_t *order, uint32_t n)
{
	uint64_t random = 1;

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k, swap = order[i - 1];

		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		k = (uint32_t)((random >> 33) % i);
		order[i - 1] = order[k];
		order[k] = swap;
	}
}
