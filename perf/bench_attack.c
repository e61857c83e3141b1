/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_attack: what the calls of one worker notice of packets that nobody should send. Honest media
 * of 4,000 directions (200,000 packets a second) and an attack, in the worker's own time (attack.h).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/attack.h"
#include "perf/bench.h"
#include "perf/calls.h"
#include "perf/figures.h"

#define CALLS 4000
#define HONEST_PPS 200e3
#define SAMPLES 5
#define SECONDS 0.2
/* 10 Gb/s of SRTP with 160 octets of payload: 230 on the wire, and 24 of preamble, FCS and gap. */
#define LINE_RATE_PPS (10e9 / 8 / 254)

static const struct scenario {
	const char *name;
	enum attack_kind kind;
	double pps;
	enum srtp_suite in, out;
} scenarios[] = {
	{"calm", ATTACK_NONE, 0, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"forged_one_port.gcm128", ATTACK_FORGED_ONE, LINE_RATE_PPS, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"forged_one_port.cm128", ATTACK_FORGED_ONE, LINE_RATE_PPS, SRTP_AES_CM_128_HMAC_SHA1_80,
		SRTP_SUITE_NONE},
	{"forged_all_ports.gcm128", ATTACK_FORGED_ALL, 10 * HONEST_PPS, SRTP_AEAD_AES_128_GCM,
		SRTP_SUITE_NONE},
	{"forged_all_ports.cm128", ATTACK_FORGED_ALL, 10 * HONEST_PPS, SRTP_AES_CM_128_HMAC_SHA1_80,
		SRTP_SUITE_NONE},
	{"strangers.gcm128", ATTACK_STRANGERS, LINE_RATE_PPS, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"replays.gcm128", ATTACK_REPLAYS, 10 * HONEST_PPS, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"strangers.plain", ATTACK_STRANGERS, LINE_RATE_PPS, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM},
};

struct bench {
	struct figures *figures;
	struct room room;
	struct gen *gen;
	struct attack *attack;
};

static void sample(struct bench *b, const struct scenario *s, const char *what, const char *unit,
	double value, double at_most)
{
	struct figure *f;
	char name[96];

	snprintf(name, sizeof(name), "attack.%s.%s", s->name, what);
	f = figures_get(b->figures, name, unit);
	if (!f)
		return;
	if (at_most >= 0)
		figure_target(f, FIGURE_AT_MOST, at_most);
	figure_sample(f, value);
}

static void note(struct bench *b, const struct scenario *s, const struct attack_result *r)
{
	double packets = (double)(r->honest + r->hostile);

	sample(b, s, "honest_loss", "%", 100.0 * (double)r->lost / (double)r->honest, 1);
	sample(b, s, "came_out", "packets", (double)r->came_out, 0);
	sample(b, s, "worker_ns", "ns/packet", r->cpu_ns / packets, -1);
	sample(b, s, "worker_load", "%", 100 * r->cpu_ns / ((r->seconds + r->recovery_ms / 1e3) * 1e9), -1);
	if (s->kind == ATTACK_FORGED_ONE && r->one)
		sample(b, s, "attacked_call_loss", "%", 100.0 * (double)r->one_lost / (double)r->one, -1);
	if (s->kind != ATTACK_NONE)
		sample(b, s, "recovery", "ms", r->recovery_ms, 100);
}

static int measure(struct bench *b, const struct scenario *s)
{
	struct attack_conf calm = {.honest_pps = HONEST_PPS};
	struct attack_conf conf = {s->kind, HONEST_PPS, s->pps};
	struct attack_result r;
	uint64_t trials = 0;
	/* Each call is heard twice before. */
	int rc = attack_run(b->attack, &calm, 2 * CALLS / HONEST_PPS, &r);

	for (unsigned i = 0; i < SAMPLES && rc == 0; i++) {
		rc = attack_run(b->attack, &conf, SECONDS, &r);
		if (rc == 0)
			note(b, s, &r);
		trials += r.trials;
	}
	/* Ten in each second that it touches, and as many again for SSRCs that the leg knows. */
	if (rc == 0 && s->kind == ATTACK_STRANGERS)
		sample(b, s, "trials_per_leg", "packets", (double)trials / CALLS,
			20 * (SAMPLES * SECONDS + 1));
	/* No call has ended: each is heard once more. */
	if (rc == 0)
		rc = attack_run(b->attack, &calm, 2 * CALLS / HONEST_PPS, &r);
	if (rc == 0 && s->kind != ATTACK_NONE)
		sample(b, s, "lost_after", "packets", (double)r.lost, 0);
	return rc;
}

static int run(struct bench *b, const struct scenario *s, struct err *err)
{
	struct gen_conf conf = {.sessions = CALLS, .payload = 160, .in = s->in, .out = s->out};
	int rc = calls_open(&conf, &b->room, &b->gen, err);

	if (rc < 0)
		return rc;
	rc = attack_open(&b->room, b->gen, CALLS, &b->attack);
	rc = rc < 0 ? rc : measure(b, s);
	if (rc < 0)
		err_set(err, -rc, "%s: %s", s->name, strerror(-rc));
	attack_close(b->attack);
	b->attack = NULL;
	calls_close(&b->room, b->gen);
	b->gen = NULL;
	return rc;
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct bench b;
	int rc = 0;

	(void)values;
	(void)eal;
	b.figures = figures;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && rc >= 0; i++)
		rc = run(&b, &scenarios[i], err);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_attack",
			.what = "What the calls of one worker lose under forged packets at line rate, replays and strangers, what a hostile\n"
				"packet costs, and how soon all is as before.\n",
			.arguments = {PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = 512},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
