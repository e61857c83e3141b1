/* SPDX-License-Identifier: Apache-2.0 */
/* ICE-lite as a peer's full agent sees it: what is answered, what is not, and who is still there. */
#include "tests/worker/ice.h"

static void test_answered(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	assert_true(ask(r, wifi, &c));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 1);
	assert_true(is_remote(r, wifi)); /* nothing better is known */
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &wifi));
	assert_true(nominate(r, cable, 1));
	assert_true(is_remote(r, cable));
	rig_run(r, 1);
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &cable));
}

static void test_answered_ipv6(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "fd00::1");
	assert_true(ask(r, wifi, &c));
	assert_true(is_remote(r, wifi));
}

/* Nothing leaves and nothing changes without the credentials. */
static void test_not_answered(void **state)
{
	struct rig *r = *state;
	struct stun_check c;
	struct stun_msg m;
	uint8_t p[512];
	size_t n;

	call_open(r, "10.0.0.1");
	static const struct str usernames[] = {
		{"", 0}, {"abcd", 4}, {"abc:d", 5}, {"abce:peer", 9}, {"abcdd:peer", 10}, {"peer:abcd", 9}};

	for (unsigned i = 0; i < sizeof usernames / sizeof *usernames; i++) {
		c = good();
		c.username = usernames[i];
		assert_false(ask(r, wifi, &c));
	}
	c = good();
	c.key = PWD_2;
	assert_false(ask(r, wifi, &c));
	/* Without FINGERPRINT, then without MESSAGE-INTEGRITY. */
	c = good();
	n = written(&c, p, sizeof p);
	assert_int_equal(stun_parse(p, n, &m), 0);
	p[3] = (uint8_t)(m.fingerprint - STUN_HEADER);
	rig_send(r, wifi, gw_a, p, m.fingerprint);
	p[3] = (uint8_t)(m.integrity - STUN_HEADER);
	rig_send(r, wifi, gw_a, p, m.integrity);
	rig_run(r, 2);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE_UNAUTHENTIC), 9);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 0);
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_null(rig_message(r, DP_REMOTE_CHANGED));
	/* A leg without ICE takes no STUN at all. */
	rig_send(r, peer_b, gw_b, p, written(&c, p, sizeof p));
	rig_run(r, 2);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_MALFORMED), 1);
}

static void test_refused(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();
	struct stun_msg m;
	uint8_t p[512];

	call_open(r, "10.0.0.1");
	c.controlled = c.use_candidate = true;
	assert_true(ask_at(r, wifi, gw_a, &c, &m));
	assert_int_equal(m.error, STUN_ROLE_CONFLICT);
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE_REFUSED), 1);
	/* With a wrong password there is no 487 either. */
	c.key = PWD_2;
	assert_false(ask_at(r, wifi, gw_a, &c, &m));
	/* No STUN: a length that does not fit. */
	rig_send(r, wifi, gw_a, p, written(&c, p, sizeof p) - 4);
	rig_run(r, 1);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_MALFORMED), 1);
}

/* More than a peer needs is not answered; who floods from elsewhere takes nothing from who is known. */
static void test_rate_limit(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();
	unsigned answered = 0;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	c.key = PWD_2;
	for (unsigned i = 0; i < 2 * ICE_CHECKS_PER_SECOND; i++)
		assert_false(ask(r, cable, &c));
	assert_in_range(rig_verdict(r, S, 0, DP_V_ICE_LIMIT), 1, 2 * ICE_CHECKS_PER_SECOND);
	assert_true(nominate(r, wifi, 3000));
	r->now += NS_PER_S;
	for (unsigned i = 0; i < 2 * ICE_CHECKS_PER_SECOND; i++)
		answered += nominate(r, wifi, 3000);
	assert_int_equal(answered, ICE_CHECKS_PER_SECOND);
}

/* Every leg is looked at once in a second. */
static void pass(struct rig *r, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		r->now += NS_PER_S - 2 * TICK_NS;
		rig_run(r, 2 * TICK_NS / NS_PER_MS);
	}
}

static void test_consent(void **state)
{
	static const uint8_t keepalive[STUN_HEADER] = {0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	pass(r, 20);
	assert_null(rig_message(r, DP_CONSENT_LOST));
	assert_true(nominate(r, wifi, 3000));
	pass(r, 20);
	c.key = PWD_2; /* a check that proves nothing is none */
	assert_false(ask(r, wifi, &c));
	assert_null(rig_message(r, DP_CONSENT_LOST));
	pass(r, 12);
	assert_int_equal(rig_count(r, DP_CONSENT_LOST), 1);
	assert_int_equal(rig_message(r, DP_CONSENT_LOST)->consent_lost.leg, 0);
	assert_in_range(rig_message(r, DP_CONSENT_LOST)->consent_lost.silent_ms, 30000, 60000);
	/* And again, as long as it lasts; a keepalive shows that somebody is there. */
	rig_send(r, wifi, gw_a, keepalive, sizeof keepalive);
	rig_send(r, relay, gw_a, keepalive, sizeof keepalive);
	rig_forget(r);
	pass(r, 29);
	assert_int_equal(rig_count(r, DP_CONSENT_LOST), 1);
	assert_in_range(rig_message(r, DP_CONSENT_LOST)->consent_lost.silent_ms, 20000, 29999);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 2);
	/* It was the last: the peer is missed 30 s after it, not after what was said meanwhile. */
	rig_forget(r);
	pass(r, 3);
	assert_int_equal(rig_count(r, DP_CONSENT_LOST), 1);
	assert_in_range(rig_message(r, DP_CONSENT_LOST)->consent_lost.silent_ms, 30000, 33000);
	rig_forget(r);
	assert_true(nominate(r, wifi, 3000));
	pass(r, 25);
	assert_null(rig_message(r, DP_CONSENT_LOST));
}

static void test_described(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	for (unsigned i = DP_ICE_WAITING; i <= DP_ICE_NOMINATED; i++) {
		assert_int_equal(rig_leg_stats(r, S, 0)->ice, i);
		if (i == DP_ICE_WAITING)
			assert_true(ask(r, wifi, &c));
		else
			assert_true(nominate(r, wifi, 1));
	}
}

/* A password is nowhere once it is not needed. */
static void test_passwords_are_wiped(void **state)
{
	struct rig *r = *state;
	const uint8_t *memory = (const void *)r->w[0]->mailbox.command_memory;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	dp_msg_init(&m, DP_LEG_ICE, 0);
	m.leg_ice.session = S;
	credentials(&m.leg_ice.credentials[0], "efgh", PWD_2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_null(memmem(&m, sizeof m, PWD_2, sizeof PWD_2 - 1));
	assert_null(memmem(memory, MAILBOX_COMMANDS * sizeof(struct command), PWD_2, sizeof PWD_2 - 1));
	assert_int_equal(rig_session_delete(r, S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answered, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_answered_ipv6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_not_answered, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_refused, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rate_limit, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_consent, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_described, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_passwords_are_wiped, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
