/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP and IPv4 header checksums in software (RFC 768, RFC 791, RFC 8200 section 8.1). Used
 * where a port does not do them (port.h). Frames from virtual interfaces may carry an unfinished checksum,
 * which is the pseudo-header's sum alone, because their sender expected hardware to complete it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#define CHECKSUM_FEW 40 /* octets: two IPv6 addresses and more than an IPv4 header */

enum checksum_state {
	CHECKSUM_OK,
	CHECKSUM_NONE,    /* zero: allowed with IPv4, an error with IPv6 (RFC 8200 section 8.1) */
	CHECKSUM_PARTIAL, /* the pseudo-header's sum: left to hardware that is not there; take it as correct
			   */
	CHECKSUM_BAD,
};

/*
 * A one's complement sum (RFC 1071) of n octets, 64 kB at most, as they lie in memory; not folded yet. By the
 * widest registers that this processor has.
 */
extern uint64_t (*checksum_sum)(const void *p, size_t n);

/* All ways that this processor knows, n of them, the best first; for tests. */
struct checksum_way {
	const char *name;
	uint64_t (*sum)(const void *p, size_t n);
};
const struct checksum_way *checksum_ways(unsigned *n);

/* Adds n octets at p to a sum. A few words of known number need no call. */
static inline __attribute__((always_inline)) uint64_t checksum_add(uint64_t sum, const void *p, size_t n)
{
	uint32_t half; /* two words at a time are the same sum */

	if (!__builtin_constant_p(n) || n > CHECKSUM_FEW || n % sizeof half)
		return sum + checksum_sum(p, n);
	for (size_t i = 0; i < n; i += sizeof half) {
		memcpy(&half, (const uint8_t *)p + i, sizeof half);
		sum += half;
	}
	return sum;
}

_Static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "an odd last octet is the low half of its word");

static inline uint16_t checksum_fold(uint64_t sum)
{
	uint32_t half;

	/* Each addition carries at most once, and the carry into the lower half comes round. */
	sum += sum << 32 | sum >> 32;
	half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

/*
 * Is it 0xffff, folded? Of a sum that is not 0, of any width: then it is a multiple of 0xffff. Times the
 * inverse of 0xffff (modulo 2^64) that is the factor, and of no other number so small: half the instructions
 * of a fold.
 */
static inline bool checksum_is_right(uint64_t sum)
{
	return sum * UINT64_C(0xfffefffefffeffff) <= UINT64_MAX / 0xffff;
}

/* The pseudo-header (RFC 768, RFC 8200 section 8.1): its length is UDP's, so that it is taken from there. */
static inline uint64_t checksum_pseudo(const void *addresses, size_t n, const struct rte_udp_hdr *udp)
{
	return checksum_add(rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)udp->dgram_len, addresses, n);
}

/*
 * Is a received datagram's checksum right, and there? For one right behind the two addresses, `addresses`
 * octets, of its IP header: the sum goes over both at once. The datagram is contiguous and its length was
 * checked: UDP length octets from udp on are readable. false: the functions below say more.
 */
static inline bool checksum_udp_right(const struct rte_udp_hdr *udp, size_t addresses)
{
	uint64_t rest = rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)udp->dgram_len;
	const uint8_t *from = (const uint8_t *)udp - addresses;

	return udp->dgram_cksum != 0 &&
	       checksum_is_right(rest + checksum_sum(from, addresses + rte_be_to_cpu_16(udp->dgram_len)));
}

/* The state of such a datagram's checksum; of IPv4 the header may have options. */
static inline enum checksum_state checksum_udp4_state(
	const struct rte_ipv4_hdr *l3, const struct rte_udp_hdr *udp)
{
	uint64_t pseudo = checksum_pseudo(&l3->src_addr, 8, udp);

	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	if (checksum_is_right(checksum_add(pseudo, udp, rte_be_to_cpu_16(udp->dgram_len))))
		return CHECKSUM_OK;
	return udp->dgram_cksum == checksum_fold(pseudo) ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

/* udp is right behind l3. */
static inline enum checksum_state checksum_udp6_state(
	const struct rte_ipv6_hdr *l3, const struct rte_udp_hdr *udp)
{
	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	if (checksum_udp_right(udp, 2 * 16))
		return CHECKSUM_OK;
	return udp->dgram_cksum == checksum_fold(checksum_pseudo(l3->src_addr, 32, udp)) ? CHECKSUM_PARTIAL
											 : CHECKSUM_BAD;
}
