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
	for (unsigned i = 0; i < c->n; i++)
		c->pairs[i].newest = false;
	c->selects = false;
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

bool ice_component_checked(struct ice_component *c, uint16_t local, const struct ip_port *remote,
	const struct stun_msg *m, bool newest, uint64_t now)
{
	struct ice_pair *p = find(c, local, remote);
	bool moves;

	if (!p) {
		p = place(c);
		*p = (struct ice_pair){.remote = *remote, .local = local};
	}
	p->priority = m->priority;
	p->heard = now;
	if (!m->use_candidate) {
		c->selects |= newest;
		return false;
	}
	moves = moves_to(c, p, newest, now);
	/* Only what is nominated under the newest credentials outdoes what was before them. */
	p->newest |= newest;
	if (moves)
		c->selected = (uint8_t)(p - c->pairs);
	return moves;
}
