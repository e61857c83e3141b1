/* SPDX-License-Identifier: Apache-2.0 */
/* What the XDP program and its loader share: map names, keys and values. Both compile it. */
#pragma once

#include <linux/types.h>

#define XDP_PROGRAM_NAME "srtpgw_media" /* a program of this name on an interface is ours */
#define XDP_MAP_SOCKETS "xsks_map"      /* name demanded by DPDK's net_af_xdp */
#define XDP_MAP_MEDIA "srtpgw_ports"
#define XDP_MAP_COUNTERS "srtpgw_count"

#define XDP_QUEUES_MAX 64
#define XDP_ADDRESSES_MAX 1024

/* Key of XDP_MAP_MEDIA, a hash: an IPv6 address, or an IPv4 address mapped into one (::ffff:a.b.c.d). */
struct xdp_address {
	__be32 words[4];
};

/*
 * Value: one bit per UDP port, set where it is media. 8 KB an address buys one load per packet however many
 * ranges there are, and an update replaces all ranges of an address at once (a hash element is swapped
 * whole).
 */
struct xdp_ports {
	__u64 bits[65536 / 64];
};

/* Index into XDP_MAP_COUNTERS, a per-CPU array of __u64. */
enum xdp_counter {
	XDP_COUNT_MEDIA,    /* lifted to the data plane, or dropped because no socket is there */
	XDP_COUNT_PASSED,   /* left to the kernel */
	XDP_COUNT_FRAGMENT, /* among XDP_COUNT_PASSED: a fragment to a media address */
	XDP_COUNTERS,
};
