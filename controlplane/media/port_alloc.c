/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/media/port_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void unlink_node(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	*(n->prev == PORT_NONE ? &l->head : &p->nodes[n->prev].next) = n->next;
	*(n->next == PORT_NONE ? &l->tail : &p->nodes[n->next].prev) = n->prev;
	n->listed = false;
}

void port_list_append(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	n->next = PORT_NONE;
	n->prev = l->tail;
	n->listed = true;
	*(l->tail == PORT_NONE ? &l->head : &p->nodes[l->tail].next) = i;
	l->tail = i;
}

static void prepend(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	n->prev = PORT_NONE;
	n->next = l->head;
	n->listed = true;
	*(l->head == PORT_NONE ? &l->tail : &p->nodes[l->head].prev) = i;
	l->head = i;
}

void port_node_leave(struct port_alloc *p, uint32_t i)
{
	struct node *n = &p->nodes[i];

	p->places[n->place].nodes[n->port / 2] = PORT_NONE;
	n->share = PORT_NONE;
	n->listed = false;
}

int port_alloc_new_empty(unsigned workers, struct port_alloc **out)
{
	struct port_alloc *p = calloc(1, sizeof *p);

	if (!p || !(p->worker_used = calloc(workers + 1u, sizeof *p->worker_used))) {
		free(p);
		return -ENOMEM;
	}
	p->workers = workers;
	*out = p;
	return 0;
}

int port_alloc_new(
	const struct port_range *ranges, size_t n, unsigned workers, struct port_alloc **out, struct err *e)
{
	struct port_alloc *p;
	struct port_plan *plan;
	int rc;

	if (port_alloc_new_empty(workers, &p) < 0)
		return err_set(e, ENOMEM, "out of memory");
	rc = port_alloc_prepare(p, ranges, n, &plan, e);
	if (rc < 0) {
		port_alloc_free(p);
		return rc;
	}
	port_alloc_commit(plan);
	*out = p;
	return 0;
}

void port_alloc_free(struct port_alloc *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n_places; i++)
		free(p->places[i].nodes);
	free(p->places);
	free(p->shares);
	free(p->more);
	free(p->nodes);
	free(p->pools);
	free(p->usage);
	free(p->worker_used);
	free(p);
}

void port_alloc_on_drained(struct port_alloc *p, void (*drained)(void *arg), void *arg)
{
	p->drained = drained;
	p->drained_arg = arg;
}

const struct port_share *port_alloc_shares(const struct port_alloc *p, size_t *n)
{
	*n = p->n_shares;
	return p->shares;
}

/* The node whose port was free longest, prepared as leased; *port is its port. PORT_NONE: the pool is empty.
 */
static uint32_t take(struct port_alloc *p, struct pool *pool, enum port_kind kind, uint16_t *port)
{
	uint32_t pair = pool->pairs.head, half = kind == PORT_SINGLE ? pool->halves.head : PORT_NONE;
	struct node *n;

	if (half != PORT_NONE && (pair == PORT_NONE || p->nodes[half].stamp <= p->nodes[pair].stamp)) {
		n = &p->nodes[half];
		unlink_node(p, &pool->halves, half);
		*port = n->free == FREE_LOW ? n->port : n->port + 1;
		n->free = 0;
		return half;
	}
	if (pair == PORT_NONE)
		return PORT_NONE;
	n = &p->nodes[pair];
	unlink_node(p, &pool->pairs, pair);
	*port = n->port;
	n->free = 0;
	if (kind == PORT_SINGLE) {
		/* No half is older than this pair, or it would have been taken: the head is its place. */
		n->free = FREE_HIGH;
		prepend(p, &pool->halves, pair);
	}
	return pair;
}

/* The node's ports are out. */
static void lease(
	struct port_alloc *p, uint32_t slot, enum port_kind kind, uint16_t port, struct port_lease *out)
{
	struct port_share *share = &p->shares[p->nodes[slot].share];
	unsigned ports = kind == PORT_PAIR ? 2 : 1;

	*out = (struct port_lease){
		.held = true,
		.kind = (uint8_t)kind,
		.worker = (uint16_t)share->worker,
		.slot = slot,
		.rtp = {.ip = share->ip, .port = port},
		.rtcp = {.ip = share->ip, .port = (uint16_t)(port + ports - 1)},
		.advertised = p->more[p->nodes[slot].share].advertised,
	};
	share->in_use += ports;
	p->usage[p->more[p->nodes[slot].share].group].used += ports;
	p->worker_used[share->worker] += ports;
}

static bool try_pool(struct port_alloc *p, unsigned group, unsigned worker, bool v6, enum port_kind kind,
	struct port_lease *out)
{
	uint16_t port;
	uint32_t slot = take(p, &p->pools[port_pool_index(p, group, worker, v6)], kind, &port);

	if (slot == PORT_NONE)
		return false;
	lease(p, slot, kind, port, out);
	return true;
}

/* The node of this port; PORT_NONE: no range has it. */
static uint32_t node_of(const struct port_alloc *p, const struct ip_port *at)
{
	for (uint32_t i = 0; i < p->n_places; i++)
		if (ip_equal(&p->places[i].ip, &at->ip))
			return p->places[i].nodes[at->port / 2];
	return PORT_NONE;
}

/* The whole pair of a node, wherever it is in its pool's list. */
static int take_pair(struct port_alloc *p, uint32_t slot, struct port_lease *out)
{
	struct node *n = &p->nodes[slot];

	if (n->free != FREE_BOTH || !n->listed)
		return -EBUSY;
	unlink_node(p, &port_share_pool(p, n->share)->pairs, slot);
	n->free = 0;
	lease(p, slot, PORT_PAIR, n->port, out);
	return 0;
}

int port_alloc_claim(struct port_alloc *p, const struct ip_port *rtp, unsigned worker, struct port_lease *out)
{
	uint32_t slot = rtp->port % 2 ? PORT_NONE : node_of(p, rtp);
	const struct port_share *share = slot == PORT_NONE ? NULL : &p->shares[p->nodes[slot].share];

	if (!share || share->worker != worker || share->draining)
		return -ENOENT;
	return take_pair(p, slot, out);
}

int port_alloc_withhold(struct port_alloc *p, const struct ip_port *at, struct port_lease *out)
{
	uint32_t slot = node_of(p, at);

	/* What drains is given to nobody anyway. */
	if (slot == PORT_NONE || p->shares[p->nodes[slot].share].draining)
		return -ENOENT;
	return take_pair(p, slot, out);
}

int port_alloc_get(struct port_alloc *p, const unsigned *groups, unsigned n_groups, enum ip_family family,
	unsigned worker, enum port_kind kind, struct port_lease *out)
{
	int rc = -EAFNOSUPPORT;

	if (worker >= p->workers)
		return -EINVAL;
	for (unsigned g = 0; g < n_groups; g++) {
		for (unsigned v6 = 0; v6 < 2; v6++) {
			if (groups[g] >= p->n_groups || (family != IP_NONE && v6 != (family == IP_V6)) ||
				!p->pools[port_pool_index(p, groups[g], worker, v6)].total)
				continue;
			if (try_pool(p, groups[g], worker, v6, kind, out))
				return 0;
			p->usage[groups[g]].exhausted++;
			rc = -ENOSPC;
		}
	}
	return rc;
}

/* A port of a range that was removed. */
static void put_draining(struct port_alloc *p, uint32_t slot)
{
	const struct port_share *share = &p->shares[p->nodes[slot].share];

	if (p->nodes[slot].free == FREE_BOTH)
		port_node_leave(p, slot);
	if (!share->in_use && p->drained)
		p->drained(p->drained_arg);
}

void port_alloc_put(struct port_alloc *p, struct port_lease *lease)
{
	if (!lease->held)
		return;
	struct node *n = &p->nodes[lease->slot];
	struct pool *pool = port_share_pool(p, n->share);
	unsigned ports = lease->kind == PORT_PAIR ? 2 : 1;
	uint32_t slot = lease->slot;

	if (n->listed)
		unlink_node(p, &pool->halves, slot);
	n->free |= lease->kind == PORT_PAIR ? FREE_BOTH : lease->rtp.port == n->port ? FREE_LOW : FREE_HIGH;
	n->stamp = ++p->clock;
	p->shares[n->share].in_use -= ports;
	p->usage[p->more[n->share].group].used -= ports;
	p->worker_used[lease->worker] -= ports;
	*lease = (struct port_lease){0};
	if (p->shares[n->share].draining)
		put_draining(p, slot);
	else
		port_list_append(p, n->free == FREE_BOTH ? &pool->pairs : &pool->halves, slot);
}

unsigned port_alloc_worker(const struct port_alloc *p)
{
	unsigned best = 0;

	for (unsigned w = 1; w < p->workers; w++)
		if (p->worker_used[w] < p->worker_used[best])
			best = w;
	return best;
}

void port_alloc_usage(const struct port_alloc *p, unsigned group, struct port_usage *out)
{
	*out = group < p->n_groups ? p->usage[group] : (struct port_usage){0};
}
