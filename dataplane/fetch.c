/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fetch.h"

#include <rte_prefetch.h>

#include "dataplane/worker_private.h"

#define LINE 64

/* DPDK's prefetches, because a loop of the compiler's own is nothing to it, and goes. */
static inline void fetch(const void *from, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		rte_prefetch0((const uint8_t *)from + (size_t)i * LINE);
}

/* Of a leg with several streams the first one's: a guess. */
static const struct leg *twin_of(const struct packet *p)
{
	return p->in->streams[0].twin;
}

static const struct source *source_of(const struct leg *leg)
{
	return &leg->sources[leg->last_source];
}

static const struct renumber_slot *slot_of(const struct leg *leg)
{
	return &leg->renumber.slots[leg->renumber.last];
}

int reach_leg(struct worker *w, struct packet *p)
{
	(void)w;
	fetch(p->in, 1);
	return PACKET_ON;
}

int fetch_leg(struct worker *w, struct packet *p)
{
	(void)w;
	fetch(p->in, 2);
	return PACKET_ON;
}

int reach_twin(struct worker *w, struct packet *p)
{
	const struct leg *twin = twin_of(p);

	(void)w;
	if (twin)
		fetch(twin, 1);
	fetch(source_of(p->in), 1);
	return PACKET_ON;
}

int fetch_twin(struct worker *w, struct packet *p)
{
	const struct leg *twin = twin_of(p);

	(void)w;
	if (!twin)
		return PACKET_ON;
	fetch(twin, 1);
	fetch(&twin->renumber, 1);
	if (twin->security == DP_SECURITY_SRTP)
		fetch(&twin->tx, 1);
	return PACKET_ON;
}

int fetch_source(struct worker *w, struct packet *p)
{
	const struct leg *leg = p->in;

	(void)w;
	if (leg->security == DP_SECURITY_SRTP) {
		fetch(source_of(leg), 2);
		fetch(&leg->rx[0], 1);
	} else {
		fetch(source_of(leg), 1);
	}
	return PACKET_ON;
}

int reach_numbers(struct worker *w, struct packet *p)
{
	const struct leg *twin = twin_of(p);

	(void)w;
	if (twin)
		fetch(slot_of(twin), 1);
	return PACKET_ON;
}

int fetch_numbers(struct worker *w, struct packet *p)
{
	const struct leg *twin = twin_of(p);

	(void)w;
	if (twin)
		fetch(slot_of(twin), 2);
	return PACKET_ON;
}
