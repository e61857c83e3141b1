/* SPDX-License-Identifier: Apache-2.0 */
/* Octets of the headers in front of media: Ethernet without a tag, IPv4 without options, IPv6, UDP. */
#pragma once

#include <stdint.h>

#include "lib/base/netaddr.h"

#define ETHER_LEN 14
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8

/* IP's and UDP's, over an enum ip_family. */
static inline uint16_t headers_len(uint8_t family)
{
	return (family == IP_V4 ? IPV4_LEN : IPV6_LEN) + UDP_LEN;
}
