/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of a frame, for the usual kind over each family and one for all: they may never differ. */
#include <string.h>

#include <rte_byteorder.h>

#include "dataplane/classify.h"
#include "dataplane/session/leg_table.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/inet_sum.h"

#define IP 14
#define UDP 34
#define HEADERS 42
#define PAYLOAD 20

static size_t frame_make(uint8_t *f)
{
	const uint8_t headers[HEADERS] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0xb8, 0,
		28 + PAYLOAD, 1, 2, 0x40, 0, 61, 17, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1, 0x13, 0x88, 0x4e, 0x20,
		0, 8 + PAYLOAD, 0, 0};

	memcpy(f, headers, HEADERS);
	memset(f + HEADERS, 0x80, PAYLOAD);
	return HEADERS + PAYLOAD;
}

#define V6_UDP 54
#define V6_HEADERS 62

static size_t frame_make_v6(uint8_t *f)
{
	const uint8_t headers[V6_HEADERS] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x6b, 0x81, 2, 3,
		0, 8 + PAYLOAD, 17, 61, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xfd, 21, 22,
		23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 0x13, 0x88, 0x4e, 0x20, 0, 8 + PAYLOAD, 0,
		0};

	memcpy(f, headers, V6_HEADERS);
	memset(f + V6_HEADERS, 0x80, PAYLOAD);
	return V6_HEADERS + PAYLOAD;
}

static void sum_mend(uint8_t *f)
{
	memset(f + IP + 10, 0, 2);
	be16_put(f + IP + 10, (uint16_t)~inet_sum(0, f + IP, 20));
}

/* What the reader of all frames would call a plain one. */
static bool is_plain(const uint8_t *f, size_t n, struct frame *any)
{
	return classify_frame(f, n, any) == FRAME_UDP && any->source.ip.family == IP_V4 && any->l3 == IP &&
	       any->l4 == UDP;
}

static bool agree(const uint8_t *f, size_t n)
{
	struct plain_frame plain;
	struct frame any;
	struct ip_port source, destination;
	bool expected = is_plain(f, n, &any);

	if (classify_plain(f, n, &plain) != expected)
		return false;
	if (!expected)
		return true;
	ip_port_v4(&source, plain.source, plain.source_port);
	ip_port_v4(&destination, plain.destination, plain.port);
	return memcmp(&source, &any.source, sizeof source) == 0 &&
	       memcmp(&destination, &any.destination, sizeof destination) == 0 && any.payload == HEADERS &&
	       plain.payload_len == any.payload_len;
}

static bool is_plain_v6(const uint8_t *f, size_t n, struct frame *any)
{
	return classify_frame(f, n, any) == FRAME_UDP && any->source.ip.family == IP_V6 && any->l3 == IP;
}

static bool agree_v6(const uint8_t *f, size_t n)
{
	struct plain_frame_v6 plain;
	struct frame any;
	struct ip_port source, destination;
	bool expected = is_plain_v6(f, n, &any);

	if (classify_plain_v6(f, n, &plain) != expected)
		return false;
	if (!expected)
		return true;
	ip_port_v6(&source, plain.source, plain.source_port);
	ip_port_v6(&destination, plain.destination, plain.port);
	return memcmp(&source, &any.source, sizeof source) == 0 &&
	       memcmp(&destination, &any.destination, sizeof destination) == 0 && any.l4 == V6_UDP &&
	       any.payload == V6_HEADERS && plain.payload_len == any.payload_len;
}

static void test_a_usual_frame_v6(void **state)
{
	uint8_t f[128];
	struct plain_frame_v6 plain;
	size_t n = frame_make_v6(f);

	(void)state;
	assert_true(classify_plain_v6(f, n, &plain));
	assert_ptr_equal(plain.source, f + IP + 8);
	assert_ptr_equal(plain.destination, f + IP + 24);
	assert_int_equal(plain.source_port, 5000);
	assert_int_equal(plain.port, 20000);
	assert_int_equal(plain.payload_len, PAYLOAD);
	assert_true(agree_v6(f, n));
}

/* The other reader's frames are none of theirs. */
static void test_every_octet_v6(void **state)
{
	uint8_t f[128];
	size_t n = frame_make_v6(f);
	struct plain_frame v4;
	unsigned plain = 0;
	struct frame any;

	(void)state;
	for (unsigned at = 12; at < V6_HEADERS; at++)
		for (unsigned value = 0; value < 256; value++) {
			frame_make_v6(f);
			f[at] = (uint8_t)value;
			if (!agree_v6(f, n) || classify_plain(f, n, &v4))
				fail_msg("octet %u is %u", at, value);
			plain += is_plain_v6(f, n, &any);
		}
	assert_true(plain > 9000);
}

static void test_every_length_v6(void **state)
{
	uint8_t f[128];
	size_t n = frame_make_v6(f);

	(void)state;
	for (unsigned ip = 0; ip < 60; ip++)
		for (unsigned udp = 0; udp < 60; udp++)
			for (size_t k = 0; k <= n; k++) {
				f[IP + 5] = (uint8_t)ip;
				f[V6_UDP + 5] = (uint8_t)udp;
				if (!agree_v6(f, k))
					fail_msg("frame %zu, IP %u, UDP %u", k, ip, udp);
			}
	/* Lengths of two octets. */
	frame_make_v6(f);
	be16_put(f + IP + 4, UINT16_MAX);
	assert_true(agree_v6(f, n));
	be16_put(f + V6_UDP + 4, UINT16_MAX);
	assert_true(agree_v6(f, n));
	be16_put(f + IP + 4, 8 + PAYLOAD);
	assert_true(agree_v6(f, n));
}

static void test_a_usual_frame(void **state)
{
	uint8_t f[128];
	struct plain_frame plain;
	size_t n = frame_make(f);

	(void)state;
	sum_mend(f);
	assert_true(classify_plain(f, n, &plain));
	assert_int_equal(plain.source, rte_cpu_to_be_32(0x0a000009));
	assert_int_equal(plain.destination, rte_cpu_to_be_32(0x0a000001));
	assert_int_equal(plain.source_port, 5000);
	assert_int_equal(plain.port, 20000);
	assert_int_equal(plain.payload_len, PAYLOAD);
	assert_true(agree(f, n));
}

/* Every value of every octet of the headers, with the header's checksum right and without. */
static void test_every_octet(void **state)
{
	uint8_t f[128];
	size_t n = frame_make(f);
	unsigned plain = 0;
	struct frame any;

	(void)state;
	for (unsigned at = 12; at < HEADERS; at++)
		for (unsigned value = 0; value < 256; value++)
			for (unsigned mended = 0; mended < 2; mended++) {
				frame_make(f);
				sum_mend(f);
				f[at] = (uint8_t)value;
				if (mended)
					sum_mend(f);
				if (!agree(f, n))
					fail_msg("octet %u is %u", at, value);
				plain += is_plain(f, n, &any);
			}
	assert_true(plain > 1000);
}

static void test_every_length(void **state)
{
	uint8_t f[128];
	size_t n = frame_make(f);

	(void)state;
	for (unsigned ip = 0; ip < 80; ip++)
		for (unsigned udp = 0; udp < 60; udp++)
			for (size_t k = 0; k <= n; k++) {
				f[IP + 3] = (uint8_t)ip;
				f[UDP + 5] = (uint8_t)udp;
				sum_mend(f);
				if (!agree(f, k))
					fail_msg("frame %zu, IP %u, UDP %u", k, ip, udp);
			}
}

static void test_ports_and_addresses_are_compared_whole(void **state)
{
	struct ip_port a, b;

	(void)state;
	ip_port_v4(&a, rte_cpu_to_be_32(0x0a000001), 5000);
	b = a;
	assert_true(ip_port_equal(&a, &b));
	memset(b.ip.pad, 0xff, sizeof b.ip.pad);
	b.pad = 0xffff;
	assert_true(ip_port_equal(&a, &b));
	b.port ^= 0x8000;
	assert_false(ip_port_equal(&a, &b));
	b = a;
	b.ip.family = IP_V6;
	assert_false(ip_port_equal(&a, &b));
	for (unsigned i = 0; i < sizeof b.ip.octets; i++) {
		b = a;
		b.ip.octets[i] ^= 1;
		assert_false(ip_port_equal(&a, &b));
	}
}

/* An address is ours or not, all octets of it: those of a gateway often differ in one. */
static void test_our_addresses_are_told_apart(void **state)
{
	static struct leg_address ours[2];
	static struct leg_table t;

	(void)state;
	ours[0].ip = (struct ip_addr){.family = IP_V6, .octets = {0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
	/* What would be IPv6's if octets were all. */
	ours[1].ip = (struct ip_addr){.family = IP_V4, .octets = {0xfd, 9, 9, 9}};
	for (unsigned i = 0; i < 2; i++)
		t.slots[leg_table_hash(&ours[i].ip) % LEG_TABLE_SLOTS] = &ours[i];
	assert_ptr_equal(leg_table_address_v6(&t, ours[0].ip.octets), &ours[0]);
	assert_null(leg_table_address_v6(&t, ours[1].ip.octets));
	for (unsigned at = 0; at < sizeof ours[0].ip.octets; at++) {
		struct ip_addr other = ours[0].ip;

		other.octets[at] ^= 1;
		/* Ours is found where the other one is looked for. */
		memset(t.slots, 0, sizeof t.slots);
		t.slots[leg_table_hash(&other) % LEG_TABLE_SLOTS] = &ours[0];
		assert_null(leg_table_address_v6(&t, other.octets));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_usual_frame),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_a_usual_frame_v6),
		cmocka_unit_test(test_every_octet_v6),
		cmocka_unit_test(test_every_length_v6),
		cmocka_unit_test(test_ports_and_addresses_are_compared_whole),
		cmocka_unit_test(test_our_addresses_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
