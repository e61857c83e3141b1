/* SPDX-License-Identifier: Apache-2.0 */
/* Where media goes and whence it is taken, of the pairs that an ICE agent has checked and nominated. */
#include "tests/worker/ice.h"

/* RFC 8445: one pair is nominated, and another one when the peer changes its mind, whatever the priorities.
 */
static void test_peer_changes_its_mind(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	assert_true(ask(r, wifi, &c));
	c = good();
	assert_true(ask(r, cable, &c));
	assert_true(nominate(r, cable, 3000));
	assert_true(is_remote(r, cable));
	assert_true(nominate(r, wifi, 2000));
	assert_true(is_remote(r, wifi));
	/* A check of another pair that is not nominated moves nothing. */
	c = good();
	assert_true(ask(r, cable, &c));
	assert_true(is_remote(r, wifi));
}

/* RFC 5245: every pair is nominated at once, and the highest priority counts while it works. */
static void test_aggressive_nomination(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, cable, 2000));
	assert_true(nominate(r, wifi, 3000));
	assert_true(nominate(r, relay, 1000));
	assert_true(is_remote(r, wifi));
	r->now += 10 * NS_PER_S;
	assert_true(nominate(r, relay, 1000));
	assert_true(is_remote(r, relay));
}

/* An ICE restart: the old pair serves until the peer nominates with the new credentials, not a moment longer.
 */
static void test_restart_overlaps(void **state)
{
	struct rig *r = *state;
	struct stun_check renewed = good();

	renewed.username = STR("efgh:peer");
	renewed.key = PWD_2;
	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	assert_false(ask(r, cable, &renewed));
	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0);
	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0); /* said twice, it means the same */
	assert_true(nominate(r, wifi, 3000));
	assert_true(ask(r, cable, &renewed));
	assert_true(is_remote(r, wifi));
	renewed.use_candidate = true;
	renewed.priority = 1;
	assert_true(ask(r, cable, &renewed));
	assert_true(is_remote(r, cable));
	/* Late checks of before are answered, and nominate nothing. */
	r->now += NS_PER_S;
	assert_true(nominate(r, wifi, 9000));
	assert_true(nominate(r, relay, 9000));
	assert_true(is_remote(r, cable));
	assert_int_equal(leg_ice(r, "efgh", PWD_2, NULL, NULL), 0);
	assert_false(nominate(r, wifi, 9000));
}

static bool check_as(struct rig *r, struct ip_port from, struct str username, bool nominates)
{
	struct stun_check c = good();

	c.username = username;
	c.use_candidate = nominates;
	return ask(r, from, &c);
}

static int answered_by(struct rig *r, const char *fragment)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LEG_ICE, 0);
	m.leg_ice.session = S;
	m.leg_ice.consent_s = 30;
	credentials(&m.leg_ice.credentials[0], "abcd", PWD_1);
	m.leg_ice.peer = dp_ice_peer(fragment, strlen(fragment));
	return rig_command(r, &m);
}

static bool is_sender(struct rig *r, struct ip_port from, const char *fragment)
{
	static const uint8_t hello[60] = {22, 0xfe, 0xfd};
	const union dp_msg *m;

	rig_forget(r);
	rig_send(r, from, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	m = rig_message(r, DP_PUNT_RX);
	return m && m->punt.peer == dp_ice_peer(fragment, strlen(fragment));
}

/* One offer rang at several, which check from when they are picked up: of them only who answers has the
 * call's media. */
static void test_who_answers_of_several(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(check_as(r, wifi, STR("abcd:anna"), true));
	assert_true(check_as(r, relay, STR("abcd:bert"), false));
	assert_true(check_as(r, cable, STR("abcd:bert"), true));
	assert_true(is_remote(r, cable));
	assert_true(is_sender(r, wifi, "anna"));
	assert_true(is_sender(r, cable, "bert"));
	rig_forget(r);
	assert_int_equal(answered_by(r, "anna"), 0);
	assert_true(is_remote(r, wifi));
	rig_run(r, 2);
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &wifi));
	/* The other hears that it is over a little later; until then it is answered, and moves nothing. */
	assert_true(check_as(r, cable, STR("abcd:bert"), true));
	assert_true(is_remote(r, wifi));
	assert_true(check_as(r, relay, STR("abcd:anna"), false));
	assert_true(check_as(r, relay, STR("abcd:anna"), true));
	assert_true(is_remote(r, relay));
	/* An earlier one's answer may have been early media's only. */
	assert_int_equal(answered_by(r, "bert"), 0);
	assert_true(is_remote(r, cable));
}

/* It answers before its first check comes: what another has checked is no way to it. */
static void test_who_answers_checks_later(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(check_as(r, cable, STR("abcd:bert"), true));
	assert_int_equal(answered_by(r, "anna"), 0);
	assert_true(check_as(r, cable, STR("abcd:bert"), true));
	assert_int_equal(rig_leg_stats(r, S, 0)->ice, DP_ICE_CHECKED);
	assert_true(check_as(r, wifi, STR("abcd:anna"), false));
	assert_true(is_remote(r, wifi));
	assert_true(check_as(r, cable, STR("abcd:bert"), true));
	assert_true(check_as(r, relay, STR("abcd:anna"), false));
	assert_true(is_remote(r, wifi));
	assert_true(check_as(r, relay, STR("abcd:anna"), true));
	assert_true(is_remote(r, relay));
}

static bool says_to(struct rig *r, struct ip_port peer, struct ip_port by, uint16_t seq)
{
	static struct datagram d;
	uint8_t p[512];

	rig_send(r, peer_b, gw_b, p, rig_rtp(p, 8, seq, seq * 160u, 160));
	rig_run(r, 1);
	return rig_receive(r, &d) && ip_port_equal(&d.destination, &peer) && ip_port_equal(&d.source, &by);
}

/*
 * A re-key: the peer is told of the leg's other port and restarts. Checks are answered from the port that
 * they came to; media leaves by the old one until the peer nominates the new one, whatever signalling says
 * meanwhile; and back the other way the next time, though the peer was seen there before.
 */
static void restart_on_the_other_port(struct rig *r, const char *ip)
{
	struct stun_check renewed = good(), again = good();
	struct ip_port gw_a2 = rig_addr(ip, 20001);
	struct stun_msg m;
	union dp_msg u, moved;

	renewed.username = STR("efgh:peer");
	renewed.key = PWD_2;
	renewed.use_candidate = again.use_candidate = true;
	call_open(r, ip);
	u = moved = secure_leg(ip);
	u.leg_update.local_rtcp = gw_a2;
	moved.leg_update.local = gw_a2;
	moved.leg_update.local_rtcp = gw_a;
	assert_int_equal(rig_command(r, &u), 0);
	u = rig_key(S, 0, DP_KEY_TX, SRTP_AEAD_AES_128_GCM, 2);
	assert_int_equal(rig_command(r, &u), 0);
	assert_true(nominate(r, wifi, 3000));
	assert_true(says_to(r, wifi, gw_a, 1));

	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0);
	assert_int_equal(rig_command(r, &moved), 0);
	assert_true(says_to(r, wifi, gw_a, 2));
	assert_true(nominate(r, wifi, 3000)); /* consent for the pair from before */
	assert_true(says_to(r, wifi, gw_a, 3));
	assert_true(ask_at(r, wifi, gw_a2, &renewed, &m));
	assert_true(says_to(r, wifi, gw_a2, 4));
	assert_int_equal(rig_command(r, &moved), 0);
	assert_true(says_to(r, wifi, gw_a2, 5));
	assert_true(nominate(r, wifi, 9000)); /* late, at the old port: answered from there, moves nothing */
	assert_true(says_to(r, wifi, gw_a2, 6));

	assert_int_equal(leg_ice(r, "abcd", PWD_1, "efgh", PWD_2), 0);
	assert_true(ask_at(r, wifi, gw_a, &again, &m));
	assert_true(says_to(r, wifi, gw_a, 7));
}

static void test_restart_on_the_other_port(void **state)
{
	restart_on_the_other_port(*state, "10.0.0.1");
}

static void test_restart_on_the_other_port_v6(void **state)
{
	restart_on_the_other_port(*state, "fd00::1");
}

/* Media on its way, and what a check may change of where it goes. */
static void media_moves_with_nominations(struct rig *r, const char *ip)
{
	struct stun_check c = good();
	union dp_msg m;

	call_open(r, ip);
	m = rig_key(S, 0, DP_KEY_TX, SRTP_AEAD_AES_128_GCM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(nominate(r, wifi, 3000));
	assert_true(says_to(r, wifi, gw_a, 1));
	assert_true(says_to(r, wifi, gw_a, 2));
	/* One that is not nominated is answered where it came from; media stays. */
	assert_true(ask(r, cable, &c));
	assert_true(says_to(r, wifi, gw_a, 3));
	assert_true(nominate(r, cable, 4000));
	assert_true(says_to(r, cable, gw_a, 4));
	assert_true(says_to(r, cable, gw_a, 5));
}

static void test_media_moves_with_nominations(void **state)
{
	media_moves_with_nominations(*state, "10.0.0.1");
}

static void test_media_moves_with_nominations_v6(void **state)
{
	media_moves_with_nominations(*state, "fd00::1");
}

static unsigned heard_at(struct rig *r, struct ip_port to)
{
	struct datagram d;
	unsigned n = 0;

	while (rig_receive(r, &d))
		n += ip_port_equal(&d.destination, &to);
	return n;
}

/* Media and DTLS are heard from every pair that was checked and from nobody else; they go to the nominated
 * one. */
static void test_media_follows(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(SRTP_AEAD_AES_128_GCM, 1, SRTP_PROTECT);
	struct stun_check check = good();
	uint8_t p[512], hello[60] = {22, 0xfe, 0xfd};
	struct datagram d;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	m = rig_key(S, 0, DP_KEY_RX, SRTP_AEAD_AES_128_GCM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, SRTP_AEAD_AES_128_GCM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(ask(r, cable, &check));
	assert_true(nominate(r, wifi, 3000));
	const struct ip_port from[] = {wifi, cable, relay, wifi};

	for (uint16_t i = 0; i < 4; i++) {
		size_t n = rig_rtp(p, 7, (uint16_t)(i + 1), i * 160u, 160);

		assert_int_equal(srtp_context_protect(c, p, &n, sizeof p), 0);
		rig_send(r, from[i], gw_a, p, n);
		rig_run(r, 1);
		assert_int_equal(heard_at(r, peer_b), i != 2);
		assert_true(is_remote(r, wifi));
	}
	assert_int_equal(rig_verdict(r, S, 0, DP_V_WRONG_SOURCE), 1);
	rig_send(r, peer_b, gw_b, p, rig_rtp(p, 8, 1, 0, 160));
	rig_run(r, 1);
	assert_int_equal(heard_at(r, wifi), 1);

	rig_forget(r);
	rig_send(r, relay, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_null(rig_message(r, DP_PUNT_RX));
	rig_send(r, cable, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_true(ip_port_equal(&rig_message(r, DP_PUNT_RX)->punt.remote, &cable));
	dp_msg_init(&m, DP_PUNT_TX, 0);
	m.punt.session = S;
	m.punt.n = sizeof hello;
	m.punt.remote = relay;
	memcpy(m.punt.octets, hello, sizeof hello);
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(rig_receive(r, &d));
	assert_true(ip_port_equal(&d.destination, &wifi));
	srtp_context_free(c);
}

/* The peer chooses; what signalling says later of its address does not, until ICE ends. */
static void test_signalling_does_not_move_it(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	m = secure_leg("10.0.0.1");
	m.leg_update.remote = cable;
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, wifi));
	m = secure_leg("10.0.0.1");
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, wifi));
	assert_int_equal(leg_ice(r, NULL, NULL, NULL, NULL), 0);
	m = secure_leg("10.0.0.1");
	m.leg_update.remote = cable;
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, cable));
	assert_false(nominate(r, wifi, 3000));
}

/* RTCP on a port of its own is a component of its own. */
static void test_second_component(void **state)
{
	struct ip_port rtcp_local = rig_addr("10.0.0.1", 20001), rtcp = rig_addr("10.0.0.10", 5001);
	struct rig *r = *state;
	struct stun_check c = good();
	struct stun_msg m;
	union dp_msg u;

	call_open(r, "10.0.0.1");
	u = secure_leg("10.0.0.1");
	u.leg_update.flags = 0;
	u.leg_update.local_rtcp = rtcp_local;
	assert_int_equal(rig_command(r, &u), 0);
	c.use_candidate = true;
	assert_true(ask_at(r, rtcp, rtcp_local, &c, &m));
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_true(ip_port_equal(&rig_leg_state(r, S, 0)->far->rtcp.remote, &rtcp));
	assert_true(nominate(r, wifi, 1));
	assert_true(is_remote(r, wifi));
	assert_true(ip_port_equal(&rig_leg_state(r, S, 0)->far->rtcp.remote, &rtcp));
}

/* More addresses than there is room for: the one in use stays. */
static void test_many_addresses(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 5000));
	for (uint16_t i = 0; i < 3 * ICE_PAIRS_MAX; i++)
		assert_true(nominate(r, rig_addr("10.0.0.12", (uint16_t)(7000 + i)), 100));
	assert_true(is_remote(r, wifi));
	assert_int_equal(rig_leg_state(r, S, 0)->far->ice->components[0].n, ICE_PAIRS_MAX);
	assert_non_null(ice_pair_find(&rig_leg_state(r, S, 0)->far->ice->components[0], &wifi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_peer_changes_its_mind, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_aggressive_nomination, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_restart_overlaps, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_who_answers_of_several, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_who_answers_checks_later, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_restart_on_the_other_port, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_restart_on_the_other_port_v6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_moves_with_nominations, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_moves_with_nominations_v6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_follows, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_signalling_does_not_move_it, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_second_component, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_many_addresses, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
