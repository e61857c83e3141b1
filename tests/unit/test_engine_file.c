/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file belongs to two: what somebody writes into it by hand is not lost in a commit. */
#include "tests/unit/engine_bench.h"

#include <stdio.h>
#include <unistd.h>

static const struct engine_commit confirmed = {.confirmed = true, .timeout_s = 3600};

/* The file with one of its limits changed, as somebody with an editor would do it. */
static void edit_by_hand(struct engine_bench *b, const char *calls)
{
	char *text = bench_file(b), *at = strstr(text, "\"max-calls\"");

	assert_non_null(at);
	at = strpbrk(at, "0123456789");
	memcpy(at, calls, 2);
	bench_write_file(b, text);
	free(text);
}

static void what_was_edited_by_hand_is_not_overwritten(void **state)
{
	struct engine_bench *b = *state;
	const struct engine_commit overwrite = {.overwrite = true};

	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	edit_by_hand(b, "42");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "in-use", "", "config.json was edited and not reloaded");
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_true(bench_file_has(b, "42"));
	assert_int_equal(b->committed, 1);
	/* What was put back is not edited. */
	edit_by_hand(b, "10");
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_true(bench_file_has(b, "\"max-calls\": 5"));
	/* Nor is what the gateway wrote itself. */
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	edit_by_hand(b, "42");
	assert_int_equal(bench_set(b, b->root, B_CALLS, "7"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &overwrite), 0);
	assert_false(bench_file_has(b, "42"));
	assert_true(bench_file_has(b, "\"max-calls\": 7"));
	/* There is nothing to be lost of a file that was deleted. */
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "8"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
}

static void a_rollback_does_not_overwrite_edits_either(void **state)
{
	struct engine_bench *b = *state;
	uint64_t made;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	edit_by_hand(b, "42");
	assert_int_equal(engine_rollback(b->root, 1, &(struct engine_commit){0}, &made, &b->fault), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(
		engine_rollback(b->root, 1, &(struct engine_commit){.overwrite = true}, &made, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	/* NETCONF's ways: the file to what runs, and what runs to the file. */
	edit_by_hand(b, "43");
	assert_int_equal(engine_copy(b->root, ENGINE_STARTUP, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 43);
	edit_by_hand(b, "44");
	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_int_equal(engine_copy(b->root, ENGINE_RUNNING, ENGINE_STARTUP, &b->fault), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
}

/* Between a confirmed commit and its confirmation, too. */
static void a_confirmation_does_not_overwrite_edits(void **state)
{
	struct engine_bench *b = *state;
	const struct engine_commit confirm = {.confirm_only = true};
	struct engine_commit c = confirmed;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &c), 0);
	edit_by_hand(b, "42");
	assert_int_equal(bench_commit_as(b, b->root, &confirm), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_true(bench_file_has(b, "42"));
	/* A rollback leaves the file as it is. */
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), 0);
	assert_true(bench_file_has(b, "42"));
	/* Who overwrote with the commit need not say it again, unless there is more. */
	c.overwrite = true;
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &c), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirm), 0);
	assert_true(bench_file_has(b, "\"max-calls\": 78"));
}

/* As another operator may, by way of NETCONF. */
static void edit_running(struct engine_bench *b, const char *calls)
{
	char text[160];

	snprintf(text, sizeof text,
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"max-calls\":%s}]}}}",
		calls);
	assert_int_equal(engine_edit(b->root, ENGINE_RUNNING, ENGINE_MERGE, ENGINE_SET, str_z(text),
				 ENGINE_JSON, &b->fault),
		0);
}

static void a_candidate_from_before_a_reload_does_not_undo_it(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	edit_by_hand(b, "42");
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "in-use", "", "after the candidate was begun (commit 2)");
	assert_int_equal(engine_discard(b->root, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 42);
	/* A reload that changed nothing makes no candidate old. */
	assert_int_equal(bench_set(b, b->root, B_CALLS, "7"), 0);
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
}

/* What a candidate's commit undid would be found by whoever made it, or by nobody. */
static void a_candidate_does_not_undo_what_others_changed(void **state)
{
	struct engine_bench *b = *state;
	const struct engine_commit overwrite = {.overwrite = true};
	char *file;
	uint64_t made;

	/* By an edit of what runs. */
	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	edit_running(b, "21");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "in-use", "", "after the candidate was begun (commit 2)");
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), -1);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
	assert_int_equal(engine_discard(b->root, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
	/* By a whole configuration in its place. */
	file = bench_file(b);
	assert_non_null(strstr(file, "\"max-calls\": 21"));
	memcpy(strstr(file, "\"max-calls\": 21"), "\"max-calls\": 23", strlen("\"max-calls\": 23"));
	assert_int_equal(bench_set(b, b->root, B_CALLS, "7"), 0);
	assert_int_equal(engine_copy_text(b->root, str_z(file), ENGINE_JSON, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_int_equal(bench_commit_as(b, b->root, &overwrite), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
	/* By the end of a confirmed commit: what was rolled back must not come again with what was edited
	 * since. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "22"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "8"), 0);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
	/* A whole configuration is nobody's edit of what the candidate was. */
	assert_int_equal(engine_copy_text(b->root, str_z(file), ENGINE_JSON, ENGINE_CANDIDATE, &b->fault), 0);
	assert_int_equal(engine_commit(b->root, &(struct engine_commit){0}, &made, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 23);
	free(file);
}

/* Running is what the candidate is: its next edits undo nothing. */
static void copy_candidate_and_edit(struct engine_bench *b, const char *calls)
{
	assert_int_equal(engine_copy(b->root, ENGINE_CANDIDATE, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, calls), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "b")->max_calls, atoi(calls));
}

static void a_candidate_that_was_copied_to_running_is_not_older(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	copy_candidate_and_edit(b, "6");
	/* What the model adds to an entry is no difference. */
	assert_int_equal(
		bench_edit(b, b->root,
			"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"c\",\"realm\":\"core\","
			"\"srtp\":{\"mode\":\"none\"}}]}}}"),
		0);
	copy_candidate_and_edit(b, "7");
	assert_non_null(bench_trunk(b, "c"));
	/* What is refused as older and then overwritten that way. */
	assert_int_equal(bench_set(b, b->root, B_CALLS, "8"), 0);
	edit_running(b, "21");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "in-use");
	copy_candidate_and_edit(b, "9");
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	/* There is nothing to overwrite: the candidate was edited to be what runs. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "11"), 0);
	edit_running(b, "21");
	assert_int_equal(bench_set(b, b->root, A_CALLS, "21"), 0);
	copy_candidate_and_edit(b, "12");
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
}

/* Who took back what it edited has nothing to lose. */
static void a_candidate_without_edits_follows_what_runs(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, NULL), 0);
	edit_running(b, "21");
	assert_non_null(strstr(bench_get(b, b->root, ENGINE_CANDIDATE, A_CALLS), "21"));
	assert_int_equal(bench_set(b, b->root, B_CALLS, "6"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 21);
	assert_int_equal(bench_trunk(b, "b")->max_calls, 6);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_edited_by_hand_is_not_overwritten),
		TEST(a_rollback_does_not_overwrite_edits_either),
		TEST(a_confirmation_does_not_overwrite_edits),
		TEST(a_candidate_from_before_a_reload_does_not_undo_it),
		TEST(a_candidate_does_not_undo_what_others_changed),
		TEST(a_candidate_that_was_copied_to_running_is_not_older),
		TEST(a_candidate_without_edits_follows_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
