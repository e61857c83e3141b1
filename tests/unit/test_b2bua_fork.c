/* SPDX-License-Identifier: Apache-2.0 */
/* A called side that forks: several early dialogs, each with its own answer, of which one wins. */
#include "tests/unit/b2bua_bench.h"

/* Where the data plane sends the called side's media now: the port is 30000 and what follows from sdp(). */
static void expect_media_to(unsigned n)
{
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30000 + n);
}

static void up_with(const char *tag)
{
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	snprintf(bob.local_tag, sizeof bob.local_tag, "%s", tag);
}

static void test_media_follows_who_spoke_last_and_then_who_answers(void **state)
{
	unsigned rx;

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	expect_media_to(1);
	answer_as(&bob, "two", "183 Session Progress", "", sdp(&bob, 2));
	hear(&alice, "183");
	expect_media_to(2);
	answer_as(&bob, "three", "180 Ringing", "", "");
	hear(&alice, "180");
	expect_media_to(2);
	rx = plane_last()->rx_keys[DP_SIDE_B];
	assert_int_equal(rx, 2); /* each with a key of its own */
	answer_as(&bob, "one", "200 OK", "", sdp(&bob, 1));
	up_with("one");
	expect_media_to(1);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
	/* The others are forgotten: nothing of them is a dialog any more. */
	snprintf(bob.local_tag, sizeof bob.local_tag, "two");
	say(&bob, "BYE", "", "");
	hear(&bob, "481");
	snprintf(bob.local_tag, sizeof bob.local_tag, "one");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The winner's answer was in its 183, and another one's came after that. */
static void test_the_winners_early_answer_is_its_answer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "183 Session Progress", "Require: 100rel\r\nRSeq: 10\r\n", sdp(&bob, 1));
	hear(&bob, "PRACK");
	expect_heard(&bob, ";tag=one\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	answer_as(&bob, "two", "183 Session Progress", "Require: 100rel\r\nRSeq: 500\r\n", sdp(&bob, 2));
	hear(&bob, "PRACK");
	expect_heard(&bob, ";tag=two\r\n");
	expect_heard(&bob, "RAck: 500 1 INVITE\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	/* Numbers are each branch's own, and go on where they were. */
	answer_as(&bob, "one", "180 Ringing", "Require: 100rel\r\nRSeq: 10\r\n", "");
	silence(NULL);
	answer_as(&bob, "one", "180 Ringing", "Require: 100rel\r\nRSeq: 11\r\n", "");
	hear(&bob, "PRACK");
	expect_heard(&bob, ";tag=one\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "180");
	expect_media_to(2);
	answer_as(&bob, "one", "200 OK", "", "");
	up_with("one");
	expect_media_to(1);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* 200s cross on the way: the first is the call, each other one is acknowledged and ended. */
static void test_all_branches_answer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	answer_as(&bob, "two", "183 Session Progress", "", sdp(&bob, 2));
	hear(&alice, "183");
	answer_as(&bob, "two", "200 OK", "", sdp(&bob, 2));
	up_with("two");
	for (unsigned i = 0; i < 2; i++) {
		const char *tag = i ? "never-heard-of" : "one";

		answer_as(&bob, tag, "200 OK", "", sdp(&bob, 3));
		hear(&bob, "ACK");
		expect_heard(&bob, tag);
		hear(&bob, "BYE");
		expect_heard(&bob, tag);
		reply(&bob, "200 OK");
		silence(NULL);
	}
	expect_media_to(2);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* It answers when nobody is left: who gave up, and who has hung up already. */
static void test_a_branch_that_answers_too_late(void **state)
{
	(void)state;
	for (unsigned answered = 0; answered < 2; answered++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer_as(&bob, "one", "180 Ringing", "", "");
		hear(&alice, "180");
		if (answered) {
			answer_as(&bob, "one", "200 OK", "", sdp(&bob, 1));
			up_with("one");
			hang_up(&alice, &bob);
		} else {
			say(&alice, "CANCEL", "", "");
			hear(&alice, "200");
			hear(&alice, "487");
			say(&alice, "ACK", "", "");
			hear(&bob, "CANCEL");
			reply(&bob, "200 OK");
			answer_as(&bob, "one", "200 OK", "", sdp(&bob, 1));
			hear(&bob, "ACK");
			hear(&bob, "BYE");
			reply(&bob, "200 OK");
		}
		expect_no_calls();
		answer_as(&bob, "two", "200 OK", "", sdp(&bob, 2));
		hear(&bob, "ACK");
		expect_heard(&bob, ";tag=two\r\n");
		hear(&bob, "BYE");
		expect_heard(&bob, ";tag=two\r\n");
		reply(&bob, "200 OK");
		silence(NULL);
	}
}

static void test_requests_in_a_branch_that_is_not_in_use(void **state)
{
	static const struct {
		const char *method, *status;
	} cases[] = {
		{"UPDATE", "491"}, {"INVITE", "491"}, {"INFO", "481"}, {"OPTIONS", "200"}, {"BYE", "200"}};

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "180 Ringing", "", "");
	hear(&alice, "180");
	answer_as(&bob, "two", "183 Session Progress", "", sdp(&bob, 2));
	hear(&alice, "183");
	snprintf(bob.local_tag, sizeof bob.local_tag, "one");
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		say(&bob, cases[i].method, "", "");
		hear(&bob, cases[i].status);
		if (strcmp(cases[i].method, "INVITE") == 0)
			say(&bob, "ACK", "", "");
	}
	silence(NULL);
	say(&bob, "BYE", "", ""); /* it left */
	hear(&bob, "481");
	answer_as(&bob, "two", "200 OK", "", sdp(&bob, 2));
	up_with("two");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* More branches than are kept, and then the caller gives up. */
static void test_many_branches(void **state)
{
	char tag[20];

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(tag, sizeof tag, "branch-%u", i % 37);
		answer_as(&bob, tag, "183 Session Progress", "", sdp(&bob, i));
		hear(&alice, "183");
		expect_media_to(i);
	}
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_media_follows_who_spoke_last_and_then_who_answers),
		T(test_the_winners_early_answer_is_its_answer),
		T(test_all_branches_answer),
		T(test_a_branch_that_answers_too_late),
		T(test_requests_in_a_branch_that_is_not_in_use),
		T(test_many_branches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
