/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "perf/contender.h"

#define BATCH 64

struct queue {
	const struct crypto_backend *backend;
	struct crypto_queue *q;
	enum srtp_suite suite;
};

static void backend_close(void *ctx)
{
	struct queue *c = ctx;

	c->backend->close(c->q);
	free(c);
}

static int open_over(
	void **ctx, const struct bench_load *load, const struct crypto_backend *backend, const char *options)
{
	struct crypto_conf conf = {.slots = load->sessions, .socket = -1, .options = options};
	struct queue *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->backend = backend;
	c->suite = load->suite;
	rc = backend->open(&c->q, &conf);
	if (rc) {
		free(c);
		return rc;
	}
	for (uint32_t s = 0; !rc && s < load->sessions; s++)
		rc = backend->key_load(c->q, s, &load->keys[s]);
	if (rc)
		backend_close(c);
	else
		*ctx = c;
	return rc;
}

static int backend_open(void **ctx, const struct bench_load *load)
{
	return open_over(ctx, load, &crypto_ipsec_mb, getenv("SRTPGW_BENCH_BACKEND"));
}

/* The device alone: what it does not have is an error here, not the software's. */
static int aesni_mb_open(void **ctx, const struct bench_load *load)
{
	return open_over(ctx, load, &crypto_cryptodev_device, "vdev=crypto_aesni_mb,keys=200000");
}

/* As a worker does, a batch ahead. */
static void keys_fetch(const struct queue *c, const struct crypto_job *jobs, unsigned n)
{
	for (unsigned i = 0; c->backend->key_fetch && i < n && i < BATCH; i++)
		c->backend->key_fetch(c->q, jobs[i].slot, c->suite, jobs[i].len);
}

static unsigned backend_run(void *ctx, struct crypto_job *jobs, unsigned n, bool protect)
{
	struct crypto_job *batch[BATCH], *done[BATCH];
	struct queue *c = ctx;
	unsigned ok = 0;

	keys_fetch(c, jobs, n);
	for (unsigned first = 0; first < n; first += BATCH) {
		uint16_t count = (uint16_t)(n - first < BATCH ? n - first : BATCH), back, all = 0;

		keys_fetch(c, jobs + first + count, n - first - count);
		for (uint16_t i = 0; i < count; i++) {
			batch[i] = &jobs[first + i];
			batch[i]->op = protect ? CRYPTO_RTP_PROTECT : CRYPTO_RTP_UNPROTECT;
		}
		for (uint16_t in = 0; all < count; all += back) {
			in += c->backend->submit(c->q, batch + in, (uint16_t)(count - in));
			back = c->backend->poll(c->q, done, count);
			for (uint16_t i = 0; i < back; i++)
				ok += done[i]->status == CRYPTO_OK;
		}
	}
	return ok;
}

const struct contender contender_backend = {
	.name = "backend",
	.open = backend_open,
	.run = backend_run,
	.close = backend_close,
};

const struct contender contender_aesni_mb = {
	.name = "dpdk_aesni_mb",
	.open = aesni_mb_open,
	.run = backend_run,
	.close = backend_close,
};
