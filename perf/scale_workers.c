/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two workers on two cores, each with calls, a queue and a generator of its own; table of legs, frames, next
 * hops and main thread are one. On each core generator and worker take turns, and the worker's turns are
 * timed, in processor time. What one worker does while the other core is idle is compared with what both do
 * at once: what they disturb each other by, they share.
 *
 * Handed over: all packets of a worker's calls arrive at the other one's queue, as some do where a NIC
 * spreads them by its own lights.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_launch.h>

#include "dataplane/dp_clock.h"
#include "perf/gen.h"
#include "perf/room.h"
#include "perf/scale.h"

#define WORKERS 2
#define CALLS 10000 /* of each */
#define ROUND 512
#define SAMPLES 9
#define PER_SAMPLE 100 /* turns */
#define RATIO_MIN 1.9

/* What a core does until all have done it. */
enum task { TASK_REST, TASK_OWN, TASK_STRAY, TASK_TAKE_OVER };

struct core {
	struct pair *pair;
	unsigned index;
	struct gen *gen;
	enum task task;
	struct room_time took; /* by the worker */
	struct rte_mbuf *out[ROUND];
	int rc;
};

struct pair {
	struct room room;
	struct core cores[WORKERS];
	pthread_barrier_t begin, end;
	bool over;
};

/* Packets of `calls` arrive at the core's worker; what it sends itself is judged. */
static int turn(struct core *c, struct core *calls)
{
	struct rte_mbuf *frames[ROUND];
	unsigned sent;

	if (rte_pktmbuf_alloc_bulk(c->pair->room.pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(calls->gen, frames, ROUND))
		return -EIO;
	sent = room_relay_at(&c->pair->room, c->index, frames, ROUND, c->out, &c->took);
	for (unsigned i = 0; i < sent; i++)
		gen_verify(calls->gen, c->out[i]);
	rte_pktmbuf_free_bulk(c->out, sent);
	return 0;
}

/* What was handed over, until all of it has left. */
static int take_over(struct core *c)
{
	struct room *r = &c->pair->room;
	uint64_t until = clock_mono_ns() + 10 * NS_PER_S, cpu = room_cpu_ns();
	unsigned sent = 0;

	while (rte_ring_count(r->txs[c->index]) < ROUND && clock_mono_ns() < until)
		worker_step(r->workers[c->index], clock_mono_ns());
	c->took.cpu += room_cpu_ns() - cpu;
	sent = rte_ring_dequeue_burst(r->txs[c->index], (void **)c->out, ROUND, NULL);
	for (unsigned i = 0; i < sent; i++)
		gen_verify(c->gen, c->out[i]);
	rte_pktmbuf_free_bulk(c->out, sent);
	return sent == ROUND ? 0 : -ETIMEDOUT;
}

static int work(struct core *c)
{
	int rc = 0;

	switch (c->task) {
	case TASK_OWN:
		for (unsigned k = 0; k < PER_SAMPLE && rc == 0; k++)
			rc = turn(c, c);
		break;
	case TASK_STRAY:
		rc = turn(c, &c->pair->cores[!c->index]);
		break;
	case TASK_TAKE_OVER:
		rc = take_over(c);
		break;
	case TASK_REST:
		break;
	}
	return rc;
}

static int core_run(void *arg)
{
	struct core *c = arg;

	for (;;) {
		pthread_barrier_wait(&c->pair->begin);
		if (c->pair->over)
			return 0;
		c->rc = work(c);
		pthread_barrier_wait(&c->pair->end);
	}
}

/* Each core has its task; back when both have done it. */
static int both(struct pair *p, enum task first, enum task second)
{
	p->cores[0].task = first;
	p->cores[1].task = second;
	pthread_barrier_wait(&p->begin);
	pthread_barrier_wait(&p->end);
	return p->cores[0].rc < 0 ? p->cores[0].rc : p->cores[1].rc;
}

static double ns_of(struct core *c, unsigned packets)
{
	double ns = (double)c->took.cpu / packets;

	c->took = (struct room_time){0};
	return ns;
}

static int sample_ratio(struct pair *p, struct figures *figures)
{
	double alone = 0, together = 0, ns;
	int rc = both(p, TASK_OWN, TASK_REST);

	rc = rc < 0 ? rc : both(p, TASK_REST, TASK_OWN);
	for (unsigned i = 0; i < WORKERS; i++) {
		ns = ns_of(&p->cores[i], PER_SAMPLE * ROUND);
		scale_sample(figures, "workers.one_ns", "ns/packet", ns, FIGURE_NO_TARGET, 0);
		alone += 1 / ns / WORKERS;
	}
	rc = rc < 0 ? rc : both(p, TASK_OWN, TASK_OWN);
	for (unsigned i = 0; i < WORKERS; i++) {
		ns = ns_of(&p->cores[i], PER_SAMPLE * ROUND);
		scale_sample(figures, "workers.two_ns", "ns/packet", ns, FIGURE_NO_TARGET, 0);
		together += 1 / ns;
	}
	if (rc == 0)
		scale_sample(
			figures, "workers.two_to_one", "ratio", together / alone, FIGURE_AT_LEAST, RATIO_MIN);
	return rc;
}

/* Worker 0's queue gets what is worker 1's. The rest of what both took is what the way round costs. */
static int sample_handover(struct pair *p, struct figures *figures)
{
	double stray, own;
	int rc = both(p, TASK_REST, TASK_OWN);

	own = ns_of(&p->cores[1], PER_SAMPLE * ROUND);
	for (unsigned k = 0; k < PER_SAMPLE && rc == 0; k++) {
		rc = both(p, TASK_STRAY, TASK_REST);
		rc = rc < 0 ? rc : both(p, TASK_REST, TASK_TAKE_OVER);
	}
	stray = ns_of(&p->cores[0], PER_SAMPLE * ROUND);
	if (rc == 0) {
		scale_sample(figures, "handover.wrong_worker_ns", "ns/packet", stray, FIGURE_NO_TARGET, 0);
		scale_sample(figures, "handover.extra_ns", "ns/packet",
			stray + ns_of(&p->cores[1], PER_SAMPLE * ROUND) - own, FIGURE_NO_TARGET, 0);
	}
	return rc;
}

static int measure(struct pair *p, struct figures *figures, struct err *err)
{
	int rc = 0;

	for (unsigned n = 0; n < 2 * CALLS && rc == 0; n += PER_SAMPLE * ROUND)
		rc = both(p, TASK_OWN, TASK_OWN);
	for (unsigned i = 0; i < WORKERS; i++)
		(void)ns_of(&p->cores[i], 1);
	for (unsigned i = 0; i < SAMPLES && rc == 0; i++)
		rc = sample_ratio(p, figures);
	for (unsigned i = 0; i < SAMPLES && rc == 0; i++)
		rc = sample_handover(p, figures);
	for (unsigned i = 0; i < WORKERS && rc == 0; i++)
		if (gen_stats(p->cores[i].gen)->good != gen_stats(p->cores[i].gen)->sent)
			rc = -EBADMSG;
	return rc < 0 ? err_set(err, -rc, "two workers: %s", strerror(-rc)) : 0;
}

static int calls_of(struct pair *p, unsigned i, struct err *err)
{
	struct gen_conf conf = {
		.sessions = CALLS, .in = SRTP_SUITE_NONE, .out = SRTP_AEAD_AES_128_GCM, .worker = i};
	struct core *c = &p->cores[i];
	int rc;

	c->pair = p;
	c->index = i;
	for (unsigned side = 0; side < 2; side++)
		memcpy(conf.gateway_mac[side], p->room.port->mac.addr_bytes, 6);
	rc = gen_open(&conf, &c->gen, err);
	return rc < 0 ? rc : gen_program(c->gen, room_command, &p->room, err);
}

/* The cores' threads are DPDK's, which have caches of frames as workers' do. */
static int run(struct pair *p, struct figures *figures, struct err *err)
{
	int rc = 0;

	pthread_barrier_init(&p->begin, NULL, WORKERS + 1);
	pthread_barrier_init(&p->end, NULL, WORKERS + 1);
	for (unsigned i = 0; i < WORKERS && rc >= 0; i++)
		rc = rte_eal_remote_launch(core_run, &p->cores[i], i + 1);
	if (rc < 0)
		return err_set(err, -rc, "no thread for a worker: %s", strerror(-rc));
	rc = measure(p, figures, err);
	p->over = true;
	pthread_barrier_wait(&p->begin);
	rte_eal_mp_wait_lcore();
	pthread_barrier_destroy(&p->begin);
	pthread_barrier_destroy(&p->end);
	return rc;
}

int scale_workers(struct figures *figures, const struct eal *eal, struct err *err)
{
	static struct pair pair;
	int rc;

	if (eal->workers < WORKERS || sysconf(_SC_NPROCESSORS_ONLN) < WORKERS) {
		printf("two workers are not measured: this machine has one core\n");
		return 0;
	}
	rc = room_open_workers(&pair.room, WORKERS, WORKERS * CALLS, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < WORKERS && rc >= 0; i++)
		rc = calls_of(&pair, i, err);
	if (rc >= 0)
		rc = run(&pair, figures, err);
	for (unsigned i = 0; i < WORKERS; i++)
		gen_close(pair.cores[i].gen);
	room_close(&pair.room);
	return rc;
}
