/* SPDX-License-Identifier: Apache-2.0 */
/* A call that rings is picked up by another phone: Replaces of an early dialog (RFC 3891 section 3). */
#include "tests/unit/b2bua_replaces.h"

/* from calls bob, who rings. */
static struct phone ringing(struct phone *from, const char *headers)
{
	dial(from, number_of(&bob), headers, sdp(from, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(from, "180");
	return another(&bob);
}

static void bob_is_cancelled(void)
{
	hear(&bob, "CANCEL");
	expect_heard(&bob, "\r\nReason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
}

static void test_another_phone_picks_up(void **state)
{
	struct phone desk;
	char to_carol[120], to_desk[120], tag[40];
	dp_session_id was;

	(void)state;
	desk = ringing(&carol, "");
	was = plane_last()->id;
	snprintf(tag, sizeof tag, "%s", carol.remote_tag);
	dial(&desk, "+2001", dialog_of(&bob, ";early-only"), sdp(&desk, 7));
	hear(&desk, "200");
	expect_heard(&desk, "m=audio");
	expect_heard(&desk, "SAVP 8 0\r\n");
	crypto_of(&desk, to_desk);
	hear(&carol, "200");
	expect_heard(&carol, "SAVP 8 0\r\n");
	assert_string_equal(carol.remote_tag, tag);
	crypto_of(&carol, to_carol);
	assert_string_not_equal(to_carol, to_desk);
	bob_is_cancelled();
	say(&carol, "ACK", "", "");
	say(&desk, "ACK", "", "");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	assert_true(plane_last()->id != was);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, 30007);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30001);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
	for (unsigned side = 0; side < 2; side++) {
		assert_int_equal(plane_last()->leg[side].security, DP_SECURITY_SRTP);
		assert_int_equal(plane_last()->tx_keys[side], 1);
		assert_int_equal(plane_last()->rx_keys[side], 1);
	}
	assert_int_equal(counter("replaced"), 1);
	assert_int_equal(counter("refused_replaces"), 0);
	/* It is a call as any other. */
	say(&carol, "INVITE", "", sdp_as(&carol, 3, 9, "sendonly"));
	hear(&desk, "INVITE");
	answer(&desk, "200 OK", "", sdp_as(&desk, 8, 9, "recvonly"));
	hear(&desk, "ACK");
	hear(&carol, "200");
	say(&carol, "ACK", "", "");
	hang_up(&carol, &desk);
	expect_no_calls();
	phone_forget(&desk);
}

/* How long who picks up would have waited is over with the answer. */
static void test_a_pickup_does_not_expire(void **state)
{
	struct phone desk = ringing(&carol, "Expires: 5\r\n");
	char *headers;

	(void)state;
	assert_true(asprintf(&headers, "%sExpires: 5\r\n", dialog_of(&bob, "")) > 0);
	dial(&desk, "+2001", headers, sdp(&desk, 7));
	free(headers);
	hear(&desk, "200");
	hear(&carol, "200");
	bob_is_cancelled();
	say(&carol, "ACK", "", "");
	say(&desk, "ACK", "", "");
	pass(20000);
	silence(NULL);
	assert_int_equal(bench.live, 1);
	hang_up(&desk, &carol);
	phone_forget(&desk);
}

/* Nor is it the time that somebody has to answer a later INVITE. */
static void test_a_change_after_a_pickup_is_given_up_in_time(void **state)
{
	struct phone desk = ringing(&carol, "");
	char *headers;

	(void)state;
	assert_true(asprintf(&headers, "%sExpires: 5\r\n", dialog_of(&bob, "")) > 0);
	dial(&desk, "+2001", headers, sdp(&desk, 7));
	free(headers);
	hear(&desk, "200");
	hear(&carol, "200");
	bob_is_cancelled();
	say(&carol, "ACK", "", "");
	say(&desk, "ACK", "", "");
	say(&carol, "INVITE", "", sdp_as(&carol, 3, 9, "sendonly"));
	hear(&desk, "INVITE");
	answer(&desk, "180 Ringing", "", "");
	pass(1000);
	hear(&carol, "100");
	pass(18000);
	silence(NULL);
	pass(2000);
	hear(&desk, "CANCEL");
	reply(&desk, "200 OK");
	answer(&desk, "487 Request Terminated", "", "");
	hear(&desk, "ACK");
	hear(&carol, "408");
	say(&carol, "ACK", "", "");
	silence(NULL);
	hang_up(&carol, &desk);
	expect_no_calls();
	phone_forget(&desk);
}

/* The caller hears the 200 of what is a fork to it: the answer of the early media does not bind it. */
static void test_after_early_media(void **state)
{
	struct phone desk;
	char early[120], late[120], tag[40];

	(void)state;
	bench_change_all((struct bench_edit[]){{"\"name\":\"carrier-a\",",
						       "\"name\":\"carrier-a\",\"replaces\":\"same-trunk\","},
				 {"\"reinvite-keys\":\"own-leg\"}", "\"reinvite-keys\":\"always\"}"}},
		2);
	dial(&carol, number_of(&bob), "", sdp(&carol, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&carol, "183");
	crypto_of(&carol, early);
	snprintf(tag, sizeof tag, "%s", carol.remote_tag);
	desk = another(&bob);
	dial(&desk, "+2001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&desk, "200");
	hear(&carol, "200");
	bob_is_cancelled();
	crypto_of(&carol, late);
	assert_string_not_equal(early, late);
	assert_string_not_equal(carol.remote_tag, tag);
	say(&desk, "ACK", "", "");
	say(&carol, "ACK", "", "");
	silence(NULL);
	hang_up(&desk, &carol);
	expect_no_calls();
	phone_forget(&desk);
}

static void test_without_an_offer(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""), "");
	hear(&desk, "200");
	expect_heard(&desk, "SAVP 8 0\r\n");
	silence(NULL); /* it rings on until it is known what is answered */
	say(&desk, "ACK", "", sdp(&desk, 7));
	hear(&alice, "200");
	expect_heard(&alice, "m=audio");
	bob_is_cancelled();
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, 30007);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30001);
	hang_up(&alice, &desk);
	expect_no_calls();
	phone_forget(&desk);
}

static void taken_by_bob(struct phone *from)
{
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(from, "200");
	say(from, "ACK", "", "");
	silence(NULL);
	hang_up(from, &bob);
	expect_no_calls();
}

/* Nothing comes of it: it rings on, and bob may answer. */
static void test_nothing_in_common(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""),
		"v=0\r\no=- 1 9 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30007 RTP/SAVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n"
		"a=crypto:1 AEAD_AES_256_GCM "
		"inline:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA=\r\n");
	hear(&desk, "488");
	expect_heard(&desk, "no codec in common");
	say(&desk, "ACK", "", "");
	silence(NULL);
	taken_by_bob(&alice);
	phone_forget(&desk);
}

static void test_plain_media_where_keys_are_required(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""),
		"v=0\r\no=- 1 9 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30007 RTP/AVP 8\r\n");
	hear(&desk, "488");
	say(&desk, "ACK", "", "");
	silence(NULL);
	taken_by_bob(&alice);
	phone_forget(&desk);
}

static void test_who_is_first_has_it(void **state)
{
	struct phone desk, late;

	(void)state;
	desk = ringing(&alice, "");
	late = another(&bob);
	bench.plane.slow = true;
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	dial(&late, "+3001", dialog_of(&bob, ""), sdp(&late, 8));
	hear(&late, "500");
	expect_heard(&late, "another transfer");
	say(&late, "ACK", "", "");
	bench.plane.slow = false;
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	plane_acknowledge();
	plane_acknowledge();
	hear(&desk, "480");
	expect_heard(&desk, "answered meanwhile");
	say(&desk, "ACK", "", "");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
	phone_forget(&desk);
	phone_forget(&late);
}

/* bob's 200 crosses the CANCEL: it is acknowledged and ended. */
static void test_an_answer_that_crosses(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&desk, "200");
	hear(&alice, "200");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	say(&alice, "ACK", "", "");
	say(&desk, "ACK", "", "");
	silence(NULL);
	hang_up(&desk, &alice);
	expect_no_calls();
	phone_forget(&desk);
}

static void test_the_caller_gives_up_meanwhile(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""), "");
	hear(&desk, "200");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	say(&desk, "ACK", "", sdp(&desk, 7));
	hear(&desk, "BYE");
	reply(&desk, "200 OK");
	silence(NULL);
	expect_no_calls();
	phone_forget(&desk);
}

/* Who picks up and is gone again: both are told, and nobody rings any more. */
static void test_one_never_acknowledges(void **state)
{
	struct phone desk;

	(void)state;
	desk = ringing(&alice, "");
	dial(&desk, "+3001", dialog_of(&bob, ""), sdp(&desk, 7));
	hear(&desk, "200");
	hear(&alice, "200");
	bob_is_cancelled();
	say(&alice, "ACK", "", "");
	pass(33000);
	hear_all(&desk, "SIP/2.0 200");
	hear(&desk, "BYE");
	reply(&desk, "200 OK");
	hear_all(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
	phone_forget(&desk);
}

/* The other branch of a fork rings too, and both are cancelled. */
static void test_a_branch_of_a_fork(void **state)
{
	struct phone desk;
	char first[300];

	(void)state;
	desk = ringing(&alice, "");
	snprintf(first, sizeof first, "%s", dialog_of(&bob, ""));
	answer_as(&bob, "other", "180 Ringing", "", "");
	hear(&alice, "180");
	dial(&desk, "+3001", first, sdp(&desk, 7));
	hear(&desk, "200");
	hear(&alice, "200");
	bob_is_cancelled();
	say(&alice, "ACK", "", "");
	say(&desk, "ACK", "", "");
	silence(NULL);
	hang_up(&desk, &alice);
	expect_no_calls();
	phone_forget(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_another_phone_picks_up),
		TT(test_a_pickup_does_not_expire),
		TT(test_a_change_after_a_pickup_is_given_up_in_time),
		TT(test_after_early_media),
		TT(test_without_an_offer),
		TT(test_nothing_in_common),
		TT(test_plain_media_where_keys_are_required),
		TT(test_who_is_first_has_it),
		TT(test_an_answer_that_crosses),
		TT(test_the_caller_gives_up_meanwhile),
		TT(test_one_never_acknowledges),
		TT(test_a_branch_of_a_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
