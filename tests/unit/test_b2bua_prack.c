/* SPDX-License-Identifier: Apache-2.0 */
/* A PRACK with an offer changes the session while the called side rings (RFC 3262 section 5, RFC 3311). */
#include "tests/unit/b2bua_reliably.h"

static unsigned rseq; /* of the last reliable response */

static void hear_reliable(struct phone *p, const char *status)
{
	const char *at;

	hear(p, status);
	at = memmem(p->heard->text.p, p->heard->text.n, "\r\nRSeq: ", 8);
	assert_non_null(at);
	rseq = (unsigned)atoi(at + 8);
}

static void prack(struct phone *p, const char *headers, const char *body)
{
	char rack[200];

	snprintf(rack, sizeof rack, "RAck: %u %u INVITE\r\n%s", rseq, p->invite_cseq, headers);
	say(p, "PRACK", rack, body);
}

/* Its first offer is answered, reliably on both sides, and p has not acknowledged that yet. */
static void early(struct phone *p, struct phone *other, const char *allow)
{
	char headers[200];

	snprintf(headers, sizeof headers, "%sRSeq: 1\r\n%s", RELIABLE, allow);
	dial(p, number_of(other), CAN, sdp(p, 1));
	hear(other, "INVITE");
	answer(other, "183 Session Progress", headers, sdp(other, 1));
	hear(other, "PRACK");
	reply(other, "200 OK");
	hear_reliable(p, "183");
}

static void test_it_becomes_an_update(void **state)
{
	char first[120], second[120];

	(void)state;
	dial(&alice, number_of(&bob), CAN, sdp(&alice, 1));
	hear(&bob, "INVITE");
	crypto_of(&bob, first);
	answer(&bob, "183 Session Progress", RELIABLE "RSeq: 1\r\n" UPDATES, sdp(&bob, 1));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear_reliable(&alice, "183");
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	silence(&alice); /* the 200 waits for the answer */
	hear(&bob, "UPDATE");
	expect_heard(&bob, "a=sendonly");
	expect_not_heard(&bob, "Session-Expires");
	crypto_of(&bob, second);
	assert_string_not_equal(first, second); /* keys are renewed as in any re-offer */
	reply_sdp(&bob, "200 OK", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&alice, "200");
	expect_heard(&alice, " PRACK\r\n");
	expect_heard(&alice, "a=recvonly");
	settle();
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_RECV);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	/* Another reliable response may bring the next change. */
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 2\r\n", "");
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear(&alice, "180");
	expect_not_heard(&alice, "m=audio");
	taken_and_over(&alice, &bob);
}

static void test_keys_of_the_caller_change_too(void **state)
{
	char first[120], second[120];

	(void)state;
	early(&bob, &carol, UPDATES);
	crypto_of(&bob, first);
	prack(&bob, "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&carol, "UPDATE");
	reply_sdp(&carol, "200 OK", sdp_as(&carol, 2, 12, "sendrecv"));
	hear(&bob, "200");
	crypto_of(&bob, second);
	assert_string_not_equal(first, second);
	settle();
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_A], 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_A], 2);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 2);
	assert_int_equal(
		plane_last()->tx_keys[DP_SIDE_B], 1); /* carrier-b keeps to the first: reinvite-keys */
	taken_and_over(&bob, &carol);
}

/* Both sides agree on what alice's PRACK brings. */
static void change(const char *ours, const char *theirs, unsigned n)
{
	char heard_direction[40];

	prack(&alice, "", sdp_as(&alice, n, 10 + n, ours));
	hear(&bob, "UPDATE");
	reply_sdp(&bob, "200 OK", sdp_as(&bob, n, 10 + n, theirs));
	hear(&alice, "200");
	expect_heard(&alice, " PRACK\r\n");
	snprintf(heard_direction, sizeof heard_direction, "a=%s", theirs);
	expect_heard(&alice, heard_direction);
}

static void test_again_with_the_next_response(void **state)
{
	(void)state;
	dial(&alice, number_of(&bob), RELIABLE, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", RELIABLE "RSeq: 1\r\n" UPDATES, sdp(&bob, 1));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear_reliable(&alice, "183");
	change("sendonly", "recvonly", 2);
	answer(&bob, "180 Ringing", "", sdp(&bob, 1)); /* no answer any more: there is nothing to answer */
	hear_reliable(&alice, "180");
	expect_not_heard(&alice, "m=audio");
	change("sendrecv", "sendrecv", 3);
	settle();
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
	taken_and_over(&alice, &bob);
}

/* What p was asked, to be answered when it has heard more. */
static struct sip_msg *kept;

static void keep(const struct phone *p)
{
	kept = sip_msg_clone(p->heard);
	assert_non_null(kept);
}

static void reply_kept(struct phone *p, const char *status, const char *body)
{
	sip_msg_free(p->heard);
	p->heard = kept;
	reply_sdp(p, status, body);
}

static void test_offers_that_meet(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	keep(&bob);
	say(&bob, "UPDATE", "", sdp_as(&bob, 3, 13, "sendrecv"));
	hear(&bob, "491");
	say(&alice, "UPDATE", "", sdp_as(&alice, 3, 13, "sendrecv"));
	hear(&alice, "500");
	expect_heard(&alice, "Retry-After");
	answer(&bob, "180 Ringing", "", "");
	silence(NULL); /* until the PRACK has its answer */
	reply_kept(&bob, "200 OK", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&alice, "200");
	expect_heard(&alice, " PRACK\r\n");
	expect_heard(&alice, "a=recvonly");
	hear(&alice, "180");
	taken_and_over(&alice, &bob);
}

static void test_the_same_offer_again(void **state)
{
	(void)state;
	early(&bob, &carol, UPDATES);
	prack(&bob, "", sdp(&bob, 1));
	hear(&bob, "200");
	expect_heard(&bob, " PRACK\r\n");
	expect_heard(&bob, "m=audio");
	silence(NULL);
	taken_and_over(&bob, &carol);
}

static void test_the_called_side_refuses(void **state)
{
	static const struct {
		const char *by_bob, *to_alice;
	} refusals[] = {
		{"488 Not Here", "488"},
		{"491 Request Pending", "491"},
		{"500 Later", "500"},
		{"405 Method Not Allowed", "488"},
		{"302 Moved", "502"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		early(&alice, &bob, UPDATES);
		prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
		hear(&bob, "UPDATE");
		reply(&bob, refusals[i].by_bob);
		hear(&alice, refusals[i].to_alice);
		expect_heard(&alice, " PRACK\r\n");
		expect_heard(&alice, "Warning: 399");
		expect_not_heard(&alice, "\r\nRetry-After");
		/* What was agreed first holds, and the 183 is acknowledged. */
		pass(5000);
		silence(NULL);
		assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
		taken_and_over(&alice, &bob);
	}
}

static void test_what_is_refused_at_once(void **state)
{
	(void)state;
	early(&alice, &bob, ""); /* who does not say that he takes UPDATE gets none */
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "488");
	expect_heard(&alice, "takes no UPDATE");
	silence(NULL);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);

	early(&alice, &bob, UPDATES);
	prack(&alice, "Content-Type: text/plain\r\n", "x");
	hear(&alice, "415");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");

	early(&alice, &bob, UPDATES);
	prack(&alice, "",
		"v=0\r\no=- 1 9 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/SAVP 8\r\n");
	hear(&alice, "488");
	silence(NULL);
	taken_and_over(&alice, &bob);
}

/* Its answer has to be reliable before the session may change; that of the first offer has to be there. */
static void test_too_early(void **state)
{
	(void)state;
	dial(&alice, number_of(&bob), RELIABLE, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", UPDATES, "");
	hear_reliable(&alice, "180");
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "500");
	expect_heard(&alice, "Retry-After");
	answer(&bob, "183 Session Progress", UPDATES, sdp(&bob, 1));
	hear_reliable(&alice, "183");
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "488");
	expect_heard(&alice, "not reliable");
	silence(NULL);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_called_side_answers_meanwhile(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	keep(&bob);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL); /* the PRACK's answer comes first */
	reply_kept(&bob, "200 OK", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&alice, "200");
	expect_heard(&alice, " PRACK\r\n");
	expect_heard(&alice, "a=recvonly");
	hear(&alice, "200");
	expect_heard(&alice, " INVITE\r\n");
	expect_not_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	silence(NULL);
	/* And the session is one like any other. */
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 13, "sendrecv"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 3, 13, "sendrecv"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	expect_heard(&bob, "m=audio");
	say(&bob, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_it_had_answered_before(void **state)
{
	(void)state;
	early(&alice, &bob, "");
	answer(&bob, "200 OK", UPDATES, sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	reply_sdp(&bob, "200 OK", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&alice, "200");
	expect_heard(&alice, " PRACK\r\n");
	hear(&alice, "200");
	expect_heard(&alice, " INVITE\r\n");
	expect_not_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_it_ends_meanwhile(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	expect_heard(&alice, " PRACK\r\n");
	hear(&alice, "487");
	expect_heard(&alice, " INVITE\r\n");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	pass(40000);
	silence(NULL);
	expect_no_calls();

	early(&bob, &carol, UPDATES);
	prack(&bob, "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&carol, "UPDATE");
	keep(&carol);
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	hear(&bob, "487");
	hear(&bob, "486");
	say(&bob, "ACK", "", "");
	reply_kept(&carol, "200 OK", sdp_as(&carol, 2, 12, "recvonly")); /* too late */
	silence(NULL);
	expect_no_calls();
}

static void test_the_called_side_does_not_know_the_call(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	reply(&bob, "481 Gone");
	hear(&alice, "487");
	expect_heard(&alice, " PRACK\r\n");
	hear(&alice, "408");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

static void test_the_called_side_does_not_answer(void **state)
{
	(void)state;
	bench.config->limits.ring_timeout_s = 0;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	pass(33000);
	while (hear_any(&alice) && alice.heard->method != SIP_INVITE)
		;
	assert_int_equal(alice.heard->status, 408);
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(&bob);
	expect_no_calls();
}

static void test_an_answer_that_cannot_be_used(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "UPDATE");
	reply(&bob, "200 OK");
	hear(&alice, "487");
	hear(&alice, "502");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	expect_no_calls();
}

static void test_it_waits_for_the_data_plane(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	bench.plane.slow = true;
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	silence(NULL); /* bob may speak under a new key as soon as he hears the offer */
	plane_acknowledge();
	hear(&bob, "UPDATE");
	reply_sdp(&bob, "200 OK", sdp_as(&bob, 2, 12, "recvonly"));
	silence(NULL);
	plane_acknowledge();
	hear(&alice, "200");
	expect_heard(&alice, "a=recvonly");
	plane_acknowledge();
	bench.plane.slow = false;
	taken_and_over(&alice, &bob);
}

/* Nothing can be agreed any more with another branch than the one whose session was changed. */
static void test_a_fork_afterwards(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	change("sendonly", "recvonly", 2);
	answer_as(&bob, "other", "183 Session Progress", RELIABLE "RSeq: 9\r\n", sdp(&bob, 4));
	silence(NULL);
	answer_as(&bob, "other", "200 OK", "", sdp(&bob, 4));
	hear(&bob, "ACK");
	hear(&alice, "502");
	say(&alice, "ACK", "", "");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_a_fork_before(void **state)
{
	(void)state;
	early(&alice, &bob, UPDATES);
	answer_as(&bob, "other", "180 Ringing", UPDATES, "");
	prack(&alice, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "488");
	expect_heard(&alice, "forked");
	hear(&alice, "180");
	silence(NULL);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "m=audio");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_it_becomes_an_update),
		T(test_keys_of_the_caller_change_too),
		T(test_again_with_the_next_response),
		T(test_offers_that_meet),
		T(test_the_same_offer_again),
		T(test_the_called_side_refuses),
		T(test_what_is_refused_at_once),
		T(test_too_early),
		T(test_the_called_side_answers_meanwhile),
		T(test_it_had_answered_before),
		T(test_it_ends_meanwhile),
		T(test_the_called_side_does_not_know_the_call),
		T(test_the_called_side_does_not_answer),
		T(test_an_answer_that_cannot_be_used),
		T(test_it_waits_for_the_data_plane),
		T(test_a_fork_afterwards),
		T(test_a_fork_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
