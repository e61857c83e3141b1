/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto_run.h"

#include "dataplane/worker_private.h"

static void fault_all(struct worker *w, struct packet *const *packets, uint16_t n)
{
	struct crypto_job *done[BATCH_MAX];

	w->failed = true;
	w->backend->reset(w->crypto);
	w->backend->poll(w->crypto, done, BATCH_MAX);
	for (uint16_t i = 0; i < n; i++)
		if (packets[i]->job.status == CRYPTO_PENDING)
			packets[i]->job.status = CRYPTO_FAULT;
}

void crypto_run(struct worker *w, struct packet *const *packets, uint16_t n)
{
	struct crypto_job *jobs[BATCH_MAX], *done[BATCH_MAX];
	uint16_t submitted = 0, finished = 0;
	uint32_t idle = 0;

	for (uint16_t i = 0; i < n; i++) {
		packets[i]->job.status = CRYPTO_PENDING;
		jobs[i] = &packets[i]->job;
	}
	while (finished < n) {
		uint16_t in = 0, out;

		if (submitted < n)
			in = w->backend->submit(w->crypto, jobs + submitted, n - submitted);
		out = w->backend->poll(w->crypto, done, BATCH_MAX);
		submitted += in;
		finished += out;
		idle = in || out ? 0 : idle + 1;
		if (idle == CRYPTO_RUN_POLLS) {
			fault_all(w, packets, n);
			return;
		}
	}
}
