/* SPDX-License-Identifier: Apache-2.0 */
/* The data plane is restarted under calls: they go on, with new keys wherever keys were in use. */
#include "tests/unit/b2bua_bench.h"

/* The data plane has lost everything, and what it is told comes in anew. */
static struct plane_session *restarted(void)
{
	plane_restart(false);
	pass(100);
	return plane_last();
}

/* The phone was offered new keys and takes them. */
static void take_keys(struct phone *p, unsigned n)
{
	hear(p, "INVITE");
	expect_heard(p, p->suite);
	answer(p, "200 OK", "", sdp_as(p, n, 10 + n, "sendrecv"));
	hear(p, "ACK");
}

static void both_end(struct phone *a, struct phone *b, const char *reason)
{
	hear(a, "BYE");
	reply(a, "200 OK");
	hear(b, "BYE");
	expect_heard(b, reason);
	reply(b, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_a_secure_leg_gets_new_keys(void **state)
{
	struct plane_session *s;

	(void)state;
	call_up(&alice, &bob);
	s = restarted();
	/* At once all that can be said again: who was known is heard, and no send key sends twice. */
	assert_true(s->live);
	assert_int_equal(s->leg[DP_SIDE_A].remote.port, 30001);
	assert_int_equal(s->rx_keys[DP_SIDE_B], 1);
	assert_int_equal(s->tx_keys[DP_SIDE_B], 0);
	silence(&alice); /* nothing of hers has changed */
	take_keys(&bob, 2);
	assert_int_equal(s->rx_keys[DP_SIDE_B], 2);
	assert_int_equal(s->tx_keys[DP_SIDE_B], 1);
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_both_legs_of_a_secure_call(void **state)
{
	struct plane_session *s;

	(void)state;
	call_up(&bob, &carol);
	s = restarted();
	take_keys(&carol, 2); /* her trunk's reinvite-keys own-leg does not bring the old one back */
	assert_int_equal(s->tx_keys[DP_SIDE_B], 1);
	assert_int_equal(s->tx_keys[DP_SIDE_A], 0);
	take_keys(&bob, 2);
	assert_int_equal(s->tx_keys[DP_SIDE_A], 1);
	silence(NULL);
	/* And once more. */
	s = restarted();
	assert_int_equal(s->tx_keys[DP_SIDE_A] + s->tx_keys[DP_SIDE_B], 0);
	take_keys(&bob, 3);
	take_keys(&carol, 3);
	hang_up(&bob, &carol);
	expect_no_calls();
}

static void test_a_peer_that_refuses_new_keys(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	answer(&bob, "488 Not Here", "", "");
	hear(&bob, "ACK");
	both_end(&alice, &bob, "text=\"an offer of new keys was refused: 488 Not Here\"");
	assert_string_equal(last_reason(), "503 trunk carrier-a refused an offer of new keys: 488 Not Here");
}

static void test_a_peer_that_does_not_answer(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	silence(&alice);
	pass(33000);
	hear_all(&alice, "BYE");
	reply(&alice, "200 OK");
	hear(&bob, "CANCEL");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	expect_no_calls();
}

static void test_an_answer_without_keys(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&alice, 1));
	hear(&bob, "ACK");
	both_end(&alice, &bob, "Reason: SIP;cause=488");
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
}

static void test_glare(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendonly")); /* they cross */
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "491");
	say(&alice, "ACK", "", "");
	answer(&bob, "491 Request Pending", "", "");
	hear(&bob, "ACK");
	/* The Call-ID of this leg is the gateway's: bob may try again first. */
	pass(2000);
	silence(NULL);
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 13, "sendonly"));
	pass(3000);
	hear(&bob, "100");
	hear_all(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 13, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	/* That brought a new key of his, and so one of ours: nothing is left to do. */
	pass(5000);
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_refresh_does_not_bring_the_old_key_back(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&bob, "INVITE", "", sdp_as(&bob, 1, 1, "sendrecv")); /* what he offered first */
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 1);
	restarted();
	hear(&bob, "INVITE");
	answer(&bob, "491 Request Pending", "", "");
	hear(&bob, "ACK");
	say(&bob, "INVITE", "", sdp_as(&bob, 1, 1, "sendrecv"));
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 1); /* a new one: none was left */
	pass(5000);
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_call_that_is_being_set_up(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "183 Session Progress", "", sdp(&alice, 1));
	hear(&bob, "183");
	restarted();
	silence(NULL); /* new keys have to wait until the call is up */
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear_all(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	take_keys(&bob, 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 1);
	hang_up(&bob, &alice);
	/* One that has no media yet needs nothing. */
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	restarted();
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear_all(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 1);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_change_that_is_under_way(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	restarted();
	silence(NULL);
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	take_keys(&bob, 2);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_somebody_hangs_up_meanwhile(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_restart(false); /* not yet its turn */
	hang_up(&alice, &bob);
	expect_no_calls();
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv")); /* crosses it */
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

static void test_a_data_plane_that_dies_twice(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	restarted();
	hear(&bob, "INVITE");
	restarted();
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	pass(100);
	/* The key that was offered had sent nothing yet. */
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* More calls than are set up again at a time. */
static void test_many_calls(void **state)
{
	enum { CALLS = 120 };
	static struct phone from[CALLS], to[CALLS];
	unsigned invited = 0;

	(void)state;
	calls_up(from, to, CALLS);
	assert_int_equal(bench.live, CALLS);
	plane_restart(false);
	pass(20);
	assert_in_range(bench.live, 1, CALLS - 1);
	pass(200);
	assert_int_equal(bench.live, CALLS);
	while (hear_any(&bob))
		invited += bob.heard->request && bob.heard->method == SIP_INVITE;
	assert_int_equal(invited, CALLS);
	for (unsigned i = 0; i < CALLS; i++) {
		phone_forget(&from[i]);
		phone_forget(&to[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_secure_leg_gets_new_keys),
		T(test_both_legs_of_a_secure_call),
		T(test_a_peer_that_refuses_new_keys),
		T(test_a_peer_that_does_not_answer),
		T(test_an_answer_without_keys),
		T(test_glare),
		T(test_a_refresh_does_not_bring_the_old_key_back),
		T(test_a_call_that_is_being_set_up),
		T(test_a_change_that_is_under_way),
		T(test_somebody_hangs_up_meanwhile),
		T(test_a_data_plane_that_dies_twice),
		T(test_many_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
