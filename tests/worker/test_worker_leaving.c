/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a leg prepares for the packets that leave by it (leaving.h): that it is used, and that nothing which
 * changes in between is missed. Next hops are this file's own.
 */
#include <string.h>

#include "dataplane/nexthop/neighbour.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 1
#define PAYLOAD 160
#define RTP_LEN (12 + PAYLOAD)

static bool v6; /* both sides of the test's call; else IPv4 */

static struct {
	struct neighbour_hop hop;
	enum neighbour_state state;
	uint32_t version;
	unsigned lookups;
} next;

uint32_t __wrap_neighbour_version(const struct neighbour *nb);
uint32_t __wrap_neighbour_version(const struct neighbour *nb)
{
	(void)nb;
	return next.version;
}

enum neighbour_state __wrap_neighbour_lookup(struct neighbour *nb, struct neighbour_ref *ref,
	const struct ip_addr *local, const struct ip_addr *remote, struct neighbour_hop *hop);
enum neighbour_state __wrap_neighbour_lookup(struct neighbour *nb, struct neighbour_ref *ref,
	const struct ip_addr *local, const struct ip_addr *remote, struct neighbour_hop *hop)
{
	(void)nb;
	(void)ref;
	(void)local;
	*hop = next.hop;
	memcpy(hop->ether, rig_next_hop, sizeof rig_next_hop);
	hop->ether[12] = remote->family == IP_V4 ? 0x08 : 0x86;
	hop->ether[13] = remote->family == IP_V4 ? 0x00 : 0xdd;
	next.lookups++;
	return next.state;
}

static int open_v4(void **state)
{
	v6 = false;
	memset(&next, 0, sizeof next);
	next.hop.mtu = 1500;
	next.state = NEIGHBOUR_READY;
	next.version = 7;
	return rig_open(state);
}

static int open_v6(void **state)
{
	int rc = open_v4(state);

	v6 = true;
	return rc;
}

static void call(struct rig *r)
{
	rig_addresses(v6);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
}

static void next_hop_moves(uint8_t last_octet)
{
	rig_next_hop[5] = last_octet;
	next.version++;
}

/* A says one packet of n octets of payload; what B hears. */
static bool say(struct rig *r, uint16_t seq, size_t n, struct datagram *d)
{
	uint8_t p[1600];

	rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, seq, seq * 160u, n));
	rig_run(r, 1);
	return rig_receive(r, d);
}

/* B's leg as it is signalled, for a test to change. */
static union dp_msg leg_b(enum dp_security security)
{
	return rig_leg(S, 1, security, gw_b, peer_b);
}

static void change(struct rig *r, union dp_msg m)
{
	assert_int_equal(rig_command(r, &m), 0);
}

static void test_one_lookup_for_many_packets(void **state)
{
	struct rig *r = *state;
	struct datagram d;

	call(r);
	for (uint16_t seq = 1; seq <= 50; seq++)
		assert_true(say(r, seq, PAYLOAD, &d));
	assert_int_equal(next.lookups, 1);
}

static void test_a_next_hop_that_changes(void **state)
{
	struct rig *r = *state;
	struct datagram d;

	call(r);
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, PAYLOAD, &d));
	next_hop_moves(0x64);
	assert_true(say(r, 3, PAYLOAD, &d));
	assert_true(say(r, 4, PAYLOAD, &d));
	assert_int_equal(next.lookups, 2);
	/* It goes, and comes back. */
	next.state = NEIGHBOUR_NO_ROUTE;
	next.version++;
	assert_false(say(r, 5, PAYLOAD, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NEIGHBOUR), 1);
	next.state = NEIGHBOUR_PENDING;
	assert_false(say(r, 6, PAYLOAD, &d));
	next.state = NEIGHBOUR_READY;
	rig_run(r, 20);
	assert_int_equal(rig_heard(r), 1);
	assert_true(say(r, 7, PAYLOAD, &d));
	next_hop_moves(0x63);
}

/* What waited for a next hop in vain was not sent. */
static void test_a_next_hop_that_does_not_come(void **state)
{
	struct rig *r = *state;
	struct datagram d;

	call(r);
	assert_true(say(r, 1, PAYLOAD, &d));
	next.state = NEIGHBOUR_PENDING;
	next.version++;
	assert_false(say(r, 2, PAYLOAD, &d));
	assert_false(say(r, 3, PAYLOAD, &d));
	next.state = NEIGHBOUR_NO_ROUTE;
	rig_run(r, 20);
	next.state = NEIGHBOUR_READY;
	next.version++;
	assert_true(say(r, 4, PAYLOAD, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NEIGHBOUR), 2);
	assert_int_equal(rig_leg_stats(r, S, 1)->tx_packets, 2);
	assert_int_equal(rig_leg_stats(r, S, 1)->tx_octets, 2 * (12 + PAYLOAD));
}

static void test_a_leg_that_changes(void **state)
{
	struct rig *r = *state;
	struct datagram d;
	union dp_msg m;

	call(r);
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, PAYLOAD, &d));
	assert_int_equal(d.dscp, 0);
	assert_int_equal(d.ttl, 64);
	assert_true(ip_port_equal(&d.source, &gw_b));
	m = leg_b(DP_SECURITY_PLAIN);
	m.leg_update.dscp = 46;
	change(r, m);
	assert_true(say(r, 3, PAYLOAD, &d));
	assert_int_equal(d.dscp, 46);
	assert_true(say(r, 4, PAYLOAD, &d));
	assert_int_equal(d.dscp, 46);

	gw_b = rig_addr(v6 ? "fd00::1" : "10.0.0.1", 20020);
	peer_b = rig_addr(v6 ? "fd00::99" : "10.0.0.99", 7000);
	change(r, leg_b(DP_SECURITY_PLAIN));
	for (uint16_t seq = 5; seq <= 7; seq++) {
		assert_true(say(r, seq, PAYLOAD, &d));
		assert_int_equal(d.dscp, 0);
		assert_true(ip_port_equal(&d.source, &gw_b));
		assert_true(ip_port_equal(&d.destination, &peer_b));
	}
}

static void test_a_peer_that_turns_out_to_be_elsewhere(void **state)
{
	struct ip_port elsewhere = rig_addr(v6 ? "fd00::77" : "10.0.0.77", 7777);
	struct rig *r = *state;
	struct datagram d;
	uint8_t p[256];
	union dp_msg m;

	call(r);
	m = leg_b(DP_SECURITY_PLAIN);
	m.leg_update.learn = DP_LEARN_ANY;
	change(r, m);
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, PAYLOAD, &d));
	assert_true(ip_port_equal(&d.destination, &peer_b));
	rig_send(r, elsewhere, gw_b, p, rig_rtp(p, 9, 1, 160, PAYLOAD));
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_true(say(r, 3, PAYLOAD, &d));
	assert_true(ip_port_equal(&d.destination, &elsewhere));
}

/* Nothing clear leaves once the leg is secure, whatever was prepared. */
static void test_a_leg_that_becomes_secure(void **state)
{
	struct rig *r = *state;
	struct datagram d;

	call(r);
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, PAYLOAD, &d));
	assert_int_equal(d.n, RTP_LEN);
	change(r, leg_b(DP_SECURITY_SRTP));
	assert_false(say(r, 3, PAYLOAD, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NO_KEY), 1);
	change(r, rig_key(S, 1, DP_KEY_TX, SRTP_AEAD_AES_256_GCM, 1));
	for (uint16_t seq = 4; seq <= 6; seq++) {
		assert_true(say(r, seq, PAYLOAD, &d));
		assert_int_equal(d.n, RTP_LEN + 16);
	}
	assert_int_equal(rig_leg_state(r, S, 1)->far->clear_out, 0);
}

static void test_room_on_the_way(void **state)
{
	struct rig *r = *state;
	struct datagram d;
	size_t most = 1400 - (v6 ? 48 : 28) - 12;

	call(r);
	next.hop.mtu = 1400;
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, most, &d));
	assert_int_equal(d.n, most + 12);
	assert_false(say(r, 3, most + 1, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_TOO_LONG), 1);
	change(r, leg_b(DP_SECURITY_SRTP));
	change(r, rig_key(S, 1, DP_KEY_TX, SRTP_AEAD_AES_256_GCM, 1));
	assert_true(say(r, 4, PAYLOAD, &d));
	assert_true(say(r, 5, most - 16, &d));
	assert_false(say(r, 6, most - 15, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_TOO_LONG), 2);
}

/* What one side's family leaves room for, the other's may not; and all is prepared both ways. */
static void test_families_crossed(void **state)
{
	size_t most_v6 = 1400 - 48 - 12, most_v4 = 1400 - 28 - 12;
	struct rig *r = *state;
	struct datagram d;
	uint8_t p[1600];

	rig_addresses(false);
	gw_b = rig_addr("fd00::1", 20010);
	peer_b = rig_addr("fd00::b", 6000);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
	next.hop.mtu = 1400;
	for (uint16_t seq = 1; seq <= 4; seq++) {
		assert_true(say(r, seq, seq % 2 ? PAYLOAD : most_v6, &d));
		assert_true(ip_port_equal(&d.source, &gw_b) && ip_port_equal(&d.destination, &peer_b));
		rig_send(r, peer_b, gw_b, p, rig_rtp(p, 9, seq, seq * 160u, seq % 2 ? PAYLOAD : most_v4));
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
		assert_true(ip_port_equal(&d.source, &gw_a) && ip_port_equal(&d.destination, &peer_a));
	}
	assert_int_equal(next.lookups, 2);
	assert_false(say(r, 5, most_v6 + 1, &d));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_TOO_LONG), 1);
	/* Nor has it then gone with the other family's headers: the next one is as those before. */
	assert_true(say(r, 6, PAYLOAD, &d));
	assert_true(ip_port_equal(&d.destination, &peer_b));
}

/* The peer's leg moves from one family to the other and back, and what is prepared with it. */
static void test_a_leg_that_changes_family(void **state)
{
	struct rig *r = *state;
	uint16_t seq = 1;

	call(r);
	for (unsigned i = 0; i < 3; i++) {
		struct datagram d;

		gw_b = rig_addr(i % 2 == v6 ? "10.0.0.1" : "fd00::1", 20010);
		peer_b = rig_addr(i % 2 == v6 ? "10.0.0.11" : "fd00::b", 6000);
		change(r, leg_b(DP_SECURITY_PLAIN));
		for (unsigned n = 0; n < 3; n++) {
			assert_true(say(r, seq++, PAYLOAD, &d));
			assert_true(ip_port_equal(&d.source, &gw_b));
			assert_true(ip_port_equal(&d.destination, &peer_b));
		}
	}
}

/* Versions go round. Where the sign changes, what was forgotten is no more good than anywhere else. */
static void test_any_version(void **state)
{
	static const uint32_t versions[] = {1, INT32_MAX, UINT32_C(1) << 31, UINT32_MAX};
	struct rig *r = *state;
	uint16_t seq = 1;

	call(r);
	for (unsigned i = 0; i < sizeof versions / sizeof *versions; i++) {
		union dp_msg m = leg_b(DP_SECURITY_PLAIN);
		struct datagram d;

		next.version = versions[i];
		assert_true(say(r, seq++, PAYLOAD, &d));
		assert_true(say(r, seq++, PAYLOAD, &d));
		m.leg_update.dscp = (uint8_t)(i + 1);
		change(r, m);
		assert_true(say(r, seq++, PAYLOAD, &d));
		assert_int_equal(d.dscp, i + 1);
		assert_true(say(r, seq++, PAYLOAD, &d));
		assert_int_equal(d.dscp, i + 1);
	}
}

/* The listener's leg gets more room, for what it hears itself: what it sends is numbered on from where it
 * was. */
static void test_a_leg_that_grows(void **state)
{
	struct rig *r = *state;
	struct datagram d, again;
	uint8_t p[256];

	call(r);
	assert_true(say(r, 1, PAYLOAD, &d));
	assert_true(say(r, 2, PAYLOAD, &d));
	for (uint32_t ssrc = 1; ssrc <= LEG_SSRC_FIRST; ssrc++) {
		rig_send(r, peer_b, gw_b, p, rig_rtp(p, ssrc, 1, 160, PAYLOAD));
		rig_run(r, 1);
		assert_true(rig_receive(r, &d));
	}
	assert_int_equal(rig_leg_state(r, S, 1)->far->memory_of, LEG_MEMORY_LARGE);
	assert_true(say(r, 3, PAYLOAD, &d));
	assert_false(say(r, 3, PAYLOAD, &again));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_DUPLICATE_OUT), 1);
	assert_true(say(r, 4, PAYLOAD, &again));
	assert_int_equal(be16_get(again.octets + 2), (uint16_t)(be16_get(d.octets + 2) + 1));
}

/* Over either family. */
#define BOTH(test)                                                                                           \
	{#test, test, open_v4, rig_close, NULL},                                                             \
	{                                                                                                    \
#test "_v6", test, open_v6, rig_close, NULL                                                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_one_lookup_for_many_packets),
		BOTH(test_a_next_hop_that_changes),
		BOTH(test_a_next_hop_that_does_not_come),
		BOTH(test_a_leg_that_changes),
		BOTH(test_a_peer_that_turns_out_to_be_elsewhere),
		BOTH(test_a_leg_that_becomes_secure),
		BOTH(test_room_on_the_way),
		BOTH(test_a_leg_that_changes_family),
		BOTH(test_any_version),
		BOTH(test_a_leg_that_grows),
		cmocka_unit_test_setup_teardown(test_families_crossed, open_v4, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
