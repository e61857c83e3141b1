/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums against a slow, obvious sum of RFC 1071. */
#include "tests/support/cmocka_std.h"

#include <string.h>

#include <arpa/inet.h>

#include "dataplane/checksum.h"

#define PAYLOAD_MAX 1472

/* One datagram with its IP header, IPv4 or IPv6, as it lies in a frame. */
struct datagram {
	union {
		struct rte_ipv4_hdr v4;
		struct rte_ipv6_hdr v6;
	} ip;
	uint8_t udp[sizeof(struct rte_udp_hdr) + PAYLOAD_MAX + 1];
};

static struct rte_udp_hdr *udp_of(struct datagram *d)
{
	return (struct rte_udp_hdr *)d->udp;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Host byte order, not complemented. */
static uint16_t pseudo_sum(const struct datagram *d, int family)
{
	uint16_t len = ntohs(((const struct rte_udp_hdr *)d->udp)->dgram_len);
	uint8_t tail[4] = {0, IPPROTO_UDP, (uint8_t)(len >> 8), (uint8_t)len};
	uint32_t sum =
		family == 4 ? add(0, (const uint8_t *)&d->ip.v4.src_addr, 8) : add(0, d->ip.v6.src_addr, 32);

	return (uint16_t)add(sum, tail, 4);
}

static void make(struct datagram *d, int family, uint16_t payload, uint8_t fill)
{
	uint16_t len = (uint16_t)(sizeof(struct rte_udp_hdr) + payload);

	memset(d, 0, sizeof(*d));
	if (family == 4) {
		d->ip.v4 = (struct rte_ipv4_hdr){.version_ihl = 0x45,
			.time_to_live = 64,
			.next_proto_id = IPPROTO_UDP,
			.total_length = htons((uint16_t)(20 + len)),
			.src_addr = htonl(0xc0000201),
			.dst_addr = htonl(0xc6336407)};
	} else {
		d->ip.v6 = (struct rte_ipv6_hdr){.vtc_flow = htonl(UINT32_C(6) << 28),
			.payload_len = htons(len),
			.proto = IPPROTO_UDP,
			.hop_limits = 64,
			.src_addr = {0x20, 1, 0xd, 0xb8, [15] = 1},
			.dst_addr = {0x20, 1, 0xd, 0xb8, [15] = 2}};
	}
	*udp_of(d) = (struct rte_udp_hdr){
		.src_port = htons(20000), .dst_port = htons(30000), .dgram_len = htons(len)};
	for (uint16_t i = 0; i < payload; i++)
		d->udp[sizeof(struct rte_udp_hdr) + i] = (uint8_t)(fill + i * 7);
	d->udp[sizeof(struct rte_udp_hdr) + payload] = 0xee; /* what lies behind must not matter */
}

static void write_checksum(struct datagram *d, int family)
{
	if (family == 4)
		checksum_udp4_write(&d->ip.v4, udp_of(d));
	else
		checksum_udp6_write(&d->ip.v6, udp_of(d));
}

static enum checksum_state state_of(const struct datagram *d, int family)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)d->udp;

	return family == 4 ? checksum_udp4_state(&d->ip.v4, udp) : checksum_udp6_state(&d->ip.v6, udp);
}

static void written_checksums_sum_up(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		for (uint16_t payload = 0; payload <= PAYLOAD_MAX; payload++) {
			make(&d, family, payload, (uint8_t)payload);
			write_checksum(&d, family);
			assert_int_not_equal(udp_of(&d)->dgram_cksum, 0);
			assert_int_equal(
				add(pseudo_sum(&d, family), d.udp, sizeof(struct rte_udp_hdr) + payload),
				0xffff);
			if (family == 4)
				assert_int_equal(add(0, (const uint8_t *)&d.ip.v4, 20), 0xffff);
			assert_int_equal(state_of(&d, family), CHECKSUM_OK);
		}
	}
}

/* RFC 768: a sum of zero goes out as all ones, because zero means that there is none. */
static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	static struct datagram d;
	uint16_t rest;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		make(&d, family, 2, 0);
		memset(d.udp + 8, 0, 2);
		rest = (uint16_t)~add(pseudo_sum(&d, family), d.udp, 10);
		d.udp[8] = (uint8_t)(rest >> 8);
		d.udp[9] = (uint8_t)rest;
		write_checksum(&d, family);
		assert_int_equal(udp_of(&d)->dgram_cksum, 0xffff);
		assert_int_equal(state_of(&d, family), CHECKSUM_OK);
	}
}

static void unfinished_checksums_are_told_from_wrong_ones(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		for (uint16_t payload = 0; payload < 400; payload += 3) {
			make(&d, family, payload, 1);
			assert_int_equal(state_of(&d, family), CHECKSUM_NONE);
			udp_of(&d)->dgram_cksum =
				htons(pseudo_sum(&d, family)); /* as a veth's sender leaves it */
			assert_int_equal(state_of(&d, family), CHECKSUM_PARTIAL);
			udp_of(&d)->dgram_cksum = (rte_be16_t)(udp_of(&d)->dgram_cksum ^ htons(0x0100));
			assert_int_equal(state_of(&d, family), CHECKSUM_BAD);
		}
	}
}

static void every_flipped_bit_is_seen(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		make(&d, family, 33, 5);
		write_checksum(&d, family);
		for (size_t bit = 0; bit < (sizeof(struct rte_udp_hdr) + 33) * 8; bit++) {
			if (bit / 8 == 4 || bit / 8 == 5)
				continue; /* the length decides what is summed */
			d.udp[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(state_of(&d, family), CHECKSUM_BAD);
			d.udp[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(state_of(&d, family), CHECKSUM_OK);
	}
}

/* In memory's order, as sums are. */
static uint16_t folded_slowly(const uint8_t *p, size_t n)
{
	return htons((uint16_t)add(0, p, n));
}

static void every_register_width_has_the_same_sum(void **state)
{
	static uint8_t octets[UINT16_MAX + 4];
	const struct checksum_way *ways;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i * 31 ^ i >> 5);
	ways = checksum_ways(&n);
	assert_int_not_equal(n, 0);
	for (unsigned w = 0; w < n; w++) {
		print_message("# %s\n", ways[w].name);
		for (size_t from = 0; from < 4; from++)
			for (size_t len = 0; len < 600; len++)
				assert_int_equal(checksum_fold(ways[w].sum(octets + from, len)),
					folded_slowly(octets + from, len));
	}
	memset(octets, 0xff, sizeof octets);
	for (unsigned w = 0; w < n; w++)
		assert_int_equal(
			checksum_fold(ways[w].sum(octets, UINT16_MAX)), folded_slowly(octets, UINT16_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_checksums_sum_up),
		cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(unfinished_checksums_are_told_from_wrong_ones),
		cmocka_unit_test(every_flipped_bit_is_seen),
		cmocka_unit_test(every_register_width_has_the_same_sum),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
