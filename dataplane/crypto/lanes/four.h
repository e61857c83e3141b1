/* SPDX-License-Identifier: Apache-2.0 */
/* Up to four packets that are ciphered together, each with its own key: AES in counter mode. */
#pragma once

#include <stddef.h>

#include "dataplane/crypto/lanes/aes.h"
#include "dataplane/crypto/lanes/job.h"

struct four {
	unsigned n;
	const struct crypto_job *jobs[4]; /* with n < 4 the first stands for those that are not there */
	struct aes4 aes;
	__m512i ivs; /* a lane's last octets are zero: the block counter's */
};

/* Of four packets the same 16 octets each. */
LANES_INLINE __m512i four_gather(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
	__m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* From a block of each of four packets in a register to four blocks of one packet in a register. */
LANES_INLINE void four_transpose(__m512i b[4])
{
	__m512i a0 = _mm512_shuffle_i32x4(b[0], b[1], 0x44), a1 = _mm512_shuffle_i32x4(b[0], b[1], 0xee);
	__m512i a2 = _mm512_shuffle_i32x4(b[2], b[3], 0x44), a3 = _mm512_shuffle_i32x4(b[2], b[3], 0xee);

	b[0] = _mm512_shuffle_i32x4(a0, a2, 0x88);
	b[1] = _mm512_shuffle_i32x4(a0, a2, 0xdd);
	b[2] = _mm512_shuffle_i32x4(a1, a3, 0x88);
	b[3] = _mm512_shuffle_i32x4(a1, a3, 0xdd);
}

/* The same of two blocks of each packet; the upper half of a register is anything. */
LANES_INLINE void four_transpose_two(__m512i b[4])
{
	__m512i low = _mm512_shuffle_i32x4(b[0], b[1], 0x44), high = _mm512_shuffle_i32x4(b[0], b[1], 0xee);

	b[0] = _mm512_shuffle_i32x4(low, low, 0x08);
	b[1] = _mm512_shuffle_i32x4(low, low, 0x0d);
	b[2] = _mm512_shuffle_i32x4(high, high, 0x08);
	b[3] = _mm512_shuffle_i32x4(high, high, 0x0d);
}

/* The block with this number of each packet, before AES. */
LANES_INLINE __m512i four_counter(__m512i ivs, unsigned n)
{
	return _mm512_or_si512(ivs, _mm512_maskz_set1_epi32(0x8888, (int)__builtin_bswap32(n)));
}

/* The same, after AES. */
LANES_INLINE __m512i four_block(const struct four *f, unsigned n, bool aes256)
{
	__m512i block = four_counter(f->ivs, n);

	aes4_encrypt(&f->aes, &block, 1, aes256);
	return block;
}

/* The block of a packet whose number is 0, of its key and header. */
typedef __m128i (*four_iv)(const void *key, const struct crypto_job *job);

/* The first four of n jobs, or all. key_at: where in a job's key AES's is, 16 octets or 32, on 16. */
LANES_INLINE void four_begin(
	struct four *f, const struct lanes_job *jobs, unsigned n, size_t key_at, four_iv iv, bool aes256)
{
	__m128i low[4], high[4], ivs[4];

	f->n = n < 4 ? n : 4;
#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++) {
		const struct lanes_job *j = &jobs[i < f->n ? i : 0];
		const __m128i *key = (const void *)((const uint8_t *)j->key + key_at);

		f->jobs[i] = j->job;
		low[i] = _mm_load_si128(key);
		high[i] = aes256 ? _mm_load_si128(key + 1) : low[i];
		ivs[i] = iv(j->key, j->job);
	}
	f->ivs = four_gather(ivs[0], ivs[1], ivs[2], ivs[3]);
	aes4_expand(&f->aes, four_gather(low[0], low[1], low[2], low[3]),
		four_gather(high[0], high[1], high[2], high[3]), aes256);
}

/*
 * Ciphers the payload of packets whose bit is set in wanted, from block number first on. before, unless it is
 * NULL: becomes the block before that, after AES; most often at no cost, since few packets need the last of
 * the blocks that are ciphered together.
 */
LANES_INLINE void four_cipher(
	const struct four *f, bool aes256, unsigned wanted, unsigned first, __m512i *before)
{
	unsigned octets[4], longest = 0, shortest = UINT32_MAX;
	uint8_t *payload[4];
	bool spare = false;

#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++) {
		const struct crypto_job *job = f->jobs[i];

		payload[i] = job->pkt + job->aad_len;
		octets[i] = wanted >> i & 1 ? (unsigned)job->len - job->aad_len : 0;
		longest = octets[i] > longest ? octets[i] : longest;
		shortest = octets[i] < shortest ? octets[i] : shortest;
	}
	for (unsigned at = 0; at < longest; at += 64) {
		__m512i blocks[4];

		if (before || longest - at > 32) {
			spare = before && longest - at <= 48;
#pragma GCC unroll 4
			for (unsigned i = 0; i < 4; i++)
				blocks[i] = four_counter(
					f->ivs, i == 3 && spare ? first - 1 : at / 16 + first + i);
			aes4_encrypt(&f->aes, blocks, 4, aes256);
			if (spare)
				*before = blocks[3];
			four_transpose(blocks);
		} else {
			blocks[0] = four_counter(f->ivs, at / 16 + first);
			blocks[1] = four_counter(f->ivs, at / 16 + first + 1);
			aes4_encrypt(&f->aes, blocks, 2, aes256);
			four_transpose_two(blocks);
		}
		if (at + 64 <= shortest) {
#pragma GCC unroll 4
			for (unsigned i = 0; i < 4; i++)
				_mm512_storeu_si512(payload[i] + at,
					_mm512_xor_si512(_mm512_loadu_si512(payload[i] + at), blocks[i]));
			continue;
		}
#pragma GCC unroll 4
		for (unsigned i = 0; i < 4; i++) {
			__mmask64 mine = lanes_octets(octets[i] > at ? octets[i] - at : 0);
			__m512i in = _mm512_maskz_loadu_epi8(mine, payload[i] + at);

			_mm512_mask_storeu_epi8(payload[i] + at, mine, _mm512_xor_si512(in, blocks[i]));
		}
	}
	if (before && !spare)
		*before = four_block(f, first - 1, aes256);
}
