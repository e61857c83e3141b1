/* SPDX-License-Identifier: Apache-2.0 */
/* An account that is registered in several places: all ring, one answers; and where it is found later. */
#include "tests/unit/b2bua_accounts.h"

#include <errno.h>

static struct phone tablet, third;

static struct phone place(const char *ip)
{
	return (struct phone){.ip = ip, .listener = INSIDE_UDP};
}

static int setup(void **state)
{
	int rc = bench_setup(state);

	tablet = place("10.20.0.60");
	third = place("10.20.0.70");
	with_users_at("", 4);
	return rc;
}

static int teardown(void **state)
{
	phone_forget(&tablet);
	phone_forget(&third);
	return bench_teardown(state);
}

static void ring_both(void)
{
	registers(&alice, "");
	registers(&tablet, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	hear(&tablet, "INVITE");
	silence(NULL);
}

static void refuse(struct phone *p, const char *status)
{
	answer(p, status, "", "");
	hear(p, "ACK");
}

static void cancelled(struct phone *p, const char *reason)
{
	hear(p, "CANCEL");
	expect_heard(p, reason);
	reply(p, "200 OK");
	refuse(p, "487 Request Terminated");
}

static void answered_by(struct phone *p)
{
	hear(p, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
}

static void refused_with(const char *status)
{
	hear(&bob, status);
	say(&bob, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_all_ring_and_the_first_to_answer_has_the_call(void **state)
{
	(void)state;
	ring_both();
	assert_true(str_eq(alice.invite->call_id, tablet.invite->call_id));
	assert_int_equal(alice.invite->cseq, tablet.invite->cseq);
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&tablet, "200 OK", "", sdp(&tablet, 7));
	cancelled(&alice, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n");
	answered_by(&tablet);
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30007);
	assert_int_equal(counter("rang_at_several"), 1);
	/* The dialog is the tablet's. */
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 2, "sendonly"));
	hear(&tablet, "INVITE");
	answer(&tablet, "200 OK", "", sdp_as(&tablet, 7, 8, "recvonly"));
	hear(&tablet, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hang_up(&bob, &tablet);
	expect_no_calls();
}

/* Before the other one has said anything: it can be cancelled only when it has. */
static void test_an_answer_before_the_other_rings(void **state)
{
	(void)state;
	ring_both();
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	answered_by(&alice);
	silence(&tablet);
	answer(&tablet, "180 Ringing", "", "");
	cancelled(&tablet, "Call completed elsewhere");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_two_answer_at_once(void **state)
{
	(void)state;
	ring_both();
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	answered_by(&alice);
	hear(&tablet, "CANCEL");
	reply(&tablet, "200 OK");
	answer(&tablet, "200 OK", "", sdp(&tablet, 4));
	hear(&tablet, "ACK");
	hear(&tablet, "BYE");
	reply(&tablet, "200 OK");
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30003);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_the_caller_hears_the_best_refusal(void **state)
{
	(void)state;
	ring_both();
	refuse(&alice, "486 Busy Here");
	silence(&bob);
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	refuse(&tablet, "480 Temporarily Unavailable");
	refused_with("486");
	expect_heard(&bob, "486 Busy Here");
}

/* A busy phone does not keep the other from being answered, also when the busy one had sent early media. */
static void test_one_is_busy_and_the_other_answers(void **state)
{
	(void)state;
	ring_both();
	answer(&alice, "183 Session Progress", "", sdp(&alice, 3));
	hear(&bob, "183");
	refuse(&alice, "486 Busy Here");
	say(&alice, "BYE", "", "");
	hear(&alice, "481"); /* its early dialog is over */
	answer(&tablet, "200 OK", "", sdp(&tablet, 4));
	answered_by(&tablet);
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30004);
	hang_up(&bob, &tablet);
	expect_no_calls();
}

static void test_a_decline_is_for_all(void **state)
{
	(void)state;
	ring_both();
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	refuse(&tablet, "603 Decline");
	cancelled(&alice, "Reason: SIP;cause=603");
	refused_with("603");
}

static void test_the_caller_gives_up(void **state)
{
	(void)state;
	ring_both();
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	say(&bob, "CANCEL", "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "");
	hear(&bob, "200");
	hear(&bob, "487");
	say(&bob, "ACK", "", "");
	cancelled(&alice, "Reason: SIP;cause=200");
	hear(&tablet, "CANCEL");
	reply(&tablet, "200 OK");
	answer(&tablet, "200 OK", "", sdp(&tablet, 4)); /* too late */
	hear(&tablet, "ACK");
	hear(&tablet, "BYE");
	reply(&tablet, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_one_cannot_be_reached(void **state)
{
	(void)state;
	registers(&tablet, "");
	registers(&third, "");
	registers(&alice, "");
	bench.refuse_ip = tablet.ip;
	bench.send_result = -ECONNREFUSED;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	hear(&third, "INVITE");
	refuse(&alice, "486 Busy Here");
	silence(&bob);
	answer(&third, "200 OK", "", sdp(&third, 4));
	answered_by(&third);
	hang_up(&third, &bob);
	expect_no_calls();
}

/* Values of q order groups; the next rings when all of one have refused. */
static void test_groups(void **state)
{
	(void)state;
	registers(&alice, "Contact: <sip:alice@10.20.0.5>;q=0.5\r\n");
	registers(&tablet, "");
	registers(&third, "Contact: <sip:alice@10.20.0.70>;q=0.5\r\n");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&tablet, "INVITE");
	silence(NULL);
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	refuse(&tablet, "486 Busy Here");
	hear(&alice, "INVITE");
	hear(&third, "INVITE");
	silence(NULL);
	refuse(&alice, "480 Temporarily Unavailable");
	answer(&third, "200 OK", "", sdp(&third, 4));
	answered_by(&third);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].remote.port, 30004);
	hang_up(&third, &bob);
	expect_no_calls();
}

static void test_the_next_group_after_a_time(void **state)
{
	(void)state;
	with_users_at("\"ring-next-after\":10", 4);
	registers(&alice, "Contact: <sip:alice@10.20.0.5>;q=0.5\r\n");
	registers(&tablet, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&tablet, "INVITE");
	answer(&tablet, "180 Ringing", "", "");
	hear(&bob, "180");
	pass(9000);
	silence(NULL);
	pass(1500);
	cancelled(&tablet, "Reason: SIP;cause=408");
	hear(&alice, "INVITE");
	refuse(&alice, "404 Not Found");
	refused_with("404"); /* says more than that the first did not answer */
}

/* Early media has come: the caller could hear no other answer, and the phone rings on. */
static void test_early_media_holds_the_group(void **state)
{
	(void)state;
	with_users_at("\"ring-next-after\":10", 4);
	registers(&alice, "Contact: <sip:alice@10.20.0.5>;q=0.5\r\n");
	registers(&tablet, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&tablet, "INVITE");
	answer(&tablet, "183 Session Progress", "", sdp(&tablet, 4));
	hear(&bob, "183");
	pass(11000);
	silence(NULL);
	refuse(&tablet, "486 Busy Here");
	refused_with("486");
}

/* RFC 5626: the account is where it has registered last, whatever way the call was set up by. */
static void test_a_new_flow(void **state)
{
	(void)state;
	registers(&alice, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	answered_by(&alice);
	struct phone dialog = alice;

	alice.invite = NULL;
	alice.heard = NULL;
	alice.nat_port = 6000;
	registers(&alice, "");
	phone_forget(&alice);
	alice = dialog;
	alice.nat_port = 6000;
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 2, "sendonly"));
	hear(&alice, "INVITE");
	assert_int_equal(alice.flow.remote.port, 6000);
	answer(&alice, "200 OK", "", sdp_as(&alice, 3, 4, "recvonly"));
	hear(&alice, "ACK");
	assert_int_equal(alice.flow.remote.port, 6000);
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&alice, "BYE");
	assert_int_equal(alice.flow.remote.port, 6000);
	reply(&alice, "200 OK");
	expect_no_calls();
}

/* Somebody else's registration is no way to her, nor is another device of hers. */
static void test_a_flow_of_another_device(void **state)
{
	(void)state;
	registers(&alice, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	answered_by(&alice);
	registers(&tablet, "");
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	silence(&tablet);
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
}

#define CONTACTS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CONTACTS(test_all_ring_and_the_first_to_answer_has_the_call),
		CONTACTS(test_an_answer_before_the_other_rings),
		CONTACTS(test_two_answer_at_once),
		CONTACTS(test_the_caller_hears_the_best_refusal),
		CONTACTS(test_one_is_busy_and_the_other_answers),
		CONTACTS(test_a_decline_is_for_all),
		CONTACTS(test_the_caller_gives_up),
		CONTACTS(test_one_cannot_be_reached),
		CONTACTS(test_groups),
		CONTACTS(test_the_next_group_after_a_time),
		CONTACTS(test_early_media_holds_the_group),
		CONTACTS(test_a_new_flow),
		CONTACTS(test_a_flow_of_another_device),
	};

	return cmocka_run_group_tests_name("b2bua_contacts", tests, NULL, NULL);
}
