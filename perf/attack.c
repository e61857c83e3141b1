/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/attack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>

#include "lib/base/clock.h"
#include "lib/srtp/be.h"
#include "perf/gen_private.h"

#define TURN_STEPS 8  /* iterations of the worker between two looks at the clock */
#define IDLE_NS 20000 /* that an idle worker waits for packets */
#define KEPT 1024     /* genuine frames that may be replayed */

struct kept {
	uint16_t n;
	uint8_t octets[GEN_FRAME_MAX];
};

struct attack {
	struct room *room;
	struct gen *gen;
	uint32_t calls, next;
	uint64_t now; /* nanoseconds, this run's own clock */
	uint64_t random;
	struct kept *kept;
	unsigned n_kept, at_kept;
	/* Packets that are due, in parts of one; and which of the two kinds comes next. */
	double honest_due, hostile_due;
};

int attack_open(struct room *room, struct gen *gen, uint32_t calls, struct attack **out)
{
	struct attack *a = calloc(1, sizeof(*a));

	if (a)
		a->kept = calloc(KEPT, sizeof(*a->kept));
	if (!a || !a->kept) {
		attack_close(a);
		return -ENOMEM;
	}
	a->room = room;
	a->gen = gen;
	a->calls = calls;
	a->random = 1;
	a->now = clock_mono_ns();
	*out = a;
	return 0;
}

void attack_close(struct attack *a)
{
	if (a)
		free(a->kept);
	free(a);
}

static uint64_t random_next(struct attack *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return a->random;
}

/* As the call's next packets would look to somebody who sees the wire and has no key. */
static void forge(struct attack *a, struct rte_mbuf *m, uint32_t call, bool stranger)
{
	const struct gen_session *c = &a->gen->sessions[call];
	enum srtp_suite suite = gen_suite(a->gen, 0);
	size_t n = GEN_RTP + (size_t)a->gen->conf.payload + srtp_suite_info(suite)->rtp_tag_len;
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *), *rtp = f + c->headers_n[0];
	uint64_t noise = random_next(a);

	memcpy(f, c->headers[0], c->headers_n[0]);
	if (stranger)
		frame_stranger(f, (uint32_t)noise);
	rtp[0] = 0x80;
	rtp[1] = 0;
	be16_put(rtp + 2, (uint16_t)(c->seq + (noise >> 32) % 16));
	be32_put(rtp + 4, c->ts);
	be32_put(rtp + 8, c->ssrc);
	for (size_t i = GEN_RTP; i < n; i++)
		rtp[i] = (uint8_t)(noise >> 8 * (i % 8));
	m->data_len = (uint16_t)frame_finish(f, n);
	m->pkt_len = m->data_len;
}

static void replay(struct attack *a, struct rte_mbuf *m)
{
	const struct kept *k = &a->kept[random_next(a) % a->n_kept];

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), k->octets, k->n);
	m->data_len = k->n;
	m->pkt_len = k->n;
}

static void hostile_build(struct attack *a, struct rte_mbuf *m, enum attack_kind kind)
{
	if (kind == ATTACK_REPLAYS && a->n_kept) {
		replay(a, m);
		return;
	}
	if (kind == ATTACK_FORGED_ALL || kind == ATTACK_STRANGERS)
		a->next = (a->next + 1) % a->calls;
	forge(a, m, a->next, kind == ATTACK_STRANGERS);
}

static int honest_build(struct attack *a, struct rte_mbuf *m)
{
	struct kept *k = &a->kept[a->at_kept++ % KEPT];
	int rc = gen_build(a->gen, &m, 1);

	k->n = m->data_len;
	memcpy(k->octets, rte_pktmbuf_mtod(m, uint8_t *), k->n);
	a->n_kept = a->n_kept < KEPT ? a->n_kept + 1 : KEPT;
	return rc;
}

/* What arrives within ns: both kinds mixed evenly; what finds no room is lost. */
static int arrive(struct attack *a, const struct attack_conf *conf, double ns, struct attack_result *r)
{
	unsigned room = rte_ring_free_count(a->room->rx);
	struct rte_mbuf *m;
	unsigned n;
	int rc = 0;

	a->honest_due += ns * conf->honest_pps / NS_PER_S;
	a->hostile_due += ns * conf->attack_pps / NS_PER_S;
	n = (unsigned)a->honest_due + (unsigned)a->hostile_due;
	for (unsigned i = 0; i < n && !rc; i++) {
		bool honest =
			a->honest_due >= 1 &&
			(a->hostile_due < 1 || (double)(random_next(a) >> 11) * 0x1p-53 <
						       a->honest_due / (a->honest_due + a->hostile_due));

		a->honest_due -= honest;
		a->hostile_due -= !honest;
		r->honest += honest;
		if (!room) {
			r->lost += honest;
			r->hostile_ring += !honest;
			continue;
		}
		m = rte_pktmbuf_alloc(a->room->pool);
		if (!m)
			return -ENOMEM;
		room--;
		r->hostile += !honest;
		if (honest)
			rc = honest_build(a, m);
		else
			hostile_build(a, m, conf->kind);
		rte_ring_enqueue(a->room->rx, m);
	}
	return rc;
}

/* The worker's turn; how long it took, nanoseconds. */
static double turn(struct attack *a, struct attack_result *r)
{
	struct rte_mbuf *out[64];
	uint64_t cpu = room_cpu_ns();
	unsigned n;

	for (unsigned i = 0; i < TURN_STEPS && !rte_ring_empty(a->room->rx); i++)
		worker_step(a->room->worker, a->now);
	cpu = room_cpu_ns() - cpu;
	r->cpu_ns += (double)cpu;
	while ((n = rte_ring_dequeue_burst(a->room->tx, (void **)out, 64, NULL)) != 0) {
		for (unsigned i = 0; i < n; i++)
			gen_verify(a->gen, out[i]);
		rte_pktmbuf_free_bulk(out, n);
	}
	control_poll(a->room->control);
	return rte_ring_empty(a->room->rx) && cpu < IDLE_NS ? IDLE_NS : (double)cpu;
}

int attack_run(struct attack *a, const struct attack_conf *conf, double seconds, struct attack_result *r)
{
	struct gen_stats before = *gen_stats(a->gen), after;
	const struct worker_stats *w = worker_stats(a->room->worker);
	const struct gen_session *one = &a->gen->sessions[a->next];
	uint32_t sent = one->sent, good = one->good;
	uint64_t trials = w->verdicts[DP_V_AUTH_FAIL], began = a->now;
	struct attack_conf calm = {.honest_pps = conf->honest_pps};
	double took = IDLE_NS;
	int rc = 0;

	*r = (struct attack_result){0};
	while (!rc && (double)(a->now - began) < seconds * NS_PER_S) {
		rc = arrive(a, conf, took, r);
		took = turn(a, r);
		a->now += (uint64_t)took;
	}
	r->seconds = (double)(a->now - began) / NS_PER_S;
	began = a->now;
	while (!rc && !rte_ring_empty(a->room->rx)) {
		rc = arrive(a, &calm, took, r);
		took = turn(a, r);
		a->now += (uint64_t)took;
	}
	r->recovery_ms = (double)(a->now - began) / NS_PER_MS;
	after = *gen_stats(a->gen);
	r->trials = w->verdicts[DP_V_AUTH_FAIL] - trials;
	r->one = one->sent - sent;
	r->one_lost = r->one - (one->good - good);
	r->came_out = (after.bad_frame - before.bad_frame) + (after.bad_auth - before.bad_auth) +
		      (after.bad_rtp - before.bad_rtp) + (after.bad_content - before.bad_content) +
		      (after.twice - before.twice);
	r->lost += (after.sent - before.sent) - (after.good - before.good);
	return rc;
}
