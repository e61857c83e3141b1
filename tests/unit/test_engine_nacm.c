/* SPDX-License-Identifier: Apache-2.0 */
/* Access control (RFC 8341): rules, defaults, groups, commits, operations. */
#include "tests/unit/nacm_scene.h"

#include <stdio.h>

/* RFC 8341 2.5: everything may be read and called, nothing written, and the rules themselves are not shown.
 */
static void without_rules_the_defaults_hold(void **state)
{
	struct scene c = scene(NULL);

	(void)state;
	assert_true(scene_sees(c, A_CALLS));
	assert_false(scene_may_set(c, A_CALLS, "11"));
	assert_fault(c.b, "access-denied", A_CALLS, "'4242' may not change this");
	assert_false(scene_may_set(c, A_CALLS, NULL));
	assert_false(scene_may_set(c, G "/trunks/trunk[name='c']/realm", "core"));
	assert_false(scene_may_set(c, "/ietf-netconf-acm:nacm/enable-nacm", "false"));
	/* Also what changes nothing but that it is said. */
	assert_false(scene_may_set(c, G "/trunks/trunk[name='a']/admin-state", "up"));
	assert_int_equal(bench_commit(c.b, c.s), 0);
	/* Two operations are refused unless a rule permits them; the model marks them so. */
	assert_int_equal(engine_kill(c.s, engine_session_id(c.b->root), &c.b->fault), -1);
	assert_string_equal(c.b->fault.tag, "access-denied");
	assert_int_equal(engine_delete(c.s, ENGINE_STARTUP, &c.b->fault), -1);
	assert_string_equal(c.b->fault.tag, "access-denied");
	assert_true(engine_may_call(c.s, "ietf-netconf", "close-session"));
	struct engine_denied denied = engine_denied(c.b->engine);

	assert_int_equal(denied.writes, 5);
	assert_int_equal(denied.operations, 2);
	scene_end(c);
}

/* Somebody else's change is refused at the commit, whoever made it. */
static void a_commit_needs_the_right_to_what_it_changes(void **state)
{
	struct scene c = scene(NULL);

	(void)state;
	assert_int_equal(bench_set(c.b, c.b->root, A_CALLS, "11"), 0);
	assert_int_equal(bench_commit(c.b, c.s), -1);
	assert_fault(c.b, "access-denied", A_CALLS, "may not change");
	assert_string_equal(bench_running(c.b, A_CALLS), "10");
	assert_int_equal(bench_commit(c.b, c.b->root), 0);
	uint64_t made;

	assert_int_equal(engine_rollback(c.s, 1, &(struct engine_commit){0}, &made, &c.b->fault), -1);
	assert_string_equal(c.b->fault.tag, "access-denied");
	assert_int_equal(engine_edit(c.s, ENGINE_RUNNING, ENGINE_MERGE, ENGINE_SET,
				 str_z("{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":3}}}"),
				 ENGINE_JSON, &c.b->fault),
		-1);
	assert_int_equal(engine_copy_text(c.s, str_z("{}"), ENGINE_JSON, ENGINE_CANDIDATE, &c.b->fault), -1);
	assert_string_equal(c.b->fault.tag, "access-denied");
	scene_end(c);
}

/* srtpgwctl gives everybody the same persist-id: it opens nothing to those who may not make the change. */
static void a_confirmation_needs_the_right_to_what_waits(void **state)
{
	static const char may_a[] =
		NACM("{\"name\":\"1\",\"path\":\"" G "/trunks/trunk[name='a']\",\"action\":\"permit\"}");
	static const struct engine_commit wait = {.confirmed = true, .timeout_s = 3600, .persist = "tok"},
					  confirm = {.persist_id = "tok", .confirm_only = true};
	struct scene c = scene(may_a);

	(void)state;
	assert_int_equal(bench_set(c.b, c.b->root, B_CALLS, "5"), 0);
	assert_int_equal(bench_commit_as(c.b, c.b->root, &wait), 0);
	assert_int_equal(engine_cancel(c.s, "tok", &c.b->fault), -1);
	assert_fault(c.b, "access-denied", B_CALLS, "may not change");
	assert_int_equal(bench_commit_as(c.b, c.s, &confirm), -1);
	assert_fault(c.b, "access-denied", B_CALLS, "may not change");
	assert_int_equal(engine_cancel(c.b->root, "tok", &c.b->fault), 0);
	/* Who may make it may end it, and is the one who is named. */
	assert_int_equal(bench_set(c.b, c.b->root, A_CALLS, "5"), 0);
	assert_int_equal(bench_commit_as(c.b, c.b->root, &wait), 0);
	assert_int_equal(bench_commit_as(c.b, c.s, &confirm), 0);
	assert_string_equal(c.b->confirmer, "4242");
	assert_int_equal(bench_set(c.b, c.b->root, A_CALLS, "6"), 0);
	assert_int_equal(bench_commit_as(c.b, c.b->root, &wait), 0);
	assert_int_equal(engine_cancel(c.s, "tok", &c.b->fault), 0);
	assert_string_equal(c.b->confirmer, "4242");
	struct engine_history rows[ENGINE_HISTORY];

	assert_true(engine_history(c.b->engine, rows) > 0);
	assert_string_equal(rows[0].user, "4242");
	assert_string_equal(bench_running(c.b, A_CALLS), "5");
	scene_end(c);
}

struct matrix_row {
	const char *what, *nacm;
	bool read_a, update_a, delete_a, create_b, read_b;
};

#define RULE(more) "{\"name\":\"1\"," more "}"
#define PATH_A "\"path\":\"/srtp-gateway:gateway/trunks/trunk[name='a']\""

static const struct matrix_row matrix[] = {
	{"permit all", NACM(RULE("\"action\":\"permit\"")), true, true, true, true, true},
	{"deny all", NACM(RULE("\"action\":\"deny\"")), false, false, false, false, false},
	{"a path and what is below it", NACM(RULE(PATH_A ",\"action\":\"permit\"")), true, true, true, false,
		true},
	{"a path without its key is every entry",
		NACM(RULE("\"path\":\"/srtp-gateway:gateway/trunks/trunk\",\"action\":\"permit\"")), true,
		true, true, true, true},
	{"the root is everything", NACM(RULE("\"path\":\"/\",\"action\":\"permit\"")), true, true, true, true,
		true},
	{"one operation", NACM(RULE(PATH_A ",\"access-operations\":\"update\",\"action\":\"permit\"")), true,
		true, false, false, true},
	{"two operations", NACM(RULE("\"access-operations\":\"create delete\",\"action\":\"permit\"")), true,
		false, true, true, true},
	{"reading denied", NACM(RULE(PATH_A ",\"access-operations\":\"read\",\"action\":\"deny\"")), false,
		false, false, false, true},
	{"the first rule that matches decides",
		NACM(RULE(PATH_A ",\"action\":\"deny\"") ",{\"name\":\"2\",\"action\":\"permit\"}"), false,
		false, false, true, true},
	{"another module", NACM(RULE("\"module-name\":\"ietf-netconf-acm\",\"action\":\"permit\"")), true,
		false, false, false, true},
	{"our module", NACM(RULE("\"module-name\":\"srtp-gateway\",\"action\":\"permit\"")), true, true, true,
		true, true},
	{"a rule for a call is none for data", NACM(RULE("\"rpc-name\":\"*\",\"action\":\"permit\"")), true,
		false, false, false, true},
	{"write-default", NACM_WITH("\"write-default\":\"permit\",", ""), true, true, true, true, true},
	{"read-default", NACM_WITH("\"read-default\":\"deny\",", ""), false, false, false, false, false},
	{"switched off", NACM_WITH("\"enable-nacm\":false,", RULE("\"action\":\"deny\"")), true, true, true,
		true, true},
	{"rules of another group",
		"{\"groups\":{\"group\":[{\"name\":\"ops\",\"user-name\":[\"someone\"]}]},"
		"\"rule-list\":[{\"name\":\"ops\",\"group\":[\"ops\",\"*\"],\"rule\":[" RULE(
			"\"action\":\"permit\"") "]}]}",
		true, false, false, false, true},
	{"rules of every group",
		"{\"groups\":{\"group\":[{\"name\":\"ops\",\"user-name\":[\"4242\"]}]},"
		"\"rule-list\":[{\"name\":\"any\",\"group\":[\"*\"],\"rule\":[" RULE(
			"\"action\":\"permit\"") "]}]}",
		true, true, true, true, true},
};

static void rules_and_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof matrix / sizeof matrix[0]; i++) {
		const struct matrix_row *m = &matrix[i];
		struct scene c = scene(m->nacm);
		struct {
			const char *what;
			bool is, wanted;
		} rights[] = {
			{"read a", scene_sees(c, A_CALLS), m->read_a},
			{"update a", scene_may_set(c, A_CALLS, "11"), m->update_a},
			{"delete a", scene_may_set(c, A_CALLS, NULL), m->delete_a},
			{"create b", scene_may_set(c, B_CALLS, "5"), m->create_b},
			{"read b", scene_sees(c, G "/trunks/trunk[name='b']/realm"), m->read_b},
		};

		for (size_t k = 0; k < sizeof rights / sizeof rights[0]; k++)
			if (rights[k].is != rights[k].wanted)
				fail_msg("%s: %s: %d", m->what, rights[k].what, rights[k].is);
		scene_end(c);
	}
}

static void operations_are_called_or_not(void **state)
{
	struct scene c = scene(NACM("{\"name\":\"1\",\"rpc-name\":\"commit\",\"action\":\"deny\"},"
				    "{\"name\":\"2\",\"rpc-name\":\"kill-session\",\"action\":\"permit\"}"));

	(void)state;
	assert_int_equal(bench_commit(c.b, c.s), -1);
	assert_fault(c.b, "access-denied", "", "(commit)");
	assert_int_equal(engine_kill(c.s, engine_session_id(c.b->root), &c.b->fault), 0);
	assert_true(engine_may_call(c.s, "ietf-netconf", "get"));
	scene_end(c);
	c = scene(NACM_WITH("\"exec-default\":\"deny\",", ""));
	assert_int_equal(bench_commit(c.b, c.s), -1);
	assert_string_equal(bench_get(c.b, c.s, ENGINE_RUNNING, NULL), "access-denied");
	assert_int_equal(engine_lock(c.s, ENGINE_RUNNING, &c.b->fault), -1);
	assert_int_equal(engine_validate(c.s, ENGINE_RUNNING, NULL, &c.b->fault), -1);
	assert_true(engine_may_call(c.s, "ietf-netconf", "close-session"));
	scene_end(c);
}

/* The system's groups are NACM's, unless that is switched off. */
static void groups_of_the_system_count(void **state)
{
	static const char with[] =
		"{\"enable-external-groups\":%s,\"rule-list\":[{\"name\":\"g\",\"group\":[\"daemon\"],"
		"\"rule\":[{\"name\":\"1\",\"action\":\"permit\"}]}]}";

	(void)state;
	for (unsigned external = 0; external < 2; external++) {
		char nacm[256];

		snprintf(nacm, sizeof nacm, with, external ? "true" : "false");
		struct engine_bench *b = bench_new(nacm);
		struct engine_session *s = engine_session_open(b->engine, 1, "cli", "");

		/* Where account 1 has another name this shows nothing. */
		if (strcmp(engine_session_user(s), "daemon") == 0)
			assert_int_equal(bench_set(b, s, A_CALLS, "11"), external ? 0 : -1);
		engine_session_close(s);
		bench_free(b);
	}
}

static void what_may_not_be_read_is_not_found_by_filters(void **state)
{
	struct scene c =
		scene(NACM("{\"name\":\"1\",\"path\":\"/srtp-gateway:gateway/trunks/trunk/max-calls\","
			   "\"access-operations\":\"read\",\"action\":\"deny\"}"));

	(void)state;
	assert_false(scene_sees(c, G "/trunks/trunk[max-calls='10']"));
	assert_false(scene_sees(c, "/ietf-netconf-acm:nacm"));
	assert_true(scene_sees(c, G "/trunks/trunk[name='a']"));
	assert_null(strstr(bench_get(c.b, c.s, ENGINE_RUNNING, NULL), "max-calls"));
	assert_non_null(strstr(bench_get(c.b, c.b->root, ENGINE_RUNNING, NULL), "max-calls"));
	scene_end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_the_defaults_hold),
		cmocka_unit_test(a_commit_needs_the_right_to_what_it_changes),
		cmocka_unit_test(a_confirmation_needs_the_right_to_what_waits),
		cmocka_unit_test(rules_and_defaults),
		cmocka_unit_test(operations_are_called_or_not),
		cmocka_unit_test(groups_of_the_system_count),
		cmocka_unit_test(what_may_not_be_read_is_not_found_by_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
