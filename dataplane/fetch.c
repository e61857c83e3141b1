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
static const struct leg *twin_of(const struct packet *p)
{
	return p->in->streams[0].twin;
}

/* The first of the block behind a leg: where the ones that it uses most likely are. */
static const struct source *first_source(const struct leg *leg)
{
	return (const void *)(leg + 1);
}

/* Of what leaves: the last one; before there is one, the first of that block. */
static const struct renumber_slot *last_slot(const struct leg *leg)
{
	return leg->leaving.slot ? leg->leaving.slot : (const void *)(first_source(leg) + LEG_SSRC_FIRST);
}

void reach_leg(struct worker *w, const struct packet *p)
{
	(void)w;
	fetch(&p->in->rtp, 1);
}

void fetch_leg(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in;

	(void)w;
	fetch(&leg->sources, 1);
	fetch(first_source(leg), 1);
}

void reach_twin(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in, *twin = twin_of(p);

	(void)w;
	if (twin)
		fetch(&twin->leaving, 1);
	if (leg->security == DP_SECURITY_SRTP)
		fetch(&leg->rx[0], 1);
}

void fetch_twin(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in, *twin = twin_of(p);
	const struct source *source = &leg->sources[leg->last_source];

	if (source != first_source(leg))
		fetch(source, 1);
	if (leg->security == DP_SECURITY_SRTP)
		fetch(&source->rtp_window, 1);
	if (!twin)
		return;
	fetch(last_slot(twin), 1);
	if (twin->leaving.secure)
		fetch(&twin->tx, 1);
	if (unlikely(twin->leaving.version != w->hops))
		fetch(&twin->rtp, 1);
}

static inline void key_fetch(struct worker *w, const struct leg_key *k, uint16_t octets)
{
	w->backend->key_fetch(w->crypto, k->slot, (enum srtp_suite)k->suite, octets);
}

void reach_keys(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in, *twin = twin_of(p);

	if (!w->backend->key_fetch)
		return;
	if (leg->security == DP_SECURITY_SRTP)
		key_fetch(w, &leg->rx[0], 0);
	if (twin && twin->leaving.secure)
		key_fetch(w, &twin->tx, 0);
}

void fetch_keys(struct worker *w, const struct packet *p)
{
	const struct leg *leg = p->in, *twin = twin_of(p);

	if (leg->security == DP_SECURITY_SRTP && w->backend->key_fetch)
		key_fetch(w, &leg->rx[0], p->len);
	if (twin && twin->leaving.secure && w->backend->key_fetch)
		key_fetch(w, &twin->tx, p->len);
}
