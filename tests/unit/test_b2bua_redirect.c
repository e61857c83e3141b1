/* SPDX-License-Identifier: Apache-2.0 */
/* 3xx of the called side, by the policy of its trunk. */
#include "tests/unit/b2bua_bench.h"

/* Carrier-a's policy. */
static void policy(const char *redirect)
{
	char now[80];

	snprintf(now, sizeof now, "\"name\":\"carrier-a\",\"redirect\":\"%s\"", redirect);
	bench_change("\"name\":\"carrier-a\"", now);
}

static void redirected(const char *status, const char *contacts)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, status, contacts, "");
	hear(&bob, "ACK");
}

static void refused(const char *status, const char *text)
{
	hear(&alice, status);
	if (text)
		expect_heard(&alice, text);
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void up_and_over(struct phone *p)
{
	answer(p, "200 OK", "", sdp(p, 1));
	hear(p, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&alice, p);
	expect_no_calls();
}

static void test_refused_by_default(void **state)
{
	(void)state;
	redirected("302 Moved Temporarily", "Contact: <sip:+2001@198.51.100.2;transport=tls>\r\n");
	expect_not_heard(&bob, "198.51.100.2");
	refused("502", NULL);
	expect_not_heard(&alice, "\r\nContact: <sip:+2001");
}

static void test_passed_on_at_our_own_address(void **state)
{
	(void)state;
	policy("pass-on");
	redirected("302 Moved Temporarily",
		"Contact: <sip:+2001@secret.example;transport=tls>;q=0.5, <sip:+2002@198.51.100.9>\r\n");
	hear(&alice, "302");
	expect_heard(&alice, "\r\nContact: <sip:+2002@10.20.0.10:5060;transport=udp>;q=1.000, "
			     "<sip:+2001@10.20.0.10:5060;transport=udp>;q=0.500");
	expect_not_heard(&alice, "secret.example");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
	redirected("305 Use Proxy", "Contact: <sip:proxy.example>\r\n");
	refused("502", NULL);
}

/* A Contact has the number as the called side writes it. */
static void test_numbers_are_each_sides_own(void **state)
{
	static const char *const policies[] = {"follow", "pass-on"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char carrier[120];

		snprintf(carrier, sizeof carrier,
			"\"name\":\"carrier-a\",\"redirect\":\"%s\",\"numbers\":{\"country-code\":\"1\"},",
			policies[i]);
		bench_change_all(
			(const struct bench_edit[]){{"\"name\":\"carrier-a\",", carrier},
				{"\"max-calls\":250",
					"\"max-calls\":250,\"numbers\":{\"country-code\":\"2\",\"send-as\":"
					"\"international\"}"}},
			2);
		redirected("302 Moved", "Contact: <sip:0022222@198.51.100.2>\r\n");
		if (i == 0) {
			hear(&carol, "INVITE");
			expect_heard(&carol, "INVITE sip:+22222@");
			answer(&carol, "486 Busy", "", "");
			hear(&carol, "ACK");
			refused("486", NULL);
		} else {
			refused("302", "Contact: <sip:0022222@10.20.0.10:5060");
		}
	}
}

/* Of more than are told the best are; they come in any order. */
static void test_the_best_of_many_are_passed_on(void **state)
{
	char contacts[1200] = "", best[] = "\r\nContact: <sip:+1111@10.20.0.10:5060;transport=udp>;q=0.110, "
					   "<sip:+1112@10.20.0.10:5060;transport=udp>;q=0.110, "
					   "<sip:+1110@10.20.0.10:5060;transport=udp>;q=0.100, ";

	(void)state;
	policy("pass-on");
	for (unsigned i = 0; i < 13; i++)
		snprintf(contacts + strlen(contacts), sizeof contacts - strlen(contacts),
			"Contact: <sip:+11%02u@198.51.100.1>;q=0.%02u\r\n", i, i == 12 ? 11 : i);
	redirected("300 Multiple Choices", contacts);
	hear(&alice, "300");
	expect_heard(&alice, best);
	expect_heard(&alice, "<sip:+1105@10.20.0.10:5060;transport=udp>;q=0.050\r\n");
	expect_not_heard(&alice, "+1104");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_followed_by_q_to_configured_peers_only(void **state)
{
	(void)state;
	policy("follow");
	redirected("302 Moved Temporarily", "Contact: <sip:+1007@198.51.100.1;transport=tls>;q=0.3\r\n"
					    "Contact: <sip:evil@203.0.113.99>\r\n"
					    "Contact: <sip:+2001@198.51.100.2;transport=tls>;q=0.7, "
					    "<sip:+2001@198.51.100.2:5070>;q=0.9\r\n");
	hear(&carol, "INVITE");
	expect_heard(&carol, "INVITE sip:+2001@198.51.100.2:5061");
	expect_heard(&carol, "RTP/SAVP");
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:+1007@198.51.100.1:5061");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	up_and_over(&bob);
	assert_int_equal(counter("redirected"), 2);
}

/* Of more than are kept the best are: they come in any order. */
static void test_many_contacts(void **state)
{
	char contacts[1200] = "";

	(void)state;
	policy("follow");
	for (unsigned i = 0; i < 12; i++)
		snprintf(contacts + strlen(contacts), sizeof contacts - strlen(contacts),
			"Contact: <sip:+11%02u@198.51.100.1>;q=0.%02u\r\n", i, i);
	redirected("300 Multiple Choices", contacts);
	for (unsigned i = 0; i < 8; i++) {
		char uri[40];

		snprintf(uri, sizeof uri, "INVITE sip:+11%02u@", 11 - i);
		hear(&bob, "INVITE");
		expect_heard(&bob, uri);
		answer(&bob, "486 Busy", "", "");
		hear(&bob, "ACK");
	}
	refused("486", NULL);
}

static void test_a_redirection_to_nobody_that_we_know(void **state)
{
	static const char *const contacts[] = {
		"Contact: <sip:evil@203.0.113.99>\r\n",
		"Contact: <sips:+3001@10.20.0.5>\r\n", /* its trunk has no TLS */
		"Contact: <sip:198.51.100.2>\r\n",
		"Contact: <tel:+2001>\r\n",
		"Contact: *\r\n",
		"Contact: <sip:+1001@198.51.100.1>\r\n", /* the very same */
		"Contact: <sip:+4001@10.20.0.6>\r\n",    /* its trunk is drained */
		"",
	};

	(void)state;
	policy("follow");
	for (unsigned i = 0; i < sizeof contacts / sizeof *contacts; i++) {
		redirected("301 Moved Permanently", contacts[i]);
		refused("502", NULL);
	}
	assert_int_equal(counter("redirected"), 0);
}

/* Who is called then hears for whom the call was (RFC 5806, RFC 7044), the last one first. */
static void test_the_new_target_hears_who_diverted_the_call(void **state)
{
	(void)state;
	policy("follow");
	dial(&alice, "+1001",
		"Diversion: <sip:+3007@pbx.core.internal>;reason=no-answer\r\n"
		"History-Info: <sip:+3007@pbx>;index=1, <sip:+1001@pbx;cause=408>;index=1.1;mp=1\r\n",
		sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_not_heard(&bob, "unconditional");
	answer(&bob, "301 Moved Permanently", "Contact: <sip:+1002@198.51.100.1>\r\n", "");
	hear(&bob, "ACK");
	hear(&bob, "INVITE");
	expect_heard(&bob, "\r\nDiversion: <sip:+1001@203.0.113.10>;reason=unconditional, "
			   "<sip:+3007@203.0.113.10>;reason=no-answer\r\n");
	answer(&bob, "302 Moved", "Contact: <sip:+2002@198.51.100.2>, <sip:+2003@198.51.100.2>;q=0.1\r\n",
		"");
	hear(&bob, "ACK");
	for (unsigned i = 2; i < 4; i++) {
		char target[80];

		hear(&carol, "INVITE");
		expect_heard(&carol,
			"\r\nDiversion: <sip:+1002@203.0.113.10>;reason=unconditional, "
			"<sip:+1001@203.0.113.10>;reason=unconditional, <sip:+3007@203.0.113.10>;reason=no-answer\r\n");
		expect_heard(&carol,
			"\r\nHistory-Info: <sip:+1001@203.0.113.10?Reason=SIP%3Bcause%3D301>;index=1.1.1, "
			"<sip:+1002@203.0.113.10;cause=302?Reason=SIP%3Bcause%3D302>;index=1.1.2;mp=1.1.1, ");
		snprintf(target, sizeof target,
			"<sip:+200%u@203.0.113.10;cause=302>;index=1.1.3;mp=1.1.2\r\n", i);
		expect_heard(&carol, target);
		if (i == 2) {
			answer(&carol, "486 Busy", "", "");
			hear(&carol, "ACK");
		}
	}
	up_and_over(&carol);
}

/* Why, as who diverts it says it of each Contact (RFC 4458): the same in both headers. */
static void test_the_new_target_hears_why(void **state)
{
	static const struct {
		const char *said, *reason;
		unsigned cause;
	} whys[] = {
		{"486", "user-busy", 486},
		{"408", "no-answer", 408},
		{"480", "deflection", 480},
		{"487", "deflection", 487},
		{"404", "unknown", 404},
		{"503", "unavailable", 503},
		{"302", "unconditional", 302},
		{"486x", "unconditional", 302},
		{"999", "unconditional", 302},
	};

	(void)state;
	policy("follow");
	for (unsigned i = 0; i < sizeof whys / sizeof *whys; i++) {
		char text[160];

		dial(&alice, "+1001", "History-Info: <sip:+1001@pbx>;index=1\r\n", sdp(&alice, 1));
		hear(&bob, "INVITE");
		snprintf(text, sizeof text, "Contact: <sip:+1002@198.51.100.1;cause=%s>\r\n", whys[i].said);
		answer(&bob, "302 Moved", text, "");
		hear(&bob, "ACK");
		hear(&bob, "INVITE");
		snprintf(text, sizeof text, "\r\nDiversion: <sip:+1001@203.0.113.10>;reason=%s\r\n",
			whys[i].reason);
		expect_heard(&bob, text);
		answer(&bob, "302 Moved", "Contact: <sip:+2002@198.51.100.2;cause=408>\r\n", "");
		hear(&bob, "ACK");
		hear(&carol, "INVITE");
		snprintf(text, sizeof text,
			"\r\nDiversion: <sip:+1002@203.0.113.10>;reason=no-answer, <sip:+1001@203.0.113.10>;reason=%s\r\n",
			whys[i].reason);
		expect_heard(&carol, text);
		snprintf(text, sizeof text,
			", <sip:+1002@203.0.113.10;cause=%u?Reason=SIP%%3Bcause%%3D302>;index=1.2;",
			whys[i].cause);
		expect_heard(&carol, text);
		expect_heard(&carol, "<sip:+2002@203.0.113.10;cause=408>;index=1.3;mp=1.2\r\n");
		answer(&carol, "486 Busy", "", "");
		hear(&carol, "ACK");
		refused("486", NULL);
	}
}

/* Alice, whom a call of carol's has reached. */
static void busy_for_carol(void)
{
	answer(&alice, "486 Busy", "", "");
	hear(&alice, "ACK");
	hear(&carol, "486");
	say(&carol, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* Unless he wants that to be private, outside; and a rule of the trunk may take it out. */
static void test_a_private_diversion(void **state)
{
	static const char private_to_carol[] = "Privacy: user\r\nContact: <sip:+2002@198.51.100.2>\r\n";

	(void)state;
	policy("follow");
	dial(&alice, "+1001", "History-Info: <sip:+1001@pbx>;index=1\r\n", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "302 Moved", private_to_carol, "");
	hear(&bob, "ACK");
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "Diversion");
	expect_heard(&carol, ", <sip:+2002@203.0.113.10;cause=302>;index=1.2;mp=1.1\r\n");
	expect_heard(&carol, "<sip:anonymous@anonymous.invalid?Reason=SIP%3Bcause%3D302>;index=1.1, ");
	/* The caller's own history ends with the very number. */
	expect_heard(&carol, "\r\nHistory-Info: <sip:anonymous@anonymous.invalid>;index=1\r\n");
	expect_not_heard(&carol, "+1001");
	answer(&carol, "486 Busy", "", "");
	hear(&carol, "ACK");
	refused("486", NULL);
	dial(&carol, "+1001", "", sdp(&carol, 1));
	hear(&bob, "INVITE");
	answer(&bob, "302 Moved", "Privacy: id\r\nContact: <sip:+3001@10.20.0.5>\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "INVITE");
	expect_heard(&alice, "\r\nDiversion: <sip:+1001@10.20.0.10>;reason=unconditional;privacy=full\r\n");
	expect_not_heard(&alice, "History-Info"); /* nobody has begun one */
	busy_for_carol();
	/* So may one add the Privacy, or take it out, before anybody looks at it. */
	for (unsigned i = 0; i < 2; i++) {
		char carrier[200];

		snprintf(carrier, sizeof carrier,
			"\"name\":\"carrier-a\",\"redirect\":\"follow\",\"header-rule\":[{\"name\":\"p\","
			"\"direction\":\"in\",\"header\":\"Privacy\",\"action\":%s}]",
			i ? "\"remove\"" : "\"add\",\"value\":\"id\"");
		bench_change("\"name\":\"carrier-a\"", carrier);
		redirected(
			"302 Moved", i ? private_to_carol : private_to_carol + strlen("Privacy: user\r\n"));
		hear(&carol, "INVITE");
		if (i)
			expect_heard(
				&carol, "\r\nDiversion: <sip:+1001@203.0.113.10>;reason=unconditional\r\n");
		else
			expect_not_heard(&carol, "+1001");
		answer(&carol, "486 Busy", "", "");
		hear(&carol, "ACK");
		refused("486", NULL);
	}
	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\"", "\"name\":\"carrier-a\",\"redirect\":\"follow\""},
			{"\"name\":\"carrier-b\"",
				"\"name\":\"carrier-b\",\"header-rule\":[{\"name\":\"d\",\"direction\":"
				"\"out\",\"header\":\"Diversion\",\"action\":\"remove\"}]"}},
		2);
	redirected("302 Moved", "Contact: <sip:+2002@198.51.100.2>\r\n");
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "Diversion");
	answer(&carol, "486 Busy", "", "");
	hear(&carol, "ACK");
	refused("486", NULL);
}

/* Inside it is said who it was, and that those who tell it on may not. */
static void test_a_private_diversion_among_those_who_may_know(void **state)
{
	(void)state;
	policy("follow");
	dial(&carol, "+1001",
		"History-Info: <sip:+1001@gw.b?Privacy=none&Reason=SIP%3Bcause%3D302>;index=1\r\n"
		"History-Info: <sip:anonymous@anonymous.invalid>;index=1, <sip:+1001@gw.b?privacy=history%3Bid>;index=1, "
		"<sip:+1001@gw.b>;index=1\r\n",
		sdp(&carol, 1));
	hear(&bob, "INVITE");
	answer(&bob, "302 Moved", "Privacy: id\r\nContact: <sip:+1002@198.51.100.1>\r\n", "");
	hear(&bob, "ACK");
	hear(&bob, "INVITE");
	answer(&bob, "302 Moved", "Contact: <sip:+3001@10.20.0.5>\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "INVITE");
	/* Nor may they tell what the caller's side has, where he may stand, too. */
	expect_heard(&alice,
		"\r\nHistory-Info: <sip:+1001@10.20.0.10?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1\r\n");
	expect_heard(&alice, "\r\nHistory-Info: <sip:anonymous@anonymous.invalid>;index=1, "
			     "<sip:+1001@10.20.0.10?privacy=history%3Bid>;index=1, "
			     "<sip:+1001@10.20.0.10?Privacy=history>;index=1\r\n");
	expect_heard(&alice, "<sip:+1001@10.20.0.10?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1.1, "
			     "<sip:+1002@10.20.0.10;cause=302?Reason=SIP%3Bcause%3D302>;index=1.2;mp=1.1, "
			     "<sip:+3001@10.20.0.10;cause=302>;index=1.3;mp=1.2\r\n");
	busy_for_carol();
}

/* The caller's Privacy is about who diverted it as it is about the history (RFC 7544). */
static void test_a_caller_who_wants_no_history_told(void **state)
{
	static const char *const asked[] = {"history", "header"};
	char line[40];

	(void)state;
	policy("follow");
	for (unsigned i = 0; i < 2; i++) {
		snprintf(line, sizeof line, "Privacy: %s\r\n", asked[i]);
		dial(&alice, "+1001", line, sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "302 Moved", "Contact: <sip:+2002@198.51.100.2>\r\n", "");
		hear(&bob, "ACK");
		hear(&carol, "INVITE");
		expect_not_heard(&carol, "+1001");
		answer(&carol, "486 Busy", "", "");
		hear(&carol, "ACK");
		refused("486", NULL);
		dial(&carol, "+1001", line, sdp(&carol, 1));
		hear(&bob, "INVITE");
		answer(&bob, "302 Moved", "Contact: <sip:+3001@10.20.0.5>\r\n", "");
		hear(&bob, "ACK");
		hear(&alice, "INVITE");
		expect_heard(&alice,
			"\r\nDiversion: <sip:+1001@10.20.0.10>;reason=unconditional;privacy=full\r\n");
		busy_for_carol();
	}
}

/* From the plain side to the secure one and back: each leg is what its trunk says. */
static void test_no_leg_goes_clear_on_the_way(void **state)
{
	(void)state;
	policy("follow");
	dial(&carol, "+1001", "", sdp(&carol, 1));
	hear(&bob, "INVITE");
	answer(&bob, "302 Moved", "Contact: <sip:+3001@10.20.0.5>\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&carol, "200");
	expect_heard(&carol, "RTP/SAVP");
	say(&carol, "ACK", "", "");
	assert_int_equal(plane_last()->leg[DP_SIDE_A].security, DP_SECURITY_SRTP);
	assert_int_equal(plane_last()->leg[DP_SIDE_B].security, DP_SECURITY_PLAIN);
	hang_up(&carol, &alice);
	expect_no_calls();
}

static void test_redirections_without_end(void **state)
{
	char contact[80];

	(void)state;
	policy("follow");
	redirected("302 Moved", "Contact: <sip:+1100@198.51.100.1>\r\n");
	for (unsigned i = 1; i < 6; i++) {
		hear(&bob, "INVITE");
		snprintf(contact, sizeof contact, "Contact: <sip:+11%02u@198.51.100.1>\r\n", i);
		answer(&bob, "302 Moved", contact, "");
		hear(&bob, "ACK");
	}
	refused("502", "redirected more than 5 times");
}

/* Not the last of the targets: that one may be dead, or have said less. */
static void test_the_best_answer_of_all_targets(void **state)
{
	static const char two[] = "Contact: <sip:+1007@198.51.100.1>, <sip:+2001@198.51.100.2>;q=0.1\r\n";
	static const struct {
		const char *second, *headers;
	} last[] = {
		{"408 Timeout", ""},
		{"503 Overload", ""},
		{"302 Moved", "Contact: <sip:evil@203.0.113.99>\r\n"},
		{NULL, NULL},
	};

	(void)state;
	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\"", "\"name\":\"carrier-a\",\"redirect\":\"follow\""},
			{"\"name\":\"carrier-b\"", "\"name\":\"carrier-b\",\"redirect\":\"follow\""}},
		2);
	for (unsigned i = 0; i < sizeof last / sizeof *last; i++) {
		redirected("302 Moved", two);
		hear(&bob, "INVITE");
		answer(&bob, "486 Busy Here", "", "");
		hear(&bob, "ACK");
		hear(&carol, "INVITE");
		if (last[i].second) {
			answer(&carol, last[i].second, last[i].headers, "");
			hear(&carol, "ACK");
		} else {
			cut_connection("Connection refused", false);
		}
		refused("486", "trunk carrier-a answered 486 Busy Here");
	}
}

static void test_what_ends_the_search(void **state)
{
	static const char two[] = "Contact: <sip:+2001@198.51.100.2>, <sip:+1002@198.51.100.1>;q=0.1\r\n";

	(void)state;
	policy("follow");
	/* Nobody anywhere wants it. */
	redirected("302 Moved", two);
	hear(&carol, "INVITE");
	answer(&carol, "603 Decline", "", "");
	hear(&carol, "ACK");
	refused("603", NULL);
	/* The caller gave up. */
	redirected("302 Moved", two);
	hear(&carol, "INVITE");
	answer(&carol, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&carol, "CANCEL");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	expect_no_calls();
	/* The caller has heard an answer, which nobody else can give again. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	answer(&bob, "302 Moved", two, "");
	hear(&bob, "ACK");
	refused("502", NULL);
}

/* The call that fills its trunk has its place there, wherever in it it goes. */
static void test_within_a_trunk_that_is_full(void **state)
{
	struct phone second = {
		.ip = "198.51.100.12", .listener = OUTSIDE_TLS, .suite = "AES_CM_128_HMAC_SHA1_80"};

	(void)state;
	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-b\"", "\"name\":\"carrier-b\",\"redirect\":\"follow\""},
			{"\"host\":\"198.51.100.2\",\"certificate-name\":\"b.example\"}]",
				"\"host\":\"198.51.100.2\",\"certificate-name\":\"b.example\"},"
				"{\"name\":\"q\",\"host\":\"198.51.100.12\",\"certificate-name\":\"b.example\",\"priority\":20}]"}},
		2);
	dial(&alice, "+2001", "", sdp(&alice, 1));
	hear(&carol, "INVITE");
	answer(&carol, "302 Moved", "Contact: <sip:+2009@198.51.100.12;transport=tls>\r\n", "");
	hear(&carol, "ACK");
	hear(&second, "INVITE");
	up_and_over(&second);
	phone_forget(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_refused_by_default),
		T(test_passed_on_at_our_own_address),
		T(test_numbers_are_each_sides_own),
		T(test_the_best_of_many_are_passed_on),
		T(test_followed_by_q_to_configured_peers_only),
		T(test_within_a_trunk_that_is_full),
		T(test_many_contacts),
		T(test_a_redirection_to_nobody_that_we_know),
		T(test_the_new_target_hears_who_diverted_the_call),
		T(test_the_new_target_hears_why),
		T(test_a_private_diversion),
		T(test_a_private_diversion_among_those_who_may_know),
		T(test_a_caller_who_wants_no_history_told),
		T(test_no_leg_goes_clear_on_the_way),
		T(test_redirections_without_end),
		T(test_the_best_answer_of_all_targets),
		T(test_what_ends_the_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
