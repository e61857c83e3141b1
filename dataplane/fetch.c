/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fetch.h"

#include <rte_prefetch.h>

#include "dataplane/worker_private.h"

#define LINE 64

static inline void fetch(const void *from, size_t octets)
{
	const uint8_t *p = (const uint8_t *)((uintptr_t)from & ~(uintptr_t)(LINE - 1));
	const uint8_t *end = (const uint8_t *)from + octets;

	for (; p < end; p += LINE)
		rte_prefetch0(p);
}

/* The word of a window that the next index falls into. */
static inline void fetch_window(const struct srtp_replay *r)
{
	if (r->bits)
		rte_prefetch0(&r->bits[r->end >> 6 & r->mask]);
}

/* Where the table says whose a plain IPv4 or IPv6 frame is; NULL for others. */
static const _Atomic leg_entry *entry_of(const struct worker *w, struct rte_mbuf *m)
{
	const uint8_t *o = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct leg_address *a;
	struct ip_addr ip = {.family = IP_V4};
	uint16_t port;

	if (rte_pktmbuf_data_len(m) < 62)
		return NULL;
	if (be16_get(o + 12) == 0x0800) {
		memcpy(ip.octets, o + 30, 4);
		port = be16_get(o + 36);
	} else if (be16_get(o + 12) == 0x86dd) {
		ip.family = IP_V6;
		memcpy(ip.octets, o + 38, 16);
		port = be16_get(o + 56);
	} else {
		return NULL;
	}
	a = leg_table_address(w->table, &ip);
	return a ? &a->legs[port] : NULL;
}

void fetch_legs(const struct worker *w, const struct batch *b)
{
	const _Atomic leg_entry *entries[BATCH_MAX];

	for (uint16_t i = 0; i < b->n; i++) {
		entries[i] = entry_of(w, b->live[i]->m);
		if (entries[i])
			rte_prefetch0((const void *)entries[i]);
	}
	for (uint16_t i = 0; i < b->n; i++) {
		leg_entry e = entries[i] ? atomic_load_explicit(entries[i], memory_order_relaxed) : 0;
		const struct leg *leg;

		if (e == 0 || leg_entry_worker(e) != w->index)
			continue;
		leg = &w->legs[leg_entry_leg(e)];
		fetch(leg, LINE);
		fetch(&leg->rtp, LINE);
		fetch(&leg->streams[0], sizeof(leg->streams[0]));
		fetch(&leg->count, LINE);
		if (leg->security == DP_SECURITY_SRTP)
			fetch(&leg->rx[0], sizeof(leg->rx[0]));
	}
}

void fetch_twins(const struct batch *b)
{
	for (uint16_t i = 0; i < b->n; i++) {
		const struct leg *leg = b->live[i]->in, *twin = leg->streams[0].twin;

		if (leg->sources)
			fetch(&leg->sources[leg->last_source], sizeof(struct source));
		if (!twin)
			continue;
		fetch(twin, LINE);
		fetch(&twin->rtp, LINE);
		fetch(&twin->streams[0], sizeof(twin->streams[0])); /* its direction */
		fetch(&twin->count, LINE);
		fetch(&twin->tx, sizeof(twin->tx));
		fetch(&twin->renumber, sizeof(twin->renumber));
	}
	for (uint16_t i = 0; i < b->n; i++) {
		const struct leg *leg = b->live[i]->in, *twin = leg->streams[0].twin;

		if (leg->security == DP_SECURITY_SRTP && leg->sources)
			fetch_window(&leg->sources[leg->last_source].rtp_window);
		if (twin && twin->renumber.slots)
			fetch(&twin->renumber.slots[twin->renumber.last], sizeof(struct renumber_slot));
	}
	for (uint16_t i = 0; i < b->n; i++) {
		const struct leg *twin = b->live[i]->in->streams[0].twin;

		if (twin && twin->renumber.slots)
			fetch_window(&twin->renumber.slots[twin->renumber.last].used);
	}
}
