/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media ports of all media interfaces, divided among the data plane's workers: a port belongs to one worker,
 * and both legs of a call take theirs from the same one. A pair is an even RTP port and the odd RTCP port
 * behind it; a single port serves RTCP multiplexing. Taking and giving back cost the same however full the
 * pool is. What was freed longest ago is given out first, so that late packets of an ended call meet nobody.
 *
 * One owner thread. Groups are media interfaces (their index in the configuration).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/netaddr.h"

/* One address's range. Ranges of one address do not overlap (-EEXIST). */
struct port_range {
	unsigned group;
	struct ip_addr ip, advertised;
	uint16_t lower, upper; /* inclusive */
};

/* One worker's part of a range: what DP_CONFIGURE tells the data plane. */
struct port_share {
	struct ip_addr ip;
	uint16_t lower, upper; /* inclusive */
	unsigned worker;
};

enum port_kind { PORT_PAIR, PORT_SINGLE };

/* Ports in use. Owned by the call; given back whole with port_alloc_put(). */
struct port_lease {
	bool held;
	uint8_t kind; /* enum port_kind */
	uint16_t worker;
	uint32_t slot;            /* the allocator's own */
	struct ip_port rtp, rtcp; /* rtcp: the same as rtp for a single port */
	struct ip_addr advertised;
};

struct port_alloc; /* opaque */

/* -EINVAL (a range of less than a pair per worker, no ranges), -EEXIST, -ENOMEM: e names the range. */
int port_alloc_new(
	const struct port_range *ranges, size_t n, unsigned workers, struct port_alloc **out, struct err *e);
void port_alloc_free(struct port_alloc *p); /* NULL is ignored */

/* The shares of all workers, in order; n receives their number. Live as long as p. */
const struct port_share *port_alloc_shares(const struct port_alloc *p, size_t *n);

/*
 * Takes ports of one of these groups (tried in turn) at that worker; family IP_NONE: any. -ENOSPC: none are
 * free; -EAFNOSUPPORT: no address of that family in the groups.
 */
int port_alloc_get(struct port_alloc *p, const unsigned *groups, unsigned n_groups, enum ip_family family,
	unsigned worker, enum port_kind kind, struct port_lease *out);
void port_alloc_put(struct port_alloc *p, struct port_lease *lease); /* clears it; one not held is ignored */

/* The worker that a new call goes to: the one with the fewest ports in use. */
unsigned port_alloc_worker(const struct port_alloc *p);

struct port_usage {
	uint64_t total, used; /* ports */
	uint64_t exhausted;   /* requests that found none */
};
void port_alloc_usage(const struct port_alloc *p, unsigned group, struct port_usage *out);
