/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-CM with HMAC-SHA1 (RFC 3711, RFC 6188). The library's chained jobs finish late and decrypt before the
 * tag is known; its cipher and hash bursts are synchronous, so that a packet with a wrong tag is never
 * touched. One run: cipher what is to be protected, one hash burst over everything in both directions,
 * compare, cipher what authenticated.
 */
#include <string.h>

#include "lib/srtp/iv.h"
#include "dataplane/crypto/ipsec_mb.h"

/* The library refuses tags of 10 octets; 12 go into our own scratch and the first tag_len are taken. */
#define HMAC_OCTETS 12

static const uint8_t cm_key_octets[IMB_CLASSES] = {
	[IMB_CM_128] = 16,
	[IMB_CM_192] = 24,
	[IMB_CM_256] = 32,
};

/* Fields of the library's jobs that never change. */
void imb_cm_setup(struct crypto_queue *q)
{
	for (int i = 0; i < IPSEC_MB_RUN; i++) {
		IMB_JOB *j = &q->scratch.run[i];

		j->cipher_mode = IMB_CIPHER_CNTR;
		j->cipher_direction = IMB_DIR_ENCRYPT;
		j->chain_order = IMB_ORDER_CIPHER_HASH;
		j->hash_alg = IMB_AUTH_HMAC_SHA_1;
		j->hash_start_src_offset_in_bytes = 0;
		j->iv_len_in_bytes = SRTP_IV_CM_LEN;
		j->auth_tag_output = q->scratch.mac[i];
		j->auth_tag_output_len_in_bytes = HMAC_OCTETS;
	}
}

/* Jobs in the order in which they run: by way, then by class; n_protect of n are to protect. */
struct cm_run {
	unsigned n, n_protect;
	struct crypto_job *jobs[IPSEC_MB_RUN];
	uint8_t classes[IPSEC_MB_RUN]; /* enum imb_class */
	uint32_t tails[IPSEC_MB_RUN];  /* what stood behind each packet */
};

/*
 * One library job for both bursts. The index must follow the payload in memory to be authenticated: it is put
 * there, and what stood there is kept.
 */
static void cm_fill(struct crypto_queue *q, struct cm_run *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct crypto_job *job = r->jobs[i];
		const struct imb_cm_key *key = &q->cm[imb_job_half(job)][job->slot];
		uint32_t index = imb_index_wire(job);
		IMB_JOB *j = &q->scratch.run[i];

		srtp_iv_cm(q->scratch.iv[i], key->salt, imb_job_ssrc(job), imb_job_index(job));
		memcpy(&r->tails[i], job->pkt + job->len, sizeof(index));
		memcpy(job->pkt + job->len, &index, sizeof(index));
		j->src = job->pkt;
		j->dst = job->pkt + job->aad_len;
		j->enc_keys = key->round_keys;
		j->dec_keys = key->round_keys;
		j->key_len_in_bytes = cm_key_octets[r->classes[i]];
		j->iv = q->scratch.iv[i];
		j->cipher_start_src_offset_in_bytes = job->aad_len;
		j->msg_len_to_cipher_in_bytes = (uint64_t)job->len - job->aad_len;
		j->msg_len_to_hash_in_bytes = (uint64_t)job->len + sizeof(index);
		j->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
		j->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	}
}

static void cm_restore_tails(struct cm_run *r)
{
	for (unsigned i = 0; i < r->n; i++)
		memcpy(r->jobs[i]->pkt + r->jobs[i]->len, &r->tails[i], sizeof(r->tails[i]));
}

/*
 * Ciphers jobs first to end in place, one burst for each class; its own inverse. False when the library
 * refused a burst, which it does before it touches any packet of it.
 */
static bool cm_cipher(struct crypto_queue *q, const struct cm_run *r, unsigned first, unsigned end)
{
	bool ok = true;

	for (unsigned next; first < end; first = next) {
		uint8_t c = r->classes[first];
		unsigned n;

		for (next = first + 1; next < end && r->classes[next] == c; next++)
			;
		n = next - first;
		if (c != IMB_CM_QUIET)
			ok &= IMB_SUBMIT_CIPHER_BURST_NOCHECK(q->wide, &q->scratch.run[first], n,
				      IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
				      (IMB_KEY_SIZE_BYTES)cm_key_octets[c]) == n;
	}
	return ok;
}

static bool cm_hash(struct crypto_queue *q, const struct cm_run *r)
{
	IMB_MGR *m = r->n >= IPSEC_MB_WIDE_MIN ? q->wide : q->narrow;

	return IMB_SUBMIT_HASH_BURST_NOCHECK(m, q->scratch.run, r->n, IMB_AUTH_HMAC_SHA_1) == r->n;
}

/* Ends those to unprotect whose tag is wrong; the others move together, library jobs with them. */
static unsigned cm_verify(struct crypto_queue *q, struct cm_run *r)
{
	unsigned end = r->n_protect;

	for (unsigned i = r->n_protect; i < r->n; i++) {
		if (!srtp_tag_equal(r->jobs[i]->tag, q->scratch.mac[i], r->jobs[i]->tag_len)) {
			imb_finish(q, r->jobs[i], CRYPTO_TAG_FAIL);
			continue;
		}
		if (end != i) {
			uint8_t *mac = q->scratch.run[end].auth_tag_output;

			q->scratch.run[end] = q->scratch.run[i];
			q->scratch.run[end].auth_tag_output = mac;
			r->jobs[end] = r->jobs[i];
			r->classes[end] = r->classes[i];
		}
		end++;
	}
	return end;
}

static void cm_fail(struct crypto_queue *q, struct cm_run *r, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		imb_finish(q, r->jobs[i], CRYPTO_FAULT);
	q->faults += end - first;
	q->faulty = true;
}

static void cm_execute(struct crypto_queue *q, struct cm_run *r)
{
	bool ciphered, hashed;
	unsigned end;

	cm_fill(q, r);
	ciphered = cm_cipher(q, r, 0, r->n_protect);
	hashed = ciphered && cm_hash(q, r);
	cm_restore_tails(r);
	if (!hashed) {
		if (ciphered)
			(void)cm_cipher(q, r, 0, r->n_protect);
		cm_fail(q, r, 0, r->n);
		return;
	}
	for (unsigned i = 0; i < r->n_protect; i++) {
		srtp_tag_copy(r->jobs[i]->tag, q->scratch.mac[i], r->jobs[i]->tag_len);
		imb_finish(q, r->jobs[i], CRYPTO_OK);
	}
	end = cm_verify(q, r);
	if (!cm_cipher(q, r, r->n_protect, end)) {
		cm_fail(q, r, r->n_protect, end);
		return;
	}
	for (unsigned i = r->n_protect; i < end; i++)
		imb_finish(q, r->jobs[i], CRYPTO_OK);
}

static void cm_flush(struct crypto_queue *q, struct cm_run *r)
{
	if (!r->n)
		return;
	cm_execute(q, r);
	q->batches++;
	q->jobs += r->n;
	r->n = r->n_protect = 0;
}

void imb_cm_run(struct crypto_queue *q)
{
	struct cm_run r;

	r.n = r.n_protect = 0;
	for (int way = 0; way < IMB_WAYS; way++) {
		for (uint8_t c = IMB_CM_128; c <= IMB_CM_QUIET; c++) {
			struct imb_list *list = &q->todo[c][way];

			for (unsigned i = 0; i < list->n; i++) {
				r.classes[r.n] = c;
				r.jobs[r.n++] = list->jobs[i];
				r.n_protect += way == IMB_PROTECT;
				if (r.n == IPSEC_MB_RUN)
					cm_flush(q, &r);
			}
			list->n = 0;
		}
	}
	cm_flush(q, &r);
}
