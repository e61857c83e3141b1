/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authentication tags: of 4, 10 or 16 octets (RFC 3711, RFC 6188, RFC 7714), copied and compared for every
 * packet. Sizes that the compiler knows, because a call into the C library for a size that it does not is
 * dearer than the rest of such a step.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/srtp/be.h"

/* n: 4, 10 or 16. The time taken depends on n alone. */
static inline bool srtp_tag_equal(const uint8_t *a, const uint8_t *b, unsigned n)
{
	uint64_t a8, b8, differ;

	if (n == 4)
		return be32_get(a) == be32_get(b);
	memcpy(&a8, a, 8);
	memcpy(&b8, b, 8);
	differ = a8 ^ b8;
	if (n == 10)
		return !(differ | (uint64_t)(be16_get(a + 8) ^ be16_get(b + 8)));
	memcpy(&a8, a + 8, 8);
	memcpy(&b8, b + 8, 8);
	return !(differ | (a8 ^ b8));
}

/* n: 4, 10 or 16. */
static inline void srtp_tag_copy(uint8_t *to, const uint8_t *from, unsigned n)
{
	if (n == 10)
		memcpy(to, from, 10);
	else if (n == 4)
		memcpy(to, from, 4);
	else
		memcpy(to, from, 16);
}
