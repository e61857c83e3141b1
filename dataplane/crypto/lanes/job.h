/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dataplane/crypto/backend.h"

/* A packet, and its key as the suite's *_load() made it: struct lanes_gcm_key or struct lanes_cm_key. */
struct lanes_job {
	struct crypto_job *job;
	const void *key;
};

/*
 * Octets of header and payload from which on a packet fills the processor by itself. Jobs so long are done
 * in less time if no shorter one is behind them.
 */
#define LANES_LONG 512

/* How many go four at a time: up to the first four that begin with a long one. */
static inline unsigned lanes_not_long(const struct lanes_job *jobs, unsigned n)
{
	unsigned i = 0;

	while (i < n && jobs[i].job->len < LANES_LONG)
		i += 4;
	return i < n ? i : n;
}
