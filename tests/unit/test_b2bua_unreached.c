/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that break under requests in a call: they are sent again, and the call goes on. */
#include <errno.h>

#include "tests/unit/b2bua_reliably.h"
#include "tests/unit/b2bua_renewals.h"
#include "tests/unit/b2bua_transfers.h"

static void nobody_reaches(const struct phone *p)
{
	bench.refuse_ip = p ? p->ip : NULL;
	bench.send_result = p ? -ECONNREFUSED : 0;
}

/* What the peer is offered over another connection it takes, with keys that follow from n. */
static void take(struct phone *p, unsigned n)
{
	hear(p, "INVITE");
	answer(p, "200 OK", "", sdp_as(p, n, 20 + n, "sendrecv"));
	hear(p, "ACK");
	silence(NULL);
}

/* Alice's re-INVITE has become one to bob, whose connection breaks under it. */
static void hold_in_vain(void)
{
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	cut_connection("reset by peer", true);
	hear(&alice, "503");
	say(&alice, "ACK", "", "");
}

/* Who wanted the change is refused; the other side may have heard of it, and is offered what stands. */
static void test_a_change_for_the_other_side(void **state)
{
	uint32_t before;

	(void)state;
	call_up(&alice, &bob);
	before = plane_last()->leg[DP_SIDE_A].remote.port;
	hold_in_vain();
	pass(100);
	hear(&bob, "INVITE");
	expect_heard(&bob, "a=sendrecv\r\n");
	answer(&bob, "200 OK", "", sdp_as(&bob, 3, 23, "sendrecv"));
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 2);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].remote.port, before);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
	/* The next change works. */
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 13, "sendonly"));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 4, 24, "recvonly"));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* His answer comes by another connection: it is acknowledged, or he would end the call. */
static void test_the_answer_comes_by_another_connection(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	hold_in_vain();
	answer(&bob, "200 OK", "", sdp_as(&bob, 5, 15, "recvonly"));
	hear(&bob, "ACK");
	pass(100);
	take(&bob, 6);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].streams[0].direction, DP_SENDRECV);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* He cannot be reached for long: the session goes on as it was. */
static void test_who_may_have_heard_of_it_does_not_come_back(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	nobody_reaches(&bob);
	cut_connection("reset by peer", true);
	hear(&alice, "503");
	say(&alice, "ACK", "", "");
	pass(60000);
	nobody_reaches(NULL);
	pass(60000);
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Bob has agreed to the change, which alice cannot be told, at once or soon after: she is offered what he
 * knows. */
static void tell_in_vain(const char *method, bool at_once)
{
	call_up(&alice, &bob);
	say(&alice, method, "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	if (at_once)
		nobody_reaches(&alice);
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "recvonly"));
	hear(&bob, "ACK");
	if (!at_once) {
		hear(&alice, "200");
		nobody_reaches(&alice);
		cut_connection("Connection refused", false);
	}
	pass(5000);
	silence(NULL);
	nobody_reaches(NULL);
	for (unsigned ms = 0; !hear_any(&alice); ms += 100) {
		assert_true(ms < 3000);
		pass(100);
	}
	expect_heard(&alice, "a=recvonly\r\n");
	answer(&alice, "200 OK", "", sdp_as(&alice, 3, 23, "sendonly"));
	hear(&alice, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_the_answer_to_who_wanted_the_change(void **state)
{
	(void)state;
	tell_in_vain("INVITE", false);
	tell_in_vain("INVITE", true);
	tell_in_vain("UPDATE", true);
}

static void test_a_renewal_of_keys(void **state)
{
	(void)state;
	policy("\"interval\":0,\"attempts\":1,\"on-refusal\":\"end-call\"");
	call_up(&alice, &bob);
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	cut_connection("reset by peer", true);
	nobody_reaches(&bob);
	pass(5000);
	silence(NULL);
	nobody_reaches(NULL);
	pass(2100);
	take(&bob, 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	assert_int_equal(renewals("operator", "renewed"), 1);
	assert_int_equal(renewals("operator", "refused"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Without new keys the call cannot go on. */
static void test_keys_that_must_be_had(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_restart(false);
	pass(100);
	hear(&bob, "INVITE");
	cut_connection("reset by peer", true);
	nobody_reaches(&bob);
	pass(20000);
	silence(NULL);
	nobody_reaches(NULL);
	pass(2100);
	take(&bob, 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	plane_restart(false);
	nobody_reaches(&bob); /* from the beginning */
	pass(31000);
	silence(NULL);
	pass(4000);
	hear_all(&alice, "BYE");
	expect_heard(&alice, "Reason: SIP;cause=503");
	reply(&alice, "200 OK");
	nobody_reaches(NULL);
	silence(NULL);
	expect_no_calls();
}

/* A session with a timer of 90 s, that the gateway refreshes. */
static void timed(const char *headers)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", headers, sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	pass(45100);
}

static void test_a_refresh(void **state)
{
	static const char *const headers[] = {"Session-Expires: 90;refresher=uac\r\n",
		"Allow: INVITE, ACK, BYE, UPDATE\r\nSession-Expires: 90;refresher=uac\r\n"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		timed(headers[i]);
		hear(&bob, i ? "UPDATE" : "INVITE");
		cut_connection("reset by peer", true);
		nobody_reaches(&bob);
		pass(8000);
		nobody_reaches(NULL);
		pass(2100);
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", headers[i], sdp_as(&bob, 2, 22, "sendrecv"));
		hear(&bob, "ACK");
		pass(44000); /* longer than the first would have been */
		silence(NULL);
		hang_up(&alice, &bob);
		expect_no_calls();
	}
	/* Nor can it be sent for as long as the session lasts. */
	for (unsigned i = 0; i < 2; i++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", headers[i], sdp(&bob, 1));
		hear(&bob, "ACK");
		hear(&alice, "200");
		say(&alice, "ACK", "", "");
		nobody_reaches(&bob);
		pass(59000);
		silence(NULL);
		pass(1100);
		hear(&alice, "BYE");
		expect_heard(&alice, "Reason: SIP;cause=408");
		reply(&alice, "200 OK");
		nobody_reaches(NULL);
		lose_all();
		expect_no_calls();
	}
}

/* The connection of who is to change over breaks: the call that he is in goes on. */
static void test_a_transfer(void **state)
{
	(void)state;
	begun();
	answered();
	cut_connection("reset by peer", true);
	hear(&carol, "ACK");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	reported(&bob, "SIP/2.0 480 ", "terminated");
	pass(100);
	take(&alice, 7);
	assert_int_equal(bench.live, 1);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* Before the answer too: the change is off, it rings on, and who may have heard of it is offered what holds.
 */
static void test_a_change_before_the_answer(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *by = i ? &bob : &carol, *other = i ? &carol : &bob;

		rings(&carol, &bob, UPDATES, UPDATES);
		say(by, "UPDATE", "", sdp_as(by, 2, 12, "sendonly"));
		hear(other, "UPDATE");
		cut_connection("reset by peer", true);
		hear(by, "503");
		expect_heard(by, " UPDATE\r\n");
		pass(1000);
		silence(NULL);
		answer(&bob, "200 OK", "", sdp(&bob, 1));
		hear(&bob, "ACK");
		hear(&carol, "200");
		expect_not_heard(&carol, "m=audio");
		say(&carol, "ACK", "", "");
		take(other, 3);
		hang_up(&carol, &bob);
		expect_no_calls();
	}
}

/* Nor can it be sent at all. */
static void test_a_change_before_the_answer_that_cannot_be_sent(void **state)
{
	(void)state;
	rings(&alice, &bob, UPDATES, UPDATES);
	nobody_reaches(&bob);
	say(&alice, "UPDATE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&alice, "503");
	nobody_reaches(NULL);
	taken_and_over(&alice, &bob);
}

/* Who wanted the change cannot be told that it was agreed: he is offered what was. */
static void test_the_answer_to_a_change_before_the_answer(void **state)
{
	(void)state;
	rings(&bob, &alice, UPDATES, UPDATES);
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "UPDATE");
	nobody_reaches(&bob);
	reply_sdp(&alice, "200 OK", sdp_as(&alice, 2, 12, "recvonly"));
	pass(1000);
	nobody_reaches(NULL);
	silence(NULL);
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hear(&bob, "INVITE");
	expect_heard(&bob, "a=recvonly\r\n");
	answer(&bob, "200 OK", "", sdp_as(&bob, 3, 23, "sendonly"));
	hear(&bob, "ACK");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* The called side waits for a PRACK, or gives the call up. */
static void test_a_prack(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	hear(&alice, "180");
	nobody_reaches(&bob);
	cut_connection("reset by peer", true);
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	silence(NULL);
	nobody_reaches(NULL);
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	expect_heard(&bob, "\r\nRAck: 7 1 INVITE\r\n");
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	silence(NULL); /* it is on the way */
	cut_connection("reset by peer", true);
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	silence(NULL);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Each branch of a fork is owed its own, whichever spoke last. */
static void test_a_prack_of_another_branch(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	nobody_reaches(&bob);
	cut_connection("reset by peer", true);
	nobody_reaches(NULL);
	answer_as(&bob, "two", "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	expect_heard(&bob, ";tag=two\r\n");
	reply(&bob, "200 OK");
	answer_as(&bob, "one", "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	expect_heard(&bob, ";tag=one\r\n");
	reply(&bob, "200 OK");
	answer_as(&bob, "two", "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	silence(&bob);
	answer_as(&bob, "two", "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	do
		assert_non_null(hear_any(&alice));
	while (alice.heard->status < 200);
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The caller gives up while a PRACK is on its way. */
static void test_a_prack_that_the_call_does_not_wait_for(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", RELIABLE "RSeq: 7\r\n", "");
	hear(&bob, "PRACK");
	hear(&alice, "180");
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

/* INFO goes once or not at all: what it says must not be heard twice. The call goes on. */
static void test_what_passes_in_a_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n");
	hear(&bob, "INFO");
	cut_connection("reset by peer", true);
	hear(&alice, "503");
	expect_not_heard(&alice, "Retry-After");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_change_for_the_other_side),
		T(test_the_answer_comes_by_another_connection),
		T(test_who_may_have_heard_of_it_does_not_come_back),
		T(test_the_answer_to_who_wanted_the_change),
		T(test_a_renewal_of_keys),
		T(test_keys_that_must_be_had),
		T(test_a_refresh),
		TT(test_a_transfer),
		T(test_a_change_before_the_answer),
		T(test_a_change_before_the_answer_that_cannot_be_sent),
		T(test_the_answer_to_a_change_before_the_answer),
		T(test_a_prack),
		T(test_a_prack_of_another_branch),
		T(test_a_prack_that_the_call_does_not_wait_for),
		T(test_what_passes_in_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
