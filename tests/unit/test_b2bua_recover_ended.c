/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control plane is killed between a call's end and its audit record: whatever the moment, there is one
 * record, with the end as it was.
 */
#include "tests/unit/b2bua_bench.h"

#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/state/journal.h"
#include "lib/base/clock.h"
#include "tests/unit/b2bua_audit_kept.h"

static unsigned n_sessions(void)
{
	json_t *all = audit_read("session");
	unsigned n = (unsigned)json_array_size(all);

	json_decref(all);
	return n;
}

/* Of the only one. */
static void assert_recorded(const char *id, int status, const char *reason, const char *ended)
{
	json_t *all = audit_read("session");
	const json_t *o = json_array_get(all, 0);

	assert_int_equal(json_array_size(all), 1);
	assert_string_equal(text_in(o, "call"), id);
	assert_string_equal(text_in(o, "reason"), reason);
	assert_int_equal(json_integer_value(json_object_get(o, "status")), status);
	assert_true(strcmp(text_in(o, "began"), text_in(o, "ended")) <= 0);
	assert_true(strcmp(text_in(o, "ended"), ended) <= 0);
	assert_true(strcmp(ended, text_in(o, "time")) <= 0);
	json_decref(all);
}

/* A call that is up, and its id. */
static void talk(char id[32])
{
	json_t *data, *calls;

	call_up(&bob, &alice);
	pass(100);
	data = look("/srtp-gateway:calls", 0);
	calls = json_object_get(json_object_get(data, "calls"), "call");
	snprintf(id, 32, "%s", text_in(json_array_get(calls, 0), "id"));
	json_decref(data);
}

/* The call has ended. When that was; what is written afterwards is of another time. */
static void note_end(char now[CLOCK_TEXT_MAX])
{
	uint64_t then = clock_wall_ms();

	clock_text(then, now);
	while (clock_wall_ms() == then)
		;
}

static void ask_in_vain(void)
{
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&alice, "INVITE");
}

/* It ends while the called side is silent: the call waits for the re-INVITE that he has. */
static void leave(char now[CLOCK_TEXT_MAX])
{
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
	hear(&bob, "487");
	say(&bob, "ACK", "", "");
	hear(&alice, "BYE");
	pass(100);
	lose_all();
	note_end(now);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(n_sessions(), 0);
}

static void end(char now[CLOCK_TEXT_MAX])
{
	ask_in_vain();
	leave(now);
}

#define CALLS 5
#define MANY 130 /* more than are written at once */

/* Several end like that. */
static void calls_end(unsigned n)
{
	static struct phone from[MANY], to[MANY];

	calls_up(from, to, n);
	pass(100);
	for (unsigned i = 0; i < n; i++) {
		say(&from[i], "INVITE", "", "");
		say(&from[i], "BYE", "", "");
		lose_all();
		phone_forget(&from[i]);
		phone_forget(&to[i]);
	}
	pass(100);
	lose_all();
	assert_int_equal(b2bua_call_count(bench.b2bua), n);
	assert_int_equal(n_sessions(), 0);
}

static void nothing_is_left(void)
{
	expect_no_calls();
	pass(2000);
	silence(NULL); /* nobody is asked whether he has it still */
	assert_int_equal(bench.live, 0);
	assert_int_equal(bench_ports_used(), 0);
	assert_int_equal(counter("recovered"), 0);
}

static void test_before_the_record(void **state)
{
	char id[32], ended[CLOCK_TEXT_MAX];

	(void)state;
	talk(id);
	end(ended);
	bench_freeze();
	bench_kill();
	assert_recorded(id, 200, "the calling side hung up", ended);
	nothing_is_left();
	/* The next process finds nothing any more, nor would one after a kill a moment later. */
	bench_freeze();
	bench_kill();
	assert_recorded(id, 200, "the calling side hung up", ended);
	nothing_is_left();
}

static void test_between_the_record_and_its_note(void **state)
{
	char id[32], ended[CLOCK_TEXT_MAX];

	(void)state;
	talk(id);
	end(ended);
	bench_freeze();
	pass(40000); /* nobody has answered: it waits no more */
	assert_int_equal(b2bua_call_count(bench.b2bua), 0);
	lose_all();
	assert_recorded(id, 200, "the calling side hung up", ended);
	bench_kill();
	assert_recorded(id, 200, "the calling side hung up", ended);
	nothing_is_left();
	bench_freeze();
	bench_kill();
	assert_int_equal(n_sessions(), 1);
}

static union dp_msg question;

static void note_question(const union dp_msg *c)
{
	if (c->h.type == DP_STATS)
		question = *c;
}

static void plane_answers(void)
{
	union dp_msg m;

	bench.plane.mute = false;
	bench.plane.stats(&question);
	dp_msg_init(&m, DP_ACK, question.h.seq);
	m.ack.of_type = DP_STATS;
	fake_plane_say(&bench.plane, &m);
	settle();
}

static json_int_t packets_of(unsigned side)
{
	json_t *all = audit_read("session");
	const json_t *leg = json_array_get(json_object_get(json_array_get(all, 0), "legs"), side);
	json_int_t n = json_integer_value(json_object_get(leg, "rx-packets"));

	json_decref(all);
	return n;
}

/* Everybody has answered but the data plane, which is asked what it counted. */
static void test_before_the_data_plane_has_answered(void **state)
{
	char id[32], ended[CLOCK_TEXT_MAX];

	(void)state;
	talk(id);
	bench.plane.mute = true;
	hang_up(&bob, &alice);
	pass(100);
	note_end(ended);
	assert_int_equal(n_sessions(), 0);
	bench_freeze();
	bench.plane.mute = false;
	bench_kill();
	assert_recorded(id, 200, "the calling side hung up", ended);
	nothing_is_left();
}

/* What it answered is kept. */
static void test_when_the_data_plane_has_answered(void **state)
{
	char ended[CLOCK_TEXT_MAX];

	(void)state;
	call_up(&bob, &alice); /* nobody has asked for its packets so far */
	ask_in_vain();
	bench.plane.saw = note_question;
	bench.plane.mute = true;
	leave(ended);
	plane_answers();
	pass(100);
	bench_freeze();
	bench_kill();
	assert_int_equal(n_sessions(), 1);
	assert_int_equal(packets_of(0), 100);
	assert_int_equal(packets_of(1), 101);
	nothing_is_left();
}

/* Neither is one taken over that the journal has as it stood, and the audit as it ended. */
static void test_a_call_that_stood_when_it_was_written_last(void **state)
{
	char id[32];

	(void)state;
	talk(id);
	bench_freeze();
	hang_up(&bob, &alice);
	assert_int_equal(n_sessions(), 1);
	bench_kill();
	assert_int_equal(n_sessions(), 1);
	nothing_is_left();
}

/* Of many, none is recorded again, even if the next process is killed as soon as it has read them. */
static void test_many(void **state)
{
	(void)state;
	calls_end(MANY);
	bench_freeze();
	bench_kill();
	assert_int_equal(n_sessions(), MANY);
	bench_freeze();
	bench_kill();
	assert_int_equal(n_sessions(), MANY);
	nothing_is_left();
}

/* One that never was up: who rings is told to stop, and does not answer. */
static void test_a_call_that_was_never_answered(void **state)
{
	json_t *all;

	(void)state;
	dial(&bob, number_of(&alice), "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	say(&bob, "CANCEL", "", "");
	hear(&bob, "200");
	hear(&bob, "487");
	say(&bob, "ACK", "", "");
	hear(&alice, "CANCEL");
	pass(100);
	lose_all();
	assert_int_equal(n_sessions(), 0);
	bench_freeze();
	bench_kill();
	all = audit_read("session");
	assert_int_equal(json_array_size(all), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "status")), 487);
	assert_null(json_object_get(json_array_get(all, 0), "answered"));
	json_decref(all);
	nothing_is_left();
}

/* Its packets were counted before it was killed: they are in the record as they would have been. */
static void test_what_the_record_says(void **state)
{
	static const char *const members[] = {
		"from", "to", "began", "answered", "ended", "status", "reason", "legs", "predecessors"};
	char id[32], ended[CLOCK_TEXT_MAX];
	json_t *late, *usual;

	(void)state;
	talk(id);
	end(ended);
	bench_freeze();
	pass(40000);
	lose_all();
	usual = audit_read("session");
	audit_end(audit); /* as if it had not come to that */
	audit = audit_begin();
	bench_kill();
	late = audit_read("session");
	assert_int_equal(json_array_size(late), 1);
	for (unsigned i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *a = json_object_get(json_array_get(late, 0), members[i]);
		const json_t *b = json_object_get(json_array_get(usual, 0), members[i]);

		if (!json_equal(a, b) && (a || b))
			fail_msg("%s differs", members[i]);
	}
	json_decref(late);
	json_decref(usual);
}

/* Nobody keeps an audit any more: what is left of it goes. */
static void test_without_an_audit(void **state)
{
	char id[32], ended[CLOCK_TEXT_MAX];

	(void)state;
	talk(id);
	end(ended);
	bench_freeze();
	bench.audit = NULL;
	bench_kill();
	nothing_is_left();
	bench.audit = audit;
	bench_freeze();
	bench_kill();
	assert_int_equal(n_sessions(), 0);
}

/* It stops in order, while calls still wait: a record of each, now and not once more at the start. */
static void test_an_orderly_end(void **state)
{
	(void)state;
	calls_end(CALLS);
	bench_crash(false);
	assert_int_equal(n_sessions(), CALLS);
	nothing_is_left();
}

/* Those that cannot be taken over have ended, and that is why. */
static void test_calls_that_cannot_be_taken_over(void **state)
{
	static struct phone from[CALLS], to[CALLS];
	const char *reason;
	json_t *all;

	(void)state;
	calls_up(from, to, CALLS);
	pass(100);
	for (unsigned i = 0; i < CALLS; i++) {
		phone_forget(&from[i]);
		phone_forget(&to[i]);
	}
	bench_freeze();
	bench_change_all((const struct bench_edit[]){{"\"name\":\"carrier-a\"", "\"name\":\"carrier-x\""},
				 {"\"to-trunk\":[\"carrier-a\"]", "\"to-trunk\":[\"carrier-x\"]"},
				 {"\"drained\",\"carrier-a\"", "\"drained\",\"carrier-x\""}},
		3);
	bench_kill();
	bench_freeze();
	bench_kill(); /* at once */
	all = audit_read("session");
	assert_int_equal(json_array_size(all), CALLS);
	reason = text_in(json_array_get(all, 0), "reason");
	assert_string_equal(reason,
		"could not be taken over after a restart: its trunk carrier-a is not configured any more");
	text_in(json_array_get(all, 0), "ended");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "status")), 503);
	json_decref(all);
	nothing_is_left();
}

/* Nor does one that goes on end for the audit, when the process does. */
static void test_a_call_that_goes_on(void **state)
{
	(void)state;
	call_up(&bob, &alice);
	bench_crash(false);
	assert_int_equal(n_sessions(), 0);
	hang_up(&bob, &alice);
	assert_int_equal(n_sessions(), 1);
}

static void write_damaged(const char *text)
{
	static char octets[SAVED_CALL_MAX];
	struct wbuf w = wbuf_make(octets, sizeof octets);
	char path[100];
	struct journal *j;
	struct err e = {0};

	saved_call_write(&(struct saved_call){.record = str_z(text)}, &w);
	snprintf(path, sizeof path, "%s/frozen", bench.folder);
	assert_int_equal(journal_open(path, &j, &e), 0);
	assert_int_equal(journal_put(j, 7, w.p, w.len), 0);
	assert_int_equal(journal_flush(j), 0);
	journal_free(j);
}

/* What is none comes into no audit. */
static void test_what_is_no_record(void **state)
{
	static const char *const texts[] = {"{", "[]", "{\"type\":\"checkpoint\",\"call\":\"00000007\"}",
		"{\"type\":7}", "\"type\":\"session\"", "{\"type\":\"session\"}{\"type\":\"session\"}"};

	(void)state;
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		bench_freeze();
		write_damaged(texts[i]);
		bench_kill();
		expect_no_calls();
		assert_int_equal(n_sessions(), 0);
	}
	bench_freeze();
	write_damaged("{\"type\":\"session\",\"call\":\"00000007\"}");
	bench_kill();
	assert_int_equal(n_sessions(), 1);
}

#define K(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		K(test_before_the_record),
		K(test_between_the_record_and_its_note),
		K(test_before_the_data_plane_has_answered),
		K(test_when_the_data_plane_has_answered),
		K(test_a_call_that_stood_when_it_was_written_last),
		K(test_many),
		K(test_a_call_that_was_never_answered),
		K(test_what_the_record_says),
		K(test_without_an_audit),
		K(test_an_orderly_end),
		K(test_calls_that_cannot_be_taken_over),
		K(test_a_call_that_goes_on),
		K(test_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
