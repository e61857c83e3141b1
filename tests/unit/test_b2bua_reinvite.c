/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that change: hold, new keys, glare, and what a failed change leaves. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

/* p offers n anew; the other side hears it as an offer of the gateway's. */
static void reoffer(struct phone *p, struct phone *other, unsigned n, const char *direction)
{
	say(p, "INVITE", "", sdp_as(p, n, n + 10, direction));
	hear(other, "INVITE");
}

static void agree(struct phone *p, struct phone *other, unsigned n, const char *direction)
{
	answer(other, "200 OK", "", sdp_as(other, n, n + 10, direction));
	hear(other, "ACK");
	hear(p, "200");
	say(p, "ACK", "", "");
	silence(NULL);
}

static void test_hold_and_resume_from_either_side(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *p = i ? &bob : &alice, *other = i ? &alice : &bob;
		enum dp_side side = i ? DP_SIDE_B : DP_SIDE_A;

		reoffer(p, other, 1, "sendonly");
		expect_heard(other, "a=sendonly\r\n");
		agree(p, other, 1, "recvonly");
		expect_heard(p, "a=recvonly\r\n");
		assert_int_equal(plane_last()->leg[side].streams[0].direction, DP_RECV);
		assert_int_equal(plane_last()->leg[!side].streams[0].direction, DP_SEND);
		say(p, "INVITE", "", sdp_as(p, 1, 20, "sendrecv"));
		hear(other, "INVITE");
		agree(p, other, 1, "sendrecv");
		assert_int_equal(plane_last()->leg[0].streams[0].direction, DP_SENDRECV);
		assert_int_equal(plane_last()->leg[1].streams[0].direction, DP_SENDRECV);
	}
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_new_keys_from_a_peer(void **state)
{
	struct plane_session *s;

	(void)state;
	call_up(&bob, &carol);
	s = plane_last();
	assert_int_equal(s->rx_keys[DP_SIDE_A], 1);
	reoffer(&bob, &carol, 7, "sendrecv");
	assert_true(s->rx_keys[DP_SIDE_A] >= 2); /* before the answer: the new key may be in use at once */
	agree(&bob, &carol, 8, "sendrecv");
	assert_true(s->rx_keys[DP_SIDE_B] >= 2);
	hang_up(&carol, &bob);
	expect_no_calls();
}

/* The a=crypto line that the phone heard last. */
static void crypto_heard(const struct phone *p, char out[200])
{
	struct str body = p->heard->body;
	const char *line = memmem(body.p, body.n, "a=crypto:1 ", 11);

	assert_non_null(line);
	snprintf(out, 200, "%.*s", (int)strcspn(line, "\r"), line);
}

/* carrier-b takes no new key that it did not ask for; carrier-a has one with every offer. */
static void test_whose_reinvite_brings_new_keys(void **state)
{
	char first[200], second[200];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *p = i ? &bob : &carol;

		dial(&alice, number_of(p), "", sdp(&alice, 1));
		hear(p, "INVITE");
		crypto_heard(p, first);
		answer(p, "200 OK", "", sdp(p, 1));
		hear(p, "ACK");
		hear(&alice, "200");
		say(&alice, "ACK", "", "");
		reoffer(&alice, p, 1, "sendonly");
		crypto_heard(p, second);
		assert_int_equal(strcmp(first, second) == 0, p == &carol);
		agree(&alice, p, 1, "recvonly");
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], p == &carol ? 1 : 2);
		reoffer(p, &alice, 3, "sendrecv");
		answer(&alice, "200 OK", "", sdp_as(&alice, 3, 13, "sendrecv"));
		hear(&alice, "ACK");
		hear(p, "200");
		crypto_heard(p, first);
		assert_string_not_equal(first, second);
		say(p, "ACK", "", "");
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], p == &carol ? 2 : 3);
		hang_up(&alice, p);
	}
	expect_no_calls();
}

static void test_the_other_side_refuses_and_the_call_goes_on(void **state)
{
	struct plane_session before;

	(void)state;
	call_up(&alice, &bob);
	before = *plane_last();
	reoffer(&alice, &bob, 3, "sendonly");
	answer(&bob, "488 Not Acceptable Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->leg[0].streams[0].direction, before.leg[0].streams[0].direction);
	assert_true(ip_port_equal(&plane_last()->leg[0].remote, &before.leg[0].remote));
	/* And the next one works. */
	reoffer(&alice, &bob, 4, "sendonly");
	agree(&alice, &bob, 4, "recvonly");
	reoffer(&bob, &alice, 5, "sendrecv");
	agree(&bob, &alice, 5, "sendrecv");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_other_side_has_lost_the_call(void **state)
{
	static const char *const lost[] = {"481 Call/Transaction Does Not Exist", "408 Request Timeout"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		call_up(&alice, &bob);
		reoffer(&alice, &bob, 3, "sendonly");
		answer(&bob, lost[i], "", "");
		hear(&bob, "ACK");
		hear(&bob, "BYE"); /* RFC 3261 section 12.2.1.2 */
		reply(&bob, "481 Gone");
		hear(&alice, "487");
		say(&alice, "ACK", "", "");
		hear(&alice, "BYE");
		expect_heard(&alice, "Reason: SIP;cause=408");
		reply(&alice, "200 OK");
		silence(NULL);
		expect_no_calls();
	}
}

static void test_an_unanswered_reinvite_ends_the_call(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 11, "sendonly"));
	bench.send_result = -EHOSTUNREACH; /* alice is off the air: nothing comes back */
	bench.refuse_ip = alice.ip;
	pass(33000);
	bench.send_result = 0;
	hear(&bob, "100");
	hear(&bob, "487");
	hear(&bob, "BYE");
	expect_no_calls();
}

/*
 * RFC 3262 section 5: a reliable 1xx answers the offer of a re-INVITE, whose 200 has nothing to say any more.
 * New keys of such an answer are heard at once.
 */
static void test_a_reinvite_is_answered_before_its_200(void **state)
{
	unsigned keys;

	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < 2; i++) {
		reoffer(&alice, &bob, 3 + i, i ? "sendrecv" : "sendonly");
		expect_heard(&bob, "100rel");
		keys = plane_last()->rx_keys[DP_SIDE_B];
		answer(&bob, "183 Session Progress", "Require: 100rel\r\nRSeq: 7\r\n",
			sdp_as(&bob, 3 + i, 13 + i, i ? "sendrecv" : "recvonly"));
		hear(&bob, "PRACK");
		reply(&bob, "200 OK");
		assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], keys + 1);
		silence(&alice);
		answer(&bob, "200 OK", "", "");
		hear(&bob, "ACK");
		hear(&alice, "200");
		expect_heard(&alice, i ? "a=sendrecv\r\n" : "a=recvonly\r\n");
		say(&alice, "ACK", "", "");
		silence(NULL);
	}
	/* What was said before a refusal is void. Who said it may have acted on it, and is offered what
	 * stands. */
	reoffer(&alice, &bob, 5, "sendonly");
	answer(&bob, "183 Session Progress", "Require: 100rel\r\nRSeq: 7\r\n",
		sdp_as(&bob, 5, 15, "recvonly"));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	answer(&bob, "488 Not Acceptable Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	hear(&bob, "INVITE");
	expect_heard(&bob, "a=sendrecv\r\n");
	keys = plane_last()->tx_keys[DP_SIDE_B];
	answer(&bob, "200 OK", "", sdp_as(&bob, 6, 16, "sendrecv"));
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], keys + 1);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].streams[0].direction, DP_SENDRECV);
	/* Nor is it the answer to a later offer. */
	reoffer(&alice, &bob, 7, "sendrecv");
	answer(&bob, "200 OK", "", "");
	hear(&bob, "ACK");
	hear(&alice, "502");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
}

static void test_a_refresh_is_answered_by_the_gateway(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp(&alice, 1)); /* exactly what holds */
	silence(&bob);
	hear(&alice, "200");
	expect_heard(&alice, "m=audio 20000 RTP/AVP");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_glare(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 12, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	/* RFC 3261 section 14.2: a second one of the same side */
	say(&alice, "INVITE", "", sdp_as(&alice, 4, 13, "sendrecv"));
	hear(&alice, "500");
	expect_heard(&alice, "\r\nRetry-After: ");
	say(&alice, "ACK", "", "");
	answer(&bob, "491 Request Pending", "", "");
	hear(&bob, "ACK");
	hear(&alice, "491");
	say(&alice, "ACK", "", "");
	silence(NULL);
	reoffer(&bob, &alice, 5, "sendonly");
	agree(&bob, &alice, 5, "recvonly");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_reinvite_before_the_first_ack(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	/* To bob the call is up; ours on the other leg is not finished. */
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	say(&alice, "ACK", "", "");
	reoffer(&bob, &alice, 3, "sendonly");
	agree(&bob, &alice, 3, "recvonly");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Only the re-INVITE is cancelled. RFC 3261 section 14.1. */
static void test_a_cancelled_reinvite_leaves_the_call_as_it_was(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	answer(&bob, "100 Trying", "", "");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	/* The answer may cross the CANCEL: then both sides have the new session. */
	reoffer(&alice, &bob, 3, "sendonly");
	answer(&bob, "100 Trying", "", "");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	agree(&alice, &bob, 3, "recvonly");
	assert_int_equal(plane_last()->leg[0].streams[0].direction, DP_RECV);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_reinvite_that_rings_for_ever(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	answer(&bob, "100 Trying", "", "");
	pass(20100);
	hear(&alice, "100");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	hear(&alice, "408");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_hanging_up_with_a_reinvite_open(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	answer(&bob, "100 Trying", "", "");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&alice, "487"); /* RFC 3261 section 15.1.2 */
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(33000); /* bob never answers the INVITE: nothing is kept for it */
	silence(NULL);
	expect_no_calls();
	assert_int_equal(sip_txl_count(bench.txl), 0);
}

/* The ACK of an earlier INVITE comes once more: it is not that of the answer now out. */
static void test_an_old_ack_does_not_settle_a_new_answer(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&bob, "ACK");
	hear(&alice, "200");
	alice.invite_cseq--;
	say(&alice, "ACK", "", "");
	alice.invite_cseq++;
	pass(550);
	hear(&alice, "200"); /* repeated: its ACK has not come */
	say(&alice, "ACK", "", "");
	pass(5000);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_reinvite_answer_that_cannot_be_used_ends_the_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffer(&alice, &bob, 2, "sendonly");
	answer(&bob, "200 OK", "",
		"v=0\r\no=- 1 9 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/AVP 8\r\n");
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	expect_heard(&bob, "SAVP");
	reply(&bob, "200 OK");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
}

static void test_reinvites_that_are_refused_at_once(void **state)
{
	static const struct {
		const char *headers, *body, *status;
	} cases[] = {
		{"Content-Type: text/plain\r\n", "x", "415"},
		{"Require: foo\r\n", "v=0\r\n", "420"},
		{"", "nonsense", "400"},
	};

	(void)state;
	call_up(&bob, &alice);
	for (unsigned i = 0; i < 3; i++) {
		say(&bob, "INVITE", cases[i].headers, cases[i].body);
		hear(&bob, cases[i].status);
		say(&bob, "ACK", "", "");
	}
	/* A secure leg that is offered plain RTP stays as it is. */
	say(&bob, "INVITE", "",
		"v=0\r\no=- 1 9 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/AVP 8\r\n");
	hear(&bob, "488");
	say(&bob, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].security, DP_SECURITY_SRTP);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(counter("refused_media"), 0); /* calls are counted there, and this one goes on */
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hold_and_resume_from_either_side),
		T(test_new_keys_from_a_peer),
		T(test_whose_reinvite_brings_new_keys),
		T(test_the_other_side_refuses_and_the_call_goes_on),
		T(test_the_other_side_has_lost_the_call),
		T(test_an_unanswered_reinvite_ends_the_call),
		T(test_a_reinvite_is_answered_before_its_200),
		T(test_a_refresh_is_answered_by_the_gateway),
		T(test_glare),
		T(test_reinvite_before_the_first_ack),
		T(test_a_cancelled_reinvite_leaves_the_call_as_it_was),
		T(test_a_reinvite_that_rings_for_ever),
		T(test_hanging_up_with_a_reinvite_open),
		T(test_an_old_ack_does_not_settle_a_new_answer),
		T(test_a_reinvite_answer_that_cannot_be_used_ends_the_call),
		T(test_reinvites_that_are_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
