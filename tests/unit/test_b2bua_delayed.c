/* SPDX-License-Identifier: Apache-2.0 */
/* INVITEs without an offer: the called side offers in its 200, the caller answers in its ACK. */
#include "tests/unit/b2bua_bench.h"

/* `from` has asked for an offer, and has that of `to` in a 200; `to` waits for its ACK. */
static void offered(struct phone *from, struct phone *to)
{
	dial(from, number_of(to), "", "");
	hear(to, "INVITE");
	expect_not_heard(to, "m=audio");
	expect_not_heard(to, "Content-Type");
	answer(to, "180 Ringing", "", "");
	hear(from, "180");
	answer(to, "200 OK", "", sdp(to, 1));
	hear(from, "200");
	expect_heard(from, from->suite ? " RTP/SAVP 8 0" : " RTP/AVP 8 0");
	silence(NULL);
}

static void answered(struct phone *from, struct phone *to, unsigned n)
{
	say(from, "ACK", "", sdp(from, n));
	hear(to, "ACK");
	expect_heard(to, to->suite ? "a=crypto:1 " : " RTP/AVP 8 0");
	if (to->suite)
		expect_heard(to, to->suite);
	silence(NULL);
}

static void test_a_call_between_any_two(void **state)
{
	struct phone *const pairs[][2] = {{&alice, &bob}, {&bob, &alice}, {&bob, &carol}};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct phone *from = pairs[i][0], *to = pairs[i][1];
		const struct plane_session *s;

		offered(from, to);
		answered(from, to, 1);
		s = plane_last();
		assert_int_equal(counter("answered"), i + 1);
		for (unsigned side = 0; side < 2; side++) {
			const struct phone *p = side ? to : from;

			assert_int_equal(s->rx_keys[side], p->suite != NULL);
			assert_int_equal(s->tx_keys[side], p->suite != NULL);
			assert_int_equal(s->leg[side].remote.port, 30001);
			assert_int_equal(s->leg[side].streams[0].direction, DP_SENDRECV);
		}
		hang_up(i ? from : to, i ? to : from);
		expect_no_calls();
	}
}

static void test_the_ack_waits_for_the_data_plane(void **state)
{
	(void)state;
	bench.plane.slow = true;
	offered(&alice, &bob);
	say(&alice, "ACK", "", sdp(&alice, 1));
	say(&alice, "INVITE", "", sdp(&alice, 2)); /* the last one is not finished */
	hear(&alice, "500");
	say(&alice, "ACK", "", "");
	silence(NULL);
	plane_acknowledge();
	hear(&bob, "ACK");
	expect_heard(&bob, "a=crypto:1 ");
	plane_acknowledge();
	silence(NULL);
	bench.plane.slow = false;
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_repeated_200_is_acknowledged_only_with_the_answer(void **state)
{
	(void)state;
	offered(&bob, &alice);
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	silence(NULL);
	answered(&bob, &alice, 1);
	answer(&alice, "200 OK", "", sdp(&alice, 1)); /* that ACK was lost */
	hear(&alice, "ACK");
	expect_heard(&alice, "m=audio");
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* What a 18x says is no offer: nothing makes it arrive. */
static void test_early_media_needs_a_reliable_response(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	expect_not_heard(&alice, "m=audio");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&alice, "200");
	answered(&alice, &bob, 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void refused_by_us(const char *body, const char *status, const char *why)
{
	dial(&alice, "+1001", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", body);
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, status);
	expect_heard(&alice, why);
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_offers_that_cannot_be_used(void **state)
{
	(void)state;
	refused_by_us("", "502", "answered without SDP");
	refused_by_us("nonsense", "400", "Warning: 399");
	refused_by_us(sdp(&alice, 1), "488", "SRTP is required");
	assert_int_equal(counter("failed_answer"), 3);
}

static void both_hear_the_end(struct phone *from, struct phone *to)
{
	hear(from, "BYE");
	reply(from, "200 OK");
	hear(to, "ACK");
	expect_not_heard(to, "m=audio");
	hear(to, "BYE");
	reply(to, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_answers_that_cannot_be_used(void **state)
{
	(void)state;
	offered(&bob, &alice);
	say(&bob, "ACK", "", "");
	both_hear_the_end(&bob, &alice);
	assert_string_equal(last_reason(), "488 the ACK to an offer of ours has no answer");
	offered(&bob, &alice);
	say(&bob, "ACK", "", sdp(&alice, 1)); /* plain */
	both_hear_the_end(&bob, &alice);
}

static void test_an_answer_that_never_comes(void **state)
{
	(void)state;
	offered(&bob, &alice);
	for (unsigned i = 0; i < 33; i++) {
		pass(1000);
		while (bob.heard->status == 200 && hear_any(&bob))
			;
	}
	assert_true(bob.heard->request && bob.heard->method == SIP_BYE);
	reply(&bob, "200 OK");
	hear(&alice, "ACK");
	hear_all(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
}

static void test_somebody_hangs_up_before_the_ack(void **state)
{
	(void)state;
	offered(&alice, &bob);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	offered(&alice, &bob);
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	silence(NULL); /* alice's BYE waits for her ACK */
	say(&alice, "ACK", "", sdp(&alice, 1));
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_the_caller_gives_up(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	answer(&bob, "200 OK", "", sdp(&bob, 1)); /* crosses the CANCEL */
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
}

/* A re-INVITE that asks for an offer: how some hold, resume and refresh. */
static void reoffered(struct phone *p, struct phone *other, unsigned n, const char *direction)
{
	say(p, "INVITE", "", "");
	hear(other, "INVITE");
	expect_not_heard(other, "m=audio");
	answer(other, "200 OK", "", sdp_as(other, n, 10 + n, direction));
	hear(p, "200");
	expect_heard(p, direction);
}

static void test_a_change_of_a_call_that_is_up(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *p = i ? &bob : &alice, *other = i ? &alice : &bob;

		reoffered(p, other, 2 + i, "sendrecv");
		say(p, "ACK", "", sdp_as(p, 2 + i, 20, "inactive"));
		hear(other, "ACK");
		expect_heard(other, "a=inactive");
		assert_int_equal(plane_last()->leg[0].streams[0].direction, DP_INACTIVE);
		assert_int_equal(plane_last()->leg[1].streams[0].direction, DP_INACTIVE);
		reoffered(p, other, 2 + i, "sendrecv");
		say(p, "ACK", "", sdp_as(p, 2 + i, 21, "sendrecv"));
		hear(other, "ACK");
		assert_int_equal(plane_last()->leg[0].streams[0].direction, DP_SENDRECV);
		silence(NULL);
	}
	assert_int_equal(counter("answered"), 1);
	/* And one that comes to nothing. */
	say(&alice, "INVITE", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "488 Not Acceptable Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	silence(NULL);
	/* What the gateway offers behind it is a change of its own, and acknowledged. */
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 4, 22, "sendrecv"));
	hear(&bob, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_change_whose_answer_cannot_be_used(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	reoffered(&bob, &alice, 2, "sendrecv");
	say(&bob, "ACK", "", "");
	both_hear_the_end(&bob, &alice);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_SRTP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_call_between_any_two),
		T(test_the_ack_waits_for_the_data_plane),
		T(test_a_repeated_200_is_acknowledged_only_with_the_answer),
		T(test_early_media_needs_a_reliable_response),
		T(test_offers_that_cannot_be_used),
		T(test_answers_that_cannot_be_used),
		T(test_an_answer_that_never_comes),
		T(test_somebody_hangs_up_before_the_ack),
		T(test_the_caller_gives_up),
		T(test_a_change_of_a_call_that_is_up),
		T(test_a_change_whose_answer_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
