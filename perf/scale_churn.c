/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that come and go beside those that speak. One worker at full load, in its own time: so many sessions
 * are added and removed in each second that its turns have taken of the processor, whatever else the machine
 * does. What the main thread does for them (checks, key derivation, memory) is measured apart.
 *
 * A few per cent are less than what a busy machine's samples differ by. So every turn with sessions that come
 * and go has one without behind it, and they come and go RATE_TIMES as often; the cost is divided by it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/dp_clock.h"
#include "perf/calls.h"
#include "perf/scale.h"
#include "perf/scale_session.h"

#define CALLS 10000
#define ROUND 512 /* packets a turn */
#define RATE 1000.0
#define RATE_TIMES 10
#define LIVE 2000 /* sessions that were added are removed this much later */
#define SAMPLES 9
#define PER_SAMPLE 200 /* turns of each kind */
#define COST_MAX 2.0

struct churn {
	struct room room;
	struct gen *gen;
	double busy_ns; /* of turns with sessions that come and go */
	uint64_t added;
	uint64_t main_ns; /* the main thread's share */
};

static int turn(struct churn *c, struct room_time *took)
{
	struct rte_mbuf *frames[ROUND], *out[ROUND];
	unsigned sent;

	if (rte_pktmbuf_alloc_bulk(c->room.pool, frames, ROUND))
		return -ENOMEM;
	if (gen_build(c->gen, frames, ROUND))
		return -EIO;
	sent = room_relay(&c->room, frames, ROUND, out, took);
	for (unsigned i = 0; i < sent; i++)
		gen_verify(c->gen, out[i]);
	rte_pktmbuf_free_bulk(out, sent);
	return 0;
}

static void command(struct churn *c, union dp_msg *m)
{
	m->h.seq = ++c->room.seq;
	control_handle(c->room.control, m);
}

/* The worker has not seen any of it when this returns. */
static void one_comes_one_goes(struct churn *c)
{
	uint64_t begin = room_cpu_ns();
	uint32_t i = (uint32_t)(c->added % (2 * LIVE));
	struct scale_session s = {
		i, (c->added / (2 * LIVE) + 1) << 32 | (CALLS + 1 + i), SRTP_AEAD_AES_128_GCM};
	union dp_msg m;

	for (unsigned k = 0; scale_session_message(&s, k, &m); k++)
		command(c, &m);
	if (c->added >= LIVE) {
		uint64_t gone = c->added - LIVE;

		dp_msg_init(&m, DP_SESSION_DEL, 0);
		m.session_del.session = (gone / (2 * LIVE) + 1) << 32 | (CALLS + 1 + gone % (2 * LIVE));
		command(c, &m);
	}
	c->added++;
	c->main_ns += room_cpu_ns() - begin;
}

/* What the turn has not come to: a worker takes some commands at a time. */
static void commands_finish(struct churn *c, struct room_time *took)
{
	for (unsigned i = 0; i < 1000 && c->room.acked != c->room.seq; i++) {
		uint64_t cpu = room_cpu_ns();

		worker_step(c->room.worker, clock_mono_ns());
		took->cpu += room_cpu_ns() - cpu;
		control_poll(c->room.control);
	}
}

static int sample(struct churn *c, struct figures *figures)
{
	struct room_time calm = {0}, busy = {0};
	uint64_t added = c->added, main_ns = c->main_ns;
	int rc = 0;

	for (unsigned k = 0; k < PER_SAMPLE && rc == 0; k++) {
		double due = (c->busy_ns + (double)busy.cpu) / 1e9 * RATE * RATE_TIMES;

		while ((double)(c->added - LIVE) < due)
			one_comes_one_goes(c);
		rc = turn(c, &busy);
		commands_finish(c, &busy);
		if (rc == 0)
			rc = turn(c, &calm);
	}
	c->busy_ns += (double)busy.cpu;
	if (rc < 0 || c->room.ack_result < 0)
		return rc < 0 ? rc : c->room.ack_result;
	added = c->added - added;
	scale_sample(figures, "churn.gcm128.10k.cost", "%",
		100 * ((double)busy.cpu / (double)calm.cpu - 1) / RATE_TIMES, FIGURE_AT_MOST, COST_MAX);
	scale_sample(figures, "churn.gcm128.10k.calm_ns", "ns/packet",
		(double)calm.cpu / (PER_SAMPLE * ROUND), FIGURE_NO_TARGET, 0);
	scale_sample(figures, "churn.gcm128.10k.worker_us", "us/session",
		((double)busy.cpu - (double)calm.cpu) / 1e3 / (double)added, FIGURE_NO_TARGET, 0);
	scale_sample(figures, "churn.gcm128.10k.main_us", "us/session",
		(double)(c->main_ns - main_ns) / 1e3 / (double)added, FIGURE_NO_TARGET, 0);
	return 0;
}

/* As many live as there will be, so that memory is that of a gateway which has seen its busiest hour. */
static int fill(struct churn *c)
{
	struct room_time took = {0};
	int rc = 0;

	for (unsigned i = 0; i < LIVE; i++) {
		one_comes_one_goes(c);
		commands_finish(c, &took);
	}
	for (unsigned sent = 0; sent < 2 * CALLS && rc == 0; sent += ROUND)
		rc = turn(c, &took);
	return rc < 0 ? rc : c->room.ack_result;
}

/* The generator's media addresses and ours behind them: 4,000 calls fit on one. */
static int configure(void *user, union dp_msg *m)
{
	if (m->h.type == DP_CONFIGURE)
		m->configure.addresses[m->configure.n_addresses++] = scale_address(0);
	return room_command(user, m);
}

static int run(struct churn *c, struct figures *figures, struct err *err)
{
	int rc = gen_program(c->gen, configure, &c->room, err);
	const struct gen_stats *g = gen_stats(c->gen);

	if (rc < 0)
		return rc;
	rc = fill(c);
	for (unsigned i = 0; i < SAMPLES && rc == 0; i++)
		rc = sample(c, figures);
	if (rc < 0)
		return err_set(err, -rc, "sessions that come and go: %s",
			c->room.ack_result < 0 ? c->room.ack_reason : strerror(-rc));
	if (worker_stats(c->room.worker)->sessions != CALLS + LIVE)
		return err_set(err, EBADMSG, "%llu sessions are left of those that came and went",
			(unsigned long long)worker_stats(c->room.worker)->sessions - CALLS);
	return g->good == g->sent ? 0
				  : err_set(err, EBADMSG, "of %llu packets %llu came back right",
					    (unsigned long long)g->sent, (unsigned long long)g->good);
}

int scale_churn(struct figures *figures, struct err *err)
{
	static struct churn c;
	struct gen_conf conf = {.sessions = CALLS, .in = SRTP_AEAD_AES_128_GCM, .out = SRTP_AEAD_AES_128_GCM};
	int rc = room_open(&c.room, CALLS + 1 + 2 * LIVE, err);

	if (rc < 0)
		return rc;
	for (unsigned side = 0; side < 2; side++)
		memcpy(conf.gateway_mac[side], c.room.port->mac.addr_bytes, 6);
	rc = gen_open(&conf, &c.gen, err);
	if (rc >= 0)
		rc = run(&c, figures, err);
	calls_close(&c.room, c.gen);
	return rc;
}
