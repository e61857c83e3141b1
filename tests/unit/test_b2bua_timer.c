/* SPDX-License-Identifier: Apache-2.0 */
/* Session timers: who refreshes, how, and what becomes of a session that nobody refreshes (RFC 4028). */
#include "tests/unit/b2bua_bench.h"

#define UPDATES "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"

/* A call that is answered with these headers; what alice's INVITE says of timers, too. */
static void call_with(const char *asks, const char *says, struct phone *to)
{
	dial(&alice, number_of(to), asks, sdp(&alice, 1));
	hear(to, "INVITE");
	expect_heard(to, "\r\nSupported: timer, 100rel\r\n");
	expect_heard(to, "\r\nSession-Expires: 1800\r\n");
	answer(to, "200 OK", says, sdp(to, 1));
	hear(to, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

static void both_hear_the_end(struct phone *to)
{
	hear_all(&alice, "BYE");
	expect_heard(&alice, "Reason: SIP;cause=408");
	reply(&alice, "200 OK");
	hear(to, "BYE");
	reply(to, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_we_refresh_with_update(void **state)
{
	(void)state;
	call_with("", UPDATES "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n", &bob);
	for (unsigned i = 0; i < 3; i++) {
		pass(44000);
		silence(NULL);
		pass(1100);
		hear(&bob, "UPDATE");
		expect_heard(&bob, "\r\nSession-Expires: 90;refresher=uac\r\n");
		expect_heard(&bob, "\r\nContact: <sip:");
		expect_heard(&bob, "\r\nContent-Length: 0\r\n");
		reply_with(&bob, "200 OK", "Session-Expires: 90;refresher=uac\r\n");
		silence(NULL);
	}
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_we_refresh_with_a_reinvite_where_there_is_no_update(void **state)
{
	struct phone *const peers[] = {&bob, &carol};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *p = peers[i];
		unsigned keys = p == &bob ? 2 : 1; /* carol's trunk keeps the key in force */

		call_with("", "Session-Expires: 90;refresher=uac\r\n", p);
		pass(45100);
		hear(p, "INVITE");
		expect_heard(p, "\r\nSession-Expires: 90;refresher=uac\r\n");
		answer(p, "200 OK", "Session-Expires: 90;refresher=uac\r\n", sdp(p, 1));
		hear(p, "ACK");
		silence(NULL);
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], keys);
		pass(45100);
		hear(p, "INVITE");
		answer(p, "488 Not Now", "", "");
		hear(p, "ACK");
		pass(14000); /* it goes on until its time is up */
		silence(NULL);
		pass(1100);
		both_hear_the_end(p);
	}
}

static void test_update_refused_is_tried_as_reinvite(void **state)
{
	(void)state;
	call_with("", UPDATES "Session-Expires: 90;refresher=uac\r\n", &bob);
	pass(45100);
	hear(&bob, "UPDATE");
	reply(&bob, "405 Method Not Allowed");
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "Session-Expires: 90;refresher=uac\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_peer_that_has_lost_the_call(void **state)
{
	(void)state;
	call_with("", UPDATES "Session-Expires: 90;refresher=uac\r\n", &bob);
	pass(45100);
	hear(&bob, "UPDATE");
	reply(&bob, "481 Gone");
	both_hear_the_end(&bob);
	/* Or does not answer at all. */
	call_with("", UPDATES "Session-Expires: 90;refresher=uac\r\n", &bob);
	pass(45100);
	hear(&bob, "UPDATE");
	pass(15000); /* 90 s less 30 s */
	both_hear_the_end(&bob);
}

static void test_the_peer_refreshes(void **state)
{
	(void)state;
	call_with("", "Session-Expires: 90;refresher=uas\r\n", &bob);
	pass(50000);
	say(&bob, "UPDATE", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "");
	hear(&bob, "200");
	expect_heard(&bob, "\r\nSession-Expires: 90;refresher=uac\r\n");
	expect_heard(&bob, "\r\nRequire: timer\r\n");
	pass(50000);
	say(&bob, "INVITE", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n",
		sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "sendrecv"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	expect_heard(&bob, "\r\nSession-Expires: 90;refresher=uac\r\n");
	say(&bob, "ACK", "", "");
	pass(59000);
	silence(NULL);
	pass(1100);
	both_hear_the_end(&bob);
	assert_string_equal(last_reason(), "408 trunk carrier-a: the session was not refreshed within 90 s");
}

/* What the caller asks for is its leg's own affair. */
static void test_the_caller_asks(void **state)
{
	static const struct {
		const char *asks, *agreed;
	} cases[] = {
		{"Supported: timer\r\nSession-Expires: 120\r\n", "Session-Expires: 120;refresher=uac\r\n"},
		{"Supported: timer\r\nx: 120 ; refresher=UAS\r\n", "Session-Expires: 120;refresher=uas\r\n"},
		{"Require: timer\r\nSession-Expires: 120;refresher=uac\r\n",
			"Session-Expires: 120;refresher=uac\r\nContent"},
		{"Session-Expires: 120\r\n", "Session-Expires: 120;refresher=uas\r\n"}, /* a proxy asks */
		{"Supported: 100rel, timer\r\n", "Session-Expires: 1800;refresher=uas\r\n"},
		{"k: timer\r\nMin-SE: 3600\r\n", "Session-Expires: 3600;refresher=uas\r\n"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		call_with(cases[i].asks, "", &bob);
		expect_heard(&alice, cases[i].agreed);
		assert_int_equal(heard(&alice, "Require: timer"), strstr(cases[i].agreed, "=uac") != NULL);
		hang_up(&alice, &bob);
	}
	call_with("", "", &bob); /* nobody knows of timers: there are none */
	expect_not_heard(&alice, "Session-Expires");
	pass(7200000);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_caller_is_refreshed_or_missed(void **state)
{
	(void)state;
	call_with("Supported: timer\r\n" UPDATES "Session-Expires: 90;refresher=uas\r\n", "", &bob);
	pass(45100);
	hear(&alice, "UPDATE");
	reply_with(&alice, "200 OK", "Session-Expires: 90;refresher=uac\r\n");
	silence(NULL);
	hang_up(&bob, &alice);
	call_with("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "", &bob);
	pass(60100);
	both_hear_the_end(&bob);
}

static void test_intervals_that_are_too_small(void **state)
{
	char first[100];

	(void)state;
	dial(&alice, "+1001", "Supported: timer\r\nSession-Expires: 60\r\n", sdp(&alice, 1));
	hear(&alice, "422");
	expect_heard(&alice, "\r\nMin-SE: 90\r\n");
	say(&alice, "ACK", "", "");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	snprintf(first, sizeof first, "\r\nCall-ID: %.*s\r\nCSeq: 2 INVITE\r\n", STR_ARG(bob.heard->call_id));
	answer(&bob, "422 Session Interval Too Small", "Min-SE: 3600\r\n", "");
	hear(&bob, "ACK");
	hear(&bob, "INVITE");
	expect_heard(&bob, first);
	expect_heard(&bob, "\r\nSession-Expires: 3600\r\nMin-SE: 3600\r\n");
	expect_heard(&bob, "a=crypto:1 ");
	/* A proxy further on has a larger one. */
	answer(&bob, "422 Session Interval Too Small", "Min-SE: 7200\r\n", "");
	hear(&bob, "ACK");
	hear(&bob, "INVITE");
	expect_heard(&bob, "\r\nSession-Expires: 7200\r\nMin-SE: 7200\r\n");
	answer(&bob, "200 OK", "Session-Expires: 7200;refresher=uac\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, &bob);
	/*
	 * One who always wants more, or no more than before, is not followed for ever; nor can the caller do
	 * anything about our session's timer, which a 422 would ask for.
	 */
	for (unsigned same = 0; same < 2; same++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		for (unsigned i = 1; i <= (same ? 2 : 5); i++) {
			char more[40];

			snprintf(more, sizeof more, "Min-SE: %u\r\n", same ? 3600 : 3600 * i);
			hear(&bob, "INVITE");
			answer(&bob, "422 Session Interval Too Small", more, "");
			hear(&bob, "ACK");
		}
		hear(&alice, "502");
		say(&alice, "ACK", "", "");
		silence(NULL);
	}
	expect_no_calls();
}

/* RFC 4028 section 8.1: it would not understand a 422; who put the interval in gets more, and we refresh. */
static void test_too_small_an_interval_of_who_knows_no_timers(void **state)
{
	(void)state;
	dial(&alice, "+1001", "Session-Expires: 60\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "\r\nSession-Expires: 90;refresher=uas\r\n");
	expect_not_heard(&alice, "\r\nRequire: ");
	say(&alice, "ACK", "", "");
	pass(44000);
	silence(NULL);
	pass(1100);
	hear_all(&alice, "INVITE");
	expect_heard(&alice, "\r\nSession-Expires: 90;refresher=uac\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_we_refresh_with_update),
		T(test_we_refresh_with_a_reinvite_where_there_is_no_update),
		T(test_update_refused_is_tried_as_reinvite),
		T(test_a_peer_that_has_lost_the_call),
		T(test_the_peer_refreshes),
		T(test_the_caller_asks),
		T(test_the_caller_is_refreshed_or_missed),
		T(test_intervals_that_are_too_small),
		T(test_too_small_an_interval_of_who_knows_no_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
