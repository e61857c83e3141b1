/* SPDX-License-Identifier: Apache-2.0 */
/* What one side says of why it ends a call is what the other side hears (RFC 3326). */
#include "tests/unit/b2bua_bench.h"

/* Everything that a peer may write, and what a trusted and another side are told. */
static const struct {
	const char *said, *inside, *outside;
} cases[] = {
	{"Reason: Q.850;cause=16;text=\"Terminated\"\r\n", "Reason: Q.850;cause=16;text=\"Terminated\"\r\n",
		"Reason: Q.850;cause=16\r\n"},
	{"Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\", Q.850;cause=26\r\n",
		"Reason: SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26\r\n",
		"Reason: SIP;cause=200, Q.850;cause=26\r\n"},
	{"Reason: Q.850;cause=31\r\nReason: X.Y;cause=5;text=\"a \\\"b\\\"\"\r\n",
		"Reason: Q.850;cause=31, X.Y;cause=5;text=\"a ''b''\"\r\n",
		"Reason: Q.850;cause=31, X.Y;cause=5\r\n"},
	{"Reason: Q.850\r\nReason: SIP;cause=many\r\nReason: SIP;cause=1000\r\n", NULL, NULL},
};
#define CASES (sizeof cases / sizeof *cases)

static void test_a_bye(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * CASES; i++) {
		struct phone *by = i % 2 ? &alice : &bob, *other = i % 2 ? &bob : &alice;
		const char *expect = i % 2 ? cases[i / 2].outside : cases[i / 2].inside;

		call_up(&alice, &bob);
		say(by, "BYE", cases[i / 2].said, "");
		hear(by, "200");
		hear(other, "BYE");
		if (expect)
			expect_heard(other, expect);
		else
			expect_not_heard(other, "Reason");
		reply(other, "200 OK");
		silence(NULL);
		expect_no_calls();
	}
}

/* RFC 6432: a carrier's own cause, whatever the status becomes; the status is said by the gateway. */
static void test_a_response(void **state)
{
	static const char said[] = "Reason: SIP;cause=480;text=\"x\", Q.850;cause=34;text=\"no circuit\"\r\n";
	static const char *const words[][2] = {{"480 Gone", "480"}, {"503 Full", "500"}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct phone *by = i % 2 ? &alice : &bob, *other = i % 2 ? &bob : &alice;

		dial(by, number_of(other), "", sdp(by, 1));
		hear(other, "INVITE");
		answer(other, "183 Session Progress", said, "");
		hear(by, "183");
		expect_heard(by, i % 2 ? "\r\nReason: Q.850;cause=34;text=\"no circuit\"\r\n"
				       : "\r\nReason: Q.850;cause=34\r\n");
		answer(other, words[i / 2][0], said, "");
		hear(other, "ACK");
		hear(by, words[i / 2][1]);
		expect_heard(by, i % 2 ? "\r\nReason: Q.850;cause=34;text=\"no circuit\"\r\n"
				       : "\r\nReason: Q.850;cause=34\r\n");
		say(by, "ACK", "", "");
		silence(NULL);
		expect_no_calls();
	}
}

/* Whose change was refused hears it; nobody else hears what was said then. */
static void test_a_refused_change(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&alice, "INVITE", "", sdp_as(&alice, 1, 2, "sendonly"));
	hear(&bob, "INVITE");
	answer(&bob, "488 No", "Reason: Q.850;cause=65\r\nUser-to-User: 0123;encoding=hex\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	say(&bob, "INVITE", "", sdp(&bob, 1)); /* as before: the gateway answers */
	hear(&bob, "200");
	expect_not_heard(&bob, "cause=65");
	expect_not_heard(&bob, "User-to-User");
	say(&bob, "ACK", "", "");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_cancel(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * CASES; i++) {
		struct phone *by = i % 2 ? &alice : &bob, *other = i % 2 ? &bob : &alice;
		const char *expect = i % 2 ? cases[i / 2].outside : cases[i / 2].inside;

		dial(by, number_of(other), "", sdp(by, 1));
		hear(other, "INVITE");
		answer(other, "180 Ringing", "", "");
		hear(by, "180");
		say(by, "CANCEL", cases[i / 2].said, "");
		hear(by, "200");
		hear(by, "487");
		say(by, "ACK", "", "");
		hear(other, "CANCEL");
		expect_heard(other, expect ? expect : "Reason: SIP;cause=487\r\n");
		answer(other, "487 Request Terminated", "", "");
		hear(other, "ACK");
		silence(NULL);
		expect_no_calls();
	}
}

/* The answer crossed the CANCEL: the BYE says what that said. */
static void test_an_answer_that_crosses(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	say(&bob, "CANCEL", cases[0].said, "");
	hear(&bob, "200");
	hear(&bob, "487");
	say(&bob, "ACK", "", "");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&alice, "BYE");
	expect_heard(&alice, cases[0].inside);
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_bye),
		T(test_a_response),
		T(test_a_refused_change),
		T(test_a_cancel),
		T(test_an_answer_that_crosses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
