/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/hold.h"

#include <string.h>

#include "dataplane/rewrite.h"
#include "dataplane/worker_private.h"

void hold_open(struct hold *h)
{
	memset(h, 0, sizeof *h);
	TAILQ_INIT(&h->free);
	TAILQ_INIT(&h->keys);
	TAILQ_INIT(&h->hops);
	for (unsigned i = 0; i < HOLD_PACKETS; i++)
		TAILQ_INSERT_TAIL(&h->free, &h->memory[i], in_all);
}

/* Back to the free ones; the mbuf is the caller's. */
static struct rte_mbuf *release(struct hold *h, struct held *e)
{
	struct rte_mbuf *m = e->m;

	if (e->out) {
		TAILQ_REMOVE(&h->hops, e, in_all);
		e->out->hops_held--;
		h->hops_waiting--;
	} else {
		TAILQ_REMOVE(&h->keys, e, in_all);
		TAILQ_REMOVE(&e->in->far->hold, e, in_leg);
		e->in->held--;
		h->keys_waiting--;
	}
	TAILQ_INSERT_HEAD(&h->free, e, in_all);
	return m;
}

void hold_close(struct worker *w)
{
	struct hold *h = &w->hold;
	struct held *e;

	while ((e = TAILQ_FIRST(&h->keys)) || (e = TAILQ_FIRST(&h->hops)))
		rte_pktmbuf_free(release(h, e));
	for (; h->again_n; h->again_n--)
		rte_pktmbuf_free(h->again[h->again_from++ % HOLD_PACKETS].m);
}

static struct held *take(struct hold *h, struct packet *p, uint64_t until)
{
	struct held *e = TAILQ_FIRST(&h->free);

	if (!e)
		return NULL;
	TAILQ_REMOVE(&h->free, e, in_all);
	e->m = p->m;
	e->in = p->in;
	e->out = NULL;
	e->until = until;
	return e;
}

int hold_for_key(struct worker *w, struct packet *p, int verdict)
{
	uint64_t until = p->held_until ? p->held_until : w->now + HOLD_NS;
	struct leg *leg = p->in;
	struct held *e;

	if (!(leg->flags & DP_LEG_KEYS_PENDING))
		return verdict;
	if (w->now >= until)
		return DP_V_HELD_EXPIRED;
	if (leg->held >= HOLD_PER_LEG)
		worker_drop(w, leg, release(&w->hold, TAILQ_FIRST(&leg->far->hold)), DP_V_HELD_EXPIRED);
	e = w->hold.keys_waiting < HOLD_KEYS ? take(&w->hold, p, until) : NULL;
	if (!e)
		return verdict;
	TAILQ_INSERT_TAIL(&w->hold.keys, e, in_all);
	TAILQ_INSERT_TAIL(&leg->far->hold, e, in_leg);
	leg->held++;
	w->hold.keys_waiting++;
	return PACKET_TAKEN;
}

void hold_retry(struct worker *w, struct leg *leg)
{
	struct hold *h = &w->hold;
	struct held *e;

	while ((e = TAILQ_FIRST(&leg->far->hold))) {
		uint64_t until = e->until;
		struct rte_mbuf *m = release(h, e);
		uint32_t at = (h->again_from + h->again_n) % HOLD_PACKETS;

		if (h->again_n == HOLD_PACKETS) {
			worker_drop(w, leg, m, DP_V_HELD_EXPIRED);
			continue;
		}
		h->again[at].m = m;
		h->again[at].until = until;
		h->again_n++;
	}
}

int hold_for_hop(struct worker *w, struct packet *p)
{
	struct held *e;

	if (packet_out(p)->hops_held >= HOLD_HOP_PER_LEG || w->hold.hops_waiting >= HOLD_PACKETS - HOLD_KEYS)
		return DP_V_NEIGHBOUR;
	e = take(&w->hold, p, w->now + HOLD_HOP_NS);
	if (!e)
		return DP_V_NEIGHBOUR;
	e->out = packet_out(p);
	e->kind = (uint8_t)p->kind;
	e->payload = p->len;
	e->clear_len = p->clear_len;
	e->out->hops_held++;
	TAILQ_INSERT_TAIL(&w->hold.hops, e, in_all);
	w->hold.hops_waiting++;
	return PACKET_TAKEN;
}

/* One on its way out, as it was when it had to wait. */
static struct packet packet_of(const struct held *e)
{
	return (struct packet){
		.m = e->m,
		.in = e->in,
		.to = leg_departure(e->out),
		.kind = e->kind,
		.len = e->payload,
		.clear_len = e->clear_len,
		.departs = e->kind == PACKET_RTP,
	};
}

/* Sends what knows its next hop now. */
static void hop_again(struct worker *w, struct held *e)
{
	struct packet p = packet_of(e);
	int verdict = rewrite_hop(w, &p);

	if (verdict == PACKET_ON && p.waits && w->now < e->until)
		return;
	release(&w->hold, e);
	if (verdict == PACKET_ON && p.waits)
		verdict = DP_V_NEIGHBOUR;
	if (verdict != PACKET_ON) {
		packet_drop(w, &p, verdict);
		return;
	}
	rewrite_ether(&p);
	worker_send_one(w, &p);
}

void hold_hop_known(struct worker *w, struct leg *out)
{
	struct held *e, *next;

	for (e = out->hops_held ? TAILQ_FIRST(&w->hold.hops) : NULL; e; e = next) {
		next = TAILQ_NEXT(e, in_all);
		if (e->out == out)
			hop_again(w, e);
	}
}

void hold_tick(struct worker *w)
{
	struct held *e, *next;

	for (e = TAILQ_FIRST(&w->hold.keys); e; e = next) {
		struct leg *leg = e->in;

		next = TAILQ_NEXT(e, in_all);
		if (w->now >= e->until)
			worker_drop(w, leg, release(&w->hold, e), DP_V_HELD_EXPIRED);
	}
	for (e = TAILQ_FIRST(&w->hold.hops); e; e = next) {
		next = TAILQ_NEXT(e, in_all);
		hop_again(w, e);
	}
}

void hold_forget_hops(struct worker *w, struct leg *out)
{
	struct held *e, *next;

	for (e = out->hops_held ? TAILQ_FIRST(&w->hold.hops) : NULL; e; e = next) {
		next = TAILQ_NEXT(e, in_all);
		if (e->out == out) {
			struct packet p = packet_of(e);

			release(&w->hold, e);
			packet_drop(w, &p, DP_V_NEIGHBOUR);
		}
	}
}

void hold_forget(struct worker *w, struct leg *leg)
{
	struct held *e, *next;

	while ((e = TAILQ_FIRST(&leg->far->hold)))
		rte_pktmbuf_free(release(&w->hold, e));
	for (e = TAILQ_FIRST(&w->hold.hops); e; e = next) {
		next = TAILQ_NEXT(e, in_all);
		if (e->in == leg || e->out == leg)
			rte_pktmbuf_free(release(&w->hold, e));
	}
}
