/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tx.h"

#include "dataplane/worker_private.h"

/* One that is no RTP. */
static ASIDE void sent_other(struct worker *w, const struct packet *p)
{
	enum dp_verdict v = p->kind == PACKET_STUN ? (enum dp_verdict)p->refused : DP_V_RELAYED;

	if (p->kind == PACKET_RTCP)
		count(&packet_out(p)->far->tx_rtcp, 1);
	leg_verdict_count(p->in, v);
	count(&w->stats.verdicts[v], 1);
}

/* Packets for one port, in order, and their frames. */
static void burst(
	struct worker *w, uint16_t port, struct packet **packets, struct rte_mbuf **frames, uint16_t n)
{
	uint64_t octets = 0;
	uint16_t done = 0, rtp = 0;

	for (unsigned tries = 0; tries < TX_TRIES && done < n; tries++)
		done += port_tx(w->ports[port], (uint16_t)w->index, frames + done, n - done);
	for (uint16_t i = 0; i < done; i++) {
		const struct packet *p = packets[i];

		octets += p->len;
		if (likely(p->kind == PACKET_RTP)) {
			leg_verdict_count(p->in, DP_V_RELAYED);
			rtp++;
		} else {
			sent_other(w, p);
		}
	}
	count(&w->stats.verdicts[DP_V_RELAYED], rtp);
	count(&w->stats.tx_packets, done);
	count(&w->stats.tx_octets, octets);
	for (uint16_t i = done; i < n; i++)
		packet_drop(w, packets[i], DP_V_TX_FULL);
}

void worker_send_one(struct worker *w, struct packet *p)
{
	burst(w, p->tx_port, &p, &p->m, 1);
}

int tx_wait(struct worker *w, struct packet *p)
{
	if (p->waits)
		return hold_for_hop(w, p);
	if (w->hold.hops_waiting)
		hold_hop_known(w, packet_out(p));
	return PACKET_ON;
}

/* By several ports, one after the other. */
static ASIDE void send_by_port(struct worker *w, struct batch *b)
{
	struct rte_mbuf *frames[BATCH_MAX];
	struct packet *packets[BATCH_MAX];

	while (b->n) {
		uint16_t port = b->live[0]->tx_port, n = 0, others = 0;

		for (uint16_t i = 0; i < b->n; i++) {
			struct packet *p = b->live[i];

			if (likely(p->tx_port == port)) {
				packets[n] = p;
				frames[n++] = p->m;
			} else {
				b->live[others++] = p;
			}
		}
		burst(w, port, packets, frames, n);
		b->n = others;
	}
}

void tx_send(struct worker *w, struct batch *b)
{
	struct rte_mbuf *frames[BATCH_MAX];
	unsigned differ = 0;

	if (b->n == 0)
		return;
	for (uint16_t i = 0; i < b->n; i++) {
		differ |= b->live[i]->tx_port ^ b->live[0]->tx_port;
		frames[i] = b->live[i]->m;
	}
	if (unlikely(differ)) {
		send_by_port(w, b);
		return;
	}
	burst(w, b->live[0]->tx_port, b->live, frames, b->n);
	b->n = 0;
}
