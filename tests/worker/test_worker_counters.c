/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted near a packet's way in few bits, and what of it was not sent after all. */
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#include "dataplane/worker_private.h"

#define S 2
#define GCM SRTP_AEAD_AES_128_GCM
#define PAYLOAD 160
#define OCTETS (12 + PAYLOAD)
#define SEALED 52 /* of rig_sealed(), in the clear */

static void say(struct rig *r, uint16_t from, uint16_t to)
{
	uint8_t p[256];

	for (uint16_t seq = from; seq != to; seq++) {
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, seq, seq * 160u, PAYLOAD));
		rig_run(r, 1);
	}
}

/* Each of them runs over in the middle of ten packets: nobody sees it. */
static void test_counters_run_over(void **state)
{
	struct rig *r = *state;
	struct dp_stats_leg a, b, after;
	struct source *s;
	struct leg *leg;

	rig_plain_call(r, S);
	say(r, 1, 11);
	assert_int_equal(rig_heard(r), 10);
	leg = rig_leg_state(r, S, 0);
	s = &leg->source;
	leg->relayed = UINT16_MAX - 3;
	s->base -= UINT32_MAX - 4 - s->received;
	s->received = UINT32_MAX - 4;
	s->octets = UINT32_MAX - 5 * OCTETS;
	leg_leaving(rig_leg_state(r, S, 1))->packets = UINT32_MAX - 6;
	leg_leaving(rig_leg_state(r, S, 1))->octets = UINT32_MAX - 7 * OCTETS;
	a = *rig_leg_stats(r, S, 0);
	b = *rig_leg_stats(r, S, 1);
	assert_int_equal(a.rx_lost, 0);
	say(r, 11, 16);
	say(r, 17, 22);
	assert_int_equal(rig_heard(r), 10);
	after = *rig_leg_stats(r, S, 0);
	assert_int_equal(after.rx_packets - a.rx_packets, 10);
	assert_int_equal(after.rx_octets - a.rx_octets, 10 * OCTETS);
	assert_int_equal(after.verdicts[DP_V_RELAYED] - a.verdicts[DP_V_RELAYED], 10);
	assert_int_equal(after.rx_lost, 1);
	after = *rig_leg_stats(r, S, 1);
	assert_int_equal(after.tx_packets - b.tx_packets, 10);
	assert_int_equal(after.tx_octets - b.tx_octets, 10 * OCTETS);
}

/* A leg has sent what its port took; its key has sealed the rest, too. */
static void test_what_a_full_port_refuses(void **state)
{
	struct rig *r = *state;
	const struct dp_stats_leg *b;
	union dp_msg m;
	struct leg *leg;

	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_SRTP);
	m = rig_key(S, 1, DP_KEY_TX, GCM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	say(r, 0, 1200);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_TX_FULL), 1200 - (RIG_RING - 1));
	b = rig_leg_stats(r, S, 1);
	assert_int_equal(b->tx_packets, RIG_RING - 1);
	assert_int_equal(b->tx_octets, (RIG_RING - 1) * OCTETS);
	leg = rig_leg_state(r, S, 1);
	leg_tx_settle(r->w[0], leg);
	assert_int_equal(leg_tx(leg)->packets, 1200);
	assert_int_equal(leg_tx(leg)->octets, 1200 * OCTETS);
}

/*
 * A soft limit is reported with the packet that reaches it, of every key: the first has its place near what
 * packets read, the second has not, and so on; each opens the last packets of the one before it meanwhile.
 */
static void test_limits_of_every_key(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = NULL, *before = NULL;
	const struct dp_key_soft_limit *e;
	uint8_t p[256];
	uint16_t seq = 1;
	union dp_msg m;

	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, 0, DP_SECURITY_PLAIN);
	for (unsigned epoch = 1; epoch <= 6; epoch++) {
		bool octets = epoch % 3 == 0;

		m = rig_key(S, 0, DP_KEY_RX, GCM, epoch);
		m.key_add.fresh_index = 1;
		if (octets)
			m.key_add.soft_octets = 7 * SEALED;
		else
			m.key_add.soft_packets = 7;
		assert_int_equal(rig_command(r, &m), 0);
		if (before)
			assert_int_equal(leg_key_role(rig_leg_state(r, S, 0), KEY_PREVIOUS)->packets, 10);
		c = rig_peer(GCM, epoch, SRTP_PROTECT);
		rig_forget(r);
		for (unsigned i = 1; i <= 10; i++) {
			/* Octets are the leg's: what the key before opens meanwhile is among them. */
			if (before && i == 3 && !octets) {
				rig_send(r, peer_a, gw_a, p, rig_sealed(before, p, 4, seq++));
				rig_run(r, 1);
			}
			rig_send(r, peer_a, gw_a, p, rig_sealed(c, p, 4, seq++));
			rig_run(r, 1);
			if (rig_count(r, DP_KEY_SOFT_LIMIT) != (i >= 7))
				fail_msg("key %u, packet %u: %u reports", epoch, i,
					rig_count(r, DP_KEY_SOFT_LIMIT));
		}
		e = &rig_message(r, DP_KEY_SOFT_LIMIT)->key_soft_limit;
		assert_int_equal(e->epoch, epoch);
		assert_int_equal(e->limit, octets ? DP_LIMIT_OCTETS : DP_LIMIT_PACKETS);
		assert_int_equal(e->packets, 7);
		rig_heard(r);
		if (before)
			srtp_context_free(before);
		before = c;
	}
	srtp_context_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counters_run_over, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_what_a_full_port_refuses, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_limits_of_every_key, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
