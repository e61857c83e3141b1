/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for a transfer and what he hears: Referred-By (RFC 3892), Refer-Sub (RFC 4488), and a transfer to
 * somebody whom he has called and who still rings (RFC 5589 section 7.6).
 */
#include "tests/unit/b2bua_bench.h"

#define TO_CAROL "Refer-To: <sip:+2001@pbx.example>\r\n"
#define BY                                                                                                   \
	"Referred-By: \"Boss\" "                                                                             \
	"<sip:+3009@pbx.inside.example;user=phone>;cid=\"20398823.2UWQFN309shb3@x\"\r\n"

#define CORE "\"name\":\"core\",\"realm\":\"core\",\"peer\""
#define A "{\"name\":\"carrier-a\","
#define B "{\"name\":\"carrier-b\","
#define ROOM                                                                                                 \
	{                                                                                                    \
		"\"max-calls\":1,\"max-call-rate\":2", "\"max-calls\":9,\"max-call-rate\":20"                \
	}
#define NEW_KEYS                                                                                             \
	{                                                                                                    \
		"\"reinvite-keys\":\"own-leg\"", "\"reinvite-keys\":\"always\""                              \
	}

/* Both carriers execute transfers of core's and of their own; who is trusted is the case's. */
static void configured(const char *a, const char *b)
{
	bench_change_all((const struct bench_edit[]){{CORE, "\"name\":\"core\",\"transfer\":\"execute\","
							    "\"realm\":\"core\",\"peer\""},
				 {A, a}, {B, b}, ROOM, NEW_KEYS},
		5);
}

static int setup(void **state)
{
	int rc = bench_setup(state);

	configured("{\"name\":\"carrier-a\",\"transfer\":\"execute\",",
		"{\"name\":\"carrier-b\",\"identity\":{\"trusted\":true},");
	return rc;
}

static void reported(struct phone *p, const char *line)
{
	hear(p, "NOTIFY");
	expect_heard(p, line);
	reply(p, "200 OK");
}

/* carol, who hears the INVITE of a transfer, takes the call, and stays has changed over. */
static void connected(struct phone *stays)
{
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(stays, "INVITE");
	answer(stays, "200 OK", "", sdp_as(stays, 6, 20, "sendrecv"));
	hear(stays, "ACK");
	hear(&carol, "ACK");
}

static void test_who_asks_is_named_where_both_are_trusted(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	say(&alice, "REFER", TO_CAROL BY, "");
	hear(&alice, "202");
	reported(&alice, "SIP/2.0 100 Trying\r\n");
	hear(&carol, "INVITE");
	expect_heard(&carol, "\r\nReferred-By: \"Boss\" <sip:+3009@203.0.113.10;user=phone>\r\n");
	expect_not_heard(&carol, "inside");
	expect_not_heard(&carol, "cid=");
	connected(&bob);
	reported(&alice, "SIP/2.0 200 OK\r\n");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	hang_up(&carol, &bob);
	expect_no_calls();
}

/* Where the target sends the call on, the next one hears who asked for it and who was to have it. */
static void test_a_target_that_redirects(void **state)
{
	(void)state;
	configured("{\"name\":\"carrier-a\",\"transfer\":\"execute\",",
		"{\"name\":\"carrier-b\",\"redirect\":\"follow\",\"identity\":{\"trusted\":true},");
	call_up(&bob, &alice);
	say(&alice, "REFER", TO_CAROL BY, "");
	hear(&alice, "202");
	reported(&alice, "SIP/2.0 100 Trying\r\n");
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "Diversion");
	answer(&carol, "302 Moved", "Privacy: id\r\nContact: <sip:+2002@198.51.100.2>\r\n", "");
	hear(&carol, "ACK");
	hear(&carol, "INVITE");
	expect_heard(&carol, "\r\nReferred-By: \"Boss\" <sip:+3009@203.0.113.10;user=phone>\r\n");
	expect_heard(&carol, "\r\nDiversion: <sip:+2001@203.0.113.10>;reason=unconditional;privacy=full\r\n");
	connected(&bob);
	reported(&alice, "SIP/2.0 200 OK\r\n");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	hang_up(&carol, &bob);
	expect_no_calls();
}

/* To a party outside the trust domain, and of one, it is dropped; the rules of the trunk may say otherwise.
 */
static void test_who_asks_is_not_named_elsewhere(void **state)
{
	static const struct {
		const char *a, *b;
		bool by_bob, named;
	} cases[] = {
		{"{\"name\":\"carrier-a\",\"transfer\":\"execute\",", "{\"name\":\"carrier-b\",", false,
			false},
		{"{\"name\":\"carrier-a\",\"transfer\":\"execute\",",
			"{\"name\":\"carrier-b\",\"identity\":{\"trusted\":true},", true, false},
		{"{\"name\":\"carrier-a\",\"transfer\":\"execute\",\"header-rule\":[{\"name\":\"r\","
		 "\"direction\":\"in\","
		 "\"header\":\"Referred-By\",\"action\":\"pass\"}],",
			"{\"name\":\"carrier-b\",", true, true},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct phone *by = cases[i].by_bob ? &bob : &alice, *stays = cases[i].by_bob ? &alice : &bob;
		uint64_t dropped = counter("identities_dropped");

		configured(cases[i].a, cases[i].b);
		call_up(stays, by);
		say(by, "REFER", TO_CAROL BY, "");
		hear(by, "202");
		reported(by, "SIP/2.0 100 Trying\r\n");
		hear(&carol, "INVITE");
		if (cases[i].named)
			expect_heard(&carol, "\r\nReferred-By: ");
		else
			expect_not_heard(&carol, "Referred-By");
		assert_int_equal(counter("identities_dropped"), dropped + cases[i].by_bob);
		answer(&carol, "486 Busy Here", "", "");
		hear(&carol, "ACK");
		reported(by, "SIP/2.0 486 Busy Here\r\n");
		silence(NULL);
		hang_up(by, stays);
		expect_no_calls();
	}
}

/* Passed on, the request to the other side names him, and so does the call that comes of it. */
static void test_who_asks_is_named_in_a_relayed_transfer(void **state)
{
	(void)state;
	bench_change_all((const struct bench_edit[]){{CORE, "\"name\":\"core\",\"transfer\":\"relay\","
							    "\"realm\":\"core\",\"peer\""},
				 {A, "{\"name\":\"carrier-a\",\"identity\":{\"trusted\":true},"},
				 {B, "{\"name\":\"carrier-b\",\"identity\":{\"trusted\":true},"}},
		3);
	call_up(&alice, &bob);
	say(&alice, "REFER", TO_CAROL BY, "");
	hear(&bob, "REFER");
	expect_heard(&bob, "\r\nReferred-By: \"Boss\" <sip:+3009@203.0.113.10;user=phone>\r\n");
	reply(&bob, "202 Accepted");
	hear(&alice, "202");
	struct phone second = bob;

	second.heard = second.invite = NULL;
	dial(&second, "+2001", "Referred-By: <sip:+3009@203.0.113.10>\r\n", sdp(&second, 7));
	hear(&carol, "INVITE");
	expect_heard(&carol, "\r\nReferred-By: <sip:+3009@203.0.113.10>\r\n");
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	hear(&second, "486");
	say(&second, "ACK", "", "");
	phone_forget(&second);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_no_reports_where_none_are_wanted(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&bob, "REFER", TO_CAROL "Refer-Sub: false\r\nRequire: norefersub\r\n", "");
	hear(&bob, "202");
	expect_heard(&bob, "\r\nRefer-Sub: false\r\n");
	expect_heard(&bob, "\r\nSupported: norefersub\r\n");
	hear(&carol, "INVITE");
	answer(&carol, "180 Ringing", "", "");
	silence(&bob);
	connected(&alice);
	hear(&bob, "BYE"); /* he is released all the same */
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(counter("transfers_executed"), 1);
	hang_up(&carol, &alice);

	/* What fails he is not told either: the call is as it was. Reports are the rule again with the next
	 * one. */
	call_up(&alice, &bob);
	say(&bob, "REFER", TO_CAROL "Refer-Sub: false\r\n", "");
	hear(&bob, "202");
	hear(&carol, "INVITE");
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	say(&bob, "REFER", TO_CAROL "Refer-Sub: true\r\n", "");
	hear(&bob, "202");
	expect_not_heard(&bob, "Refer-Sub");
	hear(&bob, "NOTIFY");
	reply(&bob, "200 OK");
	hear(&carol, "INVITE");
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 486 Busy Here\r\n");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* bob has called carol too, and she rings. */
static struct phone consulted(void)
{
	struct phone second = bob;

	second.heard = second.invite = NULL;
	second.call_id[0] = second.local_tag[0] = second.remote_tag[0] = second.target[0] = '\0';
	second.cseq = 0;
	dial(&second, "+2001", "", sdp(&second, 4));
	hear(&carol, "INVITE");
	answer(&carol, "180 Ringing", "", "");
	hear(&second, "180");
	return second;
}

static void test_to_somebody_who_rings(void **state)
{
	struct phone second;
	char header[400];

	(void)state;
	call_up(&alice, &bob);
	second = consulted();
	snprintf(header, sizeof header,
		"Refer-To: <sip:abc@gw?Replaces=%.*s%%40%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>\r\n",
		(int)strcspn(second.call_id, "@"), second.call_id, strchr(second.call_id, '@') + 1,
		second.remote_tag, second.local_tag);
	say(&bob, "REFER", header, "");
	hear(&second, "487"); /* his own call to her is called off */
	say(&second, "ACK", "", "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n");
	hear(&carol, "CANCEL");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	/* and she is called anew */
	hear(&carol, "INVITE");
	expect_heard(&carol, "INVITE sip:+2001@198.51.100.2:5061;transport=tls SIP/2.0\r\n");
	expect_heard(&carol, "From: <sip:+3001@");
	answer(&carol, "180 Ringing", "", "");
	hear_all(&carol, "ACK");
	reported(&bob, "SIP/2.0 180 Ringing\r\n");
	connected(&alice);
	reported(&bob, "SIP/2.0 200 OK\r\n");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	hang_up(&alice, &carol);
	expect_no_calls();
	phone_forget(&second);
}

#define TT(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_who_asks_is_named_where_both_are_trusted),
		TT(test_a_target_that_redirects),
		TT(test_who_asks_is_not_named_elsewhere),
		TT(test_who_asks_is_named_in_a_relayed_transfer),
		TT(test_no_reports_where_none_are_wanted),
		TT(test_to_somebody_who_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
