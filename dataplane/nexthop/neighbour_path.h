/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mirror's thread keeps behind the table: for every pair its route, and for every next hop that
 * routes lead to its link-layer address and the pairs that use it. All of it belongs to the mirror's thread;
 * others read what is atomic. Private to neighbour*.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nexthop/neighbour_table.h"
#include "dataplane/nexthop/rtnl.h"
#include "dataplane/pages.h"
#include "dataplane/port/port.h"

#define PATH_IDLE_S 300       /* an unused pair is forgotten */
#define PATH_IDLE_FULL_S 30   /* where more than 3/4 of the places are taken */
#define HOP_KEEP_S 30         /* a hop used within this is kept alive */
#define ROUTE_RETRY_S 5       /* between questions for a route that there is not */
#define PASS_INTERVAL_MS 1000 /* between two rounds of questions for all routes, however fast they change */
/* Between two looks at the sockets: */
#define STEP_QUESTIONS 256 /* to the kernel */
#define STEP_LOOKS 4096    /* at pairs or hops */
#define WARN_INTERVAL_S 60

/* A next hop: a gateway or an on-link host. */
struct hop {
	uint32_t ifindex;
	struct ip_addr ip;
	uint16_t nud; /* the kernel's NUD_* */
	bool has_mac;
	uint8_t mac[6];
	uint32_t used;  /* newest tick of its paths */
	uint32_t asked; /* tick of the last request to resolve or confirm it */
	uint32_t paths; /* index + 1 of its first path; 0: none, and the hop is free */
	uint32_t next;  /* in its hash chain or among the free, index + 1 */
};

/* A pair; same index as its entry in the table. */
struct path {
	struct neighbour_key key;
	bool live;
	uint8_t state; /* enum neighbour_state without regard to the hop: READY means that there is one */
	uint16_t mtu;
	uint32_t hop;        /* index + 1 */
	uint32_t prev, next; /* among the paths of the hop, index + 1 */
	uint32_t asked;      /* tick of the last question for the route */
};

/*
 * Through all pairs, or all hops, a few at a time. Begun again under way it goes on where it is, all the way
 * round: what keeps beginning it keeps nothing from its turn.
 */
struct paths_round {
	uint32_t at, n; /* next index, of n */
	uint32_t left;  /* 0: none under way */
};

struct paths {
	struct neighbour_table *table;
	struct port *const *ports;
	uint16_t n_ports;
	struct rtnl_link links[PORTS_MAX]; /* the ports' interfaces, as they are now */
	int fd;                            /* rtnl_open() */
	uint32_t capacity, tick;
	struct path *paths;
	struct hop *hops;
	uint32_t *chains; /* hash of hops */
	struct pages path_pages, hop_pages, chain_pages;
	uint32_t hops_free;  /* index + 1 of the one given back last */
	uint32_t hops_fresh; /* from here on never taken */
	struct paths_round refresh, resync, walk;
	uint32_t entries;           /* pairs */
	uint64_t requests;          /* to the kernel */
	struct dp_next_hops walked; /* pairs that this second's walk has seen */
	/* That the last one has seen. */
	_Atomic uint32_t resolved, unresolved, no_route, idle;
	_Atomic uint64_t evicted; /* pairs in use that gave way to others */
	uint64_t evicted_said;    /* of them, those warned of */
	uint32_t warn_in;         /* seconds until a warning may come again */
};

int paths_open(struct paths *p, struct neighbour_table *table, struct port *const *ports, uint16_t n_ports,
	uint32_t capacity);
void paths_close(struct paths *p);

/* A worker asks for a pair. */
void paths_add(struct paths *p, const struct neighbour_key *key);
/* The kernel says something about a neighbour. */
void paths_neighbour(struct paths *p, const struct rtnl_neighbour *n);
/* Has every pair's route asked for again, by steps, over the interfaces as they are now. */
void paths_refresh(struct paths *p);
/* Has every next hop's address asked for again, by steps: notifications were lost. */
void paths_resync(struct paths *p);
/* Once a second: has next hops in use kept alive and unused pairs forgotten, by steps. */
void paths_tick(struct paths *p);
/* The next step of what is under way; false: nothing is. */
bool paths_step(struct paths *p);
