/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/leaving.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/header_len.h"
#include "dataplane/rewrite.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/be.h"

#define V4_HEADERS (ETHER_LEN + IPV4_LEN + UDP_LEN)
#define V6_HEADERS (ETHER_LEN + IPV6_LEN + UDP_LEN)
/* Where things lie in the frame. */
#define AT_START 12 /* EtherType, and what follows it */
#define V4_AT_LEN 16
#define V4_AT_REST 18 /* identification, fragments, TTL, protocol, checksum */
#define V4_AT_ADDRESSES 26
#define V6_AT_REST 20 /* next header, hop limit */
#define V6_AT_LOCAL 22
#define V6_AT_REMOTE 38
/* And in UDP's header, which begins with the ports. */
#define UDP_AT_LEN 4
#define UDP_AT_SUM 6

/* Identification 0, DF (RFC 6864 section 4.1), TTL, UDP, checksum 0, as they lie in memory. */
#define V4_REST ((uint64_t)0x40 << 16 | (uint64_t)HOP_LIMIT << 32 | (uint64_t)IPPROTO_UDP << 40)
#define V4_REST_SUM (0x40 + (HOP_LIMIT | IPPROTO_UDP << 8)) /* of its words */
#define V6_REST (IPPROTO_UDP | HOP_LIMIT << 8)

/* EtherType; version, header's length and DSCP of IPv4: as they lie in memory. */
static inline uint32_t v4_start(const struct leaving *l)
{
	return 0x00450008u | (uint32_t)l->tos << 24;
}

/* EtherType; version, traffic class, flow label 0 and length of IPv6, likewise. */
static inline uint64_t v6_start(const struct leaving *l, uint16_t udp_len)
{
	uint32_t first = rte_cpu_to_be_32(6u << 28 | (uint32_t)l->tos << 20);

	return 0xdd86 | (uint64_t)first << 16 | (uint64_t)udp_len << 48;
}

void leaving_make(struct leaving *l, const struct path *path, uint8_t dscp, const uint8_t *macs)
{
	uint16_t ports[2] = {rte_cpu_to_be_16(path->local.port), rte_cpu_to_be_16(path->remote.port)};
	uint64_t addresses;

	memcpy(l->macs, macs, sizeof l->macs);
	l->tos = (uint8_t)(dscp << 2);
	memcpy(&l->addresses, path->local.ip.octets, 4);
	memcpy((uint8_t *)&l->addresses + 4, path->remote.ip.octets, 4);
	memcpy(&l->ports, ports, sizeof ports);
	/* What an address of IPv4 does not use is 0. */
	addresses = checksum_add(0, path->local.ip.octets, sizeof path->local.ip.octets);
	addresses = checksum_add(addresses, path->remote.ip.octets, sizeof path->remote.ip.octets);
	l->ip_sum = checksum_fold(addresses + (v4_start(l) >> 16) + V4_REST_SUM);
	l->udp_sum = checksum_fold(addresses + l->ports + rte_cpu_to_be_16(IPPROTO_UDP));
}

void leaving_prepare(struct worker *w, struct leg *leg, const struct neighbour_hop *hop)
{
	const struct path *path = leg_rtp(leg);
	struct leaving *l = leg_leaving(leg);
	uint16_t around;

	if (leg->n_streams != 1 || leg_stream(leg, 0)->limits_extensions || hop->port > UINT8_MAX)
		return;
	around = headers_len(path->local.ip.family) + (l->secure ? leg_tx(leg)->rtp.total : 0);
	if (hop->mtu < around)
		return;
	leaving_make(l, path, leg_departure(leg)->dscp, hop->ether);
	l->room = hop->mtu - around;
	l->port = (uint8_t)hop->port;
	l->version = path->local.ip.family == IP_V4 ? w->hops : w->hops ^ LEAVING_V6;
}

/* What a port wants in the checksum's place that makes it itself: the pseudo-header's sum. */
static inline uint16_t pseudo_sum(const struct leaving *l, uint16_t udp_len)
{
	return checksum_fold((uint64_t)l->udp_sum + ~l->ports + udp_len);
}

static inline uint16_t not_zero(uint16_t sum)
{
	return sum ? sum : 0xffff;
}

/* In network byte order. */
static inline uint16_t udp_len_of(const struct packet *p)
{
	return __builtin_bswap16((uint16_t)(UDP_LEN + p->len));
}

static inline __attribute__((always_inline)) uint16_t udp_checksum(
	const struct leaving *l, const struct packet *p, uint16_t udp_len)
{
	/* The length is in the header and in the pseudo-header. */
	return not_zero(
		(uint16_t)~checksum_fold(checksum_add(l->udp_sum + 2 * (uint64_t)udp_len, p->data, p->len)));
}

static inline __attribute__((always_inline)) uint16_t udp_sum_any(
	const struct leaving *l, const struct packet *p, bool offload)
{
	uint16_t udp_len = udp_len_of(p);

	return offload ? pseudo_sum(l, udp_len) : udp_checksum(l, p, udp_len);
}

/*
 * The same sum of a packet that is p->summed and not sealed, from what it came with (RFC 1624): its
 * addresses, ports and RTP's numbers as they were, and its checksum, are still in front of it and in p->rtp.
 * All else stays as it is, the length too, which goes in and out alike.
 */
static inline uint16_t udp_checksum_renumbered(const struct leaving *l, const struct packet *p)
{
	const uint8_t *udp = p->data - UDP_LEN;
	uint64_t was = checksum_add(rte_cpu_to_be_16(IPPROTO_UDP), udp - 2 * 4, 2 * 4), is = l->udp_sum;
	uint16_t received;

	memcpy(&received, udp + UDP_AT_SUM, sizeof received);
	was = checksum_add(was + received, udp, UDP_AT_LEN);
	was += (uint64_t)rte_cpu_to_be_16(p->rtp.seq) + rte_cpu_to_be_32(p->rtp.ts) +
	       rte_cpu_to_be_32(p->rtp.ssrc);
	is += rte_cpu_to_be_16(be16_get(p->data + 2));
	is = checksum_add(is, p->data + 4, 2 * 4);
	/* A multiple of 0xffff, which is 0 to such sums, and more than any that there is to take off. */
	return not_zero((uint16_t)~checksum_fold(is + (UINT64_C(1) << 48) - 1 - was));
}

/* What the port makes itself is asked of it. */
static inline void offload_ask(struct rte_mbuf *m, uint64_t what, uint8_t l3_len)
{
	m->ol_flags = what;
	m->l2_len = ETHER_LEN;
	m->l3_len = l3_len;
}

static inline void frame_begins(struct rte_mbuf *m, const uint8_t *frame, uint16_t len)
{
	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = len;
	m->pkt_len = len;
}

/* Always inlined: prepared packets have it in their stage (worker.c), with no call. */
static inline __attribute__((always_inline)) int v4_write(
	const struct leaving *l, struct packet *p, bool offload, uint16_t udp_sum)
{
	uint8_t *frame = p->data - V4_HEADERS, *udp = p->data - UDP_LEN;
	uint16_t ip_len = __builtin_bswap16((uint16_t)(IPV4_LEN + UDP_LEN + p->len)), ip_sum;
	uint16_t udp_len = udp_len_of(p);
	uint32_t start = v4_start(l);
	struct rte_mbuf *m = p->m;
	uint64_t rest = V4_REST;

	if (unlikely(frame < (uint8_t *)m->buf_addr))
		return DP_V_TOO_LONG;
	memcpy(frame, l->macs, sizeof l->macs);
	memcpy(frame + AT_START, &start, sizeof start);
	memcpy(frame + V4_AT_LEN, &ip_len, sizeof ip_len);
	memcpy(frame + V4_AT_ADDRESSES, &l->addresses, sizeof l->addresses);
	memcpy(udp, &l->ports, sizeof l->ports);
	memcpy(udp + UDP_AT_LEN, &udp_len, sizeof udp_len);
	m->ol_flags = 0;
	if (offload) {
		offload_ask(
			m, RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM, IPV4_LEN);
	} else {
		ip_sum = (uint16_t)~checksum_fold((uint64_t)l->ip_sum + ip_len);
		rest |= (uint64_t)ip_sum << 48;
	}
	memcpy(udp + UDP_AT_SUM, &udp_sum, sizeof udp_sum);
	memcpy(frame + V4_AT_REST, &rest, sizeof rest);
	frame_begins(m, frame, V4_HEADERS + p->len);
	return PACKET_ON;
}

static int v6_write(const struct leaving *l, const struct path *path, struct packet *p, bool offload)
{
	uint8_t *frame = p->data - V6_HEADERS, *udp = p->data - UDP_LEN;
	uint16_t udp_len = __builtin_bswap16((uint16_t)(UDP_LEN + p->len)), rest = V6_REST, sum;
	uint64_t start = v6_start(l, udp_len);
	struct rte_mbuf *m = p->m;

	if (unlikely(frame < (uint8_t *)m->buf_addr))
		return DP_V_TOO_LONG;
	memcpy(frame, l->macs, sizeof l->macs);
	memcpy(frame + AT_START, &start, sizeof start);
	memcpy(frame + V6_AT_REST, &rest, sizeof rest);
	memcpy(frame + V6_AT_LOCAL, path->local.ip.octets, sizeof path->local.ip.octets);
	memcpy(frame + V6_AT_REMOTE, path->remote.ip.octets, sizeof path->remote.ip.octets);
	memcpy(udp, &l->ports, sizeof l->ports);
	memcpy(udp + UDP_AT_LEN, &udp_len, sizeof udp_len);
	m->ol_flags = 0;
	if (offload) {
		offload_ask(m, RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV6, IPV6_LEN);
		sum = pseudo_sum(l, udp_len);
	} else {
		sum = udp_checksum(l, p, udp_len);
	}
	memcpy(udp + UDP_AT_SUM, &sum, sizeof sum);
	frame_begins(m, frame, V6_HEADERS + p->len);
	return PACKET_ON;
}

ASIDE int leaving_write(const struct leaving *l, const struct path *path, struct packet *p, bool offload)
{
	return path->local.ip.family == IP_V4 ? v4_write(l, p, offload, udp_sum_any(l, p, offload))
					      : v6_write(l, path, p, offload);
}

int leaving_headers_v4(struct worker *w, struct packet *p)
{
	bool offload = w->ports[p->to->leaving.port]->tx_checksums;
	uint16_t udp_sum;

	if (p->summed && !p->sealed && !offload) {
		udp_sum = udp_checksum_renumbered(&p->to->leaving, p);
	} else {
		/* First, so that nothing waits for the call's end in memory. */
		udp_sum = udp_sum_any(&p->to->leaving, p, offload);
		READ_AGAIN(p);
	}
	return v4_write(&p->to->leaving, p, offload, udp_sum);
}

int leaving_headers_v6(struct worker *w, struct packet *p)
{
	const struct leaving *l = &p->to->leaving;

	return v6_write(l, &p->to->path, p, w->ports[l->port]->tx_checksums);
}
