/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM and AES-CM in lanes against OpenSSL, without the backend, which puts jobs in order: any number of
 * packets, short ones behind long ones, headers that fill whole fours, packets as long as there can be,
 * genuine ones beside forged ones. A packet ends or begins where memory does.
 */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/crypto/lanes/cm.h"
#include "dataplane/crypto/lanes/gcm.h"
#include "lib/srtp/be.h"
#include "tests/backend/hmac_states.h"
#include "tests/support/rng.h"

#define JOBS 40
#define CELL (1 << 17) /* octets for one packet, between two pages that cannot be touched */
#define GUARD 4096
#define TAG_MAX 16

struct packet {
	uint8_t key[32], salt[14], auth[20];
	struct lanes_gcm_key gcm;
	struct lanes_cm_key cm;
	bool forged;
	uint8_t *memory;
	uint8_t clear[UINT16_MAX], sealed[UINT16_MAX], tag[20];
};

static struct packet packets[JOBS];
static struct crypto_job jobs[JOBS];
static struct lanes_job list[JOBS];
static struct rng rng;
static bool aes256, cm, sha_ni;

static int open_all(void **state)
{
	(void)state;
	rng = rng_make("lanes");
	for (unsigned i = 0; i < JOBS; i++) {
		uint8_t *m = mmap(NULL, CELL + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED || mprotect(m + GUARD, CELL, PROT_READ | PROT_WRITE))
			return -1;
		packets[i].memory = m + GUARD;
	}
	return 0;
}

static void load(struct packet *p)
{
	rng_fill(&rng, p->key, sizeof(p->key));
	rng_fill(&rng, p->salt, sizeof(p->salt));
	rng_fill(&rng, p->auth, sizeof(p->auth));
	lanes_gcm_load(&p->gcm, p->key, p->salt, aes256);
	memset(&p->cm, 0, sizeof(p->cm));
	memcpy(p->cm.key, p->key, aes256 ? 32 : 16);
	memcpy(p->cm.salt, p->salt, sizeof(p->salt));
	hmac_states(p->auth, sizeof(p->auth), (uint32_t *)(void *)p->cm.states);
}

/* RFC 3711 section 4.1.1, RFC 7714 section 8.1. */
static void seal(struct packet *p, const struct crypto_job *j)
{
	const EVP_CIPHER *cipher = cm ? (aes256 ? EVP_aes_256_ctr() : EVP_aes_128_ctr())
				      : (aes256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm());
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = {0}, *ssrc = iv + (cm ? 4 : 2);
	static uint8_t text[UINT16_MAX + 4];
	unsigned mac = sizeof(p->tag);
	int n;

	memcpy(p->sealed, p->clear, j->len);
	memcpy(ssrc, p->clear + 8, 4);
	be32_put(ssrc + 4, j->index);
	memcpy(ssrc + 8, p->clear + 2, 2);
	for (unsigned i = 0; i < (cm ? 14 : 12); i++)
		iv[i] ^= p->salt[i];
	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, p->key, iv), 1);
	if (!cm)
		assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, p->clear, j->aad_len), 1);
	if (j->len > j->aad_len)
		assert_int_equal(EVP_EncryptUpdate(c, p->sealed + j->aad_len, &n, p->clear + j->aad_len,
					 j->len - j->aad_len),
			1);
	if (cm) {
		memcpy(text, p->sealed, j->len);
		be32_put(text + j->len, j->index);
		assert_non_null(HMAC(EVP_sha1(), p->auth, sizeof(p->auth), text, j->len + 4u, p->tag, &mac));
	} else {
		assert_int_equal(EVP_EncryptFinal_ex(c, p->sealed + j->len, &n), 1);
		assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_MAX, p->tag), 1);
	}
	EVP_CIPHER_CTX_free(c);
}

static void make(unsigned i, unsigned header, unsigned payload, bool protect)
{
	unsigned octets = header + payload, room = CELL - octets - TAG_MAX;
	struct packet *p = &packets[i];
	struct crypto_job *j = &jobs[i];

	load(p);
	rng_fill(&rng, p->clear, octets);
	*j = (struct crypto_job){
		.pkt = p->memory + (rng_below(&rng, 2) ? room : rng_below(&rng, 2) * rng_below(&rng, 64)),
		.len = (uint16_t)octets,
		.aad_len = (uint16_t)header,
		.index = rng_u32(&rng),
		.tag_len = cm ? 10 : 16,
		.status = CRYPTO_PENDING};
	j->tag = j->pkt + octets;
	seal(p, j);
	memcpy(j->pkt, protect ? p->clear : p->sealed, octets);
	memcpy(j->tag, p->tag, protect ? 0 : j->tag_len);
	p->forged = !protect && rng_below(&rng, 3) == 0;
	if (p->forged) {
		unsigned bit = rng_below(&rng, 8 * (octets + j->tag_len));

		j->pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memcpy(p->clear, j->pkt, octets); /* as it must stay */
	}
	list[i] = (struct lanes_job){j, cm ? (const void *)&p->cm : &p->gcm};
}

static void run_and_check(unsigned n, bool protect)
{
	if (cm)
		(protect ? lanes_cm_protect : lanes_cm_unprotect)(list, n, aes256, sha_ni);
	else
		(protect ? lanes_gcm_protect : lanes_gcm_unprotect)(list, n, aes256);
	for (unsigned i = 0; i < n; i++) {
		const struct packet *p = &packets[i];
		const struct crypto_job *j = &jobs[i];

		assert_int_equal(j->status, p->forged ? CRYPTO_TAG_FAIL : CRYPTO_OK);
		assert_memory_equal(j->pkt, protect ? p->sealed : p->clear, j->len);
		if (protect)
			assert_memory_equal(j->tag, p->tag, j->tag_len);
	}
}

/* Each suite, both ways. */
static void each_way(unsigned rounds, unsigned most, void (*draw)(unsigned *header, unsigned *payload))
{
	for (unsigned k = 0; k < 8 * rounds; k++) {
		unsigned n = 1 + rng_below(&rng, most);
		bool protect = k & 1;

		cm = k >> 1 & 1;
		aes256 = k >> 2 & 1;
		for (unsigned i = 0; i < n; i++) {
			unsigned header, payload;

			draw(&header, &payload);
			make(i, header, payload, protect);
		}
		run_and_check(n, protect);
	}
}

/* Short, about as long as where packets begin to go alone, and longer, one behind another. */
static void draw_mixed(unsigned *header, unsigned *payload)
{
	const unsigned most[] = {1, 64, 300, LANES_LONG + 100, 2600};

	*header = 12 + (rng_below(&rng, 3) ? 0 : 4 * rng_below(&rng, rng_below(&rng, 4) ? 24 : 700));
	*payload = rng_below(&rng, most[rng_below(&rng, 5)]);
}

static void any_mixture_is_as_openssl_has_it(void **state)
{
	(void)state;
	each_way(500, JOBS, draw_mixed);
}

/* Numbers of blocks above 255, headers of many fours, the longest there can be. */
static void draw_huge(unsigned *header, unsigned *payload)
{
	*header = 12 + (rng_below(&rng, 3) ? 0 : rng_below(&rng, 40000));
	*payload = rng_below(&rng, 4) ? rng_below(&rng, UINT16_MAX - *header + 1) : UINT16_MAX - *header;
}

static void any_length_is_as_openssl_has_it(void **state)
{
	(void)state;
	each_way(20, 6, draw_huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_mixture_is_as_openssl_has_it),
		cmocka_unit_test(any_length_is_as_openssl_has_it),
	};

	__builtin_cpu_init();
	/* Where there is VPCLMULQDQ, there is VAES. */
	if (!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
		!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("vpclmulqdq") ||
		!__builtin_cpu_supports("bmi2")) {
		puts("1..0 # SKIP this processor has no AVX-512 (F, BW, VL, DQ) with VAES and VPCLMULQDQ");
		return 0;
	}
	return cmocka_run_group_tests_name("lanes", tests, open_all, NULL);
}
