/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_dataplane [json [part of a name]]: what a packet costs the worker, all in: receive, lookup, replay,
 * crypto, rewrite, send. The generator and the worker take turns on one core; only the worker's turns are
 * timed (processor time of the thread, and by the wall, which on a busy machine is longer), and every packet
 * that it sends is decrypted and checked in the generator's. The wire is a pair of rings that never run empty
 * during a turn: this is a worker under load.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/bench.h"
#include "perf/calls.h"
#include "perf/limit.h"

#define ROUND 512      /* packets per turn */
#define MEMORY_MB 3072 /* of 200,000 legs */
#define SAMPLES 7
#define PER_SAMPLE 160 /* turns: 82 thousand packets */

/* Targets, 0: none. The limit is that of the suite named: the outgoing one, or where that is none the
 * incoming. */
static const struct scenario {
	const char *name;
	uint32_t sessions;
	uint16_t payload;
	enum srtp_suite in, out;
	double ns_max, ratio_max;
	bool ipv6; /* on both legs */
} scenarios[] = {
	{"rtp_to_srtp.gcm128.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
	{"rtp_to_srtp.cm128.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0},
	{"rtp_to_srtp.gcm128.1k.1200B", 1000, 1200, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
	{"rtp_to_srtp.cm128.1k.1200B", 1000, 1200, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0},
	{"srtp_to_rtp.gcm128.1k.1200B", 1000, 1200, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, 0, 0},
	{"srtp_to_rtp.cm128.1k.1200B", 1000, 1200, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_SUITE_NONE, 0, 0},
	{"rtp_to_rtp.1k.1200B", 1000, 1200, SRTP_SUITE_NONE, SRTP_SUITE_NONE, 0, 0},
	{"srtp_to_rtp.gcm128.1k", 1000, 160, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, 0, 0},
	{"srtp_to_srtp.cm128_gcm256.1k", 1000, 160, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_256_GCM, 0,
		0},
	{"rtp_to_rtp.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_SUITE_NONE, 0, 0},
	{"rtp_to_srtp.gcm128.10k", 10000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
	{"rtp_to_srtp.gcm128.50k", 50000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 150, 2.2},
	{"rtp_to_srtp.gcm128.50k.ipv6", 50000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0,
		.ipv6 = true},
	{"rtp_to_srtp.gcm256.50k", 50000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_256_GCM, 0, 0},
	{"rtp_to_srtp.cm128.50k", 50000, 160, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, 190, 1.8},
	{"srtp_to_rtp.gcm128.50k", 50000, 160, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, 150, 2.2},
	{"srtp_to_rtp.gcm128.50k.ipv6", 50000, 160, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, 0, 0,
		.ipv6 = true},
	{"srtp_to_rtp.cm128.50k", 50000, 160, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_SUITE_NONE, 190, 1.8},
	{"srtp_to_srtp.gcm128.50k", 50000, 160, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM, 0, 0},
	{"rtp_to_srtp.gcm128.100k", 100000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
};

/* What a figure may be of another, of the same run's medians; 0: no target. */
static const struct comparison {
	const char *name, *of, *to;
	double at_most;
} comparisons[] = {
	{"srtp_to_srtp.gcm128.50k.ratio_to_one_way", "srtp_to_srtp.gcm128.50k", "rtp_to_srtp.gcm128.50k",
		1.9},
	{"rtp_to_srtp.gcm128.50k.ratio_to_ipv4", "rtp_to_srtp.gcm128.50k.ipv6", "rtp_to_srtp.gcm128.50k", 0},
	{"srtp_to_rtp.gcm128.50k.ratio_to_ipv4", "srtp_to_rtp.gcm128.50k.ipv6", "srtp_to_rtp.gcm128.50k", 0},
	{"rtp_to_srtp.gcm128.50k.ratio_to_1k", "rtp_to_srtp.gcm128.50k", "rtp_to_srtp.gcm128.1k", 1.25},
	{"rtp_to_srtp.cm128.50k.ratio_to_1k", "rtp_to_srtp.cm128.50k", "rtp_to_srtp.cm128.1k", 1.25},
	{"rtp_to_srtp.gcm128.100k.ratio_to_1k", "rtp_to_srtp.gcm128.100k", "rtp_to_srtp.gcm128.1k", 1.6},
};

struct bench {
	struct figures *figures;
	struct room room;
	struct gen *gen;
	struct limit *limit; /* NULL: nothing is encrypted */
};

static struct figure *figure_of(struct bench *b, const struct scenario *s, const char *what, const char *unit)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.%s", s->name, what);
	return figures_get(b->figures, name, unit);
}

/* One turn of each. -EIO: the generator cannot go on. */
static int turn(struct bench *b, struct room_time *took)
{
	struct rte_mbuf *frames[ROUND], *out[ROUND];
	unsigned sent;

	if (rte_pktmbuf_alloc_bulk(b->room.pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(b->gen, frames, ROUND))
		return -EIO;
	sent = room_relay(&b->room, frames, ROUND, out, took);
	for (unsigned i = 0; i < sent; i++)
		gen_verify(b->gen, out[i]);
	rte_pktmbuf_free_bulk(out, sent);
	return 0;
}

/* Turns until every call has been heard once: tables, keys and streams are then as in a call's middle. */
static int warm_up(struct bench *b, const struct scenario *s)
{
	struct room_time took = {0};
	int rc = 0;

	for (unsigned sent = 0; sent < 2 * s->sessions && !rc; sent += ROUND)
		rc = turn(b, &took);
	return rc;
}

static int sample(struct bench *b, const struct scenario *s)
{
	struct worker_stats before = *worker_stats(b->room.worker), after;
	struct room_time took = {0};
	double bare, ns;
	int rc = 0;

	for (unsigned k = 0; k < PER_SAMPLE && !rc; k++)
		rc = turn(b, &took);
	after = *worker_stats(b->room.worker);
	ns = (double)took.cpu / (PER_SAMPLE * ROUND);
	figure_sample(figure_of(b, s, "ns", "ns/packet"), ns);
	figure_sample(figure_of(b, s, "wall_ns", "ns/packet"), (double)took.wall / (PER_SAMPLE * ROUND));
	if (!b->limit || rc)
		return rc;
	figure_sample(figure_of(b, s, "crypto_batch", "packets"),
		(double)(after.crypto_jobs - before.crypto_jobs) /
			(double)(after.crypto_batches - before.crypto_batches));
	bare = limit_sample(b->limit, s->payload, s->out != SRTP_SUITE_NONE);
	figure_sample(figure_of(b, s, "limit_ns", "ns/packet"), bare);
	figure_sample(figure_of(b, s, "ratio_to_limit", "ratio"), ns / bare);
	return bare > 0 ? 0 : -EBADMSG;
}

static int measure(struct bench *b, const struct scenario *s)
{
	int rc = warm_up(b, s);

	for (unsigned i = 0; i < SAMPLES && !rc; i++)
		rc = sample(b, s);
	if (s->ns_max > 0)
		figure_target(figure_of(b, s, "ns", "ns/packet"), FIGURE_AT_MOST, s->ns_max);
	if (s->ratio_max > 0)
		figure_target(figure_of(b, s, "ratio_to_limit", "ratio"), FIGURE_AT_MOST, s->ratio_max);
	return rc;
}

/* Every packet must have come back right: a fast gateway that loses or damages one has no figures. */
static int judge(struct bench *b, const struct scenario *s)
{
	const struct gen_stats *g = gen_stats(b->gen);
	const struct worker_stats *w = worker_stats(b->room.worker);
	struct figure *f = figure_of(b, s, "packets_checked", "packets");

	if (f)
		figure_sample(f, (double)g->good);
	if (g->good == g->sent)
		return 0;
	fprintf(stderr,
		"bench_dataplane: %s: of %llu packets %llu came back right; frame %llu, authentication %llu, "
		"RTP %llu, "
		"content %llu wrong\n",
		s->name, (unsigned long long)g->sent, (unsigned long long)g->good,
		(unsigned long long)g->bad_frame, (unsigned long long)g->bad_auth,
		(unsigned long long)g->bad_rtp, (unsigned long long)g->bad_content);
	for (int v = 0; v < DP_V_COUNT; v++)
		if (w->verdicts[v])
			fprintf(stderr, "  worker: %s %llu\n", dp_verdict_name((enum dp_verdict)v),
				(unsigned long long)w->verdicts[v]);
	return -EBADMSG;
}

static int run(struct bench *b, const struct scenario *s, struct err *err)
{
	struct gen_conf conf = {.sessions = s->sessions,
		.payload = s->payload,
		.in = s->in,
		.out = s->out,
		.ipv6 = {s->ipv6, s->ipv6}};
	enum srtp_suite suite = s->out ? s->out : s->in;
	int rc = calls_open(&conf, &b->room, &b->gen, err);

	if (rc < 0)
		return rc;
	if (suite)
		rc = limit_open(&b->limit, suite, s->sessions);
	if (rc >= 0) {
		rc = measure(b, s);
		rc = rc < 0 ? err_set(err, -rc, "%s: %s", s->name, strerror(-rc)) : judge(b, s);
	}
	limit_close(b->limit);
	b->limit = NULL;
	calls_close(&b->room, b->gen);
	b->gen = NULL;
	return rc;
}

static const struct figure *ns_of(struct bench *b, const char *scenario)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.ns", scenario);
	return figures_get(b->figures, name, "ns/packet");
}

/* Only where all was measured: what is asked for by name may be one side of a comparison. */
static void compare(struct bench *b)
{
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		const struct comparison *c = &comparisons[i];
		const struct figure *of = ns_of(b, c->of), *to = ns_of(b, c->to);
		struct figure *f = figures_get(b->figures, c->name, "ratio");

		if (c->at_most > 0)
			figure_target(f, FIGURE_AT_MOST, c->at_most);
		figure_sample(f, figure_median(of) / figure_median(to));
	}
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct bench b;
	int rc = 0;

	(void)eal;
	b.figures = figures;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && rc >= 0; i++)
		if (!values[1] || strstr(scenarios[i].name, values[1]))
			rc = run(&b, &scenarios[i], err);
	if (rc >= 0 && !values[1])
		compare(&b);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_dataplane",
			.what = "What a packet costs a worker, all in: receive, lookup, replay, crypto, "
				"rewrite, send; beside the bare library.\n"
				"Every packet is checked.\n",
			.arguments = {{PROGRAM_JSON, "the figures, as JSON", false},
				{"PART", "only what has this in its name, such as '50k' or 'ipv6'", false}}},
		.eal = {.memory_mb = MEMORY_MB},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
