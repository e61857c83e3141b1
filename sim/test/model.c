/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/test/model.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static EVP_CIPHER_CTX *cipher_ctx(void)
{
	static EVP_CIPHER_CTX *c;

	if (!c)
		c = EVP_CIPHER_CTX_new();
	must(c != NULL && EVP_CIPHER_CTX_reset(c) == 1);
	return c;
}

/* RFC 3711 section 4.1.1, 4.2.1. */
static size_t protect_cm(const struct model_packet *p, const struct srtp_suite_info *s, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = cipher_ctx();
	uint8_t iv[16] = {0}, mac[EVP_MAX_MD_SIZE], message[4096];
	bool clear = p->rtcp && !(p->index >> 31);
	unsigned n;
	int k = 0;

	memcpy(iv, p->keys->salt, 14);
	for (int i = 0; i < 4; i++)
		iv[4 + i] ^= p->pkt[(p->rtcp ? 4 : 8) + i];
	if (p->rtcp) {
		uint8_t index[4];
		put32(index, p->index & 0x7fffffff);
		for (int i = 0; i < 4; i++)
			iv[10 + i] ^= index[i];
	} else {
		uint8_t roc[4];
		put32(roc, p->index);
		for (int i = 0; i < 4; i++)
			iv[8 + i] ^= roc[i];
		iv[12] ^= p->pkt[2], iv[13] ^= p->pkt[3];
	}
	if (!clear && p->len > p->aad) {
		must(EVP_EncryptInit_ex(
			c, s->key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, p->keys->key, iv));
		must(EVP_EncryptUpdate(c, p->pkt + p->aad, &k, p->pkt + p->aad, (int)(p->len - p->aad)));
	}
	memcpy(message, p->pkt, p->len);
	put32(message + p->len, p->index);
	must(HMAC(EVP_sha1(), p->keys->auth, SRTP_AUTH_KEY_MAX, message, p->len + 4, mac, &n) != NULL);
	n = p->rtcp ? s->rtcp_tag_len : s->rtp_tag_len;
	memcpy(tag, mac, n);
	return n;
}

/* RFC 7714 sections 8 and 9. */
static size_t protect_gcm(const struct model_packet *p, const struct srtp_suite_info *s, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = cipher_ctx();
	uint8_t iv[12] = {0}, word[4];
	bool clear = p->rtcp && !(p->index >> 31);
	size_t aad = clear ? p->len : p->aad;
	int k = 0;

	memcpy(iv + 2, p->pkt + (p->rtcp ? 4 : 8), 4);
	if (p->rtcp) {
		put32(iv + 8, p->index & 0x7fffffff);
	} else {
		put32(iv + 6, p->index);
		memcpy(iv + 10, p->pkt + 2, 2);
	}
	for (int i = 0; i < 12; i++)
		iv[i] ^= p->keys->salt[i];
	must(EVP_EncryptInit_ex(
		c, s->key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL, p->keys->key, iv));
	must(EVP_EncryptUpdate(c, NULL, &k, p->pkt, (int)aad));
	put32(word, p->index);
	if (p->rtcp)
		must(EVP_EncryptUpdate(c, NULL, &k, word, 4));
	if (p->len > aad)
		must(EVP_EncryptUpdate(c, p->pkt + aad, &k, p->pkt + aad, (int)(p->len - aad)));
	must(EVP_EncryptFinal_ex(c, p->pkt, &k));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, tag));
	return 16;
}

size_t model_protect(const struct model_packet *p, uint8_t tag[SRTP_TAG_MAX])
{
	const struct srtp_suite_info *s = srtp_suite_info(p->suite);

	return s->cipher == SRTP_CIPHER_GCM ? protect_gcm(p, s, tag) : protect_cm(p, s, tag);
}
