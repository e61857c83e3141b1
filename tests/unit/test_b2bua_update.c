/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE from a peer: a change of the session without an ACK, or no change at all (RFC 3311). */
#include "tests/unit/b2bua_bench.h"

static void test_hold_by_update(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *p = i ? &alice : &bob, *other = i ? &bob : &alice;

		say(p, "UPDATE", "", sdp_as(p, 2, 12, "sendonly"));
		hear(other, "INVITE");
		expect_heard(other, "a=sendonly");
		answer(other, "200 OK", "", sdp_as(other, 2, 12, "recvonly"));
		hear(other, "ACK");
		hear(p, "200");
		expect_heard(p, "UPDATE\r\n");
		expect_heard(p, "a=recvonly");
		assert_int_equal(plane_last()->leg[i ? DP_SIDE_A : DP_SIDE_B].streams[0].direction, DP_RECV);
		say(p, "INVITE", "", sdp_as(p, 2, 13, "sendrecv")); /* nothing is left open */
		hear(other, "INVITE");
		answer(other, "200 OK", "", sdp_as(other, 2, 13, "sendrecv"));
		hear(other, "ACK");
		hear(p, "200");
		say(p, "ACK", "", "");
		silence(NULL);
	}
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_same_again_is_answered_by_the_gateway(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&bob, "UPDATE", "", sdp(&bob, 1));
	hear(&bob, "200");
	expect_heard(&bob, "a=crypto:1 ");
	say(&bob, "UPDATE", "", "");
	hear(&bob, "200");
	expect_not_heard(&bob, "m=audio");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_what_the_other_side_refuses(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "488 Not Here", "", "");
	hear(&alice, "ACK");
	hear(&bob, "488");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].streams[0].direction, DP_SENDRECV);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_what_is_refused_at_once(void **state)
{
	(void)state;
	say(&alice, "UPDATE", "", "");
	hear(&alice, "481");
	call_up(&alice, &bob);
	say(&bob, "UPDATE", "Require: foo\r\n", "");
	hear(&bob, "420");
	say(&bob, "UPDATE", "Content-Type: text/plain\r\n", "x");
	hear(&bob, "415");
	say(&bob, "UPDATE", "Supported: timer\r\nSession-Expires: 10\r\n", "");
	hear(&bob, "422");
	expect_heard(&bob, "Min-SE: 90");
	say(&bob, "UPDATE", "",
		"v=0\r\no=- 1 9 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/AVP 8\r\n");
	hear(&bob, "488");
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "491");
	say(&alice, "UPDATE", "", sdp_as(&alice, 3, 13, "sendonly"));
	hear(&alice, "500");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_before_the_answer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&bob, "UPDATE", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "");
	hear(&bob, "200");
	say(&bob, "UPDATE", "", sdp(&bob, 1));
	hear(&bob, "491");
	pass(15000);
	silence(&bob);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_an_answer_that_comes_too_late(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	pass(33000); /* its sender waits no longer, and the INVITE was cancelled after 20 s */
	hear_all(&alice, "CANCEL");
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "recvonly"));
	hear(&alice, "ACK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_hanging_up_meanwhile(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "INVITE");
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&bob, "487");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hold_by_update),
		T(test_the_same_again_is_answered_by_the_gateway),
		T(test_what_the_other_side_refuses),
		T(test_what_is_refused_at_once),
		T(test_before_the_answer),
		T(test_an_answer_that_comes_too_late),
		T(test_hanging_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
