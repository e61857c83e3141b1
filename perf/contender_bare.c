/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library alone costs: keys in place, IV built, tag made and compared, but no contract, no sorting,
 * no mixed suites. The least that a backend over it can cost.
 */
#ifndef LINUX
#define LINUX
#endif
#define NO_COMPAT_IMB_API_053
#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/srtp/be.h"
#include "lib/srtp/iv.h"
#include "perf/contender.h"

#define RUN 64
#define AHEAD 6
#define PAGE_2M ((size_t)2 << 20)

struct bare_cm {
	uint8_t ipad[20], opad[20], salt[14], pad[10];
	uint8_t round_keys[240];
} __attribute__((aligned(64)));

struct bare_gcm {
	struct gcm_key_data data;
	uint8_t salt[64];
};

struct bare {
	IMB_MGR *m;
	bool gcm;
	IMB_KEY_SIZE_BYTES key_size;
	aes_gcm_enc_dec_t encrypt, decrypt;
	void *keys;
	size_t key_octets;
	IMB_JOB jobs[RUN];
	uint8_t iv[RUN][16], mac[RUN][16];
};

static void bare_close(void *ctx)
{
	struct bare *b = ctx;

	if (b->keys)
		munmap(b->keys, b->key_octets);
	if (b->m)
		free_mb_mgr(b->m);
	free(b);
}

static void hmac_state(IMB_MGR *m, const uint8_t *key, uint8_t pad, uint8_t *state)
{
	uint8_t block[64];

	memset(block, pad, sizeof(block));
	for (int i = 0; i < SRTP_AUTH_KEY_MAX; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(m, block, state);
}

static void bare_load(struct bare *b, uint32_t session, const struct srtp_half_keys *h)
{
	if (b->gcm) {
		struct bare_gcm *k = (struct bare_gcm *)b->keys + session;

		if (b->key_size == IMB_KEY_128_BYTES)
			IMB_AES128_GCM_PRE(b->m, h->key, &k->data);
		else
			IMB_AES256_GCM_PRE(b->m, h->key, &k->data);
		memcpy(k->salt, h->salt, 12);
	} else {
		struct bare_cm *k = (struct bare_cm *)b->keys + session;
		uint8_t spare[240] __attribute__((aligned(16)));

		hmac_state(b->m, h->auth, 0x36, k->ipad);
		hmac_state(b->m, h->auth, 0x5c, k->opad);
		memcpy(k->salt, h->salt, sizeof(k->salt));
		if (b->key_size == IMB_KEY_128_BYTES)
			IMB_AES_KEYEXP_128(b->m, h->key, k->round_keys, spare);
		else
			IMB_AES_KEYEXP_256(b->m, h->key, k->round_keys, spare);
	}
}

static int bare_open(void **ctx, const struct bench_load *load)
{
	const struct srtp_suite_info *info = srtp_suite_info(load->suite);
	struct bare *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->gcm = info->cipher == SRTP_CIPHER_GCM;
	b->key_size = (IMB_KEY_SIZE_BYTES)info->key_len;
	b->m = alloc_mb_mgr(0);
	b->key_octets = load->sessions * (b->gcm ? sizeof(struct bare_gcm) : sizeof(struct bare_cm));
	b->key_octets = (b->key_octets + PAGE_2M - 1) / PAGE_2M * PAGE_2M;
	b->keys = mmap(NULL, b->key_octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->keys == MAP_FAILED || !b->m) {
		b->keys = b->keys == MAP_FAILED ? NULL : b->keys;
		bare_close(b);
		return -ENOMEM;
	}
	(void)madvise(b->keys, b->key_octets, MADV_HUGEPAGE);
	init_mb_mgr_auto(b->m, NULL);
	b->encrypt = b->key_size == IMB_KEY_128_BYTES ? b->m->gcm128_enc : b->m->gcm256_enc;
	b->decrypt = b->key_size == IMB_KEY_128_BYTES ? b->m->gcm128_dec : b->m->gcm256_dec;
	for (uint32_t s = 0; s < load->sessions; s++)
		bare_load(b, s, &load->keys[s].rtp);
	*ctx = b;
	return 0;
}

/* Into the second-level cache: more of these can be under way than of the first level's. */
static void fetch(const void *p, size_t from, size_t end)
{
	for (size_t at = from / 64 * 64; at < end; at += 64)
		__asm__ volatile("prefetcht1 %0" : : "m"(*((const uint8_t *)p + at)));
}

static unsigned bare_gcm(struct bare *b, struct crypto_job *jobs, unsigned n, bool protect)
{
	aes_gcm_enc_dec_t call = protect ? b->encrypt : b->decrypt;
	struct gcm_context_data gcm;
	unsigned ok = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_job *j = &jobs[i];
		const struct bare_gcm *k = (const struct bare_gcm *)b->keys + j->slot;
		uint8_t *payload = j->pkt + j->aad_len;

		if (i + AHEAD < n) {
			unsigned powers = (unsigned)(j->len - j->aad_len + 15) / 16 + 2;
			const struct bare_gcm *next = (const struct bare_gcm *)b->keys + jobs[i + AHEAD].slot;

			fetch(next, 0, (size_t)b->key_size == 16 ? 176 : 240);
			fetch(next, 1008 - 16 * (powers < 48 ? powers : 48), 1024 + 12);
		}
		srtp_iv_gcm(b->iv[0], k->salt, be32_get(j->pkt + 8),
			(uint64_t)j->index << 16 | be16_get(j->pkt + 2));
		call(&k->data, &gcm, payload, payload, (uint64_t)j->len - j->aad_len, b->iv[0], j->pkt,
			j->aad_len, protect ? j->tag : b->mac[0], 16);
		ok += protect || !memcmp(b->mac[0], j->tag, 16);
	}
	return ok;
}

/* The first touch of each key's page in a loop of its own, then its lines, into the second-level cache. */
static void keys_fetch(const struct bare *b, const struct crypto_job *jobs, unsigned n)
{
	const struct bare_cm *keys = b->keys;

	for (unsigned i = 0; i < n; i++)
		fetch(&keys[jobs[i].slot], 0, 1);
	for (unsigned i = 0; i < n; i++)
		fetch(&keys[jobs[i].slot], 0, 64 + 11 * (size_t)b->key_size);
}

static unsigned bare_cm_run(struct bare *b, struct crypto_job *jobs, unsigned n, bool protect)
{
	unsigned ok = 0;

	keys_fetch(b, jobs, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_job *j = &jobs[i];
		const struct bare_cm *k = (const struct bare_cm *)b->keys + j->slot;
		uint32_t roc = __builtin_bswap32(j->index);
		IMB_JOB *job = &b->jobs[i];

		srtp_iv_cm(b->iv[i], k->salt, be32_get(j->pkt + 8),
			(uint64_t)j->index << 16 | be16_get(j->pkt + 2));
		memcpy(j->pkt + j->len, &roc, sizeof(roc));
		job->enc_keys = k->round_keys;
		job->key_len_in_bytes = b->key_size;
		job->src = j->pkt;
		job->dst = j->pkt + j->aad_len;
		job->cipher_start_src_offset_in_bytes = j->aad_len;
		job->msg_len_to_cipher_in_bytes = (uint64_t)j->len - j->aad_len;
		job->msg_len_to_hash_in_bytes = (uint64_t)j->len + 4;
		job->iv = b->iv[i];
		job->iv_len_in_bytes = 16;
		job->auth_tag_output = b->mac[i];
		job->auth_tag_output_len_in_bytes = 12;
		job->u.HMAC._hashed_auth_key_xor_ipad = k->ipad;
		job->u.HMAC._hashed_auth_key_xor_opad = k->opad;
	}
	if (protect)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
			b->m, b->jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, b->key_size);
	IMB_SUBMIT_HASH_BURST_NOCHECK(b->m, b->jobs, n, IMB_AUTH_HMAC_SHA_1);
	for (unsigned i = 0; i < n; i++) {
		if (protect)
			memcpy(jobs[i].tag, b->mac[i], 10);
		ok += protect || !memcmp(b->mac[i], jobs[i].tag, jobs[i].tag_len);
	}
	if (!protect)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
			b->m, b->jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, b->key_size);
	return ok;
}

static unsigned bare_run(void *ctx, struct crypto_job *jobs, unsigned n, bool protect)
{
	struct bare *b = ctx;
	unsigned ok = 0;

	if (b->gcm)
		return bare_gcm(b, jobs, n, protect);
	for (unsigned first = 0; first < n; first += RUN) {
		unsigned count = n - first < RUN ? n - first : RUN;

		ok += bare_cm_run(b, jobs + first, count, protect);
	}
	return ok;
}

const struct contender contender_bare = {
	.name = "bare",
	.open = bare_open,
	.run = bare_run,
	.close = bare_close,
};
