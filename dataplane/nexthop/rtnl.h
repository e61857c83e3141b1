/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few questions that the neighbour mirror asks the kernel through rtnetlink, and the notifications that
 * it follows. Every function that asks waits for the answer (a kernel answers at once), on one socket, from
 * one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

#define RTNL_DATAGRAM_MAX 32768 /* octets of one read; the kernel's own limit for dumps */

/* A socket for questions. Negative errno or the descriptor, the caller's to close. */
int rtnl_open(void);
/* A non-blocking socket that hears of neighbours, addresses, routes, rules, next hops and links. */
int rtnl_listen(void);

enum rtnl_route_kind {
	RTNL_ROUTE_UNICAST,
	RTNL_ROUTE_LOCAL, /* an address of this machine */
	RTNL_ROUTE_OTHER, /* broadcast, multicast, anycast: nothing that media goes to */
};

struct rtnl_route {
	enum rtnl_route_kind kind;
	uint32_t ifindex;
	struct ip_addr next_hop; /* the gateway, or the destination itself on-link */
	uint32_t mtu;            /* 0: the interface's */
};

/* As the kernel would route UDP from local to remote. -ENETUNREACH, -EHOSTUNREACH, -EINVAL (local is no
 * address here). */
int rtnl_route_get(int fd, const struct ip_addr *local, const struct ip_addr *remote, struct rtnl_route *out);

struct rtnl_link {
	uint32_t mtu; /* octets of IP packet */
	uint8_t mac[6];
};

/* -ENODEV: there is no such interface. */
int rtnl_link_get(int fd, uint32_t ifindex, struct rtnl_link *out);

struct rtnl_neighbour {
	uint32_t ifindex;
	struct ip_addr ip;
	uint16_t state; /* NUD_*; 0: gone */
	bool has_mac;
	uint8_t mac[6];
};

/* -ENOENT: the kernel has no entry. */
int rtnl_neighbour_get(int fd, uint32_t ifindex, const struct ip_addr *ip, struct rtnl_neighbour *out);
/* Makes the kernel treat the neighbour as used just now: it resolves or confirms it. Needs CAP_NET_ADMIN. */
int rtnl_neighbour_use(int fd, uint32_t ifindex, const struct ip_addr *ip);

/* Calls each() with every address of this machine. */
int rtnl_addresses(int fd, void (*each)(void *ctx, uint32_t ifindex, const struct ip_addr *ip), void *ctx);

/*
 * The first, and then the following, message of a datagram of *left octets; NULL at its end or where the rest
 * makes no sense. at: the one before, NULL for the first (then data is the datagram).
 */
const void *rtnl_message(const void *data, const void *at, size_t *left);

enum rtnl_event { RTNL_NOTHING, RTNL_NEIGHBOUR_CHANGED, RTNL_ROUTES_CHANGED, RTNL_ADDRESSES_CHANGED };

/*
 * What one notification of n octets says; *neighbour is written with RTNL_NEIGHBOUR_CHANGED. Takes anything:
 * what is cut short or unknown is RTNL_NOTHING.
 */
enum rtnl_event rtnl_event_parse(const void *message, size_t n, struct rtnl_neighbour *neighbour);
