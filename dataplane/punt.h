/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams that the control plane handles: DTLS and STUN on legs that ask for it (RFC 7983). */
#pragma once

struct worker;
struct packet;
struct command;

#define PUNTS_PER_SECOND                                                                                     \
	100 /* and leg, from the remote and from others each; a DTLS handshake with its retransmissions      \
	       needs a tenth */

/* Stage: takes DTLS and STUN out of the flow. Media passes. */
int punt_packet(struct worker *w, struct packet *p);

/* DP_PUNT_TX: sends a datagram from a leg's RTP port to where the command says. */
int punt_send(struct worker *w, struct command *c);
