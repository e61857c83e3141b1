/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nexthop/neighbour.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_jhash.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "dataplane/nexthop/neighbour_path.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define CAPACITY_DEFAULT 65536
#define REQUESTS 1024 /* in the queue to the thread */
#define RECENT 4096   /* pairs remembered as asked for within the tick */
#define STATICS_MAX 16
#define LOCALS_MAX 512    /* addresses of this machine */
#define FIRST_PASS_MS 20  /* after a route change: a change seldom comes alone */
#define EVENTS_AT_ONCE 64 /* datagrams of notifications between two looks at requests */

struct fixed_hop {
	struct neighbour_key key; /* IP_NONE: any */
	struct neighbour_hop hop;
};

struct local_address {
	struct ip_addr ip;
	uint32_t ifindex;
};

struct neighbour {
	/* Workers read these; the thread writes the first two. */
	struct neighbour_table *table;
	_Atomic uint32_t tick;
	struct rte_ring *requests; /* of struct neighbour_key, workers to thread */
	int wake;                  /* eventfd */
	_Atomic uint32_t recent[RECENT];
	struct fixed_hop fixed[STATICS_MAX]; /* complete before the workers start */
	uint32_t n_fixed;

	/* The thread's. */
	struct paths paths;
	struct port *const *ports;
	uint16_t n_ports;
	int events;                           /* rtnl_listen() */
	uint64_t tick_at, pass_at, pass_last; /* nanoseconds; pass_at 0: no round of route questions wanted */
	pthread_t thread;
	bool running;
	_Atomic bool stop;

	pthread_mutex_t lock; /* over locals: written by the thread, read by the main thread */
	struct local_address locals[LOCALS_MAX];
	uint32_t n_locals;
};

/* --- workers --- */

static void request(struct neighbour *nb, const struct neighbour_key *key, uint32_t tick)
{
	uint32_t hash = rte_jhash(key, sizeof(*key), tick);
	_Atomic uint32_t *mark = &nb->recent[hash % RECENT];
	uint64_t one = 1;

	/* A burst of packets to one unknown pair is one request. The tick is in the hash: asked again next
	 * second. */
	if (atomic_load_explicit(mark, memory_order_relaxed) == hash)
		return;
	if (rte_ring_enqueue_elem(nb->requests, (void *)(uintptr_t)key, sizeof(*key)) < 0)
		return; /* the next packet asks again */
	atomic_store_explicit(mark, hash, memory_order_relaxed);
	if (write(nb->wake, &one, sizeof(one)) < 0)
		atomic_store_explicit(
			mark, 0, memory_order_relaxed); /* the counter is at its top: it is awake */
}

static bool matches(const struct ip_addr *pattern, const struct ip_addr *ip)
{
	return pattern->family == IP_NONE || ip_equal(pattern, ip);
}

static bool fixed_find(const struct neighbour *nb, const struct ip_addr *local, const struct ip_addr *remote,
	struct neighbour_hop *hop)
{
	for (uint32_t i = 0; i < nb->n_fixed; i++) {
		const struct fixed_hop *f = &nb->fixed[i];

		if (matches(&f->key.local, local) && matches(&f->key.remote, remote)) {
			*hop = f->hop;
			hop->ether[12] = remote->family == IP_V4 ? 0x08 : 0x86;
			hop->ether[13] = remote->family == IP_V4 ? 0x00 : 0xdd;
			return true;
		}
	}
	return false;
}

enum neighbour_state neighbour_lookup(struct neighbour *nb, struct neighbour_ref *ref,
	const struct ip_addr *local, const struct ip_addr *remote, struct neighbour_hop *hop)
{
	struct neighbour_key key = {.local = *local, .remote = *remote};
	uint32_t tick = atomic_load_explicit(&nb->tick, memory_order_relaxed);
	struct neighbour_value v;

	if (fixed_find(nb, local, remote, hop))
		return NEIGHBOUR_READY;
	if (!nb->running)
		return NEIGHBOUR_NO_ROUTE;
	switch (neighbour_table_find(nb->table, ref, &key, tick, &v)) {
	case NEIGHBOUR_FOUND:
		break;
	case NEIGHBOUR_MISSING:
		request(nb, &key, tick);
		return NEIGHBOUR_PENDING;
	case NEIGHBOUR_BUSY:
	default:
		return NEIGHBOUR_PENDING;
	}
	if (v.state == NEIGHBOUR_READY) {
		hop->port = v.port;
		hop->mtu = v.mtu;
		memcpy(hop->ether, v.ether, sizeof(hop->ether));
	}
	return (enum neighbour_state)v.state;
}

uint32_t neighbour_version(const struct neighbour *nb)
{
	return nb->running ? neighbour_table_version(nb->table) : 1;
}

/* --- the thread --- */

static void local_add(void *ctx, uint32_t ifindex, const struct ip_addr *ip)
{
	struct neighbour *nb = ctx;

	if (nb->n_locals < LOCALS_MAX)
		nb->locals[nb->n_locals++] = (struct local_address){.ip = *ip, .ifindex = ifindex};
}

static void locals_read(struct neighbour *nb)
{
	int rc;

	pthread_mutex_lock(&nb->lock);
	nb->n_locals = 0;
	rc = rtnl_addresses(nb->paths.fd, local_add, nb);
	pthread_mutex_unlock(&nb->lock);
	if (rc < 0)
		log_warn("neighbour", "cannot read this machine's addresses", LZ("why", strerror(-rc)));
}

static void pass_want(struct neighbour *nb)
{
	uint64_t soon = clock_mono_ns() + FIRST_PASS_MS * NS_PER_MS;
	uint64_t earliest = nb->pass_last + PASS_INTERVAL_MS * NS_PER_MS;

	if (nb->pass_at == 0)
		nb->pass_at = soon > earliest ? soon : earliest;
}

static void event_handle(struct neighbour *nb, const void *message, size_t n, bool *addresses)
{
	struct rtnl_neighbour neighbour;

	switch (rtnl_event_parse(message, n, &neighbour)) {
	case RTNL_NEIGHBOUR_CHANGED:
		paths_neighbour(&nb->paths, &neighbour);
		break;
	case RTNL_ADDRESSES_CHANGED:
		*addresses = true;
		pass_want(nb);
		break;
	case RTNL_ROUTES_CHANGED:
		pass_want(nb);
		break;
	case RTNL_NOTHING:
		break;
	}
}

static void events_read(struct neighbour *nb)
{
	_Alignas(8) static _Thread_local char buf[RTNL_DATAGRAM_MAX];
	bool addresses = false;

	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		ssize_t n = recv(nb->events, buf, sizeof(buf), 0);

		if (n < 0 && errno == ENOBUFS) {
			paths_resync(&nb->paths);
			pass_want(nb);
			addresses = true;
			continue;
		}
		if (n <= 0)
			break;
		size_t left = (size_t)n;
		for (const void *m = rtnl_message(buf, NULL, &left); m != NULL;
			m = rtnl_message(buf, m, &left))
			event_handle(nb, m, left, &addresses);
	}
	if (addresses)
		locals_read(nb);
}

static void requests_read(struct neighbour *nb)
{
	struct neighbour_key key;
	uint64_t n;

	(void)!read(nb->wake, &n, sizeof(n));
	while (rte_ring_dequeue_elem(nb->requests, &key, sizeof(key)) == 0)
		paths_add(&nb->paths, &key);
}

static int wait_ms(const struct neighbour *nb, uint64_t now)
{
	uint64_t next = nb->tick_at;

	if (nb->pass_at != 0 && nb->pass_at < next)
		next = nb->pass_at;
	return next <= now ? 0 : (int)((next - now) / NS_PER_MS + 1);
}

static void *thread_main(void *arg)
{
	struct neighbour *nb = arg;
	struct pollfd fds[2] = {{.fd = nb->events, .events = POLLIN}, {.fd = nb->wake, .events = POLLIN}};
	bool busy = false;

	while (!atomic_load_explicit(&nb->stop, memory_order_acquire)) {
		(void)poll(fds, 2, busy ? 0 : wait_ms(nb, clock_mono_ns()));
		if (fds[1].revents & POLLIN)
			requests_read(nb);
		if (fds[0].revents & (POLLIN | POLLERR))
			events_read(nb);
		uint64_t now = clock_mono_ns();
		if (nb->pass_at != 0 && now >= nb->pass_at) {
			nb->pass_at = 0;
			nb->pass_last = now;
			paths_refresh(&nb->paths);
		}
		if (now >= nb->tick_at) {
			nb->tick_at = now + NS_PER_S;
			paths_tick(&nb->paths);
			atomic_store_explicit(&nb->tick, nb->paths.tick, memory_order_relaxed);
			neighbour_table_tick(nb->table, nb->paths.tick);
		}
		busy = paths_step(&nb->paths);
	}
	return NULL;
}

/* --- main thread --- */

static bool kernel_ports(struct port *const *ports, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		if (ports[i]->ifindex != 0)
			return true;
	return false;
}

static int start(struct neighbour *nb, uint32_t capacity)
{
	int rc = neighbour_table_create(capacity, &nb->table);

	if (rc == 0)
		rc = paths_open(&nb->paths, nb->table, nb->ports, nb->n_ports, capacity);
	if (rc < 0)
		return rc;
	nb->requests = rte_ring_create_elem(
		"srtpgw_next_hops", sizeof(struct neighbour_key), REQUESTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
	nb->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (nb->requests == NULL || nb->wake < 0)
		return -ENOMEM;
	nb->events = rtnl_listen();
	if (nb->events < 0)
		return nb->events;
	locals_read(nb);
	atomic_store(&nb->tick, nb->paths.tick);
	nb->tick_at = clock_mono_ns() + NS_PER_S;
	rc = pthread_create(&nb->thread, NULL, thread_main, nb);
	if (rc != 0)
		return -rc;
	(void)pthread_setname_np(nb->thread, "neighbour");
	nb->running = true;
	return 0;
}

int neighbour_open(
	struct port *const *ports, uint16_t n, uint32_t capacity, struct neighbour **out, struct err *err)
{
	struct neighbour *nb = calloc(1, sizeof(*nb));
	int rc = 0;

	if (nb == NULL)
		return err_set(err, ENOMEM, "no memory");
	nb->ports = ports;
	nb->n_ports = n;
	nb->wake = nb->events = -1;
	pthread_mutex_init(&nb->lock, NULL);
	if (kernel_ports(ports, n))
		rc = start(nb, capacity != 0 ? capacity : CAPACITY_DEFAULT);
	if (rc < 0) {
		neighbour_close(nb);
		return err_set(
			err, -rc, "cannot follow the kernel's routes and neighbours: %s", strerror(-rc));
	}
	*out = nb;
	return 0;
}

void neighbour_close(struct neighbour *nb)
{
	uint64_t one = 1;

	if (nb == NULL)
		return;
	if (nb->running) {
		atomic_store_explicit(&nb->stop, true, memory_order_release);
		(void)!write(nb->wake, &one, sizeof(one));
		pthread_join(nb->thread, NULL);
	}
	if (nb->events >= 0)
		close(nb->events);
	if (nb->wake >= 0)
		close(nb->wake);
	rte_ring_free(nb->requests);
	paths_close(&nb->paths);
	neighbour_table_destroy(nb->table);
	pthread_mutex_destroy(&nb->lock);
	free(nb);
}

int neighbour_add_static(struct neighbour *nb, const struct ip_addr *local, const struct ip_addr *remote,
	uint16_t port, const uint8_t mac[6])
{
	struct fixed_hop f = {.key = {.local = *local, .remote = *remote}, .hop = {.port = port}};

	if (port >= nb->n_ports)
		return -EINVAL;
	if (nb->n_fixed == STATICS_MAX)
		return -ENOSPC;
	f.hop.mtu = nb->ports[port]->mtu;
	memcpy(f.hop.ether, mac, 6);
	memcpy(f.hop.ether + 6, nb->ports[port]->mac.addr_bytes, 6);
	nb->fixed[nb->n_fixed++] = f;
	return 0;
}

int neighbour_local_port(struct neighbour *nb, const struct ip_addr *local)
{
	uint32_t ifindex = 0;

	pthread_mutex_lock(&nb->lock);
	for (uint32_t i = 0; i < nb->n_locals && ifindex == 0; i++)
		if (ip_equal(&nb->locals[i].ip, local))
			ifindex = nb->locals[i].ifindex;
	pthread_mutex_unlock(&nb->lock);
	for (uint16_t i = 0; i < nb->n_ports && ifindex != 0; i++)
		if ((uint32_t)nb->ports[i]->ifindex == ifindex)
			return i;
	return -ENOENT;
}

void neighbour_stats(const struct neighbour *nb, struct dp_next_hops *out)
{
	const struct paths *p = &nb->paths;

	*out = (struct dp_next_hops){
		.resolved = atomic_load_explicit(&p->resolved, memory_order_relaxed),
		.unresolved = atomic_load_explicit(&p->unresolved, memory_order_relaxed),
		.no_route = atomic_load_explicit(&p->no_route, memory_order_relaxed),
		.idle = atomic_load_explicit(&p->idle, memory_order_relaxed),
		.capacity = p->capacity,
		.evicted = atomic_load_explicit(&p->evicted, memory_order_relaxed),
	};
}
