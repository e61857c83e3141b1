/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM (RFC 7714) through the library's direct calls: at these sizes they cost no more than its burst
 * calls.
 */
#include <string.h>

#include "lib/srtp/iv.h"
#include "dataplane/crypto/ipsec_mb.h"

#define GCM_TAG 16

void imb_gcm_setup(struct crypto_queue *q)
{
	q->gcm_calls[IMB_GCM_128] = (struct imb_gcm_calls){q->wide->gcm128_enc, q->wide->gcm128_dec};
	q->gcm_calls[IMB_GCM_256] = (struct imb_gcm_calls){q->wide->gcm256_enc, q->wide->gcm256_dec};
}

static inline void rtp_pass(struct crypto_queue *q, aes_gcm_enc_dec_t call, const struct crypto_job *job)
{
	const union imb_gcm_key *key = &q->gcm[job->slot];
	uint8_t *payload = job->pkt + job->aad_len, *iv = q->scratch.iv[0];

	srtp_iv_gcm(
		iv, key->salt, be32_get(job->pkt + 8), (uint64_t)job->index << 16 | be16_get(job->pkt + 2));
	call(&key->data, &q->scratch.gcm, payload, payload, (uint64_t)job->len - job->aad_len, iv, job->pkt,
		job->aad_len, q->scratch.mac[0], GCM_TAG);
}

/* SRTCP authenticates its header and, apart in the packet, the index (RFC 7714 section 9.2). */
#define RTCP_AAD 12

static void rtcp_aad(uint8_t aad[RTCP_AAD], const struct crypto_job *job)
{
	uint32_t index = imb_index_wire(job);

	memcpy(aad, job->pkt, 8);
	memcpy(aad + 8, &index, sizeof(index));
}

/* In place, or over nothing with E=0, where the whole packet and the index are authenticated. */
static ASIDE void rtcp_pass(struct crypto_queue *q, aes_gcm_enc_dec_t call, const struct crypto_job *job)
{
	const struct imb_gcm_rtcp_key *k = &q->gcm_rtcp[job->slot];
	struct gcm_key_data *key = &q->scratch.rtcp_key;
	uint8_t *payload = job->pkt + job->aad_len, *iv = q->scratch.iv[0], *tag = q->scratch.mac[0];
	uint64_t n = (uint64_t)job->len - job->aad_len;
	uint32_t index = imb_index_wire(job), tail;
	uint8_t aad[RTCP_AAD];

	imb_gcm_expand(q, key, imb_class_of(q, job->slot), k->key);
	srtp_iv_gcm(iv, k->salt, imb_job_ssrc(job), imb_job_index(job));
	if (imb_job_ciphers(job)) {
		rtcp_aad(aad, job);
		call(key, &q->scratch.gcm, payload, payload, n, iv, aad, sizeof(aad), tag, GCM_TAG);
		return;
	}
	memcpy(&tail, job->pkt + job->len, sizeof(tail));
	memcpy(job->pkt + job->len, &index, sizeof(index));
	call(key, &q->scratch.gcm, payload, payload, 0, iv, job->pkt, (uint64_t)job->len + sizeof(index), tag,
		GCM_TAG);
	memcpy(job->pkt + job->len, &tail, sizeof(tail));
}

/* The tag is in q->scratch.mac[0] then. */
static inline void pass(struct crypto_queue *q, aes_gcm_enc_dec_t call, const struct crypto_job *job)
{
	if (likely(imb_job_half(job) == IMB_RTP))
		rtp_pass(q, call, job);
	else
		rtcp_pass(q, call, job);
}

void imb_gcm_do(struct crypto_queue *q, struct crypto_job *job, enum imb_class c)
{
	const struct imb_gcm_calls *calls = &q->gcm_calls[c];
	const uint8_t *mac = q->scratch.mac[0];

	if (imb_job_protects(job)) {
		pass(q, calls->encrypt, job);
		srtp_tag_copy(job->tag, mac, GCM_TAG);
		imb_finish(q, job, CRYPTO_OK);
		return;
	}
	pass(q, calls->decrypt, job);
	if (likely(srtp_tag_equal(mac, job->tag, GCM_TAG))) {
		imb_finish(q, job, CRYPTO_OK);
		return;
	}
	/* Deciphered in the same pass that made the tag: the same pass the other way gives the packet back.
	 */
	pass(q, calls->encrypt, job);
	imb_finish(q, job, CRYPTO_TAG_FAIL);
}

void imb_gcm_run(struct crypto_queue *q)
{
	for (int c = IMB_GCM_128; c <= IMB_GCM_256; c++) {
		for (int way = 0; way < IMB_WAYS; way++) {
			struct imb_list *list = &q->todo[c][way];

			for (unsigned i = 0; i < list->n; i++)
				imb_gcm_do(q, list->jobs[i], (enum imb_class)c);
			q->jobs += list->n;
			q->batches += list->n != 0;
			list->n = 0;
		}
	}
}
