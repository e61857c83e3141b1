/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "lib/base/secret.h"
#include "lib/srtp/packet.h"
#include "perf/gen.h"
#include "perf/gen_frame.h"

#define GEN_RTP 12
#define GEN_FRAME_MAX (FRAME_HEADERS_MAX + GEN_RTP + GEN_PAYLOAD_MAX + SRTP_TRAILER_MAX)

/* Ports of one gateway address; a call has one port on an address of each side. */
#define GEN_PORT_LOWER 10000
#define GEN_PORTS 50000

enum gen_kind { GEN_GENUINE, GEN_REPLAYED, GEN_FORGED };

/* A frame that is made and not given out yet. */
struct gen_item {
	uint16_t n;
	uint8_t headers;    /* octets before what is in UDP */
	uint8_t kind, side; /* which leg of the gateway it goes to */
	bool report;
	uint32_t serial;
	uint8_t octets[GEN_FRAME_MAX];
};

/* A turn of a call makes at most 20 packets of a picture and two reports, each with a forged one before it,
 * and a held one and a replay behind. */
#define GEN_OUTBOX 128

/* A packet of RTP: what its payload says about it. */
struct gen_packet {
	uint32_t call;
	uint32_t number;  /* of the call */
	uint32_t serial;  /* of all calls */
	uint32_t picture; /* of video; else its number */
	uint16_t place;   /* in the picture */
};

/* Packets of one kind from one side, on their way: what is held back to be overtaken, and what will be
 * replayed. */
struct gen_way {
	struct gen_item *held, *old; /* NULL: nothing */
	uint32_t held_for;           /* packets that are still to pass it */
	uint32_t old_at;             /* number of the old packet */
};

/* Reports of one side, by their numbers; the first is 1. */
struct gen_reports {
	uint32_t sent, highest; /* that came */
	uint64_t seen;          /* of the 64 up to the highest, that in bit 0 */
};

struct gen_session {
	uint8_t headers[2][FRAME_HEADERS_MAX]; /* link layer, IP and UDP of what its peers send, by side */
	uint8_t headers_n[2];                  /* octets of them */
	uint32_t ssrc, ts;
	uint16_t seq;  /* of the next packet */
	uint8_t media; /* enum gen_media, never GEN_MIX */
	uint32_t sent; /* number of the next packet */
	uint32_t good; /* packets that came back right */
	uint32_t turns;
	uint32_t picture;
	uint32_t octets; /* of payload, for reports */
	/* of each side: what its peer sends with (side 1: reports), and what it opens what it hears with;
	 * NULL: plain */
	struct srtp_context *protect[2], *unprotect[2];
	/* What came: constant offsets from what was sent, the highest packet, and how it was sent. */
	bool heard;
	uint16_t out_seq;
	uint32_t out_ssrc, out_ts;
	uint32_t highest, position;
	struct gen_reports reports[2]; /* of the side that sends them */
	struct gen_way rtp, rtcp[2];   /* from side 0; from either */
};

struct gen {
	struct gen_conf conf;
	struct gen_stats stats;
	struct gen_session *sessions;
	uint32_t *order; /* shuffled */
	uint32_t next;   /* place in order */
	uint64_t random;
	uint32_t serial;    /* of the next packet of RTP */
	uint64_t positions; /* frames given out so far */
	uint32_t *pending;  /* by serial: position + 1 of what was sent and has not come; 0: none */
	struct gen_item *outbox;
	unsigned outbox_at, outbox_n;
	uint32_t draining; /* calls whose held packets are out, at the end */
};

/* The four ends of call s: gateway and peer on leg in (side 0) and leg out (side 1). */
struct ip_port gen_gateway(const struct gen *g, unsigned side, uint32_t s);
struct ip_port gen_peer(const struct gen *g, unsigned side, uint32_t s);
/* Which call a peer belongs to; UINT32_MAX: none. */
uint32_t gen_peer_session(const struct gen *g, unsigned side, const struct ip_port *peer);

/* The master key of leg `side` of call s in a direction as the gateway sees it (enum dp_key_direction). */
int gen_master(const struct gen *g, unsigned side, uint32_t s, unsigned direction, struct secret *out);

static inline enum srtp_suite gen_suite(const struct gen *g, unsigned side)
{
	return side ? g->conf.out : g->conf.in;
}

/* gen_media.c: what kind of media a call is, and how its packets look. */
enum gen_media gen_media_of(const struct gen_conf *conf, uint32_t s);
uint32_t gen_clock_hz(enum gen_media media);
uint8_t gen_payload_type(enum gen_media media);
uint32_t gen_ts_step(enum gen_media media); /* from a picture or packet to the next */
uint16_t gen_picture_packets(enum gen_media media, uint32_t call, uint32_t picture);
/* The last packet of a picture has the marker (RFC 6184 section 5.1). */
bool gen_marker(enum gen_media media, const struct gen_packet *p);
uint16_t gen_payload_len(const struct gen *g, enum gen_media media, const struct gen_packet *p);
void gen_payload_make(uint8_t *at, uint16_t n, enum gen_media media, const struct gen_packet *p);
/* What a payload says of itself; false: too short. */
bool gen_payload_read(const uint8_t *at, size_t n, enum gen_media media, struct gen_packet *p);

/* gen_build.c */
/* Begins a frame of call c's peer of that side; what goes into UDP is written to where it says. */
uint8_t *gen_item_begin(struct gen_item *item, const struct gen_session *c, unsigned side);
/* n octets are in UDP. It leaves, by that way, as packet `number` of it, if the conf lets it; -EIO. */
int gen_item_send(struct gen *g, struct gen_way *way, struct gen_item *item, size_t n, uint32_t number);

/* gen_rtcp.c: a call's sender report and, of what was heard, its listener's; -EIO. */
int gen_reports(struct gen *g, uint32_t s);
/* A report that came to the peer of that side. */
void gen_report_judge(struct gen *g, unsigned side, uint32_t s, uint8_t *p, size_t n);
