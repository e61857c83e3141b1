/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from the first INVITE to the BYE, as the phones at both ends see them. */
#include "tests/unit/b2bua_bench.h"

static void test_a_call_and_the_caller_hangs_up(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:+1001@198.51.100.1:5061;transport=tls SIP/2.0\r\n");
	expect_heard(&bob, "\r\nFrom: \"Al\" <sip:+3001@203.0.113.10>;tag=");
	expect_heard(&bob, "\r\nTo: <sip:+1001@198.51.100.1>\r\n");
	expect_heard(&bob, "\r\nMax-Forwards: 69\r\n");
	expect_heard(&bob, "RTP/SAVP 8 0\r\n");
	expect_heard(&bob, "a=crypto:1 AEAD_AES_256_GCM inline:");
	/* Nothing of the core's side reaches the carrier. */
	expect_not_heard(&bob, "10.20.0");
	expect_not_heard(&bob, alice.call_id);
	expect_not_heard(&bob, "invalid");
	answer(&bob, "100 Trying", "", "");
	silence(&alice);
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	expect_not_heard(&alice, "198.51.100");
	expect_not_heard(&alice, "203.0.113");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	expect_heard(&bob, "ACK sip:+1001@198.51.100.1:5061;transport=tls SIP/2.0\r\n");
	hear(&alice, "200");
	expect_heard(&alice, "m=audio 20000 RTP/AVP 8 0\r\n");
	expect_heard(&alice, "c=IN IP4 10.20.0.10\r\n");
	expect_not_heard(&alice, "crypto");
	expect_not_heard(&alice, "198.51.100");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].security, DP_SECURITY_PLAIN);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].suite, SRTP_AEAD_AES_256_GCM);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 1);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 0);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	expect_not_heard(&bob, "Reason:"); /* normal clearing */
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	assert_string_equal(last_reason(), "the calling side hung up");
}

static void test_a_call_and_the_called_side_hangs_up(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&alice, "BYE");
	expect_heard(&alice, "BYE sip:+3001@10.20.0.5 SIP/2.0\r\n");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
	call_up(&bob, &alice);
	hang_up(&alice, &bob);
	assert_string_equal(last_reason(), "the called side hung up");
	expect_no_calls();
}

static void test_secure_to_secure_has_keys_of_its_own_on_each_leg(void **state)
{
	(void)state;
	call_up(&bob, &carol);
	expect_not_heard(&bob, "AES_CM_128");
	assert_int_equal(plane_last()->leg[DP_SIDE_A].suite, SRTP_AEAD_AES_256_GCM);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].suite, SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].security, DP_SECURITY_SRTP);
	/* The key that bob sent with must not come back to him, nor go to carol. */
	expect_not_heard(&bob, "inline:bbbbb");
	assert_null(memmem(carol.invite->text.p, carol.invite->text.n, "inline:bbbbb", 12));
	hang_up(&bob, &carol);
	expect_no_calls();
}

static void test_early_media_then_the_answer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	expect_heard(&alice, "m=audio 20000 RTP/AVP");
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1); /* media flows before the answer */
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "m=audio 20000 RTP/AVP");
	assert_int_equal(
		plane_last()->tx_keys[DP_SIDE_B], 1); /* the same key: nothing is sent twice under it */
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_answer_is_repeated_until_its_ack(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	answer(&bob, "200 OK", "", sdp(&bob, 1)); /* our ACK was lost */
	hear(&bob, "ACK");
	pass(550);
	hear(&alice, "200");
	pass(1000);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	pass(10000);
	silence(NULL);
	hang_up(&alice, &bob);
	assert_int_equal(counter("answered"), 1);
}

static void test_an_ack_that_never_comes_ends_the_call(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	for (unsigned i = 0; i < 11; i++) { /* 0, 0.5, 1.5, 3.5, then every 4 s until 32 s */
		hear(&bob, "200");
		pass(i < 3 ? 510u << i : 4010);
	}
	hear(&bob, "BYE");
	expect_heard(&bob, "Reason: SIP;cause=408;text=\"the answer was never acknowledged\"");
	hear_all(&alice, "BYE");
	reply(&alice, "200 OK");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("ended_no_ack"), 1);
}

/* RFC 3261 section 15: a callee sends no BYE before the ACK, or before it has given up on it. */
static void test_the_called_side_hangs_up_before_the_callers_ack(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	silence(&bob);
	say(&bob, "ACK", "", "");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_neither_ack_nor_silence_keeps_a_bye_back(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	for (unsigned i = 0; i < 11; i++) {
		hear(&bob, "200");
		pass(i < 3 ? 510u << i : 4010);
	}
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_bye_instead_of_the_ack(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(5000);
	silence(NULL);
	expect_no_calls();
}

static void test_cancel_before_anything_was_heard(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	silence(&bob); /* RFC 3261 section 9.1: not before a provisional response */
	answer(&bob, "180 Ringing", "", "");
	hear(&bob, "CANCEL");
	expect_heard(&bob, "Reason: SIP;cause=487");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(plane_last()->live, false);
}

static void test_cancel_of_a_ringing_call_and_an_answer_that_crosses_it(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	expect_heard(&bob, "Reason: SIP;cause=487");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void keep_to_tag(const struct phone *p, char out[64])
{
	snprintf(out, 64, "%.*s", STR_ARG(p->heard->to_tag));
	assert_true(out[0]);
}

/* RFC 3261 section 9.2: its 200 is of the same UAS as what the INVITE is answered with. */
static void test_the_answer_to_a_cancel_has_the_tag_of_the_invites(void **state)
{
	char tag[64];

	(void)state;
	for (unsigned ringing = 0; ringing < 2; ringing++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		if (ringing) {
			answer(&bob, "180 Ringing", "", "");
			hear(&alice, "180");
		}
		say(&alice, "CANCEL", "", "");
		hear(&alice, "200");
		keep_to_tag(&alice, tag);
		hear(&alice, "487");
		assert_true(str_eq(alice.heard->to_tag, str_z(tag)));
		say(&alice, "ACK", "", "");
		lose_all();
	}
	/* It crosses a refusal, which is sent again until its ACK comes. */
	dial(&alice, "+9", "", sdp(&alice, 1));
	hear(&alice, "404");
	keep_to_tag(&alice, tag);
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	assert_true(str_eq(alice.heard->to_tag, str_z(tag)));
}

static void test_a_cancelled_callee_that_says_no_more(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	pass(33000);
	silence(NULL);
	expect_no_calls();
}

static void test_bye_of_the_caller_while_it_rings(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&alice, "487"); /* RFC 3261 section 15.1.2 */
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	pass(33000);
	expect_no_calls();
}

/* RFC 3261 section 15 forbids it; the INVITE must not stay open for ever. */
static void test_bye_of_the_called_side_while_it_rings(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&alice, "CANCEL");
	reply(&alice, "200 OK");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	hear(&bob, "480");
	say(&bob, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* Two phones behind one trunk ring: each has a dialog; who answers second is told that it is over. */
static void test_a_forked_call(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "180 Ringing", "", "");
	hear(&alice, "180");
	answer_as(&bob, "two", "183 Session Progress", "", sdp(&bob, 2));
	hear(&alice, "183");
	answer_as(&bob, "one", "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	expect_heard(&bob, ";tag=one\r\n");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	answer_as(&bob, "two", "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	expect_heard(&bob, ";tag=two\r\n");
	hear(&bob, "BYE");
	expect_heard(&bob, ";tag=two\r\n");
	reply(&bob, "200 OK");
	silence(NULL);
	snprintf(bob.local_tag, sizeof bob.local_tag, "one");
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* What the first branch said in its 183 is not the second one's answer. */
static void test_a_fork_answers_without_sdp_after_anothers_early_media(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	answer_as(&bob, "two", "200 OK", "", "");
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "502");
	expect_heard(&alice, "answered without SDP");
	say(&alice, "ACK", "", "");
	silence(NULL);
	pass(6000);
	expect_no_calls();
}

static void test_nobody_answers(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	pass(20100);
	hear(&alice, "408");
	expect_heard(&alice, "nobody answered within 20 s");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("failed_no_answer"), 1);
}

/* RFC 3261 section 13.3.1, of how long a caller wants to wait; no longer than the gateway does (20 s). */
static void test_an_invitation_expires(void **state)
{
	static const char *const long_ones[] = {
		"Expires: 20\r\n", "Expires: 4294967295\r\n", "Expires: soon\r\n"};

	(void)state;
	dial(&alice, "+1001", "Expires: 7\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	pass(6900);
	silence(NULL);
	pass(200);
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	assert_non_null(strstr(last_reason(), "487 nobody answered before the caller's invitation expired"));
	for (unsigned i = 0; i < 3; i++) {
		dial(&alice, "+1001", long_ones[i], sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "180 Ringing", "", "");
		hear(&alice, "180");
		pass(20100);
		hear(&alice, "408");
		say(&alice, "ACK", "", "");
		hear(&bob, "CANCEL");
		answer(&bob, "487 Request Terminated", "", "");
		hear(&bob, "ACK");
	}
	/* It says nothing of how long a call lasts. */
	dial(&alice, "+1001", "Expires: 7\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	pass(30000);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_trying_callee_keeps_the_caller_waiting_politely(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	pass(250);
	hear(&alice, "100");
	silence(NULL);
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	expect_no_calls();
}

static void test_bodies_that_are_no_sdp_are_not_taken_for_it(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "Content-Type: application/isup\r\n", "\x01\x02");
	hear(&alice, "180");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_long_names_and_many_vias(void **state)
{
	char headers[9000] = "", number[120] = "+1";

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		snprintf(headers + strlen(headers), sizeof headers - strlen(headers),
			"Via: SIP/2.0/TLS proxy-%u.example.net;branch=z9hG4bK%060u\r\n", i, i);
	memset(number + 2, '7', 110);
	memset(alice.number, 'x', 60);
	dial(&alice, number, headers, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	pass(6000);
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_call_and_the_caller_hangs_up),
		T(test_a_call_and_the_called_side_hangs_up),
		T(test_secure_to_secure_has_keys_of_its_own_on_each_leg),
		T(test_early_media_then_the_answer),
		T(test_the_answer_is_repeated_until_its_ack),
		T(test_an_ack_that_never_comes_ends_the_call),
		T(test_the_called_side_hangs_up_before_the_callers_ack),
		T(test_neither_ack_nor_silence_keeps_a_bye_back),
		T(test_bye_instead_of_the_ack),
		T(test_cancel_before_anything_was_heard),
		T(test_cancel_of_a_ringing_call_and_an_answer_that_crosses_it),
		T(test_the_answer_to_a_cancel_has_the_tag_of_the_invites),
		T(test_a_cancelled_callee_that_says_no_more),
		T(test_bye_of_the_caller_while_it_rings),
		T(test_bye_of_the_called_side_while_it_rings),
		T(test_a_forked_call),
		T(test_a_fork_answers_without_sdp_after_anothers_early_media),
		T(test_nobody_answers),
		T(test_an_invitation_expires),
		T(test_a_trying_callee_keeps_the_caller_waiting_politely),
		T(test_bodies_that_are_no_sdp_are_not_taken_for_it),
		T(test_long_names_and_many_vias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
