/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums against a slow, obvious sum of RFC 1071. */
#include "tests/support/cmocka_std.h"

#include <string.h>

#include <arpa/inet.h>

#include "dataplane/checksum.h"
#include "tests/support/inet_sum.h"

#define PAYLOAD_MAX 1472

/* One datagram right behind its IP header, IPv4 or IPv6, as it lies in a frame. */
struct datagram {
	union {
		struct {
			uint8_t before[20];
			struct rte_ipv4_hdr v4;
		};
		struct rte_ipv6_hdr v6;
	} ip;
	uint8_t udp[sizeof(struct rte_udp_hdr) + PAYLOAD_MAX + 1];
};

static struct rte_udp_hdr *udp_of(struct datagram *d)
{
	return (struct rte_udp_hdr *)d->udp;
}

/* Where the addresses are, and their octets. */
static uint8_t *addresses_of(struct datagram *d, int family)
{
	return family == 4 ? (uint8_t *)&d->ip.v4.src_addr : d->ip.v6.src_addr;
}

static size_t addresses_len(int family)
{
	return family == 4 ? 8 : 32;
}

/* Host byte order, not complemented. */
static uint16_t pseudo_sum(struct datagram *d, int family)
{
	uint16_t len = ntohs(udp_of(d)->dgram_len);

	return inet_sum(IPPROTO_UDP + (uint32_t)len, addresses_of(d, family), addresses_len(family));
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

/* What belongs into its checksum, by the slow sum. */
static rte_be16_t slow_checksum(struct datagram *d, int family)
{
	size_t len = ntohs(udp_of(d)->dgram_len);
	struct datagram without = *d;
	uint16_t sum;

	udp_of(&without)->dgram_cksum = 0;
	sum = (uint16_t)~inet_sum(pseudo_sum(d, family), without.udp, len);
	return htons(sum ? sum : 0xffff);
}

static enum checksum_state state_of(struct datagram *d, int family)
{
	const struct rte_udp_hdr *udp = udp_of(d);

	return family == 4 ? checksum_udp4_state(&d->ip.v4, udp) : checksum_udp6_state(&d->ip.v6, udp);
}

/* Both that judge a checksum have to agree. */
static void assert_state(struct datagram *d, int family, enum checksum_state expected)
{
	assert_int_equal(state_of(d, family), expected);
	assert_int_equal(checksum_udp_right(udp_of(d), addresses_len(family)), expected == CHECKSUM_OK);
}

static void right_checksums_of_every_length_are_right(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		for (uint16_t payload = 0; payload <= PAYLOAD_MAX; payload++) {
			make(&d, family, payload, (uint8_t)payload);
			udp_of(&d)->dgram_cksum = slow_checksum(&d, family);
			assert_state(&d, family, CHECKSUM_OK);
			/* The last octet counts, and the one behind it does not. */
			d.udp[sizeof(struct rte_udp_hdr) + payload] ^= 0xff;
			assert_state(&d, family, CHECKSUM_OK);
			d.udp[sizeof(struct rte_udp_hdr) + payload - 1] ^= 0x10;
			assert_state(&d, family, CHECKSUM_BAD);
		}
	}
}

/* RFC 768: a sum of zero comes as all ones, because zero means that there is none. */
static void a_sum_of_zero_comes_as_ones(void **state)
{
	static struct datagram d;
	uint16_t rest;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		make(&d, family, 2, 0);
		memset(d.udp + 8, 0, 2);
		rest = (uint16_t)~inet_sum(pseudo_sum(&d, family), d.udp, 10);
		d.udp[8] = (uint8_t)(rest >> 8);
		d.udp[9] = (uint8_t)rest;
		assert_state(&d, family, CHECKSUM_NONE);
		udp_of(&d)->dgram_cksum = 0xffff;
		assert_state(&d, family, CHECKSUM_OK);
	}
}

static void unfinished_checksums_are_told_from_wrong_ones(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		for (uint16_t payload = 0; payload < 400; payload += 3) {
			make(&d, family, payload, 1);
			assert_state(&d, family, CHECKSUM_NONE);
			udp_of(&d)->dgram_cksum =
				htons(pseudo_sum(&d, family)); /* as a veth's sender leaves it */
			assert_state(&d, family, CHECKSUM_PARTIAL);
			udp_of(&d)->dgram_cksum = (rte_be16_t)(udp_of(&d)->dgram_cksum ^ htons(0x0100));
			assert_state(&d, family, CHECKSUM_BAD);
		}
	}
}

/* Every bit of n octets is flipped in turn. */
static void flip_each(struct datagram *d, int family, uint8_t *octets, size_t n)
{
	for (size_t bit = 0; bit < n * 8; bit++) {
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_state(d, family, CHECKSUM_BAD);
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void every_flipped_bit_is_seen(void **state)
{
	static struct datagram d;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		for (uint16_t payload = 33; payload <= 34; payload++) {
			make(&d, family, payload, 5);
			udp_of(&d)->dgram_cksum = slow_checksum(&d, family);
			flip_each(&d, family, addresses_of(&d, family), addresses_len(family));
			/* The length between ports and checksum decides what is summed. */
			flip_each(&d, family, d.udp, 4);
			flip_each(&d, family, d.udp + 6, 2u + payload);
			assert_state(&d, family, CHECKSUM_OK);
		}
	}
}

/* In memory's order, as sums are. */
static uint16_t folded_slowly(const uint8_t *p, size_t n)
{
	return htons(inet_sum(0, p, n));
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

/* Sums as wide as they come: of 64 kB in words of 32 bits 2^46, and of what else there may be. */
static void a_sum_is_right_that_folds_to_ones(void **state)
{
	(void)state;
	for (uint64_t multiple = 1; multiple <= UINT64_MAX / 0xffff; multiple += 1 + multiple / 8) {
		uint64_t sum = multiple * 0xffff;

		assert_true(checksum_is_right(sum));
		assert_int_equal(checksum_fold(sum), 0xffff);
		for (unsigned bit = 0; bit < 64; bit++) {
			uint64_t wrong = sum ^ UINT64_C(1) << bit;

			assert_int_equal(
				checksum_is_right(wrong), checksum_fold(wrong) == 0xffff || wrong == 0);
		}
	}
	for (uint64_t sum = 1; sum < 4 * 0xffff; sum++)
		assert_int_equal(checksum_is_right(sum), checksum_fold(sum) == 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_checksums_of_every_length_are_right),
		cmocka_unit_test(a_sum_of_zero_comes_as_ones),
		cmocka_unit_test(unfinished_checksums_are_told_from_wrong_ones),
		cmocka_unit_test(every_flipped_bit_is_seen),
		cmocka_unit_test(every_register_width_has_the_same_sum),
		cmocka_unit_test(a_sum_is_right_that_folds_to_ones),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
