/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_rings.h"

#include <errno.h>

#include "lib/base/clock.h"

#define BURST 256

static void capture(struct pcap *pcap, struct rte_mbuf **frames, unsigned n)
{
	uint64_t now = pcap ? clock_mono_ns() : 0;

	for (unsigned i = 0; pcap && i < n; i++)
		pcap_add(pcap, now, rte_pktmbuf_mtod(frames[i], void *), frames[i]->data_len);
}

static void turn(struct room *room, struct gen *gen, struct pcap *pcap, struct rte_mbuf **frames, unsigned n,
	struct room_time *took)
{
	struct rte_mbuf *out[BURST];
	unsigned back;

	capture(pcap, frames, n);
	back = room_relay(room, frames, n, out, took);
	capture(pcap, out, back);
	for (unsigned i = 0; i < back; i++)
		gen_verify(gen, out[i]);
	rte_pktmbuf_free_bulk(out, back);
}

int rings_run(struct room *room, struct gen *gen, const struct rings_conf *conf, struct room_time *took)
{
	struct rte_mbuf *frames[BURST];

	for (uint64_t sent = 0; sent < conf->frames;) {
		unsigned n = conf->frames - sent < BURST ? (unsigned)(conf->frames - sent) : BURST;

		if (rte_pktmbuf_alloc_bulk(room->pool, frames, n))
			return -ENOMEM;
		if (gen_build(gen, frames, n))
			return -EIO;
		turn(room, gen, conf->pcap, frames, n, took);
		sent += n;
	}
	for (unsigned n = BURST; n == BURST;) {
		if (rte_pktmbuf_alloc_bulk(room->pool, frames, BURST))
			return -ENOMEM;
		n = gen_drain(gen, frames, BURST);
		rte_pktmbuf_free_bulk(frames + n, BURST - n);
		turn(room, gen, conf->pcap, frames, n, took);
	}
	return 0;
}
