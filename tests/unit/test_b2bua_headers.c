/* SPDX-License-Identifier: Apache-2.0 */
/* A trunk's table of header rules, early media by policy, and calls that run in a circle. */
#include "tests/unit/b2bua_bench.h"

#include "lib/base/err.h"

#define RULE(name, direction, header, rest)                                                                  \
	"{\"name\":\"" name "\",\"direction\":\"" direction "\",\"header\":\"" header "\"," rest "}"

static void rules_of_carrier_a(const char *rules)
{
	char text[2048];

	snprintf(text, sizeof text, "{\"name\":\"carrier-a\",\"header-rule\":[%s],", rules);
	bench_change("{\"name\":\"carrier-a\",", text);
}

static void refuse(struct phone *from, struct phone *to, const char *headers)
{
	answer(to, "486 Busy Here", headers, "");
	hear(to, "ACK");
	hear(from, "486");
	say(from, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_rules_in_their_order(void **state)
{
	(void)state;
	rules_of_carrier_a(RULE("a", "out", "X-Account", "\"action\":\"pass\"") "," RULE("b", "out",
		"x-account", "\"action\":\"rewrite\",\"match\":\"acct-*@*\",\"value\":\"*/*\"") "," RULE("c",
		"out", "Subject",
		"\"action\":\"remove\",\"match\":\"*secret*\"") "," RULE("d", "out", "X-Carrier",
		"\"action\":\"add\",\"value\":\"srtpgw; v=1\",\"messages\":\"requests\"") "," RULE("e", "out",
		"X-Again", "\"action\":\"add\",\"value\":\"one two\"") "," RULE("f", "out", "X-Again",
		"\"action\":\"rewrite\",\"match\":\"* two\",\"value\":\"* three\""));
	dial(&alice, "+1001",
		"X-Account: acct-42@north\r\nX-Account: other\r\nSubject: a secret thing\r\ns: lunch\r\n"
		"X-Other: 1\r\n",
		sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "X-Account: 42/north\r\nX-Account: other\r\nSubject: lunch\r\n");
	expect_heard(&bob, "X-Carrier: srtpgw; v=1\r\nX-Again: one three\r\n");
	expect_not_heard(&bob, "secret");
	expect_not_heard(&bob, "X-Other");
	refuse(&alice, &bob, "");
	/* Other trunks have no such table. */
	dial(&alice, "+2001", "X-Account: acct-42@north\r\n", sdp(&alice, 1));
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "X-");
	refuse(&alice, &carol, "");
}

static void test_rules_for_what_a_party_sends(void **state)
{
	(void)state;
	rules_of_carrier_a(
		RULE("a", "in", "X-Route", "\"action\":\"pass\",\"messages\":\"responses\"") "," RULE(
			"b", "in", "Privacy", "\"action\":\"remove\"") "," RULE("c", "in", "Diversion",
			"\"action\":\"rewrite\",\"value\":\"<sip:+3555@x>\""));
	dial(&bob, "+3001", "Privacy: user\r\nX-Route: 1\r\nDiversion: <sip:+1@x>\r\n", sdp(&bob, 1));
	hear(&alice, "INVITE");
	expect_not_heard(&alice, "Privacy");
	expect_not_heard(&alice, "X-Route");
	expect_heard(&alice, "Diversion: <sip:+3555@10.20.0.10>\r\n"); /* by its own rules afterwards */
	refuse(&bob, &alice, "X-Route: 2\r\n");
	expect_not_heard(&bob, "X-Route");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "X-Route: 3\r\n", "");
	hear(&alice, "180");
	expect_heard(&alice, "X-Route: 3\r\n");
	answer(&bob, "486 Busy Here", "X-Route: 4\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	expect_heard(&alice, "X-Route: 4\r\n");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

/* Nothing is sent that does not fit, and nothing with less than it should have. */
static void test_headers_without_end(void **state)
{
	char headers[14000], *said;
	json_t *state_now;
	size_t n = 0;

	(void)state;
	while (n + 40 < sizeof headers)
		n += (size_t)snprintf(
			headers + n, sizeof headers - n, "Diversion: <sip:+3007@x>;%0*d=1\r\n", 400, 1);
	(void)n;
	headers[12000] = '\0';
	*strrchr(headers, '\n') = '\0';
	*strrchr(headers, '\n') = '\0';
	strcat(headers, "\n");
	dial(&alice, "+1001", headers, sdp(&alice, 1));
	hear(&alice, "513");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
	/* The peer, who has heard nothing of it, is called as before. */
	state_now = look("/srtp-gateway:gateway/trunks", 0);
	said = json_dumps(state_now, JSON_ENCODE_ANY);
	assert_non_null(strstr(said, "carrier-a"));
	assert_null(strstr(said, "resting"));
	free(said);
	json_decref(state_now);
	/* In a call, only the change is refused. */
	call_up(&alice, &bob);
	say(&alice, "INVITE", headers, sdp_as(&alice, 1, 2, "sendonly"));
	hear(&alice, "513");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Each header that the gateway owns, and each rule that makes no sense, is refused with what to do. */
static void test_rules_that_are_refused(void **state)
{
	static const char *const owned[] = {"Via", "v", "CONTACT", "m", "Call-ID", "i", "CSeq", "From", "f",
		"to", "t", "Route", "Record-Route", "Max-Forwards", "Content-Length", "l", "Content-Type",
		"Require", "Supported", "Allow", "RSeq", "RAck", "Session-Expires", "Min-SE", "Authorization",
		"Proxy-Authorization", "WWW-Authenticate", "Replaces", "Refer-To", "Event", "Reason",
		"Warning", "Retry-After", "Path", "Service-Route", "Timestamp", "Expires", "Info-Package"};
	static const struct {
		const char *rule, *why;
	} wrong[] = {
		{RULE("x", "out", "X-A", "\"action\":\"add\""), "need a value"},
		{RULE("x", "out", "X-A", "\"action\":\"pass\",\"value\":\"1\""),
			"only the actions add and rewrite"},
		{RULE("x", "out", "X-A", "\"action\":\"add\",\"value\":\"1\",\"match\":\"2\""),
			"has no match"},
		{RULE("x", "out", "X-A", "\"action\":\"rewrite\",\"value\":\"*-*\",\"match\":\"*\""),
			"has fewer"},
		{RULE("x", "out", "X-A", "\"action\":\"add\",\"value\":\"1\\r\\nVia: x\""), "one line"},
		{RULE("x", "out", "X A", "\"action\":\"remove\""), "the name of a header"},
		{RULE("x", "out", "P-Asserted-Identity", "\"action\":\"pass\""), "identity/trusted"},
	};
	char text[400];

	(void)state;
	for (unsigned i = 0; i < sizeof owned / sizeof *owned; i++) {
		snprintf(text, sizeof text,
			"{\"name\":\"carrier-a\",\"header-rule\":[" RULE(
				"x", "out", "%s", "\"action\":\"remove\"") "],",
			owned[i]);
		bench_refuse("{\"name\":\"carrier-a\",", text, "the gateway owns this header");
	}
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "{\"name\":\"carrier-a\",\"header-rule\":[%s],", wrong[i].rule);
		bench_refuse("{\"name\":\"carrier-a\",", text, wrong[i].why);
	}
	bench_refuse("{\"name\":\"carrier-a\",",
		"{\"name\":\"carrier-a\",\"numbers\":{\"send-as\":\"national\"},", "country-code");
}

static void test_early_media_by_policy(void **state)
{
	static const struct {
		const char *policy, *headers, *status;
		bool sdp;
	} cases[] = {
		{"\"early-media\":\"relay\",", "", "183", true},
		{"\"early-media\":\"none\",", "", "180", false},
		{"\"early-media\":\"authorized\",", "P-Early-Media: sendrecv\r\n", "180", false},
		{"\"early-media\":\"authorized\",\"identity\":{\"trusted\":true},",
			"P-Early-Media: sendrecv\r\n", "183", true},
		{"\"early-media\":\"authorized\",\"identity\":{\"trusted\":true},",
			"P-Early-Media: inactive\r\n", "180", false},
		{"\"early-media\":\"authorized\",\"identity\":{\"trusted\":true},", "", "180", false},
	};
	char text[200];

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "{\"name\":\"carrier-a\",%s", cases[i].policy);
		bench_change("{\"name\":\"carrier-a\",", text);
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "183 Session Progress", cases[i].headers, sdp(&bob, 1));
		hear(&alice, cases[i].status);
		assert_int_equal(alice.heard->body.n > 0, cases[i].sdp);
		/* The answer holds: the 200 need not repeat it. */
		answer(&bob, "200 OK", "", "");
		hear(&bob, "ACK");
		hear(&alice, "200");
		assert_true(alice.heard->body.n > 0);
		say(&alice, "ACK", "", "");
		hang_up(&alice, &bob);
	}
}

/* The INVITE that bob got, back from bob's side to the same number: his proxies kept its Call-ID. */
static void test_a_call_that_comes_back(void **state)
{
	char call_id[80];

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	snprintf(call_id, sizeof call_id, "%.*s", STR_ARG(bob.invite->call_id));
	struct phone proxy = bob;

	proxy.heard = proxy.invite = NULL;
	snprintf(proxy.local_tag, sizeof proxy.local_tag, "%s", "other");
	snprintf(proxy.target, sizeof proxy.target, "sip:+1001@gw.invalid");
	proxy.remote_tag[0] = '\0';
	proxy.cseq = 70;
	say(&proxy, "INVITE", "", sdp(&bob, 1));
	hear(&proxy, "482");
	expect_heard(&proxy, "came back to it");
	say(&proxy, "ACK", "", "");
	assert_int_equal(counter("refused_loop"), 1);
	/* To another number it was diverted. */
	snprintf(proxy.local_tag, sizeof proxy.local_tag, "%s", "diverted");
	snprintf(proxy.target, sizeof proxy.target, "sip:+3777@gw.invalid");
	proxy.remote_tag[0] = '\0';
	say(&proxy, "INVITE", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "486 Busy Here", "", "");
	hear(&alice, "ACK");
	hear(&proxy, "486");
	say(&proxy, "ACK", "", "");
	phone_forget(&proxy);
	assert_int_equal(counter("refused_loop"), 1);
}

static void test_hops(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	assert_int_equal(bob.heard->max_forwards, 69);
	refuse(&alice, &bob, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rules_in_their_order),
		T(test_rules_for_what_a_party_sends),
		T(test_headers_without_end),
		T(test_rules_that_are_refused),
		T(test_early_media_by_policy),
		T(test_a_call_that_comes_back),
		T(test_hops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
