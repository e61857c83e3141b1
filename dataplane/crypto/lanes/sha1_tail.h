/* SPDX-License-Identifier: Apache-2.0 */
/* A packet's last block, or two: what is left of data, the trailer, SHA-1's padding. */
#pragma once

#include <string.h>

#include "dataplane/crypto/lanes/sha1.h"

#define TAIL_BLOCK 64
#define TAIL_MAX (2 * TAIL_BLOCK)
#define TAIL_ROOM TAIL_BLOCK /* octets before a tail that tail_put() may write */
#define TAIL_LEAST (4 + 9)   /* octets of a tail: the trailer's, the padding's at least */

/* All blocks of a packet. */
static inline uint32_t tail_end(uint32_t octets)
{
	return (octets + TAIL_LEAST + TAIL_BLOCK - 1) / TAIL_BLOCK;
}

/* The key's block, before all others, counts into the length. */
static inline void tail_put(uint8_t *to, const struct lanes_hmac *job)
{
	uint32_t octets = job->octets, rest = octets % TAIL_BLOCK;
	uint8_t *end = to + (rest + TAIL_LEAST > TAIL_BLOCK ? 2 * TAIL_BLOCK : TAIL_BLOCK);
	uint64_t trailer = job->trailer | 0x80ULL << 32;
	uint32_t bits = __builtin_bswap32(8 * (TAIL_BLOCK + octets + 4));

	memset(to, 0, TAIL_MAX);
	if (octets >= TAIL_BLOCK) /* more than is left, but always as much */
		memcpy(to + rest - TAIL_BLOCK, job->data + octets - TAIL_BLOCK, TAIL_BLOCK);
	else if (octets)
		memcpy(to, job->data, octets);
	memcpy(to + rest, &trailer, sizeof(trailer));
	memcpy(end - sizeof(bits), &bits, sizeof(bits));
}
