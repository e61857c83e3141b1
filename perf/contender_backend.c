/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "perf/contender.h"

#define BATCH 64

static void backend_close(void *ctx)
{
	crypto_ipsec_mb.close(ctx);
}

static int backend_open(void **ctx, const struct bench_load *load)
{
	struct crypto_conf conf = {
		.slots = load->sessions, .socket = -1, .options = getenv("SRTPGW_BENCH_BACKEND")};
	struct crypto_queue *q;
	int rc = crypto_ipsec_mb.open(&q, &conf);

	for (uint32_t s = 0; !rc && s < load->sessions; s++)
		rc = crypto_ipsec_mb.key_load(q, s, &load->keys[s]);
	if (!rc)
		*ctx = q;
	return rc;
}

static unsigned backend_run(void *ctx, struct crypto_job *jobs, unsigned n, bool protect)
{
	struct crypto_job *batch[BATCH], *done[BATCH];
	struct crypto_queue *q = ctx;
	unsigned ok = 0;

	for (unsigned first = 0; first < n; first += BATCH) {
		uint16_t count = (uint16_t)(n - first < BATCH ? n - first : BATCH), back;

		for (uint16_t i = 0; i < count; i++) {
			batch[i] = &jobs[first + i];
			batch[i]->op = protect ? CRYPTO_RTP_PROTECT : CRYPTO_RTP_UNPROTECT;
		}
		crypto_ipsec_mb.submit(q, batch, count);
		back = crypto_ipsec_mb.poll(q, done, count);
		for (uint16_t i = 0; i < back; i++)
			ok += done[i]->status == CRYPTO_OK;
	}
	return ok;
}

const struct contender contender_backend = {
	.name = "backend",
	.open = backend_open,
	.run = backend_run,
	.close = backend_close,
};
