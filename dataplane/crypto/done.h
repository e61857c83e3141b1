/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a queue on a device (fpga.c, cryptodev.c) keeps of the jobs that it has finished: themselves until
 * they are polled, how many there were, and whether the device still does any. One per queue, part of it, its
 * worker's alone; zeroed memory is an empty one. Private to those two.
 */
#pragma once

#include <stdbool.h>

#include "dataplane/crypto/backend.h"

#define CRYPTO_DONE_MAX 128 /* the most jobs that such a queue has in flight */
#define CRYPTO_DONE_FAULTS_IN_A_ROW                                                                          \
	32 /* jobs that the device could not do, and none that it could: it is broken */

/* Since open, without those of self-tests: see crypto_health. */
struct crypto_counts {
	uint64_t jobs, batches, faults;
};

struct crypto_done {
	struct crypto_job *ring[CRYPTO_DONE_MAX];
	unsigned first, n;
	unsigned faults_in_a_row; /* of what the device answered */
	struct crypto_counts counts;
	bool faulty; /* the device is out of use until reset(); set by who gives it up */
};

/* The caller has made sure that there is room: no more jobs are in flight and here than CRYPTO_DONE_MAX. */
static inline void crypto_done_put(struct crypto_done *d, struct crypto_job *job, enum crypto_status status)
{
	job->status = (uint8_t)status;
	d->counts.faults += status == CRYPTO_FAULT;
	d->ring[(d->first + d->n++) % CRYPTO_DONE_MAX] = job;
}

/* Likewise for what the device itself answered, which says how well it is. */
static inline void crypto_done_answered(
	struct crypto_done *d, struct crypto_job *job, enum crypto_status status)
{
	d->faults_in_a_row = status == CRYPTO_FAULT ? d->faults_in_a_row + 1 : 0;
	crypto_done_put(d, job, status);
}

static inline bool crypto_done_broken(const struct crypto_done *d)
{
	return d->faults_in_a_row >= CRYPTO_DONE_FAULTS_IN_A_ROW;
}

/* Up to n of them, the oldest first, as poll() gives them. */
static inline uint16_t crypto_done_take(struct crypto_done *d, struct crypto_job **jobs, uint16_t n)
{
	uint16_t k;

	for (k = 0; k < n && d->n; k++) {
		jobs[k] = d->ring[d->first];
		d->first = (d->first + 1) % CRYPTO_DONE_MAX;
		d->n--;
	}
	d->counts.jobs += k;
	return k;
}

/* inside: jobs that the device has. */
static inline struct crypto_health crypto_done_health(
	const struct crypto_done *d, uint32_t slots, uint32_t slots_used, unsigned inside)
{
	return (struct crypto_health){
		.slots = slots,
		.slots_used = slots_used,
		.in_flight = inside + d->n,
		.jobs = d->counts.jobs,
		.batches = d->counts.batches,
		.faults = d->counts.faults,
		.faulty = d->faulty,
	};
}
