/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nexthop/neighbour_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/neighbour.h>
#include <rte_jhash.h>

#include "lib/base/log.h"

/* Link-layer addresses of these are good to send to; the kernel does the same. */
#define NUD_USABLE (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)
/* The kernel is satisfied or at work: nothing to ask. */
#define NUD_BUSY (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_DELAY | NUD_PROBE | NUD_INCOMPLETE)

int paths_open(struct paths *p, struct neighbour_table *table, struct port *const *ports, uint16_t n_ports,
	uint32_t capacity)
{
	*p = (struct paths){
		.table = table, .ports = ports, .n_ports = n_ports, .capacity = capacity, .tick = 1};
	int rc = pages_map(&p->path_pages, capacity * sizeof(*p->paths), PAGES_THP);
	if (rc == 0)
		rc = pages_map(&p->hop_pages, capacity * sizeof(*p->hops), PAGES_THP);
	if (rc == 0)
		rc = pages_map(&p->chain_pages, capacity * sizeof(*p->chains), PAGES_SMALL);
	if (rc == 0)
		rc = p->fd = rtnl_open();
	if (rc < 0) {
		paths_close(p);
		return rc;
	}
	p->paths = (void *)p->path_pages.base;
	p->hops = (void *)p->hop_pages.base;
	p->chains = (void *)p->chain_pages.base;
	for (uint16_t i = 0; i < n_ports; i++) {
		p->links[i].mtu = ports[i]->mtu;
		memcpy(p->links[i].mac, ports[i]->mac.addr_bytes, sizeof(p->links[i].mac));
	}
	return 0;
}

void paths_close(struct paths *p)
{
	if (p->fd > 0)
		close(p->fd);
	pages_unmap(&p->path_pages);
	pages_unmap(&p->hop_pages);
	pages_unmap(&p->chain_pages);
	*p = (struct paths){0};
}

/* --- next hops --- */

static uint32_t *chain_of(struct paths *p, uint32_t ifindex, const struct ip_addr *ip)
{
	return &p->chains[rte_jhash(ip, sizeof(*ip), ifindex) % p->capacity];
}

static struct hop *hop_find(struct paths *p, uint32_t ifindex, const struct ip_addr *ip)
{
	for (uint32_t at = *chain_of(p, ifindex, ip); at != 0; at = p->hops[at - 1].next)
		if (p->hops[at - 1].ifindex == ifindex && ip_equal(&p->hops[at - 1].ip, ip))
			return &p->hops[at - 1];
	return NULL;
}

/* Never fails: there are as many hops as paths, and each hop has a path. */
static struct hop *hop_make(struct paths *p, uint32_t ifindex, const struct ip_addr *ip)
{
	uint32_t at = p->hops_free, *chain = chain_of(p, ifindex, ip);
	struct hop *h;

	if (at != 0)
		p->hops_free = p->hops[at - 1].next;
	else
		at = ++p->hops_fresh;
	h = &p->hops[at - 1];
	*h = (struct hop){.ifindex = ifindex, .ip = *ip, .next = *chain, .used = p->tick};
	*chain = at;
	return h;
}

static void hop_free(struct paths *p, struct hop *h)
{
	uint32_t *link = chain_of(p, h->ifindex, &h->ip), at = (uint32_t)(h - p->hops) + 1;

	while (*link != at)
		link = &p->hops[*link - 1].next;
	*link = h->next;
	*h = (struct hop){.next = p->hops_free};
	p->hops_free = at;
}

/* Takes what the kernel says over; NULL: it has no entry. true: packets go elsewhere, or begin or cease to
 * go. */
static bool hop_learn(struct hop *h, const struct rtnl_neighbour *n)
{
	const struct hop before = *h;

	h->nud = n != NULL ? n->state : 0;
	/* A probe or a failure does not name the address again. */
	if (n != NULL && n->has_mac) {
		h->has_mac = true;
		memcpy(h->mac, n->mac, sizeof(h->mac));
	}
	if ((h->nud & NUD_USABLE) == 0)
		h->has_mac = false;
	return h->has_mac != before.has_mac || memcmp(h->mac, before.mac, sizeof(h->mac)) != 0;
}

static void hop_ask(struct paths *p, struct hop *h)
{
	h->asked = p->tick;
	p->requests++;
	int rc = rtnl_neighbour_use(p->fd, h->ifindex, &h->ip);
	if (rc < 0) {
		char text[IP_TEXT_MAX];

		log_debug("neighbour", "the kernel does not resolve", LZ("next_hop", ip_text(&h->ip, text)),
			LZ("why", strerror(-rc)));
	}
}

/* What the kernel knows now, as hop_learn(); where that is nothing, it is asked to find out. */
static bool hop_query(struct paths *p, struct hop *h)
{
	struct rtnl_neighbour n = {0};
	bool changed;

	p->requests++;
	changed = hop_learn(h, rtnl_neighbour_get(p->fd, h->ifindex, &h->ip, &n) == 0 ? &n : NULL);
	if ((h->nud & NUD_BUSY) == 0)
		hop_ask(p, h);
	return changed;
}

/* --- pairs --- */

static const struct port *port_of(const struct paths *p, uint32_t ifindex)
{
	for (uint16_t i = 0; i < p->n_ports; i++)
		if (p->ports[i]->ifindex != 0 && (uint32_t)p->ports[i]->ifindex == ifindex)
			return p->ports[i];
	return NULL;
}

static void path_publish(struct paths *p, uint32_t index)
{
	const struct path *path = &p->paths[index];
	struct neighbour_value v = {.state = path->state};
	const struct hop *h = path->hop != 0 ? &p->hops[path->hop - 1] : NULL;

	if (h != NULL && !h->has_mac)
		v.state = NEIGHBOUR_PENDING;
	if (h != NULL && h->has_mac) {
		const struct port *port = port_of(p, h->ifindex);
		uint16_t type = path->key.remote.family == IP_V4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6;

		v.port = port->index;
		v.mtu = path->mtu;
		memcpy(v.ether, h->mac, 6);
		memcpy(v.ether + 6, p->links[port->index].mac, 6);
		v.ether[12] = (uint8_t)(type >> 8);
		v.ether[13] = (uint8_t)type;
	}
	neighbour_table_publish(p->table, index, &v);
}

static void path_unlink(struct paths *p, uint32_t index)
{
	struct path *path = &p->paths[index];
	struct hop *h;

	if (path->hop == 0)
		return;
	h = &p->hops[path->hop - 1];
	if (path->prev != 0)
		p->paths[path->prev - 1].next = path->next;
	else
		h->paths = path->next;
	if (path->next != 0)
		p->paths[path->next - 1].prev = path->prev;
	path->hop = path->prev = path->next = 0;
	if (h->paths == 0)
		hop_free(p, h);
}

static void path_link(struct paths *p, uint32_t index, uint32_t ifindex, const struct ip_addr *ip)
{
	struct path *path = &p->paths[index];
	struct hop *h = hop_find(p, ifindex, ip);

	if (h != NULL && path->hop == (uint32_t)(h - p->hops) + 1)
		return;
	path_unlink(p, index); /* may free the hop it leaves, never h, which has another path */
	if (h == NULL) {
		h = hop_make(p, ifindex, ip);
		(void)hop_query(p, h);
	}
	path->hop = (uint32_t)(h - p->hops) + 1;
	path->prev = 0;
	path->next = h->paths;
	if (h->paths != 0)
		p->paths[h->paths - 1].prev = index + 1;
	h->paths = index + 1;
}

static void route_say(const struct path *path, const char *why)
{
	char local[IP_TEXT_MAX], remote[IP_TEXT_MAX];

	log_info("neighbour", "no way to send", LZ("local", ip_text(&path->key.local, local)),
		LZ("remote", ip_text(&path->key.remote, remote)), LZ("why", why));
}

/* The smaller of the interface's and the route's, where that has one. */
static uint16_t mtu_of(const struct rtnl_link *link, const struct rtnl_route *route)
{
	uint32_t mtu = route->mtu != 0 && route->mtu < link->mtu ? route->mtu : link->mtu;

	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

/* Asks the kernel for the route of a pair and publishes what comes of it. */
static void path_route(struct paths *p, uint32_t index)
{
	struct path *path = &p->paths[index];
	struct rtnl_route route;
	const struct port *port = NULL;
	uint8_t before = path->state;
	int rc = rtnl_route_get(p->fd, &path->key.local, &path->key.remote, &route);

	p->requests++;
	path->asked = p->tick;
	if (rc == 0 && route.kind == RTNL_ROUTE_UNICAST)
		port = port_of(p, route.ifindex);
	if (port != NULL) {
		path->state = NEIGHBOUR_READY;
		path->mtu = mtu_of(&p->links[port->index], &route);
		path_link(p, index, route.ifindex, &route.next_hop);
	} else {
		path->state = rc == 0 && route.kind == RTNL_ROUTE_LOCAL ? NEIGHBOUR_SELF : NEIGHBOUR_NO_ROUTE;
		path_unlink(p, index);
		if (path->state != before && path->state == NEIGHBOUR_NO_ROUTE)
			route_say(path,
				rc == -EINVAL ? "the local address is on no interface"
				: rc < 0
					? strerror(-rc)
					: "the route leads over an interface that is no port of the gateway");
	}
	path_publish(p, index);
}

static void path_remove(struct paths *p, uint32_t index)
{
	path_unlink(p, index);
	neighbour_table_remove(p->table, index);
	p->paths[index] = (struct path){0};
	p->entries--;
}

void paths_add(struct paths *p, const struct neighbour_key *key)
{
	uint32_t index;

	if (neighbour_table_index(p->table, key) != NEIGHBOUR_NONE)
		return; /* asked for twice before the first answer */
	index = neighbour_table_insert(p->table, key, p->tick);
	if (index == NEIGHBOUR_NONE) {
		uint32_t victim = neighbour_table_victim(p->table, key);

		if (victim == NEIGHBOUR_NONE)
			return;
		if (neighbour_table_in_use(p->table, victim))
			atomic_fetch_add_explicit(&p->evicted, 1, memory_order_relaxed);
		path_remove(p, victim);
		index = neighbour_table_insert(p->table, key, p->tick);
		if (index == NEIGHBOUR_NONE)
			return;
	}
	p->paths[index] = (struct path){.key = *key, .live = true, .state = NEIGHBOUR_PENDING};
	p->entries++;
	path_route(p, index);
}

static void hop_publish(struct paths *p, const struct hop *h)
{
	for (uint32_t at = h->paths; at != 0; at = p->paths[at - 1].next)
		path_publish(p, at - 1);
}

void paths_neighbour(struct paths *p, const struct rtnl_neighbour *n)
{
	struct hop *h = hop_find(p, n->ifindex, &n->ip);

	if (h == NULL)
		return;
	if (hop_learn(h, n))
		hop_publish(p, h);
	/* Deleted or given up under traffic: at once, so that an administrator's flush costs no second. */
	if (n->state == 0 && p->tick - h->used <= HOP_KEEP_S)
		hop_ask(p, h);
}

/* --- rounds --- */

static void round_begin(struct paths_round *r, uint32_t n)
{
	r->n = r->left = n;
}

static bool round_next(struct paths_round *r, uint32_t *index)
{
	if (r->left == 0)
		return false;
	r->left--;
	*index = r->at;
	r->at = r->at + 1 < r->n ? r->at + 1 : 0;
	return true;
}

void paths_resync(struct paths *p)
{
	round_begin(&p->resync, p->hops_fresh);
}

static void hop_resync(struct paths *p, struct hop *h)
{
	if (h->paths != 0 && hop_query(p, h))
		hop_publish(p, h);
}

/*
 * An interface's MTU and address may be set while it is in use, and the kernel takes frames that do not fit
 * and drops them without a word.
 */
static void links_read(struct paths *p)
{
	for (uint16_t i = 0; i < p->n_ports; i++) {
		const struct port *port = p->ports[i];
		struct rtnl_link now;

		if (port->ifindex == 0)
			continue;
		p->requests++;
		if (rtnl_link_get(p->fd, (uint32_t)port->ifindex, &now) < 0)
			continue; /* it is gone: so are the routes over it */
		if (now.mtu != p->links[i].mtu)
			log_info("neighbour", "the interface has another MTU",
				LZ("interface", port->interface), LU("mtu", now.mtu),
				LU("before", p->links[i].mtu));
		p->links[i] = now;
	}
}

void paths_refresh(struct paths *p)
{
	links_read(p);
	round_begin(&p->refresh, neighbour_table_extent(p->table));
}

/* More pairs in use than places: each that comes costs another one's packets their way. */
static void evicted_say(struct paths *p)
{
	uint64_t evicted = atomic_load_explicit(&p->evicted, memory_order_relaxed);

	if (p->warn_in > 0)
		p->warn_in--;
	if (p->warn_in > 0 || p->evicted_said == evicted)
		return;
	log_warn("neighbour",
		"next hops in use give way to others: remote addresses are more than --sessions has room for",
		LU("entries", p->entries), LU("evicted", evicted - p->evicted_said));
	p->evicted_said = evicted;
	p->warn_in = WARN_INTERVAL_S;
}

void paths_tick(struct paths *p)
{
	p->tick++;
	evicted_say(p);
	if (p->walk.left > 0)
		return;
	p->walked = (struct dp_next_hops){0};
	round_begin(&p->walk, neighbour_table_extent(p->table));
}

static uint32_t idle_max(const struct paths *p)
{
	return p->entries > p->capacity / 4 * 3 ? PATH_IDLE_FULL_S : PATH_IDLE_S;
}

static void path_count(struct paths *p, uint32_t index)
{
	const struct path *path = &p->paths[index];

	if (!neighbour_table_in_use(p->table, index))
		p->walked.idle++;
	else if (path->hop == 0)
		p->walked.no_route++;
	else if (p->hops[path->hop - 1].has_mac)
		p->walked.resolved++;
	else
		p->walked.unresolved++;
}

static void walk_publish(struct paths *p)
{
	atomic_store_explicit(&p->resolved, p->walked.resolved, memory_order_relaxed);
	atomic_store_explicit(&p->unresolved, p->walked.unresolved, memory_order_relaxed);
	atomic_store_explicit(&p->no_route, p->walked.no_route, memory_order_relaxed);
	atomic_store_explicit(&p->idle, p->walked.idle, memory_order_relaxed);
}

static void path_walk(struct paths *p, uint32_t index)
{
	struct path *path = &p->paths[index];
	struct hop *h;

	if (!path->live)
		return;
	uint32_t used = neighbour_table_used(p->table, index), idle = p->tick - used;
	if (idle > idle_max(p)) {
		path_remove(p, index);
		return;
	}
	if (path->hop == 0 && idle <= HOP_KEEP_S && p->tick - path->asked >= ROUTE_RETRY_S)
		path_route(p, index);
	path_count(p, index);
	if (path->hop == 0)
		return;
	h = &p->hops[path->hop - 1];
	if ((int32_t)(used - h->used) > 0)
		h->used = used;
	if (idle <= HOP_KEEP_S && (h->nud & NUD_BUSY) == 0 && h->asked != p->tick)
		hop_ask(p, h);
}

static bool rounds_next(struct paths *p)
{
	uint32_t i;
	bool more = false;

	/* In turn: none waits for another's end, which may never come. */
	if (round_next(&p->resync, &i)) {
		hop_resync(p, &p->hops[i]);
		more = true;
	}
	if (round_next(&p->refresh, &i)) {
		if (p->paths[i].live)
			path_route(p, i);
		more = true;
	}
	if (round_next(&p->walk, &i)) {
		path_walk(p, i);
		if (p->walk.left == 0)
			walk_publish(p);
		more = true;
	}
	return more;
}

bool paths_step(struct paths *p)
{
	uint64_t questions = p->requests + STEP_QUESTIONS;

	for (unsigned i = 0; i < STEP_LOOKS; i++) {
		if (p->requests >= questions)
			break;
		if (!rounds_next(p))
			return false;
	}
	return true;
}
