/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane ends in good order and leaves its calls to the next one. */
#include "tests/unit/b2bua_bench.h"

#include <errno.h>

#include "tests/support/full_file.h"
#include "tests/unit/b2bua_audit.h"
#include "tests/unit/b2bua_recovered.h"

static int setup(void **state)
{
	int rc = bench_setup(state);

	bench_keep_calls();
	return rc;
}

static void leave(void)
{
	struct err e = {0};

	if (b2bua_leave(bench.b2bua, &e) < 0)
		fail_msg("%s", e.text);
}

static void settle_calls(void)
{
	assert_false(b2bua_under_way(bench.b2bua));
	assert_int_equal(b2bua_settle(bench.b2bua), 0);
	assert_false(b2bua_under_way(bench.b2bua));
	silence(NULL);
}

static void ring(struct phone *from, struct phone *to)
{
	dial(from, to->number, "", sdp(from, 1));
	hear(to, "INVITE");
	answer(to, "180 Ringing", "", "");
	hear(from, "180");
}

static void cancelled(struct phone *p)
{
	hear(p, "CANCEL");
	reply(p, "200 OK");
	answer(p, "487 Request Terminated", "", "");
	hear(p, "ACK");
}

/* Records of sessions that the audit has. */
static unsigned recorded(void)
{
	json_t *all = audit_read("session");
	unsigned n = (unsigned)json_array_size(all);

	json_decref(all);
	return n;
}

static void test_calls_go_on(void **state)
{
	struct phone carl = carol;
	struct audit *a = audit_begin();
	dp_session_id id;

	(void)state;
	carl.heard = carl.invite = NULL;
	call_up(&alice, &bob);
	id = plane_last()->id;
	leave();
	dial(&carl, "+3001", "", sdp(&carl, 7));
	hear(&carl, "503");
	expect_heard(&carl, "Retry-After: 2\r\n");
	expect_heard(&carl, "restarted");
	say(&carl, "ACK", "", "");
	settle_calls();
	bench_hand_over();
	assert_int_equal(recorded(), 0); /* nothing has ended yet */
	audit_end(a);
	a = audit_begin();
	assert_int_equal(bench.live, 1);
	assert_true(plane_last()->live && plane_last()->id == id);
	both_have_it(&alice, &bob);
	hang_up(&bob, &alice);
	assert_int_equal(bench.live, 0);
	assert_int_equal(recorded(), 1);
	expect_no_calls();
	call_up(&carl, &alice);
	hang_up(&carl, &alice);
	audit_end(a);
	phone_forget(&carl);
}

/* Written when it changed last, or never: a call is known to the next process as it stands. */
static void test_what_just_happened_is_written(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		call_up(&alice, &bob); /* and nothing was written yet */
		leave();
		settle_calls();
		bench_hand_over();
		leave(); /* nor copied since it was taken over */
		settle_calls();
		bench_hand_over();
		both_have_it(&alice, &bob);
		hang_up(&alice, &bob);
		leave();
		settle_calls();
		bench_hand_over();
		expect_no_calls();
	}
}

static void test_a_call_that_is_answered_in_time(void **state)
{
	(void)state;
	ring(&alice, &bob);
	leave();
	assert_true(b2bua_under_way(bench.b2bua));
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	assert_true(b2bua_under_way(bench.b2bua));
	say(&alice, "ACK", "", "");
	settle_calls();
	bench_hand_over();
	both_have_it(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Who rings on, and who waits, are told. */
static void test_a_call_that_is_not_answered_in_time(void **state)
{
	struct audit *a = audit_begin();

	(void)state;
	ring(&alice, &bob);
	leave();
	assert_int_equal(b2bua_settle(bench.b2bua), 0);
	hear(&alice, "503");
	expect_heard(&alice, "Retry-After: 2\r\n");
	say(&alice, "ACK", "", "");
	cancelled(&bob);
	assert_false(b2bua_under_way(bench.b2bua));
	assert_int_equal(bench.live, 0);
	bench_hand_over();
	assert_int_equal(recorded(), 1);
	expect_no_calls();
	silence(NULL);
	audit_end(a);
}

/* A change that the other side has not agreed to is called off, and one that comes now is put off. */
static void test_a_change_that_is_under_way(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 12, "sendonly"));
	hear(&bob, "INVITE");
	leave();
	assert_true(b2bua_under_way(bench.b2bua));
	answer(&bob, "100 Trying", "", "");
	assert_int_equal(b2bua_settle(bench.b2bua), 0);
	cancelled(&bob);
	hear(&alice, "487");
	say(&alice, "ACK", "", "");
	settle_calls();
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 13, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	say(&bob, "UPDATE", "", sdp_as(&bob, 4, 14, "sendonly"));
	hear(&bob, "491");
	bench_hand_over();
	both_have_it(&alice, &bob);
	say(&bob, "INVITE", "", sdp_as(&bob, 5, 15, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 5, 15, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* What was passed on and is not answered would be passed on again by the next process, or be lost. */
static void test_requests_that_are_passed_on(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n");
	hear(&bob, "INFO");
	leave();
	assert_true(b2bua_under_way(bench.b2bua));
	reply(&bob, "200 OK");
	hear(&alice, "200");
	assert_false(b2bua_under_way(bench.b2bua));
	say(&bob, "MESSAGE", "Content-Type: text/plain\r\n", "before");
	hear(&alice, "MESSAGE");
	assert_int_equal(b2bua_settle(bench.b2bua), 0);
	assert_true(b2bua_under_way(bench.b2bua));
	reply(&alice, "200 OK");
	hear(&bob, "200");
	assert_false(b2bua_under_way(bench.b2bua));
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=6\r\n");
	hear(&alice, "500");
	expect_heard(&alice, "Retry-After: ");
	say(&carol, "MESSAGE", "Content-Type: text/plain\r\n", "hello");
	hear(&carol, "503");
	expect_heard(&carol, "Retry-After: 2\r\n");
	assert_false(b2bua_under_way(bench.b2bua));
	bench_hand_over();
	both_have_it(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Its session is set up again first, and its new keys are agreed on. */
static void test_a_call_that_waits_for_a_data_plane(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_restart(false);
	leave();
	assert_true(b2bua_under_way(bench.b2bua));
	pass(100);
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	settle_calls();
	bench_hand_over();
	both_have_it(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* A call ends meanwhile as ever. */
static void test_a_call_that_ends_meanwhile(void **state)
{
	struct audit *a = audit_begin();

	(void)state;
	call_up(&alice, &bob);
	leave();
	assert_int_equal(b2bua_settle(bench.b2bua), 0);
	hang_up(&bob, &alice);
	bench_hand_over();
	assert_int_equal(recorded(), 1);
	expect_no_calls();
	audit_end(a);
}

static void test_all_of_it_is_taken_back(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	leave();
	settle_calls();
	b2bua_rekey_all(bench.b2bua);
	pass(100);
	silence(NULL); /* nothing is begun any more */
	b2bua_stay(bench.b2bua);
	settle();
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	hang_up(&bob, &alice);
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The directory is full when it is to be written: all goes on, and later it can. */
static void test_calls_that_cannot_be_written(void **state)
{
	struct full_file full;
	struct err e = {0};

	(void)state;
	call_up(&alice, &bob);
	leave();
	full_file_begin(&full, "/dev/null"); /* nor is there room for a record in a new segment */
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendrecv")); /* nothing is put off for it */
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "sendrecv"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
	assert_true(b2bua_settle(bench.b2bua) < 0);
	assert_true(b2bua_keep(bench.b2bua) < 0);
	b2bua_stay(bench.b2bua);
	assert_int_equal(b2bua_leave(bench.b2bua, &e), -ENOTSUP);
	assert_non_null(strstr(e.text, "nothing can be written"));
	full_file_end(&full);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	pass(6000);
	leave();
	settle_calls();
	bench_hand_over();
	both_have_it(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Calls would be lost: that is said before anything is done. */
static void test_calls_that_are_not_kept(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(b2bua_leave(bench.b2bua, &e), -ENOTSUP);
	assert_non_null(strstr(e.text, "calls cannot be kept"));
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

#define K(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		K(test_calls_go_on),
		K(test_what_just_happened_is_written),
		K(test_a_call_that_is_answered_in_time),
		K(test_a_call_that_is_not_answered_in_time),
		K(test_a_change_that_is_under_way),
		K(test_requests_that_are_passed_on),
		K(test_a_call_that_waits_for_a_data_plane),
		K(test_a_call_that_ends_meanwhile),
		K(test_all_of_it_is_taken_back),
		K(test_calls_that_cannot_be_written),
		T(test_calls_that_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
