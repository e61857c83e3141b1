/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP and IPv4 header checksums in software (RFC 768, RFC 791, RFC 8200 section 8.1). No port of ours
 * offloads them, and none verifies: frames from virtual interfaces may carry an unfinished checksum, which is
 * the pseudo-header's sum alone, because their sender expected hardware to complete it.
 */
#pragma once

#include <stdint.h>

#include <rte_ip.h>
#include <rte_udp.h>

enum checksum_state {
	CHECKSUM_OK,
	CHECKSUM_NONE,    /* zero: allowed with IPv4, an error with IPv6 (RFC 8200 section 8.1) */
	CHECKSUM_PARTIAL, /* the pseudo-header's sum: left to hardware that is not there; take it as correct
			   */
	CHECKSUM_BAD,
};

/*
 * The state of a received datagram's checksum. The datagram is contiguous and its length was checked: UDP
 * length octets from udp on are readable. l3 is an rte_ipv4_hdr or rte_ipv6_hdr.
 */
static inline enum checksum_state checksum_udp4_state(
	const struct rte_ipv4_hdr *l3, const struct rte_udp_hdr *udp)
{
	uint32_t sum;
	uint16_t len = rte_be_to_cpu_16(udp->dgram_len), phdr;

	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	/* RFC 768: the length in the pseudo-header is UDP's, so it is summed here and not taken from IP. */
	sum = rte_raw_cksum(&l3->src_addr, 8) + rte_cpu_to_be_16(IPPROTO_UDP) + rte_cpu_to_be_16(len);
	sum = (sum & 0xffff) + (sum >> 16);
	phdr = (uint16_t)((sum & 0xffff) + (sum >> 16));
	sum = (uint32_t)rte_raw_cksum(udp, len) + phdr;
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum == 0xffff)
		return CHECKSUM_OK;
	return udp->dgram_cksum == phdr ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

static inline enum checksum_state checksum_udp6_state(
	const struct rte_ipv6_hdr *l3, const struct rte_udp_hdr *udp)
{
	uint32_t sum;
	uint16_t len = rte_be_to_cpu_16(udp->dgram_len), phdr;

	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	sum = rte_raw_cksum(l3->src_addr, 32) + rte_cpu_to_be_16(IPPROTO_UDP) + rte_cpu_to_be_16(len);
	sum = (sum & 0xffff) + (sum >> 16);
	phdr = (uint16_t)((sum & 0xffff) + (sum >> 16));
	sum = (uint32_t)rte_raw_cksum(udp, len) + phdr;
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum == 0xffff)
		return CHECKSUM_OK;
	return udp->dgram_cksum == phdr ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

/*
 * Completes the headers of a datagram to send: total, payload and dgram lengths are set already, the checksum
 * fields are overwritten. IPv4: header without options.
 */
static inline void checksum_udp4_write(struct rte_ipv4_hdr *l3, struct rte_udp_hdr *udp)
{
	l3->hdr_checksum = 0;
	l3->hdr_checksum = rte_ipv4_cksum(l3);
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(l3, udp);
}

static inline void checksum_udp6_write(const struct rte_ipv6_hdr *l3, struct rte_udp_hdr *udp)
{
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv6_udptcp_cksum(l3, udp);
}
