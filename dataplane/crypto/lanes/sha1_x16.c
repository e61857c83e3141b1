/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bounds it is the number of 512-bit instructions, of which a core starts two in a cycle: seven in a
 * round, three to schedule a word. All else is done beside them, in gaps between rounds: while a block is
 * hashed the next one is loaded, and while the outer hash is made the next sixteen packets are got ready.
 */
#include <stdatomic.h>

#include "dataplane/crypto/lanes/sha1_x16.h"

#define LANES SHA1_X16_LANES
#define WORDS SHA1_X16_WORDS
#define BLOCK TAIL_BLOCK
#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE __m512i swap_bytes(__m512i x)
{
	return _mm512_shuffle_epi8(x, _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

/* Four words of four rows in each quarter of the registers become four rows' word in each quarter. */
ALWAYS_INLINE void transpose_quarters(__m512i to[4], const __m512i r[4])
{
	__m512i t0 = _mm512_unpacklo_epi32(r[0], r[1]), t1 = _mm512_unpackhi_epi32(r[0], r[1]);
	__m512i t2 = _mm512_unpacklo_epi32(r[2], r[3]), t3 = _mm512_unpackhi_epi32(r[2], r[3]);

	to[0] = _mm512_unpacklo_epi64(t0, t2);
	to[1] = _mm512_unpackhi_epi64(t0, t2);
	to[2] = _mm512_unpacklo_epi64(t1, t3);
	to[3] = _mm512_unpackhi_epi64(t1, t3);
}

ALWAYS_INLINE void words_put(struct sha1_x16_words *next, int lane)
{
	__m512i row = swap_bytes(_mm512_loadu_si512(next->from[lane]));
	__m128i *to = (__m128i *)&next->quarters[0][lane % 4] + lane / 4;

	_mm_store_si128(to, _mm512_castsi512_si128(row));
	_mm_store_si128(to + 16, _mm512_extracti32x4_epi32(row, 1));
	_mm_store_si128(to + 32, _mm512_extracti32x4_epi32(row, 2));
	_mm_store_si128(to + 48, _mm512_extracti32x4_epi32(row, 3));
}

/* From the last lane to the first: the room before a tail is the one before it. */
ALWAYS_INLINE void group_put(struct sha1_x16_group *g, struct sha1_x16_words *first, int lane)
{
	const struct lanes_hmac *job = g->jobs[lane];
	uint8_t *tail = g->tails + TAIL_ROOM + lane * TAIL_MAX;

	g->data[lane] = job->data;
	g->octets[lane] = job->octets;
	tail_put(tail, job);
	first->from[lane] = job->octets >= BLOCK ? job->data : tail;
}

/* Block number step of each lane; of one that is through, anything. */
ALWAYS_INLINE void group_from(const struct sha1_x16_group *g, uint32_t step, const uint8_t *from[LANES])
{
	const __m512i number = _mm512_set1_epi32((int)step);
	const __m512i whole = _mm512_srli_epi32(_mm512_loadu_si512(g->octets), 6);
	const __mmask16 in_data = _mm512_cmplt_epu32_mask(number, whole);
	const __mmask16 second = _mm512_cmpgt_epu32_mask(number, whole);
	const __m512i lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);

	for (int i = 0; i < LANES; i += 8) {
		__m512i first = _mm512_set1_epi64((int64_t)(g->tails + TAIL_ROOM + i * TAIL_MAX));
		__m512i tail = _mm512_add_epi64(first, _mm512_slli_epi64(lane, 7));
		__m512i at =
			_mm512_mask_add_epi64(tail, (__mmask8)(second >> i), tail, _mm512_set1_epi64(BLOCK));

		at = _mm512_mask_add_epi64(at, (__mmask8)(in_data >> i), _mm512_loadu_si512(g->data + i),
			_mm512_set1_epi64((int64_t)step * BLOCK));
		_mm512_storeu_si512(from + i, at);
	}
	atomic_signal_fence(memory_order_seq_cst); /* or gcc takes them from the vectors, one shuffle each */
}

/* Four words of lanes i, i + 4, i + 8 and i + 12: see struct sha1_x16_words. */
ALWAYS_INLINE __m512i states_quarter(const struct sha1_x16_group *g, int i, size_t at)
{
	__m512i r = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(g->jobs[i]->states + at)));

	r = _mm512_inserti32x4(r, _mm_loadu_si128((const void *)(g->jobs[i + 4]->states + at)), 1);
	r = _mm512_inserti32x4(r, _mm_loadu_si128((const void *)(g->jobs[i + 8]->states + at)), 2);
	return _mm512_inserti32x4(r, _mm_loadu_si128((const void *)(g->jobs[i + 12]->states + at)), 3);
}

/* States' words 0 to 3, 4 to 7, 6 to 9 of all lanes: a third of the work. */
ALWAYS_INLINE void states_put(struct sha1_x16_group *g, int third)
{
	const int first = third < 2 ? 4 * third : 6;
	__m512i r[4], w[4];

	for (int i = 0; i < 4; i++)
		r[i] = states_quarter(g, i, 4 * (size_t)first);
	transpose_quarters(w, r);
	for (int i = 0; i < 4; i++)
		g->states[first + i] = w[i];
}

/* What is done between the rounds of a block. */
struct beside {
	struct sha1_x16_words *next;  /* whose blocks are put; NULL: of none */
	struct sha1_x16_group *group; /* to be put together of its jobs, first of all; NULL: none */
};

ALWAYS_INLINE void gap(int t, const struct beside *b)
{
	int lane = t / 5 % 4 * 4;

	if (b->group && t < 20)
		for (int i = lane; i < lane + 4; i++)
			group_put(b->group, b->next, LANES - 1 - i);
	if (b->next && t >= 20 && t < 40)
		for (int i = lane; i < lane + 4; i++)
			words_put(b->next, i);
	if (b->group && t >= 40 && t < 55)
		states_put(b->group, t / 5 - 8);
}

/* The message's word of round t. From 16 on it is made of those before it and takes the place of the oldest.
 */
ALWAYS_INLINE __m512i schedule(__m512i w[LANES], int t, const struct sha1_x16_words *now)
{
	__m512i x;

	if (t < 16) {
		if (now && t % 4 == 0)
			transpose_quarters(w + t, now->quarters[t / 4]);
		return w[t];
	}
	/* The oldest first, whose register it is that the instruction writes; the latest last, for it may not
	 * be done.
	 */
	x = _mm512_ternarylogic_epi32(w[t % 16], w[(t + 2) % 16], w[(t + 8) % 16], 0x96); /* a ^ b ^ c */
	w[t % 16] = _mm512_rol_epi32(_mm512_xor_si512(x, w[(t + 13) % 16]), 1);
	return w[t % 16];
}

ALWAYS_INLINE __m512i mix(int t, __m512i b, __m512i c, __m512i d)
{
	if (t < 20)
		return _mm512_ternarylogic_epi32(b, c, d, 0xca); /* b ? c : d */
	if (t >= 40 && t < 60)
		return _mm512_ternarylogic_epi32(b, c, d, 0xe8); /* majority */
	return _mm512_ternarylogic_epi32(b, c, d, 0x96);
}

ALWAYS_INLINE void round1(__m512i w[LANES], int t, __m512i k, __m512i a, __m512i *b, __m512i c, __m512i d,
	__m512i *e, const struct sha1_x16_words *now)
{
	__m512i x = _mm512_add_epi32(_mm512_add_epi32(*e, k), schedule(w, t, now));

	x = _mm512_add_epi32(x, mix(t, *b, c, d));
	*e = _mm512_add_epi32(x, _mm512_rol_epi32(a, 5));
	*b = _mm512_rol_epi32(*b, 30);
}

ALWAYS_INLINE void round5(
	__m512i w[LANES], int t, __m512i k, __m512i s[WORDS], const struct sha1_x16_words *now)
{
	round1(w, t, k, s[0], &s[1], s[2], s[3], &s[4], now);
	round1(w, t + 1, k, s[4], &s[0], s[1], s[2], &s[3], now);
	round1(w, t + 2, k, s[3], &s[4], s[0], s[1], &s[2], now);
	round1(w, t + 3, k, s[2], &s[3], s[4], s[0], &s[1], now);
	round1(w, t + 4, k, s[1], &s[2], s[3], s[4], &s[0], now);
}

ALWAYS_INLINE void round20(__m512i w[LANES], int t, uint32_t constant, __m512i s[WORDS],
	const struct sha1_x16_words *now, const struct beside *b)
{
	__m512i k = _mm512_set1_epi32((int)constant);

	round5(w, t, k, s, now);
	gap(t, b);
	round5(w, t + 5, k, s, now);
	gap(t + 5, b);
	round5(w, t + 10, k, s, now);
	gap(t + 10, b);
	round5(w, t + 15, k, s, now);
	gap(t + 15, b);
}

/* One block into the states of the lanes in active. Its words come from now, or are in w if that is NULL. */
ALWAYS_INLINE void compress(__m512i state[WORDS], __mmask16 active, __m512i w[LANES],
	const struct sha1_x16_words *now, const struct beside *b)
{
	__m512i s[WORDS];

	for (int i = 0; i < WORDS; i++)
		s[i] = state[i];
	round20(w, 0, 0x5a827999, s, now, b);
	round20(w, 20, 0x6ed9eba1, s, now, b);
	round20(w, 40, 0x8f1bbcdc, s, now, b);
	round20(w, 60, 0xca62c1d6, s, now, b);
	for (int i = 0; i < WORDS; i++)
		state[i] = _mm512_mask_add_epi32(state[i], active, state[i], s[i]);
}

/* Every block of every lane, the first of which are in words. A lane that is through stays as it is. */
static __attribute__((noinline)) void hash_inner(struct sha1_x16_group *g, struct sha1_x16_words *words)
{
	const __m512i blocks = _mm512_srli_epi32(
		_mm512_add_epi32(_mm512_loadu_si512(g->octets), _mm512_set1_epi32(TAIL_LEAST + BLOCK - 1)),
		6);
	const uint32_t steps = _mm512_reduce_max_epu32(blocks);
	__m512i state[WORDS];

	for (int i = 0; i < WORDS; i++)
		state[i] = g->states[i];
	for (uint32_t step = 0; step < steps; step++) {
		__mmask16 active = _mm512_cmpgt_epu32_mask(blocks, _mm512_set1_epi32((int)step));
		__m512i w[LANES];

		group_from(g, step + 1, words->from);
		compress(state, active, w, words, &(struct beside){.next = words});
	}
	for (int i = 0; i < WORDS; i++)
		g->states[i] = state[i];
}

/*
 * The outer hash is over the inner one's twenty octets, one block with the padding. Meanwhile next is put
 * together of its jobs, and its first blocks go into words.
 */
static __attribute__((noinline, nonnull)) void hash_outer(
	struct sha1_x16_group *g, struct sha1_x16_words *words, struct sha1_x16_group *next)
{
	__m512i w[LANES];

	for (int i = 0; i < LANES; i++)
		w[i] = i < WORDS ? g->states[i] : _mm512_setzero_si512();
	w[WORDS] = _mm512_set1_epi32((int)0x80000000);
	w[LANES - 1] = _mm512_set1_epi32(8 * (BLOCK + 4 * WORDS));
	compress(g->states + WORDS, 0xffff, w, NULL, &(struct beside){.next = words, .group = next});
}

/* The first four words of each lane's hash. */
static void group_store(const struct sha1_x16_group *g)
{
	__m512i r[4];

	transpose_quarters(r, g->states + WORDS);
	for (int i = 0; i < 4; i++) {
		__m512i mac = swap_bytes(r[i]);

		_mm_storeu_si128((void *)g->jobs[i]->mac, _mm512_castsi512_si128(mac));
		_mm_storeu_si128((void *)g->jobs[i + 4]->mac, _mm512_extracti32x4_epi32(mac, 1));
		_mm_storeu_si128((void *)g->jobs[i + 8]->mac, _mm512_extracti32x4_epi32(mac, 2));
		_mm_storeu_si128((void *)g->jobs[i + 12]->mac, _mm512_extracti32x4_epi32(mac, 3));
	}
}

void sha1_x16_hmac(struct sha1_x16 *x, const struct lanes_hmac *const *jobs, unsigned groups)
{
	struct sha1_x16_group *now = &x->groups[0], *next = &x->groups[1];

	if (!groups)
		return;
	now->jobs = jobs;
	for (int lane = LANES - 1; lane >= 0; lane--)
		group_put(now, &x->words, lane);
	for (int lane = 0; lane < LANES; lane++)
		words_put(&x->words, lane);
	for (int third = 0; third < 3; third++)
		states_put(now, third);
	while (groups--) {
		struct sha1_x16_group *done = now;

		/* Behind the last one comes itself, for nothing. */
		next->jobs = groups ? now->jobs + LANES : now->jobs;
		hash_inner(now, &x->words);
		hash_outer(now, &x->words, next);
		group_store(now);
		now = next;
		next = done;
	}
}
