/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_instructions: how many instructions a packet costs the worker, those of the crypto library too. With
 * calls few enough for the caches it is what most of a packet's time goes for; and where a time says little,
 * on a machine that is shared, the count says what a change has done.
 */
#include <errno.h>
#include <stdio.h>

#include "dataplane/dp_clock.h"
#include "perf/bench.h"
#include "perf/kinds.h"
#include "perf/steps.h"

#define CALLS 100
#define ROUND 128 /* packets that are counted together: whole batches */
#define WARM 80   /* rounds before */

/* A round through the worker; *steps: of the worker alone, NULL: not counted. */
static int relay(struct room *room, struct gen *gen, uint64_t *steps)
{
	struct rte_mbuf *frames[ROUND];
	unsigned n;

	if (rte_pktmbuf_alloc_bulk(room->pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(gen, frames, ROUND) ||
		rte_ring_enqueue_burst(room->rx, (void **)frames, ROUND, NULL) != ROUND)
		return -EIO;
	while (!rte_ring_empty(room->rx)) {
		uint64_t now = clock_mono_ns();

		if (steps)
			steps_begin();
		worker_step(room->worker, now);
		if (steps)
			*steps += steps_end();
	}
	n = rte_ring_dequeue_burst(room->tx, (void **)frames, ROUND, NULL);
	for (unsigned i = 0; i < n; i++)
		gen_verify(gen, frames[i]);
	rte_pktmbuf_free_bulk(frames, n);
	return 0;
}

static int measure(struct room *room, struct gen *gen, struct figure *f)
{
	uint64_t steps = 0;
	int rc = 0;

	for (unsigned i = 0; i < WARM && !rc; i++)
		rc = relay(room, gen, NULL);
	rc = rc ? rc : relay(room, gen, &steps);
	figure_sample(f, (double)steps / ROUND);
	return rc;
}

static int run(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	(void)values;
	(void)eal;
	return kinds_measure("instructions", "instructions/packet", CALLS, measure, NULL, figures, err);
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_instructions",
			.what = "How many instructions a packet costs the worker, those of the crypto "
				"library too.\n"
				"Counted, not timed: it may run beside anything.\n",
			.arguments = {{PROGRAM_JSON, "the figures, as JSON", false}}},
		.eal = {.memory_mb = 256},
		.run = run,
	};

	return bench_main(&program, argc, argv);
}
