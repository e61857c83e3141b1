/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one thread that owns its sessions outright and moves their packets from port to port. worker.c
 * shows the whole way of a packet. Everything is allocated at the start; nothing on a packet's way allocates,
 * locks, logs or calls the system.
 *
 * A program (or a test, or a bench) makes ports and neighbour, a leg_table, then its workers; it speaks to
 * them through control.h, and either launches worker_run() on an lcore each or calls worker_step() itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/crypto/backend.h"
#include "dataplane/nexthop/neighbour.h"
#include "dataplane/port/port.h"
#include "dataplane/session/leg_table.h"
#include "dataplane/stats.h"
#include "lib/base/err.h"

#define WORKERS_MAX 64

struct worker;

struct worker_conf {
	uint32_t index;     /* of this worker; its queue on every port */
	uint32_t sessions;  /* ids below this number, of all workers together */
	uint32_t legs;      /* this worker's; at most LEG_TABLE_LEGS_MAX */
	uint32_t key_slots; /* of the backend; 0: three for each leg */
	uint16_t n_ports;
	struct port *const *ports;
	struct neighbour *neighbour;
	struct leg_table *table;
	struct rte_mempool *pool; /* for datagrams that the control plane sends */
	const struct crypto_backend *backend;
	const char *backend_options; /* NULL for none */
	int socket;                  /* NUMA node, -1 for any */
	uint32_t idle_us;            /* the longest nap of worker_run() while packets come; 0: it never sleeps */
};

/* Everything in conf outlives the worker. -ENOMEM, or what the backend says. */
int worker_create(const struct worker_conf *conf, struct worker **out, struct err *err);
/* Wipes every key. The worker does not run. NULL is ignored. */
void worker_destroy(struct worker *w);

/* So that packets that arrive at the wrong worker reach their own: all workers, before any runs. */
void worker_introduce(struct worker *const *workers, uint32_t n);

/* One iteration at time now_ns (any monotonic clock, the same for all calls). Frames received. */
unsigned worker_step(struct worker *w, uint64_t now_ns);

/* Iterates until worker_stop(); for rte_eal_remote_launch(). 0, or -EIO when the crypto backend failed. */
int worker_run(void *worker);
void worker_stop(struct worker *w); /* any thread */

/* With which instructions it ciphers, in words; "" when the backend does not say. */
const char *worker_crypto_how(const struct worker *w);

/* One line about the crypto device, for the log; the worker does not run. false: it has none to speak of. */
bool worker_crypto_report(const struct worker *w, char *text, size_t n);

bool worker_failed(const struct worker *w); /* any thread: worker_run() ended, or will, with -EIO */

const struct worker_stats *worker_stats(const struct worker *w);
