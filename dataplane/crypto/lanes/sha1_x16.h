/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen packets at a time of lanes_hmac_sha1(), one in each 32-bit lane of AVX-512's vectors. */
#pragma once

#include <immintrin.h>

#include "dataplane/crypto/lanes/sha1.h"
#include "dataplane/crypto/lanes/sha1_tail.h"

#define SHA1_X16_LANES 16
#define SHA1_X16_WORDS 5 /* of a state */

/* Sixteen packets. */
struct sha1_x16_group {
	__m512i states[2 * SHA1_X16_WORDS]; /* inner, outer */
	uint8_t tails[TAIL_ROOM + SHA1_X16_LANES * TAIL_MAX];
	const struct lanes_hmac *const *jobs;
	const uint8_t *data[SHA1_X16_LANES];
	uint32_t octets[SHA1_X16_LANES];
};

/*
 * A block of each lane, its words on the way to being transposed. The first half of that, which moves 16
 * octets at a time, goes through memory: shuffles all go to one of the core's two vector units, stores to
 * neither.
 */
struct sha1_x16_words {
	__m512i quarters[4][4]; /* words 4 q to 4 q + 3 of lanes i, i + 4, i + 8, i + 12 in [q][i] */
	const uint8_t *from[SHA1_X16_LANES];
};

/* What it works with: one group is hashed, the other put together. */
struct sha1_x16 {
	struct sha1_x16_group groups[2];
	struct sha1_x16_words words;
};

/* Groups of sixteen jobs, one behind the other in jobs. The caller wipes the groups' states. */
void sha1_x16_hmac(struct sha1_x16 *x, const struct lanes_hmac *const *jobs, unsigned groups);
