/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers that come to nothing: who talked with each other still do, unless they hang up. */
#include "tests/unit/b2bua_transfers.h"

static void test_a_target_that_does_not_answer_leaves_the_call(void **state)
{
	(void)state;
	begun();
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 486 Busy Here\r\n", "Subscription-State: terminated;");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(bench.live, 1);
	assert_int_equal(counter("transfers_failed"), 1);
	/* The next one may come. Nobody answers it. */
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	expect_heard(&bob, "Event: refer;id=2\r\n");
	hear(&carol, "INVITE");
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "491");
	answer(&carol, "180 Ringing", "", "");
	reported(&bob, "SIP/2.0 180 Ringing\r\n", "active");
	pass(20100); /* the ring timeout */
	hear(&carol, "CANCEL");
	reported(&bob, "SIP/2.0 408 Request Timeout\r\n", "terminated");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* alice will not change over: carol is let go, bob is still there. */
static void test_who_stays_does_not_take_it(void **state)
{
	(void)state;
	begun();
	answered();
	answer(&alice, "488 Not Acceptable Here", "", "");
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	reported(&bob, "SIP/2.0 480 ", "terminated");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* carol's side fails when alice has changed over: she is offered the old session again, with new keys. */
static void test_who_changed_over_in_vain_is_called_back(void **state)
{
	(void)state;
	begun();
	answered();
	bench.plane.slow = true;
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	say(&carol, "BYE", "", "");
	hear(&carol, "200");
	bench.plane.slow = false;
	plane_acknowledge();
	reported(&bob, "SIP/2.0 480 ", "terminated");
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP 8 0\r\n");
	answer(&alice, "200 OK", "", sdp(&alice, 7));
	hear(&alice, "ACK");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_who_stays_hangs_up(void **state)
{
	(void)state;
	begun();
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(1000);
	/* Nothing was heard of carol, and what is not there cannot be cancelled. */
	answer(&carol, "180 Ringing", "", "");
	hear(&carol, "CANCEL");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(bench.live, 0);
	/* With the re-INVITE on its way. */
	begun();
	answered();
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&carol, "ACK");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(bench.live, 0);
}

static void test_targets_that_cannot_be_called(void **state)
{
	static const struct {
		const char *headers, *status, *why;
	} cases[] = {
		{"Refer-To: <sip:+9001@b>\r\n", "404", "no route"},
		{"Refer-To: <sip:+4001@b>\r\n", "503", "cannot be called now"},
		{"Refer-To: <sips:+1001@b>\r\n", "503", "not encrypted"},
		{"Refer-To: <sip:+1@b?Replaces=abc>\r\n", "603", "to-tag"},
		{"Refer-To: <sip:+1@b?Replaces=%ZZ>\r\n", "603", "no SIP"},
		{"Refer-To: <sip:+1@b?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "603", "no other call"},
	};

	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		say(&bob, "REFER", cases[i].headers, "");
		hear(&bob, cases[i].status);
		expect_heard(&bob, cases[i].why);
		expect_not_heard(&bob, "drained");
		silence(NULL);
		assert_int_equal(counter("refused_transfer"), i + 1);
	}
	/* The other side's trunk has no such policy. */
	say(&alice, "REFER", TO_CAROL, "");
	hear(&alice, "603");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Who keeps the first key that it heard cannot be given to another call: that would have to go on with it. */
static void test_who_is_deaf_under_new_keys_stays(void **state)
{
	(void)state;
	bench_change("\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\",");
	call_up(&carol, &bob);
	say(&bob, "REFER", "Refer-To: <sip:+3001@x>\r\n", "");
	hear(&bob, "488");
	expect_heard(&bob, "own-leg");
	silence(NULL);
	hang_up(&carol, &bob);
	expect_no_calls();
}

static void test_the_gateway_is_shut_down_in_the_middle_of_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begun();
		answered();
		answer(&alice, "491 Request Pending", "", "");
		hear(&alice, "ACK");
		if (i)
			bench_change("\"name\":\"core\",\"realm\":\"core\",\"peer\"",
				"\"name\":\"core\",\"admin-state\":\"down\",\"realm\":\"core\",\"peer\"");
		else
			b2bua_shutdown(bench.b2bua);
		for (struct phone *const *p = (struct phone *[]){&alice, &bob, NULL}; *p; p++) {
			hear(*p, "BYE");
			reply(*p, "200 OK");
		}
		hear(&carol, "ACK");
		hear(&carol, "BYE");
		reply(&carol, "200 OK");
		silence(NULL);
		assert_int_equal(bench.live, 0);
		expect_no_calls();
		if (!i) {
			assert_int_equal(bench_teardown(state), 0);
			setup(state);
		}
	}
}

static void test_a_join_that_fails_leaves_both_calls(void **state)
{
	struct phone second = consulted();

	(void)state;
	join(&second);
	answer(&carol, "488 Not Acceptable Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 488 ", "terminated");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 2);
	/* carol has offered, and is to hear of bob again. */
	join(&second);
	answered();
	answer(&alice, "488 Not Acceptable Here", "", "");
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 480 ", "terminated");
	hear(&carol, "INVITE");
	expect_heard(&carol, "a=crypto:");
	answer(&carol, "200 OK", "", sdp(&carol, 8));
	hear(&carol, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	hang_up(&second, &carol);
	expect_no_calls();
	phone_forget(&second);
}

static void test_a_restart_in_the_middle_of_it(void **state)
{
	(void)state;
	bench_keep_calls();
	begun();
	bench_crash(false);
	pass(100);
	hear(&carol, "CANCEL");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_a_target_that_does_not_answer_leaves_the_call),
		TT(test_who_stays_does_not_take_it),
		TT(test_who_changed_over_in_vain_is_called_back),
		TT(test_who_stays_hangs_up),
		TT(test_targets_that_cannot_be_called),
		TT(test_who_is_deaf_under_new_keys_stays),
		TT(test_the_gateway_is_shut_down_in_the_middle_of_it),
		TT(test_a_join_that_fails_leaves_both_calls),
		TT(test_a_restart_in_the_middle_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
