/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/srtp/rtcp_hdr.h"
#include "lib/srtp/rtp_hdr.h"
#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/kat.h"

static int managers_open(struct crypto_queue *q, const struct imb_options *o, struct err *e)
{
	static void (*const init[])(IMB_MGR *) = {
		[IMB_ISA_SSE] = init_mb_mgr_sse,
		[IMB_ISA_AVX] = init_mb_mgr_avx,
		[IMB_ISA_AVX2] = init_mb_mgr_avx2,
		[IMB_ISA_AVX512] = init_mb_mgr_avx512,
	};
	uint64_t features;
	int rc;

	q->wide = alloc_mb_mgr(0);
	if (!q->wide)
		return -ENOMEM;
	features = q->wide->features;
	rc = imb_isa_choose(features, o->isa, &q->isa, e);
	if (rc < 0)
		return rc;
	init[q->isa](q->wide);
	if (imb_get_errno(q->wide))
		return err_set(e, EIO, "intel-ipsec-mb fails its own test: %s",
			imb_get_strerror(imb_get_errno(q->wide)));
	q->vaes = q->wide->used_arch == IMB_ARCH_AVX512 && (features & IMB_FEATURE_VAES) &&
		  (features & IMB_FEATURE_VPCLMULQDQ);
	q->lanes = q->vaes && !o->no_lanes;
	q->sha_ni = features & IMB_FEATURE_SHANI;
	if (!(features & IMB_FEATURE_SHANI)) {
		q->narrow = q->wide;
		return 0;
	}
	q->narrow = alloc_mb_mgr(0);
	if (!q->narrow)
		return -ENOMEM;
	init_mb_mgr_sse(q->narrow);
	return imb_get_errno(q->narrow) ? -EIO : 0;
}

static void ipsec_mb_close(struct crypto_queue *q)
{
	size_t manager = imb_get_mb_mgr_size();

	if (!q)
		return;
	imb_keys_close(q);
	if (q->narrow && q->narrow != q->wide) {
		mem_wipe(q->narrow, manager);
		free_mb_mgr(q->narrow);
	}
	if (q->wide) {
		mem_wipe(q->wide, manager);
		free_mb_mgr(q->wide);
	}
	mem_wipe(q, sizeof(*q));
	free(q);
}

static int ipsec_mb_open(struct crypto_queue **queue, const struct crypto_conf *conf)
{
	struct imb_options options;
	struct crypto_queue *q;
	int rc = imb_options_parse(&options, conf->options, conf->err);

	if (rc < 0)
		return rc;
	if (!conf->slots)
		return -EINVAL;
	q = aligned_alloc(64, sizeof(*q));
	if (!q)
		return -ENOMEM;
	memset(q, 0, sizeof(*q));
	rc = managers_open(q, &options, conf->err);
	if (!rc)
		rc = imb_keys_open(q, conf, options.pages);
	if (!rc) {
		imb_cm_setup(q);
		imb_gcm_setup(q);
		rc = crypto_kat_run(&crypto_ipsec_mb, q);
	}
	if (rc) {
		ipsec_mb_close(q);
		return rc;
	}
	q->jobs = q->batches = 0; /* health tells of the worker's packets, not of the tests */
	*queue = q;
	return 0;
}

/* Octets of tags that RTP and SRTCP may have with keys of a class: most, and some. */
static const struct {
	uint8_t usual, other;
	uint8_t lanes; /* those of most RTP that lanes/ does; 0: none of the class, see imb_in_lanes() */
} tags[IMB_CLASSES] = {
	[IMB_CM_128] = {10, 4, .lanes = 10},
	[IMB_CM_192] = {10, 4},
	[IMB_CM_256] = {10, 4, .lanes = 10},
	[IMB_GCM_128] = {16, 16, .lanes = 16},
	[IMB_GCM_256] = {16, 16, .lanes = 16},
};

static inline bool tag_sane(const struct crypto_job *job, enum imb_class c)
{
	return job->tag_len && (job->tag_len == tags[c].usual || job->tag_len == tags[c].other);
}

/* A job of RTP that lanes/ does, with another tag than most have? */
static ASIDE bool lanes_tag_other(const struct crypto_job *job, enum imb_class c)
{
	return tags[c].lanes && tag_sane(job, c);
}

static inline bool lengths_sane(const struct crypto_job *job, unsigned header)
{
	return job->aad_len >= header && job->aad_len <= job->len;
}

/* What the stages promise, tested because a job that breaks it would reach outside its packet or its key. */
static inline bool job_sane(const struct crypto_job *job, enum imb_class c)
{
	return job->op <= CRYPTO_RTCP_UNPROTECT && tag_sane(job, c) &&
	       lengths_sane(job, imb_job_half(job) == IMB_RTP ? RTP_HDR_MIN : RTCP_HDR_LEN);
}

/* Onto the list of its kind, for poll(). */
static void put_off(struct crypto_queue *q, struct crypto_job *job, enum imb_class c)
{
	struct imb_list *list;

	if (c < IMB_CM_QUIET && (job->len == job->aad_len || !imb_job_ciphers(job)))
		c = IMB_CM_QUIET;
	list = &q->todo[c][imb_job_protects(job) ? IMB_PROTECT : IMB_UNPROTECT];
	job->status = CRYPTO_PENDING;
	list->jobs[list->n++] = job;
	q->waiting++;
}

/* One that the library does, or nobody. */
static ASIDE void library_take(struct crypto_queue *q, struct crypto_job *job)
{
	enum imb_class c = job->slot < q->slots ? imb_class_of(q, job->slot) : IMB_EMPTY;

	if (!job_sane(job, c)) {
		q->faults++;
		imb_finish(q, job, CRYPTO_FAULT);
	} else if (c >= IMB_GCM_128 && !q->lanes) {
		imb_gcm_do(q, job, c);
		q->jobs++;
		q->gcm_done = true;
	} else {
		put_off(q, job, c);
	}
}

/* One that lanes/ does. false: it is none. */
static inline bool lanes_take(struct crypto_queue *q, struct crypto_job *job)
{
	struct imb_lane_todo *t = &q->lane_todo;
	const union imb_lanes_key *key;
	unsigned kind, usual;
	enum imb_class c;

	if (unlikely(imb_job_half(job) != IMB_RTP))
		return false;
	if (likely(job->slot < q->near.slots))
		key = imb_near_key(&q->near, job->slot);
	else if (job->slot < q->slots)
		key = &q->lanes_keys[job->slot];
	else
		return false;
	c = key->gcm.mark;
	usual = tags[c].lanes;
	if (unlikely(usual == 0 || job->tag_len != usual) && !lanes_tag_other(job, c))
		return false;
	if (unlikely(!lengths_sane(job, RTP_HDR_MIN)))
		return false;
	_Static_assert(CRYPTO_RTP_PROTECT == (int)IMB_PROTECT && CRYPTO_RTP_UNPROTECT == (int)IMB_UNPROTECT,
		"of RTP the operation is the way");
	kind = (unsigned)c * IMB_WAYS + job->op;
	t->kind[t->n] = (uint8_t)kind;
	t->mixed |= (uint8_t)(kind ^ t->kind[0]);
	t->len_any |= job->len;
	t->len_all &= job->len;
	job->status = CRYPTO_PENDING;
	t->jobs[t->n++] = (struct lanes_job){job, key};
	return true;
}

static uint16_t ipsec_mb_submit(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t room = (uint16_t)(IPSEC_MB_DEPTH - q->waiting - q->lane_todo.n - q->done_n);

	if (q->faulty)
		return 0;
	if (n > room)
		n = room;
	if (q->lanes) {
		for (uint16_t i = 0; i < n; i++)
			if (unlikely(!lanes_take(q, jobs[i])))
				library_take(q, jobs[i]);
	} else {
		for (uint16_t i = 0; i < n; i++)
			library_take(q, jobs[i]);
	}
	return n;
}

/* Does all that waits. Jobs that lanes/ did stay in their list. */
static inline void work(struct crypto_queue *q)
{
	imb_lanes_run(q);
	if (unlikely(q->waiting)) {
		imb_gcm_run(q);
		imb_cm_run(q);
		q->waiting = 0;
	}
	q->batches += q->gcm_done;
	q->gcm_done = false;
}

static void lanes_forget(struct crypto_queue *q)
{
	q->lane_todo.n = q->lane_todo.len_any = q->lane_todo.mixed = 0;
	q->lane_todo.len_all = UINT16_MAX;
}

static uint16_t ipsec_mb_poll(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t k;

	work(q);
	for (uint16_t i = 0; i < q->lane_todo.n; i++)
		q->done[q->done_n++] = q->lane_todo.jobs[i].job;
	lanes_forget(q);
	for (k = 0; k < n && q->done_n; k++)
		jobs[k] = q->done[--q->done_n];
	return k;
}

static uint16_t ipsec_mb_run(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t taken = ipsec_mb_submit(q, jobs, n);

	work(q);
	lanes_forget(q);
	q->done_n = 0;
	return taken;
}

static int ipsec_mb_health(struct crypto_queue *q, struct crypto_health *out)
{
	*out = (struct crypto_health){
		.slots = q->slots,
		.slots_used = q->slots_used,
		.in_flight = (uint32_t)q->waiting + q->lane_todo.n + q->done_n,
		.jobs = q->jobs,
		.batches = q->batches,
		.faults = q->faults,
		.faulty = q->faulty,
	};
	return 0;
}

static void fault_all(struct crypto_queue *q)
{
	for (int c = 0; c < IMB_CLASSES; c++) {
		for (int way = 0; way < IMB_WAYS; way++) {
			struct imb_list *list = &q->todo[c][way];

			for (uint16_t i = 0; i < list->n; i++)
				imb_finish(q, list->jobs[i], CRYPTO_FAULT);
			list->n = 0;
		}
	}
	for (uint16_t i = 0; i < q->lane_todo.n; i++)
		imb_finish(q, q->lane_todo.jobs[i].job, CRYPTO_FAULT);
	q->faults += (uint64_t)q->waiting + q->lane_todo.n;
	q->waiting = 0;
	lanes_forget(q);
}

static int ipsec_mb_reset(struct crypto_queue *q)
{
	fault_all(q);
	q->faulty = false;
	for (uint32_t slot = 0; slot < q->slots; slot++)
		imb_key_wipe(q, slot);
	return 0;
}

static const char *ipsec_mb_how(const struct crypto_queue *q)
{
	return q->lanes ? "AVX-512, several packets at a time" : imb_isa_name(q->isa);
}

static uint32_t ipsec_mb_at_once(const struct crypto_queue *q)
{
	return q->lanes ? 0 : 1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM;
}

const struct crypto_backend crypto_ipsec_mb = {
	.name = "ipsec-mb",
	.suites = 1u << SRTP_AES_CM_128_HMAC_SHA1_80 | 1u << SRTP_AES_CM_128_HMAC_SHA1_32 |
		  1u << SRTP_AES_192_CM_HMAC_SHA1_80 | 1u << SRTP_AES_192_CM_HMAC_SHA1_32 |
		  1u << SRTP_AES_256_CM_HMAC_SHA1_80 | 1u << SRTP_AES_256_CM_HMAC_SHA1_32 |
		  1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM,
	.burst_min = 32,
	.depth = IPSEC_MB_DEPTH,
	.open = ipsec_mb_open,
	.key_load = imb_key_load,
	.key_wipe = imb_key_wipe,
	.key_fetch = imb_key_fetch,
	.submit = ipsec_mb_submit,
	.poll = ipsec_mb_poll,
	.run = ipsec_mb_run,
	.health = ipsec_mb_health,
	.reset = ipsec_mb_reset,
	.close = ipsec_mb_close,
	.keeps_near = imb_keeps_near,
	.at_once = ipsec_mb_at_once,
	.how = ipsec_mb_how,
};
