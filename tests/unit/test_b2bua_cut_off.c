/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane is killed while calls are being set up: the next one tells both sides that they are over.
 */
#include "tests/unit/b2bua_bench.h"

#include "controlplane/b2bua/call.h"
#include "tests/unit/b2bua_audit_kept.h"

static void ring(struct phone *from, struct phone *to)
{
	dial(from, number_of(to), "", sdp(from, 1));
	hear(to, "INVITE");
	answer(to, "180 Ringing", "", "");
	hear(from, "180");
}

/* As a crash leaves it: nothing was said, and what was written 20 ms before is there. */
static void crash(void)
{
	pass(100);
	bench_freeze();
	bench_kill();
	lose_all();
}

static void caller_is_refused(struct phone *p)
{
	hear(p, "500");
	expect_heard(p, "Retry-After: ");
	expect_heard(p, "restarted");
	say(p, "ACK", "", "");
}

static void phone_is_let_go(struct phone *p)
{
	hear(p, "CANCEL");
	reply(p, "200 OK");
	answer(p, "487 Request Terminated", "", "");
	hear(p, "ACK");
}

static void nothing_is_left(unsigned records)
{
	json_t *all;

	pass(35000);
	silence(NULL);
	expect_no_calls();
	assert_int_equal(bench.live, 0);
	assert_int_equal(bench_ports_used(), 0);
	all = audit_read("session");
	assert_int_equal(json_array_size(all), records);
	json_decref(all);
	/* The next process hears nothing of it. */
	bench_crash(false);
	pass(1000);
	silence(NULL);
	expect_no_calls();
}

static void test_both_sides_hear_that_it_is_over(void **state)
{
	(void)state;
	ring(&alice, &bob);
	crash();
	pass(100);
	caller_is_refused(&alice);
	phone_is_let_go(&bob);
	nothing_is_left(1);
}

/* Who answers before he hears it is acknowledged, and let go. */
static void test_a_cancel_crosses_the_answer(void **state)
{
	(void)state;
	ring(&alice, &bob);
	crash();
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&bob, "BYE");
	expect_heard(&bob, "restart");
	reply(&bob, "200 OK");
	pass(100);
	caller_is_refused(&alice);
	nothing_is_left(1);
}

static void test_the_caller_gives_up_meanwhile(void **state)
{
	(void)state;
	ring(&alice, &bob);
	crash();
	say(&alice, "CANCEL", "", "");
	hear(&alice, "200");
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	phone_is_let_go(&bob);
	nothing_is_left(1);
}

/* What has ended before is the next process's no more, nor is it cut off once it was answered. */
static void test_it_becomes_a_call_or_none(void **state)
{
	(void)state;
	ring(&alice, &bob);
	pass(100);
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
	crash();
	nothing_is_left(1);
	ring(&carol, &bob);
	pass(100);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&carol, "200");
	crash(); /* before the ACK */
	pass(1100);
	assert_int_equal(counter("recovered"), 1);
	hear_all(&carol, "OPTIONS");
	hear_all(&bob, "OPTIONS");
}

/* Not even the 20 ms in which changes gather lie between what makes a call of it and its record. */
static void goes_on_after_a_kill(struct phone *a, struct phone *b)
{
	bench_freeze();
	bench_kill();
	lose_all();
	pass(1100);
	assert_int_equal(counter("recovered"), 1);
	for (struct phone *const *p = (struct phone *[]){a, b, NULL}; *p; p++) {
		hear_all(*p, "OPTIONS");
		reply(*p, "200 OK");
	}
	hang_up(a, b);
	expect_no_calls();
}

static void test_killed_as_soon_as_it_is_answered(void **state)
{
	(void)state;
	ring(&carol, &bob);
	pass(100);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&carol, "200");
	goes_on_after_a_kill(&carol, &bob);
}

/* What the caller's ACK answers makes it one. */
static void test_killed_as_soon_as_a_late_offer_is_answered(void **state)
{
	(void)state;
	dial(&carol, number_of(&bob), "", "");
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&carol, "200");
	pass(100);
	say(&carol, "ACK", "", sdp(&carol, 1));
	hear(&bob, "ACK");
	goes_on_after_a_kill(&carol, &bob);
}

/* Killed once more before anybody was told: the one after that tells. */
static void test_killed_twice(void **state)
{
	(void)state;
	ring(&alice, &bob);
	crash();
	bench_freeze();
	bench_kill();
	lose_all();
	pass(100);
	caller_is_refused(&alice);
	phone_is_let_go(&bob);
	nothing_is_left(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_sides_hear_that_it_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cancel_crosses_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_caller_gives_up_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_becomes_a_call_or_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_as_soon_as_it_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_killed_as_soon_as_a_late_offer_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
