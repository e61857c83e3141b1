/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/stats.h"

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void stats_sum(struct dp_stats_global *sum, const struct worker_stats *s)
{
	sum->rx_packets += load(&s->rx_packets);
	sum->rx_octets += load(&s->rx_octets);
	sum->tx_packets += load(&s->tx_packets);
	sum->tx_octets += load(&s->tx_octets);
	sum->to_kernel += load(&s->to_kernel);
	sum->handover += load(&s->handover);
	sum->roc_resyncs += load(&s->roc_resyncs);
	sum->crypto_jobs += load(&s->crypto_jobs);
	sum->crypto_batches += load(&s->crypto_batches);
	sum->crypto_overflow_jobs += load(&s->crypto_overflow_jobs);
	sum->crypto_rescued += load(&s->crypto_rescued);
	sum->crypto_failovers += load(&s->crypto_failovers);
	sum->crypto_overflow_keys += (uint32_t)load(&s->crypto_overflow_keys);
	sum->crypto_degraded += (uint32_t)load(&s->crypto_degraded);
	sum->busy_cycles += load(&s->busy_cycles);
	sum->idle_cycles += load(&s->idle_cycles);
	sum->sleeps += load(&s->sleeps);
	sum->sleep_cycles += load(&s->sleep_cycles);
	sum->sessions += (uint32_t)load(&s->sessions);
	sum->legs += (uint32_t)load(&s->legs);
	sum->legs_guarded += (uint32_t)load(&s->guarded);
	sum->overlaps_cut += load(&s->overlaps_cut);
	for (unsigned v = 0; v < DP_V_COUNT; v++)
		sum->verdicts[v] += load(&s->verdicts[v]);
}
