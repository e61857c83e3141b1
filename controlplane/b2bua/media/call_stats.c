/* SPDX-License-Identifier: Apache-2.0 */
/* What the data plane counted of a call's legs. Most calls have one a side; others cost memory when they come. */
#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"

const struct dp_stats_leg *call_stats(const struct call *c, unsigned side)
{
	static const struct dp_stats_leg none;

	return c->stats[side] ? c->stats[side] : &none;
}

static struct dp_stats_leg *more(const struct call *c, unsigned leg)
{
	for (unsigned i = 0; i < c->n_more_stats; i++)
		if (c->more_stats[i].leg == leg)
			return &c->more_stats[i];
	return NULL;
}

const struct dp_stats_leg *call_stats_of(const struct call *c, unsigned leg)
{
	for (unsigned side = 0; side < 2; side++)
		if (c->stats[side] && c->stats[side]->leg == leg)
			return c->stats[side];
	return more(c, leg);
}

bool call_stats_used(const struct dp_stats_leg *s)
{
	uint64_t n = s->rx_packets + s->tx_packets + s->rx_rtcp + s->tx_rtcp + (s->suite != SRTP_SUITE_NONE);

	for (unsigned v = 0; v < DP_VERDICTS_MAX; v++)
		n += s->verdicts[v];
	return n != 0;
}

static void add(struct dp_stats_leg *to, const struct dp_stats_leg *s)
{
	to->rx_packets += s->rx_packets;
	to->rx_octets += s->rx_octets;
	to->tx_packets += s->tx_packets;
	to->tx_octets += s->tx_octets;
	for (unsigned v = 0; v < DP_VERDICTS_MAX; v++)
		to->verdicts[v] += s->verdicts[v];
}

struct dp_stats_leg call_stats_sum(const struct call *c, unsigned side)
{
	struct dp_stats_leg sum = {0};

	add(&sum, call_stats(c, side));
	for (unsigned i = 0; i < c->n_more_stats; i++)
		if (c->more_stats[i].side == side)
			add(&sum, &c->more_stats[i]);
	return sum;
}

/* Without memory the leg's numbers are not kept. */
static void note_more(struct call *c, const struct dp_stats_leg *s)
{
	struct dp_stats_leg *at = more(c, s->leg);

	if (!at) {
		at = realloc(c->more_stats, (c->n_more_stats + 1) * sizeof *at);
		if (!at)
			return;
		c->more_stats = at;
		at += c->n_more_stats++;
	}
	*at = *s;
}

void call_note_stats(struct call *c, const struct dp_stats_leg *s)
{
	struct dp_stats_leg **first;

	if (s->side >= 2)
		return;
	first = &c->stats[s->side];
	if (!*first && !(*first = calloc(1, sizeof **first)))
		return;
	if ((*first)->h.type && (*first)->leg < s->leg) {
		note_more(c, s);
		return;
	}
	/* The first m-line of a call may come to be used after others. */
	if ((*first)->h.type && (*first)->leg > s->leg)
		note_more(c, *first);
	**first = *s;
}
