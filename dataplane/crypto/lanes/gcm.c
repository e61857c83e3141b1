/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM of four packets at a time. A block of AES is ciphered for four packets at once, each with its own
 * key (aes.h); GHASH runs over four blocks of one packet at once, because so the powers of the hash key lie
 * in its register as they lie in memory, and four packets' chains are under way side by side.
 *
 * GHASH counts bits from the other end than the processor. As usual, blocks are turned octet by octet and the
 * hash key is multiplied by x once for all, so that products come out in place; the polynomial is
 * x^128 + x^7 + x^2 + x + 1 and its mirror image here.
 */
#include "dataplane/crypto/lanes/gcm.h"

#include <string.h>

#include "dataplane/aside.h"
#include "dataplane/crypto/lanes/four.h"
#include "dataplane/crypto/lanes/wipe.h"
#include "lib/srtp/tag.h"

#define TAG 16

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
 * GHASH of a packet. Its blocks are taken in fours, the first four filled up in front with zeros, which
 * change nothing, so that the length is the last of the last four. Each lane sums up its own: times the
 * fourth power of the hash key from one four to the next, in the end times the power that is the lane's.
 */
LANES_INLINE __m128i ghash(const struct lanes_gcm_key *k, const struct crypto_job *job)
{
	unsigned header = (job->aad_len + 15u) / 16, octets = (unsigned)job->len - job->aad_len;
	unsigned blocks = header + (octets + 15) / 16 + 1, front = -blocks & 3;
	struct spread s = {job->pkt, job->pkt + job->aad_len, job->aad_len, octets, front, front + header};
	__m512i sum = _mm512_setzero_si512(), four;
	unsigned fours = (front + blocks) / 4;
	const uint8_t *at, *end = s.payload + octets;
	__m256i halves;

	for (; unlikely(s.lanes >= 4); fours--)
		sum = spread_header(&s, k, sum);
	four = _mm512_xor_si512(sum, spread_load(&s));
	at = s.payload + 64 - s.lanes * 16;
	for (; fours > 2; fours -= 2, at += 128) {
		struct products p = products_add(products_of(four, ghash_eighth(k)),
			ghash_turn(_mm512_loadu_si512(at)), ghash_fourth(k));

		four = _mm512_xor_si512(products_reduced(p),
			ghash_turn(
				_mm512_maskz_loadu_epi8(lanes_octets((unsigned)(end - at - 64)), at + 64)));
	}
	if (fours == 2)
		four = _mm512_xor_si512(ghash_mul4(four, ghash_fourth(k)),
			ghash_turn(_mm512_maskz_loadu_epi8(lanes_octets((unsigned)(end - at)), at)));
	four = _mm512_xor_si512(four,
		_mm512_maskz_broadcast_i64x2(0xc0, _mm_set_epi64x(job->aad_len * 8, (long long)octets * 8)));
	four = ghash_mul4(four, _mm512_load_si512(k->powers));
	halves = _mm256_xor_si256(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
	return _mm_shuffle_epi8(
		_mm_xor_si128(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)),
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* RFC 7714 section 8.1. The last four octets are the block counter's. */
LANES_INLINE __m128i rtp_iv(const struct lanes_gcm_key *k, const struct crypto_job *job)
{
	uint64_t roc = __builtin_bswap32(job->index), low, high;
	uint32_t ssrc;
	uint16_t seq;

	memcpy(&ssrc, job->pkt + 8, 4);
	memcpy(&seq, job->pkt + 2, 2);
	low = (uint64_t)ssrc << 16 | roc << 48;
	high = roc >> 16 | (uint64_t)seq << 16;
	return _mm_xor_si128(
		_mm_maskz_load_epi32(0x7, k->salt), _mm_set_epi64x((long long)high, (long long)low));
}

LANES_INLINE void begin(struct four *f, const struct lanes_job *jobs, unsigned n, bool aes256)
{
	const uint8_t *key[4];
	__m128i iv[4];

	f->n = n < 4 ? n : 4;
#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++) {
		const struct lanes_job *j = &jobs[i < f->n ? i : 0];
		const struct lanes_gcm_key *k = j->key;

		f->jobs[i] = j->job;
		key[i] = k->key;
		iv[i] = rtp_iv(k, j->job);
	}
	four_begin(f, key, iv, aes256);
}

/* Numbers of blocks: tags are masked with the first, the payload begins with the second. */
#define BLOCK_TAG 1
#define BLOCK_PAYLOAD 2

/* All are ciphered before the first is hashed: what was just written cannot be read at once across its parts.
 */
LANES_INLINE void protect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	for (unsigned i = 0; i < n; i += 4) {
		__m128i masks[4] __attribute__((aligned(64)));
		struct four f;
		__m512i mask = _mm512_setzero_si512();

		begin(&f, jobs + i, n - i, aes256);
		four_cipher(&f, aes256, (1u << f.n) - 1, BLOCK_PAYLOAD, &mask);
		_mm512_store_si512(masks, mask);
		for (unsigned k = 0; k < f.n; k++)
			_mm_storeu_si128((__m128i *)jobs[i + k].job->tag, masks[k]);
	}
	for (unsigned i = 0; i < n; i++) {
		struct crypto_job *job = jobs[i].job;
		__m128i *tag = (__m128i *)job->tag;

		_mm_storeu_si128(tag, _mm_xor_si128(_mm_loadu_si128(tag), ghash(jobs[i].key, job)));
		job->status = CRYPTO_OK;
	}
}

LANES_INLINE void unprotect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	for (unsigned i = 0; i < n; i += 4) {
		__m128i masks[4] __attribute__((aligned(64)));
		unsigned good = 0;
		struct four f;

		begin(&f, jobs + i, n - i, aes256);
		_mm512_store_si512(masks, four_block(&f, BLOCK_TAG, aes256));
		for (unsigned k = 0; k < f.n; k++) {
			struct crypto_job *job = jobs[i + k].job;
			__m128i tag = _mm_xor_si128(masks[k], ghash(jobs[i + k].key, job));
			bool equal = srtp_tag_equal((const uint8_t *)&tag, job->tag, TAG);

			job->status = equal ? CRYPTO_OK : CRYPTO_TAG_FAIL;
			good |= (unsigned)equal << k;
		}
		four_cipher(&f, aes256, good, BLOCK_PAYLOAD, NULL);
	}
}

/* Apart, each with a frame of its own: what is on it is wiped by those who call them. */
#define APART static __attribute__((noinline)) void

APART protect_128(const struct lanes_job *jobs, unsigned n)
{
	protect(jobs, n, false);
}

APART protect_256(const struct lanes_job *jobs, unsigned n)
{
	protect(jobs, n, true);
}

APART unprotect_128(const struct lanes_job *jobs, unsigned n)
{
	unprotect(jobs, n, false);
}

APART unprotect_256(const struct lanes_job *jobs, unsigned n)
{
	unprotect(jobs, n, true);
}

void lanes_gcm_protect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	(aes256 ? protect_256 : protect_128)(jobs, n);
	lanes_wipe();
}

void lanes_gcm_unprotect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	(aes256 ? unprotect_256 : unprotect_128)(jobs, n);
	lanes_wipe();
}

/* Times x, in GHASH's way of counting bits. */
static __m128i times_x(__m128i h)
{
	uint64_t low = (uint64_t)_mm_cvtsi128_si64(h), high = (uint64_t)_mm_extract_epi64(h, 1);
	uint64_t carry = -(high >> 63);

	return _mm_set_epi64x((long long)((high << 1 | low >> 63) ^ (carry & UINT64_C(0xc200000000000000))),
		(long long)(low << 1 ^ (carry & 1)));
}

/* The rest of a key whose first 16 octets, or 32, are there. */
APART load_powers(struct lanes_gcm_key *k, bool aes256)
{
	__m512i block = _mm512_setzero_si512(), h;
	struct aes4 aes;
	__m128i power;

	aes4_expand(&aes, _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)k->key)),
		_mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)k->key + 1)), aes256);
	aes4_encrypt(&aes, &block, 1, aes256);
	power = times_x(_mm512_castsi512_si128(ghash_turn(block)));
	h = _mm512_broadcast_i32x4(power);
	for (int i = 3; i >= 0; i--) {
		_mm_store_si128((__m128i *)k->powers + i, power);
		if (i)
			power = _mm512_castsi512_si128(ghash_mul4(_mm512_broadcast_i32x4(power), h));
	}
	h = _mm512_broadcast_i32x4(power);
	_mm_store_si128((__m128i *)k->eighth, _mm512_castsi512_si128(ghash_mul4(h, h)));
}

void lanes_gcm_load(struct lanes_gcm_key *k, const uint8_t *key, const uint8_t *salt, bool aes256)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->key, key, aes256 ? 32 : 16);
	memcpy(k->salt, salt, 12);
	load_powers(k, aes256);
	lanes_wipe();
}
