/* SPDX-License-Identifier: Apache-2.0 */
/* Reliable provisional responses, on the one side, the other or both (RFC 3262). */
#include "tests/unit/b2bua_bench.h"

#define INSISTS "Require: 100rel\r\n"
#define CAN "Supported: 100rel\r\n"

static unsigned rseq_heard(const struct phone *p)
{
	const char *at = memmem(p->heard->text.p, p->heard->text.n, "\r\nRSeq: ", 8);

	assert_non_null(at);
	expect_heard(p, "\r\nRequire: 100rel\r\n");
	return (unsigned)atoi(at + 8);
}

static void prack(struct phone *p, unsigned rseq, const char *body, const char *status)
{
	char rack[60];

	snprintf(rack, sizeof rack, "RAck: %u %u INVITE\r\n", rseq, p->invite_cseq);
	say(p, "PRACK", rack, body);
	hear(p, status);
	expect_heard(p, " PRACK\r\n");
}

static void answered_and_over(void)
{
	hear(&alice, "200");
	expect_heard(&alice, " INVITE\r\n");
	expect_not_heard(&alice, "100rel\r\nRSeq");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_caller_that_insists(void **state)
{
	unsigned rseq;

	(void)state;
	dial(&alice, "+1001", INSISTS, sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_not_heard(&bob, "Require");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	rseq = rseq_heard(&alice);
	/* Again and again, until it is acknowledged. */
	pass(600);
	hear(&alice, "180");
	pass(1000);
	hear(&alice, "180");
	assert_int_equal(rseq_heard(&alice), rseq);
	prack(&alice, rseq + 1, "", "481");
	prack(&alice, rseq, "", "200");
	prack(&alice, rseq, "", "481"); /* not twice */
	pass(5000);
	silence(NULL);
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	assert_int_equal(rseq_heard(&alice), rseq + 1);
	prack(&alice, rseq + 1, "", "200");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	answered_and_over();
}

static void test_what_follows_waits_for_the_prack(void **state)
{
	unsigned rseq;

	(void)state;
	dial(&alice, "+1001", CAN, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	expect_not_heard(&alice, "RSeq"); /* nothing in it that has to arrive */
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	rseq = rseq_heard(&alice);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	prack(&alice, rseq, "", "200");
	answered_and_over();
}

static void test_a_prack_that_never_comes(void **state)
{
	(void)state;
	bench.config->limits.ring_timeout_s = 0;
	dial(&alice, "+1001", INSISTS, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	pass(31000);
	silence(&bob);
	pass(33000);
	while (hear_any(&alice) && alice.heard->status == 183)
		;
	assert_int_equal(alice.heard->status, 504);
	say(&alice, "ACK", "", "");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_the_called_side_is_reliable(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "\r\nSupported: timer, 100rel\r\n");
	answer(&bob, "180 Ringing", INSISTS "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	expect_heard(&bob, "\r\nRAck: 7 1 INVITE\r\n");
	expect_heard(&bob, "\r\nCSeq: 2 PRACK\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "180");
	expect_not_heard(&alice, "RSeq");
	expect_not_heard(&alice, "Require");
	answer(&bob, "180 Ringing", INSISTS "RSeq: 7\r\n", ""); /* once more: its PRACK was slow */
	answer(&bob, "183 Session Progress", INSISTS "RSeq: 9\r\n", sdp(&bob, 1)); /* out of order */
	silence(NULL);
	answer(&bob, "183 Session Progress", INSISTS "RSeq: 8\r\n", sdp(&bob, 1));
	hear(&bob, "PRACK");
	expect_heard(&bob, "\r\nRAck: 8 1 INVITE\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	expect_heard(&alice, "m=audio");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	expect_heard(&bob, "\r\nCSeq: 1 ACK\r\n");
	answered_and_over();
}

/* It is owed a PRACK all the same, or it takes its response for lost and ends the call. */
static void test_a_reliable_response_without_contact(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "Contact:\r\nRequire: 100rel\r\nRSeq: 7\r\n", sdp(&bob, 1));
	hear(&bob, "PRACK");
	expect_heard(&bob, "PRACK sip:+1001@198.51.100.1:5061;transport=tls SIP/2.0");
	expect_heard(&bob, "RAck: 7 1 INVITE\r\n");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_both_sides_are_reliable(void **state)
{
	unsigned rseq;

	(void)state;
	dial(&alice, "+1001", CAN, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", INSISTS "RSeq: 4711\r\n", sdp(&bob, 1));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear(&alice, "183");
	rseq = rseq_heard(&alice);
	assert_int_not_equal(rseq, 4711);
	prack(&alice, rseq, sdp_as(&alice, 2, 12, "sendonly"), "488"); /* the called side takes no UPDATE: see test_b2bua_prack.c */
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	answered_and_over();
}

/*
 * RFC 3261 section 13.2.1: after a reliable answer the caller reads no other. What the called side says anew
 * with its 200, such as that it now listens, is offered to the caller as soon as the call is up.
 */
static void test_the_200_says_something_else(void **state)
{
	(void)state;
	for (unsigned again = 0; again < 2; again++) {
		dial(&alice, "+1001", CAN, sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "183 Session Progress", "", sdp_as(&bob, 1, 1, "sendonly"));
		hear(&alice, "183");
		expect_heard(&alice, "a=sendonly\r\n");
		prack(&alice, rseq_heard(&alice), "", "200");
		answer(&bob, "200 OK", "", sdp_as(&bob, 1, 2, again ? "sendonly" : "sendrecv"));
		hear(&bob, "ACK");
		hear(&alice, "200");
		silence(NULL);
		say(&alice, "ACK", "", "");
		if (!again) {
			hear(&alice, "INVITE");
			expect_heard(&alice, "a=sendrecv\r\n");
			answer(&alice, "200 OK", "", sdp_as(&alice, 1, 2, "sendrecv"));
			hear(&alice, "ACK");
			assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
		}
		silence(NULL);
		hang_up(&alice, &bob);
		expect_no_calls();
	}
}

static void test_somebody_gives_up_meanwhile(void **state)
{
	(void)state;
	dial(&alice, "+1001", INSISTS, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486"); /* a refusal waits for nobody */
	say(&alice, "ACK", "", "");
	pass(5000);
	silence(NULL);
	expect_no_calls();
	dial(&alice, "+1001", INSISTS, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	pass(5000);
	silence(NULL);
	expect_no_calls();
}

/* Without an offer in the INVITE a reliable 18x would have to offer: nobody is asked for one. */
static void test_a_delayed_offer(void **state)
{
	(void)state;
	dial(&alice, "+1001", INSISTS, "");
	hear(&bob, "INVITE");
	expect_not_heard(&bob, "100rel");
	answer(&bob, "180 Ringing", "", "");
	silence(NULL);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&alice, "200");
	say(&alice, "ACK", "", sdp(&alice, 1));
	hear(&bob, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_caller_that_insists),
		T(test_what_follows_waits_for_the_prack),
		T(test_a_prack_that_never_comes),
		T(test_the_called_side_is_reliable),
		T(test_a_reliable_response_without_contact),
		T(test_both_sides_are_reliable),
		T(test_the_200_says_something_else),
		T(test_somebody_gives_up_meanwhile),
		T(test_a_delayed_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
