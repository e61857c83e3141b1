/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/cryptodev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/crypto/kat.h"
#include "lib/base/secret.h"
#include "lib/srtp/be.h"
#include "lib/srtp/iv.h"

#define HANG_MS 2 /* without an answer for so long a device has failed; it takes some ten microseconds */
#define HANG_LOOKS 1000 /* and not before so many looks: this process itself may have stood still */
#define DRAIN_US 1000   /* that a reset waits for what is inside */

/* Entries that the device has. */
static unsigned inside(const struct crypto_queue *q)
{
	return CRYPTODEV_DEPTH - q->n_free;
}

static unsigned jobs_inside(const struct crypto_queue *q)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CRYPTODEV_DEPTH && inside(q); i++)
		n += q->entries[i].job != NULL;
	return n;
}

/* The device is out of use until reset(). */
static void give_up(struct crypto_queue *q)
{
	q->done.faulty = true;
	for (unsigned i = 0; i < CRYPTODEV_DEPTH; i++) {
		if (!q->entries[i].job)
			continue;
		crypto_done_put(&q->done, q->entries[i].job, CRYPTO_FAULT);
		q->entries[i].job = NULL;
	}
}

static void cryptodev_close(struct crypto_queue *q)
{
	if (!q)
		return;
	if (q->keys)
		for (uint32_t i = 0; i < q->slots; i++)
			cryptodev_key_drop(q, &q->keys[i]);
	cryptodev_device_close(q);
	free(q->keys);
	free(q);
}

/* Known answers of the suites that this device has, uncounted. */
static int self_test(struct crypto_queue *q)
{
	struct crypto_backend this = crypto_cryptodev_device;
	struct crypto_counts counts = q->done.counts;
	int rc;

	this.suites = q->suites;
	rc = crypto_kat_run(&this, q);
	q->done.counts = counts;
	return rc;
}

static int cryptodev_open(struct crypto_queue **queue, const struct crypto_conf *conf)
{
	struct crypto_queue *q;
	int rc;

	if (!conf->slots)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	rc = cryptodev_device_open(q, conf, conf->err);
	if (rc == 0) {
		q->keys = calloc(q->slots, sizeof(*q->keys));
		rc = q->keys ? self_test(q) : -ENOMEM;
		if (rc)
			err_set(conf->err, -rc, "device %s gives a wrong known answer, or none", q->name);
	}
	if (rc) {
		cryptodev_close(q);
		return rc;
	}
	*queue = q;
	return 0;
}

static void cryptodev_key_wipe(struct crypto_queue *q, uint32_t slot)
{
	if (slot >= q->slots || !q->keys[slot].used)
		return;
	/* A device that failed may still read its sessions: reset() frees them. */
	if (!q->done.faulty)
		cryptodev_key_drop(q, &q->keys[slot]);
	/* An IV gives its salt away. */
	for (unsigned i = 0; i < q->n_free; i++)
		mem_wipe(cryptodev_private_of(q->entries[q->free[i]].op)->iv, 16);
	q->keys[slot].used = false;
	q->slots_used--;
}

static int cryptodev_key_load(struct crypto_queue *q, uint32_t slot, const struct srtp_session_keys *keys)
{
	if ((unsigned)keys->suite >= SRTP_SUITE_COUNT || !(q->suites >> keys->suite & 1))
		return -ENOTSUP;
	if (slot >= q->slots)
		return -ENOSPC;
	if (q->done.faulty)
		return -EIO;
	cryptodev_key_wipe(q, slot);
	q->keys[slot].keys = *keys;
	q->keys[slot].used = true;
	q->slots_used++;
	return 0;
}

/* What would reach outside the packet's memory, or is another suite's. */
static bool job_sane(const struct crypto_queue *q, const struct crypto_job *job)
{
	const struct srtp_suite_info *s;
	bool rtp = cryptodev_job_is_rtp(job);

	if (job->slot >= q->slots || !q->keys[job->slot].used || job->op > CRYPTO_RTCP_UNPROTECT)
		return false;
	s = srtp_suite_info(q->keys[job->slot].keys.suite);
	return job->tag_len == (rtp ? s->rtp_tag_len : s->rtcp_tag_len) && job->aad_len >= (rtp ? 12 : 8) &&
	       job->aad_len <= job->len && job->len <= CRYPTODEV_LEN_MAX;
}

/* Devices differ in what they make of nothing to encrypt, so that such packets are not given to them. */
static bool cryptodev_fits(struct crypto_queue *q, const struct crypto_job *job)
{
	bool ciphers = cryptodev_job_is_rtp(job) || job->index >> 31;

	return job_sane(q, job) && ciphers && job->len > job->aad_len &&
	       cryptodev_job_aad(job) <= CRYPTODEV_AAD_MAX && cryptodev_session(q, job);
}

static void set_gcm(const struct cryptodev_key *key, struct rte_crypto_op *op, uint8_t *data,
	const struct crypto_job *job)
{
	bool rtp = cryptodev_job_is_rtp(job);
	const uint8_t *salt = rtp ? key->keys.rtp.salt : key->keys.rtcp.salt;
	struct cryptodev_private *p = cryptodev_private_of(op);
	struct rte_crypto_sym_op *sym = op->sym;

	srtp_iv_gcm(p->iv, salt, be32_get(data + (rtp ? 8 : 4)),
		rtp ? (uint64_t)job->index << 16 | be16_get(data + 2) : job->index & 0x7fffffff);
	memcpy(p->aad, data, job->aad_len);
	if (!rtp)
		be32_put(p->aad + job->aad_len, job->index);
	sym->aead.data.offset = job->aad_len;
	sym->aead.data.length = job->len - job->aad_len;
	sym->aead.digest.data = data + job->len;
	sym->aead.digest.phys_addr = rte_pktmbuf_iova_offset(sym->m_src, job->len);
	sym->aead.aad.data = p->aad;
	sym->aead.aad.phys_addr = rte_crypto_op_ctophys_offset(
		op, CRYPTODEV_PRIVATE_AT + offsetof(struct cryptodev_private, aad));
}

/* What is authenticated is the packet and the ROC, or the SRTCP index, behind it; then comes the tag. */
static void set_cm(const struct cryptodev_key *key, struct rte_crypto_op *op, uint8_t *data,
	const struct crypto_job *job)
{
	bool rtp = cryptodev_job_is_rtp(job);
	const uint8_t *salt = rtp ? key->keys.rtp.salt : key->keys.rtcp.salt;
	struct rte_crypto_sym_op *sym = op->sym;

	srtp_iv_cm(cryptodev_private_of(op)->iv, salt, be32_get(data + (rtp ? 8 : 4)),
		rtp ? (uint64_t)job->index << 16 | be16_get(data + 2) : job->index & 0x7fffffff);
	be32_put(data + job->len, job->index);
	sym->cipher.data.offset = job->aad_len;
	sym->cipher.data.length = job->len - job->aad_len;
	sym->auth.data.offset = 0;
	sym->auth.data.length = job->len + SRTCP_INDEX_OCTETS;
	sym->auth.digest.data = data + job->len + SRTCP_INDEX_OCTETS;
	sym->auth.digest.phys_addr = rte_pktmbuf_iova_offset(sym->m_src, job->len + SRTCP_INDEX_OCTETS);
}

static uint8_t *tag_of(const struct cryptodev_entry *n, const struct crypto_job *job)
{
	return rte_pktmbuf_mtod(n->m, uint8_t *) + n->m->data_len - job->tag_len;
}

static struct rte_crypto_op *prepare(struct crypto_queue *q, struct crypto_job *job, void *session)
{
	struct cryptodev_entry *n = &q->entries[q->free[--q->n_free]];
	const struct cryptodev_key *key = &q->keys[job->slot];
	bool gcm = srtp_suite_info(key->keys.suite)->cipher == SRTP_CIPHER_GCM;
	uint8_t *data = rte_pktmbuf_mtod(n->m, uint8_t *);

	n->job = job;
	n->op->status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
	n->op->sess_type = RTE_CRYPTO_OP_WITH_SESSION;
	n->op->sym->session = session;
	n->op->sym->m_dst = NULL;
	n->m->data_len = (uint16_t)(job->len + (gcm ? 0 : SRTCP_INDEX_OCTETS) + job->tag_len);
	n->m->pkt_len = n->m->data_len;
	memcpy(data, job->pkt, job->len);
	if (gcm)
		set_gcm(key, n->op, data, job);
	else
		set_cm(key, n->op, data, job);
	if (!cryptodev_job_protects(job))
		memcpy(tag_of(n, job), job->tag, job->tag_len);
	job->status = CRYPTO_PENDING;
	return n->op;
}

static struct cryptodev_entry *entry_of(struct crypto_queue *q, struct rte_crypto_op *op)
{
	return &q->entries[cryptodev_private_of(op)->entry];
}

static uint16_t cryptodev_submit(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	struct rte_crypto_op *ops[CRYPTODEV_DEPTH];
	unsigned before = inside(q), room = q->n_free > q->done.n ? q->n_free - q->done.n : 0;
	uint16_t n_ops = 0, sent;

	if (q->done.faulty)
		return 0;
	if (n > room)
		n = (uint16_t)room;
	for (uint16_t i = 0; i < n; i++) {
		void *session = cryptodev_fits(q, jobs[i]) ? cryptodev_session(q, jobs[i]) : NULL;

		if (session)
			ops[n_ops++] = prepare(q, jobs[i], session);
		else
			crypto_done_put(&q->done, jobs[i], CRYPTO_FAULT);
	}
	if (!n_ops)
		return n;
	if (!before) {
		q->progress = rte_rdtsc();
		q->silent = 0;
	}
	q->done.counts.batches++;
	sent = rte_cryptodev_enqueue_burst(q->dev, 0, ops, n_ops);
	/* The queue pair holds more than may be in flight: what it refuses it will not take a moment later.
	 */
	for (uint16_t i = sent; i < n_ops; i++) {
		struct cryptodev_entry *e = entry_of(q, ops[i]);

		crypto_done_put(&q->done, e->job, CRYPTO_FAULT);
		e->job = NULL;
		q->free[q->n_free++] = (uint16_t)(e - q->entries);
	}
	return n;
}

static void completed(struct crypto_queue *q, struct cryptodev_entry *n)
{
	struct crypto_job *job = n->job;
	enum rte_crypto_op_status status = (enum rte_crypto_op_status)n->op->status;

	n->job = NULL;
	q->free[q->n_free++] = (uint16_t)(n - q->entries);
	if (!job)
		return;
	if (status == RTE_CRYPTO_OP_STATUS_SUCCESS) {
		memcpy(job->pkt + job->aad_len, rte_pktmbuf_mtod(n->m, uint8_t *) + job->aad_len,
			job->len - job->aad_len);
		if (cryptodev_job_protects(job))
			memcpy(job->tag, tag_of(n, job), job->tag_len);
	}
	crypto_done_answered(&q->done, job,
		status == RTE_CRYPTO_OP_STATUS_SUCCESS       ? CRYPTO_OK
		: status == RTE_CRYPTO_OP_STATUS_AUTH_FAILED ? CRYPTO_TAG_FAIL
							     : CRYPTO_FAULT);
}

static unsigned take_back(struct crypto_queue *q)
{
	struct rte_crypto_op *ops[CRYPTODEV_DEPTH];
	uint16_t k = rte_cryptodev_dequeue_burst(q->dev, 0, ops, (uint16_t)inside(q));

	for (uint16_t i = 0; i < k; i++)
		completed(q, entry_of(q, ops[i]));
	return k;
}

static void look(struct crypto_queue *q)
{
	if (take_back(q)) {
		q->progress = rte_rdtsc();
		q->silent = 0;
	} else if (++q->silent > HANG_LOOKS &&
		   rte_rdtsc() - q->progress > rte_get_tsc_hz() / 1000 * HANG_MS) {
		give_up(q);
	}
	if (crypto_done_broken(&q->done))
		give_up(q);
}

static uint16_t cryptodev_poll(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	if (!q->done.faulty && inside(q))
		look(q);
	return crypto_done_take(&q->done, jobs, n);
}

static int cryptodev_health(struct crypto_queue *q, struct crypto_health *out)
{
	*out = crypto_done_health(&q->done, q->slots, q->slots_used, jobs_inside(q));
	return 0;
}

/* What the device still has comes back, or never will. */
static int drain(struct crypto_queue *q)
{
	uint64_t until = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * DRAIN_US;
	int rc;

	while (inside(q) && rte_rdtsc() < until)
		take_back(q);
	if (!inside(q))
		return 0;
	rc = cryptodev_device_restart(q);
	q->n_free = 0;
	for (uint16_t i = 0; rc == 0 && i < CRYPTODEV_DEPTH; i++)
		q->free[q->n_free++] = i;
	return rc;
}

static int cryptodev_reset(struct crypto_queue *q)
{
	int rc;

	give_up(q);
	rc = drain(q);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < q->slots; i++)
		cryptodev_key_drop(q, &q->keys[i]);
	q->slots_used = 0;
	q->done.faults_in_a_row = 0;
	q->done.faulty = false;
	/* Not while jobs of before wait to be polled: the answers would come among them. */
	if (!q->done.n)
		rc = self_test(q);
	if (rc)
		give_up(q);
	return rc;
}

static void cryptodev_report(struct crypto_queue *q, char *text, size_t n)
{
	snprintf(text, n, "%s, keys %u of %u: jobs %llu in %llu bursts, faults %llu", q->name, q->slots_used,
		q->slots, (unsigned long long)q->done.counts.jobs, (unsigned long long)q->done.counts.batches,
		(unsigned long long)q->done.counts.faults);
}

const struct crypto_backend crypto_cryptodev_device = {
	.name = "cryptodev-device",
	/* What any could do; each queue's device has some of it (key_load() says -ENOTSUP for the others). */
	.suites = 1u << SRTP_AES_CM_128_HMAC_SHA1_80 | 1u << SRTP_AES_CM_128_HMAC_SHA1_32 |
		  1u << SRTP_AES_192_CM_HMAC_SHA1_80 | 1u << SRTP_AES_192_CM_HMAC_SHA1_32 |
		  1u << SRTP_AES_256_CM_HMAC_SHA1_80 | 1u << SRTP_AES_256_CM_HMAC_SHA1_32 |
		  1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM,
	.burst_min = 32,
	.depth = CRYPTODEV_DEPTH,
	.len_max = CRYPTODEV_LEN_MAX,
	.open = cryptodev_open,
	.key_load = cryptodev_key_load,
	.key_wipe = cryptodev_key_wipe,
	.submit = cryptodev_submit,
	.poll = cryptodev_poll,
	.health = cryptodev_health,
	.reset = cryptodev_reset,
	.close = cryptodev_close,
	.report = cryptodev_report,
	.fits = cryptodev_fits,
};
