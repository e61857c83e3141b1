/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same in all RTP packets that leave by a leg: headers down to UDP's, their sums, the port. It is
 * made out when a packet goes the general way (rewrite.c), is good until the next hops have another version
 * or the leg changes, and spares the packets in between the next hop's lookup and the headers' parts. For
 * legs of one stream whose header extensions all leave; other packets go the general way each time, and have
 * it made out for them alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

struct leg;
struct neighbour_hop;
struct packet;
struct path;
struct renumber_slot;
struct worker;

/* A cache line: with a numbering slot and the key itself it is all that RTP over IPv4 needs of the leg that
 * it leaves by; addresses of IPv6 have no room here, they are read where the path is. */
struct leaving {
	/* as they lie in the frame */
	uint8_t macs[12];
	uint32_t ports;
	uint64_t addresses; /* of IPv4 */
	/* one's complement sums, of what has no length in it */
	uint16_t ip_sum;  /* of IPv4 */
	uint16_t udp_sum; /* with the pseudo-header's */
	uint32_t version; /* of the next hops that all this is good for, over IPv6 LEAVING_V6 away from it;
			   * 0: for none */
	uint16_t room;    /* octets of RTP in the clear that have room in a packet */
	uint8_t port;     /* place in the worker's table */
	uint8_t tos;      /* DSCP: IPv6's traffic class, too */

	/* from here on always good */
	bool secure;              /* leg.security */
	uint8_t suite;            /* enum srtp_suite of the key that seals; NONE: there is no key */
	uint8_t mki_len, tag_len; /* its, of RTP */
	uint32_t key;             /* its slot of the crypto backend */
	uint32_t credit;          /* packets that it may seal before leg_tx_settle() looks at its limits */
	/* of RTP that left, the lower halves: leg_tx_packets() */
	uint32_t packets, octets;
	struct renumber_slot *slot; /* the last packet's; NULL before the first */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct leaving) == 64, "a cache line");

/*
 * The family is in the version, so that packets over IPv4 need one comparison for both; half of all versions
 * away it is no other version's for as long as it can be.
 */
#define LEAVING_V6 (UINT32_C(1) << 31)

/* Is what is prepared for packets over this family, and good? */
static inline bool leaving_is_for(const struct leaving *l, uint32_t hops, enum ip_family family)
{
	return family == IP_V4 ? l->version == hops : l->version && l->version == (hops ^ LEAVING_V6);
}

/* The headers change, or may: the next packet goes the general way. */
static inline void leaving_forget(struct leaving *l)
{
	l->version = 0;
}

/*
 * Fills the headers and their sums, for packets by a path; the rest of *l stays as it is. macs: the next
 * hop's and the port's, 12 octets.
 */
void leaving_make(struct leaving *l, const struct path *path, uint8_t dscp, const uint8_t *macs);

/*
 * Headers in front of the datagram p->data, with their checksums, and the frame's place in its buffer. path:
 * what *l was made for. offload: the port is asked for the checksums instead. PACKET_ON, or DP_V_TOO_LONG: no
 * room in front.
 */
int leaving_write(const struct leaving *l, const struct path *path, struct packet *p, bool offload);

/* Makes out what packets by this leg begin with, when they are of the usual kind. hop: where they go. */
void leaving_prepare(struct worker *w, struct leg *leg, const struct neighbour_hop *hop);

/* leaving_write() of a packet that leaves as prepared, over one family and over the other. */
int leaving_headers_v4(struct worker *w, struct packet *p);
int leaving_headers_v6(struct worker *w, struct packet *p);
