/* SPDX-License-Identifier: Apache-2.0 */
/* A called side of RFC 2543, which has no tag in To: a missing tag is a null one (RFC 3261 section 12.1.2). */
#include "tests/unit/b2bua_bench.h"

static void call_bob(void)
{
	bob.untagged = true;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	assert_int_equal(bob.heard->to_tag.n, 0);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	assert_int_equal(counter("answered_untagged"), 1);
}

static void test_it_is_called_and_the_caller_hangs_up(void **state)
{
	(void)state;
	call_bob();
	/* The answer again: its ACK was lost. */
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	assert_int_equal(bob.heard->to_tag.n, 0);
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_it_hangs_up(void **state)
{
	(void)state;
	call_bob();
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_both_sides_change_their_media(void **state)
{
	(void)state;
	call_bob();
	say(&alice, "INVITE", "", sdp(&alice, 2));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	say(&bob, "INVITE", "", sdp(&bob, 3));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* What it answers cannot be used: it is owed an ACK and a BYE all the same. */
static void test_an_answer_that_is_refused_is_acknowledged_and_ended(void **state)
{
	char plain[1024];

	(void)state;
	bob.untagged = true;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	bob.suite = NULL; /* answers in clear */
	snprintf(plain, sizeof plain, "%s", sdp(&bob, 1));
	answer(&bob, "200 OK", "", plain);
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* A fork: who answers second, without a tag, is another party. */
static void test_a_second_answer_is_acknowledged_and_ended(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	answer_as(&bob, "", "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	assert_int_equal(bob.heard->to_tag.n, 0);
	hear(&bob, "BYE");
	assert_int_equal(bob.heard->to_tag.n, 0);
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_it_is_called_and_the_caller_hangs_up),
		T(test_it_hangs_up),
		T(test_both_sides_change_their_media),
		T(test_an_answer_that_is_refused_is_acknowledged_and_ended),
		T(test_a_second_answer_is_acknowledged_and_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
