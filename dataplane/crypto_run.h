/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of a batch's packets, through the crypto backend: all are done before the batch goes on. */
#pragma once

#include "dataplane/worker_private.h"

#define CRYPTO_RUN_POLLS 1000000

/* A job for the next crypto_run(). */
static inline void crypto_add(struct worker *w, struct crypto_job *job)
{
	job->status = CRYPTO_PENDING;
	w->round.jobs[w->round.n++] = job;
}

/*
 * The same, of a packet whose key was fetched some time ago: a backend that does jobs of the suite as soon as
 * it gets them does so here, and the processor goes on with the next packet while it waits for the cipher.
 */
static inline void crypto_begin(struct worker *w, struct crypto_job *job, uint8_t suite)
{
	struct crypto_round *r = &w->round;

	crypto_add(w, job);
	if (w->at_once >> suite & 1 && r->submitted == r->n - 1)
		r->submitted += w->backend->submit(w->crypto, &r->jobs[r->n - 1], 1);
}

/*
 * Submits what is left and has all done, so that a packet leaves in the iteration it came in; their status
 * then says how each ended. A backend that does not finish within CRYPTO_RUN_POLLS polls without
 * progress marks the worker as failed; what it did not finish is CRYPTO_FAULT.
 */
void crypto_run(struct worker *w);
