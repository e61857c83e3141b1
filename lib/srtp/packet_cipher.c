/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/packet_cipher.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>

#include "lib/srtp/be.h"
#include "lib/srtp/iv.h"

#define SHA1_LEN 20

static const EVP_CIPHER *cipher_of(const struct srtp_suite_info *s)
{
	bool gcm = s->cipher == SRTP_CIPHER_GCM;

	switch (s->key_len) {
	case 16:
		return gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
	case 24:
		return EVP_aes_192_ctr();
	default:
		return gcm ? EVP_aes_256_gcm() : EVP_aes_256_ctr();
	}
}

static int mac_open(struct packet_cipher *c, const uint8_t *key, size_t n)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA1";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	c->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac); /* the context holds it */
	return c->mac && EVP_MAC_init(c->mac, key, n, params) == 1 ? 0 : -EIO;
}

int packet_cipher_init(struct packet_cipher *c, const struct srtp_suite_info *s,
	const struct srtp_half_keys *keys, bool rtcp)
{
	*c = (struct packet_cipher){.suite = s, .tag_len = rtcp ? s->rtcp_tag_len : s->rtp_tag_len};
	memcpy(c->salt, keys->salt, s->salt_len);
	c->cipher = EVP_CIPHER_CTX_new();
	if (!c->cipher || EVP_CipherInit_ex(c->cipher, cipher_of(s), NULL, keys->key, NULL, 1) != 1)
		return -EIO;
	return s->auth_key_len ? mac_open(c, keys->auth, s->auth_key_len) : 0;
}

void packet_cipher_wipe(struct packet_cipher *c)
{
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MAC_CTX_free(c->mac);
	mem_wipe(c, sizeof *c);
}

/* HMAC over the packet and the word behind it (RFC 3711 sections 4.2 and 3.4). */
static int cm_tag(struct packet_cipher *c, const struct packet_job *j, uint8_t tag[SHA1_LEN])
{
	uint8_t word[4];
	size_t len;

	be32_put(word, j->word);
	if (EVP_MAC_init(c->mac, NULL, 0, NULL) != 1 || EVP_MAC_update(c->mac, j->p, j->n) != 1 ||
		EVP_MAC_update(c->mac, word, sizeof word) != 1 ||
		EVP_MAC_final(c->mac, tag, &len, SHA1_LEN) != 1 || len != SHA1_LEN)
		return -EIO;
	return 0;
}

/* The same both ways. */
static int cm_crypt(struct packet_cipher *c, const struct packet_job *j)
{
	uint8_t iv[SRTP_IV_CM_LEN];
	int len;

	if (j->plain || j->n == j->clear)
		return 0;
	srtp_iv_cm(iv, c->salt, j->ssrc, j->index);
	return EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, iv, 1) == 1 &&
			       EVP_CipherUpdate(c->cipher, j->p + j->clear, &len, j->p + j->clear,
				       (int)(j->n - j->clear)) == 1
		       ? 0
		       : -EIO;
}

static int cm_seal(struct packet_cipher *c, const struct packet_job *j, uint8_t *tag)
{
	uint8_t full[SHA1_LEN];
	int err = cm_crypt(c, j);

	if (!err)
		err = cm_tag(c, j, full);
	if (!err)
		memcpy(tag, full, c->tag_len);
	return err;
}

static int cm_open(struct packet_cipher *c, const struct packet_job *j, const uint8_t *tag)
{
	uint8_t full[SHA1_LEN];
	int err = cm_tag(c, j, full);

	if (err)
		return err;
	return mem_equal_ct(full, tag, c->tag_len) ? cm_crypt(c, j) : -EACCES;
}

/* One pass: IV, associated data, payload in place. The tag is not asked for yet. */
static int gcm_run(struct packet_cipher *c, const struct packet_job *j, int encrypt)
{
	size_t clear = j->plain ? j->n : j->clear;
	uint8_t iv[SRTP_IV_GCM_LEN], word[4];
	int len;

	srtp_iv_gcm(iv, c->salt, j->ssrc, j->index);
	be32_put(word, j->word);
	if (EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, iv, encrypt) != 1 ||
		EVP_CipherUpdate(c->cipher, NULL, &len, j->p, (int)clear) != 1 ||
		(j->word_in_aad && EVP_CipherUpdate(c->cipher, NULL, &len, word, sizeof word) != 1))
		return -EIO;
	if (j->n > clear &&
		EVP_CipherUpdate(c->cipher, j->p + clear, &len, j->p + clear, (int)(j->n - clear)) != 1)
		return -EIO;
	return 0;
}

static int gcm_seal(struct packet_cipher *c, const struct packet_job *j, uint8_t *tag)
{
	uint8_t none[16];
	int len;

	if (gcm_run(c, j, 1) || EVP_CipherFinal_ex(c->cipher, none, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, c->tag_len, tag) != 1)
		return -EIO;
	return 0;
}

static int gcm_open(struct packet_cipher *c, const struct packet_job *j, const uint8_t *tag)
{
	uint8_t none[16], expect[SRTP_TAG_MAX];
	int len;

	memcpy(expect, tag, c->tag_len);
	if (gcm_run(c, j, 0) ||
		EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, c->tag_len, expect) != 1)
		return -EIO;
	if (EVP_CipherFinal_ex(c->cipher, none, &len) == 1)
		return 0;
	/* It was decrypted while it was authenticated. The same counter blocks once more give the ciphertext
	 * back. */
	return gcm_run(c, j, 1) ? -EIO : -EACCES;
}

int packet_seal(struct packet_cipher *c, const struct packet_job *j, uint8_t *tag)
{
	return c->suite->cipher == SRTP_CIPHER_GCM ? gcm_seal(c, j, tag) : cm_seal(c, j, tag);
}

int packet_open(struct packet_cipher *c, const struct packet_job *j, const uint8_t *tag)
{
	return c->suite->cipher == SRTP_CIPHER_GCM ? gcm_open(c, j, tag) : cm_open(c, j, tag);
}
