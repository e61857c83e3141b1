/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Next hops. The kernel is the authority: for each (local address, remote address) in use, a thread of this
 * module asks it for the route (so policy routing, VRFs and ECMP hold) and for the gateway's link-layer
 * address, follows its notifications (routes, rules, addresses, links, neighbours), and publishes the
 * result in a table that workers read without locks. The kernel does not see our traffic: next hops in use
 * are kept alive by asking it to confirm them (NTF_USE) every few seconds; unused ones age out.
 *
 * RFC 826 and RFC 4861 are the kernel's business; so are default gateways and on-link destinations.
 *
 * Threads: lookup and prefetch from any worker and from the main thread; open, add_static, close from the
 * main thread. Entries are written by this module's thread alone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/netaddr.h"
#include "lib/msg/dp_msg.h"

struct port;
struct neighbour; /* the mirror; opaque */

enum neighbour_state {
	NEIGHBOUR_READY,    /* send */
	NEIGHBOUR_PENDING,  /* asked for; look up again with the next packet */
	NEIGHBOUR_NO_ROUTE, /* no route, route over an interface that is no port, or unreachable; asked again
			       by itself */
	NEIGHBOUR_SELF,     /* the remote is an address of this machine: no port leads there */
};

/* What a leg keeps of a lookup so that the next one is two loads. Zero it when local or remote change. */
struct neighbour_ref {
	uint32_t index; /* entry + 1; 0: nothing cached */
	uint32_t generation;
};

/* Where a packet goes: its port and the 14 octets before its IP header (destination, source, EtherType). */
struct neighbour_hop {
	uint16_t port; /* port.index */
	uint16_t mtu;  /* octets of IP packet on the way, the smaller of port and route */
	uint8_t ether[14];
};

/*
 * Starts the mirror over n ports (ports[i]->index == i). The ports outlive it. ports without a kernel
 * interface take part by add_static() only. capacity: pairs at most, 0: 65,536. -ENOMEM, -EIO.
 */
int neighbour_open(
	struct port *const *ports, uint16_t n, uint32_t capacity, struct neighbour **out, struct err *err);
void neighbour_close(struct neighbour *nb); /* after the workers stopped; NULL is ignored */

/*
 * Where do packets from local to remote go? READY fills *hop. The first lookup of a pair asks the kernel (no
 * system call beyond one eventfd write) and says PENDING. ref is the caller's cache for exactly this pair;
 * NULL for none. Never blocks.
 */
enum neighbour_state neighbour_lookup(struct neighbour *nb, struct neighbour_ref *ref,
	const struct ip_addr *local, const struct ip_addr *remote, struct neighbour_hop *hop);

/*
 * A number, never 0, that is another one as soon as an answer in use that was READY may be another, and once
 * a second so that a next hop in use is looked up, which keeps it alive. While it is the same an answer may
 * be used again without a lookup; read it before the lookup. Any thread.
 */
uint32_t neighbour_version(const struct neighbour *nb);

/* A fixed next hop for packets from local (family IP_NONE: any) to remote (IP_NONE: any) over a ring or null
 * port. */
int neighbour_add_static(struct neighbour *nb, const struct ip_addr *local, const struct ip_addr *remote,
	uint16_t port, const uint8_t mac[6]);

/* The port whose interface holds the address local now, or -ENOENT. */
int neighbour_local_port(struct neighbour *nb, const struct ip_addr *local);

/* Any thread. */
void neighbour_stats(const struct neighbour *nb, struct dp_next_hops *out);
