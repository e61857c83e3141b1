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
#include "perf/calls.h"
#include "perf/steps.h"

#define CALLS 100
#define ROUND 128 /* packets that are counted together: whole batches */
#define WARM 80   /* rounds before */

static const struct kind {
	const char *name;
	enum srtp_suite in, out;
} kinds[] = {
	{"rtp_to_srtp.gcm128.160B", SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM},
	{"rtp_to_srtp.cm128.160B", SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80},
	{"srtp_to_rtp.gcm128.160B", SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"srtp_to_rtp.cm128.160B", SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_SUITE_NONE},
	{"srtp_to_srtp.gcm128.160B", SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM},
	{"rtp_to_rtp.160B", SRTP_SUITE_NONE, SRTP_SUITE_NONE},
};

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

static int run(const struct kind *k, struct figures *figures, struct err *err)
{
	struct gen_conf conf = {.sessions = CALLS, .in = k->in, .out = k->out};
	struct room room;
	struct gen *gen;
	char name[96];
	int rc = calls_open(&conf, &room, &gen, err);

	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "instructions.%s", k->name);
	rc = measure(&room, gen, figures_get(figures, name, "instructions/packet"));
	rc = rc < 0 ? rc : gen_judge(gen, NULL, NULL, 0, err);
	calls_close(&room, gen);
	return rc;
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	int rc = 0;

	(void)values;
	(void)eal;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc >= 0; i++)
		rc = run(&kinds[i], figures, err);
	return rc;
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
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
