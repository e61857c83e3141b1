/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sockets for one UDP address, and the kernel tells by a datagram's source which one it waits in: a flood
 * of strangers fills their own. The program that tells (classic BPF, which needs no privilege) is made here,
 * of prefixes. Pure.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "lib/base/netaddr.h"

/* Addresses whose first `bits` bits are those of ip. */
struct sip_prefix {
	struct ip_addr ip;
	uint8_t bits;
};

#define STEER_INSNS BPF_MAXINSNS

/*
 * For a group of sockets of one family (SO_ATTACH_REUSEPORT_CBPF): 0, the first socket, for datagrams from
 * any of the prefixes, 1 for others. Prefixes of the other family are left out. How many instructions;
 * -E2BIG: there are too many prefixes (some 1,000 separate ones of IPv4, 300 of IPv6); -ENOMEM.
 */
int steer_program(
	uint8_t family, const struct sip_prefix *known, size_t n, struct sock_filter out[STEER_INSNS]);
