/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_frame.h"

#include <string.h>

#include <netinet/in.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "lib/srtp/be.h"

#define ETHERTYPE_V4 0x0800
#define ETHERTYPE_V6 0x86dd
#define HOPS 64
#define STRANGERS_V4 0xc6120000u /* 198.18.0.0/15, of which the last 17 bits are theirs */
#define STRANGERS_V4_BITS 0x1ffffu

const uint8_t frame_own_mac[6] = {0x02, 0, 0, 0, 0x10, 0x01};
static const uint8_t strangers_v6[12] = {0x20, 0x01, 0x00, 0x02}; /* 2001:2::/48, RFC 5180 */

static void ipv4_headers(uint8_t *ip, const struct ip_port *from, const struct ip_port *to)
{
	ip[0] = 0x45;
	ip[6] = 0x40; /* don't fragment */
	ip[8] = HOPS;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, from->ip.octets, 4);
	memcpy(ip + 16, to->ip.octets, 4);
}

static void ipv6_headers(uint8_t *ip, const struct ip_port *from, const struct ip_port *to)
{
	ip[0] = 0x60;
	ip[6] = IPPROTO_UDP;
	ip[7] = HOPS;
	memcpy(ip + 8, from->ip.octets, 16);
	memcpy(ip + 24, to->ip.octets, 16);
}

size_t frame_headers(
	uint8_t *frame, const struct ip_port *from, const struct ip_port *to, const uint8_t mac[6])
{
	bool v6 = from->ip.family == IP_V6;
	size_t n = v6 ? FRAME_HEADERS_V6 : FRAME_HEADERS_V4;
	uint8_t *udp = frame + n - 8;

	memset(frame, 0, n);
	memcpy(frame, mac, 6);
	memcpy(frame + 6, frame_own_mac, 6);
	be16_put(frame + 12, v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
	(v6 ? ipv6_headers : ipv4_headers)(frame + FRAME_ETHER, from, to);
	be16_put(udp, from->port);
	be16_put(udp + 2, to->port);
	return n;
}

size_t frame_headers_len(const uint8_t *frame, size_t n)
{
	const uint8_t *ip = frame + FRAME_ETHER;

	if (n >= FRAME_HEADERS_V4 && be16_get(frame + 12) == ETHERTYPE_V4 && ip[0] == 0x45 &&
		ip[9] == IPPROTO_UDP)
		return FRAME_HEADERS_V4;
	if (n >= FRAME_HEADERS_V6 && be16_get(frame + 12) == ETHERTYPE_V6 && ip[0] >> 4 == 6 &&
		ip[6] == IPPROTO_UDP)
		return FRAME_HEADERS_V6;
	return 0;
}

/* The checksum that UDP must have; its field is 0 meanwhile. */
static rte_be16_t udp_checksum(const uint8_t *ip, struct rte_udp_hdr *udp)
{
	udp->dgram_cksum = 0;
	return ip[0] >> 4 == 6 ? rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)ip, udp)
			       : rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)ip, udp);
}

size_t frame_finish(uint8_t *frame, size_t n)
{
	uint8_t *ip = frame + FRAME_ETHER;
	bool v6 = ip[0] >> 4 == 6;
	size_t headers = v6 ? FRAME_HEADERS_V6 : FRAME_HEADERS_V4;
	struct rte_udp_hdr *udp = (void *)(frame + headers - 8);

	if (v6) {
		be16_put(ip + 4, (uint16_t)(8 + n));
	} else {
		struct rte_ipv4_hdr *v4 = (void *)ip;

		be16_put(ip + 2, (uint16_t)(28 + n));
		v4->hdr_checksum = 0;
		v4->hdr_checksum = rte_ipv4_cksum(v4);
	}
	be16_put((uint8_t *)udp + 4, (uint16_t)(8 + n));
	udp->dgram_cksum = udp_checksum(ip, udp);
	return headers + n;
}

void frame_stranger(uint8_t *frame, uint32_t number)
{
	uint8_t *ip = frame + FRAME_ETHER;

	if (ip[0] >> 4 == 6) {
		memcpy(ip + 8, strangers_v6, sizeof(strangers_v6));
		be32_put(ip + 20, number);
	} else {
		be32_put(ip + 12, STRANGERS_V4 + (number & STRANGERS_V4_BITS));
	}
}

/* A sound header of IPv4 sums to ones, its own checksum included; over UDP it is made again and compared. */
static bool checksums_sound(const uint8_t *ip, uint8_t *at)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)at;
	rte_be16_t said = udp->dgram_cksum, made = udp_checksum(ip, udp);

	udp->dgram_cksum = said;
	return said == made && (ip[0] >> 4 == 6 || rte_raw_cksum(ip, 20) == 0xffff);
}

bool frame_read(uint8_t *frame, size_t n, struct frame_udp *out)
{
	size_t headers = frame_headers_len(frame, n), octets;
	uint8_t *ip = frame + FRAME_ETHER, *udp = frame + headers - 8;
	bool v6 = headers == FRAME_HEADERS_V6;

	if (!headers)
		return false;
	octets = be16_get(udp + 4);
	if (octets < 8 || n != headers - 8 + octets ||
		(v6 ? be16_get(ip + 4) != octets : be16_get(ip + 2) != 20 + octets))
		return false;
	*out = (struct frame_udp){.data = udp + 8, .n = octets - 8};
	out->from.ip.family = out->to.ip.family = v6 ? IP_V6 : IP_V4;
	memcpy(out->from.ip.octets, ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(out->to.ip.octets, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	out->from.port = be16_get(udp);
	out->to.port = be16_get(udp + 2);
	return checksums_sound(ip, udp);
}
