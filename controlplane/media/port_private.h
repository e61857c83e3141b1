/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What port_alloc.c (taking and giving back) and port_plan.c (other ranges) share.
 *
 * One node per pair of ports that is free or in use. A pair is whole and free (in its pool's list of pairs),
 * leased whole, or split into two single ports; a split pair with one half free is in its pool's list of
 * halves. Both lists are ordered by when their ports were freed (stamp), so that the oldest is always at the
 * head. Pairs of a share that drains are in no list, and their nodes are free for others when the last port is
 * given back. A lease names its node by index, which never changes.
 */
#pragma once

#include "controlplane/media/port_alloc.h"

#define PORT_NONE UINT32_MAX
#define PORT_PAIRS 32768 /* of one address */

enum { FREE_LOW = 1, FREE_HIGH = 2, FREE_BOTH = 3 };

struct node {
	uint32_t next, prev;
	uint32_t share; /* PORT_NONE: the node is not in use */
	uint32_t place;
	uint16_t port;  /* even */
	uint8_t free;   /* FREE_... */
	bool listed;
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

/* Behind a share's public half. */
struct share_more {
	struct ip_addr advertised;
	unsigned group;
	uint32_t place;
};

/* An address, and which node is which of its pairs. Never removed: addresses come back. */
struct place {
	struct ip_addr ip;
	uint32_t *nodes; /* [port / 2]; PORT_NONE: none */
};

struct port_alloc {
	unsigned workers, n_groups;
	struct port_share *shares;
	struct share_more *more; /* one for each share */
	size_t n_shares;
	struct place *places;
	uint32_t n_places;
	struct node *nodes;
	uint32_t n_nodes;
	struct pool *pools;       /* [group][worker][family: IPv4, IPv6] */
	struct port_usage *usage; /* [group] */
	uint64_t *worker_used;
	uint64_t clock; /* counts what was freed */
	void (*drained)(void *arg);
	void *drained_arg;
};

static inline unsigned port_pool_index(const struct port_alloc *p, unsigned group, unsigned worker, bool v6)
{
	return (group * p->workers + worker) * 2 + v6;
}

static inline struct pool *port_share_pool(struct port_alloc *p, uint32_t share)
{
	const struct port_share *s = &p->shares[share];

	return &p->pools[port_pool_index(p, p->more[share].group, s->worker, s->ip.family == IP_V6)];
}

/* At the end of a list, as what was freed last. */
void port_list_append(struct port_alloc *p, struct list *l, uint32_t node);
/* The pair is nobody's any more: its node may become another's. */
void port_node_leave(struct port_alloc *p, uint32_t node);
