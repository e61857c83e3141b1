/* SPDX-License-Identifier: Apache-2.0 */
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

#include "sim/test/model.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static IMB_MGR *manager(void)
{
	static IMB_MGR *m;

	if (!m) {
		m = alloc_mb_mgr(0);
		must(m != NULL);
		init_mb_mgr_auto(m, NULL);
	}
	return m;
}

/* XORs the n octets of v, highest first, into what ends at `end`. */
static void xor_number(uint8_t *end, uint64_t v, unsigned n)
{
	for (; n--; v >>= 8)
		*--end ^= (uint8_t)v;
}

static uint64_t number(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* RFC 3711 section 4.1.1, RFC 7714 sections 8.1 and 9.1: the salt, with SSRC and the packet's index. n:
 * octets of the IV, which in counter mode are followed by the block counter's two. */
static void iv_of(const struct model_packet *p, unsigned n, uint8_t iv[16])
{
	memcpy(iv, p->keys->salt, n);
	xor_number(iv + n - 6, number(p->pkt + (p->rtcp ? 4 : 8), 4), 4);
	if (p->rtcp)
		xor_number(iv + n, p->index & 0x7fffffff, 6);
	else
		xor_number(iv + n, (uint64_t)p->index << 16 | number(p->pkt + 2, 2), 6);
}

static void hmac_state(IMB_MGR *m, const uint8_t *key, uint8_t pad, uint32_t state[5])
{
	uint8_t block[64];

	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] = pad ^ (i < SRTP_AUTH_KEY_MAX ? key[i] : 0);
	IMB_SHA1_ONE_BLOCK(m, block, state);
}

static void protect_cm(const struct model_packet *p, size_t from, size_t key_len, uint8_t mac[20])
{
	IMB_MGR *m = manager();
	IMB_JOB *job = IMB_GET_NEXT_JOB(m);
	DECLARE_ALIGNED(uint32_t round_keys[60], 16);
	DECLARE_ALIGNED(uint32_t unused[60], 16);
	uint8_t iv[16] = {0}, message[4096];
	uint32_t inner[5], outer[5];

	if (key_len == 32)
		IMB_AES_KEYEXP_256(m, p->keys->key, round_keys, unused);
	else
		IMB_AES_KEYEXP_128(m, p->keys->key, round_keys, unused);
	hmac_state(m, p->keys->auth, 0x36, inner);
	hmac_state(m, p->keys->auth, 0x5c, outer);
	iv_of(p, 14, iv);
	memcpy(message, p->pkt, p->len);
	memset(message + p->len, 0, 4);
	xor_number(message + p->len + 4, p->index, 4);
	*job = (IMB_JOB){
		.enc_keys = round_keys,
		.dec_keys = round_keys,
		.key_len_in_bytes = key_len,
		.src = message,
		.dst = message + from,
		.cipher_start_src_offset_in_bytes = from,
		.msg_len_to_cipher_in_bytes = p->len - from,
		.hash_start_src_offset_in_bytes = 0,
		.msg_len_to_hash_in_bytes = p->len + 4,
		.iv = iv,
		.iv_len_in_bytes = 16,
		.auth_tag_output = mac,
		.auth_tag_output_len_in_bytes = 20,
		.u.HMAC = {._hashed_auth_key_xor_ipad = (uint8_t *)inner,
			._hashed_auth_key_xor_opad = (uint8_t *)outer},
		.cipher_mode = p->len > from ? IMB_CIPHER_CNTR : IMB_CIPHER_NULL,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.hash_alg = IMB_AUTH_HMAC_SHA_1,
		.chain_order = IMB_ORDER_CIPHER_HASH,
	};
	job = IMB_SUBMIT_JOB(m);
	if (!job)
		job = IMB_FLUSH_JOB(m);
	must(job && job->status == IMB_STATUS_COMPLETED);
	memcpy(p->pkt, message, p->len);
}

static void protect_gcm(const struct model_packet *p, size_t from, size_t key_len, uint8_t tag[16])
{
	IMB_MGR *m = manager();
	struct gcm_key_data key;
	struct gcm_context_data context;
	uint8_t iv[16] = {0}, aad[4096];
	size_t aad_len = from;

	if (p->rtcp) { /* RFC 7714 section 9.2: all that is sent in the clear, then the E flag and index */
		aad_len += 4;
		memset(aad + from, 0, 4);
		xor_number(aad + aad_len, p->index, 4);
	}
	memcpy(aad, p->pkt, from);
	iv_of(p, 12, iv);
	if (key_len == 32) {
		IMB_AES256_GCM_PRE(m, p->keys->key, &key);
		IMB_AES256_GCM_ENC(m, &key, &context, p->pkt + from, p->pkt + from, p->len - from, iv, aad,
			aad_len, tag, 16);
	} else {
		IMB_AES128_GCM_PRE(m, p->keys->key, &key);
		IMB_AES128_GCM_ENC(m, &key, &context, p->pkt + from, p->pkt + from, p->len - from, iv, aad,
			aad_len, tag, 16);
	}
}

size_t model_protect_ipsec_mb(const struct model_packet *p, uint8_t tag[SRTP_TAG_MAX])
{
	const struct srtp_suite_info *s = srtp_suite_info(p->suite);
	size_t from = p->rtcp && !(p->index >> 31) ? p->len : p->aad;
	uint8_t mac[20];
	size_t octets = p->rtcp ? s->rtcp_tag_len : s->rtp_tag_len;

	if (s->cipher == SRTP_CIPHER_GCM)
		protect_gcm(p, from, s->key_len, mac);
	else
		protect_cm(p, from, s->key_len, mac);
	memcpy(tag, mac, octets);
	return octets;
}
