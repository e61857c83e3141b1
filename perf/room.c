/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_ring.h>

#include "lib/base/clock.h"

#define FRAMES 8191

static int take_out(void *user, union dp_msg *m)
{
	struct room *r = user;

	if (m->h.type == DP_ACK) {
		r->acked = m->h.seq;
		r->ack_result = m->ack.result;
		memcpy(r->ack_reason, m->ack.reason, sizeof(r->ack_reason));
	}
	if (m->h.type == DP_STATS_GLOBAL)
		r->stats = m->stats_global;
	return 0;
}

static struct rte_ring *ring_make(const char *way, unsigned i)
{
	char name[32];

	snprintf(name, sizeof(name), "room_%s%u", way, i);
	return rte_ring_create(name, ROOM_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int wire_open(struct room *r, struct err *err)
{
	const uint8_t peer[6] = {0x02, 0, 0, 0, 0x10, 0x02};
	const struct ip_addr any = {.family = IP_NONE};
	struct port_conf conf = {.kind = PORT_RING,
		.interface = "room",
		.queues = (uint16_t)r->n_workers,
		.rx_rings = r->rxs,
		.tx_rings = r->txs};
	int rc;

	for (unsigned i = 0; i < r->n_workers; i++) {
		r->rxs[i] = ring_make("rx", i);
		r->txs[i] = ring_make("tx", i);
		if (!r->rxs[i] || !r->txs[i])
			return err_set(err, ENOMEM, "no memory for the rings");
	}
	r->rx = r->rxs[0];
	r->tx = r->txs[0];
	rc = port_pool_create(FRAMES, &r->pool, err);
	if (rc < 0)
		return rc;
	conf.pool = r->pool;
	rc = port_open(&conf, &r->port, err);
	if (rc < 0)
		return rc;
	rc = neighbour_open(&r->port, 1, 0, &r->neighbour, err);
	if (rc < 0)
		return rc;
	rc = neighbour_add_static(r->neighbour, &any, &any, 0, peer);
	return rc < 0 ? err_set(err, -rc, "no static next hop: %s", strerror(-rc)) : 0;
}

static int plane_open(struct room *r, uint32_t sessions, struct err *err)
{
	struct worker_conf worker = {
		.sessions = sessions,
		.legs = 2 * sessions,
		.n_ports = 1,
		.ports = &r->port,
		.neighbour = r->neighbour,
		.pool = r->pool,
		.backend = &crypto_ipsec_mb,
		.socket = -1,
	};
	struct control_conf control = {
		.sessions = sessions,
		.n_workers = r->n_workers,
		.workers = r->workers,
		.n_ports = 1,
		.ports = &r->port,
		.neighbour = r->neighbour,
		.backend = &crypto_ipsec_mb,
		.out = take_out,
		.user = r,
	};
	int rc = leg_table_create(&r->table);

	if (rc < 0)
		return err_set(err, -rc, "no memory for the leg table");
	worker.table = control.table = r->table;
	for (unsigned i = 0; i < r->n_workers && rc >= 0; i++) {
		worker.index = i;
		rc = worker_create(&worker, &r->workers[i], err);
	}
	if (rc < 0)
		return rc;
	r->worker = r->workers[0];
	worker_introduce(r->workers, r->n_workers);
	return control_open(&control, &r->control, err);
}

int room_open(struct room *r, uint32_t sessions, struct err *err)
{
	return room_open_workers(r, 1, sessions, err);
}

int room_open_workers(struct room *r, unsigned workers, uint32_t sessions, struct err *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->n_workers = workers;
	rc = wire_open(r, err);
	if (rc >= 0)
		rc = plane_open(r, sessions, err);
	if (rc < 0)
		room_close(r);
	return rc;
}

void room_close(struct room *r)
{
	void *m;

	control_close(r->control);
	for (unsigned i = 0; i < r->n_workers; i++)
		worker_destroy(r->workers[i]);
	if (r->table)
		leg_table_destroy(r->table);
	neighbour_close(r->neighbour);
	port_close(r->port);
	for (unsigned i = 0; i < 2 * r->n_workers; i++) {
		struct rte_ring *ring = i % 2 ? r->txs[i / 2] : r->rxs[i / 2];

		while (ring && rte_ring_dequeue(ring, &m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(ring);
	}
	rte_mempool_free(r->pool);
	memset(r, 0, sizeof(*r));
}

int room_command(void *user, union dp_msg *m)
{
	struct room *r = user;

	m->h.seq = ++r->seq;
	control_handle(r->control, m);
	for (int i = 0; i < 1000 && r->acked != r->seq; i++) {
		for (unsigned k = 0; k < r->n_workers; k++)
			worker_step(r->workers[k], clock_mono_ns());
		control_poll(r->control);
	}
	return r->acked == r->seq ? r->ack_result : -ETIMEDOUT;
}

int room_stats(struct room *r, struct dp_stats_global *out)
{
	union dp_msg m;
	int rc;

	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_GLOBAL;
	rc = room_command(r, &m);
	*out = r->stats;
	return rc;
}

uint64_t room_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

unsigned room_relay_at(struct room *r, unsigned worker, struct rte_mbuf **frames, unsigned n,
	struct rte_mbuf **out, struct room_time *took)
{
	struct rte_ring *rx = r->rxs[worker];
	unsigned put = rte_ring_enqueue_burst(rx, (void **)frames, n, NULL);
	uint64_t wall = clock_mono_ns(), cpu = room_cpu_ns();

	while (!rte_ring_empty(rx))
		worker_step(r->workers[worker], clock_mono_ns());
	took->cpu += room_cpu_ns() - cpu;
	took->wall += clock_mono_ns() - wall;
	rte_pktmbuf_free_bulk(frames + put, n - put);
	return rte_ring_dequeue_burst(r->txs[worker], (void **)out, n, NULL);
}

unsigned room_relay(
	struct room *r, struct rte_mbuf **frames, unsigned n, struct rte_mbuf **out, struct room_time *took)
{
	unsigned sent = room_relay_at(r, 0, frames, n, out, took);

	control_poll(r->control);
	return sent;
}
