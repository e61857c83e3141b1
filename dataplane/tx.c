/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tx.h"

#include "dataplane/worker_private.h"

static inline __attribute__((always_inline)) void sent(struct worker *w, const struct packet *p)
{
	enum dp_verdict v = DP_V_RELAYED;

	if (unlikely(p->kind == PACKET_RTCP))
		count(&packet_out(p)->far->tx_rtcp, 1);
	else if (unlikely(p->kind == PACKET_STUN))
		v = (enum dp_verdict)p->refused;
	leg_verdict_count(p->in, v);
	count(&w->stats.verdicts[v], 1);
}

/* Packets for one port, in order. */
static void burst(struct worker *w, uint16_t port, struct packet **packets, uint16_t n)
{
	struct rte_mbuf *frames[BATCH_MAX];
	uint64_t octets = 0;
	uint16_t done = 0;

	for (uint16_t i = 0; i < n; i++)
		frames[i] = packets[i]->m;
	for (unsigned tries = 0; tries < TX_TRIES && done < n; tries++)
		done += port_tx(w->ports[port], (uint16_t)w->index, frames + done, n - done);
	for (uint16_t i = 0; i < done; i++) {
		sent(w, packets[i]);
		octets += packets[i]->len;
	}
	count(&w->stats.tx_packets, done);
	count(&w->stats.tx_octets, octets);
	for (uint16_t i = done; i < n; i++)
		packet_drop(w, packets[i], DP_V_TX_FULL);
}

void worker_send_one(struct worker *w, struct packet *p)
{
	burst(w, p->tx_port, &p, 1);
}

int tx_wait(struct worker *w, struct packet *p)
{
	if (p->waits)
		return hold_for_hop(w, p);
	if (w->hold.hops_waiting)
		hold_hop_known(w, packet_out(p));
	return PACKET_ON;
}

void tx_send(struct worker *w, struct batch *b)
{
	struct packet *packets[BATCH_MAX];

	for (uint16_t port = 0; port < w->n_ports; port++) {
		uint16_t n = 0;

		for (uint16_t i = 0; i < b->n; i++)
			if (b->live[i]->tx_port == port)
				packets[n++] = b->live[i];
		if (n)
			burst(w, port, packets, n);
	}
	b->n = 0;
}
