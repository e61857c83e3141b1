/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/batch.h"

#include <stddef.h>
#include <string.h>

#include "dataplane/worker_private.h"

void batch_end(struct worker *w, struct batch *b, uint16_t place, int verdict)
{
	struct packet *p = b->live[place];

	if (verdict != PACKET_TAKEN)
		packet_drop(w, p, (enum dp_verdict)verdict);
	b->live[place] = NULL;
}

void batch_close_up(struct batch *b)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < b->n; i++)
		if (b->live[i])
			b->live[n++] = b->live[i];
	b->n = n;
}

static inline void packet_begin(struct packet *p, struct rte_mbuf *m)
{
	memset(p, 0, offsetof(struct packet, entry));
	p->m = m;
}

#define LINE 64
#define LINES 4 /* of a voice packet, headers and tag too */

/* A frame's headers, and what is behind them: checksum or tag will be read to the end. */
static void fetch_frame(const struct rte_mbuf *m)
{
	const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);

	rte_prefetch0(at);
	for (unsigned i = 1; i < LINES; i++)
		rte_prefetch1(at + i * LINE);
}

static void add_all(struct batch *b, struct rte_mbuf **frames, uint16_t n)
{
	struct packet *p = &b->packets[b->n], **live = &b->live[b->n];

	for (uint16_t i = 0; i < n; i++) {
		fetch_frame(frames[i]);
		packet_begin(p, frames[i]);
		*live++ = p++;
	}
	b->n += n;
}

/* Packets that waited for a key go first: they are the oldest. */
static void add_again(struct worker *w, struct batch *b)
{
	struct hold *h = &w->hold;

	while (h->again_n && b->n < BATCH_MAX) {
		uint32_t at = h->again_from++ % HOLD_PACKETS;
		struct packet *p = &b->packets[b->n];

		h->again_n--;
		packet_begin(p, h->again[at].m);
		p->held_until = h->again[at].until;
		b->live[b->n++] = p;
	}
}

unsigned batch_fill(struct worker *w, struct batch *b)
{
	struct rte_mbuf *frames[BATCH_MAX];
	uint16_t n;

	b->n = 0;
	add_again(w, b);
	n = (uint16_t)rte_ring_dequeue_burst(w->handover, (void **)frames, BATCH_MAX - b->n, NULL);
	add_all(b, frames, n);
	/* On from where the last batch was full, so that a busy port takes no other's turn; until none has
	 * more. */
	for (uint16_t dry = 0; dry < w->n_ports && b->n < BATCH_MAX;) {
		uint16_t room = BATCH_MAX - b->n, want = room < PORT_BURST ? room : PORT_BURST;

		n = port_rx(w->ports[w->port_next], (uint16_t)w->index, frames, want);
		add_all(b, frames, n);
		dry = n == PORT_BURST ? 0 : dry + 1;
		w->port_next = w->port_next + 1 < w->n_ports ? w->port_next + 1 : 0;
	}
	return b->n;
}
