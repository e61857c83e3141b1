/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/classify.h"

#include <string.h>

#include <rte_ip.h>

#include "dataplane/checksum.h"
#include "dataplane/fetch.h"
#include "dataplane/header_len.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/rtcp_hdr.h"

#define VLAN_LEN 4
#define VLAN_ID 0x0fff
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define PROTO_UDP 17
#define PROTO_FRAGMENT 44
#define IPV4_MF_OR_OFFSET 0x3fff
#define IPV4_OFFSET 0x1fff

/* Words 3 and 5 of a plain frame, as they lie in memory. */
#define PLAIN_START 0x00450008u      /* IPv4: version 4, no options */
#define PLAIN_START_MASK 0x00ffffffu /* any DSCP */
#define PLAIN_REST 0x11000000u       /* no fragment, UDP */
#define PLAIN_REST_MASK 0xff00ff3fu  /* any DF and TTL */
#define PLAIN_L4 (ETHER_LEN + IPV4_LEN)
#define PLAIN_V6_START 0x0060dd86u      /* IPv6 */
#define PLAIN_V6_START_MASK 0x00f0ffffu /* any traffic class */
#define PLAIN_V6_L4 (ETHER_LEN + IPV6_LEN)

static enum frame_class udp_read(const uint8_t *o, size_t end, struct frame *f)
{
	uint16_t length;

	if (end < (size_t)f->l4 + UDP_LEN)
		return FRAME_MALFORMED;
	f->source.port = be16_get(o + f->l4);
	f->destination.port = be16_get(o + f->l4 + 2);
	length = be16_get(o + f->l4 + 4);
	if (length < UDP_LEN || (size_t)f->l4 + length > end)
		return FRAME_MALFORMED;
	f->payload = f->l4 + UDP_LEN;
	f->payload_len = length - UDP_LEN;
	return FRAME_UDP;
}

static enum frame_class ipv4_read(const uint8_t *o, size_t n, struct frame *f)
{
	const uint8_t *ip = o + f->l3;
	size_t header, total;
	uint16_t fragment;

	if (n < (size_t)f->l3 + IPV4_LEN || ip[0] >> 4 != 4 || ip[9] != PROTO_UDP)
		return FRAME_OTHER;
	header = (size_t)(ip[0] & 15) * 4;
	total = be16_get(ip + 2);
	f->source.ip.family = f->destination.ip.family = IP_V4;
	memcpy(f->source.ip.octets, ip + 12, 4);
	memcpy(f->destination.ip.octets, ip + 16, 4);
	if (header < IPV4_LEN || total < header || f->l3 + total > n)
		return FRAME_MALFORMED;
	/* Without options its length is known here, and needs no call. */
	if (!checksum_is_right(
		    header == IPV4_LEN ? checksum_add(0, ip, IPV4_LEN) : checksum_add(0, ip, header)))
		return FRAME_MALFORMED;
	f->l4 = (uint16_t)(f->l3 + header);
	fragment = be16_get(ip + 6);
	if (fragment & IPV4_MF_OR_OFFSET) {
		if (!(fragment & IPV4_OFFSET))
			udp_read(o, f->l3 + total, f);
		return FRAME_FRAGMENT;
	}
	return udp_read(o, f->l3 + total, f);
}

static enum frame_class ipv6_read(const uint8_t *o, size_t n, struct frame *f)
{
	const uint8_t *ip = o + f->l3;
	size_t total;

	if (n < (size_t)f->l3 + IPV6_LEN || ip[0] >> 4 != 6 ||
		(ip[6] != PROTO_UDP && ip[6] != PROTO_FRAGMENT))
		return FRAME_OTHER;
	total = IPV6_LEN + (size_t)be16_get(ip + 4);
	f->source.ip.family = f->destination.ip.family = IP_V6;
	memcpy(f->source.ip.octets, ip + 8, 16);
	memcpy(f->destination.ip.octets, ip + 24, 16);
	if (f->l3 + total > n)
		return FRAME_MALFORMED;
	f->l4 = f->l3 + IPV6_LEN;
	if (ip[6] == PROTO_UDP)
		return udp_read(o, f->l3 + total, f);
	/* RFC 8200 section 4.5: next header, reserved, offset and M, identification; then the fragment. */
	if (total < IPV6_LEN + 8 || o[f->l4] != PROTO_UDP)
		return FRAME_OTHER;
	if (!(be16_get(o + f->l4 + 2) & 0xfff8)) {
		f->l4 += 8;
		udp_read(o, f->l3 + total, f);
	}
	return FRAME_FRAGMENT;
}

static inline uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof word);
	return word;
}

bool classify_plain(const uint8_t *o, size_t n, struct plain_frame *f)
{
	uint16_t total, length;
	uint64_t sum = 0;

	if (n < PLAIN_L4 + UDP_LEN || (word_at(o + 12) & PLAIN_START_MASK) != PLAIN_START ||
		(word_at(o + 20) & PLAIN_REST_MASK) != PLAIN_REST)
		return false;
	for (unsigned i = 0; i < IPV4_LEN; i += 4)
		sum += word_at(o + ETHER_LEN + i);
	total = be16_get(o + ETHER_LEN + 2);
	length = be16_get(o + PLAIN_L4 + 4);
	if (!checksum_is_right(sum) || length < UDP_LEN || (size_t)length + IPV4_LEN > total ||
		(size_t)total + ETHER_LEN > n)
		return false;
	f->source = word_at(o + ETHER_LEN + 12);
	f->destination = word_at(o + ETHER_LEN + 16);
	f->source_port = be16_get(o + PLAIN_L4);
	f->port = be16_get(o + PLAIN_L4 + 2);
	f->payload_len = length - UDP_LEN;
	return true;
}

bool classify_plain_v6(const uint8_t *o, size_t n, struct plain_frame_v6 *f)
{
	const uint8_t *ip = o + ETHER_LEN;
	uint16_t total, length;

	if (n < PLAIN_V6_L4 + UDP_LEN || (word_at(o + 12) & PLAIN_V6_START_MASK) != PLAIN_V6_START ||
		ip[6] != PROTO_UDP)
		return false;
	total = be16_get(ip + 4);
	length = be16_get(o + PLAIN_V6_L4 + 4);
	if (length < UDP_LEN || length > total || (size_t)total + PLAIN_V6_L4 > n)
		return false;
	f->source = ip + 8;
	f->destination = ip + 24;
	f->source_port = be16_get(o + PLAIN_V6_L4);
	f->port = be16_get(o + PLAIN_V6_L4 + 2);
	f->payload_len = length - UDP_LEN;
	return true;
}

enum frame_class classify_frame(const uint8_t *octets, size_t n, struct frame *f)
{
	uint16_t type;

	memset(f, 0, sizeof *f);
	if (n < ETHER_LEN || n > UINT16_MAX)
		return FRAME_OTHER;
	f->l3 = ETHER_LEN;
	type = be16_get(octets + 12);
	if (type == ETHERTYPE_VLAN) {
		if (n < ETHER_LEN + VLAN_LEN)
			return FRAME_OTHER;
		/* Another VLAN's frames are another interface's: the kernel's. 0 is a priority alone. */
		if (be16_get(octets + ETHER_LEN) & VLAN_ID)
			return FRAME_OTHER;
		type = be16_get(octets + ETHER_LEN + 2);
		f->l3 += VLAN_LEN;
	}
	if (type == ETHERTYPE_IPV4)
		return ipv4_read(octets, n, f);
	if (type == ETHERTYPE_IPV6)
		return ipv6_read(octets, n, f);
	return FRAME_OTHER;
}

int classify_payload(const uint8_t *payload, size_t n)
{
	if (n == 0)
		return -1;
	if (payload[0] <= 3)
		return PACKET_STUN;
	if (payload[0] >= 20 && payload[0] <= 63)
		return PACKET_DTLS;
	if (payload[0] >= 128 && payload[0] <= 191)
		return PACKET_RTP;
	return -1;
}

/* checksum_good() of all but plain frames. */
static inline bool checksum_good_any(const struct packet *p)
{
	const struct rte_udp_hdr *udp = (const void *)(p->data - sizeof *udp);
	const uint8_t *l3 = p->data - (p->l4 - p->l3) - sizeof *udp;
	enum checksum_state state;

	state = p->source.ip.family == IP_V4 ? checksum_udp4_state((const void *)l3, udp)
					     : checksum_udp6_state((const void *)l3, udp);
	if (state == CHECKSUM_NONE)
		return p->source.ip.family == IP_V4;
	return state != CHECKSUM_BAD;
}

/* Secure legs need no checksum: the tag proves more. A corrupt address finds no remote. */
static inline bool checksum_good(struct packet *p)
{
	const struct rte_udp_hdr *udp = (const void *)(p->data - sizeof *udp);

	if ((p->m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return true;
	/* Both are read at once. */
	if (likely(p->l3 == ETHER_LEN && p->l4 == ETHER_LEN + IPV4_LEN && checksum_udp_right(udp, 2 * 4))) {
		p->summed = true;
		return true;
	}
	return checksum_good_any(p);
}

/* What is neither RTP nor RTCP. */
static ASIDE int other_media(struct packet *p)
{
	int kind = classify_payload(p->data, p->len);

	if (kind != PACKET_DTLS && kind != PACKET_STUN)
		return DP_V_MALFORMED;
	p->kind = (uint8_t)kind;
	return PACKET_ON;
}

/* RTP, RTCP or what else the leg takes at that port; its header read. */
int classify_media(struct worker *w, struct packet *p)
{
	const struct leg *leg = p->in;
	bool rtcp;

	(void)w;
	if (leg->security == DP_SECURITY_PLAIN) {
		if (unlikely(!checksum_good(p)))
			return DP_V_MALFORMED;
		READ_AGAIN(p);
		leg = p->in;
	}
	rtcp = p->rtcp_port;
	if (unlikely(p->len < RTCP_HDR_LEN || p->data[0] >> 6 != 2))
		return other_media(p);
	if (leg->flags & DP_LEG_RTCP_MUX)
		rtcp |= rtcp_is(p->data, p->len);
	if (unlikely(rtcp)) {
		p->kind = PACKET_RTCP;
		return rtcp_first_ssrc(p->data, p->len, &p->ssrc) < 0 ? DP_V_MALFORMED : PACKET_ON;
	}
	/* Payload types 72 to 76 are nobody's, so that a stray report is not taken for a stream (RFC 3551
	 * section 6). */
	if (rtp_hdr_parse(p->data, p->len, &p->rtp) < 0 || (p->rtp.pt >= 72 && p->rtp.pt <= 76))
		return DP_V_MALFORMED;
	p->ssrc = p->rtp.ssrc;
	return PACKET_ON;
}

/* No leg there: a media port of ours without one, or the kernel's business. */
static ASIDE int no_leg(struct worker *w, struct packet *p, const struct leg_address *a, uint16_t port)
{
	if (a && leg_address_is_media(a, port))
		return DP_V_NO_LEG;
	count(&w->stats.to_kernel, 1);
	rte_pktmbuf_free(p->m);
	return PACKET_TAKEN;
}

/* Where the table says whose it is, once it is known to be for an address of ours. */
static int entry_found(struct packet *p, const struct leg_address *a, uint16_t port)
{
	p->port = port;
	p->entry = &a->legs[port];
	rte_prefetch0((const void *)p->entry);
	return PACKET_ON;
}

static ASIDE int any_packet(struct worker *w, struct packet *p)
{
	struct rte_mbuf *m = p->m;
	const struct leg_address *a;
	struct frame f;

	p->class = (uint8_t)classify_frame(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), &f);
	/* A tag that the port took off is still one. */
	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN) && (m->vlan_tci & VLAN_ID))
		p->class = FRAME_OTHER;
	a = p->class == FRAME_OTHER ? NULL : leg_table_address(w->table, &f.destination.ip);
	if (!a)
		return no_leg(w, p, NULL, 0);
	p->source = f.source;
	p->data = rte_pktmbuf_mtod(m, uint8_t *) + f.payload;
	p->len = f.payload_len;
	p->l3 = f.l3;
	p->l4 = f.l4;
	return entry_found(p, a, f.destination.port);
}

/* Of a plain frame: its datagram's payload. */
static inline void plain_payload(struct packet *p, uint8_t *octets, uint16_t l4, uint16_t len)
{
	p->class = FRAME_UDP;
	p->data = octets + l4 + UDP_LEN;
	p->len = len;
	p->l3 = ETHER_LEN;
	p->l4 = l4;
}

/* A call, so that what those over IPv4 go through stays as small as it is. */
static ASIDE int other_packet(struct worker *w, struct packet *p)
{
	struct rte_mbuf *m = p->m;
	uint8_t *octets = rte_pktmbuf_mtod(m, uint8_t *);
	const struct leg_address *a;
	struct plain_frame_v6 f;

	if (unlikely((m->ol_flags & RTE_MBUF_F_RX_VLAN) ||
		     !classify_plain_v6(octets, rte_pktmbuf_data_len(m), &f)))
		return any_packet(w, p);
	a = leg_table_address_v6(w->table, f.destination);
	if (unlikely(!a))
		return no_leg(w, p, NULL, 0);
	ip_port_v6(&p->source, f.source, f.source_port);
	plain_payload(p, octets, PLAIN_V6_L4, f.payload_len);
	return entry_found(p, a, f.port);
}

int classify_packet(struct worker *w, struct packet *p)
{
	struct rte_mbuf *m = p->m;
	uint8_t *octets = rte_pktmbuf_mtod(m, uint8_t *);
	const struct leg_address *a;
	struct plain_frame f;

	if (unlikely((m->ol_flags & RTE_MBUF_F_RX_VLAN) ||
		     !classify_plain(octets, rte_pktmbuf_data_len(m), &f)))
		return other_packet(w, p);
	a = leg_table_address_v4(w->table, f.destination);
	if (unlikely(!a))
		return no_leg(w, p, NULL, 0);
	ip_port_v4(&p->source, f.source, f.source_port);
	plain_payload(p, octets, PLAIN_L4, f.payload_len);
	return entry_found(p, a, f.port);
}

int classify_leg(struct worker *w, struct packet *p)
{
	leg_entry entry = atomic_load_explicit(p->entry, memory_order_relaxed);

	if (entry == 0)
		return no_leg(w, p, leg_address_of(p->entry, p->port), p->port);
	if (leg_entry_worker(entry) != w->index)
		return worker_hand_over(w, p, leg_entry_worker(entry));
	p->in = worker_leg(w, leg_entry_leg(entry));
	fetch_leg(p->in);
	p->rtcp_port = leg_entry_rtcp(entry);
	if (p->class != FRAME_UDP || p->m->nb_segs != 1)
		return DP_V_MALFORMED;
	count(&w->stats.rx_octets, p->len); /* rx_packets: all of a batch at once */
	return PACKET_ON;
}
