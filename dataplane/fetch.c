/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fetch.h"

#include "dataplane/worker_private.h"

#define LINE 64
#define LINES_MAX 8 /* of a packet between two fetch_all() */

/* Addresses to be brought near together: one octet of each line. */
struct lines {
	uint32_t n;
	const volatile uint8_t *at[BATCH_MAX * LINES_MAX];
};

static inline void note(struct lines *l, const void *from, size_t octets)
{
	const uint8_t *p = (const uint8_t *)((uintptr_t)from & ~(uintptr_t)(LINE - 1));
	const uint8_t *end = (const uint8_t *)from + octets;

	for (; p < end; p += LINE)
		l->at[l->n++] = p;
}

/*
 * Reads, not prefetches, most of which are dropped when many are issued at once; and with nothing in between,
 * so that the core sees as many of them ahead as it can wait for.
 */
static void fetch_all(struct lines *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		(void)*l->at[i];
	l->n = 0;
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
	struct lines l = {.n = 0};

	for (uint16_t i = 0; i < b->n; i++) {
		entries[i] = entry_of(w, b->live[i]->m);
		if (entries[i])
			note(&l, (const void *)entries[i], sizeof(*entries[i]));
	}
	fetch_all(&l);
	for (uint16_t i = 0; i < b->n; i++) {
		leg_entry e = entries[i] ? atomic_load_explicit(entries[i], memory_order_relaxed) : 0;
		const struct leg *leg;

		if (e == 0 || leg_entry_worker(e) != w->index)
			continue;
		leg = &w->legs[leg_entry_leg(e)];
		note(&l, leg, 2 * LINE);
	}
	fetch_all(&l);
}

void fetch_twins(const struct batch *b)
{
	struct lines l = {.n = 0};

	for (uint16_t i = 0; i < b->n; i++) {
		const struct leg *leg = b->live[i]->in, *twin = leg->streams[0].twin;
		bool secure = leg->security == DP_SECURITY_SRTP;

		note(&l, &leg->sources[leg->last_source], secure ? 2 * LINE : LINE);
		if (secure)
			note(&l, &leg->rx[0], LINE);
		if (!twin)
			continue;
		note(&l, twin, LINE);
		note(&l, &twin->renumber, 2 * LINE); /* and tx */
	}
	fetch_all(&l);
	for (uint16_t i = 0; i < b->n; i++) {
		const struct leg *twin = b->live[i]->in->streams[0].twin;

		if (twin)
			note(&l, &twin->renumber.slots[twin->renumber.last], 2 * LINE);
	}
	fetch_all(&l);
}
