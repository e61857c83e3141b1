/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses by value, IPv4 and IPv6 in one type that can also cross the planes' socket. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/str.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

/* An address in network byte order; IPv4 uses the first 4 octets, the rest is 0. */
struct ip_addr {
	uint8_t family; /* enum ip_family */
	uint8_t pad[3];
	uint8_t octets[16];
};

/* An address and a UDP or TCP port in host byte order. */
struct ip_port {
	struct ip_addr ip;
	uint16_t port;
	uint16_t pad;
};

#define IP_TEXT_MAX 48      /* an IPv6 address and a NUL */
#define IP_PORT_TEXT_MAX 56 /* "[address]:port" and a NUL */

/* Numeric text only, no names, no brackets, no zone. -EINVAL. */
int ip_parse(struct str text, struct ip_addr *out);
const char *ip_text(const struct ip_addr *ip, char buf[IP_TEXT_MAX]);
const char *ip_port_text(const struct ip_port *a, char buf[IP_PORT_TEXT_MAX]);
bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);

/*
 * Of an IPv4 address as it lies in a packet and a port in host byte order. Three words, as ip_port_equal() reads
 * them; not by way of an array, which would be read wider than it was written just before: such a read waits.
 */
static inline void ip_port_v4(struct ip_port *out, uint32_t ip, uint16_t port)
{
	const uint64_t family_ip = IP_V4 | (uint64_t)ip << 32, none = 0, its_port = (uint64_t)port << 32;
	uint8_t *at = (uint8_t *)out;

	memcpy(at, &family_ip, 8);
	memcpy(at + 8, &none, 8);
	memcpy(at + 16, &its_port, 8);
}

/* The same of an IPv6 address, 16 octets. */
static inline void ip_port_v6(struct ip_port *out, const uint8_t *octets, uint16_t port)
{
	*out = (struct ip_port){.ip.family = IP_V6, .port = port};
	memcpy(out->ip.octets, octets, sizeof out->ip.octets);
}

/* For every packet: no call, no branch. What only fills the structures is not compared. */
static inline __attribute__((always_inline)) bool ip_port_equal(const struct ip_port *a, const struct ip_port *b)
{
	uint64_t x[3], y[3];

	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	return !(((x[0] ^ y[0]) & UINT64_C(0xffffffff000000ff)) | (x[1] ^ y[1]) | (x[2] ^ y[2]) << 16);
}
_Static_assert(sizeof(struct ip_port) == 24 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"three words, in which octets lie from the lowest on");
bool ip_is_unspecified(const struct ip_addr *ip); /* IP_NONE, 0.0.0.0 or :: */

/* To and from the socket API. from_: -EAFNOSUPPORT. to_: the sockaddr's length, 0 for IP_NONE. */
int ip_port_from_sockaddr(const struct sockaddr *sa, struct ip_port *out);
socklen_t ip_port_to_sockaddr(const struct ip_port *a, struct sockaddr_storage *out);
