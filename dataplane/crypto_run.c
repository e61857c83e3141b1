/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto_run.h"

#include "dataplane/worker_private.h"

#define AHEAD 6 /* packets whose keys are on their way to the cache */

static void prefetch(struct worker *w, struct packet *const *packets, uint16_t from, uint16_t to, uint16_t n)
{
	if (!w->backend->prefetch)
		return;
	for (uint16_t i = from; i < to && i < n; i++)
		w->backend->prefetch(
			w->crypto, packets[i]->job.slot, packets[i]->job.len - packets[i]->job.aad_len);
}

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

	prefetch(w, packets, 0, AHEAD, n);
	for (uint16_t i = 0; i < n; i++) {
		packets[i]->job.status = CRYPTO_PENDING;
		jobs[i] = &packets[i]->job;
		prefetch(w, packets, i + AHEAD, i + AHEAD + 1, n);
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
