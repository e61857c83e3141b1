/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept beside what runs: history, file, candidate and startup; who holds them, how they differ. */
#include "tests/unit/engine_bench.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libyang/libyang.h>

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
		assert_int_equal(bench_commit_as(b, b->root, &(struct engine_commit){.comment = calls}), 0);
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

	assert_int_equal(engine_rollback(b->root, 6, &(struct engine_commit){.comment = "back"}, &made, &b->fault), 0);
	assert_int_equal(made, 26);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 105);
	assert_true(bench_file_has(b, "\"max-calls\": 105"));
	assert_int_equal(engine_rollback(b->root, 26, &(struct engine_commit){0}, &made, &b->fault), 0);
	assert_int_equal(made, 0);
	assert_int_equal(engine_rollback(b->root, 3, &(struct engine_commit){0}, &made, &b->fault), -1);
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
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_true(engine_history(b->engine, rows) >= 2);
	assert_int_equal(engine_rollback(b->root, 1, &(struct engine_commit){0}, &made, &b->fault), -1);
	assert_string_equal(b->fault.tag, "operation-failed");
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(engine_commit(b->root, &(struct engine_commit){0}, &made, &b->fault), 0);
	assert_true(made > 9); /* a number is never used again */
}

/* Of two files that say that they are the same commit, one is a copy: it is not taken for what was committed.
 */
static void a_commit_is_that_of_its_files_name(void **state)
{
	struct engine_bench *b = *state;
	struct engine_history rows[ENGINE_HISTORY];
	char command[400];

	assert_int_equal(bench_set(b, b->root, A_CALLS, "77"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(engine_history(b->engine, rows), 2);
	snprintf(command, sizeof command, "cp '%s.d/0000000001.commit' '%s.d/0000000007.commit'", b->path,
		b->path);
	assert_int_equal(system(command), 0);
	bench_crash(b);
	bench_start(b);
	assert_int_equal(engine_history(b->engine, rows), 2);
	assert_true(rows[0].commit == 2 && rows[1].commit == 1);
	assert_int_equal(bench_set(b, b->root, A_CALLS, "78"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_int_equal(rows[0].commit, 8);
}

static void the_file_is_read_again(void **state)
{
	struct engine_bench *b = *state;
	char *good = bench_file(b), *changed = strdup(good), *at = strstr(changed, "10,\"srtp\"");
	struct engine_history rows[ENGINE_HISTORY];
	uint64_t made;

	assert_non_null(at);
	memcpy(at, "42", 2);
	bench_write_file(b, changed);
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 42);
	assert_int_equal(engine_history(b->engine, rows), 2);
	assert_string_equal(rows[0].door, "file");
	assert_true(b->reread);
	/* What an operator wrote is left as it is, comments and all. */
	assert_true(bench_file_has(b, "// the laboratory"));
	/* The same again: the gateway looks at its files again, and the history says nothing. */
	assert_int_equal(engine_reload(b->engine, b->root, &made, &b->fault), 0);
	assert_int_equal(made, 0);
	assert_int_equal(b->committed, 3);
	assert_int_equal(engine_history(b->engine, rows), 2);
	/* Whoever asked for it stands in the history. */
	memcpy(at, "43", 2);
	bench_write_file(b, changed);
	assert_int_equal(engine_reload(b->engine, b->root, &made, &b->fault), 0);
	assert_int_equal(engine_history(b->engine, rows), 3);
	assert_int_equal(made, rows[0].commit);
	assert_string_equal(rows[0].door, engine_session_door(b->root));
	assert_string_equal(rows[0].user, "root");
	memcpy(at, "-1", 2);
	bench_write_file(b, changed);
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), -1);
	assert_string_equal(b->fault.path, A_CALLS);
	assert_non_null(strstr(b->fault.message, "config.json:2: "));
	assert_int_equal(bench_trunk(b, "a")->max_calls, 43);
	unlink(b->path);
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), -1);
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
	bool files;
	char *text;

	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_int_equal(engine_copy(s, ENGINE_CANDIDATE, ENGINE_STARTUP, &b->fault), 0);
	assert_true(bench_file_has(b, "\"max-calls\": 77"));
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_CANDIDATE, &b->fault), 0);
	assert_non_null(strstr(bench_get(b, s, ENGINE_CANDIDATE, A_CALLS), "10"));
	assert_int_equal(engine_copy(s, ENGINE_STARTUP, ENGINE_RUNNING, &b->fault), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 77);
	assert_int_equal(engine_copy_text(s, str_z(wrong), ENGINE_JSON, ENGINE_STARTUP, &b->fault), -1);
	assert_string_equal(b->fault.tag, "data-missing");
	assert_int_equal(engine_copy_text(s, str_z(wrong), ENGINE_JSON, ENGINE_RUNNING, &b->fault), -1);
	assert_int_equal(engine_validate_text(s, str_z(wrong), ENGINE_JSON, NULL, &files, &b->fault), -1);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_RUNNING, &b->fault), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(engine_delete(s, ENGINE_RUNNING, &b->fault), -1);
	assert_int_equal(engine_delete(s, ENGINE_STARTUP, &b->fault), 0);
	assert_int_equal(access(b->path, F_OK), -1);
	assert_int_equal(engine_delete(s, ENGINE_STARTUP, &b->fault), -1);
	assert_string_equal(b->fault.tag, "data-missing");
	assert_int_equal(engine_validate(s, ENGINE_STARTUP, NULL, &b->fault), -1);
	assert_int_equal(engine_copy(s, ENGINE_RUNNING, ENGINE_STARTUP, &b->fault), 0);
	text = bench_file(b);
	assert_int_equal(engine_validate_text(s, str_z(text), ENGINE_JSON, NULL, &files, &b->fault), 0);
	assert_true(files);
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
	assert_int_equal(engine_reload(b->engine, NULL, NULL, &b->fault), -1);
	assert_int_equal(b->fault.session, engine_session_id(s));
	assert_int_equal(engine_reload(b->engine, b->root, NULL, &b->fault), -1);
	assert_string_equal(b->fault.tag, "in-use");
	assert_int_equal(engine_reload(b->engine, s, NULL, &b->fault), 0);
	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	/* What was changed under the lock goes with it. */
	engine_session_close(s);
	assert_int_equal(engine_lock_holder(b->engine, ENGINE_CANDIDATE), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_int_equal(bench_trunk(b, "a")->max_calls, 10);
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_last_twenty_commits_can_be_had_again),
		TEST(a_history_that_is_spoilt_is_survived),
		TEST(a_commit_is_that_of_its_files_name),
		TEST(the_file_is_read_again),
		TEST(a_start_on_a_mistake_names_it),
		TEST(datastores_are_copied_and_deleted),
		TEST(locks_keep_others_out_and_die_with_their_session),
		TEST(a_session_is_killed_by_another),
		TEST(differences_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
