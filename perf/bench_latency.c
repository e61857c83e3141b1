/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_latency: how long packets stay inside, and what share of a core that takes, by load, with a
 * worker that never sleeps and with one that does. The worker runs on a core of its own; this thread is the
 * wire: it puts packets into the port's ring when their time has come and looks what has come out. Rounds of
 * packets are built before and judged behind, so that in between nothing else is done. A packet's time runs
 * from when it was due.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_launch.h>

#include "dataplane/worker_private.h"
#include "lib/base/log.h"
#include "perf/bench.h"
#include "perf/calls.h"
#include "perf/figures.h"

#define CALLS 1000
#define ROUND 2000 /* packets; they fit into the rings: none is lost when this thread has to wait */
#define FIRST 800  /* of them, which are not counted: they meet a worker that slept while they were built */
#define COUNTED (ROUND - FIRST)
#define SAMPLES 5
#define CAPACITY_ROUNDS 5
#define NAP_US 200 /* as the program's default */
#define WAIT_S 20  /* for packets that do not come out at all */

static const struct load {
	const char *name;
	double share; /* of what the worker can do */
	unsigned rounds;
} loads[] = {{"no_load", 0, 1}, {"1_percent", 0.01, 1}, {"10_percent", 0.1, 2}, {"half_load", 0.5, 10}};

struct bench {
	struct figures *figures;
	struct room room;
	struct gen *gen;
	double most_pps;
	clockid_t clock; /* of the worker's thread */
	_Atomic bool ready;
	double us[10 * COUNTED];
};

static int work(void *arg)
{
	struct bench *b = arg;

	pthread_getcpuclockid(pthread_self(), &b->clock);
	b->ready = true;
	return worker_run(b->room.worker);
}

static double cpu_s(const struct bench *b)
{
	struct timespec t;

	clock_gettime(b->clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall_s(void)
{
	return (double)rte_rdtsc() / (double)rte_get_tsc_hz();
}

static int build(struct bench *b, struct rte_mbuf **frames)
{
	if (rte_pktmbuf_alloc_bulk(b->room.pool, frames, ROUND) < 0)
		return -ENOMEM;
	return gen_build(b->gen, frames, ROUND);
}

/* The worker keeps the order of packets, so that the n-th to come out is the n-th that went in. */
static int judge(struct bench *b, struct rte_mbuf **out)
{
	uint64_t good = gen_stats(b->gen)->good;

	for (unsigned i = 0; i < ROUND; i++)
		gen_verify(b->gen, out[i]);
	rte_pktmbuf_free_bulk(out, ROUND);
	return gen_stats(b->gen)->good - good == ROUND ? 0 : -EIO;
}

/* A round at a rate: microseconds of each packet that counts; seconds of the worker and of the clock, while
 * it lasts. */
static int round_run(struct bench *b, double pps, double *us, double *spent, double *past)
{
	struct rte_mbuf *in[ROUND], *out[ROUND];
	double begin, cpu, gap = 1 / pps, now;
	unsigned sent = 0, came = 0;
	int rc = build(b, in);

	if (rc < 0)
		return rc;
	cpu = cpu_s(b);
	begin = wall_s();
	do {
		unsigned n;

		now = wall_s() - begin;
		for (; sent < ROUND && gap * sent <= now; sent++)
			if (rte_ring_enqueue(b->room.rx, in[sent]) < 0)
				break;
		n = rte_ring_dequeue_burst(b->room.tx, (void **)out + came, ROUND - came, NULL);
		now = wall_s() - begin;
		for (unsigned i = 0; i < n; i++, came++)
			if (came >= FIRST)
				us[came - FIRST] = 1e6 * (now - gap * came);
	} while (came < ROUND && now < gap * ROUND + WAIT_S);
	*past += now;
	*spent += cpu_s(b) - cpu;
	return came == ROUND ? judge(b, out) : -ETIMEDOUT;
}

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static void sample(struct bench *b, const char *load, const char *how, const char *what, const char *unit,
	double value, double most)
{
	struct figure *f;
	char name[96];

	snprintf(name, sizeof(name), "latency.%s.%s%s", load, how, what);
	f = figures_get(b->figures, name, unit);
	if (!f)
		return;
	if (most > 0)
		figure_target(f, FIGURE_AT_MOST, most);
	figure_sample(f, value);
}

static int measure(struct bench *b, const struct load *l, const char *how)
{
	double cpu = cpu_s(b), wall = wall_s(), spent = 0, past = 0;
	unsigned n = 0;
	int rc = 0;

	if (l->share == 0) {
		rte_delay_us_sleep(200000);
		spent = cpu_s(b) - cpu;
		past = wall_s() - wall;
	}
	for (unsigned i = 0; l->share > 0 && i < l->rounds && rc == 0; i++, n += COUNTED)
		rc = round_run(b, l->share * b->most_pps, b->us + n, &spent, &past);
	sample(b, l->name, how, "core_share", "%", 100 * spent / past, -1);
	if (rc < 0 || n == 0)
		return rc;
	qsort(b->us, n, sizeof(*b->us), ascending);
	sample(b, l->name, how, "p50_us", "us", b->us[n / 2], -1);
	sample(b, l->name, how, "p99_us", "us", b->us[n * 99ul / 100], -1);
	if (n >= 10000)
		sample(b, l->name, how, "p999_us", "us", b->us[n * 999ul / 1000], 100);
	return 0;
}

/* What the worker can do, in turns with this thread. */
static int capacity(struct bench *b)
{
	struct room_time took = {0};
	int rc = 0;

	for (unsigned i = 0; i < CAPACITY_ROUNDS && rc == 0; i++) {
		struct rte_mbuf *in[ROUND], *out[ROUND];

		rc = build(b, in);
		if (rc == 0)
			rc = room_relay(&b->room, in, ROUND, out, &took) == ROUND ? judge(b, out) : -EIO;
	}
	b->most_pps = 1e9 * CAPACITY_ROUNDS * ROUND / (double)(took.cpu ? took.cpu : 1);
	return rc;
}

static int run(struct bench *b, uint32_t idle_us, const char *how, struct err *err)
{
	struct gen_conf conf = {
		.sessions = CALLS, .payload = 160, .in = SRTP_SUITE_NONE, .out = SRTP_AEAD_AES_128_GCM};
	int rc = calls_open(&conf, &b->room, &b->gen, err);

	if (rc < 0)
		return rc;
	rc = capacity(b);
	b->room.worker->idle.most_ns = idle_us * 1000;
	b->ready = false;
	rte_eal_remote_launch(work, b, 1);
	while (!b->ready)
		rte_delay_us_sleep(100);
	for (unsigned i = 0; i < SAMPLES && rc == 0; i++)
		for (size_t k = 0; k < sizeof(loads) / sizeof(loads[0]) && rc == 0; k++)
			rc = measure(b, &loads[k], how);
	worker_stop(b->room.worker);
	rte_eal_mp_wait_lcore();
	if (rc < 0)
		err_set(err, -rc, "packets were lost or came back wrong: %s", strerror(-rc));
	calls_close(&b->room, b->gen);
	return rc;
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct bench b;
	int rc;

	(void)values;
	if (eal->shared_cpu) {
		puts("latency is not measured: the worker and its wire need a core each");
		return 0;
	}
	b.figures = figures;
	rc = run(&b, 0, "busy_poll.", err);
	return rc < 0 ? rc : run(&b, NAP_US, "", err);
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_latency",
			.what = "How long packets stay inside a worker, and what share of a core it takes, by load: with busy polling\n"
				"and with naps. Needs two cores.\n",
			.arguments = {PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = 256, .workers = 1},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
