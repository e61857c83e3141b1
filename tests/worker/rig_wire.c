/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as a peer builds and judges them. */
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/inet_sum.h"
#include "tests/worker/rig.h"

static uint16_t udp_sum(const struct ip_port *a, const struct ip_port *b, const uint8_t *udp, size_t n)
{
	size_t octets = a->ip.family == IP_V4 ? 4 : 16;
	uint32_t addresses = inet_sum(inet_sum(0, a->ip.octets, octets), b->ip.octets, octets);

	return inet_sum(addresses + 17 + (uint32_t)n, udp, n);
}

static size_t frame_build(
	uint8_t *f, const struct ip_port *from, const struct ip_port *to, const void *octets, size_t n)
{
	bool v4 = from->ip.family == IP_V4;
	uint8_t *ip = f + 14, *udp = ip + (v4 ? 20 : 40);

	memset(f, 0, 14 + 40 + 8);
	memcpy(f, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x63", 12);
	be16_put(f + 12, v4 ? 0x0800 : 0x86dd);
	be16_put(udp, from->port);
	be16_put(udp + 2, to->port);
	be16_put(udp + 4, (uint16_t)(8 + n));
	memcpy(udp + 8, octets, n);
	uint16_t check = (uint16_t)~udp_sum(from, to, udp, 8 + n);

	be16_put(udp + 6, check ? check : 0xffff);
	if (v4) {
		ip[0] = 0x45;
		be16_put(ip + 2, (uint16_t)(28 + n));
		ip[8] = 60;
		ip[9] = 17;
		memcpy(ip + 12, from->ip.octets, 4);
		memcpy(ip + 16, to->ip.octets, 4);
		be16_put(ip + 10, (uint16_t)~inet_sum(0, ip, 20));
	} else {
		ip[0] = 0x60;
		be16_put(ip + 4, (uint16_t)(8 + n));
		ip[6] = 17;
		ip[7] = 60;
		memcpy(ip + 8, from->ip.octets, 16);
		memcpy(ip + 24, to->ip.octets, 16);
	}
	return (size_t)(udp - f) + 8 + n;
}

static void frame_in(struct rig *r, unsigned q, const void *frame, size_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame, n);
	assert_int_equal(rte_ring_enqueue(r->rx[q], m), 0);
}

void rig_send_at(
	struct rig *r, unsigned q, struct ip_port from, struct ip_port to, const void *octets, size_t n)
{
	uint8_t f[2048];

	frame_in(r, q, f, frame_build(f, &from, &to, octets, n));
}

void rig_send(struct rig *r, struct ip_port from, struct ip_port to, const void *octets, size_t n)
{
	rig_send_at(r, 0, from, to, octets, n);
}

void rig_send_frame(struct rig *r, const void *frame, size_t n)
{
	frame_in(r, 0, frame, n);
}

static void judge_ipv4(const uint8_t *ip, size_t n, struct datagram *d)
{
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(be16_get(ip + 2), n);
	assert_int_equal(inet_sum(0, ip, 20), 0xffff);
	assert_int_equal(ip[9], 17);
	d->ttl = ip[8];
	d->dscp = ip[1] >> 2;
	d->source.ip.family = d->destination.ip.family = IP_V4;
	memcpy(d->source.ip.octets, ip + 12, 4);
	memcpy(d->destination.ip.octets, ip + 16, 4);
}

static void judge_ipv6(const uint8_t *ip, size_t n, struct datagram *d)
{
	assert_int_equal(ip[0] >> 4, 6);
	assert_int_equal(be16_get(ip + 4) + 40, n);
	assert_int_equal(ip[6], 17);
	d->ttl = ip[7];
	d->dscp = (uint8_t)(be16_get(ip) >> 6 & 63);
	d->source.ip.family = d->destination.ip.family = IP_V6;
	memcpy(d->source.ip.octets, ip + 8, 16);
	memcpy(d->destination.ip.octets, ip + 24, 16);
}

static void judge(const uint8_t *f, size_t n, struct datagram *d)
{
	bool v4 = be16_get(f + 12) == 0x0800;
	const uint8_t *ip = f + 14, *udp = ip + (v4 ? 20 : 40);
	size_t udp_len = n - (size_t)(udp - f);

	memset(d, 0, sizeof *d);
	assert_memory_equal(f, rig_next_hop, sizeof rig_next_hop);
	if (v4)
		judge_ipv4(ip, n - 14, d);
	else
		judge_ipv6(ip, n - 14, d);
	d->source.port = be16_get(udp);
	d->destination.port = be16_get(udp + 2);
	assert_int_equal(be16_get(udp + 4), udp_len);
	assert_int_not_equal(be16_get(udp + 6), 0);
	assert_int_equal(udp_sum(&d->source, &d->destination, udp, udp_len), 0xffff);
	d->n = udp_len - 8;
	memcpy(d->octets, udp + 8, d->n);
}

bool rig_receive(struct rig *r, struct datagram *d)
{
	for (unsigned q = 0; q < RIG_WORKERS; q++) {
		void *m;

		if (rte_ring_dequeue(r->tx[q], &m) < 0)
			continue;
		assert_int_equal(((struct rte_mbuf *)m)->nb_segs, 1);
		judge(rte_pktmbuf_mtod((struct rte_mbuf *)m, uint8_t *),
			rte_pktmbuf_pkt_len((struct rte_mbuf *)m), d);
		rte_pktmbuf_free(m);
		return true;
	}
	return false;
}

unsigned rig_heard(struct rig *r)
{
	struct datagram d;
	unsigned n = 0;

	while (rig_receive(r, &d))
		n++;
	return n;
}

size_t rig_rtp(uint8_t *p, uint32_t ssrc, uint16_t seq, uint32_t ts, size_t n)
{
	p[0] = 0x80;
	p[1] = 0;
	be16_put(p + 2, seq);
	be32_put(p + 4, ts);
	be32_put(p + 8, ssrc);
	for (size_t i = 0; i < n; i++)
		p[12 + i] = (uint8_t)(seq * 31 + i);
	return 12 + n;
}

size_t rig_sealed(struct srtp_context *c, uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	size_t n = rig_rtp(p, ssrc, seq, seq * 160u, 40);

	assert_int_equal(srtp_context_protect(c, p, &n, RIG_SEALED), 0);
	return n;
}

size_t rig_sr(uint8_t *p, uint32_t ssrc, uint32_t about, uint32_t ext_seq)
{
	memset(p, 0, 52 + 12);
	p[0] = 0x81; /* one report block */
	p[1] = 200;
	be16_put(p + 2, 12);
	be32_put(p + 4, ssrc);
	be32_put(p + 16, 1234); /* RTP timestamp */
	be32_put(p + 28, about);
	be32_put(p + 36, ext_seq);
	p[52] = 0x81;
	p[53] = 202;
	be16_put(p + 54, 2);
	be32_put(p + 56, ssrc);
	p[60] = 1; /* CNAME, one octet, end */
	p[61] = 1;
	p[62] = 'x';
	return 64;
}
