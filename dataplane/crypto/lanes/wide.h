/* SPDX-License-Identifier: Apache-2.0 */
/* A long packet alone: AES in counter mode, sixteen of its blocks at a time. */
#pragma once

#include "dataplane/crypto/lanes/four.h"

#define WIDE_OCTETS 256 /* that are ciphered together */

/* Zeroed: nothing to cipher. */
struct wide {
	struct aes4 aes; /* the packet's key in every lane */
	__m512i first;   /* the block without its counter, as it is before the first round */
	__m512i count;   /* the numbers of the next four blocks, not turned yet */
	uint8_t *at;
	unsigned octets; /* to come */
};

/* Packet i of four, from block number `first` on. */
LANES_INLINE void wide_begin(struct wide *w, const struct four *f, unsigned i, unsigned first, bool aes256)
{
	const __m512i lane = _mm512_broadcast_i32x4(_mm_set_epi64x(2 * i + 1, 2 * i));
	const struct crypto_job *job = f->jobs[i];

#pragma GCC unroll 15
	for (unsigned r = 0; r <= aes_rounds(aes256); r++)
		w->aes.round[r] = _mm512_permutexvar_epi64(lane, f->aes.round[r]);
	w->first = _mm512_xor_si512(_mm512_permutexvar_epi64(lane, f->ivs), w->aes.round[0]);
	w->count = _mm512_add_epi32(_mm512_maskz_set1_epi32(0x8888, (int)first),
		_mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
	w->at = job->pkt + job->aad_len;
	w->octets = (unsigned)job->len - job->aad_len;
}

/* The next 64 octets n times, which there are; once: as many of them as there are. */
LANES_INLINE void wide_cipher(struct wide *w, unsigned n, bool aes256)
{
	const __m512i turned = _mm512_broadcast_i32x4(
		_mm_set_epi8(12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
	__m512i blocks[4];

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		blocks[i] = _mm512_xor_si512(w->first, _mm512_shuffle_epi8(w->count, turned));
		w->count = _mm512_add_epi32(w->count, _mm512_maskz_set1_epi32(0x8888, 4));
	}
	aes4_rounds(&w->aes, blocks, n, aes256);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++, w->at += 64) {
		__mmask64 mine = lanes_octets(w->octets);

		if (n > 1)
			_mm512_storeu_si512(w->at, _mm512_xor_si512(_mm512_loadu_si512(w->at), blocks[i]));
		else
			_mm512_mask_storeu_epi8(w->at, mine,
				_mm512_xor_si512(_mm512_maskz_loadu_epi8(mine, w->at), blocks[i]));
		w->octets -= w->octets < 64 ? w->octets : 64;
	}
}
