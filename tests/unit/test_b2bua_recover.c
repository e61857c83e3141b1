/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane is killed under calls: the next one goes on with them. */
#include "tests/unit/b2bua_bench.h"

#include <errno.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/state/journal.h"
#include "tests/unit/b2bua_accounts.h"
#include "tests/unit/b2bua_audit.h"
#include "tests/unit/b2bua_recovered.h"

static int setup(void **state)
{
	int rc = bench_setup(state);

	bench_keep_calls();
	return rc;
}

static void over(struct phone *a, struct phone *b)
{
	hear_all(a, "BYE");
	reply(a, "200 OK");
	hear_all(b, "BYE");
	reply(b, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_either_side_hangs_up(void **state)
{
	dp_session_id id;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		call_up(&alice, &bob);
		id = plane_last()->id;
		bench_crash(false);
		assert_int_equal(bench.live, 1);
		assert_true(plane_last()->live && plane_last()->id == id);
		both_have_it(&alice, &bob);
		hang_up(i ? &alice : &bob, i ? &bob : &alice);
		assert_int_equal(bench.live, 0);
		expect_no_calls();
	}
	bench_crash(false);
	expect_no_calls(); /* what is over is not taken over */
	silence(NULL);
}

static void reinvite(struct phone *by, struct phone *other, unsigned n)
{
	say(by, "INVITE", "", sdp_as(by, n, 10 + n, "sendrecv"));
	hear(other, "INVITE");
	answer(other, "200 OK", "", sdp_as(other, n, 10 + n, "sendrecv"));
	hear(other, "ACK");
	hear(by, "200");
	say(by, "ACK", "", "");
	silence(NULL);
}

static void test_reinvites_bring_new_keys(void **state)
{
	struct plane_session *s;
	unsigned rx, tx;

	(void)state;
	call_up(&bob, &carol);
	s = plane_last();
	bench_crash(false);
	both_have_it(&bob, &carol);
	rx = s->rx_keys[DP_SIDE_A] + s->rx_keys[DP_SIDE_B];
	tx = s->tx_keys[DP_SIDE_A] + s->tx_keys[DP_SIDE_B];
	assert_int_equal(rx + tx, 4); /* those that it had: nothing was programmed anew */
	reinvite(&bob, &carol, 2);
	assert_int_equal(s->tx_keys[DP_SIDE_A] + s->tx_keys[DP_SIDE_B], tx + 2);
	assert_int_equal(s->rx_keys[DP_SIDE_A] + s->rx_keys[DP_SIDE_B], rx + 2);
	/* And again, from the other side, after another crash: ports and m-lines are what they were. */
	bench_crash(false);
	both_have_it(&bob, &carol);
	reinvite(&carol, &bob, 3);
	assert_int_equal(bench.live, 1);
	hang_up(&carol, &bob);
	expect_no_calls();
}

/*
 * The process was killed while a re-INVITE was out. Who answers it is acknowledged, or would end the call
 * after 32 s (RFC 3261 section 13.3.1.4); he is in a session that nobody else knows, and is offered the one
 * that holds.
 */
static void test_an_answer_to_a_reinvite_of_before(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *by = i ? &bob : &alice, *to = i ? &alice : &bob;
		struct plane_session *s;

		call_up(&alice, &bob);
		s = plane_last();
		say(by, "INVITE", "", sdp_as(by, 2, 12, "sendonly"));
		hear(to, "INVITE");
		expect_heard(to, "a=sendonly");
		bench_crash(false);
		silence(to);
		answer(to, "200 OK", "", sdp_as(to, 2, 12, "recvonly"));
		answer(to, "200 OK", "", sdp_as(to, 2, 12, "recvonly")); /* the ACK was lost */
		hear(to, "ACK");
		hear(to, "INVITE");
		expect_heard(to, "a=sendrecv");
		hear(to, "ACK");
		answer(to, "200 OK", "", sdp_as(to, 3, 13, "sendrecv"));
		hear(to, "ACK");
		assert_int_equal(s->leg[to == &bob].streams[0].direction, DP_SENDRECV);
		assert_int_equal(s->tx_keys[DP_SIDE_B], to == &bob ? 2 : 1);
		assert_int_equal(
			s->rx_keys[DP_SIDE_B], 2); /* that of his answer, or of his own offer before */
		both_have_it(&alice, &bob);
		/* Nothing more comes of one that nobody asked for. */
		answer(to, "200 OK", "", sdp_as(to, 3, 13, "sendrecv"));
		hear(to, "ACK");
		silence(NULL);
		hang_up(&alice, &bob);
		expect_no_calls();
	}
}

/*
 * What he answered holds, and only our ACK was lost: that is all he gets. A re-INVITE that he refuses would
 * end a sound call.
 */
static void test_an_answer_that_was_taken_before(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_crash(false);
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	silence(NULL);
	both_have_it(&alice, &bob);
	reinvite(&alice, &bob, 2);
	bench_crash(false);
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	silence(NULL);
	both_have_it(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* A re-INVITE that repeats the first offer to the letter, as a refresh does. */
static void test_a_session_refresh(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	bench_crash(false);
	both_have_it(&bob, &alice);
	say(&bob, "INVITE", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_timers_of_sessions_go_on(void **state)
{
	(void)state;
	dial(&bob, "+3001", "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	bench_crash(false);
	both_have_it(&bob, &alice);
	pass(300000);
	silence(NULL);
	pass(300000); /* he never refreshed it */
	over(&bob, &alice);
	assert_string_equal(last_reason(), "408 trunk carrier-a: the session was not refreshed within 600 s");
}

static void test_a_peer_that_hung_up_meanwhile(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_crash(false);
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "481 Call/Transaction Does Not Exist");
	over(&alice, &bob);
	assert_string_equal(last_reason(),
		"408 trunk carrier-a did not know the call any more after a restart of the control plane");
	assert_int_equal(counter("ended_meanwhile"), 1);
	assert_int_equal(bench.live, 0);
}

static void test_a_peer_that_cannot_be_reached(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_crash(false);
	bench.send_result = -ENOTCONN;
	bench.refuse_ip = bob.ip;
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	pass(60000);
	silence(NULL); /* he may call us yet */
	bench.send_result = 0;
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* Our last words were not all written: the data plane has no such session any more. */
static void test_a_session_that_is_gone(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	pass(100);
	bench.plane.n = 0;
	plane_last()->live = false;
	bench.live = 0;
	bench_crash(false);
	over(&alice, &bob);
	assert_int_equal(counter("ended_meanwhile"), 1);
}

static void test_both_planes(void **state)
{
	struct plane_session *s;

	(void)state;
	call_up(&bob, &alice);
	bench_crash(true);
	pass(100);
	s = plane_last();
	assert_true(s->live);
	assert_int_equal(s->rx_keys[DP_SIDE_A] + s->tx_keys[DP_SIDE_A], 0); /* nobody has them any more */
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "ACK");
	assert_int_equal(s->rx_keys[DP_SIDE_A], 1);
	assert_int_equal(s->tx_keys[DP_SIDE_A], 1);
	both_have_it(&bob, &alice);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_media_stopped_meanwhile(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_crash(false);
	plane_event_timeout(plane_last(), DP_SIDE_A);
	over(&alice, &bob);
}

/*
 * A call that is only being set up is not taken over; nor is a setup mistaken for a call. Who answers it all
 * the same is left with nobody, and does not stay so.
 */
static void test_a_call_that_rings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct phone *from = i ? &alice : &bob, *to = i ? &bob : &alice;

		bench_freeze(); /* before anything of the call is written */
		dial(from, number_of(to), "", sdp(from, 1));
		hear(to, "INVITE");
		answer(to, "180 Ringing", "", "");
		bench_kill();
		expect_no_calls();
		assert_int_equal(bench.live, 0);
		answer(to, "200 OK", i ? "Contact: *\r\n" : "", sdp(to, 1));
		hear(to, "ACK");
		hear(to, "BYE");
		expect_heard(to, "restart");
		reply(to, "200 OK");
		silence(NULL);
		phone_forget(from);
	}
}

/* Whoever is no peer of ours has no requests sent to anybody. */
static void test_a_stranger_that_answers(void **state)
{
	const char *ip = alice.ip;

	(void)state;
	bench_freeze(); /* before anything of the call is written */
	dial(&bob, number_of(&alice), "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	bench_kill();
	alice.ip = "203.0.113.99";
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	silence(NULL);
	alice.ip = ip;
	silence(NULL);
	expect_no_calls();
}

static const char *sent_by;

/* Its Via names somebody else. */
static char *with_sent_by(char *text)
{
	static const char ours[] = "10.20.0.10:5060";
	char *at = strstr(text, ours), *changed = NULL;

	assert_non_null(at);
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, sent_by, at + strlen(ours)) > 0);
	free(text);
	return changed;
}

/* RFC 3261 section 18.1.2: what does not name us in its Via answers nothing that we sent. */
static void test_an_answer_to_somebody_else(void **state)
{
	static const char *const whose[] = {
		"192.0.2.7:5060", "10.20.0.10", "10.20.0.10:5070", "[2001:db8::1]:5060"};

	(void)state;
	bench_freeze(); /* before anything of the call is written */
	dial(&bob, number_of(&alice), "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	bench_kill();
	bench.garble = with_sent_by;
	for (unsigned i = 0; i < sizeof whose / sizeof *whose; i++) {
		sent_by = whose[i];
		answer(&alice, "200 OK", "", sdp(&alice, 1));
		silence(NULL);
	}
	bench.garble = NULL;
	expect_no_calls();
}

/* Nobody is registered any more when an account's phone answers, which must not be left with nobody either.
 */
static void test_an_account_that_answers(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "");
	bench_freeze(); /* before anything of the call is written */
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	bench_kill();
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&alice, "BYE");
	expect_heard(&alice, "restart");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static char *to_nobody(char *text)
{
	char *at = strstr(text, "\r\nTo: <sip:+3001@");

	assert_non_null(at);
	at[14] = '9';
	return text;
}

static void test_an_account_that_is_none(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "");
	bench_freeze(); /* before anything of the call is written */
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	bench_kill();
	bench.garble = to_nobody;
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	silence(NULL);
	bench.garble = NULL;
	expect_no_calls();
}

/* Over UDP a stranger may say that he is a known peer: what he makes us send has a bound. */
static void test_a_flood_of_answers(void **state)
{
	unsigned acks = 0, byes = 0;
	char tag[16];

	(void)state;
	bench_freeze(); /* before anything of the call is written */
	dial(&bob, number_of(&alice), "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	bench_kill();
	for (unsigned i = 0; i < 400; i++) {
		snprintf(tag, sizeof tag, "t%u", i);
		answer_as(&alice, tag, "200 OK", "", "");
		while (hear_any(&alice)) {
			acks += alice.heard->method == SIP_ACK;
			if (alice.heard->method != SIP_BYE)
				continue;
			byes++;
			reply(&alice, "481 Call/Transaction Does Not Exist");
		}
	}
	assert_int_equal(byes, 100); /* two seconds' worth */
	assert_int_equal(acks, byes);
	/* Who answers in earnest does so again, and is heard then. */
	pass(1000);
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

static void test_many_calls(void **state)
{
	enum { CALLS = 60 };
	static struct phone from[CALLS], to[CALLS];

	(void)state;
	calls_up(from, to, CALLS);
	bench_crash(false);
	assert_int_equal(counter("recovered"), CALLS);
	assert_int_equal(bench.live, CALLS);
	/* A new one meets none of them: neither its id, nor its ports, nor its session. */
	call_up(&carol, &alice);
	assert_int_equal(bench.live, CALLS + 1);
	hang_up(&carol, &alice);
	for (unsigned i = 0; i < CALLS; i++) {
		say(&from[i], "BYE", "", "");
		phone_forget(&from[i]);
		phone_forget(&to[i]);
	}
	settle();
	assert_int_equal(bench.live, 0);
	while (hear_any(&alice) || hear_any(&bob))
		;
}

/* The data plane was restarted, and the control plane ends before it has set all calls up again. */
static void test_calls_that_are_being_set_up_again(void **state)
{
	enum { CALLS = 120 };
	static struct phone from[CALLS], to[CALLS];

	(void)state;
	calls_up(from, to, CALLS);
	plane_restart(false);
	assert_in_range(bench.live, 0, CALLS - 1);
	for (struct call *c = call_first(bench.b2bua); c; c = call_after(c))
		checkpoint_touch(c);
	assert_int_equal(checkpoint_write(bench.b2bua), 0);
	bench_freeze();
	bench_kill();
	pass(300);
	assert_int_equal(counter("recovered"), CALLS);
	assert_int_equal(counter("ended_meanwhile"), 0);
	assert_int_equal(bench.live, CALLS);
	for (unsigned i = 0; i < CALLS; i++) {
		phone_forget(&from[i]);
		phone_forget(&to[i]);
	}
	while (hear_any(&alice) || hear_any(&bob))
		;
}

static void count_call(void *arg, uint64_t key, const void *data, size_t n)
{
	(void)key;
	(void)data;
	(void)n;
	++*(unsigned *)arg;
}

/* How many calls the next process would take over, were this one killed here and now. */
static unsigned kept_now(void)
{
	char command[300], path[100];
	struct journal_found found;
	struct journal *j;
	struct err e = {0};
	unsigned calls = 0;

	snprintf(path, sizeof path, "%s/calls/copy", bench.folder);
	snprintf(command, sizeof command, "mkdir -m 700 '%s' && cp '%s'/calls/calls.* '%s'", path,
		bench.folder, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(journal_open(path, &j, &e), 0);
	assert_int_equal(journal_read(j, count_call, &calls, &found), 0);
	journal_free(j);
	snprintf(command, sizeof command, "rm -r '%s'", path);
	assert_int_equal(system(command), 0);
	return calls;
}

/* A call whose end the audit has is not taken over: there would be a second record of it. */
static void test_a_call_that_the_audit_has(void **state)
{
	struct audit *a = audit_begin();
	json_t *sessions;

	(void)state;
	call_up(&alice, &bob);
	pass(100);
	assert_int_equal(kept_now(), 1);
	hang_up(&alice, &bob);
	sessions = audit_read("session");
	assert_int_equal(json_array_size(sessions), 1);
	json_decref(sessions);
	assert_int_equal(kept_now(), 0);
	audit_end(a);
}

#define K(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		K(test_either_side_hangs_up),
		K(test_reinvites_bring_new_keys),
		K(test_an_answer_to_a_reinvite_of_before),
		K(test_an_answer_that_was_taken_before),
		K(test_a_session_refresh),
		K(test_timers_of_sessions_go_on),
		K(test_a_peer_that_hung_up_meanwhile),
		K(test_a_peer_that_cannot_be_reached),
		K(test_a_session_that_is_gone),
		K(test_both_planes),
		K(test_media_stopped_meanwhile),
		K(test_a_call_that_rings),
		K(test_a_stranger_that_answers),
		K(test_an_answer_to_somebody_else),
		K(test_a_flood_of_answers),
		K(test_an_account_that_answers),
		K(test_an_account_that_is_none),
		K(test_many_calls),
		K(test_calls_that_are_being_set_up_again),
		K(test_a_call_that_the_audit_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
