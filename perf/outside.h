/* SPDX-License-Identifier: Apache-2.0 */
/* For programs that play hosts outside: addresses on their command lines, time, and chance. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

/* Addresses of IPv4, in host byte order. */
struct outside_net {
	uint32_t base, mask;
};

/* IP, or IP/BITS. */
bool outside_net_read(const char *text, struct outside_net *out);
/* IP:PORT, or IP with the usual port. */
bool outside_port_read(const char *text, uint16_t usual, struct ip_port *out);

double outside_now_s(void); /* of a clock that never jumps */

/* Where outside_draw() begins: elsewhere each time. */
uint64_t outside_random(void);
uint32_t outside_draw(uint64_t *random);
/* An address of the net. */
uint32_t outside_host(const struct outside_net *net, uint64_t *random);
