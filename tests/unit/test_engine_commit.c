/* SPDX-License-Identifier: Apache-2.0 */
/* From the candidate to what runs and to the file, and back: commit, confirmed commit, history, reload. */
#include "tests/unit/engine_bench.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libyang/libyang.h>

#define A_CALLS "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls"
#define B_CALLS "/srtp-gateway:gateway/trunks/trunk[name='b']/max-calls"

static int setup(void **state)
{
	*state = bench_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	bench_free(*state);
	return 0;
}

static bool file_has(const struct engine_bench *b, const char *words)
{
	char *text = bench_file(b);
	bool has = strstr(text, words);

	free(text);
	return has;
}

static const struct config_trunk *trunk(const struct engine_bench *b, const char *name)
{
	return config_trunk_named(b->runs, name);
}

static int commit_as(struct engine_bench *b, struct engine_session *s, const struct engine_commit *c)
{
	uint64_t made;

	return engine_commit(s, c, &made, &b->fault);
}

static const struct engine_commit confirmed = {.confirmed = true, .timeout_s = 3600};

static void a_commit_reaches_the_gateway_and_the_file(void **state)
{
	struct engine_bench *b = *state;
	struct stat st;
	uint64_t made;

	assert_int_equal(chmod(b->path, 0640), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_int_equal(
		engine_commit(b->root, &(struct engine_commit){.comment = "more calls"}, &made, &b->fault),
		0);
	assert_int_equal(made, 2);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_true(file_has(b, "\"max-calls\": 77"));
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
	assert_int_equal(trunk(b, "a")->max_calls, 77);
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
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_string_equal(bench_running(b, A_CALLS), "10");
	after = bench_file(b);
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* The candidate is kept, to be put right. */
	b->refuse = NULL;
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
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
	assert_int_equal(trunk(b, "a")->max_calls, 10);
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
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_true(file_has(b, "\"max-calls\": 77"));
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
		assert_in_range(trunk(b, "a")->max_calls, n, n + 1);
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
	assert_int_equal(commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_true(engine_confirm_by(b->engine) > 3000);
	/* Until then the file says what was. */
	assert_false(file_has(b, "77"));
	assert_int_equal(commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_set(b, b->root, B_CALLS, "5"), 0);
	assert_int_equal(commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_true(file_has(b, "\"max-calls\": 77"));
	assert_true(file_has(b, "\"max-calls\": 5"));
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_string_equal(b->confirm, "start,extend,extend,complete,");
	struct engine_history rows[ENGINE_HISTORY];

	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_true(rows[0].confirmed);
}

/* The candidate is everybody's: what others began meanwhile is not confirmed along with it. */
static void a_confirmation_alone_leaves_the_candidate(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *other = engine_session_open(b->engine, 0, "cli", "");
	struct engine_commit c = confirmed, confirm = {.persist_id = "tok", .confirm_only = true};

	c.persist = "tok";
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(commit_as(b, b->root, &c), 0);
	assert_int_equal(bench_set(b, other, A_CALLS, "78"), 0);
	assert_int_equal(commit_as(b, b->root, &confirm), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_true(file_has(b, "\"max-calls\": 77"));
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_non_null(strstr(bench_get(b, b->root, ENGINE_CANDIDATE, A_CALLS), "78"));
	confirm.confirmed = true;
	confirm.persist_id = NULL;
	assert_int_equal(commit_as(b, b->root, &confirm), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	engine_session_close(other);
}

static void what_is_not_confirmed_is_rolled_back(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(
		commit_as(b, b->root, &(struct engine_commit){.confirmed = true, .timeout_s = 1}), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	bench_until(b, trunk(b, "a")->max_calls == 10);
	assert_string_equal(bench_running(b, A_CALLS), "10");
	assert_string_equal(b->confirm, "start,timeout,");
	/* Several confirmed commits go back to before the first. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "79"), 0);
	assert_int_equal(commit_as(b, b->root, &confirmed), 0);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), -1);
	assert_fault(b, "operation-failed", "", "no confirmed commit");
}

static void a_session_ends_and_takes_its_confirmed_commit_along(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "192.0.2.1");

	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(commit_as(b, s, &confirmed), 0);
	/* Nobody else may end it, or change what runs in the meantime. */
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "in-use", "", "only its session");
	assert_int_equal(b->fault.session, engine_session_id(s));
	assert_int_equal(engine_cancel(b->root, NULL, &b->fault), -1);
	assert_int_equal(engine_lock(b->root, ENGINE_RUNNING, &b->fault), -1);
	assert_string_equal(b->fault.tag, "lock-denied");
	assert_int_equal(engine_reload(b->engine, &b->fault), -1);
	engine_session_close(s);
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_string_equal(b->confirm, "start,cancel,");
}

static void a_persistent_one_outlives_its_session(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "");
	struct engine_commit c = confirmed, confirm = {.persist_id = "tok"};

	c.persist = "tok";
	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(commit_as(b, s, &c), 0);
	engine_session_close(s);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(commit_as(b, b->root, &(struct engine_commit){.persist_id = "other"}), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(engine_cancel(b->root, "other", &b->fault), -1);
	assert_int_equal(commit_as(b, b->root, &confirm), 0);
	assert_true(file_has(b, "\"max-calls\": 77"));
	assert_int_equal(commit_as(b, b->root, &confirm), -1);
	assert_fault(b, "invalid-value", "", "no confirmed commit");
}

static void a_restart_in_the_middle_rolls_back(void **state)
{
	struct engine_bench *b = *state;
	struct engine_history rows[ENGINE_HISTORY];
	struct engine_commit c = confirmed;

	c.persist = "tok";
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(commit_as(b, b->root, &c), 0);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_confirm_by(b->engine), 0);
	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_string_equal(rows[0].comment, "commit 2 was not confirmed before the restart");
	assert_false(rows[1].confirmed);
	/* It is said once. */
	bench_crash(b);
	bench_start(b);
	assert_int_equal(engine_history(b->engine, rows), 3);
}

static void the_last_twenty_commits_can_be_had_again(void **state)
{
	struct engine_bench *b = *state;
	struct engine_history rows[ENGINE_HISTORY];
	char calls[16], folder[128];
	struct lyd_node *tree;
	struct stat st;
	uint64_t made;
	unsigned files = 0;

	for (unsigned i = 1; i <= 24; i++) {
		snprintf(calls, sizeof calls, "%u", 100 + i);
		assert_int_equal(bench_set(b, b->root, A_CALLS, calls), 0);
		assert_int_equal(commit_as(b, b->root, &(struct engine_commit){.comment = calls}), 0);
	}
	for (unsigned pass = 0; pass < 2; pass++) {
		assert_int_equal(engine_history(b->engine, rows), ENGINE_HISTORY);
		assert_int_equal(rows[0].commit, 25);
		assert_string_equal(rows[0].comment, "124");
		assert_string_equal(rows[0].door, "cli");
		assert_string_equal(rows[0].user, engine_session_user(b->root));
		assert_true(rows[0].confirmed);
		assert_int_equal(rows[19].commit, 6);
		/* The same after a restart. */
		bench_crash(b);
		bench_start(b);
	}
	snprintf(folder, sizeof folder, "%s.d", b->path);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	DIR *d = opendir(folder);

	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		files++;
		assert_int_equal(fstatat(dirfd(d), e->d_name, &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	closedir(d);
	assert_int_equal(files, ENGINE_HISTORY);

	assert_int_equal(engine_rollback(b->root, 6, "back", &made, &b->fault), 0);
	assert_int_equal(made, 26);
	assert_int_equal(trunk(b, "a")->max_calls, 105);
	assert_true(file_has(b, "\"max-calls\": 105"));
	assert_int_equal(engine_rollback(b->root, 26, NULL, &made, &b->fault), 0);
	assert_int_equal(made, 0);
	assert_int_equal(engine_rollback(b->root, 3, NULL, &made, &b->fault), -1);
	assert_fault(b, "data-missing", "", "no commit 3");
	assert_int_equal(engine_history_tree(b->engine, 25, &tree, &b->fault), 0);
	lyd_free_all(tree);
}

static void a_history_that_is_spoilt_is_survived(void **state)
{
	struct engine_bench *b = *state;
	struct engine_history rows[ENGINE_HISTORY];
	char path[160];
	uint64_t made;
	FILE *f;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	snprintf(path, sizeof path, "%s.d/0000000001.commit", b->path);
	f = fopen(path, "w");
	fputs("{\"commit\":1,\"user\":\"root\",\"door\":\"file\",\"time\":1,\"confirmed\":true}\n{\"srtp-gat",
		f);
	fclose(f);
	snprintf(path, sizeof path, "%s.d/0000000009.commit", b->path);
	f = fopen(path, "w");
	fputs("\xff garbage", f);
	fclose(f);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_true(engine_history(b->engine, rows) >= 2);
	assert_int_equal(engine_rollback(b->root, 1, NULL, &made, &b->fault), -1);
	assert_string_equal(b->fault.tag, "operation-failed");
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(engine_commit(b->root, &(struct engine_commit){0}, &made, &b->fault), 0);
	assert_true(made > 9); /* a number is never used again */
}

static void the_file_is_read_again(void **state)
{
	struct engine_bench *b = *state;
	char *good = bench_file(b), *changed = strdup(good), *at = strstr(changed, "10,\"srtp\"");
	struct engine_history rows[ENGINE_HISTORY];

	assert_non_null(at);
	memcpy(at, "42", 2);
	bench_write_file(b, changed);
	assert_int_equal(engine_reload(b->engine, &b->fault), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 42);
	assert_int_equal(engine_history(b->engine, rows), 2);
	assert_string_equal(rows[0].door, "file");
	/* What an operator wrote is left as it is, comments and all. */
	assert_true(file_has(b, "// the laboratory"));
	/* The same again: the gateway looks at its files again, and the history says nothing. */
	assert_int_equal(engine_reload(b->engine, &b->fault), 0);
	assert_int_equal(b->committed, 3);
	assert_int_equal(engine_history(b->engine, rows), 2);
	memcpy(at, "-1", 2);
	bench_write_file(b, changed);
	assert_int_equal(engine_reload(b->engine, &b->fault), -1);
	assert_string_equal(b->fault.path, A_CALLS);
	assert_non_null(strstr(b->fault.message, "config.json:2: "));
	assert_int_equal(trunk(b, "a")->max_calls, 42);
	unlink(b->path);
	assert_int_equal(engine_reload(b->engine, &b->fault), -1);
	assert_non_null(strstr(b->fault.message, "cannot be opened"));
	free(good);
	free(changed);
}

static void a_start_on_a_mistake_names_it(void **state)
{
	struct engine_bench *b = *state;
	struct err e = {0};

	bench_crash(b);
	bench_write_file(b, "{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":-1}}}");
	assert_true(bench_start_fails(b, &e) < 0);
	assert_non_null(strstr(e.text, "config.json:1: /srtp-gateway:gateway/limits/max-calls: "));
	assert_null(b->engine);
}

static void datastores_are_copied_and_deleted(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = b->root;
	static const char wrong[] =
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"x\",\"realm\":\"y\"}]}}}";
	char *text;

	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(engine_copy(s, ENGINE_CANDIDATE, ENGINE_STARTUP, &b->fault), 0);
	assert_true(file_has(b, "\"max-calls\": 77"));
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_CANDIDATE, &b->fault), 0);
	assert_non_null(strstr(bench_get(b, s, ENGINE_CANDIDATE, A_CALLS), "10"));
	assert_int_equal(engine_copy(s, ENGINE_STARTUP, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 77);
	assert_int_equal(engine_copy_text(s, str_z(wrong), ENGINE_JSON, ENGINE_STARTUP, &b->fault), -1);
	assert_string_equal(b->fault.tag, "data-missing");
	assert_int_equal(engine_copy_text(s, str_z(wrong), ENGINE_JSON, ENGINE_RUNNING, &b->fault), -1);
	assert_int_equal(engine_validate_text(s, str_z(wrong), ENGINE_JSON, &b->fault), -1);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_RUNNING, &b->fault), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(engine_delete(s, ENGINE_RUNNING, &b->fault), -1);
	assert_int_equal(engine_delete(s, ENGINE_STARTUP, &b->fault), 0);
	assert_int_equal(access(b->path, F_OK), -1);
	assert_int_equal(engine_delete(s, ENGINE_STARTUP, &b->fault), -1);
	assert_string_equal(b->fault.tag, "data-missing");
	assert_int_equal(engine_validate(s, ENGINE_STARTUP, &b->fault), -1);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_STARTUP, &b->fault), 0);
	text = bench_file(b);
	assert_int_equal(engine_validate_text(s, str_z(text), ENGINE_JSON, &b->fault), 0);
	free(text);
}

static void locks_keep_others_out_and_die_with_their_session(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "");

	assert_int_equal(engine_lock(s, ENGINE_CANDIDATE, &b->fault), 0);
	assert_int_equal(engine_lock(s, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(engine_lock(b->root, ENGINE_CANDIDATE, &b->fault), -1);
	assert_string_equal(b->fault.tag, "lock-denied");
	assert_int_equal(b->fault.session, engine_session_id(s));
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), -1);
	assert_fault(b, "in-use", "", "has locked candidate");
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_int_equal(engine_discard(b->root, &b->fault), -1);
	assert_int_equal(engine_unlock(b->root, ENGINE_CANDIDATE, &b->fault), -1);
	assert_int_equal(engine_reload(b->engine, &b->fault), -1);
	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	/* What was changed under the lock goes with it. */
	engine_session_close(s);
	assert_int_equal(engine_lock_holder(b->engine, ENGINE_CANDIDATE), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(trunk(b, "a")->max_calls, 10);
	/* A candidate with changes is nobody's to lock. */
	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(engine_lock(b->root, ENGINE_CANDIDATE, &b->fault), -1);
	assert_string_equal(b->fault.tag, "lock-denied");
	assert_int_equal(b->fault.session, 0);
}

static void a_session_is_killed_by_another(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = engine_session_open(b->engine, 0, "netconf", "");

	assert_int_equal(engine_kill(b->root, engine_session_id(b->root), &b->fault), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(engine_kill(b->root, 99, &b->fault), -1);
	assert_int_equal(engine_kill(b->root, engine_session_id(s), &b->fault), 0);
	assert_ptr_equal(b->killed, s);
	engine_session_close(s);
}

static void differences_are_listed(void **state)
{
	struct engine_bench *b = *state;
	struct engine_change *c;
	unsigned n;

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_set(b, b->root, "/srtp-gateway:gateway/trunks/trunk[name='b']", NULL), 0);
	assert_int_equal(bench_set(b, b->root, "/srtp-gateway:gateway/limits/max-calls", "9"), 0);
	assert_int_equal(
		bench_set(b, b->root, "/srtp-gateway:gateway/trunks/trunk[name='a']/admin-state", "up"), 0);
	assert_int_equal(engine_diff(engine_tree(b->engine, ENGINE_RUNNING),
				 engine_tree(b->engine, ENGINE_CANDIDATE), &c, &n),
		0);
	assert_true(n >= 3);
	unsigned seen = 0;

	for (unsigned i = 0; i < n; i++) {
		if (strcmp(c[i].path, A_CALLS) == 0) {
			assert_string_equal(c[i].operation, "replace");
			assert_string_equal(c[i].before, "10");
			assert_string_equal(c[i].after, "77");
			seen |= 1;
		} else if (strcmp(c[i].path, "/srtp-gateway:gateway/trunks/trunk[name='b']") == 0) {
			assert_string_equal(c[i].operation, "delete");
			seen |= 2;
		} else if (strcmp(c[i].path, "/srtp-gateway:gateway/limits/max-calls") == 0) {
			assert_string_equal(c[i].after, "9");
			seen |= 4;
		}
		/* A default that is now said is news; those that went with trunk b are not. */
		if (strstr(c[i].path, "admin-state")) {
			assert_string_equal(
				c[i].path, "/srtp-gateway:gateway/trunks/trunk[name='a']/admin-state");
			assert_string_equal(c[i].operation, "create");
			seen |= 8;
		}
	}
	assert_int_equal(seen, 15);
	engine_diff_free(c, n);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_commit_reaches_the_gateway_and_the_file),
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
		TEST(the_last_twenty_commits_can_be_had_again),
		TEST(a_history_that_is_spoilt_is_survived),
		TEST(the_file_is_read_again),
		TEST(a_start_on_a_mistake_names_it),
		TEST(datastores_are_copied_and_deleted),
		TEST(locks_keep_others_out_and_die_with_their_session),
		TEST(a_session_is_killed_by_another),
		TEST(differences_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
