/* SPDX-License-Identifier: Apache-2.0 */
/* Octets of the headers in front of media: Ethernet without a tag, IPv4 without options, IPv6, UDP. */
#pragma once

#define ETHER_LEN 14
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8
