/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP and IPv4 header checksums in software (RFC 768, RFC 791, RFC 8200 section 8.1). Used
 * where a port does not do them (port.h). Frames from virtual interfaces may carry an unfinished checksum, which is
 * the pseudo-header's sum alone, because their sender expected hardware to complete it.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include <emmintrin.h>

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
 * Adds n octets at p to a one's complement sum (RFC 1071) of 16-bit words as they lie in memory. Taken 32
 * bits at a time into 64, which is the same sum: no carry is lost below 2^32 words.
 */
static inline uint64_t checksum_add(uint64_t sum, const void *p, size_t n)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i even = zero, odd = zero;
	const uint8_t *at = p;
	uint64_t lanes[2];
	uint32_t half = 0;
	uint16_t pair = 0;

	for (; n >= 16; at += 16, n -= 16) {
		__m128i words = _mm_loadu_si128((const __m128i *)at);

		even = _mm_add_epi64(even, _mm_unpacklo_epi32(words, zero));
		odd = _mm_add_epi64(odd, _mm_unpackhi_epi32(words, zero));
	}
	_mm_storeu_si128((__m128i *)lanes, _mm_add_epi64(even, odd));
	for (unsigned i = 0; i < n / 4; i++, at += 4) {
		memcpy(&half, at, 4);
		sum += half;
	}
	if (n & 2) {
		memcpy(&pair, at, 2);
		at += 2;
	}
	return sum + lanes[0] + lanes[1] + pair +
	       (n & 1 ? *at : 0); /* little-endian: the octet that is not there is high */
}

/* The same of n words that were written just now: read wider than written, they would have to reach the cache
 * first. */
static inline uint64_t checksum_fresh(uint64_t sum, const void *p, unsigned n)
{
	uint16_t word;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&word, (const uint8_t *)p + (size_t)i * 2, 2);
		sum += word;
	}
	return sum;
}
_Static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "an odd last octet is the low half of its word");

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The pseudo-header (RFC 768, RFC 8200 section 8.1): its length is UDP's, so that it is taken from there. */
static inline uint64_t checksum_pseudo(const void *addresses, size_t n, const struct rte_udp_hdr *udp)
{
	return checksum_add(rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)udp->dgram_len, addresses, n);
}

static inline enum checksum_state checksum_udp_state(uint64_t pseudo, const struct rte_udp_hdr *udp)
{
	if (checksum_fold(checksum_add(pseudo, udp, rte_be_to_cpu_16(udp->dgram_len))) == 0xffff)
		return CHECKSUM_OK;
	return udp->dgram_cksum == checksum_fold(pseudo) ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

/*
 * The state of a received datagram's checksum. The datagram is contiguous and its length was checked: UDP
 * length octets from udp on are readable. l3 is an rte_ipv4_hdr or rte_ipv6_hdr.
 */
static inline enum checksum_state checksum_udp4_state(
	const struct rte_ipv4_hdr *l3, const struct rte_udp_hdr *udp)
{
	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	return checksum_udp_state(checksum_pseudo(&l3->src_addr, 8, udp), udp);
}

static inline enum checksum_state checksum_udp6_state(
	const struct rte_ipv6_hdr *l3, const struct rte_udp_hdr *udp)
{
	if (udp->dgram_cksum == 0)
		return CHECKSUM_NONE;
	return checksum_udp_state(checksum_pseudo(l3->src_addr, 32, udp), udp);
}

/* A sum of 0 is sent as ones: 0 says that there is none (RFC 768). addresses: the sum of both. */
static inline void checksum_udp_write(uint64_t addresses, struct rte_udp_hdr *udp)
{
	uint64_t sum = addresses + rte_cpu_to_be_16(IPPROTO_UDP) + udp->dgram_len;
	uint16_t folded;

	sum = checksum_fresh(sum, udp, 3);
	folded = (uint16_t)~checksum_fold(
		checksum_add(sum, udp + 1, rte_be_to_cpu_16(udp->dgram_len) - sizeof(*udp)));
	udp->dgram_cksum = folded ? folded : 0xffff;
}

/*
 * Completes the headers of a datagram to send: total, payload and dgram lengths are set already, the checksum
 * fields are overwritten. IPv4: header without options.
 */
static inline void checksum_udp4_write(struct rte_ipv4_hdr *l3, struct rte_udp_hdr *udp)
{
	uint64_t addresses = checksum_fresh(0, &l3->src_addr, 4);

	/* The five words before the checksum. */
	l3->hdr_checksum = (uint16_t)~checksum_fold(checksum_fresh(addresses, l3, 5));
	checksum_udp_write(addresses, udp);
}

static inline void checksum_udp6_write(struct rte_ipv6_hdr *l3, struct rte_udp_hdr *udp)
{
	checksum_udp_write(checksum_fresh(0, l3->src_addr, 16), udp);
}
