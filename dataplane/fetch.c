/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fetch.h"

#include "dataplane/worker_private.h"

#define LINE 64

/*
 * Into the second-level cache: what a batch needs is more than the first level holds, and there are more
 * prefetches under way at a time. The instruction itself, because a loop of the compiler's own prefetches is
 * nothing to it, and goes.
 */
static inline void fetch(const void *from, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		__asm__ volatile("prefetcht1 %0" : : "m"(*((const uint8_t *)from + (size_t)i * LINE)));
}

/* Of a leg with several streams the first one's: a guess. */
static const struct departure *departure_of(const struct packet *p)
{
	return p->in->stream.to;
}

void fetch_leg(const struct leg *leg)
{
	fetch(&leg->source, 2);
}

void fetch_numbers(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in;

	(void)w;
	fetch(&leg->beside.leaving, 2);
	if (unlikely(leg->security == DP_SECURITY_SRTP && !leg_rx_is_near(leg)))
		fetch(&leg->rx, 1);
}

/* near: where the key lies if its slot is one of those beside their legs, and its suite one of those. */
static inline void key_fetch(
	struct worker *w, uint32_t slot, const uint8_t *near, uint8_t suite, uint16_t octets)
{
	if (likely(slot < w->near_slots && w->near_suites >> suite & 1))
		fetch(near, CRYPTO_NEAR_OCTETS / LINE);
	else if (w->backend->key_fetch)
		w->backend->key_fetch(w->crypto, slot, (enum srtp_suite)suite, octets);
}

void fetch_keys(struct worker *w, const struct packet *p)
{
	const struct departure *to = departure_of(p);
	const struct leg *leg = p->in;

	if (unlikely(leg->last_source))
		fetch(leg_source(leg, leg->last_source), 1);
	if (leg_rx_is_near(leg))
		key_fetch(w, leg->rx_slot, leg->rx_key, leg->rx_suite, p->len);
	else if (unlikely(leg->security == DP_SECURITY_SRTP))
		key_fetch(w, leg->rx.slot, leg->rx_key, leg->rx.suite, p->len);
	if (unlikely(!to))
		return;
	if (unlikely(to != &leg->beside)) {
		fetch(&to->leaving, 1);
		fetch(&to->slot, 1);
		fetch(&to->path, 1);
		return;
	}
	if (leg->seals)
		key_fetch(w, to->leaving.key, to->tx_key, to->leaving.suite, p->len);
	if (unlikely(to->leaving.slot != &to->slot && to->leaving.slot))
		fetch(to->leaving.slot, 1);
	/* It leaves the general way, or over IPv6 (LEAVING_V6): where to, its leg says. */
	if (to->leaving.version != w->hops)
		fetch(&to->path, 1);
}
