/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "lib/srtp/packet.h"
#include "tests/backend/packets.h"

static const struct {
	void (*rtp)(srtp_crypto_policy_t *);
	void (*rtcp)(srtp_crypto_policy_t *); /* _32 suites keep 80 bits here */
} policies[SRTP_SUITE_COUNT] = {
	/* Not AES-192: libsrtp2 2.5 derives its session keys otherwise than RFC 6188 says. */
	[SRTP_AES_CM_128_HMAC_SHA1_80] = {srtp_crypto_policy_set_rtp_default,
		srtp_crypto_policy_set_rtp_default},
	[SRTP_AES_CM_128_HMAC_SHA1_32] = {srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		srtp_crypto_policy_set_rtp_default},
	[SRTP_AES_256_CM_HMAC_SHA1_80] = {srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
	[SRTP_AES_256_CM_HMAC_SHA1_32] = {srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
	[SRTP_AEAD_AES_128_GCM] = {srtp_crypto_policy_set_aes_gcm_128_16_auth,
		srtp_crypto_policy_set_aes_gcm_128_16_auth},
	[SRTP_AEAD_AES_256_GCM] = {srtp_crypto_policy_set_aes_gcm_256_16_auth,
		srtp_crypto_policy_set_aes_gcm_256_16_auth},
};

/*
 * Cuts a whole packet into header with payload, index and tag. RTP ends with the tag. An SRTCP trailer is
 * index then tag, under AEAD tag then index (RFC 3711 section 3.4, RFC 7714 section 9.4).
 */
static void sample_cut(struct sample *s, const uint8_t *whole, size_t n)
{
	const uint8_t *trailer = whole + s->len;
	bool aead = srtp_suite_info(s->suite)->cipher == SRTP_CIPHER_GCM;

	assert_int_equal(n, s->len + s->tag_len + (s->rtcp ? SRTCP_INDEX_OCTETS : 0));
	memcpy(s->cipher, whole, s->len);
	memcpy(s->tag, trailer + (s->rtcp && !aead ? SRTCP_INDEX_OCTETS : 0), s->tag_len);
	if (s->rtcp)
		s->index = be32_get(trailer + (aead ? s->tag_len : 0));
}

static size_t sample_join(const struct sample *s, uint8_t *whole)
{
	bool aead = srtp_suite_info(s->suite)->cipher == SRTP_CIPHER_GCM;
	uint8_t *trailer = whole + s->len;

	memcpy(whole, s->cipher, s->len);
	memcpy(trailer + (s->rtcp && !aead ? SRTCP_INDEX_OCTETS : 0), s->tag, s->tag_len);
	if (s->rtcp)
		be32_put(trailer + (aead ? s->tag_len : 0), s->index);
	return s->len + s->tag_len + (s->rtcp ? SRTCP_INDEX_OCTETS : 0u);
}

static void sample_plain(struct sample *s, struct rng *r, size_t payload)
{
	unsigned csrcs = rng_below(r, 3) ? 0 : rng_below(r, 16);
	unsigned words = rng_below(r, 6);
	bool extension = rng_below(r, 3) == 0;

	if (s->rtcp) {
		payload = payload / 4 * 4;
		s->aad_len = 8;
		s->len = (uint16_t)(8 + payload);
		rng_fill(r, s->plain, s->len);
		s->plain[0] = 0x80;
		s->plain[1] = 201;
		be16_put(s->plain + 2, (uint16_t)(s->len / 4 - 1));
		return;
	}
	s->aad_len = (uint16_t)(12 + 4 * csrcs + (extension ? 4 + 4 * words : 0));
	s->len = (uint16_t)(s->aad_len + payload);
	rng_fill(r, s->plain, s->len);
	s->plain[0] = (uint8_t)(0x80 | (extension ? 0x10 : 0) | csrcs);
	s->plain[1] &= 0x8f;
	if (extension)
		be16_put(s->plain + 12 + 4 * csrcs + 2, (uint16_t)words);
}

void sample_make(struct sample *s, struct rng *r, enum srtp_suite suite, bool rtcp, size_t payload)
{
	const struct srtp_suite_info *info = srtp_suite_info(suite);
	struct srtp_context_conf conf = {
		.suite = suite, .direction = SRTP_PROTECT, .ssrc_max = 1, .replay_window = 64};
	uint8_t octets[SECRET_MAX], whole[PACKET_MAX];
	struct srtp_context *c;
	size_t n;

	memset(s, 0, sizeof(*s));
	s->suite = suite;
	s->rtcp = rtcp;
	s->clear = rtcp && rng_below(r, 4) == 0;
	s->tag_len = rtcp ? info->rtcp_tag_len : info->rtp_tag_len;
	rng_fill(r, octets, sizeof(octets));
	assert_int_equal(secret_set(&s->master, octets, srtp_suite_master_len(info)), 0);
	assert_int_equal(srtp_kdf(suite, &s->master, &s->keys), 0);
	sample_plain(s, r, payload);

	conf.master = &s->master;
	conf.srtcp_clear = s->clear;
	assert_int_equal(srtp_context_alloc(&c, &conf), 0);
	/* libsrtp2 begins SRTCP at index 1, this library at 0: both are compared at 1. */
	do {
		n = s->len;
		memcpy(whole, s->plain, n);
		if (rtcp)
			assert_int_equal(srtp_context_protect_rtcp(c, whole, &n, sizeof(whole)), 0);
		else
			assert_int_equal(srtp_context_protect(c, whole, &n, sizeof(whole)), 0);
		sample_cut(s, whole, n);
	} while (rtcp && (s->index & 0x7fffffff) == 0);
	srtp_context_free(c);
}

/* salt XOR (SSRC at octet 4 or 2, index at octet 8 or 6), octet by octet as the RFCs draw it. */
static void reference_iv(const struct sample *s, const struct srtp_half_keys *h, uint8_t iv[16])
{
	bool aead = srtp_suite_info(s->suite)->cipher == SRTP_CIPHER_GCM;
	const uint8_t *ssrc = s->plain + (s->rtcp ? 4 : 8);
	uint64_t index = s->rtcp ? s->index & 0x7fffffff : (uint64_t)s->index << 16 | be16_get(s->plain + 2);

	memset(iv, 0, 16);
	memcpy(iv, h->salt, aead ? 12 : 14);
	for (int i = 0; i < 4; i++)
		iv[(aead ? 2 : 4) + i] ^= ssrc[i];
	for (int i = 0; i < 6; i++)
		iv[(aead ? 6 : 8) + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

static void reference_cm(struct sample *s, const struct srtp_half_keys *h, const EVP_CIPHER *cipher)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[16], mac[20], input[PACKET_MAX + 4];
	int n = 0;

	reference_iv(s, h, iv);
	memcpy(s->cipher, s->plain, s->len);
	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, h->key, iv), 1);
	if (!s->clear && s->len > s->aad_len)
		assert_int_equal(EVP_EncryptUpdate(c, s->cipher + s->aad_len, &n, s->plain + s->aad_len,
					 s->len - s->aad_len),
			1);
	EVP_CIPHER_CTX_free(c);
	memcpy(input, s->cipher, s->len);
	be32_put(input + s->len, s->index);
	assert_non_null(HMAC(EVP_sha1(), h->auth, SRTP_AUTH_KEY_MAX, input, s->len + 4u, mac, NULL));
	memcpy(s->tag, mac, s->tag_len);
}

static void reference_gcm(struct sample *s, const struct srtp_half_keys *h, const EVP_CIPHER *cipher)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, aad = s->clear ? s->len : s->aad_len;
	uint8_t iv[16], index[4];

	reference_iv(s, h, iv);
	be32_put(index, s->index);
	memcpy(s->cipher, s->plain, s->len);
	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, h->key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, s->plain, aad), 1);
	if (s->rtcp)
		assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, index, 4), 1);
	if (s->len > aad)
		assert_int_equal(EVP_EncryptUpdate(c, s->cipher + aad, &n, s->plain + aad, s->len - aad), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, s->cipher + s->len, &n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, s->tag_len, s->tag), 1);
	EVP_CIPHER_CTX_free(c);
}

void sample_move(struct sample *s, uint32_t index)
{
	const struct srtp_suite_info *info = srtp_suite_info(s->suite);
	const struct srtp_half_keys *h = s->rtcp ? &s->keys.rtcp : &s->keys.rtp;

	s->index = s->rtcp ? (s->clear ? 0 : 0x80000000) | (index & 0x7fffffff) : index;
	if (info->cipher == SRTP_CIPHER_GCM)
		reference_gcm(s, h, info->key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm());
	else if (info->key_len == 16)
		reference_cm(s, h, EVP_aes_128_ctr());
	else
		reference_cm(s, h, info->key_len == 24 ? EVP_aes_192_ctr() : EVP_aes_256_ctr());
}

static srtp_t libsrtp_open(const struct sample *s)
{
	srtp_policy_t policy = {.ssrc = {.type = ssrc_specific}, .window_size = 128};
	uint8_t master[SECRET_MAX];
	srtp_t session;

	policy.ssrc.value = be32_get(s->plain + (s->rtcp ? 4 : 8));
	memcpy(master, s->master.octets, s->master.len);
	policy.key = master;
	policies[s->suite].rtp(&policy.rtp);
	policies[s->suite].rtcp(&policy.rtcp);
	if (s->clear)
		policy.rtcp.sec_serv = sec_serv_auth;
	assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

void sample_check_libsrtp(const struct sample *s)
{
	_Alignas(4) uint8_t whole[PACKET_MAX + SRTP_MAX_TRAILER_LEN];
	uint8_t expected[PACKET_MAX];
	size_t expected_len = sample_join(s, expected);
	srtp_t session;
	int n = s->len;

	if (!policies[s->suite].rtp)
		return;
	session = libsrtp_open(s);
	memcpy(whole, s->plain, s->len);
	if (s->rtcp) {
		assert_int_equal(srtp_protect_rtcp(session, whole, &n), srtp_err_status_ok);
	} else {
		if (s->index)
			assert_int_equal(srtp_set_stream_roc(session, be32_get(s->plain + 8), s->index),
				srtp_err_status_ok);
		assert_int_equal(srtp_protect(session, whole, &n), srtp_err_status_ok);
	}
	srtp_dealloc(session);
	assert_int_equal(n, expected_len);
	assert_memory_equal(whole, expected, expected_len);
}

/* Without a session that stays, Debian's build loads and unloads all of NSS for each. */
static srtp_t stays;

void references_open(void)
{
	struct sample s = {.suite = SRTP_AEAD_AES_128_GCM, .master.len = 28};

	assert_int_equal(srtp_init(), srtp_err_status_ok);
	stays = libsrtp_open(&s);
}

void references_close(void)
{
	srtp_dealloc(stays);
	srtp_shutdown();
}
