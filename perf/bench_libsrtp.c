/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_libsrtp: our whole path of a packet (receive, lookup, replay, crypto, rewrite,
 * send) beside nothing but srtp_protect() or srtp_unprotect() of libsrtp2 for the same packets with the same
 * keys, in one process, a turn of one after a turn of the other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/bench.h"
#include "perf/calls.h"
#include "perf/figures.h"
#include "perf/libsrtp.h"

#define ROUND 512
#define SAMPLES 5
#define PER_SAMPLE 100 /* turns of each: 51 thousand packets */
#define MEMORY_MB 1536
#define AT_LEAST 11.0

static const struct scenario {
	const char *name;
	uint32_t sessions;
	enum srtp_suite in, out;
	bool target;
} scenarios[] = {
	{"rtp_to_srtp.cm128.1k", 1000, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, false},
	{"rtp_to_srtp.gcm128.1k", 1000, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, false},
	{"srtp_to_rtp.gcm128.1k", 1000, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, false},
	{"rtp_to_srtp.cm128.50k", 50000, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, true},
	{"rtp_to_srtp.gcm128.50k", 50000, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, true},
};

struct bench {
	struct figures *figures;
	struct room room;
	struct gen *gen;
	struct libsrtp *peer;
};

/* Both, once; -EBADMSG: a packet is not done right by one of them. */
static int turn(struct bench *b, uint64_t *ours, uint64_t *theirs)
{
	struct rte_mbuf *frames[ROUND], *out[ROUND];
	struct room_time took = {0};
	unsigned sent, done;

	if (rte_pktmbuf_alloc_bulk(b->room.pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(b->gen, frames, ROUND))
		return -EIO;
	done = libsrtp_run(b->peer, frames, ROUND, theirs);
	sent = room_relay(&b->room, frames, ROUND, out, &took);
	for (unsigned i = 0; i < sent; i++)
		gen_verify(b->gen, out[i]);
	rte_pktmbuf_free_bulk(out, sent);
	*ours += took.cpu;
	return done == ROUND && gen_stats(b->gen)->good == gen_stats(b->gen)->sent ? 0 : -EBADMSG;
}

static void note(struct bench *b, const struct scenario *s, const char *what, const char *unit, double value)
{
	struct figure *f;
	char name[96];

	snprintf(name, sizeof(name), "%s.%s", s->name, what);
	f = figures_get(b->figures, name, unit);
	if (!f)
		return;
	figure_sample(f, value);
	if (s->target && !strcmp(unit, "ratio"))
		figure_target(f, FIGURE_AT_LEAST, AT_LEAST);
}

static int measure(struct bench *b, const struct scenario *s)
{
	uint64_t ours, theirs;
	int rc = 0;

	/* Each call is heard twice before: streams and contexts are then as in a call's middle. */
	for (unsigned sent = 0; sent < 2 * s->sessions && !rc; sent += ROUND)
		rc = turn(b, &ours, &theirs);
	for (unsigned i = 0; i < SAMPLES && !rc; i++) {
		ours = theirs = 0;
		for (unsigned k = 0; k < PER_SAMPLE && !rc; k++)
			rc = turn(b, &ours, &theirs);
		note(b, s, "libsrtp_ns", "ns/packet", (double)theirs / (PER_SAMPLE * ROUND));
		note(b, s, "beside_libsrtp_ns", "ns/packet", (double)ours / (PER_SAMPLE * ROUND));
		note(b, s, "ratio_to_libsrtp", "ratio", (double)theirs / (double)ours);
	}
	return rc;
}

static int run(struct bench *b, const struct scenario *s, const char *library, struct err *err)
{
	struct gen_conf conf = {.sessions = s->sessions, .payload = 160, .in = s->in, .out = s->out};
	int rc = calls_open(&conf, &b->room, &b->gen, err);

	if (rc < 0)
		return rc;
	rc = libsrtp_open(&b->peer, library, b->gen, s->out != SRTP_SUITE_NONE, err);
	if (rc >= 0) {
		rc = measure(b, s);
		if (rc < 0)
			err_set(err, -rc, "%s: a packet came back wrong: %s", s->name, strerror(-rc));
	}
	libsrtp_close(b->peer);
	b->peer = NULL;
	calls_close(&b->room, b->gen);
	return rc;
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct bench b;
	int rc = 0;

	(void)eal;
	b.figures = figures;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && rc >= 0; i++)
		rc = run(&b, &scenarios[i], values[0], err);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_libsrtp",
			.what = "Our whole path of a packet beside nothing but libsrtp2's crypto for the same packets, in one process, a turn\n"
				"of one after a turn of the other.\n",
			.arguments = {{"LIBSRTP2.so",
					      "the library that is measured (perf/peers/libsrtp2 builds it)",
					      true},
				PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = MEMORY_MB},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
