/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of Ethernet, IPv4 or IPv6 (by the addresses), and UDP, with checksums as any sender fills them: the
 * gateway must not need offloads to see them. No options, no extension headers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

#define FRAME_ETHER 14
#define FRAME_HEADERS_V4 (FRAME_ETHER + 20 + 8)
#define FRAME_HEADERS_V6 (FRAME_ETHER + 40 + 8)
#define FRAME_HEADERS_MAX FRAME_HEADERS_V6

/* The generator's own link-layer address, 02:00:00:00:10:01. */
extern const uint8_t frame_own_mac[6];

/* All headers but lengths and checksums, from frame_own_mac; both ends are of one family. How many octets. */
size_t frame_headers(
	uint8_t *frame, const struct ip_port *from, const struct ip_port *to, const uint8_t mac[6]);

/* Octets of the headers that a frame begins with; 0: it is not UDP over IPv4 or IPv6. */
size_t frame_headers_len(const uint8_t *frame, size_t n);

/* Lengths and checksums of a frame with n octets in UDP. How many octets it has. */
size_t frame_finish(uint8_t *frame, size_t n);

/* Another source, of the same family: the last four octets are number's. Behind it comes frame_finish(). */
void frame_stranger(uint8_t *frame, uint32_t number);

/* What is in a frame; data points into it. */
struct frame_udp {
	struct ip_port from, to;
	uint8_t *data;
	size_t n;
};

/* False: no UDP, lengths that are not the frame's, or a wrong checksum. IPv6 must have one (RFC 8200
 * section 8.1), and the gateway makes one in IPv4, too. */
bool frame_read(uint8_t *frame, size_t n, struct frame_udp *out);
