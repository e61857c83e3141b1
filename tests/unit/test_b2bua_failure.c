/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that do not come about, and requests that are refused: who is told what. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

/* A call of alice's that bob answers with this; what she hears. */
static void refused(const char *status, const char *headers, const char *expect)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, status, headers, "");
	hear(&bob, "ACK");
	hear(&alice, expect);
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_what_the_called_side_says_reaches_the_caller(void **state)
{
	(void)state;
	refused("486 Otto is on the phone", "", "486");
	expect_heard(&alice, "SIP/2.0 486 Otto is on the phone\r\n");
	assert_non_null(strstr(last_reason(), "486 trunk carrier-a answered 486 Otto is on the phone"));
	refused("404 Not Found", "", "404");
	refused("480 Gone Fishing", "Retry-After: 120 (back soon);duration=60\r\n", "480");
	expect_heard(&alice, "\r\nRetry-After: 120\r\n");
	refused("603 Decline", "", "603");
	refused("488 Not Acceptable Here", "", "488");
}

/*
 * An answer whose routes are none: no call can be had that way, but who gave it waits for an ACK and then for
 * somebody to talk to. Both go where the INVITE went.
 */
static void test_an_answer_with_routes_that_are_none(void **state)
{
	static const char *const routes[] = {"Record-Route: not a route\r\n",
		"Record-Route: <sip:p1.example;lr>, <>\r\nContact: <sip:b@192.0.2.99:5099>\r\n"};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct phone *by = i < 2 ? &alice : &carol, *to = i < 2 ? &bob : &alice;

		dial(by, number_of(to), "", sdp(by, 1));
		hear(to, "INVITE");
		answer(to, "200 OK", routes[i % 2], sdp(to, 1));
		hear(to, "ACK");
		expect_not_heard(to, "\r\nRoute: ");
		hear(to, "BYE");
		expect_heard(to, "no usable Contact or route");
		reply(to, "200 OK");
		hear(by, "502");
		expect_heard(by, "no usable Contact or route");
		say(by, "ACK", "", "");
		silence(NULL);
		expect_no_calls();
	}
	assert_int_equal(counter("failed_answer"), 4);
	/* Of a reliable response too: that it came is acknowledged, and what counts are the routes of the
	 * answer. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "Require: 100rel\r\nRSeq: 7\r\nRecord-Route: not a route\r\n", "");
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	hear(&alice, "180");
	answer(&bob, "200 OK", "Record-Route: <sip:198.51.100.1;transport=tls;lr>\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	expect_heard(&bob, "\r\nRoute: <sip:198.51.100.1;transport=tls;lr>\r\n");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* It crosses the CANCEL, or is one too many. */
static void test_a_late_answer_with_routes_that_are_none(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer_as(&bob, "other", "200 OK", "Record-Route: not a route\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	answer_as(&bob, "other", "200 OK", "Record-Route: not a route\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	expect_heard(&bob, ";tag=other\r\n");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/*
 * RFC 3261 section 16.7, step 6: a 503 is of who sends it, and one with Retry-After takes all of it out of
 * use. The gateway does not say it for one carrier.
 */
static void test_a_503_of_the_called_side_is_not_the_gateways(void **state)
{
	(void)state;
	refused("503 Overload", "Retry-After: 30\r\n", "500");
	expect_heard(&alice, "SIP/2.0 500 Server Internal Error\r\n");
	expect_heard(&alice, "trunk carrier-a answered 503 Overload");
	expect_not_heard(&alice, "\r\nRetry-After");
	/* Nor while it rests, as it asked. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "500");
	expect_heard(&alice, "the called side takes no calls for now");
	expect_not_heard(&alice, "\r\nRetry-After");
	say(&alice, "ACK", "", "");
	expect_no_calls();
	/* Where it cannot be reached from here, it may be from another gateway: RFC 3263 section 4.3. */
	dial(&alice, "+6", "", sdp(&alice, 1));
	hear(&alice, "503");
	expect_not_heard(&alice, "\r\nRetry-After");
	say(&alice, "ACK", "", "");
	expect_no_calls();
}

static void test_a_503_in_a_call_is_of_the_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 1, 2, "sendonly"));
	hear(&bob, "INVITE");
	answer(&bob, "503 Overload", "Retry-After: 30\r\n", "");
	hear(&bob, "ACK");
	hear(&alice, "500");
	expect_not_heard(&alice, "\r\nRetry-After");
	say(&alice, "ACK", "", "");
	bench.send_result = -ENETUNREACH;
	bench.refuse_ip = "198.51.100.1";
	say(&alice, "INVITE", "", sdp_as(&alice, 1, 3, "sendrecv"));
	hear(&alice, "503");
	expect_not_heard(&alice, "\r\nRetry-After");
	say(&alice, "ACK", "", "");
	bench.send_result = 0;
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_what_was_meant_for_the_gateway_is_not_passed_on(void **state)
{
	(void)state;
	refused("302 Moved", "Contact: <sip:x@198.51.100.99>\r\n", "502");
	expect_not_heard(&alice, "198.51.100.99");
	refused("401 Unauthorized", "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n", "502");
	expect_not_heard(&alice, "Digest");
	refused("407 Proxy", "Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n", "502");
	refused("481 No", "", "500");
	refused("491 Pending", "", "500");
}

/* The carrier that calls is not told who else there is. */
static void test_the_other_trunk_is_not_named_to_carriers(void **state)
{
	(void)state;
	dial(&bob, "+2001", "", sdp(&bob, 1));
	hear(&carol, "INVITE");
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	hear(&bob, "486");
	expect_heard(&bob, "Warning: 399 srtpgw \"the called side answered 486");
	expect_not_heard(&bob, "carrier-b");
	say(&bob, "ACK", "", "");
	assert_non_null(strstr(last_reason(), "carrier-b"));
	bench.send_result = -ECONNREFUSED;
	bench.refuse_ip = "198.51.100.2";
	pass(1000);
	dial(&bob, "+2001", "", sdp(&bob, 1));
	hear(&bob, "503");
	expect_not_heard(&bob, "198.51.100.2");
	expect_not_heard(&bob, "carrier-b");
	expect_heard(&bob, "could not be reached");
	say(&bob, "ACK", "", "");
	assert_non_null(strstr(last_reason(), "198.51.100.2"));
	pass(1000);
	expect_no_calls();
	assert_int_equal(counter("failed_unreachable"), 1);
}

static void test_a_callee_that_never_answers_at_all(void **state)
{
	(void)state;
	dial(&bob, "+3001", "", sdp(&bob, 1));
	pass(15000);
	for (unsigned i = 0; i < 5; i++)
		hear(&alice, "INVITE"); /* 0, 0.5, 1.5, 3.5, 7.5 s */
	hear(&bob, "100");
	pass(5200);
	hear(&alice, "INVITE");
	hear(&bob, "408");
	say(&bob, "ACK", "", "");
	pass(13000);
	expect_no_calls();
}

static void test_the_connection_to_the_callee_is_lost(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	cut_connection("the peer's certificate has expired", false);
	hear(&alice, "503");
	expect_heard(&alice, "certificate has expired"); /* alice is the operator's own */
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
	assert_non_null(strstr(last_reason(), "trunk carrier-a: the peer's certificate has expired"));
}

static void test_answers_that_break_the_promise_of_encryption(void **state)
{
	static const char *const bodies[] = {
		/* no crypto, plain RTP, a suite that was not offered, a key of the wrong length */
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/SAVP 8\r\n",
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/AVP 8\r\n",
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
		"m=audio 30000 RTP/SAVP 8\r\na=crypto:1 AEAD_AES_256_GCM inline:aaaa\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", "", bodies[i]);
		hear(&bob, "ACK");
		hear(&bob, "BYE");
		expect_heard(&bob, "Reason: SIP;cause=");
		reply(&bob, "200 OK");
		hear(&alice, "488");
		expect_heard(&alice, "Warning: 399 srtpgw \"");
		say(&alice, "ACK", "", "");
		silence(NULL);
		expect_no_calls();
		assert_false(plane_last()->live);
	}
	assert_int_equal(counter("failed_answer"), 4);
	/* The same in early media: the call is cancelled. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "", bodies[1]);
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_an_answer_without_sdp(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", "");
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "502");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* It is owed an ACK all the same, or it repeats its answer for half a minute and is in a call that nobody ends. */
static void test_an_answer_without_contact(void **state)
{
	static const char *const contacts[] = {"Contact:\r\n", "Contact: *\r\n"};

	(void)state;
	for (unsigned i = 0; i < sizeof contacts / sizeof *contacts; i++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", contacts[i], sdp(&bob, 1));
		hear(&bob, "ACK");
		expect_heard(&bob, "ACK sip:+1001@198.51.100.1:5061;transport=tls SIP/2.0");
		hear(&alice, "200");
		say(&alice, "ACK", "", "");
		hang_up(&alice, &bob);
		expect_no_calls();
	}
}

/* The same after it rang: it is where it said then. */
static void test_an_answer_whose_contact_is_none(void **state)
{
	static const char *const contacts[] = {
		"Contact: *\r\n", "Contact: <tel:+1001>\r\n", "Contact: \"x\" <sip:\r\n"};

	(void)state;
	for (unsigned i = 0; i < sizeof contacts / sizeof *contacts; i++) {
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "180 Ringing", "Contact: <sip:desk@198.51.100.1;transport=tls>\r\n", "");
		hear(&alice, "180");
		answer(&bob, "200 OK", contacts[i], sdp(&bob, 1));
		hear(&bob, "ACK");
		expect_heard(&bob, "ACK sip:desk@198.51.100.1;transport=tls SIP/2.0");
		hear(&alice, "200");
		say(&alice, "ACK", "", "");
		/* And in the call. */
		say(&alice, "INVITE", "", sdp_as(&alice, 1, 2, "sendonly"));
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", contacts[i], sdp_as(&bob, 1, 2, "recvonly"));
		hear(&bob, "ACK");
		hear(&alice, "200");
		say(&alice, "ACK", "", "");
		hang_up(&alice, &bob);
		expect_no_calls();
	}
}

/* An INVITE that is answered at once. */
static void refused_offer(struct phone *p, const char *number, const char *headers, const char *body,
	const char *status, const char *why)
{
	dial(p, number, headers, body);
	hear(p, status);
	if (why)
		expect_heard(p, why);
	say(p, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_offers_that_are_refused(void **state)
{
	(void)state;
	refused_offer(&bob, "+3001", "",
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\n"
		"t=0 0\r\nm=audio 30000 RTP/AVP 8\r\n",
		"488", "SRTP is required");
	refused_offer(&bob, "+3001", "",
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\n"
		"t=0 0\r\nm=audio 30000 RTP/SAVP 8\r\n",
		"488", "Warning: 399");
	refused_offer(&bob, "+3001", "", "nonsense", "400", "Warning: 399");
	refused_offer(&alice, "+1001", "Content-Type: text/plain\r\n", "hello", "415",
		"Accept: application/sdp\r\n");
	refused_offer(&alice, "+1001", "Require: 100rel, foo\r\n", sdp(&alice, 1), "420",
		"\r\nUnsupported: foo\r\n");
	refused_offer(&alice, "+7", "", sdp(&alice, 1), "404", "no route leads to this number");
	refused_offer(&alice, "+4", "", sdp(&alice, 1), "503", "every trunk of the route is down");
	refused_offer(&alice, "+6", "", sdp(&alice, 1), "503", "Warning: 399");
	refused_offer(&alice, "", "", sdp(&alice, 1), "484", NULL);
	json_t *trunks = look("/srtp-gateway:gateway/trunks", 0);
	json_t *list =
		json_object_get(json_object_get(json_object_get(trunks, "gateway"), "trunks"), "trunk");
	json_t *state_of = json_object_get(json_array_get(list, 1), "state");

	/* Every one is the caller's trunk's. */
	assert_int_equal(json_integer_value(json_object_get(state_of, "rejected-calls")), 6);
	json_decref(trunks);
	assert_int_equal(counter("refused_media"), 3);
	assert_int_equal(counter("refused_request"), 3);
	assert_int_equal(counter("refused_no_route"), 1);
	assert_int_equal(counter("refused_trunk_down"), 1);
	assert_int_equal(counter("failed_unreachable"), 1);
}

static void test_sources_and_trunks_that_take_no_calls(void **state)
{
	struct phone stranger = {.ip = "192.0.2.66", .listener = OUTSIDE_TLS, .number = "1"};
	struct phone drained = {.ip = "10.20.0.6", .listener = INSIDE_UDP, .number = "2"};

	(void)state;
	refused_offer(&stranger, "+3001", "", sdp(&bob, 1), "403", "no trunk is configured for this source");
	refused_offer(&drained, "+3001", "", sdp(&alice, 1), "503", "the trunk is being drained");
	/* The route's second trunk takes what the drained first one does not. */
	dial(&alice, "+5", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "486 Busy", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	sip_msg_free(stranger.heard);
	sip_msg_free(drained.heard);
	assert_int_equal(counter("refused_unknown_peer"), 1);
}

static void test_requests_outside_of_calls(void **state)
{
	static const char *const unknown[] = {"REGISTER", "SUBSCRIBE", "PUBLISH", "WHATEVER"};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		say(&alice, unknown[i], "", "");
		hear(&alice, i < 3 ? "405" : "501");
		expect_heard(&alice,
			"\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE\r\n");
		alice.call_id[0] = '\0';
	}
	say(&alice, "OPTIONS", "", "");
	hear(&alice, "200");
	expect_heard(&alice, "\r\nAccept: application/sdp\r\n");
	strcpy(alice.remote_tag, "nobody");
	say(&alice, "BYE", "", "");
	hear(&alice, "481");
	say(&alice, "INVITE", "", sdp(&alice, 1));
	hear(&alice, "481");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

static void test_requests_in_a_call(void **state)
{
	struct phone other;

	(void)state;
	call_up(&alice, &bob);
	say(&alice, "PUBLISH", "", "");
	hear(&alice, "405");
	say(&alice, "OPTIONS", "", "");
	hear(&alice, "200");
	alice.cseq -= 3; /* RFC 3261 section 12.2.2 */
	say(&alice, "BYE", "", "");
	hear(&alice, "500");
	alice.cseq += 3;
	/* The dialog belongs to the listener that it began on. */
	other = alice;
	other.listener = INSIDE_TCP;
	other.heard = other.invite = NULL;
	say(&other, "BYE", "", "");
	hear(&other, "481");
	expect_heard(&other, "no such dialog on this listener");
	sip_msg_free(other.heard);
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* A Via list that fills the message leaves room for an answer all the same. */
static void test_a_refusal_always_finds_its_way(void **state)
{
	static char headers[15000];

	(void)state;
	headers[0] = '\0';
	for (unsigned i = 0; i < 60; i++)
		snprintf(headers + strlen(headers), sizeof headers - strlen(headers),
			"Via: SIP/2.0/TLS proxy-%u.example.net;branch=z9hG4bK%0150u\r\n", i, i);
	refused_offer(&alice, "+7", headers, sdp(&alice, 1), "404", NULL);
	strcat(headers, "Require: foo\r\n");
	refused_offer(&alice, "+1001", headers, sdp(&alice, 1), "420", NULL);
	alice.call_id[0] = alice.remote_tag[0] = '\0';
	say(&alice, "OPTIONS", headers, "");
	hear(&alice, "420");
}

static void test_a_refusal_that_is_never_acknowledged(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	for (unsigned i = 0; i < 11; i++) {
		hear(&alice, "486");
		pass(i < 3 ? 510u << i : 4010);
	}
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("ended_no_ack"), 0); /* there was no answer to acknowledge */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_answer_with_routes_that_are_none),
		T(test_a_late_answer_with_routes_that_are_none),
		T(test_what_the_called_side_says_reaches_the_caller),
		T(test_a_503_of_the_called_side_is_not_the_gateways),
		T(test_a_503_in_a_call_is_of_the_call),
		T(test_what_was_meant_for_the_gateway_is_not_passed_on),
		T(test_the_other_trunk_is_not_named_to_carriers),
		T(test_a_callee_that_never_answers_at_all),
		T(test_the_connection_to_the_callee_is_lost),
		T(test_answers_that_break_the_promise_of_encryption),
		T(test_an_answer_without_sdp),
		T(test_an_answer_without_contact),
		T(test_an_answer_whose_contact_is_none),
		T(test_offers_that_are_refused),
		T(test_sources_and_trunks_that_take_no_calls),
		T(test_requests_outside_of_calls),
		T(test_requests_in_a_call),
		T(test_a_refusal_always_finds_its_way),
		T(test_a_refusal_that_is_never_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
