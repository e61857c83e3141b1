/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES of four keys at a time: each of the four 128-bit lanes of a register belongs to a packet of its own.
 * Keys are expanded while the first block is ciphered: a round key is made in less time than four blocks take
 * for a round, and a key that is not expanded is a cache line in memory, not three or four.
 *
 * For code that is compiled for AVX-512 (F, BW, VL, DQ) and VAES, and called where these are.
 */
#pragma once

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define AES_ROUNDS_MAX 14
#define LANES_INLINE static inline __attribute__((always_inline))

/* Round keys of four keys. */
struct aes4 {
	__m512i round[AES_ROUNDS_MAX + 1];
};

LANES_INLINE unsigned aes_rounds(bool aes256)
{
	return aes256 ? 14 : 10;
}

/* Words w0, w0^w1, w0^w1^w2, w0^w1^w2^w3 of k, each xored with what became of the word before. */
LANES_INLINE __m512i aes4_next(__m512i k, __m512i word)
{
	__m512i pairs = _mm512_xor_si512(k, _mm512_bslli_epi128(k, 4));

	return _mm512_ternarylogic_epi32(pairs, _mm512_bslli_epi128(pairs, 8), word, 0x96);
}

/*
 * The last round of AES without its key is SubBytes and ShiftRows; over a word that stands in all four
 * columns the rows' shift does nothing.
 */
LANES_INLINE __m512i aes4_rotated_word(__m512i k, uint32_t rcon)
{
	const __m512i last_rotated = _mm512_set1_epi32(0x0c0f0e0d);

	return _mm512_aesenclast_epi128(_mm512_shuffle_epi8(k, last_rotated), _mm512_set1_epi32((int)rcon));
}

LANES_INLINE __m512i aes4_word(__m512i k)
{
	return _mm512_aesenclast_epi128(_mm512_shuffle_epi32(k, 0xff), _mm512_setzero_si512());
}

/* FIPS 197 section 5.2. low, high: the first and the second 16 octets of the keys; high is AES-256's. */
LANES_INLINE void aes4_expand(struct aes4 *a, __m512i low, __m512i high, bool aes256)
{
	static const uint8_t rcon[] = {1, 2, 4, 8, 16, 32, 64, 0x80, 0x1b, 0x36};
	__m512i *r = a->round;

	r[0] = low;
	if (!aes256) {
#pragma GCC unroll 10
		for (int i = 0; i < 10; i++)
			r[i + 1] = aes4_next(r[i], aes4_rotated_word(r[i], rcon[i]));
		return;
	}
	r[1] = high;
#pragma GCC unroll 7
	for (int i = 0; i < 7; i++) {
		r[2 * i + 2] = aes4_next(r[2 * i], aes4_rotated_word(r[2 * i + 1], rcon[i]));
		if (i < 6)
			r[2 * i + 3] = aes4_next(r[2 * i + 1], aes4_word(r[2 * i + 2]));
	}
}

/* Of blocks that the first round key is in already. */
LANES_INLINE void aes4_rounds(const struct aes4 *a, __m512i *blocks, unsigned n, bool aes256)
{
	const unsigned rounds = aes_rounds(aes256);

#pragma GCC unroll 14
	for (unsigned r = 1; r < rounds; r++)
#pragma GCC unroll 5
		for (unsigned i = 0; i < n; i++)
			blocks[i] = _mm512_aesenc_epi128(blocks[i], a->round[r]);
#pragma GCC unroll 5
	for (unsigned i = 0; i < n; i++)
		blocks[i] = _mm512_aesenclast_epi128(blocks[i], a->round[rounds]);
}

LANES_INLINE void aes4_encrypt(const struct aes4 *a, __m512i *blocks, unsigned n, bool aes256)
{
#pragma GCC unroll 5
	for (unsigned i = 0; i < n; i++)
		blocks[i] = _mm512_xor_si512(blocks[i], a->round[0]);
	aes4_rounds(a, blocks, n, aes256);
}

/* Bits for the first n of 64 octets. */
LANES_INLINE __mmask64 lanes_octets(unsigned n)
{
	return _bzhi_u64(~UINT64_C(0), n < 64 ? n : 64);
}
