/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that pass each other on the way. */
#include "tests/unit/b2bua_bench.h"

/* Both sides hang up before either hears of it: each BYE is answered, and nobody is asked again. */
static void test_byes_that_cross(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *first = i ? &bob : &alice, *second = i ? &alice : &bob;

		call_up(&alice, &bob);
		say(first, "BYE", "", "");
		hear(first, "200");
		say(second, "BYE", "", "");
		hear(second, "BYE");
		struct sip_msg *ours = sip_msg_clone(second->heard);

		hear(second, "481"); /* to us its dialog is over already (RFC 3261 section 15.1.2) */
		sip_msg_free(second->heard);
		second->heard = ours;
		reply(second, "481 Call/Transaction Does Not Exist");
		pass(33000);
		silence(NULL);
		expect_no_calls();
		assert_string_equal(
			last_reason(), i ? "the called side hung up" : "the calling side hung up");
	}
}

/* One hangs up while the other's re-INVITE is on its way to it. */
static void test_a_bye_crosses_a_reinvite(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	say(&bob, "BYE", "", "");
	hear(&bob, "INVITE");
	hear(&bob, "200");
	expect_heard(&bob, " BYE\r\n");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	answer(&bob, "481 Gone", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

/* The CANCEL comes when our 200 is on its way: the call stands, and is ended like one that stands. */
static void test_a_cancel_crosses_our_200(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	expect_heard(&alice, " INVITE\r\n");
	hear(&alice, "200");
	expect_heard(&alice, " CANCEL\r\n");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Ours and theirs pass each other: both are refused with 491, and ours comes again by itself (RFC 3261 14.1).
 */
static void test_our_reinvite_meets_theirs(void **state)
{
	struct plane_session *s;
	unsigned keys;

	(void)state;
	call_up(&alice, &bob);
	plane_restart(false);
	pass(100);
	hear(&bob, "INVITE"); /* new keys */
	struct sip_msg *ours = sip_msg_clone(bob.invite);

	say(&bob, "INVITE", "", sdp_as(&bob, 3, 13, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	sip_msg_free(bob.invite);
	bob.invite = ours;
	answer(&bob, "491 Request Pending", "", "");
	hear(&bob, "ACK");
	silence(&bob);
	pass(2090); /* we sent the first INVITE of this dialog: at least 2.1 s */
	silence(&bob);
	pass(2000);
	hear(&bob, "INVITE");
	s = plane_last();
	keys = s->tx_keys[DP_SIDE_B];
	answer(&bob, "200 OK", "", sdp_as(&bob, 4, 14, "sendrecv"));
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], keys + 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_byes_that_cross),
		T(test_a_bye_crosses_a_reinvite),
		T(test_a_cancel_crosses_our_200),
		T(test_our_reinvite_meets_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
