/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto_run.h"

static void fault_all(struct worker *w)
{
	struct crypto_job *done[BATCH_MAX];

	w->failed = true;
	w->backend->reset(w->crypto);
	w->backend->poll(w->crypto, done, BATCH_MAX);
	for (uint16_t i = 0; i < w->round.n; i++)
		if (w->round.jobs[i]->status == CRYPTO_PENDING)
			w->round.jobs[i]->status = CRYPTO_FAULT;
}

/* Are all done? */
static bool run_by_polls(struct worker *w, struct crypto_round *r)
{
	struct crypto_job *done[BATCH_MAX];
	uint16_t finished = 0;
	uint32_t idle = 0;

	while (finished < r->n && idle < CRYPTO_RUN_POLLS) {
		uint16_t in = 0, out;

		if (r->submitted < r->n)
			in = w->backend->submit(w->crypto, r->jobs + r->submitted, r->n - r->submitted);
		out = w->backend->poll(w->crypto, done, BATCH_MAX);
		r->submitted += in;
		finished += out;
		idle = in || out ? 0 : idle + 1;
	}
	return finished == r->n;
}

void crypto_run(struct worker *w)
{
	struct crypto_round *r = &w->round;
	uint16_t rest = r->n - r->submitted;
	bool all;

	if (r->n == 0)
		return;
	if (w->backend->run)
		all = w->backend->run(w->crypto, r->jobs + r->submitted, rest) == rest;
	else
		all = run_by_polls(w, r);
	if (!all)
		fault_all(w);
	r->n = r->submitted = 0;
}
