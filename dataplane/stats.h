/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters. Each worker writes its own with plain adds; the main thread reads and sums them at any time. A
 * reader may see one counter a packet ahead of another, never a torn one.
 */
#pragma once

#include <stdint.h>

#include "lib/msg/dp_msg.h"

struct worker;

struct worker_stats {
	uint64_t rx_packets, rx_octets, tx_packets,
		tx_octets; /* media: UDP payload of datagrams that have a leg */
	uint64_t to_kernel, handover, roc_resyncs;
	uint64_t crypto_jobs, crypto_batches;
	uint64_t crypto_overflow_jobs, crypto_rescued, crypto_failovers;
	uint64_t crypto_overflow_keys, crypto_degraded; /* as they are now */
	uint64_t busy_cycles, idle_cycles; /* idle: looked for packets in vain, or slept */
	uint64_t sleeps, sleep_cycles;     /* naps too; cycles: of the idle ones */
	uint64_t sessions, legs;
	uint64_t guarded; /* legs, now: guard.h */
	uint64_t overlaps_cut;
	uint64_t iterations;
	uint64_t verdicts[DP_VERDICTS_MAX];
};

/* The writer's side: one store the reader sees whole. */
static inline void count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* The reader's side: adds what a worker has counted to a message. */
void stats_sum(struct dp_stats_global *sum, const struct worker_stats *s);
