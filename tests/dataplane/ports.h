/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of ports, one program each: DPDK's environment, a pool of frames, and ports over rings. */
#pragma once

#include "tests/support/cmocka_std.h"

#include <stdio.h>

#include "dataplane/port/eal.h"
#include "dataplane/port/port.h"

#define POOL 4096 /* frames */

static struct eal eal;
static struct rte_mempool *pool;

/* Setup and teardown of a group. */
static inline int start(void **state)
{
	struct eal_conf conf = {.pages = EAL_PAGES_SMALL, .memory_mb = 64};
	struct err err = {""};

	(void)state;
	if (eal_start(&conf, &eal, &err) < 0 || port_pool_create(POOL, &pool, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	rte_mempool_free(pool);
	eal_stop(&eal);
	return 0;
}

static inline struct port *ring_port(
	const char *name, uint16_t index, struct rte_ring **rx, struct rte_ring **tx)
{
	struct port_conf conf = {.kind = PORT_RING,
		.interface = name,
		.index = index,
		.pool = pool,
		.rx_rings = rx,
		.tx_rings = tx};
	struct port *port = NULL;
	struct err err = {""};

	if (port_open(&conf, &port, &err) < 0)
		fail_msg("%s", err.text);
	return port;
}
