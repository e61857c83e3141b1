/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "lib/base/secret.h"
#include "lib/srtp/packet.h"
#include "perf/gen.h"

#define GEN_ETHER 14
#define GEN_HEADERS (GEN_ETHER + 20 + 8)
#define GEN_RTP 12

/* Ports of one gateway address; a call has one port on an address of each side. */
#define GEN_PORT_LOWER 10000
#define GEN_PORTS 50000

struct gen_session {
	uint8_t headers[GEN_HEADERS]; /* link layer, IPv4 and UDP of what its caller sends */
	uint32_t ssrc, ts;
	uint16_t seq;
	uint64_t sent, heard;
	struct srtp_context *protect, *unprotect; /* NULL on a plain leg */
	/* What came last, after the first. */
	uint32_t out_ssrc, out_ts;
	uint16_t out_seq;
};

struct gen {
	struct gen_conf conf;
	struct gen_stats stats;
	struct gen_session *sessions;
	uint32_t *order; /* shuffled */
	uint32_t next;   /* place in order */
};

/* The four ends of call s: gateway and peer on leg in (side 0) and leg out (side 1). */
struct ip_port gen_gateway(const struct gen *g, unsigned side, uint32_t s);
struct ip_port gen_peer(const struct gen *g, unsigned side, uint32_t s);
/* Which call a peer of side 1 belongs to; UINT32_MAX: none. octets: its IPv4 address; port as in the header. */
uint32_t gen_peer_session(const struct gen *g, const uint8_t octets[4], const uint8_t port[2]);

/* The master key of leg `side` of call s in a direction as the gateway sees it (enum dp_key_direction). */
int gen_master(const struct gen *g, unsigned side, uint32_t s, unsigned direction, struct secret *out);

static inline enum srtp_suite gen_suite(const struct gen *g, unsigned side)
{
	return side ? g->conf.out : g->conf.in;
}
