/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/checksum.h"

#include <immintrin.h>

/*
 * Vectors of 32 bits add up whole words, which may run over, and the halves that lie higher, which have room:
 * 64 kB of them. What the lower halves came to is the difference, and has room, too. So each vector
 * takes three instructions, and its load.
 */

/* In registers here: words are read once, not for either sum and mostly across two lines of cache, and sums
 * stay where they are from one turn to the next. */
#define IN_REGISTER(words) __asm__("" : "+v"(words))
#define IN_REGISTERS(all, high) __asm__("" : "+v"(all), "+v"(high))

static uint64_t lanes_add(__m128i lanes)
{
	__m128i zero = _mm_setzero_si128();
	__m128i two = _mm_add_epi64(_mm_unpacklo_epi32(lanes, zero), _mm_unpackhi_epi32(lanes, zero));

	return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
}

/* Fewer than 16 octets. */
static uint64_t rest_add(const uint8_t *at, size_t n)
{
	uint64_t sum = 0;
	uint32_t half;
	uint16_t word;

	for (; n >= 4; n -= 4, at += 4) {
		memcpy(&half, at, 4);
		sum += half;
	}
	if (n & 2) {
		memcpy(&word, at, 2);
		sum += word;
		at += 2;
	}
	return sum + (n & 1 ? *at : 0); /* little-endian: the octet that is not there is high */
}

static uint64_t sum_sse2(const void *p, size_t n)
{
	__m128i all = _mm_setzero_si128(), high = all;
	const uint8_t *at = p;

	for (; n >= 16; at += 16, n -= 16) {
		__m128i words = _mm_loadu_si128((const __m128i *)at);

		IN_REGISTER(words);
		all = _mm_add_epi32(all, words);
		high = _mm_add_epi32(high, _mm_srli_epi32(words, 16));
		IN_REGISTERS(all, high);
	}
	all = _mm_sub_epi32(all, _mm_slli_epi32(high, 16));
	return lanes_add(_mm_add_epi32(all, high)) + rest_add(at, n);
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const void *p, size_t n)
{
	__m256i all = _mm256_setzero_si256(), high = all;
	const uint8_t *at = p;
	uint64_t sum;

	for (; n >= 32; at += 32, n -= 32) {
		__m256i words = _mm256_loadu_si256((const __m256i *)at);

		IN_REGISTER(words);
		all = _mm256_add_epi32(all, words);
		high = _mm256_add_epi32(high, _mm256_srli_epi32(words, 16));
		IN_REGISTERS(all, high);
	}
	all = _mm256_add_epi32(_mm256_sub_epi32(all, _mm256_slli_epi32(high, 16)), high);
	sum = lanes_add(_mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
	return n ? sum + sum_sse2(at, n) : sum;
}

__attribute__((target("avx512f,avx512bw,bmi2"))) static uint64_t sum_avx512(const void *p, size_t n)
{
	const uint8_t *at = p, *end = at + (n & ~(size_t)63);
	/* The rest first: nothing has to be added to it. */
	__m512i all = _mm512_maskz_loadu_epi8(_bzhi_u64(~UINT64_C(0), (unsigned)n & 63), end);
	__m512i high = _mm512_srli_epi32(all, 16);
	__m256i eight;
	__m128i four;

	for (; at != end; at += 64) {
		__m512i words = _mm512_loadu_si512(at);

		IN_REGISTER(words);
		all = _mm512_add_epi32(all, words);
		high = _mm512_add_epi32(high, _mm512_srli_epi32(words, 16));
		IN_REGISTERS(all, high);
	}
	all = _mm512_sub_epi32(all, _mm512_slli_epi32(high, 16));
	/* 16 lanes have room for it, and so has their sum; of two side by side it is the same sum, whatever
	 * their places. */
	all = _mm512_add_epi32(all, high);
	eight = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
	four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
	return (uint64_t)_mm_cvtsi128_si64(four) + (uint64_t)_mm_extract_epi64(four, 1);
}

static const struct checksum_way ways[] = {
	{"avx512", sum_avx512},
	{"avx2", sum_avx2},
	{"sse2", sum_sse2},
};
#define WAYS (sizeof ways / sizeof *ways)

uint64_t (*checksum_sum)(const void *p, size_t n) = sum_sse2;

const struct checksum_way *checksum_ways(unsigned *n)
{
	unsigned first = 2;

	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2"))
		first = 0;
	else if (__builtin_cpu_supports("avx2"))
		first = 1;
	*n = WAYS - first;
	return &ways[first];
}

__attribute__((constructor)) static void choose(void)
{
	unsigned n;

	checksum_sum = checksum_ways(&n)->sum;
}
