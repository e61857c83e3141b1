/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one leg to its twin: where the packet goes, its numbers in RTP and RTCP (lib/srtp/renumber.h), and the
 * headers in front of it.
 */
#pragma once

#define HOP_LIMIT 64 /* of what leaves: IPv4's TTL, too */

struct worker;
struct packet;

/* Stage: finds the twin and the next hop; all that can keep the packet from being sent. */
int rewrite_route(struct worker *w, struct packet *p);

/* Stage: gives the clear packet its outgoing numbers. They are used up with it. */
int rewrite_numbers(struct worker *w, struct packet *p);

/* The next hop of packet_out(p): sets tx_port and ether, or `waits`. PACKET_ON or the verdict. */
int rewrite_hop(struct worker *w, struct packet *p);

/* Stage: UDP, IP and link-layer headers in front of the datagram at p->data; checksums right for both
 * families. */
int rewrite_headers(struct worker *w, struct packet *p);
/* The same of one that nothing is prepared for. */
int rewrite_headers_any(struct worker *w, struct packet *p);

/* The link-layer header of a frame that waited for it. */
void rewrite_ether(struct packet *p);
