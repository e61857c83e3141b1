/* SPDX-License-Identifier: Apache-2.0 */
/* A packet's last block, or two: what is left of data, the trailer, SHA-1's padding. */
#pragma once

#include <immintrin.h>
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

/* n octets, less than a block. */
static inline void tail_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
#ifdef __AVX512BW__ /* a call would be in the middle of the rounds, where all registers are in use */
	_mm512_storeu_si512(to, _mm512_maskz_loadu_epi8((1ULL << n) - 1, from));
#else
	if (n)
		memcpy(to, from, n);
#endif
}

/* The key's block, before all others, counts into the length. */
static inline void tail_put(uint8_t *to, const struct lanes_hmac *job)
{
	uint32_t octets = job->octets, rest = octets % TAIL_BLOCK;
	uint32_t second = (rest + TAIL_LEAST - 1) & TAIL_BLOCK; /* 64 where one block is too short, else 0 */
	uint32_t bits = __builtin_bswap32(8 * (TAIL_BLOCK + octets + (uint32_t)sizeof(job->trailer)));

	memset(to, 0, TAIL_MAX);
	if (octets >= TAIL_BLOCK) /* more than is left, but always as much */
		memcpy(to + rest - TAIL_BLOCK, job->data + octets - TAIL_BLOCK, TAIL_BLOCK);
	else
		tail_copy(to, job->data, octets);
	memcpy(to + rest, &job->trailer, sizeof(job->trailer));
	to[rest + sizeof(job->trailer)] = 0x80;
	memcpy(to + second + TAIL_BLOCK - sizeof(bits), &bits, sizeof(bits));
}
