/* SPDX-License-Identifier: Apache-2.0 */
/* The headers that packets leave with over IPv4, octet by octet; their checksums against a slow sum. */
#include <string.h>

#include "dataplane/worker_private.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/inet_sum.h"

#define PAYLOAD_MAX 1472
#define HEADERS 42
#define IP 14
#define UDP 34
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

static struct path path_of(uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port)
{
	struct path path = {.hop = {0}};

	ip_port_v4(&path.local, rte_cpu_to_be_32(from), from_port);
	ip_port_v4(&path.remote, rte_cpu_to_be_32(to), to_port);
	return path;
}

/* With the length in it, not complemented. */
static uint16_t pseudo_sum(const uint8_t *frame)
{
	return inet_sum(IPPROTO_UDP + (uint32_t)be16_get(frame + UDP + 4), frame + IP + 12, 8);
}

/* All but the checksums; identification 0 and DF: RFC 6864 section 4.1. */
static void assert_headers(const struct frame_memory *f, const struct path *path, uint8_t dscp)
{
	const uint8_t *frame = f->octets + f->m.data_off;
	uint16_t n = f->p.len;

	assert_int_equal(f->m.data_off, ROOM - HEADERS);
	assert_int_equal(f->m.data_len, HEADERS + n);
	assert_int_equal(f->m.pkt_len, HEADERS + n);
	assert_memory_equal(frame, macs, sizeof macs);
	assert_memory_equal(frame + 12, "\x08\x00\x45", 3);
	assert_int_equal(frame[IP + 1], dscp << 2);
	assert_int_equal(be16_get(frame + IP + 2), 28 + n);
	assert_memory_equal(frame + IP + 4, "\x00\x00\x40\x00\x40\x11", 6);
	assert_memory_equal(frame + IP + 12, path->local.ip.octets, 4);
	assert_memory_equal(frame + IP + 16, path->remote.ip.octets, 4);
	assert_int_equal(be16_get(frame + UDP), path->local.port);
	assert_int_equal(be16_get(frame + UDP + 2), path->remote.port);
	assert_int_equal(be16_get(frame + UDP + 4), 8 + n);
	assert_int_equal(frame[-1], 0xee);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(f->p.data[i], (uint8_t)(n + i * 7));
}

static void checksums_sum_up_at_every_length(void **state)
{
	static struct frame_memory f;
	/* The usual, and words that carry wherever they can. */
	const struct path paths[] = {
		path_of(0xc0000201, 20000, 0xc6336407, 30000),
		path_of(UINT32_MAX, UINT16_MAX, UINT32_MAX, UINT16_MAX),
	};
	const uint8_t *frame = f.octets + ROOM - HEADERS;
	struct leaving l;

	(void)state;
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		uint8_t dscp = i ? 63 : 46;

		leaving_make(&l, &paths[i], dscp, macs);
		for (uint16_t n = 0; n <= PAYLOAD_MAX; n++) {
			make(&f, n);
			assert_int_equal(leaving_write(&l, &f.p, false), PACKET_ON);
			assert_headers(&f, &paths[i], dscp);
			assert_int_equal(f.m.ol_flags, 0);
			assert_int_equal(inet_sum(0, frame + IP, 20), 0xffff);
			assert_int_not_equal(be16_get(frame + UDP + 6), 0);
			assert_int_equal(inet_sum(pseudo_sum(frame), frame + UDP, 8u + n), 0xffff);
		}
	}
}

/* RFC 768: a sum of zero goes out as all ones, because zero means that there is none. */
static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	static struct frame_memory f;
	const struct path path = path_of(0xc0000201, 20000, 0xc6336407, 30000);
	uint8_t *udp = f.octets + ROOM - 8;
	struct leaving l;

	(void)state;
	leaving_make(&l, &path, 0, macs);
	make(&f, 2);
	memset(f.p.data, 0, 2);
	assert_int_equal(leaving_write(&l, &f.p, false), PACKET_ON);
	/* Its complement as payload leaves nothing of the sum. */
	memcpy(f.p.data, udp + 6, 2);
	assert_int_equal(leaving_write(&l, &f.p, false), PACKET_ON);
	assert_int_equal(be16_get(udp + 6), 0xffff);
}

static void a_port_that_makes_checksums_is_asked_for_them(void **state)
{
	static struct frame_memory f;
	const struct path path = path_of(0xc0000201, 20000, 0xc6336407, 30000);
	const uint8_t *frame = f.octets + ROOM - HEADERS;
	struct leaving l;

	(void)state;
	leaving_make(&l, &path, 46, macs);
	for (uint16_t n = 0; n <= PAYLOAD_MAX; n++) {
		make(&f, n);
		assert_int_equal(leaving_write(&l, &f.p, true), PACKET_ON);
		assert_headers(&f, &path, 46);
		assert_int_equal(
			f.m.ol_flags, RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
		assert_int_equal(f.m.l2_len, IP);
		assert_int_equal(f.m.l3_len, 20);
		assert_int_equal(be16_get(frame + IP + 10), 0);
		assert_int_equal(be16_get(frame + UDP + 6), pseudo_sum(frame));
	}
}

static void headers_need_room(void **state)
{
	static struct frame_memory f;
	const struct path path = path_of(0xc0000201, 20000, 0xc6336407, 30000);
	struct leaving l;

	(void)state;
	leaving_make(&l, &path, 46, macs);
	make(&f, 20);
	f.p.data = f.octets + HEADERS;
	assert_int_equal(leaving_write(&l, &f.p, false), PACKET_ON);
	assert_int_equal(f.m.data_off, 0);
	make(&f, 20);
	f.m.buf_addr = f.octets + 1;
	f.p.data = f.octets + HEADERS;
	assert_int_equal(leaving_write(&l, &f.p, false), DP_V_TOO_LONG);
	assert_int_equal(f.octets[0], 0xee);
	assert_int_equal(f.octets[1], 0xee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_sum_up_at_every_length),
		cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(a_port_that_makes_checksums_is_asked_for_them),
		cmocka_unit_test(headers_need_room),
	};

	return cmocka_run_group_tests_name("leaving", tests, NULL, NULL);
}
