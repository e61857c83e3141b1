/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers: who may ask for them, what the other side hears, and how its reports come back. */
#include "tests/unit/b2bua_bench.h"

#define TO_CAROL "Refer-To: <sip:+2001@pbx.inside.example;user=phone>\r\nReferred-By: <sip:boss@inside>\r\n"
#define FRAG "Content-Type: message/sipfrag;version=2.0\r\n"
#define ACTIVE "Event: refer\r\nSubscription-State: active;expires=60\r\n" FRAG
#define LAST "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n" FRAG

static void relayed(void)
{
	bench_change("\"name\":\"core\",\"realm\":\"core\",\"peer\"",
		"\"name\":\"core\",\"transfer\":\"relay\",\"realm\":\"core\",\"peer\"");
}

static void asked(void)
{
	call_up(&alice, &bob);
	say(&alice, "REFER", TO_CAROL, "");
	hear(&bob, "REFER");
}

static void accepted(void)
{
	asked();
	reply(&bob, "202 Accepted");
	hear(&alice, "202");
	expect_heard(&alice, " REFER\r\n");
	expect_heard(&alice, "\r\nContact: <sip:");
}

/* bob reports; alice hears this. */
static void reports(const char *headers, const char *frag, const char *body, const char *state)
{
	say(&bob, "NOTIFY", headers, frag);
	hear(&bob, "200");
	hear(&alice, "NOTIFY");
	expect_heard(&alice, body);
	expect_heard(&alice, state);
	reply(&alice, "200 OK");
	silence(NULL);
}

static void test_refused_by_default(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "REFER", TO_CAROL, "");
	hear(&alice, "603");
	expect_heard(&alice, "may not transfer calls");
	silence(NULL);
	assert_int_equal(counter("refused_transfer"), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_relayed_and_reported(void **state)
{
	(void)state;
	relayed();
	accepted();
	expect_heard(&bob, "\r\nRefer-To: <sip:+2001@203.0.113.10:5061;transport=tls>\r\n");
	expect_not_heard(&bob, "inside");
	reports(ACTIVE, "SIP/2.0 100 Trying\r\n", "SIP/2.0 100 Trying\r\n", "State: active;");
	expect_heard(&alice, "\r\nEvent: refer\r\n");
	reports(ACTIVE, "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/TLS secret.example\r\n",
		"SIP/2.0 180 Ringing\r\n", "State: active;");
	expect_not_heard(&alice, "secret");
	/* Meanwhile bob calls carol: a call as any other. */
	struct phone second = bob;

	second.heard = second.invite = NULL;
	second.call_id[0] = second.local_tag[0] = '\0';
	dial(&second, "+2001", "", sdp(&second, 5));
	hear(&carol, "INVITE");
	expect_heard(&carol, "RTP/SAVP");
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(&carol, "ACK");
	hear(&second, "200");
	say(&second, "ACK", "", "");
	reports(LAST, "SIP/2.0 200 OK\r\n", "SIP/2.0 200 OK\r\n", "State: terminated;reason=noresource");
	assert_int_equal(counter("transfers"), 1);
	hang_up(&alice, &bob);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	hang_up(&carol, &second);
	expect_no_calls();
	phone_forget(&second);
}

static void test_a_transfer_that_fails_leaves_the_call(void **state)
{
	(void)state;
	relayed();
	accepted();
	reports(LAST, "SIP/2.0 486 Busy Here\r\n", "SIP/2.0 486 Busy Here\r\n", "State: terminated");
	/* It is over: the next one may come, and has an id. */
	say(&bob, "NOTIFY", ACTIVE, "SIP/2.0 180 Ringing\r\n");
	hear(&bob, "481");
	say(&alice, "REFER", "Refer-To: sip:+2002@x\r\n", "");
	hear(&bob, "REFER");
	reply(&bob, "202 Accepted");
	hear(&alice, "202");
	reports(ACTIVE, "SIP/2.0 100 Trying\r\n", "SIP/2.0 100 Trying\r\n", "Event: refer;id=3\r\n");
	say(&alice, "REFER", TO_CAROL, "");
	hear(&alice, "491");
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_the_other_side_does_not_take_it(void **state)
{
	static const struct {
		const char *said, *heard;
	} cases[] = {{"603 Decline", "603"}, {"405 Method Not Allowed", "603"},
		{"501 Not Implemented", "603"}, {"403 Forbidden", "403"}, {"481 Gone", "603"},
		{"302 Moved", "603"}};

	(void)state;
	relayed();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		asked();
		reply(&bob, cases[i].said);
		hear(&alice, cases[i].heard);
		silence(NULL);
		hang_up(&alice, &bob);
		expect_no_calls();
	}
	assert_int_equal(counter("transfers"), 0);
	/* It says nothing at all. */
	asked();
	pass(20100);
	hear(&alice, "480");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_targets_that_are_refused(void **state)
{
	static const struct {
		const char *headers, *status;
	} cases[] = {
		{"", "400"},
		{"Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n", "603"},
		{"Refer-To: <http://example.com/x>\r\n", "603"},
		{"Refer-To: <sip:10.0.0.1>\r\n", "603"},
		{"Refer-To: <sip:+1@b;method=BYE>\r\n", "603"},
		{"Refer-To: <sip:+1@b?Subject=x&replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "603"},
		{"Refer-To: <sip:+1@b?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "603"},
		{"Refer-To: <sip:+1@b>\r\nRequire: multiple-refer\r\n", "420"},
	};

	(void)state;
	relayed();
	call_up(&alice, &bob);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		say(&alice, "REFER", cases[i].headers, "");
		hear(&alice, cases[i].status);
		silence(NULL);
	}
	hang_up(&alice, &bob);
	/* A sips: target cannot be kept over a hop without TLS. */
	bench_change("\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"relay\",");
	call_up(&bob, &alice);
	say(&bob, "REFER", "Refer-To: <sips:+2001@a.example>\r\n", "");
	hear(&bob, "603");
	expect_heard(&bob, "not encrypted");
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_reports_that_nobody_asked_for(void **state)
{
	(void)state;
	relayed();
	call_up(&alice, &bob);
	say(&bob, "NOTIFY", ACTIVE, "SIP/2.0 100 Trying\r\n");
	hear(&bob, "481");
	say(&bob, "NOTIFY", "Event: presence\r\nSubscription-State: active\r\n", "");
	hear(&bob, "489");
	say(&alice, "REFER", TO_CAROL, "");
	hear(&bob, "REFER");
	/* A report may be faster than the 202, and who asked does not report. */
	say(&bob, "NOTIFY", ACTIVE, "SIP/2.0 100 Trying\r\n");
	reply(&bob, "202 Accepted"); /* to the REFER: it has heard nothing since */
	hear(&bob, "200");
	hear(&alice, "202");
	hear(&alice, "NOTIFY");
	expect_heard(&alice, "SIP/2.0 100 Trying\r\n");
	reply(&alice, "200 OK");
	silence(NULL);
	say(&alice, "NOTIFY", ACTIVE, "SIP/2.0 100 Trying\r\n");
	hear(&alice, "481");
	say(&bob, "NOTIFY", ACTIVE, "INVITE sip:x SIP/2.0\r\n");
	hear(&bob, "400");
	reports(ACTIVE, "", "SIP/2.0 100 Trying\r\n", "State: active");
	/* Then nothing any more. */
	pass(180100);
	hear(&alice, "NOTIFY");
	expect_heard(&alice, "SIP/2.0 408 Request Timeout\r\n");
	expect_heard(&alice, "State: terminated");
	reply(&alice, "200 OK");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* Reports that overtake the 202 (RFC 3515 section 2.4.4), the last one, too: the REFER was accepted, whatever comes now. */
static void test_reports_before_the_answer(void **state)
{
	static const char *const answers[] = {"202 Accepted", "603 Decline"};

	(void)state;
	relayed();
	for (unsigned i = 0; i < 2; i++) {
		asked();
		say(&bob, "NOTIFY", LAST, "SIP/2.0 200 OK\r\n");
		reply(&bob, answers[i]); /* to the REFER: it has heard nothing since */
		hear(&bob, "200");
		hear(&alice, "202");
		hear(&alice, "NOTIFY");
		expect_heard(&alice, "State: terminated");
		reply(&alice, "200 OK");
		silence(NULL);
		pass(200000);
		silence(NULL);
		hang_up(&alice, &bob);
		expect_no_calls();
	}
	assert_int_equal(counter("transfers"), 2);
	assert_int_equal(counter("refused_transfer"), 0);
}

/* The call ends with the REFER on its way, or just before a report. */
static void test_somebody_hangs_up_meanwhile(void **state)
{
	(void)state;
	relayed();
	asked();
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&alice, "481");
	expect_heard(&alice, " REFER\r\n");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(33000);
	silence(NULL);
	expect_no_calls();
	accepted();
	hang_up(&alice, &bob);
	say(&bob, "NOTIFY", LAST, "SIP/2.0 200 OK\r\n");
	hear(&bob, "481");
	pass(200000);
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_refused_by_default),
		T(test_relayed_and_reported),
		T(test_a_transfer_that_fails_leaves_the_call),
		T(test_the_other_side_does_not_take_it),
		T(test_targets_that_are_refused),
		T(test_reports_that_nobody_asked_for),
		T(test_reports_before_the_answer),
		T(test_somebody_hangs_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
