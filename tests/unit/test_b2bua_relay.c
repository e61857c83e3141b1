/* SPDX-License-Identifier: Apache-2.0 */
/* INFO and MESSAGE pass from one side to the other, in calls and, a MESSAGE, without one. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

#define DTMF "Content-Type: application/dtmf-relay\r\nInfo-Package: none\r\n"
#define TEXT "Content-Type: text/plain;charset=utf-8\r\n"

static void test_info_in_a_call(void **state)
{
	struct {
		struct phone *by, *other;
	} ways[] = {{&alice, &bob}, {&bob, &alice}};

	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *by = ways[i].by, *other = ways[i].other;

		say(by, "INFO", DTMF "User-Agent: secret\r\nSubject: key\r\n",
			"Signal=5\r\nDuration=160\r\n");
		hear(other, "INFO");
		expect_heard(other, "Content-Type: application/dtmf-relay\r\n");
		expect_heard(other, "Info-Package: none\r\n");
		expect_heard(other, "Subject: key\r\n");
		expect_heard(other, "Max-Forwards: 69\r\n");
		expect_heard(other, "\r\n\r\nSignal=5\r\nDuration=160\r\n");
		expect_not_heard(other, "secret");
		expect_not_heard(other, by->ip);
		silence(by);
		reply_with(other, "469 Bad Info Package", "Recv-Info: x\r\nServer: secret\r\n");
		hear(by, "469");
		expect_heard(by, "Bad Info Package");
		expect_heard(by, "Recv-Info: x\r\n");
		expect_not_heard(by, "secret");
	}
	assert_int_equal(counter("messages_passed"), 2);
	hang_up(&alice, &bob);
}

static void test_info_before_the_answer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	say(&alice, "INFO", DTMF, "Signal=1\r\n");
	hear(&bob, "INFO");
	reply(&bob, "200 OK");
	hear(&alice, "200");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
}

/* The call ends while it waits; nobody answers; both transactions end by themselves. */
static void test_info_that_is_never_answered(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INFO", DTMF, "Signal=5\r\n");
	hear(&bob, "INFO");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
	pass(40000);
	silence(&alice);
	call_up(&alice, &bob);
	say(&alice, "INFO", DTMF, "Signal=6\r\n");
	hear(&bob, "INFO");
	cut_connection("gone", false);
	hear(&alice, "503");
	hang_up(&alice, &bob);
}

#define MIXED "Content-Type: multipart/mixed;boundary=b\r\n"
#define FRAGMENT                                                                                             \
	"a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"                                           \
	"a=candidate:1 1 UDP 2130706431 10.9.8.7 4000 typ host\r\n"

static void test_what_does_not_pass(void **state)
{
	static const struct {
		const char *headers, *body;
	} descriptions[] = {
		{"", "v=0\r\n"},
		/* Where the peer is, and the password for it. */
		{"Info-Package: trickle-ice\r\nContent-Type: application/trickle-ice-sdpfrag\r\n", FRAGMENT},
		/* Whatever else the sender insists on. */
		{MIXED, "--b\r\nContent-Type: text/plain\r\nContent-Disposition: x;handling=required\r\n\r\nhi\r\n"
			"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n"},
		{MIXED, "--b\r\nContent-Type: multipart/related;boundary=c\r\n\r\n"
			"--c\r\nContent-Type: application/trickle-ice-sdpfrag\r\n\r\n" FRAGMENT
			"\r\n--c--\r\n\r\n--b--\r\n"},
	};
	char large[9000];

	(void)state;
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	call_up(&alice, &bob);
	say(&alice, "INFO", TEXT, large);
	hear(&alice, "513");
	expect_heard(&alice, "max-message-octets");
	for (unsigned i = 0; i < sizeof descriptions / sizeof *descriptions; i++) {
		say(&alice, "INFO", descriptions[i].headers, descriptions[i].body);
		hear(&alice, "415");
		expect_heard(&alice, "a session description does not pass");
	}
	silence(&bob);
	say(&alice, "INFO", "Require: nothing-known\r\n", "");
	hear(&alice, "420");
	hang_up(&alice, &bob);
	assert_int_equal(counter("messages_passed"), 0);
	assert_int_equal(counter("messages_refused"), 1 + sizeof descriptions / sizeof *descriptions);
}

/* Candidates of ICE do not pass: neither side hears that the other wants them (RFC 8840 section 10). */
static void test_candidates_are_not_asked_for(void **state)
{
	(void)state;
	dial(&alice, "+1001", "Recv-Info: trickle-ice\r\nRecv-Info: x;a=b, Trickle-ICE ,y\r\n",
		sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "Recv-Info: x;a=b, y\r\n");
	expect_not_heard(&bob, "rickle");
	answer(&bob, "200 OK", "Recv-Info: z\r\nRecv-Info: trickle-ice\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	expect_heard(&alice, "Recv-Info: z\r\n");
	expect_not_heard(&alice, "rickle");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
}

static void test_a_message_by_route(void **state)
{
	(void)state;
	snprintf(bob.target, sizeof bob.target, "sip:+3001@gw.invalid");
	say(&bob, "MESSAGE",
		TEXT "P-Asserted-Identity: <sip:+1@bank.example>\r\nExpires: 60\r\nPrivacy: id\r\nX-A: b\r\n",
		"Watson, come here.");
	hear(&alice, "MESSAGE");
	expect_heard(&alice, "MESSAGE sip:+3001@10.20.0.5:5060;transport=udp SIP/2.0\r\n");
	expect_heard(&alice, "From: \"Al\" <sip:+1001@10.20.0.10>;tag=");
	expect_heard(&alice, "Content-Type: text/plain;charset=utf-8\r\n");
	expect_heard(&alice, "Expires: 60\r\n");
	expect_heard(&alice, "Max-Forwards: 69\r\n");
	expect_heard(&alice, "\r\n\r\nWatson, come here.");
	expect_not_heard(&alice, "bank.example");
	expect_not_heard(&alice, "X-A");
	expect_not_heard(&alice, "198.51.100.1");
	expect_not_heard(&alice, "Contact"); /* RFC 3428 section 4 */
	reply(&alice, "202 Accepted");
	hear(&bob, "202");
	silence(NULL);
	assert_int_equal(counter("messages_passed"), 1);
}

static void test_messages_that_are_refused(void **state)
{
	static const struct {
		const char *target, *headers, *status, *why;
	} cases[] = {
		{"sip:+999@gw.invalid", TEXT, "404", "no route"},
		{"sip:gw.invalid", TEXT, "484", "names nobody"},
		{"sip:+4001@gw.invalid", TEXT, "503", "could not be reached"},
		{"sip:+3001@gw.invalid", "Content-Type: application/sdp\r\n", "415", "session description"},
		{"sip:+3001@gw.invalid", TEXT "Privacy: seal;critical\r\n", "500", "Privacy"},
	};
	char body[1400];

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(bob.target, sizeof bob.target, "%s", cases[i].target);
		say(&bob, "MESSAGE", cases[i].headers, "x");
		hear(&bob, cases[i].status);
		expect_heard(&bob, cases[i].why);
		if (strcmp(cases[i].status, "503") == 0)
			expect_not_heard(&bob, "\r\nRetry-After"); /* it would be of all calls */
	}
	/* Over UDP it would be too large; over TLS it is not. */
	memset(body, 'x', sizeof body - 1);
	body[sizeof body - 1] = '\0';
	snprintf(bob.target, sizeof bob.target, "sip:+3001@gw.invalid");
	say(&bob, "MESSAGE", TEXT, body);
	hear(&bob, "513");
	snprintf(alice.target, sizeof alice.target, "sip:+1001@gw.invalid");
	say(&alice, "MESSAGE", TEXT, body);
	hear(&bob, "MESSAGE");
	reply(&bob, "488 Not Here");
	hear(&alice, "488");
	silence(NULL);
	assert_int_equal(counter("messages_refused"), 6);
	bench_change("\"ring-timeout\":20", "\"max-message-octets\":0,\"ring-timeout\":20");
	say(&alice, "MESSAGE", TEXT, "x");
	hear(&alice, "405");
	silence(NULL);
}

/* carrier-a has a second peer; carrier-b is behind both. */
static void with_three_ways_and(const char *of_carrier_a)
{
	const struct bench_edit edits[] = {
		{"\"name\":\"carrier-a\",", of_carrier_a},
		{"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}]",
			"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"},{\"name\":\"q\","
			"\"host\":\"198.51.100.11\",\"certificate-name\":\"q.example\",\"priority\":20}]"},
		{"\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]",
			"\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\",\"carrier-b\"]"},
	};

	bench_change_all(edits, 3);
	snprintf(alice.target, sizeof alice.target, "sip:+1001@gw.invalid");
}

static void with_three_ways(void)
{
	with_three_ways_and("\"name\":\"carrier-a\",");
}

/* Its trunk takes other answers for a 503, too. */
static void test_a_message_goes_on_after_what_the_trunk_lists(void **state)
{
	struct phone dave = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	(void)state;
	with_three_ways_and("\"name\":\"carrier-a\",\"failover-on\":[404],");
	say(&alice, "MESSAGE", TEXT, "hello");
	hear(&bob, "MESSAGE");
	reply(&bob, "404 Not Found");
	hear(&dave, "MESSAGE");
	reply(&dave, "413 Too Long");
	hear(&alice, "413");
	silence(NULL);
	phone_forget(&dave);
}

/* Not the last, of all those who refused it (RFC 3261 section 16.7). */
static void test_the_sender_hears_the_best_answer(void **state)
{
	static const char *const last[] = {"500 Oops", "503 Overload", NULL};
	struct phone dave = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	(void)state;
	with_three_ways_and("\"name\":\"carrier-a\",\"failover-on\":[404,486],");
	for (unsigned i = 0; i < sizeof last / sizeof *last; i++) {
		say(&alice, "MESSAGE", TEXT, "hello");
		hear(&bob, "MESSAGE");
		reply(&bob, "486 Busy Here");
		hear(&dave, "MESSAGE");
		reply(&dave, "404 Not Found");
		hear(&carol, "MESSAGE");
		if (last[i])
			reply(&carol, last[i]);
		else
			cut_connection("Connection refused", false);
		hear(&alice, "486");
		expect_heard(&alice, "SIP/2.0 486 Busy Here\r\n");
		silence(NULL);
	}
	phone_forget(&dave);
}

static void test_a_message_goes_to_the_next_peer(void **state)
{
	struct phone dave = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	(void)state;
	with_three_ways();
	say(&alice, "MESSAGE", TEXT, "hello");
	hear(&bob, "MESSAGE");
	cut_connection("certificate has expired", false);
	hear(&dave, "MESSAGE");
	assert_string_equal(dave.flow.tls_name, "q.example");
	reply_with(&dave, "503 Overload", "Retry-After: 60\r\n");
	hear(&carol, "MESSAGE");
	expect_heard(&carol, "\r\n\r\nhello");
	reply(&carol, "200 OK");
	hear(&alice, "200");
	silence(NULL);
	assert_int_equal(counter("failovers"), 2);
	assert_int_equal(counter("messages_passed"), 1);
	/* Who rests is not asked first the next time, and who asked for his rest not at all; the last word
	 * passes. */
	say(&alice, "MESSAGE", TEXT, "again");
	hear(&carol, "MESSAGE");
	reply(&carol, "503 Me Too");
	hear(&bob, "MESSAGE");
	reply(&bob, "404 Not Found");
	hear(&alice, "404");
	silence(NULL);
	/* Nobody at all. */
	bench.send_result = -ENETUNREACH;
	bench.refuse_ip = "198.51.100.1";
	say(&alice, "MESSAGE", TEXT, "third");
	hear(&carol, "MESSAGE");
	cut_connection("reset", false);
	hear(&alice, "503");
	silence(NULL);
	phone_forget(&dave);
}

/* A trunk that has as many calls as it may takes texts. */
static void test_a_message_beside_the_last_call(void **state)
{
	struct phone twin = alice;

	(void)state;
	call_up(&alice, &carol);
	twin.ip = "10.20.0.5";
	twin.heard = twin.invite = NULL;
	dial(&twin, "+2001", "", sdp(&alice, 1));
	hear(&twin, "503");
	say(&twin, "ACK", "", "");
	phone_forget(&twin);
	twin.call_id[0] = twin.local_tag[0] = twin.remote_tag[0] = '\0';
	snprintf(twin.target, sizeof twin.target, "sip:+2001@gw.invalid");
	say(&twin, "MESSAGE", TEXT, "hello");
	hear(&carol, "MESSAGE");
	reply(&carol, "200 OK");
	hear(&twin, "200");
	phone_forget(&twin);
}

/* Timer F is the sender's timer, too: too late for another peer, but the next message takes another way. */
static void test_a_message_that_nobody_answers(void **state)
{
	struct phone dave = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	(void)state;
	with_three_ways();
	say(&alice, "MESSAGE", TEXT, "hello");
	hear(&bob, "MESSAGE");
	pass(33000);
	silence(NULL);
	pass(5000);
	say(&alice, "MESSAGE", TEXT, "hello");
	hear(&dave, "MESSAGE");
	reply(&dave, "200 OK");
	hear(&alice, "200");
	phone_forget(&dave);
}

/* RFC 5630: over TLS or not at all. */
static void test_a_message_to_a_sips_uri(void **state)
{
	(void)state;
	snprintf(alice.target, sizeof alice.target, "sips:+1001@gw.invalid");
	say(&alice, "MESSAGE", TEXT, "x");
	hear(&alice, "480");
	expect_heard(&alice, "over TLS only");
	snprintf(bob.target, sizeof bob.target, "sips:+3001@gw.invalid");
	say(&bob, "MESSAGE", TEXT, "x");
	hear(&bob, "503");
	snprintf(bob.target, sizeof bob.target, "sips:+2001@gw.invalid");
	say(&bob, "MESSAGE", TEXT, "x");
	hear(&carol, "MESSAGE");
	expect_heard(&carol, "MESSAGE sips:+2001@");
	expect_heard(&carol, "\r\nTo: <sips:+2001@");
	reply(&carol, "200 OK");
	hear(&bob, "200");
	silence(NULL);
}

static void test_hops_in_a_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 1, 2, "sendonly"));
	hear(&bob, "INVITE");
	assert_int_equal(bob.heard->max_forwards, 69);
	answer(&bob, "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	assert_int_equal(bob.heard->max_forwards, 70);
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_info_in_a_call),
		T(test_info_before_the_answer),
		T(test_info_that_is_never_answered),
		T(test_what_does_not_pass),
		T(test_candidates_are_not_asked_for),
		T(test_a_message_by_route),
		T(test_messages_that_are_refused),
		T(test_the_sender_hears_the_best_answer),
		T(test_a_message_goes_to_the_next_peer),
		T(test_a_message_goes_on_after_what_the_trunk_lists),
		T(test_a_message_that_nobody_answers),
		T(test_a_message_beside_the_last_call),
		T(test_a_message_to_a_sips_uri),
		T(test_hops_in_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
