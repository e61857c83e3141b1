/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE with an offer while the called side rings (RFC 3311 section 5), from either side. */
#include "tests/unit/b2bua_reliably.h"

/* by changes the session, and the other side hears of it; with new keys on both. */
static void changes(struct phone *by, struct phone *other, unsigned n, const char *ours, const char *theirs)
{
	char text[40];

	say(by, "UPDATE", "", sdp_as(by, n, 10 + n, ours));
	hear(other, "UPDATE");
	snprintf(text, sizeof text, "a=%s\r\n", ours);
	expect_heard(other, text);
	silence(by);
	reply_sdp(other, "200 OK", sdp_as(other, n, 10 + n, theirs));
	hear(by, "200");
	expect_heard(by, " UPDATE\r\n");
	expect_heard(by, "\r\nContact: ");
	snprintf(text, sizeof text, "a=%s\r\n", theirs);
	expect_heard(by, text);
	settle();
}

static void test_from_either_side(void **state)
{
	char first[120], second[120];

	(void)state;
	rings(&bob, &alice, UPDATES, UPDATES);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 1);
	changes(&bob, &alice, 2, "sendonly", "recvonly");
	crypto_of(&bob, first);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, 30002);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_RECV);
	changes(&alice, &bob, 3, "sendrecv", "sendrecv");
	crypto_of(&bob, second);
	assert_string_not_equal(first, second);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, 30003);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30003);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 3);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_A], 3);
	taken_and_over(&bob, &alice);
}

/* A new address and new keys: nobody else need know. What the other side would have to know is refused. */
static void test_the_gateway_answers_where_the_other_side_has_no_update(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *by = &bob, *other = &carol;
		enum dp_side side = i ? DP_SIDE_B : DP_SIDE_A;

		if (i)
			rings(other, by, "", UPDATES);
		else
			rings(by, other, UPDATES, "");
		say(by, "UPDATE", "", sdp_as(by, 2, 12, "sendrecv"));
		hear(by, "200");
		expect_heard(by, " UPDATE\r\n");
		expect_heard(by, "m=audio");
		expect_heard(by, "SAVP 8 0\r\n");
		expect_heard(by, "a=crypto:1 ");
		silence(NULL);
		assert_int_equal(plane_last()->leg[side].remote.port, 30002);
		assert_int_equal(plane_last()->leg[!side].remote.port, 30001);
		assert_int_equal(plane_last()->rx_keys[side], 2);
		assert_int_equal(plane_last()->rx_keys[!side], 1);
		say(by, "UPDATE", "", sdp_as(by, 3, 13, "sendonly"));
		hear(by, "488");
		expect_heard(by, "takes no UPDATE");
		silence(NULL);
		assert_int_equal(plane_last()->leg[side].remote.port, 30002);
		if (i)
			taken_and_over(other, by);
		else
			taken_and_over(by, other);
	}
}

static void test_offers_that_meet(void **state)
{
	struct sip_msg *kept;

	(void)state;
	rings(&alice, &bob, UPDATES, UPDATES);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "UPDATE");
	kept = sip_msg_clone(alice.heard);
	say(&alice, "UPDATE", "", sdp_as(&alice, 3, 13, "sendonly"));
	hear(&alice, "491");
	say(&bob, "UPDATE", "", sdp_as(&bob, 3, 13, "sendrecv"));
	hear(&bob, "500");
	expect_heard(&bob, "Retry-After");
	/* Who takes the call meanwhile is heard of when the change is over. */
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	sip_msg_free(alice.heard);
	alice.heard = kept;
	reply_sdp(&alice, "200 OK", sdp_as(&alice, 2, 12, "recvonly"));
	hear(&bob, "200");
	expect_heard(&bob, " UPDATE\r\n");
	hear(&alice, "200");
	expect_heard(&alice, " INVITE\r\n");
	expect_not_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].streams[0].direction, DP_RECV);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* RFC 3311 section 5.2: 500 to whose own offer is open, 491 to who has not answered ours. */
static void test_too_early(void **state)
{
	(void)state;
	dial(&alice, number_of(&bob), CAN UPDATES, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", UPDATES, "");
	hear(&alice, "180");
	say(&alice, "UPDATE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "500");
	expect_heard(&alice, "Retry-After");
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "491");
	answer(&bob, "183 Session Progress", RELIABLE "RSeq: 1\r\n" UPDATES, sdp(&bob, 1));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	/* The caller has not said that it has the first answer. */
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "500");
	expect_heard(&bob, "Retry-After");
	prack_heard(&alice);
	changes(&bob, &alice, 2, "sendonly", "recvonly");
	taken_and_over(&alice, &bob);
}

static void test_a_caller_without_reliable_responses(void **state)
{
	(void)state;
	dial(&alice, number_of(&bob), UPDATES, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", RELIABLE "RSeq: 1\r\n" UPDATES, sdp(&bob, 1));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "488");
	expect_heard(&bob, "no reliable responses");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_caller_refuses(void **state)
{
	(void)state;
	rings(&alice, &bob, UPDATES, UPDATES);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "UPDATE");
	reply(&alice, "488 Not Here");
	hear(&bob, "488");
	expect_heard(&bob, "Warning: 399");
	settle();
	assert_int_equal(plane_last()->leg[DP_SIDE_B].streams[0].direction, DP_SENDRECV);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30001);
	taken_and_over(&alice, &bob);
}

static void test_it_ends_meanwhile(void **state)
{
	(void)state;
	rings(&alice, &bob, UPDATES, UPDATES);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "UPDATE");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&bob, "487");
	expect_heard(&bob, " UPDATE\r\n");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	pass(40000);
	hear_all(&alice, "UPDATE");
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_from_either_side),
		T(test_the_gateway_answers_where_the_other_side_has_no_update),
		T(test_offers_that_meet),
		T(test_too_early),
		T(test_a_caller_without_reliable_responses),
		T(test_the_caller_refuses),
		T(test_it_ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
