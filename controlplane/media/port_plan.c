/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one set of ranges to the next. The plan is a second set of arrays: shares that are wanted (pairs that
 * are there keep their worker, new ones are divided), then what of the old shares is leased and not wanted,
 * which drains. A commit sorts the nodes anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/media/port_private.h"

#define WORDS (PORT_PAIRS / 64)

struct port_plan {
	struct port_alloc *p;
	unsigned n_groups;
	struct port_share *shares;
	struct share_more *more;
	size_t n_shares, cap;
	struct place *places; /* the old ones first, whose nodes are borrowed */
	uint32_t n_places;
	uint64_t (*wanted)[WORDS]; /* by place: bit per pair */
	uint32_t *share_of;        /* by node: its share in the plan */
	struct node *nodes;        /* room for all */
	uint32_t n_nodes, added;
	struct pool *pools;
	struct port_usage *usage;
};

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

static uint32_t place_of(const struct port_plan *o, const struct ip_addr *ip)
{
	uint32_t i = 0;

	while (i < o->n_places && !ip_equal(&o->places[i].ip, ip))
		i++;
	return i;
}

static int note_places(struct port_plan *o, const struct port_range *r, size_t n)
{
	o->places = calloc(o->p->n_places + n, sizeof *o->places);
	if (!o->places)
		return -ENOMEM;
	if (o->p->n_places)
		memcpy(o->places, o->p->places, o->p->n_places * sizeof *o->places);
	o->n_places = o->p->n_places;
	for (size_t i = 0; i < n; i++) {
		if (place_of(o, &r[i].ip) < o->n_places)
			continue;
		uint32_t *nodes = malloc(PORT_PAIRS * sizeof *nodes);

		if (!nodes)
			return -ENOMEM;
		memset(nodes, 0xff, PORT_PAIRS * sizeof *nodes);
		o->places[o->n_places++] = (struct place){r[i].ip, nodes};
	}
	o->wanted = calloc(o->n_places + 1u, sizeof *o->wanted);
	return o->wanted ? 0 : -ENOMEM;
}

static bool is_wanted(const struct port_plan *o, uint32_t place, uint32_t pair)
{
	return o->wanted[place][pair / 64] >> pair % 64 & 1;
}

static int make_room(struct port_plan *o)
{
	size_t cap = o->cap ? 2 * o->cap : 16;
	struct port_share *shares;
	struct share_more *more;

	if (o->n_shares < o->cap)
		return 0;
	shares = realloc(o->shares, cap * sizeof *shares);
	if (!shares)
		return -ENOMEM;
	o->shares = shares;
	more = realloc(o->more, cap * sizeof *more);
	if (!more)
		return -ENOMEM;
	o->more = more;
	o->cap = cap;
	return 0;
}

/* Does the last share go on with this pair? */
static bool goes_on(const struct port_plan *o, const struct port_share *like, const struct share_more *more,
	uint32_t pair)
{
	if (!o->n_shares)
		return false;
	const struct port_share *last = &o->shares[o->n_shares - 1];
	const struct share_more *last_more = &o->more[o->n_shares - 1];

	return last_more->place == more->place && last_more->group == more->group &&
	       ip_equal(&last_more->advertised, &more->advertised) && last->worker == like->worker &&
	       last->draining == like->draining && last->upper + 1u == 2 * pair;
}

/* pairs: from first to behind end, both even ports halved. */
static int add_share(struct port_plan *o, const struct port_share *like, const struct share_more *more,
	uint32_t first, uint32_t end)
{
	if (first == end)
		return 0;
	if (!goes_on(o, like, more, first)) {
		if (make_room(o) < 0)
			return -ENOMEM;
		o->shares[o->n_shares] = *like;
		o->shares[o->n_shares].lower = (uint16_t)(2 * first);
		o->shares[o->n_shares].in_use = 0;
		o->more[o->n_shares++] = *more;
	}
	o->shares[o->n_shares - 1].upper = (uint16_t)(2 * end - 1);
	for (uint32_t pair = first; pair < end; pair++) {
		uint32_t node = o->places[more->place].nodes[pair];

		if (node != PORT_NONE)
			o->share_of[node] = (uint32_t)o->n_shares - 1;
	}
	return 0;
}

/* The worker that has this pair now; UINT_MAX: none. */
static unsigned worker_of(const struct port_plan *o, uint32_t place, uint32_t pair)
{
	uint32_t node = o->places[place].nodes[pair];

	return node == PORT_NONE ? UINT32_MAX : o->p->shares[o->p->nodes[node].share].worker;
}

/* Pairs that nobody has are divided among the workers. */
static int add_new(struct port_plan *o, struct port_share *like, const struct share_more *more, uint32_t first,
	uint32_t end)
{
	uint32_t count = end - first, workers = o->p->workers;
	int rc = 0;

	for (unsigned w = 0; rc == 0 && w < workers; w++) {
		uint32_t part = count / workers + (w < count % workers);

		like->worker = w;
		rc = add_share(o, like, more, first, first + part);
		first += part;
	}
	o->added += count;
	return rc;
}

static int add_range(struct port_plan *o, const struct port_range *r)
{
	const struct share_more more = {
		.advertised = r->advertised, .group = r->group, .place = place_of(o, &r->ip)};
	struct port_share like = {.ip = r->ip};
	uint32_t port, count = range_pairs(r, &port), pair = port / 2, end = pair + count;
	int rc = 0;

	for (uint32_t i = pair; i < end; i++)
		o->wanted[more.place][i / 64] |= UINT64_C(1) << i % 64;
	while (rc == 0 && pair < end) {
		unsigned worker = worker_of(o, more.place, pair);
		uint32_t run = pair + 1;

		while (run < end && worker_of(o, more.place, run) == worker)
			run++;
		like.worker = worker;
		rc = worker == UINT32_MAX ? add_new(o, &like, &more, pair, run)
					  : add_share(o, &like, &more, pair, run);
		pair = run;
	}
	return rc;
}

/* What is leased of an old share and not wanted goes on until it is given back. */
static int add_draining(struct port_plan *o, size_t share)
{
	const struct port_alloc *p = o->p;
	const struct share_more *more = &p->more[share];
	struct port_share like = p->shares[share];
	uint32_t end = (like.upper + 1u) / 2;
	int rc = 0;

	like.draining = true;
	for (uint32_t pair = like.lower / 2; rc == 0 && pair < end;) {
		uint32_t run = pair;
		bool leased = false;

		for (; run < end && !is_wanted(o, more->place, run); run++) {
			uint32_t node = p->places[more->place].nodes[run];

			leased |= node != PORT_NONE && p->nodes[node].share == share &&
				  p->nodes[node].free != FREE_BOTH;
		}
		if (leased)
			rc = add_share(o, &like, more, pair, run);
		pair = run > pair ? run : pair + 1;
	}
	return rc;
}

static int make_arrays(struct port_plan *o)
{
	const struct port_alloc *p = o->p;
	size_t n_pools = (size_t)o->n_groups * p->workers * 2;
	uint32_t unused = 0;

	for (uint32_t i = 0; i < p->n_nodes; i++)
		unused += p->nodes[i].share == PORT_NONE;
	o->n_nodes = p->n_nodes + (o->added > unused ? o->added - unused : 0);
	o->nodes = calloc(o->n_nodes + 1u, sizeof *o->nodes);
	o->pools = calloc(n_pools, sizeof *o->pools);
	o->usage = calloc(o->n_groups, sizeof *o->usage);
	if (!o->nodes || !o->pools || !o->usage)
		return -ENOMEM;
	for (uint32_t i = p->n_nodes; i < o->n_nodes; i++)
		o->nodes[i].share = PORT_NONE;
	for (size_t i = 0; i < n_pools; i++)
		o->pools[i] =
			(struct pool){.pairs = {PORT_NONE, PORT_NONE}, .halves = {PORT_NONE, PORT_NONE}};
	return 0;
}

static int make_plan(struct port_plan *o, const struct port_range *ranges, size_t n)
{
	const struct port_alloc *p = o->p;
	int rc = note_places(o, ranges, n);

	o->n_groups = p->n_groups;
	o->share_of = malloc((p->n_nodes + 1u) * sizeof *o->share_of);
	if (!o->share_of)
		return -ENOMEM;
	memset(o->share_of, 0xff, (p->n_nodes + 1u) * sizeof *o->share_of);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (ranges[i].group >= o->n_groups)
			o->n_groups = ranges[i].group + 1;
		rc = add_range(o, &ranges[i]);
	}
	for (size_t i = 0; rc == 0 && i < p->n_shares; i++)
		rc = add_draining(o, i);
	return rc < 0 ? rc : make_arrays(o);
}

int port_alloc_prepare(struct port_alloc *p, const struct port_range *ranges, size_t n,
	struct port_plan **out, struct err *e)
{
	struct port_plan *o;
	int rc = check_ranges(ranges, n, p->workers, e);

	if (rc < 0)
		return rc;
	o = calloc(1, sizeof *o);
	if (!o)
		return err_set(e, ENOMEM, "out of memory");
	o->p = p;
	if (make_plan(o, ranges, n) < 0) {
		port_alloc_abandon(o);
		return err_set(e, ENOMEM, "out of memory");
	}
	*out = o;
	return 0;
}

const struct port_share *port_plan_shares(const struct port_plan *plan, size_t *n)
{
	*n = plan->n_shares;
	return plan->shares;
}

/* Without what became the allocator's. */
static void free_plan(struct port_plan *o)
{
	free(o->wanted);
	free(o->share_of);
	free(o);
}

void port_alloc_abandon(struct port_plan *o)
{
	if (!o)
		return;
	for (uint32_t i = o->p->n_places; i < o->n_places; i++)
		free(o->places[i].nodes);
	free(o->places);
	free(o->shares);
	free(o->more);
	free(o->nodes);
	free(o->pools);
	free(o->usage);
	free_plan(o);
}

/* The free pairs of an old list, oldest first: where they belong now, or nowhere. */
static void move_list(struct port_plan *o, const struct list *l)
{
	struct port_alloc *p = o->p;

	for (uint32_t i = l->head, next; i != PORT_NONE; i = next) {
		struct node *n = &p->nodes[i];

		next = n->next;
		n->listed = false;
		if (o->share_of[i] == PORT_NONE || o->shares[o->share_of[i]].draining)
			continue;
		const struct port_share *s = &o->shares[o->share_of[i]];
		struct pool *pool = &o->pools[port_pool_index(
			p, o->more[o->share_of[i]].group, s->worker, s->ip.family == IP_V6)];

		port_list_append(p, n->free == FREE_BOTH ? &pool->pairs : &pool->halves, i);
	}
}

static unsigned ports_in_use(const struct node *n)
{
	return n->free == FREE_BOTH ? 0 : n->free ? 1 : 2;
}

/* Nodes that were there: each gets its new share. */
static void relabel(struct port_plan *o, uint32_t n_old)
{
	struct port_alloc *p = o->p;

	for (uint32_t i = 0; i < n_old; i++) {
		struct node *n = &p->nodes[i];

		if (n->share == PORT_NONE)
			continue;
		uint32_t share = o->share_of[i];

		if (share == PORT_NONE || (p->shares[share].draining && n->free == FREE_BOTH)) {
			port_node_leave(p, i);
			continue;
		}
		n->share = share;
		p->shares[share].in_use += ports_in_use(n);
		p->usage[p->more[share].group].used += ports_in_use(n);
		/* It drained, and is wanted again. */
		if (!n->listed && n->free && !p->shares[share].draining) {
			struct pool *pool = port_share_pool(p, share);

			port_list_append(p, n->free == FREE_BOTH ? &pool->pairs : &pool->halves, i);
		}
	}
}

/* Pairs of a share that nobody had: nodes that are not in use become theirs. */
static void add_nodes(struct port_alloc *p, uint32_t share, uint32_t *unused)
{
	const struct port_share *s = &p->shares[share];
	struct place *place = &p->places[p->more[share].place];
	struct pool *pool = port_share_pool(p, share);

	pool->total += s->upper - s->lower + 1u;
	p->usage[p->more[share].group].total += s->upper - s->lower + 1u;
	for (uint32_t pair = s->lower / 2; pair <= s->upper / 2u; pair++) {
		if (place->nodes[pair] != PORT_NONE)
			continue;
		while (p->nodes[*unused].share != PORT_NONE)
			++*unused;
		place->nodes[pair] = *unused;
		p->nodes[*unused] = (struct node){
			.share = share,
			.place = p->more[share].place,
			.port = (uint16_t)(2 * pair),
			.free = FREE_BOTH,
			.stamp = ++p->clock,
		};
		port_list_append(p, &pool->pairs, *unused);
	}
}

void port_alloc_commit(struct port_plan *o)
{
	struct port_alloc *p = o->p;
	size_t n_pools = (size_t)p->n_groups * p->workers * 2;
	uint32_t n_old = p->n_nodes, unused = 0;

	if (n_old)
		memcpy(o->nodes, p->nodes, n_old * sizeof *o->nodes);
	free(p->nodes);
	p->nodes = o->nodes;
	p->n_nodes = o->n_nodes;
	for (size_t i = 0; i < n_pools; i++) {
		move_list(o, &p->pools[i].pairs);
		move_list(o, &p->pools[i].halves);
	}
	for (unsigned g = 0; g < p->n_groups; g++)
		o->usage[g].exhausted = p->usage[g].exhausted;
	free(p->pools);
	free(p->usage);
	free(p->shares);
	free(p->more);
	free(p->places);
	p->pools = o->pools;
	p->usage = o->usage;
	p->n_groups = o->n_groups;
	p->shares = o->shares;
	p->more = o->more;
	p->n_shares = o->n_shares;
	p->places = o->places;
	p->n_places = o->n_places;
	relabel(o, n_old);
	for (size_t i = 0; i < p->n_shares; i++)
		if (!p->shares[i].draining)
			add_nodes(p, (uint32_t)i, &unused);
	free_plan(o);
}
