/* SPDX-License-Identifier: Apache-2.0 */
/* Several trunks have refused a call: which of their answers the caller hears. */
#include <errno.h>

#include "tests/unit/b2bua_bench.h"

#define ROUTE_A "\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]"
#define ROUTE_AB "\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\",\"carrier-b\"]"

/* Of what carrier-a has said and what becomes of the call at carrier-b, the caller hears `best`. */
static void hears_of_two(const char *first, const char *second, const char *best)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, first, "Reason: Q.850;cause=17\r\n", "");
	hear(&bob, "ACK");
	hear(&carol, "INVITE");
	if (second) {
		answer(&carol, second, "", "");
		hear(&carol, "ACK");
	} else {
		cut_connection("Connection refused", false);
	}
	hear(&alice, best);
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* RFC 3261 section 16.7 step 6: not what happened to be last. */
static void test_the_caller_hears_the_best_of_all(void **state)
{
	static const struct {
		const char *first, *second, *best;
	} rounds[] = {
		{"486 Busy Here", "408 Timeout", "486"},
		{"486 Busy Here", "503 Overload", "486"},
		{"486 Busy Here", "404 Not Found", "486"},
		{"486 Busy Here", "603 Decline", "603"},
		{"486 Busy Here", "484 Address Incomplete", "484"},
		{"484 Address Incomplete", "486 Busy Here", "484"},
		{"404 Not Found", "486 Busy Here", "486"},
		{"486 Busy Here", "407 Prove It", "486"}, /* the challenge is for us: 502 */
		{"486 Busy Here", "302 Moved", "486"},    /* carrier-b is not followed: 502 */
		{"480 Away", "487 Terminated", "480"},
		{"500 Oops", "404 Not Found", "404"},
		{"503 Overload", "500 Oops", "500"},
	};

	(void)state;
	bench_change_all((struct bench_edit[]){{ROUTE_A, ROUTE_AB},
				 {"\"name\":\"carrier-a\"",
					 "\"name\":\"carrier-a\",\"failover-on\":[404,480,484,486,500]"}},
		2);
	for (unsigned i = 0; i < sizeof rounds / sizeof *rounds; i++)
		hears_of_two(rounds[i].first, rounds[i].second, rounds[i].best);
}

/* All of the best answer is the caller's, and what operators read is of it. */
static void test_the_best_answer_in_full(void **state)
{
	(void)state;
	bench_change_all(
		(struct bench_edit[]){{ROUTE_A, ROUTE_AB},
			{"\"name\":\"carrier-a\"", "\"name\":\"carrier-a\",\"failover-on\":[480,486]"}},
		2);
	hears_of_two("486 Quite Busy", NULL, "486");
	expect_heard(&alice, "SIP/2.0 486 Quite Busy\r\n");
	expect_heard(&alice, "Reason: Q.850;cause=17\r\n");
	expect_heard(&alice, "trunk carrier-a answered 486 Quite Busy");
	assert_string_equal(last_reason(), "486 trunk carrier-a answered 486 Quite Busy");
	assert_int_equal(counter("failed_unreachable"), 0);
	/* Carrier-b rests, and is nevertheless tried when all others have refused. */
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "480 Away", "Retry-After: 90\r\n", "");
	hear(&bob, "ACK");
	hear(&carol, "INVITE");
	answer(&carol, "503 Overload", "Retry-After: 7\r\n", "");
	hear(&carol, "ACK");
	hear(&alice, "480");
	expect_heard(&alice, "Retry-After: 90\r\n");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
}

/* An answer, whichever, says more than a peer that cannot be reached; when none can be, it is 503. */
static void test_an_answer_before_a_peer_that_is_not_there(void **state)
{
	(void)state;
	bench_change(ROUTE_A, ROUTE_AB);
	hears_of_two("503 Overload", NULL, "500");
	/* Nor can anything be sent to it. */
	bench.send_result = -ENOTCONN;
	bench.refuse_ip = "198.51.100.2";
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "503 Overload", "", "");
	hear(&bob, "ACK");
	hear(&alice, "500");
	say(&alice, "ACK", "", "");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	cut_connection("Connection refused", false);
	hear(&alice, "503");
	say(&alice, "ACK", "", "");
	bench.send_result = 0;
	bench.refuse_ip = NULL;
	silence(NULL);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_caller_hears_the_best_of_all),
		T(test_the_best_answer_in_full),
		T(test_an_answer_before_a_peer_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
