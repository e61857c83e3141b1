/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on their way along a route: the next peer, the next trunk, and who is left alone for how long. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

static struct phone dave; /* the second peer of carrier-a */

#define ONE_PEER "\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}]"
#define TWO_PEERS                                                                                            \
	"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"},"                                     \
	"{\"name\":\"q\",\"host\":\"198.51.100.11\",\"certificate-name\":\"q.example\",\"priority\":20}]"
#define ROUTE_A "\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]"
#define ROUTE_AB "\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\",\"carrier-b\"]"

static int setup(void **state)
{
	if (bench_setup(state))
		return -1;
	dave = (struct phone){.ip = "198.51.100.11", .listener = OUTSIDE_TLS, .suite = "AEAD_AES_256_GCM"};
	snprintf(dave.number, sizeof dave.number, "+1001");
	bench_change(ONE_PEER, TWO_PEERS);
	return 0;
}

static int teardown(void **state)
{
	phone_forget(&dave);
	return bench_teardown(state);
}

static void keep(char out[80], struct str s)
{
	snprintf(out, 80, "%.*s", STR_ARG(s));
}

static void test_a_503_goes_to_the_next_peer_as_a_new_call(void **state)
{
	char call_id[80], tag[80], key[80];
	const struct sip_msg *m;

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	m = hear(&bob, "INVITE");
	keep(call_id, m->call_id);
	keep(tag, m->from_tag);
	keep(key, (struct str){strstr(m->body.p, "inline:"), 60});
	answer(&bob, "100 Trying", "", "");
	answer(&bob, "503 Overload", "", "");
	hear(&bob, "ACK");
	m = hear(&dave, "INVITE");
	expect_not_heard(&dave, call_id);
	expect_not_heard(&dave, tag);
	expect_not_heard(&dave, key);
	assert_string_equal(dave.flow.tls_name, "q.example");
	answer(&dave, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&dave, "200 OK", "", sdp(&dave, 2));
	hear(&dave, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	assert_int_equal(plane_last()->leg[1].remote.port, 30002);
	assert_int_equal(counter("failovers"), 1);
	assert_int_equal(counter("calls"), 1);
	hang_up(&alice, &dave);
	expect_no_calls();
	/* It said nothing of a rest. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
}

static void test_retry_after_is_a_rest_of_that_long(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 Overload", "Retry-After: 20 (busy)\r\n", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "503 Me Too", "Retry-After: 60\r\n", "");
	hear(&dave, "ACK");
	hear(&alice, "500");
	say(&alice, "ACK", "", "");
	/* Both rest: nobody is called. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "500");
	expect_heard(&alice, "trunk carrier-a: peer q rests for 6");
	expect_heard(&alice, "it answered 503 Me Too with Retry-After: 60");
	say(&alice, "ACK", "", "");
	silence(NULL);
	pass(20100);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "603 Decline", "", "");
	hear(&bob, "ACK");
	hear(&alice, "603");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

/* More than a day is a day, not nothing. */
static void test_a_very_long_rest(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 Closed", "Retry-After: 172800\r\n", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "603 Decline", "", "");
	hear(&dave, "ACK");
	hear(&alice, "603");
	say(&alice, "ACK", "", "");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&dave, "INVITE");
}

static void test_other_answers_are_the_called_sides_last_word(void **state)
{
	static const char *const words[] = {"404 Not Found", "408 Timeout", "480 Away", "486 Busy",
		"500 Oops", "504 Late", "603 Decline"};

	(void)state;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		char status[4] = {words[i][0], words[i][1], words[i][2], 0};

		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, words[i], "", "");
		hear(&bob, "ACK");
		hear(&alice, status);
		say(&alice, "ACK", "", "");
		silence(NULL);
	}
	assert_int_equal(counter("failovers"), 0);
}

/* Carriers that mean themselves by other statuses: as their trunk says, from peer to peer and to the next
 * trunk. */
static void test_answers_that_the_trunk_lists(void **state)
{
	(void)state;
	bench_change_all(
		(struct bench_edit[]){{ONE_PEER, TWO_PEERS}, {ROUTE_A, ROUTE_AB},
			{"\"name\":\"carrier-a\"", "\"name\":\"carrier-a\",\"failover-on\":[500,480]"}},
		3);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "500 Oops", "Retry-After: 60\r\n", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "480 Nothing Free", "", "");
	hear(&dave, "ACK");
	hear(&carol, "INVITE");
	answer(&carol, "500 Oops", "", ""); /* the other carrier's own trunk lists nothing */
	hear(&carol, "ACK");
	hear(&alice, "480");
	say(&alice, "ACK", "", "");
	silence(NULL);
	/* Nobody rests for it, and what is not listed is the last word, as what follows ringing. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "486 Busy", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "480 Gone", "", "");
	hear(&bob, "ACK");
	hear(&alice, "480");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(counter("failovers"), 2);
	expect_no_calls();
}

static void test_what_a_trunk_may_list(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char now[60];

		snprintf(now, sizeof now, "\"name\":\"carrier-a\",\"failover-on\":[%s]",
			(const char *[]){"302", "407", "487", "600"}[i]);
		bench_refuse("\"name\":\"carrier-a\"", now, "it is a 4xx or 5xx");
	}
}

static void test_who_has_heard_it_ring_is_not_sent_elsewhere(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "503 Overload", "", "");
	hear(&bob, "ACK");
	hear(&alice, "500");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

static void test_a_connection_that_cannot_be_made(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	cut_connection("certificate does not carry the name a.example", false);
	hear(&dave, "INVITE");
	answer(&dave, "486 Busy", "", "");
	hear(&dave, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	/* The one that could be reached goes first now, the other is not forgotten. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&dave, "INVITE");
	cut_connection("Connection refused", false);
	hear(&bob, "INVITE");
	cut_connection("certificate does not carry the name a.example", false);
	hear(&alice, "503");
	expect_heard(&alice, "certificate does not carry the name a.example");
	say(&alice, "ACK", "", "");
	silence(NULL);
	assert_int_equal(counter("failovers"), 2);
	assert_int_equal(counter("failed_unreachable"), 1);
	pass(31000);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
}

static void test_a_message_that_cannot_be_sent_at_all(void **state)
{
	(void)state;
	bench.send_result = -ENOTCONN;
	bench.refuse_ip = "198.51.100.1";
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&dave, "INVITE");
	answer(&dave, "200 OK", "", sdp(&dave, 1));
	hear(&dave, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&dave, &alice);
	bench.refuse_ip = NULL;
	dial(&carol, "+1001", "", sdp(&carol, 1)); /* she hears nothing either */
	pass(40000);
	bench.send_result = 0;
	expect_no_calls();
	assert_int_equal(counter("failed_unreachable"), 1);
}

/* Timer B. */
static void test_a_peer_that_says_nothing(void **state)
{
	struct phone second = {.ip = "10.20.0.7", .listener = INSIDE_UDP, .number = "+3001"};
	const struct bench_edit edits[] = {
		{"\"host\":\"10.20.0.5\",\"transport\":\"udp\"}]",
			"\"host\":\"10.20.0.5\",\"transport\":\"udp\"},{\"name\":\"q\","
			"\"host\":\"10.20.0.7\",\"transport\":\"udp\",\"priority\":11}]"},
		{"\"ring-timeout\":20", "\"ring-timeout\":100"},
	};

	(void)state;
	bench_change_all(edits, 2);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	pass(31000);
	hear_all(&alice, "INVITE");
	hear(&bob, "100");
	pass(2000);
	hear_all(&alice, "INVITE");
	hear_all(&second, "INVITE");
	answer(&second, "200 OK", "", sdp(&second, 1));
	hear(&second, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
	hang_up(&bob, &second);
	/* It is not waited for again so soon. */
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&second, "INVITE");
	phone_forget(&second);
}

static void test_the_next_trunk_with_rules_of_its_own(void **state)
{
	const struct bench_edit edits[] = {{ONE_PEER, TWO_PEERS}, {ROUTE_A, ROUTE_AB}};
	json_t *state_b;

	(void)state;
	bench_change_all(edits, 2);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 No", "", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "503 No", "", "");
	hear(&dave, "ACK");
	hear(&carol, "INVITE");
	expect_heard(&carol, "a=crypto:1 AES_CM_128_HMAC_SHA1_80");
	expect_not_heard(&carol, "AES_256_GCM");
	state_b = look("/srtp-gateway:calls", 10);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(json_object_get(state_b, "calls"), "call"), 0),
			"egress-trunk")),
		"carrier-b");
	json_decref(state_b);
	/* carrier-b takes one call at a time: this one counts. */
	dial(&bob, "+2001", "", sdp(&bob, 1));
	hear(&bob, "503");
	expect_heard(&bob, "carries as many calls");
	expect_not_heard(&bob, "carrier-b");
	say(&bob, "ACK", "", "");
	answer(&carol, "200 OK", "", sdp(&carol, 1));
	hear(&carol, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
	hang_up(&carol, &alice);
	expect_no_calls();
	call_up(&bob, &carol);
	hang_up(&bob, &carol);
}

/* A call from a full trunk back to it has both its places there, whichever peer it is tried at. */
static void test_within_a_trunk_that_is_full(void **state)
{
	struct phone called = carol, second = {.ip = "198.51.100.12", .listener = OUTSIDE_TLS};

	(void)state;
	bench_change("\"host\":\"198.51.100.2\",\"certificate-name\":\"b.example\"}]",
		"\"host\":\"198.51.100.2\",\"certificate-name\":\"b.example\"},"
		"{\"name\":\"q\",\"host\":\"198.51.100.12\",\"certificate-name\":\"b.example\",\"priority\":20}]");
	/* The second rests: it is found in a second look at the trunk. */
	dial(&alice, "+2001", "", sdp(&alice, 1));
	hear(&carol, "INVITE");
	answer(&carol, "503 No", "", "");
	hear(&carol, "ACK");
	hear(&second, "INVITE");
	cut_connection("Connection refused", false);
	hear(&alice, "500");
	say(&alice, "ACK", "", "");
	dial(&carol, "+2001", "", sdp(&carol, 1));
	hear(&called, "INVITE");
	answer(&called, "503 No", "", "");
	hear(&called, "ACK");
	hear(&second, "INVITE");
	answer(&second, "486 Busy", "", "");
	hear(&second, "ACK");
	hear(&carol, "486");
	say(&carol, "ACK", "", "");
	expect_no_calls();
	phone_forget(&called);
	phone_forget(&second);
}

static void test_the_caller_gives_up_at_the_second_peer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 No", "", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "100 Trying", "", "");
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	hear(&dave, "CANCEL");
	reply(&dave, "200 OK");
	answer(&dave, "503 No", "", "");
	hear(&dave, "ACK");
	silence(NULL);
	expect_no_calls();
}

/* A call without an offer finds its second peer, too. */
static void test_a_delayed_offer(void **state)
{
	(void)state;
	dial(&alice, "+1001", "", "");
	hear(&bob, "INVITE");
	answer(&bob, "503 No", "", "");
	hear(&bob, "ACK");
	assert_int_equal(hear(&dave, "INVITE")->body.n, 0);
	answer(&dave, "486 Busy", "", "");
	hear(&dave, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	expect_no_calls();
}

/* Rests go on when the configuration changes, and end with the peer. */
static void test_rests_and_a_new_configuration(void **state)
{
	const struct bench_edit edits[] = {
		{ONE_PEER, TWO_PEERS}, {"\"max-call-rate\":2", "\"max-call-rate\":3"}};

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 No", "Retry-After: 600\r\n", "");
	hear(&bob, "ACK");
	hear(&dave, "INVITE");
	answer(&dave, "486 Busy", "", "");
	hear(&dave, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	bench_change_all(edits, 2);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&dave, "INVITE");
	answer(&dave, "486 Busy", "", "");
	hear(&dave, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	bench_change("\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}]",
		"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\",\"port\":5071}]");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	assert_int_equal(bob.flow.remote.port, 5071);
}

/* The one address of the one name there is; "": it has none. */
static const char *address;

static void resolve(void *ctx, const char *name, enum dns_type type, dns_answer_fn told, void *arg)
{
	struct dns_reply reply = {.ttl = 10};

	(void)ctx;
	if (type == DNS_A && strcmp(name, "sbc.example") == 0 && *address) {
		ip_parse(str_z(address), &reply.records[0].ip);
		reply.n = 1;
	}
	told(arg, 0, &reply, NULL);
}

static void test_a_peer_by_name(void **state)
{
	(void)state;
	bench.dns = (struct dns_asker){.ask = resolve};
	address = "198.51.100.1";
	bench_teardown(state);
	bench_setup(state);
	bench_change(ONE_PEER, "\"host\":\"sbc.example\"}]");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:+1001@sbc.example;transport=tls SIP/2.0");
	assert_string_equal(bob.flow.tls_name, "sbc.example");
	assert_int_equal(bob.flow.remote.port, 5061);
	answer(&bob, "603 Decline", "", "");
	hear(&bob, "ACK");
	hear(&alice, "603");
	say(&alice, "ACK", "", "");
	address = "198.51.100.11";
	pass(10100);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&dave, "INVITE");
	answer(&dave, "603 Decline", "", "");
	hear(&dave, "ACK");
	hear(&alice, "603");
	say(&alice, "ACK", "", "");
	address = "";
	pass(10100);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "503");
	expect_heard(&alice, "trunk carrier-a: peer p has no address: the name has no address");
}

#define R(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		R(test_a_503_goes_to_the_next_peer_as_a_new_call),
		R(test_retry_after_is_a_rest_of_that_long),
		R(test_a_very_long_rest),
		R(test_other_answers_are_the_called_sides_last_word),
		R(test_who_has_heard_it_ring_is_not_sent_elsewhere),
		R(test_answers_that_the_trunk_lists),
		T(test_what_a_trunk_may_list),
		R(test_a_connection_that_cannot_be_made),
		R(test_a_message_that_cannot_be_sent_at_all),
		R(test_a_peer_that_says_nothing),
		R(test_the_next_trunk_with_rules_of_its_own),
		R(test_within_a_trunk_that_is_full),
		R(test_the_caller_gives_up_at_the_second_peer),
		R(test_a_delayed_offer),
		R(test_rests_and_a_new_configuration),
		R(test_a_peer_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
