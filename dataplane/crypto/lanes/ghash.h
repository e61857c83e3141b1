/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GHASH (NIST SP 800-38D section 6.4) of a packet, four of its blocks at once, because so the powers of the
 * hash key lie in a register as they lie in memory.
 *
 * GHASH counts bits from the other end than the processor. As usual, blocks are turned octet by octet and the
 * hash key is multiplied by x once for all, so that products come out in place; the polynomial is
 * x^128 + x^7 + x^2 + x + 1 and its mirror image here.
 */
#pragma once

#include "dataplane/aside.h"
#include "dataplane/crypto/lanes/aes.h"
#include "dataplane/crypto/lanes/gcm.h"

/* Sums of four products each, not reduced yet. */
struct products {
	__m512i low, middle, high;
};

LANES_INLINE struct products products_of(__m512i a, __m512i b)
{
	return (struct products){
		_mm512_clmulepi64_epi128(a, b, 0x00),
		_mm512_xor_si512(_mm512_clmulepi64_epi128(a, b, 0x01), _mm512_clmulepi64_epi128(a, b, 0x10)),
		_mm512_clmulepi64_epi128(a, b, 0x11),
	};
}

LANES_INLINE struct products products_add(struct products p, __m512i a, __m512i b)
{
	p.low = _mm512_xor_si512(p.low, _mm512_clmulepi64_epi128(a, b, 0x00));
	p.middle = _mm512_ternarylogic_epi32(
		p.middle, _mm512_clmulepi64_epi128(a, b, 0x01), _mm512_clmulepi64_epi128(a, b, 0x10), 0x96);
	p.high = _mm512_xor_si512(p.high, _mm512_clmulepi64_epi128(a, b, 0x11));
	return p;
}

LANES_INLINE __m512i products_reduced(struct products p)
{
	const __m512i poly =
		_mm512_broadcast_i32x4(_mm_set_epi64x((long long)UINT64_C(0xc200000000000000), 1));

	p.middle = _mm512_ternarylogic_epi32(p.middle, _mm512_shuffle_epi32(p.low, 0x4e),
		_mm512_clmulepi64_epi128(poly, p.low, 0x01), 0x96);
	return _mm512_ternarylogic_epi32(p.high, _mm512_shuffle_epi32(p.middle, 0x4e),
		_mm512_clmulepi64_epi128(poly, p.middle, 0x01), 0x96);
}

/* Four products. */
LANES_INLINE __m512i ghash_mul4(__m512i a, __m512i b)
{
	return products_reduced(products_of(a, b));
}

/* The fourth power in each lane. */
LANES_INLINE __m512i ghash_fourth(const struct lanes_gcm_key *k)
{
	return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)k->powers));
}

LANES_INLINE __m512i ghash_eighth(const struct lanes_gcm_key *k)
{
	return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)k->eighth));
}

LANES_INLINE __m512i ghash_turn(__m512i blocks)
{
	const __m512i turned =
		_mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));

	return _mm512_shuffle_epi8(blocks, turned);
}

/* A packet's blocks, as GHASH takes them: header, zeros up to the next block, payload, and so again. */
struct spread {
	const uint8_t *header, *payload;
	unsigned header_octets, octets;
	unsigned first, lanes; /* the header's lanes: from first to before lanes, counted over all fours */
};

/* The four in which the header ends. */
LANES_INLINE __m512i spread_load(const struct spread *s)
{
	unsigned front = s->first * 16, header = s->lanes * 16;
	__m512i a = _mm512_maskz_loadu_epi8(
		lanes_octets(front + s->header_octets) & ~UINT64_C(0) << front, s->header - front);
	__m512i b = _mm512_maskz_loadu_epi8(
		lanes_octets(header + s->octets) & ~UINT64_C(0) << header, s->payload - header);

	return ghash_turn(_mm512_or_si512(a, b));
}

/* A four of header alone, up to whose end there is more to come. */
static ASIDE __m512i spread_header(struct spread *s, const struct lanes_gcm_key *k, __m512i sum)
{
	unsigned front = s->first * 16, taken = 64 - front;
	__m512i four = _mm512_maskz_loadu_epi8(
		lanes_octets(front + s->header_octets) & ~UINT64_C(0) << front, s->header - front);

	s->header += taken;
	s->header_octets -= taken < s->header_octets ? taken : s->header_octets;
	s->first = 0;
	s->lanes -= 4;
	return ghash_mul4(_mm512_xor_si512(sum, ghash_turn(four)), ghash_fourth(k));
}

/*
 * Its blocks are taken in fours, the first four filled up in front with zeros, which change nothing, so that
 * the length is the last of the last four. Each lane sums up its own: times the fourth power of the hash key
 * from one four to the next, in the end times the power that is the lane's.
 */
struct ghash {
	const struct lanes_gcm_key *key;
	unsigned header, octets; /* of it and of the payload */
	__m512i four;            /* the next to be multiplied, with the sum so far */
	unsigned fours;          /* to come, with this one */
	const uint8_t *at, *end; /* of the payload what is not taken yet */
};

LANES_INLINE void ghash_begin(struct ghash *h, const struct lanes_gcm_key *k, const struct crypto_job *job)
{
	unsigned header = (job->aad_len + 15u) / 16, octets = (unsigned)job->len - job->aad_len;
	unsigned blocks = header + (octets + 15) / 16 + 1, front = -blocks & 3;
	struct spread s = {job->pkt, job->pkt + job->aad_len, job->aad_len, octets, front, front + header};
	__m512i sum = _mm512_setzero_si512();

	h->key = k;
	h->header = job->aad_len;
	h->octets = octets;
	h->fours = (front + blocks) / 4;
	h->end = s.payload + octets;
	if (unlikely(s.lanes >= 4)) {
		struct spread rest = s; /* in a copy, so that the usual packet's stays in registers */

		for (; rest.lanes >= 4; h->fours--)
			sum = spread_header(&rest, k, sum);
		s = rest;
	}
	h->four = _mm512_xor_si512(sum, spread_load(&s));
	h->at = s.payload + 64 - s.lanes * 16;
}

/* The next four, of which the payload ends with the last. */
LANES_INLINE __m512i ghash_load(const struct ghash *h, const uint8_t *at)
{
	return ghash_turn(_mm512_maskz_loadu_epi8(lanes_octets((unsigned)(h->end - at)), at));
}

/* All but the last four. */
LANES_INLINE void ghash_most(struct ghash *h)
{
	for (; h->fours > 2; h->fours -= 2, h->at += 128) {
		struct products p = products_add(products_of(h->four, ghash_eighth(h->key)),
			ghash_turn(_mm512_loadu_si512(h->at)), ghash_fourth(h->key));

		h->four = _mm512_xor_si512(products_reduced(p), ghash_load(h, h->at + 64));
	}
	if (h->fours == 2)
		h->four = _mm512_xor_si512(ghash_mul4(h->four, ghash_fourth(h->key)), ghash_load(h, h->at));
}

/* The sixteenth and the twelfth power in each lane: few packets are long enough to be worth it. */
struct ghash_high {
	__m512i sixteenth, twelfth;
};

LANES_INLINE struct ghash_high ghash_raise(const struct lanes_gcm_key *k)
{
	__m512i eighth = ghash_eighth(k);

	return (struct ghash_high){ghash_mul4(eighth, eighth), ghash_mul4(eighth, ghash_fourth(k))};
}

/* Four of them; for as long as there are more than four. */
LANES_INLINE void ghash_four(struct ghash *h, const struct ghash_high *high)
{
	struct products p = products_of(h->four, high->sixteenth);

	p = products_add(p, ghash_turn(_mm512_loadu_si512(h->at)), high->twelfth);
	p = products_add(p, ghash_turn(_mm512_loadu_si512(h->at + 64)), ghash_eighth(h->key));
	p = products_add(p, ghash_turn(_mm512_loadu_si512(h->at + 128)), ghash_fourth(h->key));
	h->four = _mm512_xor_si512(products_reduced(p), ghash_load(h, h->at + 192));
	h->at += 256;
	h->fours -= 4;
}

LANES_INLINE __m128i ghash_end(struct ghash *h)
{
	__m256i halves;
	__m512i four;

	ghash_most(h);
	four = _mm512_xor_si512(h->four,
		_mm512_maskz_broadcast_i64x2(0xc0, _mm_set_epi64x(h->header * 8, (long long)h->octets * 8)));
	four = ghash_mul4(four, _mm512_load_si512(h->key->powers));
	halves = _mm256_xor_si256(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
	return _mm_shuffle_epi8(
		_mm_xor_si128(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)),
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

LANES_INLINE __m128i ghash(const struct lanes_gcm_key *k, const struct crypto_job *job)
{
	struct ghash h;

	ghash_begin(&h, k, job);
	return ghash_end(&h);
}
