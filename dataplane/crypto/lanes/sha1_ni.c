/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
#include <string.h>

#include "dataplane/crypto/lanes/sha1_ni.h"
#include "dataplane/crypto/lanes/sha1_tail.h"

#define PIECES 4 /* of four words each, in a block */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* SHA-1's words as the instructions want them: the first in the highest place, and the fifth there too. */
struct state {
	__m128i abcd, e;
};

ALWAYS_INLINE struct state load(const uint8_t *words)
{
	uint32_t e;

	memcpy(&e, words + sizeof(__m128i), sizeof(e));
	return (struct state){_mm_shuffle_epi32(_mm_loadu_si128((const void *)words), 0x1b),
		_mm_set_epi32((int)e, 0, 0, 0)};
}

ALWAYS_INLINE __m128i swap_bytes(__m128i x)
{
	return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
}

/* The words of rounds 4 r to 4 r + 3: from 16 on made of those before, in the place of the oldest. */
ALWAYS_INLINE __m128i schedule(__m128i w[PIECES], int r)
{
	if (r >= PIECES) {
		__m128i x = _mm_xor_si128(_mm_sha1msg1_epu32(w[r % 4], w[(r + 1) % 4]), w[(r + 2) % 4]);

		w[r % 4] = _mm_sha1msg2_epu32(x, w[(r + 3) % 4]);
	}
	return w[r % 4];
}

/* before: abcd as it was four rounds ago, of which e is made. */
#define ROUNDS4(r)                                                                                           \
	do {                                                                                                 \
		__m128i w4 = schedule(w, r);                                                                 \
		__m128i e = (r) ? _mm_sha1nexte_epu32(before, w4) : _mm_add_epi32(s->e, w4);                 \
                                                                                                             \
		before = abcd;                                                                               \
		abcd = _mm_sha1rnds4_epu32(abcd, e, (r) / 5);                                                \
	} while (0)

ALWAYS_INLINE void compress(struct state *s, __m128i w[PIECES])
{
	__m128i abcd = s->abcd, before = abcd;

	ROUNDS4(0);
	ROUNDS4(1);
	ROUNDS4(2);
	ROUNDS4(3);
	ROUNDS4(4);
	ROUNDS4(5);
	ROUNDS4(6);
	ROUNDS4(7);
	ROUNDS4(8);
	ROUNDS4(9);
	ROUNDS4(10);
	ROUNDS4(11);
	ROUNDS4(12);
	ROUNDS4(13);
	ROUNDS4(14);
	ROUNDS4(15);
	ROUNDS4(16);
	ROUNDS4(17);
	ROUNDS4(18);
	ROUNDS4(19);
	s->e = _mm_sha1nexte_epu32(before, s->e);
	s->abcd = _mm_add_epi32(s->abcd, abcd);
}

ALWAYS_INLINE void compress_blocks(struct state *s, const uint8_t *from, uint32_t blocks)
{
	for (; blocks--; from += TAIL_BLOCK) {
		__m128i w[PIECES];

		for (int i = 0; i < PIECES; i++)
			w[i] = swap_bytes(_mm_loadu_si128((const __m128i *)from + i));
		compress(s, w);
	}
}

void sha1_ni_hmac(const struct lanes_hmac *job)
{
	uint32_t whole = job->octets / TAIL_BLOCK;
	uint8_t tail[TAIL_ROOM + TAIL_MAX];
	struct state inner, outer;
	__m128i w[PIECES];

	tail_put(tail + TAIL_ROOM, job);
	inner = load(job->states);
	compress_blocks(&inner, job->data, whole);
	compress_blocks(&inner, tail + TAIL_ROOM, tail_end(job->octets) - whole);
	outer = load(job->states + LANES_HMAC_STATES / 2);
	w[0] = inner.abcd;
	w[1] = _mm_or_si128(inner.e, _mm_set_epi32(0, (int)0x80000000, 0, 0));
	w[2] = _mm_setzero_si128();
	w[3] = _mm_set_epi32(0, 0, 0, 8 * (TAIL_BLOCK + LANES_HMAC_STATES / 2));
	compress(&outer, w);
	_mm_storeu_si128((void *)job->mac, swap_bytes(outer.abcd));
}
