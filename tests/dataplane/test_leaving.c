/* SPDX-License-Identifier: Apache-2.0 */
/* The headers that packets leave with, octet by octet; their checksums against a slow sum. */
#include <string.h>

#include "dataplane/worker_private.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/inet_sum.h"

#define PAYLOAD_MAX 1472
#define IP 14
#define ROOM 128 /* in front of the datagram */

static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

/* A datagram in its buffer. */
struct frame_memory {
	uint8_t octets[ROOM + PAYLOAD_MAX + 1];
	struct rte_mbuf m;
	struct packet p;
};

static void make(struct frame_memory *f, uint16_t n)
{
	memset(f, 0xee, sizeof *f);
	f->m.buf_addr = f->octets;
	f->m.buf_len = sizeof f->octets;
	f->p.m = &f->m;
	f->p.data = f->octets + ROOM;
	f->p.len = n;
	for (uint16_t i = 0; i < n; i++)
		f->p.data[i] = (uint8_t)(n + i * 7);
}

static struct ip_port end(bool v6, uint8_t fill, uint8_t last, uint16_t port)
{
	struct ip_port a = {.ip.family = v6 ? IP_V6 : IP_V4, .port = port};
	size_t n = v6 ? 16 : 4;

	memset(a.ip.octets, fill, n);
	a.ip.octets[n - 1] = last;
	return a;
}

/* The usual, and words that carry wherever they can. */
static struct path path_of(bool v6, bool carries)
{
	if (carries)
		return (struct path){
			.local = end(v6, 0xff, 0xff, UINT16_MAX), .remote = end(v6, 0xff, 0xff, UINT16_MAX)};
	return (struct path){.local = end(v6, 0x20, 1, 20000), .remote = end(v6, 0xc6, 7, 30000)};
}

static size_t ip_len(const struct path *path)
{
	return path->local.ip.family == IP_V4 ? 20 : 40;
}

static size_t headers(const struct path *path)
{
	return IP + ip_len(path) + 8;
}

/* With the length in it, not complemented. */
static uint16_t pseudo_sum(const uint8_t *frame, const struct path *path)
{
	size_t addresses = path->local.ip.family == IP_V4 ? 8 : 32;
	const uint8_t *udp = frame + IP + ip_len(path);

	return inet_sum(IPPROTO_UDP + (uint32_t)be16_get(udp + 4), udp - addresses, addresses);
}

/* Identification 0 and DF: RFC 6864 section 4.1. */
static void assert_ipv4(const uint8_t *frame, const struct path *path, uint8_t dscp, uint16_t n)
{
	assert_memory_equal(frame + 12, "\x08\x00\x45", 3);
	assert_int_equal(frame[IP + 1], dscp << 2);
	assert_int_equal(be16_get(frame + IP + 2), 28 + n);
	assert_memory_equal(frame + IP + 4, "\x00\x00\x40\x00\x40\x11", 6);
	assert_memory_equal(frame + IP + 12, path->local.ip.octets, 4);
	assert_memory_equal(frame + IP + 16, path->remote.ip.octets, 4);
}

static void assert_ipv6(const uint8_t *frame, const struct path *path, uint8_t dscp, uint16_t n)
{
	assert_memory_equal(frame + 12, "\x86\xdd", 2);
	assert_int_equal(be32_get(frame + IP), 6u << 28 | (uint32_t)dscp << 22);
	assert_int_equal(be16_get(frame + IP + 4), 8 + n);
	assert_memory_equal(frame + IP + 6, "\x11\x40", 2);
	assert_memory_equal(frame + IP + 8, path->local.ip.octets, 16);
	assert_memory_equal(frame + IP + 24, path->remote.ip.octets, 16);
}

/* All but the checksums. */
static void assert_headers(const struct frame_memory *f, const struct path *path, uint8_t dscp)
{
	const uint8_t *frame = f->octets + f->m.data_off, *udp = f->p.data - 8;
	uint16_t n = f->p.len;

	assert_int_equal(f->m.data_off, ROOM - headers(path));
	assert_int_equal(f->m.data_len, headers(path) + n);
	assert_int_equal(f->m.pkt_len, headers(path) + n);
	assert_memory_equal(frame, macs, sizeof macs);
	if (path->local.ip.family == IP_V4)
		assert_ipv4(frame, path, dscp, n);
	else
		assert_ipv6(frame, path, dscp, n);
	assert_int_equal(be16_get(udp), path->local.port);
	assert_int_equal(be16_get(udp + 2), path->remote.port);
	assert_int_equal(be16_get(udp + 4), 8 + n);
	assert_int_equal(frame[-1], 0xee);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(f->p.data[i], (uint8_t)(n + i * 7));
}

static void sum_up_at_every_length(bool v6, bool carries)
{
	static struct frame_memory f;
	const struct path path = path_of(v6, carries);
	const uint8_t *frame = f.octets + ROOM - headers(&path), *udp = f.octets + ROOM - 8;
	uint8_t dscp = carries ? 63 : 46;
	struct leaving l;

	leaving_make(&l, &path, dscp, macs);
	for (uint16_t n = 0; n <= PAYLOAD_MAX; n++) {
		make(&f, n);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), PACKET_ON);
		assert_headers(&f, &path, dscp);
		assert_int_equal(f.m.ol_flags, 0);
		if (!v6)
			assert_int_equal(inet_sum(0, frame + IP, 20), 0xffff);
		assert_int_not_equal(be16_get(udp + 6), 0);
		assert_int_equal(inet_sum(pseudo_sum(frame, &path), udp, 8u + n), 0xffff);
	}
}

static void checksums_sum_up_at_every_length(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		sum_up_at_every_length(i & 1, i & 2);
}

/* Those that have few bits: a sum of them carries nowhere, and none of them is left out. */
static void every_octet_of_an_address_counts(void **state)
{
	static struct frame_memory f;
	uint8_t *udp = f.octets + ROOM - 8;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		bool v6 = i & 1, remote = i & 2;
		struct path path = {.local = end(v6, 0, 0, 5), .remote = end(v6, 0, 0, 6)};
		struct leaving l;

		if (!v6 && i / 4 >= 4)
			continue;
		(remote ? &path.remote : &path.local)->ip.octets[i / 4] = 1;
		leaving_make(&l, &path, 0, macs);
		make(&f, 0);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), PACKET_ON);
		assert_headers(&f, &path, 0);
		assert_int_equal(inet_sum(pseudo_sum(f.octets + f.m.data_off, &path), udp, 8), 0xffff);
	}
}

/* RFC 768: a sum of zero goes out as all ones, because zero means that there is none; over IPv6 such a
 * datagram would be thrown away (RFC 8200 section 8.1). */
static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	static struct frame_memory f;
	uint8_t *udp = f.octets + ROOM - 8;

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct path path = path_of(v6, false);
		struct leaving l;

		leaving_make(&l, &path, 0, macs);
		make(&f, 2);
		memset(f.p.data, 0, 2);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), PACKET_ON);
		/* Its complement as payload leaves nothing of the sum. */
		memcpy(f.p.data, udp + 6, 2);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), PACKET_ON);
		assert_int_equal(be16_get(udp + 6), 0xffff);
	}
}

static void asked_at_every_length(bool v6, bool carries)
{
	static struct frame_memory f;
	const struct path path = path_of(v6, carries);
	const uint8_t *frame = f.octets + ROOM - headers(&path);
	uint64_t flags = v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	struct leaving l;

	leaving_make(&l, &path, 46, macs);
	for (uint16_t n = 0; n <= PAYLOAD_MAX; n++) {
		make(&f, n);
		assert_int_equal(leaving_write(&l, &path, &f.p, true), PACKET_ON);
		assert_headers(&f, &path, 46);
		assert_int_equal(f.m.ol_flags, RTE_MBUF_F_TX_UDP_CKSUM | flags);
		assert_int_equal(f.m.l2_len, IP);
		assert_int_equal(f.m.l3_len, ip_len(&path));
		if (!v6)
			assert_int_equal(be16_get(frame + IP + 10), 0);
		assert_int_equal(be16_get(f.p.data - 2), pseudo_sum(frame, &path));
	}
}

static void a_port_that_makes_checksums_is_asked_for_them(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		asked_at_every_length(i & 1, i & 2);
}

static void headers_need_room(void **state)
{
	static struct frame_memory f;

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct path path = path_of(v6, false);
		struct leaving l;

		leaving_make(&l, &path, 46, macs);
		make(&f, 20);
		f.p.data = f.octets + headers(&path);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), PACKET_ON);
		assert_int_equal(f.m.data_off, 0);
		make(&f, 20);
		f.m.buf_addr = f.octets + 1;
		f.p.data = f.octets + headers(&path);
		assert_int_equal(leaving_write(&l, &path, &f.p, false), DP_V_TOO_LONG);
		assert_int_equal(f.octets[0], 0xee);
		assert_int_equal(f.octets[1], 0xee);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_sum_up_at_every_length),
		cmocka_unit_test(every_octet_of_an_address_counts),
		cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(a_port_that_makes_checksums_is_asked_for_them),
		cmocka_unit_test(headers_need_room),
	};

	return cmocka_run_group_tests_name("leaving", tests, NULL, NULL);
}
