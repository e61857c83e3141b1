/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One node per pair of ports. A pair is whole and free (in its pool's list of pairs), leased whole, or split
 * into two single ports; a split pair with one half free is in its pool's list of halves. Both lists are
 * ordered by when their ports were freed (stamp), so that the oldest is always at the head.
 */
#include "controlplane/media/port_alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

enum { FREE_LOW = 1, FREE_HIGH = 2, FREE_BOTH = 3 };

struct node {
	uint32_t next, prev;
	uint32_t share;
	uint16_t port; /* even */
	uint8_t free;  /* FREE_... */
	uint64_t stamp;
};

struct list {
	uint32_t head, tail;
};

/* Ports of one group, worker and address family. */
struct pool {
	struct list pairs, halves;
	uint64_t total; /* ports */
};

struct port_alloc {
	unsigned workers, n_groups;
	struct port_share *shares;
	struct ip_addr *advertised; /* one for each share */
	unsigned *share_pool;       /* likewise */
	size_t n_shares;
	struct node *nodes;
	struct pool *pools;       /* [group][worker][family: IPv4, IPv6] */
	struct port_usage *usage; /* [group] */
	uint64_t *worker_used;
	uint64_t clock; /* counts what was freed */
};

static unsigned pool_index(const struct port_alloc *p, unsigned group, unsigned worker, bool v6)
{
	return (group * p->workers + worker) * 2 + v6;
}

static void unlink_node(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	*(n->prev == NONE ? &l->head : &p->nodes[n->prev].next) = n->next;
	*(n->next == NONE ? &l->tail : &p->nodes[n->next].prev) = n->prev;
}

static void append(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	n->next = NONE;
	n->prev = l->tail;
	*(l->tail == NONE ? &l->head : &p->nodes[l->tail].next) = i;
	l->tail = i;
}

static void prepend(struct port_alloc *p, struct list *l, uint32_t i)
{
	struct node *n = &p->nodes[i];

	n->prev = NONE;
	n->next = l->head;
	*(l->head == NONE ? &l->tail : &p->nodes[l->head].prev) = i;
	l->head = i;
}

/* Even RTP ports of a range, and how many. */
static uint32_t range_pairs(const struct port_range *r, uint32_t *first)
{
	*first = r->lower + (r->lower & 1u);
	uint32_t end = (uint32_t)r->upper + 1; /* behind the last */

	return end > *first ? (end - *first) / 2 : 0;
}

static int check_ranges(const struct port_range *r, size_t n, unsigned workers, struct err *e)
{
	char ip[IP_TEXT_MAX];
	uint32_t first;

	if (!n || !workers || workers > UINT8_MAX)
		return err_set(e, EINVAL, "no media ports, or no worker to own them");
	for (size_t i = 0; i < n; i++) {
		if (!r[i].lower || range_pairs(&r[i], &first) < workers)
			return err_set(e, EINVAL,
				"%s ports %u-%u: less than a pair of ports for each of %u workers",
				ip_text(&r[i].ip, ip), r[i].lower, r[i].upper, workers);
		for (size_t j = 0; j < i; j++)
			if (ip_equal(&r[i].ip, &r[j].ip) && r[i].lower <= r[j].upper &&
				r[j].lower <= r[i].upper)
				return err_set(e, EEXIST, "%s: ports %u-%u and %u-%u overlap",
					ip_text(&r[i].ip, ip), r[j].lower, r[j].upper, r[i].lower,
					r[i].upper);
	}
	return 0;
}

static int make_arrays(struct port_alloc *p, const struct port_range *ranges, size_t n, size_t n_nodes)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].group >= p->n_groups)
			p->n_groups = ranges[i].group + 1;
	size_t n_pools = (size_t)p->n_groups * p->workers * 2;

	p->shares = calloc(n * p->workers, sizeof *p->shares);
	p->advertised = calloc(n * p->workers, sizeof *p->advertised);
	p->share_pool = calloc(n * p->workers, sizeof *p->share_pool);
	p->nodes = calloc(n_nodes, sizeof *p->nodes);
	p->pools = calloc(n_pools, sizeof *p->pools);
	p->usage = calloc(p->n_groups, sizeof *p->usage);
	p->worker_used = calloc(p->workers, sizeof *p->worker_used);
	if (!p->shares || !p->advertised || !p->share_pool || !p->nodes || !p->pools || !p->usage ||
		!p->worker_used)
		return -ENOMEM;
	for (size_t i = 0; i < n_pools; i++)
		p->pools[i] = (struct pool){.pairs = {NONE, NONE}, .halves = {NONE, NONE}};
	return 0;
}

/* Cuts a range into one share for each worker; returns the next free node. */
static uint32_t share_range(struct port_alloc *p, const struct port_range *r, uint32_t node)
{
	uint32_t first, pairs = range_pairs(r, &first);

	for (unsigned w = 0; w < p->workers; w++) {
		uint32_t count = pairs / p->workers + (w < pairs % p->workers);
		size_t s = p->n_shares++;
		unsigned pool = pool_index(p, r->group, w, r->ip.family == IP_V6);

		p->shares[s] = (struct port_share){.ip = r->ip,
			.lower = (uint16_t)first,
			.upper = (uint16_t)(first + 2 * count - 1),
			.worker = w};
		p->advertised[s] = r->advertised;
		p->share_pool[s] = pool;
		for (uint32_t i = 0; i < count; i++, node++) {
			p->nodes[node] = (struct node){
				.share = (uint32_t)s, .port = (uint16_t)(first + 2 * i), .free = FREE_BOTH};
			append(p, &p->pools[pool].pairs, node);
		}
		p->pools[pool].total += 2 * (uint64_t)count;
		p->usage[r->group].total += 2 * (uint64_t)count;
		first += 2 * count;
	}
	return node;
}

int port_alloc_new(
	const struct port_range *ranges, size_t n, unsigned workers, struct port_alloc **out, struct err *e)
{
	uint32_t first, node = 0;
	size_t n_nodes = 0;
	int rc = check_ranges(ranges, n, workers, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		n_nodes += range_pairs(&ranges[i], &first);
	struct port_alloc *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	p->workers = workers;
	rc = make_arrays(p, ranges, n, n_nodes);
	if (rc < 0) {
		port_alloc_free(p);
		return err_set(e, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		node = share_range(p, &ranges[i], node);
	*out = p;
	return 0;
}

void port_alloc_free(struct port_alloc *p)
{
	if (!p)
		return;
	free(p->shares);
	free(p->advertised);
	free(p->share_pool);
	free(p->nodes);
	free(p->pools);
	free(p->usage);
	free(p->worker_used);
	free(p);
}

const struct port_share *port_alloc_shares(const struct port_alloc *p, size_t *n)
{
	*n = p->n_shares;
	return p->shares;
}

/* The node whose port was free longest, prepared as leased; *port is its port. NONE: the pool is empty. */
static uint32_t take(struct port_alloc *p, struct pool *pool, enum port_kind kind, uint16_t *port)
{
	uint32_t pair = pool->pairs.head, half = kind == PORT_SINGLE ? pool->halves.head : NONE;
	struct node *n;

	if (half != NONE && (pair == NONE || p->nodes[half].stamp <= p->nodes[pair].stamp)) {
		n = &p->nodes[half];
		unlink_node(p, &pool->halves, half);
		*port = n->free == FREE_LOW ? n->port : n->port + 1;
		n->free = 0;
		return half;
	}
	if (pair == NONE)
		return NONE;
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

static bool try_pool(struct port_alloc *p, unsigned group, unsigned worker, bool v6, enum port_kind kind,
	struct port_lease *out)
{
	uint16_t port;
	uint32_t slot = take(p, &p->pools[pool_index(p, group, worker, v6)], kind, &port);

	if (slot == NONE)
		return false;
	uint32_t share = p->nodes[slot].share;
	unsigned ports = kind == PORT_PAIR ? 2 : 1;

	*out = (struct port_lease){
		.held = true,
		.kind = (uint8_t)kind,
		.worker = (uint16_t)worker,
		.slot = slot,
		.rtp = {.ip = p->shares[share].ip, .port = port},
		.rtcp = {.ip = p->shares[share].ip, .port = (uint16_t)(port + ports - 1)},
		.advertised = p->advertised[share],
	};
	p->usage[group].used += ports;
	p->worker_used[worker] += ports;
	return true;
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
				!p->pools[pool_index(p, groups[g], worker, v6)].total)
				continue;
			if (try_pool(p, groups[g], worker, v6, kind, out))
				return 0;
			p->usage[groups[g]].exhausted++;
			rc = -ENOSPC;
		}
	}
	return rc;
}

void port_alloc_put(struct port_alloc *p, struct port_lease *lease)
{
	if (!lease->held)
		return;
	struct node *n = &p->nodes[lease->slot];
	unsigned index = p->share_pool[n->share], ports = lease->kind == PORT_PAIR ? 2 : 1;
	struct pool *pool = &p->pools[index];

	if (n->free)
		unlink_node(p, &pool->halves, lease->slot);
	n->free |= lease->kind == PORT_PAIR ? FREE_BOTH : lease->rtp.port == n->port ? FREE_LOW : FREE_HIGH;
	n->stamp = ++p->clock;
	append(p, n->free == FREE_BOTH ? &pool->pairs : &pool->halves, lease->slot);
	p->usage[index / 2 / p->workers].used -= ports;
	p->worker_used[lease->worker] -= ports;
	*lease = (struct port_lease){0};
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
