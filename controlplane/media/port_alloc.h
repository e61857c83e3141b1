/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media ports of all media interfaces, divided among the data plane's workers: a port belongs to one worker,
 * and both legs of a call take theirs from the same one. A pair is an even RTP port and the odd RTCP port
 * behind it; a single port serves RTCP multiplexing. Taking and giving back cost the same however full the
 * pool is. What was freed longest ago is given out first, so that late packets of an ended call meet nobody.
 *
 * The ranges may change while ports are leased: a port that stays keeps its worker, one that goes is given to
 * nobody any more and is gone when its last call gives it back.
 *
 * One owner thread. Groups are media interfaces; a group keeps its number as long as the allocator lives.
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
	bool draining;   /* of a range that was removed: no new leases */
	uint32_t in_use; /* ports; when it drains and there are none, it need not be told any more */
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
/* One that gets its ranges later. workers: 1 to 255. -ENOMEM. */
int port_alloc_new_empty(unsigned workers, struct port_alloc **out);
void port_alloc_free(struct port_alloc *p); /* NULL is ignored */

/*
 * Other ranges, in two steps: prepare changes nothing and fails as port_alloc_new() does; commit cannot fail.
 * Between the two nothing is leased or given back. The plan ends with either.
 */
struct port_plan; /* opaque */
int port_alloc_prepare(struct port_alloc *p, const struct port_range *ranges, size_t n,
	struct port_plan **out, struct err *e);
/* The shares as they will be; live as long as the plan. */
const struct port_share *port_plan_shares(const struct port_plan *plan, size_t *n);
void port_alloc_commit(struct port_plan *plan);
void port_alloc_abandon(struct port_plan *plan); /* NULL is ignored */

/* Told when the last port of a share that drains was given back; from inside port_alloc_put(). */
void port_alloc_on_drained(struct port_alloc *p, void (*drained)(void *arg), void *arg);

/* The shares of all workers; n receives their number. Live until the next commit. */
const struct port_share *port_alloc_shares(const struct port_alloc *p, size_t *n);

/*
 * Takes ports of one of these groups (tried in turn) at that worker; family IP_NONE: any. -ENOSPC: none are
 * free; -EAFNOSUPPORT: no address of that family in the groups.
 */
int port_alloc_get(struct port_alloc *p, const unsigned *groups, unsigned n_groups, enum ip_family family,
	unsigned worker, enum port_kind kind, struct port_lease *out);
/*
 * The very pair whose RTP port this is, for a call of an earlier process. -ENOENT: no range has it, or it has
 * another worker now; -EBUSY: it is in use.
 */
int port_alloc_claim(
	struct port_alloc *p, const struct ip_port *rtp, unsigned worker, struct port_lease *out);
/*
 * The pair that this port is one of, whoever's worker has it now: the data plane uses it for what is no
 * call's. Errors as above; both mean that there is nothing to withhold.
 */
int port_alloc_withhold(struct port_alloc *p, const struct ip_port *at, struct port_lease *out);
void port_alloc_put(struct port_alloc *p, struct port_lease *lease); /* clears it; one not held is ignored */

/* The worker that a new call goes to: the one with the fewest ports in use. */
unsigned port_alloc_worker(const struct port_alloc *p);

struct port_usage {
	uint64_t total;     /* ports that may be leased */
	uint64_t used;      /* ports, those that drain included */
	uint64_t exhausted; /* requests that found none */
};
void port_alloc_usage(const struct port_alloc *p, unsigned group, struct port_usage *out);
