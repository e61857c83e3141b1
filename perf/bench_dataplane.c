/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_dataplane [json]: what a packet costs the worker, all in: receive, lookup, replay, crypto, rewrite,
 * send. The generator and the worker take turns on one core; only the worker's turns are timed (processor
 * time of the thread, and by the wall, which on a busy machine is longer), and every packet that it sends is
 * decrypted and checked in the generator's. The wire is a pair of rings that never run empty during a turn:
 * this is a worker under load.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "dataplane/eal.h"
#include "perf/figures.h"
#include "perf/gen.h"
#include "perf/room.h"

#define ROUND 512 /* packets per turn */
#define SAMPLES 11
#define PER_SAMPLE 160 /* turns: 82 thousand packets */

static const struct scenario {
	const char *name;
	uint32_t sessions;
	uint16_t payload;
	enum srtp_suite in, out;
	double worker_ns_max, batch_min; /* targets, 0: none */
} scenarios[] = {
	{"rtp_to_gcm128.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 400, 8},
	{"rtp_to_cm128_80.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0},
	{"gcm128_to_rtp.1k", 1000, 160, SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, 0, 0},
	{"cm128_80_to_gcm256.1k", 1000, 160, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_256_GCM, 0, 0},
	{"rtp_to_rtp.1k", 1000, 160, SRTP_SUITE_NONE, SRTP_SUITE_NONE, 0, 0},
	{"rtp_to_gcm128.1k.1200B", 1000, 1200, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
	{"rtp_to_gcm128.10k", 10000, 160, SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, 0, 0},
};

struct bench {
	struct figures figures;
	struct room room;
	struct gen *gen;
};

static struct figure *figure_of(struct bench *b, const struct scenario *s, const char *what, const char *unit)
{
	char name[96];

	snprintf(name, sizeof(name), "dataplane.%s.%s", s->name, what);
	return figures_get(&b->figures, name, unit);
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

static int measure(struct bench *b, const struct scenario *s)
{
	struct figure *ns = figure_of(b, s, "worker_ns", "ns/packet");
	struct figure *wall = figure_of(b, s, "worker_wall_ns", "ns/packet");
	struct figure *batch = figure_of(b, s, "crypto_batch", "packets");
	int rc = warm_up(b, s);

	if (!ns || !wall || !batch)
		return -ENOSPC;
	if (s->worker_ns_max > 0)
		figure_target(ns, FIGURE_AT_MOST, s->worker_ns_max);
	if (s->batch_min > 0)
		figure_target(batch, FIGURE_AT_LEAST, s->batch_min);
	for (unsigned i = 0; i < SAMPLES && !rc; i++) {
		struct worker_stats before = *worker_stats(b->room.worker), after;
		struct room_time took = {0};

		for (unsigned k = 0; k < PER_SAMPLE && !rc; k++)
			rc = turn(b, &took);
		after = *worker_stats(b->room.worker);
		figure_sample(ns, (double)took.cpu / (PER_SAMPLE * ROUND));
		figure_sample(wall, (double)took.wall / (PER_SAMPLE * ROUND));
		if (after.crypto_batches > before.crypto_batches)
			figure_sample(batch, (double)(after.crypto_jobs - before.crypto_jobs) /
						     (double)(after.crypto_batches - before.crypto_batches));
	}
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
	struct gen_conf conf = {.sessions = s->sessions, .payload = s->payload, .in = s->in, .out = s->out};
	int rc = room_open(&b->room, s->sessions + 1, err);

	if (rc < 0)
		return rc;
	memcpy(conf.gateway_mac, b->room.port->mac.addr_bytes, 6);
	rc = gen_open(&conf, &b->gen, err);
	if (rc >= 0)
		rc = gen_program(b->gen, room_command, &b->room, err);
	if (rc >= 0) {
		rc = measure(b, s);
		rc = rc < 0 ? err_set(err, -rc, "%s: %s", s->name, strerror(-rc)) : judge(b, s);
	}
	gen_close(b->gen);
	b->gen = NULL;
	room_close(&b->room);
	return rc;
}

int main(int argc, char **argv)
{
	struct eal_conf conf = {.memory_mb = 512};
	static struct bench b;
	struct err err = {""};
	struct eal eal;
	int rc;

	if (argc > 2) {
		fprintf(stderr, "usage: bench_dataplane [file.json]\n");
		return 2;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	rc = eal_start(&conf, &eal, &err);
	if (rc < 0) {
		fprintf(stderr, "bench_dataplane: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && rc >= 0; i++)
		rc = run(&b, &scenarios[i], &err);
	printf("%s, data plane on %s pages\n", figures_machine(), eal.hugepages ? "2 MB" : "4 kB");
	figures_print(&b.figures, stdout);
	if (rc < 0 && err.text[0])
		fprintf(stderr, "bench_dataplane: %s\n", err.text);
	if (rc >= 0 && argc > 1)
		rc = figures_write_json(&b.figures, argv[1]);
	eal_stop(&eal);
	return rc < 0 ? 1 : 0;
}
