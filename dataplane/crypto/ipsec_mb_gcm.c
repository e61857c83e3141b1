/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM (RFC 7714) through the library's direct calls: at these sizes they cost no more than its burst
 * calls.
 */
#include <string.h>

#include "lib/srtp/iv.h"
#include "dataplane/crypto/ipsec_mb.h"

#define GCM_TAG 16

struct gcm_calls {
	aes_gcm_enc_dec_t encrypt, decrypt;
};

/* What a job is done with. */
struct gcm_key {
	const struct gcm_key_data *data;
	const uint8_t *salt;
};

static inline struct gcm_key key_of(struct crypto_queue *q, const struct crypto_job *job)
{
	const struct imb_gcm_rtcp_key *k = &q->gcm_rtcp[job->slot];

	if (imb_job_half(job) == IMB_RTP)
		return (struct gcm_key){&q->gcm[job->slot].data, q->gcm[job->slot].salt};
	imb_gcm_expand(q, &q->scratch.rtcp_key, q->class_of[job->slot], k->key);
	return (struct gcm_key){&q->scratch.rtcp_key, k->salt};
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
static inline __attribute__((always_inline)) void gcm_pass(struct crypto_queue *q, aes_gcm_enc_dec_t call, const struct gcm_key *key,
	const struct crypto_job *job, uint8_t tag[GCM_TAG])
{
	uint8_t *iv = q->scratch.iv[0];
	uint8_t *payload = job->pkt + job->aad_len;
	uint64_t n = (uint64_t)job->len - job->aad_len;
	uint32_t index = imb_index_wire(job), tail;
	uint8_t aad[RTCP_AAD];

	srtp_iv_gcm(iv, key->salt, imb_job_ssrc(job), imb_job_index(job));
	if (imb_job_half(job) == IMB_RTP) {
		call(key->data, &q->scratch.gcm, payload, payload, n, iv, job->pkt, job->aad_len, tag,
			GCM_TAG);
		return;
	}
	if (imb_job_ciphers(job)) {
		rtcp_aad(aad, job);
		call(key->data, &q->scratch.gcm, payload, payload, n, iv, aad, sizeof(aad), tag, GCM_TAG);
		return;
	}
	memcpy(&tail, job->pkt + job->len, sizeof(tail));
	memcpy(job->pkt + job->len, &index, sizeof(index));
	call(key->data, &q->scratch.gcm, payload, payload, 0, iv, job->pkt,
		(uint64_t)job->len + sizeof(index), tag, GCM_TAG);
	memcpy(job->pkt + job->len, &tail, sizeof(tail));
}

static void gcm_one(struct crypto_queue *q, const struct gcm_calls *calls, struct crypto_job *job)
{
	const struct gcm_key key = key_of(q, job);
	uint8_t *mac = q->scratch.mac[0];

	if (imb_job_protects(job)) {
		gcm_pass(q, calls->encrypt, &key, job, mac);
		srtp_tag_copy(job->tag, mac, GCM_TAG);
		imb_finish(q, job, CRYPTO_OK);
		return;
	}
	gcm_pass(q, calls->decrypt, &key, job, mac);
	if (srtp_tag_equal(mac, job->tag, GCM_TAG)) {
		imb_finish(q, job, CRYPTO_OK);
		return;
	}
	/* Deciphered in the same pass that made the tag: the same pass the other way gives the packet back.
	 */
	gcm_pass(q, calls->encrypt, &key, job, mac);
	imb_finish(q, job, CRYPTO_TAG_FAIL);
}

static void gcm_list(struct crypto_queue *q, const struct gcm_calls *calls, struct imb_list *list)
{
	unsigned n = list->n;

	for (unsigned i = 0; i < n; i++)
		gcm_one(q, calls, list->jobs[i]);
	list->n = 0;
	q->jobs += n;
}

void imb_gcm_run(struct crypto_queue *q)
{
	const struct gcm_calls calls[IMB_CLASSES] = {
		[IMB_GCM_128] = {q->wide->gcm128_enc, q->wide->gcm128_dec},
		[IMB_GCM_256] = {q->wide->gcm256_enc, q->wide->gcm256_dec},
	};

	for (int c = IMB_GCM_128; c <= IMB_GCM_256; c++) {
		q->batches += q->todo[c][IMB_PROTECT].n || q->todo[c][IMB_UNPROTECT].n;
		for (int way = 0; way < IMB_WAYS; way++)
			gcm_list(q, &calls[c], &q->todo[c][way]);
	}
}
