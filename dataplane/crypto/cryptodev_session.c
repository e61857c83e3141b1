/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/cryptodev.h"

#include "lib/base/secret.h"
#include "lib/srtp/iv.h"

static const struct rte_cryptodev_symmetric_capability *capability(
	uint8_t dev, enum rte_crypto_sym_xform_type type, int algorithm)
{
	struct rte_cryptodev_sym_capability_idx idx = {.type = type};

	switch (type) {
	case RTE_CRYPTO_SYM_XFORM_CIPHER:
		idx.algo.cipher = (enum rte_crypto_cipher_algorithm)algorithm;
		break;
	case RTE_CRYPTO_SYM_XFORM_AUTH:
		idx.algo.auth = (enum rte_crypto_auth_algorithm)algorithm;
		break;
	default:
		idx.algo.aead = (enum rte_crypto_aead_algorithm)algorithm;
		break;
	}
	return rte_cryptodev_sym_capability_get(dev, &idx);
}

static bool has_gcm(uint8_t dev, const struct srtp_suite_info *s)
{
	const struct rte_cryptodev_symmetric_capability *c =
		capability(dev, RTE_CRYPTO_SYM_XFORM_AEAD, RTE_CRYPTO_AEAD_AES_GCM);

	/* 12 octets: the plain RTP header, and RTCP's 8 with the index. */
	return c && rte_cryptodev_sym_capability_check_aead(
			    c, s->key_len, s->rtp_tag_len, 12, SRTP_IV_GCM_LEN) == 0;
}

static bool has_cm(uint8_t dev, const struct srtp_suite_info *s)
{
	const struct rte_cryptodev_symmetric_capability *c =
		capability(dev, RTE_CRYPTO_SYM_XFORM_CIPHER, RTE_CRYPTO_CIPHER_AES_CTR);
	const struct rte_cryptodev_symmetric_capability *a =
		capability(dev, RTE_CRYPTO_SYM_XFORM_AUTH, RTE_CRYPTO_AUTH_SHA1_HMAC);
	struct rte_cryptodev_info info;

	rte_cryptodev_info_get(dev, &info);
	return info.feature_flags & RTE_CRYPTODEV_FF_SYM_OPERATION_CHAINING && c && a &&
	       rte_cryptodev_sym_capability_check_cipher(c, s->key_len, SRTP_IV_CM_LEN) == 0 &&
	       rte_cryptodev_sym_capability_check_auth(a, s->auth_key_len, s->rtp_tag_len, 0) == 0 &&
	       rte_cryptodev_sym_capability_check_auth(a, s->auth_key_len, s->rtcp_tag_len, 0) == 0;
}

uint32_t cryptodev_suites(uint8_t dev)
{
	uint32_t suites = 0;

	for (int i = SRTP_SUITE_NONE + 1; i < SRTP_SUITE_COUNT; i++) {
		const struct srtp_suite_info *s = srtp_suite_info((enum srtp_suite)i);

		if (s->cipher == SRTP_CIPHER_GCM ? has_gcm(dev, s) : has_cm(dev, s))
			suites |= 1u << i;
	}
	return suites;
}

static void *gcm_session(struct crypto_queue *q, const struct srtp_suite_info *s,
	const struct srtp_half_keys *h, const struct crypto_job *job)
{
	struct rte_crypto_sym_xform x = {
		.type = RTE_CRYPTO_SYM_XFORM_AEAD,
		.aead =
			{
				.op = cryptodev_job_protects(job) ? RTE_CRYPTO_AEAD_OP_ENCRYPT
								  : RTE_CRYPTO_AEAD_OP_DECRYPT,
				.algo = RTE_CRYPTO_AEAD_AES_GCM,
				.key = {.data = h->key, .length = s->key_len},
				.iv = {.offset = CRYPTODEV_PRIVATE_AT, .length = SRTP_IV_GCM_LEN},
				.digest_length = job->tag_len,
				.aad_length = cryptodev_job_aad(job),
			},
	};

	return rte_cryptodev_sym_session_create(q->dev, &x, q->sessions);
}

/* Encrypt, then authenticate; the other way round authenticate, then decrypt (RFC 3711 section 3.3). */
static void *cm_session(struct crypto_queue *q, const struct srtp_suite_info *s,
	const struct srtp_half_keys *h, const struct crypto_job *job)
{
	bool protects = cryptodev_job_protects(job);
	struct rte_crypto_sym_xform cipher = {
		.type = RTE_CRYPTO_SYM_XFORM_CIPHER,
		.cipher =
			{
				.op = protects ? RTE_CRYPTO_CIPHER_OP_ENCRYPT : RTE_CRYPTO_CIPHER_OP_DECRYPT,
				.algo = RTE_CRYPTO_CIPHER_AES_CTR,
				.key = {.data = h->key, .length = s->key_len},
				.iv = {.offset = CRYPTODEV_PRIVATE_AT, .length = SRTP_IV_CM_LEN},
			},
	};
	struct rte_crypto_sym_xform auth = {
		.type = RTE_CRYPTO_SYM_XFORM_AUTH,
		.auth =
			{
				.op = protects ? RTE_CRYPTO_AUTH_OP_GENERATE : RTE_CRYPTO_AUTH_OP_VERIFY,
				.algo = RTE_CRYPTO_AUTH_SHA1_HMAC,
				.key = {.data = h->auth, .length = s->auth_key_len},
				.digest_length = job->tag_len,
			},
	};

	if (protects)
		cipher.next = &auth;
	else
		auth.next = &cipher;
	return rte_cryptodev_sym_session_create(q->dev, protects ? &cipher : &auth, q->sessions);
}

void *cryptodev_session(struct crypto_queue *q, const struct crypto_job *job)
{
	struct cryptodev_key *key = &q->keys[job->slot];
	const struct srtp_suite_info *s = srtp_suite_info(key->keys.suite);
	const struct srtp_half_keys *h = cryptodev_job_is_rtp(job) ? &key->keys.rtp : &key->keys.rtcp;
	bool gcm = s->cipher == SRTP_CIPHER_GCM;
	uint16_t aad = gcm ? cryptodev_job_aad(job) : 0;
	void *session;

	for (unsigned i = 0; i < key->n; i++)
		if (key->variants[i].op == job->op && key->variants[i].aad == aad)
			return key->variants[i].session;
	if (key->n == CRYPTODEV_VARIANTS)
		return NULL;
	session = gcm ? gcm_session(q, s, h, job) : cm_session(q, s, h, job);
	/* That it could not be made is kept too: the software does such packets, without another try. */
	key->variants[key->n++] = (struct cryptodev_variant){job->op, aad, session};
	return session;
}

void cryptodev_key_drop(struct crypto_queue *q, struct cryptodev_key *key)
{
	for (unsigned i = 0; i < key->n; i++) {
		void *session = key->variants[i].session;

		if (!session)
			continue;
		rte_cryptodev_sym_session_free(q->dev, session);
		mem_wipe(session, q->sessions->elt_size); /* nobody else takes from this pool */
	}
	mem_wipe(key, sizeof(*key));
}
