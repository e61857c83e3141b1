/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/fpga.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/done.h"
#include "dataplane/crypto/fpga_options.h"
#include "dataplane/crypto/kat.h"
#include "dataplane/fpga/ring.h"
#include "srtpdev_regs.h"

#define DEPTH_LOG2 7
_Static_assert(FPGA_DEPTH == 1 << DEPTH_LOG2, "the ring is as long as jobs may be in flight");
_Static_assert(FPGA_DEPTH <= CRYPTO_DONE_MAX, "each of them is once done");

#define BUFFER 2112 /* the longest packet, its tag, in whole beats */
#define QUIET 25000 /* clocks without an answer until the card is asked whether it is there: 0.1 ms */
#define DRAIN 4096  /* clocks that a reset waits for what is inside; a packet takes some hundred */
_Static_assert(BUFFER >= SRTPDEV_LIMIT_LEN_MAX + SRTP_TAG_MAX && BUFFER % 64 == 0, "buffer");

/* A place of the ring: completions come in the order of descriptors. */
struct entry {
	struct crypto_job *job;
	uint8_t *in, *out;
	uint64_t in_iova, out_iova;
	bool in_place;              /* the device reads the packet itself; its tag lies in the tailroom */
	uint8_t tail[SRTP_TAG_MAX]; /* what was there */
};

struct key_slot {
	struct fpga_context ctx;
	bool used;
};

struct crypto_queue {
	struct fpga_device *dev;
	const struct hw_ops *ops;
	void *hw;
	struct fpga_ring *ring;
	uint8_t *buffers; /* FPGA_DEPTH pairs */
	uint32_t slots, slots_used;
	struct key_slot *keys;
	struct entry entries[FPGA_DEPTH];
	unsigned next; /* entry of the next descriptor */
	struct crypto_done done;

	uint64_t hang_limit; /* clocks without a completion */
	uint64_t progress;   /* clock of the look that found the last one, or when the first job was in */
	uint64_t asked;      /* clock in which it was asked whether it is there */
};

struct fpga_device *crypto_fpga_hw(struct crypto_queue *q)
{
	return q->dev;
}

static bool is_rtp(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTP_UNPROTECT;
}

static bool protects(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTCP_PROTECT;
}

/* Gives the packet back as it was submitted. */
static void restore(const struct entry *e)
{
	if (e->in_place && !protects(e->job))
		memcpy(e->job->pkt + e->job->len, e->tail, e->job->tag_len);
}

static unsigned inside(const struct crypto_queue *q)
{
	return q->ring ? fpga_ring_in_flight(q->ring) : 0; /* there is none after a reset that failed */
}

/* The device is out of use until reset(); what it has, it will not answer any more. */
static void give_up(struct crypto_queue *q)
{
	void *cookies[FPGA_DEPTH];
	unsigned n = q->ring ? fpga_ring_abandon(q->ring, cookies, FPGA_DEPTH) : 0;

	q->done.faulty = true;
	for (unsigned i = 0; i < n; i++) {
		struct entry *e = cookies[i];

		restore(e);
		crypto_done_put(&q->done, e->job, CRYPTO_FAULT);
	}
}

static int buffers_open(struct crypto_queue *q)
{
	uint64_t iova;

	q->buffers = q->ops->dma_alloc(q->hw, 2 * FPGA_DEPTH * BUFFER, &iova);
	if (!q->buffers)
		return -ENOMEM;
	for (unsigned i = 0; i < FPGA_DEPTH; i++) {
		struct entry *e = &q->entries[i];

		e->in = q->buffers + (size_t)(2 * i) * BUFFER;
		e->out = e->in + BUFFER;
		e->in_iova = iova + (uint64_t)(2 * i) * BUFFER;
		e->out_iova = e->in_iova + BUFFER;
	}
	return 0;
}

/* Memory that it cannot be shown is copied from: slower, not wrong. */
static void show_memory(struct crypto_queue *q, const struct crypto_conf *conf)
{
	for (uint32_t i = 0; i < conf->n_memory; i++)
		(void)q->ops->dma_map(q->hw, conf->memory[i].p, conf->memory[i].n);
}

static void fpga_close(struct crypto_queue *q)
{
	if (!q)
		return;
	if (q->dev && q->buffers && q->ring)
		fpga_ring_close(q->ring);
	if (q->buffers)
		q->ops->dma_free(q->hw, q->buffers, 2 * FPGA_DEPTH * BUFFER);
	fpga_device_close(q->dev); /* wipes it */
	free(q->keys);
	free(q);
}

/* Known answers, uncounted. */
static int self_test(struct crypto_queue *q)
{
	struct crypto_counts counts = q->done.counts;
	int rc = crypto_kat_run(&crypto_fpga_device, q);

	q->done.counts = counts;
	return rc;
}

static int fpga_open(struct crypto_queue **queue, const struct crypto_conf *conf)
{
	struct fpga_options o;
	struct crypto_queue *q;
	int rc;

	if (!conf->slots)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	rc = fpga_options_open(&o, conf->options, &q->dev, conf->err);
	if (rc == 0) {
		const struct fpga_caps *caps = fpga_device_caps(q->dev);

		q->hang_limit = o.hang;
		q->ops = fpga_ops(q->dev, &q->hw);
		q->slots = conf->slots < caps->contexts ? conf->slots : caps->contexts;
		q->keys = calloc(q->slots, sizeof(*q->keys));
		rc = q->keys ? buffers_open(q) : -ENOMEM;
	}
	if (rc == 0)
		rc = fpga_ring_open(&q->ring, q->dev, 0, DEPTH_LOG2);
	if (rc == 0) {
		show_memory(q, conf);
		rc = self_test(q);
		if (rc)
			err_set(conf->err, -rc, "the FPGA gives a wrong known answer, or none");
	}
	if (rc) {
		fpga_close(q);
		return rc;
	}
	*queue = q;
	return 0;
}

static void fpga_key_wipe(struct crypto_queue *q, uint32_t slot)
{
	if (slot >= q->slots || !q->keys[slot].used)
		return;
	/* A device that does not answer keeps the key until its reset, which nothing survives. */
	if (!q->done.faulty && fpga_context_drop(q->dev, &q->keys[slot].ctx) < 0)
		give_up(q);
	q->keys[slot].used = false;
	q->slots_used--;
}

static int fpga_key_load(struct crypto_queue *q, uint32_t slot, const struct srtp_session_keys *keys)
{
	const struct srtp_suite_info *suite = srtp_suite_info(keys->suite);
	struct fpga_context ctx;
	int rc;

	if (!suite || !(fpga_suites() >> keys->suite & 1))
		return -ENOTSUP;
	if (slot >= q->slots)
		return -ENOSPC;
	fpga_key_wipe(q, slot);
	rc = q->done.faulty ? -EIO : fpga_context_take(q->dev, keys, &ctx);
	if (rc == -EIO && !q->done.faulty)
		give_up(q);
	if (rc < 0)
		return rc;
	q->keys[slot] = (struct key_slot){.ctx = ctx, .used = true};
	q->slots_used++;
	return 0;
}

/* What the device would refuse, or what would reach outside the packet's memory. */
static bool job_sane(const struct crypto_queue *q, const struct crypto_job *job)
{
	const struct key_slot *k = job->slot < q->slots ? &q->keys[job->slot] : NULL;

	return k && k->used && job->op <= CRYPTO_RTCP_UNPROTECT &&
	       job->tag_len == (is_rtp(job) ? k->ctx.rtp_tag : k->ctx.rtcp_tag) &&
	       job->aad_len >= (is_rtp(job) ? 12 : SRTPDEV_LIMIT_AAD_MIN) && job->aad_len <= job->len &&
	       job->len <= SRTPDEV_LIMIT_LEN_MAX;
}

/* Where the device reads the packet. It wants the tag right behind. */
static uint64_t source(struct crypto_queue *q, struct entry *e, struct crypto_job *job)
{
	uint8_t *tag = job->pkt + job->len;
	uint64_t iova;

	e->in_place = q->ops->iova_of(q->hw, job->pkt, (size_t)job->len + CRYPTO_TAILROOM, &iova) == 0;
	if (!e->in_place) {
		memcpy(e->in, job->pkt, job->len);
		tag = e->in + job->len;
		iova = e->in_iova;
	}
	if (protects(job))
		return iova;
	if (e->in_place)
		memcpy(e->tail, tag, job->tag_len);
	memmove(tag, job->tag, job->tag_len);
	return iova;
}

static void push(struct crypto_queue *q, struct crypto_job *job)
{
	static const uint8_t ops[] = {
		[CRYPTO_RTP_PROTECT] = SRTPDEV_OP_RTP_PROTECT,
		[CRYPTO_RTP_UNPROTECT] = SRTPDEV_OP_RTP_UNPROTECT,
		[CRYPTO_RTCP_PROTECT] = SRTPDEV_OP_RTCP_PROTECT,
		[CRYPTO_RTCP_UNPROTECT] = SRTPDEV_OP_RTCP_UNPROTECT,
	};
	const struct fpga_context *ctx = &q->keys[job->slot].ctx;
	struct entry *e = &q->entries[q->next++ % FPGA_DEPTH];
	struct fpga_desc d = {
		.op = ops[job->op],
		.arg = job->tag_len,
		.gen = ctx->gen,
		.ctx = ctx->id,
		.src = source(q, e, job),
		.dst = e->out_iova,
		.len = job->len,
		.aad = job->aad_len,
		.index = job->index,
	};

	/* RTCP of one source begins alike: what is found there must be this job's own header. */
	e->out[0] = (uint8_t)~job->pkt[0];
	e->job = job;
	job->status = CRYPTO_PENDING;
	fpga_ring_push(q->ring, &d, e);
}

static uint16_t fpga_submit(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	unsigned before = inside(q), room = FPGA_DEPTH - before - q->done.n, pushed = 0;

	if (q->done.faulty)
		return 0;
	if (n > room)
		n = (uint16_t)room;
	for (uint16_t i = 0; i < n; i++) {
		if (job_sane(q, jobs[i])) {
			push(q, jobs[i]);
			pushed++;
		} else {
			crypto_done_put(&q->done, jobs[i], CRYPTO_FAULT);
		}
	}
	if (pushed) {
		fpga_ring_doorbell(q->ring);
		if (!before)
			q->progress = q->ops->clocks(q->hw);
		q->done.counts.batches++;
	}
	return n;
}

/*
 * Does a completion say what it can say of its job? A packet that is done has its length, and its header in
 * front, which no cipher changes: else what lies in the driver's memory is of the packet that was there
 * before.
 */
static bool plausible(const struct entry *e, const struct fpga_cpl *c)
{
	const struct crypto_job *job = e->job;

	if (c->foreign || c->status != SRTPDEV_ST_OK)
		return !c->foreign;
	return c->len == job->len + (protects(job) ? job->tag_len : 0u) &&
	       memcmp(e->out, job->pkt, job->aad_len) == 0;
}

/* believed: nothing that the device said before was untrue. Whether that is so still. */
static bool completed(struct crypto_queue *q, const struct fpga_cpl *c, bool believed)
{
	struct entry *e = c->cookie;
	struct crypto_job *job = e->job;

	restore(e);
	if (!believed || !plausible(e, c)) {
		crypto_done_put(&q->done, job, CRYPTO_FAULT);
		return false;
	}
	if (c->status == SRTPDEV_ST_OK) {
		memcpy(job->pkt, e->out, job->len);
		if (protects(job))
			memcpy(job->tag, e->out + job->len, job->tag_len);
	}
	crypto_done_answered(&q->done, job,
		c->status == SRTPDEV_ST_OK         ? CRYPTO_OK
		: c->status == SRTPDEV_ST_TAG_FAIL ? CRYPTO_TAG_FAIL
						   : CRYPTO_FAULT);
	return true;
}

/* A register is read, which takes a card a microsecond: now and then. */
static bool gone(struct crypto_queue *q, uint64_t now)
{
	if (now - q->progress <= QUIET || now - q->asked <= QUIET)
		return false;
	q->asked = now;
	return fpga_device_gone(q->dev);
}

static void look(struct crypto_queue *q)
{
	/* Read before the look: a worker that loses its processor in between does not take it for silence. */
	uint64_t now = q->ops->clocks(q->hw);
	struct fpga_cpl c[32];
	unsigned k = fpga_ring_poll(q->ring, c, 32);
	bool believed = true;

	for (unsigned i = 0; i < k; i++)
		believed = completed(q, &c[i], believed);
	if (!believed || crypto_done_broken(&q->done)) {
		give_up(q);
	} else if (k) {
		q->progress = now;
	} else if (now - q->progress > q->hang_limit || gone(q, now)) {
		give_up(q);
	} else {
		q->ops->poll_hint(q->hw);
	}
}

static uint16_t fpga_poll(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	if (!q->done.faulty && inside(q))
		look(q);
	return crypto_done_take(&q->done, jobs, n);
}

static int fpga_health(struct crypto_queue *q, struct crypto_health *out)
{
	*out = crypto_done_health(&q->done, q->slots, q->slots_used, inside(q));
	return 0;
}

/* A card that is taken out while nothing is inside. */
static void fpga_maintain(struct crypto_queue *q)
{
	if (!q->done.faulty && fpga_device_gone(q->dev))
		give_up(q);
}

static int fpga_reset(struct crypto_queue *q)
{
	int rc;

	give_up(q);
	rc = fpga_device_reset(q->dev, DRAIN);
	for (uint32_t i = 0; i < q->slots; i++)
		q->keys[i].used = false;
	q->slots_used = 0;
	if (rc)
		return rc;
	/* After the reset: until then the device may still write into the old one. */
	fpga_ring_close(q->ring);
	q->ring = NULL;
	rc = fpga_ring_open(&q->ring, q->dev, 0, DEPTH_LOG2);
	q->done.faults_in_a_row = 0;
	q->done.faulty = rc != 0;
	/*
	 * A device that can be reset may still be dead: it is not trusted before it has answered. Not while
	 * jobs of before wait to be polled: the answers would come among them.
	 */
	if (rc == 0 && !q->done.n)
		rc = self_test(q);
	if (rc)
		give_up(q);
	return rc;
}

static void fpga_report(struct crypto_queue *q, char *text, size_t n)
{
	const struct fpga_caps *caps = fpga_device_caps(q->dev);
	struct fpga_counters c;

	if (fpga_device_gone(q->dev)) {
		snprintf(text, n, "%s: does not answer: removed, or without power", q->ops->name);
		return;
	}
	fpga_device_counters(q->dev, &c);
	snprintf(text, n,
		"%s, %u lanes, %u contexts: operations %llu, ok %llu, tag failures %llu, errors %llu, read "
		"%llu and "
		"wrote %llu beats of 64 octets, busy in %llu of %llu clocks",
		q->ops->name, caps->lanes, caps->contexts, (unsigned long long)c.ops,
		(unsigned long long)c.ok, (unsigned long long)c.tag_fail, (unsigned long long)c.errors,
		(unsigned long long)c.read_beats, (unsigned long long)c.write_beats,
		(unsigned long long)c.busy_clocks, (unsigned long long)c.clocks);
}

const struct crypto_backend crypto_fpga_device = {
	.name = "fpga-device",
	.suites = 1u << SRTP_AES_CM_128_HMAC_SHA1_80 | 1u << SRTP_AES_CM_128_HMAC_SHA1_32 |
		  1u << SRTP_AES_256_CM_HMAC_SHA1_80 | 1u << SRTP_AES_256_CM_HMAC_SHA1_32 |
		  1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM,
	.burst_min = 32,
	.depth = FPGA_DEPTH,
	.len_max = SRTPDEV_LIMIT_LEN_MAX,
	.open = fpga_open,
	.key_load = fpga_key_load,
	.key_wipe = fpga_key_wipe,
	.submit = fpga_submit,
	.poll = fpga_poll,
	.health = fpga_health,
	.reset = fpga_reset,
	.maintain = fpga_maintain,
	.close = fpga_close,
	.report = fpga_report,
};
