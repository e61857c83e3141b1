/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/leaving.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/header_len.h"
#include "dataplane/rewrite.h"
#include "dataplane/worker_private.h"

#define HEADERS (ETHER_LEN + IPV4_LEN + UDP_LEN)
/* Where things lie in the frame. */
#define AT_START 12
#define AT_IP_LEN 16
#define AT_IP_REST 18 /* identification, fragments, TTL, protocol, checksum */
#define AT_ADDRESSES 26
#define AT_PORTS 34
#define AT_UDP_LEN 38
#define AT_UDP_SUM 40

/* Identification 0, DF (RFC 6864 section 4.1), TTL, UDP, checksum 0, as they lie in memory. */
#define IP_REST ((uint64_t)0x40 << 16 | (uint64_t)HOP_LIMIT << 32 | (uint64_t)IPPROTO_UDP << 40)
#define IP_REST_SUM (0x40 + (HOP_LIMIT | IPPROTO_UDP << 8)) /* of its words */

/* EtherType; version, header's length and DSCP of IPv4: as they lie in memory. */
static inline uint32_t start_of(const struct leaving *l)
{
	return 0x00450008u | (uint32_t)l->tos << 24;
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
	addresses = checksum_add(0, &l->addresses, sizeof l->addresses);
	l->ip_sum = checksum_fold(addresses + (start_of(l) >> 16) + IP_REST_SUM);
	l->udp_sum = checksum_fold(addresses + l->ports + rte_cpu_to_be_16(IPPROTO_UDP));
}

void leaving_prepare(struct worker *w, struct leg *leg, const struct neighbour_hop *hop)
{
	const struct path *path = leg_rtp(leg);
	struct leaving *l = leg_leaving(leg);
	uint16_t trailer;

	if (path->local.ip.family != IP_V4 || leg->n_streams != 1 || leg_stream(leg, 0)->limits_extensions ||
		hop->port > UINT8_MAX)
		return;
	trailer = l->secure ? leg_tx(leg)->rtp.total : 0;
	if (hop->mtu < IPV4_LEN + UDP_LEN + trailer)
		return;
	leaving_make(l, path, leg_departure(leg)->dscp, hop->ether);
	l->room = hop->mtu - IPV4_LEN - UDP_LEN - trailer;
	l->port = (uint8_t)hop->port;
	l->version = w->hops;
}

/* What the port makes itself is asked of it; it wants the pseudo-header's sum. */
static inline __attribute__((always_inline)) void offload_ask(
	struct packet *p, const struct leaving *l, uint16_t udp_len, uint8_t *frame)
{
	uint16_t sum = checksum_fold(checksum_add(0, &l->addresses, sizeof l->addresses) +
				     rte_cpu_to_be_16(IPPROTO_UDP) + udp_len);

	memcpy(frame + AT_UDP_SUM, &sum, sizeof sum);
	p->m->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	p->m->l2_len = ETHER_LEN;
	p->m->l3_len = IPV4_LEN;
}

static inline uint16_t not_zero(uint16_t sum)
{
	return sum ? sum : 0xffff;
}

/* Always inlined: prepared packets have it in their stage (worker.c), with no call. */
static inline __attribute__((always_inline)) int headers_write(
	const struct leaving *l, struct packet *p, bool offload)
{
	uint8_t *frame = p->data - HEADERS;
	uint16_t udp_len = rte_cpu_to_be_16((uint16_t)(UDP_LEN + p->len));
	uint16_t ip_len = rte_cpu_to_be_16((uint16_t)(IPV4_LEN + UDP_LEN + p->len)), sum;
	struct rte_mbuf *m = p->m;
	uint64_t rest = IP_REST;
	uint32_t start = start_of(l);

	if (unlikely(frame < (uint8_t *)m->buf_addr))
		return DP_V_TOO_LONG;
	memcpy(frame, l->macs, sizeof l->macs);
	memcpy(frame + AT_START, &start, sizeof start);
	memcpy(frame + AT_IP_LEN, &ip_len, sizeof ip_len);
	memcpy(frame + AT_ADDRESSES, &l->addresses, sizeof l->addresses);
	memcpy(frame + AT_PORTS, &l->ports, sizeof l->ports);
	memcpy(frame + AT_UDP_LEN, &udp_len, sizeof udp_len);
	m->ol_flags = 0;
	if (offload) {
		offload_ask(p, l, udp_len, frame);
	} else {
		sum = (uint16_t)~checksum_fold((uint64_t)l->ip_sum + ip_len);
		rest |= (uint64_t)sum << 48;
		/* The length is in the header and in the pseudo-header. */
		sum = (uint16_t)~checksum_fold(
			checksum_add(l->udp_sum + 2 * (uint64_t)udp_len, p->data, p->len));
		sum = not_zero(sum);
		memcpy(frame + AT_UDP_SUM, &sum, sizeof sum);
	}
	memcpy(frame + AT_IP_REST, &rest, sizeof rest);
	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = HEADERS + p->len;
	m->pkt_len = m->data_len;
	return PACKET_ON;
}

ASIDE int leaving_write(const struct leaving *l, struct packet *p, bool offload)
{
	return headers_write(l, p, offload);
}

int leaving_headers(struct worker *w, struct packet *p)
{
	const struct leaving *l = &p->to->leaving;

	return headers_write(l, p, w->ports[l->port]->tx_checksums);
}
