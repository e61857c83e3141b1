/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel interface as the ports need it: what it is, how many queues it has, and who uses it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <net/if.h>

#include "lib/base/err.h"

struct netdev {
	char name[IF_NAMESIZE];
	int ifindex;
	uint16_t mtu; /* octets of IP packet */
	uint8_t mac[6];
	bool up;
};

/* -ENODEV: no such interface here; -ENOTSUP: not Ethernet. */
int netdev_get(const char *name, struct netdev *out, struct err *err);

/*
 * A descriptor that tells this very interface from every other one that has its number or its name later,
 * however soon. The caller's to close.
 */
int netdev_mark(int ifindex, struct err *err);

/* What became of the interface that mark is of, and that had this name. */
enum netdev_state {
	NETDEV_RUNNING,
	NETDEV_STILL, /* down, or without a carrier */
	NETDEV_GONE,
	NETDEV_REPLACED, /* gone, and another one has its name */
};

enum netdev_state netdev_state(int mark, const char *name);

/* Is it up, and does it have a carrier? */
bool netdev_runs(const char *name);

/* Queues of an interface, as ETHTOOL_GCHANNELS tells: pairs plus those of one direction. */
struct netdev_queues {
	uint32_t rx, tx;
	bool fixed; /* the driver cannot say or change it: one queue */
};

int netdev_queues_get(const char *name, struct netdev_queues *out);

/*
 * Sets an interface to n receive queues (and as many transmit queues where the driver pairs them). -ENOTSUP
 * or what the driver answers.
 */
int netdev_queues_set(const char *name, uint32_t n);

/*
 * Claims an interface for this process until the descriptor returned is closed or the process ends, however
 * it ends: an abstract Unix socket is a name in the network namespace that no crash leaves behind. -EBUSY:
 * another live instance has it.
 */
int netdev_claim(const char *name, struct err *err);
