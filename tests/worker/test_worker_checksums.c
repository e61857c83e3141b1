/* SPDX-License-Identifier: Apache-2.0 */
/* The checksums of what the worker sends, made by it or by the port, and of what it hears. */
#include <rte_ip.h>
#include <rte_udp.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 1

/*
 * What leaves as it came but for its numbers has a checksum made of the one it came with: for every sum that
 * a payload may have, also the one that is written as 0xffff because 0 means none.
 */
static void test_plain_to_plain_of_every_sum(void **state)
{
	struct rig *r = *state;

	rig_plain_call(r, S);
	for (uint32_t i = 0; i <= UINT16_MAX; i++) {
		uint32_t ts = i * 160;
		uint8_t p[64];
		size_t n = rig_rtp(p, 0x1000, (uint16_t)i, ts, 21);
		struct datagram d;

		/* The timestamp taken off, so that the number alone changes the sum. */
		be16_put(p + 12, (uint16_t)((4 * UINT32_C(0xffff) - (ts >> 16) - (ts & 0xffff)) % 0xffff));
		rig_send(r, peer_a, gw_a, p, n);
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
		assert_int_equal(d.n, n);
		assert_memory_equal(d.octets + 12, p + 12, n - 12);
	}
}

static void say(struct rig *r, uint16_t seq)
{
	uint8_t p[256];

	rig_send(r, peer_a, gw_a, p, rig_rtp(p, 0x1000, seq, seq * 160u, 160));
	rig_run(r, 1);
}

/* A port that makes checksums is told where the headers are, and given the pseudo-header's sum. */
static void offloaded(struct rig *r, bool v6)
{
	union dp_msg key = rig_key(S, 1, DP_KEY_TX, SRTP_AEAD_AES_256_GCM, 21);
	struct datagram d;

	rig_addresses(v6);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_SRTP);
	assert_int_equal(rig_command(r, &key), 0);
	r->port->tx_checksums = true;
	/* The first by itself, the next as the leg has prepared it. */
	for (uint16_t seq = 1; seq <= 2; seq++) {
		struct rte_mbuf *m = NULL;
		const uint8_t *l3;

		say(r, seq);
		assert_int_equal(rte_ring_dequeue(r->tx[0], (void **)&m), 0);
		l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
		assert_int_equal(m->l2_len, 14);
		assert_int_equal(m->l3_len, v6 ? 40 : 20);
		assert_int_equal(m->ol_flags,
			RTE_MBUF_F_TX_UDP_CKSUM |
				(v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM));
		if (v6) {
			assert_int_equal(((const struct rte_udp_hdr *)(l3 + 40))->dgram_cksum,
				rte_ipv6_phdr_cksum((const void *)l3, 0));
		} else {
			assert_int_equal(((const struct rte_ipv4_hdr *)l3)->hdr_checksum, 0);
			assert_int_equal(((const struct rte_udp_hdr *)(l3 + 20))->dgram_cksum,
				rte_ipv4_phdr_cksum((const void *)l3, 0));
		}
		rte_pktmbuf_free(m);
	}
	/* And one that does not, as before: the rig judges sums. */
	r->port->tx_checksums = false;
	say(r, 3);
	assert_true(rig_receive(r, &d));
}

static void test_checksums_by_the_port(void **state)
{
	offloaded(*state, false);
}

static void test_checksums_by_the_port_v6(void **state)
{
	offloaded(*state, true);
}

/* What a port says of a sum it has looked at: good is believed, bad is looked at again. */
static void test_checksums_that_the_port_has_seen(void **state)
{
	static const struct {
		uint64_t said;
		bool wrong, heard;
	} cases[] = {
		{RTE_MBUF_F_RX_L4_CKSUM_GOOD, false, true},
		{RTE_MBUF_F_RX_L4_CKSUM_GOOD, true, true},
		{RTE_MBUF_F_RX_L4_CKSUM_BAD, false, true},
		{RTE_MBUF_F_RX_L4_CKSUM_BAD, true, false},
		{RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, true, false},
	};
	struct rig *r = *state;

	rig_plain_call(r, S);
	for (uint16_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t p[256];
		struct rte_mbuf *m = NULL;
		struct datagram d;

		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 0x1000, i, i * 160u, 160));
		assert_int_equal(rte_ring_dequeue(r->rx[0], (void **)&m), 0);
		m->ol_flags |= cases[i].said;
		if (cases[i].wrong)
			rte_pktmbuf_mtod(m, uint8_t *)[14 + 20 + 6] ^= 1;
		assert_int_equal(rte_ring_enqueue(r->rx[0], m), 0);
		rig_run(r, 1);
		assert_int_equal(rig_receive(r, &d), cases[i].heard);
	}
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_to_plain_of_every_sum, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_checksums_by_the_port, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_checksums_by_the_port_v6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_checksums_that_the_port_has_seen, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
