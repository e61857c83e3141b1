/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dataplane/ice_lite.h"

/* Without a check this long a pair is nothing to hold on to: consent checks come every 5 s (RFC 7675). */
#define STALE_NS (6 * NS_PER_S)

void ice_component_init(struct ice_component *c)
{
	memset(c, 0, sizeof *c);
	c->selected = ICE_PAIR_NONE;
}

void ice_component_restart(struct ice_component *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		c->pairs[i].newest = false;
		c->pairs[i].peer = c->pairs[i].nominated = 0;
	}
	c->selects = c->astray = false;
}

static struct ice_pair *find(struct ice_component *c, uint16_t local, const struct ip_port *remote)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->pairs[i].local == local && ip_port_equal(&c->pairs[i].remote, remote))
			return &c->pairs[i];
	return NULL;
}

const struct ice_pair *ice_pair_find(const struct ice_component *c, const struct ip_port *remote)
{
	for (unsigned i = 0; i < c->n; i++)
		if (ip_port_equal(&c->pairs[i].remote, remote))
			return &c->pairs[i];
	return NULL;
}

/* The place for a pair that has none. */
static struct ice_pair *place(struct ice_component *c)
{
	struct ice_pair *oldest = NULL;

	if (c->n < ICE_PAIRS_MAX)
		return &c->pairs[c->n++];
	for (unsigned i = 0; i < c->n; i++)
		if (i != c->selected && (!oldest || c->pairs[i].heard < oldest->heard))
			oldest = &c->pairs[i];
	return oldest;
}

/*
 * Does the selection move to this pair, which the peer nominates? RFC 8445 has one nomination, and the newest
 * counts when a peer changes its mind. Peers of RFC 5245 may nominate every pair that they check and use the
 * one of the highest priority: they are known by never checking without USE-CANDIDATE.
 */
static bool moves_to(const struct ice_component *c, const struct ice_pair *p, bool newest, uint64_t now)
{
	const struct ice_pair *s = c->selected == ICE_PAIR_NONE ? NULL : &c->pairs[c->selected];

	if (!s)
		return true;
	if (p == s)
		return false;
	if (newest != s->newest)
		return newest;
	return c->selects || p->priority > s->priority || now - s->heard > STALE_NS;
}

/* The one that was nominated last; before anything is, the one that was checked last. */
static struct ice_pair *newest_of(struct ice_component *c, uint64_t peer)
{
	struct ice_pair *best = NULL;

	for (unsigned i = 0; i < c->n; i++) {
		struct ice_pair *p = &c->pairs[i];

		if (p->peer == peer && (!best || p->nominated > best->nominated ||
					       (p->nominated == best->nominated && p->heard > best->heard)))
			best = p;
	}
	return best;
}

const struct ice_pair *ice_component_choose(struct ice_component *c, uint64_t peer)
{
	const struct ice_pair *s = c->selected == ICE_PAIR_NONE ? NULL : &c->pairs[c->selected];
	struct ice_pair *best;

	/* What was selected before an ICE restart serves until the peer nominates again. */
	if (s && (!s->newest || s->peer == peer))
		return NULL;
	best = newest_of(c, peer);
	c->selected = best && best->nominated ? (uint8_t)(best - c->pairs) : ICE_PAIR_NONE;
	c->selects = false;
	c->astray = !best;
	return best;
}

bool ice_component_checked(struct ice_component *c, const struct ice_check *k, bool chosen)
{
	struct ice_pair *p = find(c, k->local, k->remote);
	bool moves;

	if (!p) {
		p = place(c);
		*p = (struct ice_pair){.remote = *k->remote, .local = k->local};
	}
	p->priority = k->message->priority;
	p->heard = k->now;
	if (k->newest) {
		p->peer = k->peer;
		p->nominated = k->message->use_candidate ? k->now : p->nominated;
	}
	if (!chosen)
		return false;
	if (!k->message->use_candidate) {
		c->selects |= k->newest;
		return false;
	}
	moves = moves_to(c, p, k->newest, k->now);
	/* Only what is nominated under the newest credentials outdoes what was before them. */
	p->newest |= k->newest;
	if (moves)
		c->selected = (uint8_t)(p - c->pairs);
	return moves;
}
