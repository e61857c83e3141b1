/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/kdf.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

enum label { RTP_KEY, RTP_AUTH, RTP_SALT, RTCP_KEY, RTCP_AUTH, RTCP_SALT };

/* In the 14-octet salt, where the label of key_id = label || r (r is 6 octets, 0 without a derivation rate)
 * falls. */
#define LABEL_OCTET 7

static const EVP_CIPHER *prf_cipher(unsigned key_len)
{
	switch (key_len) {
	case 16:
		return EVP_aes_128_ctr();
	case 24:
		return EVP_aes_192_ctr();
	default:
		return EVP_aes_256_ctr();
	}
}

/* n octets of AES-CM keystream for one label. iv: the master salt, zero to 16 octets; given back as it was.
 */
static int derive(EVP_CIPHER_CTX *prf, uint8_t iv[16], enum label label, uint8_t *out, unsigned n)
{
	int len = 0;

	memset(out, 0, n);
	if (!n)
		return 0;
	iv[LABEL_OCTET] ^= (uint8_t)label;
	int ok = EVP_EncryptInit_ex(prf, NULL, NULL, NULL, iv) == 1 &&
		 EVP_EncryptUpdate(prf, out, &len, out, (int)n) == 1 && len == (int)n;

	iv[LABEL_OCTET] ^= (uint8_t)label;
	return ok ? 0 : -EIO;
}

static int derive_half(EVP_CIPHER_CTX *prf, const struct srtp_suite_info *s, uint8_t iv[16], enum label first,
	struct srtp_half_keys *out)
{
	if (derive(prf, iv, first, out->key, s->key_len) ||
		derive(prf, iv, first + (RTP_AUTH - RTP_KEY), out->auth, s->auth_key_len) ||
		derive(prf, iv, first + (RTP_SALT - RTP_KEY), out->salt, s->salt_len))
		return -EIO;
	return 0;
}

int srtp_kdf(enum srtp_suite suite, const struct secret *master, struct srtp_session_keys *out)
{
	const struct srtp_suite_info *s = srtp_suite_info(suite);
	uint8_t iv[16] = {0}; /* RFC 7714 section 11: a 12-octet salt is padded to 14 on the right */
	int err = -EIO;

	srtp_session_keys_wipe(out);
	if (!s || s->cipher == SRTP_CIPHER_NULL || master->len != srtp_suite_master_len(s))
		return -EINVAL;
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();

	if (!prf)
		return -EIO;
	memcpy(iv, master->octets + s->key_len, s->salt_len);
	if (EVP_EncryptInit_ex(prf, prf_cipher(s->key_len), NULL, master->octets, iv) != 1)
		goto out;
	out->suite = suite;
	if (!derive_half(prf, s, iv, RTP_KEY, &out->rtp) && !derive_half(prf, s, iv, RTCP_KEY, &out->rtcp))
		err = 0;
out:
	EVP_CIPHER_CTX_free(prf); /* wipes its key schedule */
	mem_wipe(iv, sizeof iv);
	if (err)
		srtp_session_keys_wipe(out);
	return err;
}

void srtp_session_keys_wipe(struct srtp_session_keys *keys)
{
	mem_wipe(keys, sizeof *keys);
}
