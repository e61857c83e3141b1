/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_mix: what a packet of each kind of media costs the worker, all in, RTP to GCM-128: small ones,
 * the bursts of pictures, and calls of all kinds together with their reports. As bench_dataplane measures it:
 * in turns on one core, only the worker's timed, every packet checked in the generator's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/bench.h"
#include "perf/calls.h"

#define ROUND 512 /* frames per turn */
#define CALLS 10000
#define MEMORY_MB 768
#define SAMPLES 7
#define PER_SAMPLE 80 /* turns */
#define WARM_FRAMES (2 * CALLS)

static const struct kind {
	const char *name;
	enum gen_media media;
	uint32_t rtcp;
} kinds[] = {
	{"g711", GEN_G711, 0}, {"g729", GEN_G729, 0}, {"video", GEN_VIDEO, 0},
	{"mixed", GEN_MIX, 250}, /* reports each 5 s */
};

struct bench {
	struct figures *figures;
	struct room room;
	struct gen *gen;
};

static int turn(struct bench *b, struct room_time *took)
{
	struct rte_mbuf *frames[ROUND], *out[ROUND];
	unsigned back;

	if (rte_pktmbuf_alloc_bulk(b->room.pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(b->gen, frames, ROUND))
		return -EIO;
	back = room_relay(&b->room, frames, ROUND, out, took);
	for (unsigned i = 0; i < back; i++)
		gen_verify(b->gen, out[i]);
	rte_pktmbuf_free_bulk(out, back);
	return 0;
}

static void take(struct bench *b, const struct kind *k, const char *what, const char *unit, double value)
{
	char name[96];
	struct figure *f;

	snprintf(name, sizeof(name), "mix.%s.%s", k->name, what);
	f = figures_get(b->figures, name, unit);
	if (f)
		figure_sample(f, value);
}

static int sample(struct bench *b, const struct kind *k)
{
	const double n = PER_SAMPLE * ROUND;
	struct gen_stats before = *gen_stats(b->gen), after;
	struct room_time took = {0};
	int rc = 0;

	for (unsigned i = 0; i < PER_SAMPLE && !rc; i++)
		rc = turn(b, &took);
	after = *gen_stats(b->gen);
	take(b, k, "ns", "ns/packet", (double)took.cpu / n);
	take(b, k, "octets", "octets",
		(double)(after.octets - before.octets) / (double)(after.sent - before.sent));
	take(b, k, "gbps", "Gb/s", (double)(after.octets - before.octets) * 8 / (double)took.cpu);
	return rc;
}

static int measure(struct bench *b, const struct kind *k, struct err *err)
{
	struct dp_stats_global before, after;
	struct room_time took = {0};
	int rc = room_stats(&b->room, &before);

	for (unsigned sent = 0; sent < WARM_FRAMES && !rc; sent += ROUND)
		rc = turn(b, &took);
	for (unsigned i = 0; i < SAMPLES && !rc; i++)
		rc = sample(b, k);
	rc = rc ? rc : room_stats(&b->room, &after);
	return rc ? err_set(err, -rc, "%s", strerror(-rc)) : gen_judge(b->gen, &before, &after, 0, err);
}

static int run(struct bench *b, const struct kind *k, struct err *err)
{
	struct gen_conf conf = {
		.sessions = CALLS, .media = k->media, .rtcp = k->rtcp, .out = SRTP_AEAD_AES_128_GCM};
	int rc = calls_open(&conf, &b->room, &b->gen, err);

	if (rc < 0)
		return rc;
	rc = measure(b, k, err);
	if (rc < 0)
		err_prefix(err, "%s", k->name);
	calls_close(&b->room, b->gen);
	return rc;
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct bench b;
	int rc = 0;

	(void)values;
	(void)eal;
	b.figures = figures;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc >= 0; i++)
		rc = run(&b, &kinds[i], err);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_mix",
			.what = "What a packet of each kind of media costs a worker, RTP to AEAD_AES_128_GCM: small ones, pictures, and calls\n"
				"of all kinds with their reports. Every packet is checked.\n",
			.arguments = {PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = MEMORY_MB},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
