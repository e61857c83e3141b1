/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody is told that he may speak before the data plane has said that it hears him. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

/* alice calls bob, who has answered with 200; the data plane has not. */
static void answer_unacknowledged(void)
{
	bench.plane.slow = true;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(counter("answered"), 0);
}

static void bob_hears_the_end(const char *reason)
{
	hear(&bob, "BYE");
	if (reason)
		expect_heard(&bob, reason);
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_the_200_waits_for_the_data_plane(void **state)
{
	(void)state;
	answer_unacknowledged();
	pass(1500);
	silence(NULL);
	plane_acknowledge();
	hear(&alice, "200");
	expect_heard(&alice, "m=audio 2");
	/* Both legs with all their keys, and nothing that a 200 would be wrong about. */
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 1);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	say(&alice, "ACK", "", "");
	plane_acknowledge();
	silence(NULL);
	assert_int_equal(counter("answered"), 1);
	bench.plane.slow = false;
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_early_media_waits_too(void **state)
{
	(void)state;
	bench.plane.slow = true;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	silence(NULL);
	plane_acknowledge();
	hear(&alice, "183");
	expect_heard(&alice, "SIP/2.0 183 Session Progress");
	expect_heard(&alice, "m=audio 2");
	/* What comes meanwhile says the same and more: one response with the answer. */
	answer(&bob, "183 Session Progress", "", sdp_as(&bob, 2, 2, "sendonly"));
	silence(NULL);
	answer(&bob, "180 Ringing", "", "");
	silence(NULL);
	plane_acknowledge();
	hear(&alice, "180");
	expect_heard(&alice, "m=audio 2");
	/* The 200 passes a response that still waits. */
	answer(&bob, "183 Session Progress", "", sdp(&bob, 3));
	answer(&bob, "200 OK", "", sdp(&bob, 3));
	hear(&bob, "ACK");
	silence(NULL);
	plane_acknowledge();
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	plane_acknowledge();
	silence(NULL);
	bench.plane.slow = false;
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_change_waits_too(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendrecv"));
	silence(NULL); /* alice may speak under a new key as soon as she hears the offer */
	plane_acknowledge();
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "sendrecv"));
	hear(&alice, "ACK");
	silence(NULL);
	/* Until bob has our answer he knows only the key that we had; then he hears the new one. */
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	plane_acknowledge();
	hear(&bob, "200");
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	say(&bob, "ACK", "", "");
	/* A session refresh has nothing to wait for. */
	plane_acknowledge();
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	plane_acknowledge();
	silence(NULL);
	bench.plane.slow = false;
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_refusal_that_comes_late(void **state)
{
	(void)state;
	bench.plane.refuse_type = DP_KEY_ADD;
	answer_unacknowledged();
	bench.plane.refuse_type = 0;
	bench.plane.slow = false;
	plane_acknowledge();
	hear(&alice, "503");
	expect_heard(&alice, "the data plane refused the session: the plane says no");
	say(&alice, "ACK", "", "");
	bob_hears_the_end("Reason: SIP;cause=503");
	assert_int_equal(counter("answered"), 0);
}

static void test_the_caller_gives_up_meanwhile(void **state)
{
	(void)state;
	answer_unacknowledged();
	bench.plane.slow = false;
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	plane_acknowledge();
	say(&alice, "ACK", "", "");
	bob_hears_the_end(NULL);
}

static void test_the_called_side_hangs_up_meanwhile(void **state)
{
	(void)state;
	answer_unacknowledged();
	bench.plane.slow = false;
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&alice, "487");
	plane_acknowledge();
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_the_caller_hangs_up_meanwhile(void **state)
{
	(void)state;
	answer_unacknowledged();
	bench.plane.slow = false;
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	plane_acknowledge();
	say(&alice, "ACK", "", "");
	bob_hears_the_end(NULL);
}

static void test_a_change_is_called_off_meanwhile(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	plane_acknowledge();
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&bob, "ACK");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	plane_acknowledge();
	hear(&alice, "200"); /* bob has changed already: so it holds */
	expect_heard(&alice, "CSeq: 2 INVITE");
	say(&alice, "ACK", "", "");
	plane_acknowledge();
	silence(NULL);
	bench.plane.slow = false;
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* A change of alice's goes through, and then the call is hung up. */
static void change_and_hang_up(unsigned version)
{
	bench.plane.slow = false;
	plane_acknowledge();
	say(&alice, "INVITE", "", sdp_as(&alice, 3, version, "sendrecv"));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 3, version, "sendrecv"));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_an_offer_is_called_off_before_anybody_heard_of_it(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	plane_acknowledge();
	plane_acknowledge();
	silence(NULL);
	change_and_hang_up(13);
}

static void test_an_offer_that_cannot_be_sent_when_its_time_comes(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	bench.send_result = -ECONNREFUSED;
	bench.refuse_ip = bob.ip;
	plane_acknowledge();
	bench.send_result = 0;
	hear(&alice, "503");
	say(&alice, "ACK", "", "");
	plane_acknowledge();
	silence(NULL);
	change_and_hang_up(13);
}

static void test_a_delayed_offer_waits_too(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	say(&alice, "INVITE", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	silence(NULL); /* alice answers with a new key, and speaks under it before her ACK is here */
	plane_acknowledge();
	hear(&alice, "200");
	expect_heard(&alice, "m=audio 2");
	say(&alice, "ACK", "", sdp_as(&alice, 2, 12, "sendrecv"));
	silence(NULL);
	plane_acknowledge();
	hear(&bob, "ACK");
	plane_acknowledge();
	silence(NULL);
	change_and_hang_up(13);
}

static void test_our_own_offer_waits_too(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.slow = true;
	plane_restart(false);
	pass(2000);
	silence(NULL);
	plane_acknowledge();
	hear(&bob, "INVITE"); /* new keys, as those in force may not be used again */
	expect_heard(&bob, "a=crypto:1 ");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	plane_acknowledge();
	silence(NULL);
	change_and_hang_up(13);
}

static void test_the_data_plane_is_lost_meanwhile(void **state)
{
	(void)state;
	answer_unacknowledged();
	bench.plane.slow = false;
	plane_away();
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	plane_restart(true); /* what may have been lost on the way is said again */
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_end_of_the_process_meanwhile(void **state)
{
	(void)state;
	answer_unacknowledged();
	b2bua_shutdown(bench.b2bua);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_200_waits_for_the_data_plane),
		T(test_early_media_waits_too),
		T(test_a_change_waits_too),
		T(test_a_refusal_that_comes_late),
		T(test_the_caller_gives_up_meanwhile),
		T(test_the_called_side_hangs_up_meanwhile),
		T(test_the_caller_hangs_up_meanwhile),
		T(test_a_change_is_called_off_meanwhile),
		T(test_an_offer_is_called_off_before_anybody_heard_of_it),
		T(test_an_offer_that_cannot_be_sent_when_its_time_comes),
		T(test_a_delayed_offer_waits_too),
		T(test_our_own_offer_waits_too),
		T(test_the_data_plane_is_lost_meanwhile),
		T(test_the_end_of_the_process_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
