/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame is, by its headers alone: Ethernet (an 802.1Q tag with a priority alone at most), IPv4 or IPv6
 * without extension headers, UDP; then the first octets of the datagram (RFC 7983). Pure: bounds are checked
 * here and nowhere later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "lib/base/netaddr.h"

struct worker;
struct packet;

enum frame_class {
	FRAME_OTHER,     /* no UDP over IP: the kernel's */
	FRAME_UDP,       /* an UDP datagram, whole and consistent */
	FRAME_FRAGMENT,  /* of UDP; with the ports when it is the first one, else they are 0 */
	FRAME_MALFORMED, /* UDP whose lengths or header checksum do not fit */
};

struct frame {
	uint16_t l3, l4;      /* offsets of the IP and UDP headers */
	uint16_t payload;     /* offset of the UDP payload */
	uint16_t payload_len; /* octets */
	struct ip_port source, destination;
};

/* The usual frame: IPv4 without options, no fragment, no tag, UDP, whole and consistent. */
struct plain_frame {
	uint32_t source, destination; /* as they lie in the frame */
	uint16_t source_port, port;
	uint16_t payload_len; /* octets; the payload begins at 42 */
};

/* The same over IPv6: no extension header. */
struct plain_frame_v6 {
	const uint8_t *source, *destination; /* 16 octets each, in the frame */
	uint16_t source_port, port;
	uint16_t payload_len; /* octets; the payload begins at 62 */
};

/* Is it one? Fills *f then; else classify_frame() says what it is. */
bool classify_plain(const uint8_t *octets, size_t n, struct plain_frame *f);
bool classify_plain_v6(const uint8_t *octets, size_t n, struct plain_frame_v6 *f);

/* n contiguous octets of frame. Fills *f as far as the class says. */
enum frame_class classify_frame(const uint8_t *octets, size_t n, struct frame *f);

/* enum packet_kind by RFC 7983 section 7, or -1. n octets of payload. RTP stands for RTP and RTCP. */
int classify_payload(const uint8_t *payload, size_t n);

/* Stage: headers; where the table says whose the packet is, fetched. */
int classify_packet(struct worker *w, struct packet *p);

/* Stage: finds the leg and fetches it, or hands over to another worker. */
int classify_leg(struct worker *w, struct packet *p);

/* Stage: what the datagram is on that leg; the RTP or RTCP header is read. */
int classify_media(struct worker *w, struct packet *p);
