/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lifts media out of the kernel: UDP to a configured address and port goes to the AF_XDP socket of its
 * receive queue, everything else (ARP, ND, TCP, SIP, fragments, IPv6 extension headers, VLAN tags) to the
 * kernel's stack. Where no socket is bound the datagram is dropped: a data plane that restarts must not let
 * the kernel answer "port unreachable" to its peers.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/xdp/media.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, XDP_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XDP_ADDRESSES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* 8 KB each: pay for what is configured */
	__type(key, struct xdp_address);
	__type(value, struct xdp_ports);
} srtpgw_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XDP_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} srtpgw_count SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&srtpgw_count, &which);

	if (n)
		(*n)++;
}

static __always_inline int pass(void)
{
	count(XDP_COUNT_PASSED);
	return XDP_PASS;
}

/* A fragment has no UDP header to look at, or not all of its datagram: the kernel may put it together. */
static __always_inline int pass_fragment(const struct xdp_address *to)
{
	if (bpf_map_lookup_elem(&srtpgw_ports, to))
		count(XDP_COUNT_FRAGMENT);
	return pass();
}

static __always_inline int port_verdict(struct xdp_md *ctx, const struct xdp_address *to, __u16 port)
{
	const struct xdp_ports *ports = bpf_map_lookup_elem(&srtpgw_ports, to);

	if (!ports)
		return pass();
	if (!(ports->bits[port / 64] >> (port % 64) & 1))
		return pass();
	count(XDP_COUNT_MEDIA);
	return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP);
}

static __always_inline int udp_verdict(
	struct xdp_md *ctx, const struct xdp_address *to, const struct udphdr *udp)
{
	if ((const void *)(udp + 1) > (const void *)(long)ctx->data_end)
		return pass();
	return port_verdict(ctx, to, bpf_ntohs(udp->dest));
}

/* IPv4 with options. To add what a packet says to its own address takes CAP_PERFMON, to add a constant does
 * not. */
static __always_inline int with_options(
	struct xdp_md *ctx, const struct xdp_address *to, const struct iphdr *ip, __u32 words)
{
	const void *end = (const void *)(long)ctx->data_end;
	__u16 port = 0;

#pragma unroll
	for (__u32 n = 6; n <= 15; n++) {
		const struct udphdr *udp = (const void *)ip + n * 4;

		barrier_var(udp); /* or the compiler makes the sum of all of them that is not allowed */
		if (words != n)
			continue;
		if ((const void *)(udp + 1) > end)
			return pass();
		port = bpf_ntohs(udp->dest);
	}
	return port_verdict(ctx, to, port);
}

static __always_inline int ipv4_verdict(struct xdp_md *ctx, const struct iphdr *ip)
{
	struct xdp_address to;

	if ((const void *)(ip + 1) > (const void *)(long)ctx->data_end || ip->version != 4 || ip->ihl < 5)
		return pass();
	to.words[0] = 0;
	to.words[1] = 0;
	to.words[2] = bpf_htonl(0xffff);
	to.words[3] = ip->daddr;
	if (ip->protocol != IPPROTO_UDP)
		return pass();
	if (ip->frag_off & bpf_htons(0x3fff)) /* MF and offset */
		return pass_fragment(&to);
	if (ip->ihl > 5)
		return with_options(ctx, &to, ip, ip->ihl);
	return udp_verdict(ctx, &to, (const void *)(ip + 1));
}

static __always_inline int ipv6_verdict(struct xdp_md *ctx, const struct ipv6hdr *ip)
{
	struct xdp_address to;

	if ((const void *)(ip + 1) > (const void *)(long)ctx->data_end || ip->version != 6)
		return pass();
	__builtin_memcpy(&to, &ip->daddr, sizeof(to));
	if (ip->nexthdr == IPPROTO_FRAGMENT)
		return pass_fragment(&to);
	if (ip->nexthdr != IPPROTO_UDP)
		return pass();
	return udp_verdict(ctx, &to, (const void *)(ip + 1));
}

SEC("xdp")
int srtpgw_media(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const struct ethhdr *eth = data;
	const void *l3 = eth + 1;
	__be16 type;

	if (l3 > end)
		return pass();
	type = eth->h_proto;
	if (type == bpf_htons(ETH_P_IP))
		return ipv4_verdict(ctx, l3);
	if (type == bpf_htons(ETH_P_IPV6))
		return ipv6_verdict(ctx, l3);
	return pass();
}

char LICENSE[] SEC("license") = "Apache-2.0";
