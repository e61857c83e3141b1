/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM of four packets at a time. A block of AES is ciphered for four packets at once, each with its own
 * key (four.h), and four packets' chains of GHASH (ghash.h) are under way side by side. Of long packets each
 * fills the processor by itself (wide.h), but for what its parts wait for.
 */
#include "dataplane/crypto/lanes/gcm.h"

#include <string.h>

#include "dataplane/crypto/lanes/four.h"
#include "dataplane/crypto/lanes/ghash.h"
#include "dataplane/crypto/lanes/wide.h"
#include "dataplane/crypto/lanes/wipe.h"
#include "lib/srtp/tag.h"

#define TAG 16

/* RFC 7714 section 8.1. The last four octets are the block counter's. */
LANES_INLINE __m128i rtp_iv(const void *key, const struct crypto_job *job)
{
	const struct lanes_gcm_key *k = key;
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
	four_begin(f, jobs, n, offsetof(struct lanes_gcm_key, key), rtp_iv, aes256);
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

/* Is that the packet's tag? */
LANES_INLINE bool proven(struct crypto_job *job, __m128i tag)
{
	bool equal = srtp_tag_equal((const uint8_t *)&tag, job->tag, TAG);

	job->status = equal ? CRYPTO_OK : CRYPTO_TAG_FAIL;
	return equal;
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
			const struct lanes_job *j = &jobs[i + k];

			good |= (unsigned)proven(j->job, _mm_xor_si128(masks[k], ghash(j->key, j->job))) << k;
		}
		four_cipher(&f, aes256, good, BLOCK_PAYLOAD, NULL);
	}
}

/*
 * One long packet is ciphered while another one is hashed: the one waits for the processor's unit for AES,
 * the other for that for products, and neither for the other.
 */
struct pass {
	struct wide wide;
	struct ghash hash;
	struct ghash_high high;
};

LANES_INLINE void pass_hash(struct pass *p, const struct lanes_job *job)
{
	ghash_begin(&p->hash, job->key, job->job);
	p->high = ghash_raise(job->key);
}

/* Ciphers to the end, and hashes up to where ghash_end() goes on. */
LANES_INLINE void pass_run(struct pass *p, bool aes256)
{
	while (p->wide.octets >= WIDE_OCTETS && p->hash.fours > 4) {
		wide_cipher(&p->wide, 4, aes256);
		ghash_four(&p->hash, &p->high);
	}
	while (p->wide.octets >= WIDE_OCTETS)
		wide_cipher(&p->wide, 4, aes256);
	while (p->hash.fours > 4)
		ghash_four(&p->hash, &p->high);
	while (p->wide.octets)
		wide_cipher(&p->wide, 1, aes256);
}

/* A packet is hashed while the one behind it is ciphered. */
LANES_INLINE void protect_long(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	__m128i masks[4] __attribute__((aligned(64))), mask = _mm_setzero_si128();
	struct four f = {0};
	struct pass p = {0};

	for (unsigned i = 0; i <= n; i++) {
		if (i < n && i % 4 == 0) {
			begin(&f, jobs + i, n - i, aes256);
			_mm512_store_si512(masks, four_block(&f, BLOCK_TAG, aes256));
		}
		if (i < n)
			wide_begin(&p.wide, &f, i % 4, BLOCK_PAYLOAD, aes256);
		pass_run(&p, aes256);
		if (i) {
			struct crypto_job *job = jobs[i - 1].job;

			_mm_storeu_si128((__m128i *)job->tag, _mm_xor_si128(mask, ghash_end(&p.hash)));
			job->status = CRYPTO_OK;
		}
		if (i < n) {
			mask = masks[i % 4];
			pass_hash(&p, &jobs[i]);
		}
	}
}

/* A packet is ciphered while the one behind it is hashed. */
LANES_INLINE void unprotect_long(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	__m128i masks[4] __attribute__((aligned(64)));
	struct four f = {0};
	struct pass p = {0};

	for (unsigned i = 0; i <= n; i++) {
		p.hash.fours = 0;
		if (i < n)
			pass_hash(&p, &jobs[i]);
		pass_run(&p, aes256);
		if (i == n)
			break;
		if (i % 4 == 0) {
			begin(&f, jobs + i, n - i, aes256);
			_mm512_store_si512(masks, four_block(&f, BLOCK_TAG, aes256));
		}
		if (proven(jobs[i].job, _mm_xor_si128(masks[i % 4], ghash_end(&p.hash))))
			wide_begin(&p.wide, &f, i % 4, BLOCK_PAYLOAD, aes256);
	}
}

/* Apart, each with a frame of its own: what is on it is wiped by those who call them. */
#define APART static __attribute__((noinline)) void

#define APART_BOTH(name)                                                                                     \
	APART name##_128(const struct lanes_job *jobs, unsigned n)                                           \
	{                                                                                                    \
		name(jobs, n, false);                                                                        \
	}                                                                                                    \
	APART name##_256(const struct lanes_job *jobs, unsigned n)                                           \
	{                                                                                                    \
		name(jobs, n, true);                                                                         \
	}

APART_BOTH(protect)
APART_BOTH(unprotect)
APART_BOTH(protect_long)
APART_BOTH(unprotect_long)

void lanes_gcm_protect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	unsigned fours = lanes_not_long(jobs, n);

	(aes256 ? protect_256 : protect_128)(jobs, fours);
	if (fours < n)
		(aes256 ? protect_long_256 : protect_long_128)(jobs + fours, n - fours);
	lanes_wipe();
}

void lanes_gcm_unprotect(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	unsigned fours = lanes_not_long(jobs, n);

	(aes256 ? unprotect_256 : unprotect_128)(jobs, fours);
	if (fours < n)
		(aes256 ? unprotect_long_256 : unprotect_long_128)(jobs + fours, n - fours);
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
