/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/lanes/cm.h"

#include <string.h>

#include "dataplane/crypto/lanes/four.h"
#include "dataplane/crypto/lanes/sha1.h"
#include "dataplane/crypto/lanes/wide.h"
#include "dataplane/crypto/lanes/wipe.h"
#include "lib/srtp/tag.h"

#define RUN 32 /* packets that stay in the first-level cache between cipher and hash */

/* RFC 3711 section 4.1.1. The last two octets are the block counter's. */
LANES_INLINE __m128i rtp_iv(const void *key, const struct crypto_job *job)
{
	const struct lanes_cm_key *k = key;
	uint64_t roc = __builtin_bswap32(job->index);
	uint32_t ssrc;
	uint16_t seq;

	memcpy(&ssrc, job->pkt + 8, 4);
	memcpy(&seq, job->pkt + 2, 2);
	return _mm_xor_si128(_mm_load_si128((const __m128i *)k->salt),
		_mm_set_epi64x((long long)(roc | (uint64_t)seq << 32), (long long)((uint64_t)ssrc << 32)));
}

LANES_INLINE void begin(struct four *f, const struct lanes_job *jobs, unsigned n, bool aes256)
{
	four_begin(f, jobs, n, offsetof(struct lanes_cm_key, key), rtp_iv, aes256);
}

LANES_INLINE void cipher(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	for (unsigned i = 0; i < n; i += 4) {
		struct four f;

		begin(&f, jobs + i, n - i, aes256);
		four_cipher(&f, aes256, (1u << f.n) - 1, 0, NULL);
	}
}

/* One after the other. */
LANES_INLINE void cipher_long(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	for (unsigned i = 0; i < n; i += 4) {
		struct four f;

		begin(&f, jobs + i, n - i, aes256);
		for (unsigned k = 0; k < f.n; k++) {
			struct wide w;

			wide_begin(&w, &f, k, 0, aes256);
			while (w.octets >= WIDE_OCTETS)
				wide_cipher(&w, 4, aes256);
			while (w.octets)
				wide_cipher(&w, 1, aes256);
		}
	}
}

/* Apart, each with a frame of its own: what is on it is wiped by those who call them. */
#define APART static __attribute__((noinline)) void

APART cipher_128(const struct lanes_job *jobs, unsigned n)
{
	cipher(jobs, n, false);
}

APART cipher_256(const struct lanes_job *jobs, unsigned n)
{
	cipher(jobs, n, true);
}

APART cipher_long_128(const struct lanes_job *jobs, unsigned n)
{
	cipher_long(jobs, n, false);
}

APART cipher_long_256(const struct lanes_job *jobs, unsigned n)
{
	cipher_long(jobs, n, true);
}

static void cipher_all(const struct lanes_job *jobs, unsigned n, bool aes256)
{
	unsigned fours = lanes_not_long(jobs, n);

	(aes256 ? cipher_256 : cipher_128)(jobs, fours);
	if (fours < n)
		(aes256 ? cipher_long_256 : cipher_long_128)(jobs + fours, n - fours);
}

static void hash(const struct lanes_job *jobs, unsigned n, uint8_t macs[RUN][LANES_HMAC_MAC], bool sha_ni)
{
	struct lanes_hmac h[RUN];

	for (unsigned i = 0; i < n; i++) {
		const struct crypto_job *job = jobs[i].job;

		h[i] = (struct lanes_hmac){((const struct lanes_cm_key *)jobs[i].key)->states, job->pkt,
			job->len, __builtin_bswap32(job->index), macs[i]};
	}
	lanes_hmac_sha1(h, n, sha_ni);
}

static inline unsigned run_of(unsigned n)
{
	return n < RUN ? n : RUN;
}

void lanes_cm_protect(const struct lanes_job *jobs, unsigned n, bool aes256, bool sha_ni)
{
	uint8_t macs[RUN][LANES_HMAC_MAC];

	for (; n; jobs += run_of(n), n -= run_of(n)) {
		cipher_all(jobs, run_of(n), aes256);
		hash(jobs, run_of(n), macs, sha_ni);
		for (unsigned i = 0; i < run_of(n); i++) {
			struct crypto_job *job = jobs[i].job;

			srtp_tag_copy(job->tag, macs[i], job->tag_len);
			job->status = CRYPTO_OK;
		}
	}
	lanes_wipe();
}

void lanes_cm_unprotect(const struct lanes_job *jobs, unsigned n, bool aes256, bool sha_ni)
{
	uint8_t macs[RUN][LANES_HMAC_MAC];

	for (; n; jobs += run_of(n), n -= run_of(n)) {
		struct lanes_job good[RUN];
		unsigned n_good = 0;

		hash(jobs, run_of(n), macs, sha_ni);
		for (unsigned i = 0; i < run_of(n); i++) {
			struct crypto_job *job = jobs[i].job;
			bool equal = srtp_tag_equal(job->tag, macs[i], job->tag_len);

			job->status = equal ? CRYPTO_OK : CRYPTO_TAG_FAIL;
			good[n_good] = jobs[i];
			n_good += equal;
		}
		cipher_all(good, n_good, aes256);
	}
	lanes_wipe();
}
