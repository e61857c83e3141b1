/* SPDX-License-Identifier: Apache-2.0 */
/* From the candidate to what runs and to the file, whatever fails on the way; confirmed commits. */
#include "tests/unit/engine_bench.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libyang/libyang.h>

static const struct engine_commit confirmed = {.confirmed = true, .timeout_s = 3600};

static void a_commit_reaches_the_gateway_and_the_file(void **state)
{
	struct engine_bench *b = *state;
	struct stat st;
	uint64_t made;

	assert_int_equal(chmod(b->path, 0640), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(
		engine_commit(b->root, &(struct engine_commit){.comment = "more calls"}, &made, &b->fault),
		0);
	assert_int_equal(made, 2);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* Nothing more to commit. */
	assert_int_equal(engine_commit(b->root, &(struct engine_commit){0}, &made, &b->fault), 0);
	assert_int_equal(made, 0);
	assert_int_equal(b->committed, 2);
	assert_int_equal(b->commits, 1);
	/* The file is what the next start reads. */
	bench_crash(b);
	bench_start(b);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
}

/* They may be anybody's: the candidate is one for all. */
static void a_rollback_does_not_drop_edits_of_the_candidate(void **state)
{
	struct engine_bench *b = *state;
	const struct engine_commit plain = {0}, overwrite = {.overwrite = true};
	uint64_t made;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	assert_int_equal(engine_rollback(b->root, 1, &plain, &made, &b->fault), -1);
	assert_fault(b, "in-use", "", "--overwrite");
	assert_int_equal(made, 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	/* Nor one to what runs already. */
	assert_int_equal(engine_rollback(b->root, 2, &plain, &made, &b->fault), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_non_null(strstr(bench_get(b, b->root, ENGINE_CANDIDATE, B_CALLS), "5"));
	assert_int_equal(engine_rollback(b->root, 1, &overwrite, &made, &b->fault), 0);
	assert_int_equal(made, 3);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_null(strstr(bench_get(b, b->root, ENGINE_CANDIDATE, B_CALLS), "5"));
	/* What was edited and put back is no edit. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "10"), 0);
	assert_int_equal(engine_rollback(b->root, 2, &plain, &made, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
}

static void what_the_gateway_refuses_changes_nothing(void **state)
{
	struct engine_bench *b = *state;
	char *before = bench_file(b), *after;

	b->refuse = "/srtp-gateway:gateway/sip/listener[name='udp']/port: in use by another program";
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "operation-failed", "/srtp-gateway:gateway/sip/listener[name='udp']/port",
		"in use by another program");
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_string_equal(bench_running(b, A_CALLS), "10");
	after = bench_file(b);
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* The candidate is kept, to be put right. */
	b->refuse = NULL;
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
}

/* A folder in the file's place stands for a disk that is full: the rename fails, for root too. */
static void a_file_that_cannot_be_written_undoes_what_was_prepared(void **state)
{
	struct engine_bench *b = *state;
	char blocked[128];

	snprintf(blocked, sizeof blocked, "%s.tmp", b->path);
	assert_int_equal(mkdir(blocked, 0700), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "operation-failed");
	assert_non_null(strstr(b->fault.message, "config.json.tmp"));
	assert_int_equal(b->abandoned, 1);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(rmdir(blocked), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
}

/* What a power cut in the middle of a write leaves: half a text under the temporary name. */
static void half_a_file_is_never_read(void **state)
{
	struct engine_bench *b = *state;
	char temporary[128];
	FILE *f;

	snprintf(temporary, sizeof temporary, "%s.tmp", b->path);
	f = fopen(temporary, "w");
	assert_non_null(f);
	fputs("{\"srtp-gateway:gateway\":{\"trunks\":", f);
	fclose(f);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
}

/* Readers see the old text or the new: the file's inode changes, its content never does. */
static void a_file_is_replaced_not_rewritten(void **state)
{
	struct engine_bench *b = *state;
	char *before = bench_file(b), *again = calloc(1, 65536);
	FILE *old = fopen(b->path, "r");

	assert_non_null(old);
	assert_non_null(again);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_true(fread(again, 1, 65535, old) > 0);
	assert_string_equal(again, before);
	fclose(old);
	free(before);
	free(again);
}

/* Commits as fast as it can until it is killed, and tells each one. */
static void commit_for_ever(struct engine_bench *b, int tell)
{
	for (unsigned n = 100;; n++) {
		char calls[16];

		snprintf(calls, sizeof calls, "%u", n);
		if (bench_set(b, b->root, A_CALLS, calls) || bench_commit(b, b->root) ||
			write(tell, &n, sizeof n) != sizeof n)
			_exit(1);
	}
}

/* kill -9 wherever it hits: what was told as committed is there at the next start, or what came right after.
 */
static void a_kill_in_the_middle_leaves_a_whole_commit(void **state)
{
	struct engine_bench *b = *state;

	for (unsigned kills = 0; kills < 20; kills++) {
		struct engine_history rows[ENGINE_HISTORY];
		unsigned n = 0, seen;
		int tell[2], status;
		pid_t pid;

		assert_int_equal(pipe(tell), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			commit_for_ever(b, tell[1]);
		close(tell[1]);
		for (unsigned told = 0; told <= kills % 7; told++)
			assert_int_equal(read(tell[0], &n, sizeof n), sizeof n);
		kill(pid, SIGKILL);
		while (read(tell[0], &seen, sizeof seen) == sizeof seen)
			n = seen;
		close(tell[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		bench_crash(b);
		bench_start(b);
		assert_in_range(bench_trunk(b, "a")->max_calls, n, n + 1);
		assert_true(engine_history(b->engine, rows) > 0);
		/* The newest of the history is what runs, also when the kill came between the two. */
		struct lyd_node *newest = NULL;
		struct engine_change *c;
		unsigned changes;

		assert_int_equal(engine_history_tree(b->engine, rows[0].commit, &newest, &b->fault), 0);
		assert_int_equal(
			engine_diff(engine_tree(b->engine, ENGINE_RUNNING), newest, &c, &changes), 0);
		assert_int_equal(changes, 0);
		engine_diff_free(c, changes);
		lyd_free_all(newest);
	}
}

static void a_confirmed_commit_is_confirmed(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_true(engine_confirm_by(b->engine) > 3000);
	/* Until then the file says what was. */
	assert_false(bench_file_has(b, "77"));
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
	assert_true(bench_file_has(b, "\"max-calls\": 5"));
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_string_equal(b->confirm, "start,extend,extend,complete,");
	struct engine_history rows[ENGINE_HISTORY];

	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_true(rows[0].confirmed);
	/* And so is what it built on, also for the next start. */
	assert_true(rows[1].confirmed);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_true(rows[1].confirmed);
	/* What was undone before stays so. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "79"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(engine_history(b->engine, rows), 6);
	assert_true(rows[0].confirmed);
	assert_false(rows[2].confirmed);
}

/* The candidate is everybody's: what others began meanwhile is not confirmed along with it. */
static void a_confirmation_alone_leaves_the_candidate(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *other = engine_session_open(b->engine, 0, "cli", "");
	struct engine_commit c = confirmed, confirm = {.persist_id = "tok", .confirm_only = true};

	c.persist = "tok";
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &c), 0);
	assert_int_equal(bench_set(b, other, A_CALLS, "78"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirm), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_non_null(strstr(bench_get(b, b->root, ENGINE_CANDIDATE, A_CALLS), "78"));
	confirm.confirmed = true;
	confirm.persist_id = NULL;
	assert_int_equal(bench_commit_as(b, b->root, &confirm), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	engine_session_close(other);
}

static void what_is_not_confirmed_is_rolled_back(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(
		bench_commit_as(b, b->root, &(struct engine_commit){.confirmed = true, .timeout_s = 1}), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	bench_until(b, bench_trunk(b, "a")->max_calls == 10);
	assert_string_equal(bench_running(b, A_CALLS), "10");
	assert_string_equal(b->confirm, "start,timeout,");
	/* Several confirmed commits go back to before the first. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "79"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), -1);
	assert_fault(b, "operation-failed", "", "no confirmed commit");
}

static void a_session_ends_and_takes_its_confirmed_commit_along(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "192.0.2.1");

	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, s, &confirmed), 0);
	/* Nobody else may end it, or change what runs in the meantime. */
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "in-use", "", "only its session");
	assert_int_equal(b->fault.session, engine_session_id(s));
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), -1);
	assert_int_equal(engine_lock(b->root, ENGINE_RUNNING, &b->fault), -1);
	assert_string_equal(b->fault.tag, "lock-denied");
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), -1);
	engine_session_close(s);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_string_equal(b->confirm, "start,cancel,");
}

static void a_persistent_one_outlives_its_session(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "");
	struct engine_commit c = confirmed, confirm = {.persist_id = "tok"};

	c.persist = "tok";
	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, s, &c), 0);
	engine_session_close(s);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(bench_commit_as(b, b->root, &(struct engine_commit){.persist_id = "other"}), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(engine_cancel(b->root, "other", &b->fault), -1);
	assert_int_equal(bench_commit_as(b, b->root, &confirm), 0);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
	assert_int_equal(bench_commit_as(b, b->root, &confirm), -1);
	assert_fault(b, "invalid-value", "", "no confirmed commit");
}

static void a_restart_in_the_middle_rolls_back(void **state)
{
	struct engine_bench *b = *state;
	struct engine_history rows[ENGINE_HISTORY];
	struct engine_commit c = confirmed;

	c.persist = "tok";
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit_as(b, b->root, &c), 0);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_string_equal(rows[0].comment, "commit 2 was not confirmed before the restart");
	assert_false(rows[1].confirmed);
	/* It is said once. */
	bench_crash(b);
	bench_start(b);
	assert_int_equal(engine_history(b->engine, rows), 3);
}

/* What the model's rules cannot say is refused by each door: validate, and commit. */
static void twins_are_refused_before_a_commit(void **state)
{
	struct engine_bench *b = *state;

	for (unsigned i = 0; i < 2; i++) {
		char path[128];

		snprintf(path, sizeof path, "/srtp-gateway:gateway/trunks/trunk[name='%c']/identify/source-address", "ab"[i]);
		assert_int_equal(bench_set(b, b->root, path, "192.0.2.77/32"), 0);
	}
	assert_int_equal(engine_validate(b->root, ENGINE_CANDIDATE, NULL, &b->fault), -1);
	assert_fault(b, "operation-failed",
		"/srtp-gateway:gateway/trunks/trunk[name='b']/identify/source-address",
		"'192.0.2.77/32' names the trunk 'a' too");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "operation-failed");
	assert_int_equal(b->prepared, b->committed);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_commit_reaches_the_gateway_and_the_file),
		TEST(a_rollback_does_not_drop_edits_of_the_candidate),
		TEST(what_the_gateway_refuses_changes_nothing),
		TEST(a_file_that_cannot_be_written_undoes_what_was_prepared),
		TEST(half_a_file_is_never_read),
		TEST(a_file_is_replaced_not_rewritten),
		TEST(a_kill_in_the_middle_leaves_a_whole_commit),
		TEST(a_confirmed_commit_is_confirmed),
		TEST(what_is_not_confirmed_is_rolled_back),
		TEST(a_session_ends_and_takes_its_confirmed_commit_along),
		TEST(a_persistent_one_outlives_its_session),
		TEST(a_confirmation_alone_leaves_the_candidate),
		TEST(a_restart_in_the_middle_rolls_back),
		TEST(twins_are_refused_before_a_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
