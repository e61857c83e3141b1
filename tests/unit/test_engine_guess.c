/* SPDX-License-Identifier: Apache-2.0 */
/* What an account may not read is neither told nor confirmed, whatever it asks for (RFC 8341). */
#include "tests/unit/nacm_scene.h"

#include <stdio.h>

#define TRUNKS(x)                                                                                                     \
	"<gateway xmlns='urn:srtpgw:yang:srtp-gateway' xmlns:nc='urn:ietf:params:xml:ns:netconf:base:1.0'><trunks>" x \
	"</trunks></gateway>"
#define TRUNK(operation, name) TRUNKS("<trunk nc:operation='" operation "'><name>" name "</name></trunk>")
#define LEAF(operation, name)                                                                                \
	TRUNKS("<trunk><name>" name "</name><max-calls nc:operation='" operation "'/></trunk>")

static const char *refused_with(struct scene c, const char *edit)
{
	assert_int_equal(engine_edit(c.s, ENGINE_CANDIDATE, ENGINE_NONE, ENGINE_SET, str_z(edit), ENGINE_XML,
				 &c.b->fault),
		-1);
	return c.b->fault.tag;
}

/* What is there or not is no answer to who may not make or delete it, nor read it. */
static void a_refused_edit_does_not_tell_what_is_there(void **state)
{
	static const char
		read_nothing[] = NACM_WITH("\"read-default\":\"deny\",", ""),
		may_leaf[] = NACM_WITH("\"read-default\":\"deny\",",
			"{\"name\":\"1\",\"path\":\"" G
			"/trunks/trunk/max-calls\",\"access-operations\":\"delete\",\"action\":\"permit\"}");
	static const char *const unseen[] = {TRUNK("create", "a"), TRUNK("create", "z"), TRUNK("delete", "a"),
		TRUNK("delete", "z"), LEAF("delete", "a"), LEAF("delete", "b") /* it has none */,
		LEAF("delete", "z")};
	static const char *const gone[] = {A_CALLS, B_CALLS, G "/trunks/trunk[name='a']",
		G "/trunks/trunk[name='z']", G "/trunks/trunk[name='z']/max-calls"};
	struct scene c = scene(NULL);

	(void)state;
	assert_string_equal(refused_with(c, TRUNK("create", "a")), "access-denied");
	assert_fault(c.b, "access-denied", G "/trunks/trunk[name='a']", "may not change");
	assert_string_equal(refused_with(c, TRUNK("create", "z")), "access-denied");
	/* He may read that it is not there. */
	assert_string_equal(refused_with(c, TRUNK("delete", "z")), "data-missing");
	scene_end(c);
	c = scene(read_nothing);
	for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
		refused_with(c, unseen[i]);
		assert_fault(c.b, "access-denied", "", "may not change");
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		assert_false(scene_may_set(c, gone[i], NULL));
		assert_fault(c.b, "access-denied", "", "may not change");
	}
	scene_end(c);
	c = scene(may_leaf);
	assert_string_equal(refused_with(c, LEAF("delete", "b")), "data-missing");
	assert_string_equal(refused_with(c, TRUNK("delete", "z")), "access-denied");
	scene_end(c);
}

static const char *answer(struct scene c, enum engine_default_operation op, const char *edit)
{
	const char *tag =
		engine_edit(c.s, ENGINE_CANDIDATE, op, ENGINE_SET, str_z(edit), ENGINE_XML, &c.b->fault)
			? c.b->fault.tag
			: "ok";

	assert_int_equal(engine_discard(c.b->root, &c.b->fault), 0);
	return tag;
}

#define CALLS_OF(name, value) TRUNKS("<trunk><name>" name "</name><max-calls>" value "</max-calls></trunk>")
#define CALLS_BY(operation, name, value)                                                                     \
	TRUNKS("<trunk><name>" name "</name><max-calls nc:operation='" operation "'>" value                  \
	       "</max-calls></trunk>")
#define SUITES "/crypto-profiles/crypto-profile/suite"
#define SUITE(place)                                                                                              \
	"<gateway xmlns='urn:srtpgw:yang:srtp-gateway' xmlns:y='urn:ietf:params:xml:ns:yang:1'><crypto-profiles>" \
	"<crypto-profile><name>p</name><suite" place ">AEAD_AES_256_GCM</suite></crypto-profile>"                 \
	"</crypto-profiles></gateway>"
#define SUITE_BEFORE(other) SUITE(" y:insert='before' y:value='" other "'")

/* Who may not read a value may guess it: a guess that is right changes nothing, and is refused as any other.
 */
static void a_right_guess_is_refused_as_a_wrong_one(void **state)
{
	static const char nothing[] = NACM_WITH("\"read-default\":\"deny\",", ""),
			  /* As much as one may that sees all but this leaf. */
		leaf[] = NACM(
			"{\"name\":\"1\",\"path\":\"" G "/trunks/trunk/max-calls\",\"action\":\"deny\"}");
	static const struct {
		enum engine_default_operation op;
		const char *edit;
		bool leaf; /* said of the leaf alone: refused also where the rest may be read */
	} rows[] = {
		/* What it is, what it is not; what is not there. */
		{ENGINE_MERGE, CALLS_OF("a", "10"), true},
		{ENGINE_MERGE, CALLS_OF("a", "11"), true},
		{ENGINE_MERGE, CALLS_OF("b", "10"), true},
		{ENGINE_NONE, CALLS_BY("merge", "a", "10"), true},
		{ENGINE_NONE, CALLS_BY("replace", "a", "10"), true},
		{ENGINE_NONE, CALLS_BY("replace", "a", "11"), true},
		{ENGINE_NONE, CALLS_BY("remove", "a", "10"), true},
		{ENGINE_NONE, CALLS_BY("remove", "b", "10"), true},
		{ENGINE_NONE, LEAF("remove", "a"), true},
		{ENGINE_NONE, LEAF("remove", "b"), true},
		{ENGINE_NONE, TRUNK("remove", "z")},
		{ENGINE_NONE, TRUNK("merge", "a")},
		{ENGINE_NONE, TRUNK("merge", "z")},
		{ENGINE_NONE, TRUNKS("<trunk><name>a</name></trunk>")},
		{ENGINE_NONE, TRUNKS("<trunk><name>z</name></trunk>")},
		{ENGINE_NONE, TRUNKS("<trunk><name>a</name><srtp/></trunk>")},
		{ENGINE_MERGE, TRUNKS("<trunk><name>a</name><srtp/></trunk>")},
		{ENGINE_MERGE, TRUNKS("<trunk><name>a</name><srtp><mode>none</mode></srtp></trunk>")},
	};
	static const char *const hidden[] = {A_CALLS, B_CALLS};
	struct scene c = scene(nothing);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(answer(c, rows[i].op, rows[i].edit), "access-denied") != 0 || c.b->fault.path[0])
			fail_msg("%s: %s", rows[i].edit, c.b->fault.tag);
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
		assert_false(scene_may_set(c, hidden[i], "10"));
		assert_false(scene_may_set(c, hidden[i], "11"));
	}
	assert_false(scene_may_set(c, G "/trunks/trunk[name='a']", ""));
	/* What is wrong with a path is said of the model, not of what is there. */
	assert_int_equal(bench_set(c.b, c.s, G "/trunks/trunk[name='a']/name", NULL), -1);
	assert_string_equal(c.b->fault.tag, "invalid-value");
	assert_int_equal(bench_set(c.b, c.s, G "/trunks/trunk[name='z']/name", NULL), -1);
	assert_string_equal(c.b->fault.tag, "invalid-value");
	assert_int_equal(engine_denied(c.b->engine).writes, sizeof rows / sizeof rows[0] + 5);
	scene_end(c);
	c = scene(leaf);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].leaf && strcmp(answer(c, rows[i].op, rows[i].edit), "access-denied") != 0)
			fail_msg("%s: accepted", rows[i].edit);
	scene_end(c);
}

/* Who may write a list without reading it finds no neighbour there, neither one that is nor one that is not.
 */
static void a_neighbour_is_no_way_to_guess(void **state)
{
	static const char blind[] = NACM_WITH("\"read-default\":\"deny\",",
		"{\"name\":\"1\",\"path\":\"" G SUITES
		"\",\"access-operations\":\"create update\",\"action\":\"permit\"}");
	static const char seeing[] = NACM("{\"name\":\"1\",\"path\":\"" G SUITES "\",\"action\":\"permit\"}");
	struct scene c = scene(blind);
	char where[sizeof c.b->fault.path];

	(void)state;
	assert_string_equal(answer(c, ENGINE_MERGE, SUITE("")), "ok");
	assert_string_equal(
		answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_CM_128_HMAC_SHA1_80")), "bad-attribute");
	assert_non_null(strstr(c.b->fault.message, "'AES_CM_128_HMAC_SHA1_80': there is no such entry"));
	memcpy(where, c.b->fault.path, sizeof where);
	assert_string_equal(
		answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_256_CM_HMAC_SHA1_80")), "bad-attribute");
	assert_fault(c.b, "bad-attribute", where, "'AES_256_CM_HMAC_SHA1_80': there is no such entry");
	scene_end(c);
	/* Who sees them is told. */
	c = scene(seeing);
	assert_string_equal(answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_CM_128_HMAC_SHA1_80")), "ok");
	assert_string_equal(
		answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_256_CM_HMAC_SHA1_80")), "bad-attribute");
	scene_end(c);
}

/* Who may write without reading hears no more than that it was done. */
static void a_blind_writer_is_answered_alike(void **state)
{
#define MAY(operations)                                                                                      \
	NACM_WITH("\"read-default\":\"deny\",",                                                              \
		"{\"name\":\"1\",\"path\":\"" G                                                              \
		"/trunks/trunk/max-calls\",\"access-operations\":\"" operations "\",\"action\":\"permit\"}")
	static const char update[] = MAY("update"), all[] = MAY("create update delete");
	struct scene c = scene(update);

	(void)state;
	assert_string_equal(answer(c, ENGINE_MERGE, CALLS_OF("a", "10")), "ok");
	assert_string_equal(answer(c, ENGINE_MERGE, CALLS_OF("a", "11")), "ok");
	assert_string_equal(answer(c, ENGINE_MERGE, CALLS_OF("b", "11")), "access-denied");
	assert_string_equal(answer(c, ENGINE_NONE, LEAF("remove", "a")), "access-denied");
	assert_string_equal(answer(c, ENGINE_NONE, LEAF("remove", "b")), "access-denied");
	assert_true(scene_may_set(c, A_CALLS, "10"));
	scene_end(c);
	c = scene(all);
	assert_string_equal(answer(c, ENGINE_MERGE, CALLS_OF("b", "11")), "ok");
	assert_string_equal(answer(c, ENGINE_NONE, LEAF("remove", "b")), "ok");
	scene_end(c);
}

/* RFC 8341 3.2.3: what is sent back as it was read needs no right, in whichever way where all of it was read.
 */
static void what_was_read_may_be_sent_back(void **state)
{
	static const char may_calls[] =
		NACM("{\"name\":\"1\",\"path\":\"" A_CALLS "\",\"action\":\"permit\"}");
	struct scene c = scene(NULL);
	struct engine_query q = {.format = ENGINE_XML};
	bool files = false;
	char *text;

	(void)state;
	assert_int_equal(engine_get_config(c.s, ENGINE_RUNNING, &q, &text, &c.b->fault), 0);
	assert_string_equal(answer(c, ENGINE_MERGE, text), "ok");
	assert_string_equal(answer(c, ENGINE_NONE, TRUNK("replace", "q")), "access-denied");
	assert_string_equal(answer(c, ENGINE_NONE, LEAF("remove", "b")), "ok");
	assert_int_equal(engine_copy_text(c.s, str_z(text), ENGINE_XML, ENGINE_CANDIDATE, &c.b->fault), 0);
	assert_int_equal(engine_validate_text(c.s, str_z(text), ENGINE_XML, NULL, &files, &c.b->fault), 0);
	assert_true(files);
	free(text);
	scene_end(c);
	/* One change among much that is the same. */
	c = scene(may_calls);
	/* To replace with what was read would delete what was not, such as the rules. */
	assert_int_equal(engine_get_config(c.s, ENGINE_RUNNING, &q, &text, &c.b->fault), 0);
	assert_string_equal(answer(c, ENGINE_MERGE, text), "ok");
	assert_int_equal(engine_copy_text(c.s, str_z(text), ENGINE_XML, ENGINE_CANDIDATE, &c.b->fault), -1);
	assert_fault(c.b, "access-denied", "", "may not change");
	free(text);
	assert_string_equal(
		answer(c, ENGINE_MERGE,
			TRUNKS("<trunk><name>a</name><realm>core</realm><max-calls>11</max-calls></trunk>")),
		"ok");
	scene_end(c);
}

/* A whole configuration that guesses is refused, also where nothing would come of it. */
static void a_whole_configuration_confirms_no_guess(void **state)
{
	static const char hidden[] =
		NACM("{\"name\":\"1\",\"path\":\"" G "/trunks/trunk/max-calls\",\"action\":\"deny\"}");
	struct scene c = scene(hidden);
	struct engine_query q = {.format = ENGINE_JSON};
	bool files = true;
	char *text;

	(void)state;
	assert_int_equal(engine_get_config(c.b->root, ENGINE_RUNNING, &q, &text, &c.b->fault), 0);
	assert_int_equal(engine_copy_text(c.s, str_z(text), ENGINE_JSON, ENGINE_CANDIDATE, &c.b->fault), -1);
	assert_fault(c.b, "access-denied", "", "may not change");
	assert_int_equal(engine_edit(c.s, ENGINE_CANDIDATE, ENGINE_REPLACE, ENGINE_SET, str_z(text),
				 ENGINE_JSON, &c.b->fault),
		-1);
	assert_fault(c.b, "access-denied", "", "may not change");
	assert_int_equal(engine_validate_text(c.s, str_z(text), ENGINE_JSON, NULL, &files, &c.b->fault), 0);
	assert_false(files);
	free(text);
	scene_end(c);
}

/* An edit that would take with it what the account does not see is refused, without its name. */
static void what_may_not_be_read_is_not_named(void **state)
{
	static const char without_b[] =
		NACM("{\"name\":\"1\",\"path\":\"" G "/trunks/trunk[name='b']\",\"action\":\"deny\"},"
		     "{\"name\":\"2\",\"path\":\"" G "/trunks\",\"action\":\"permit\"}");
	struct scene c = scene(without_b);

	(void)state;
	assert_string_equal(
		refused_with(c, TRUNKS("<trunk nc:operation='merge'><name>z</name><realm>core</realm></trunk>"
				       "<trunk nc:operation='replace'><name>b</name></trunk>")),
		"access-denied");
	assert_string_equal(c.b->fault.path, "");
	scene_end(c);
}

static int reads_the_file(struct scene c, struct engine_session *s)
{
	struct lyd_node *tree = NULL;

	return engine_read(s, ENGINE_STARTUP, &tree, &c.b->fault);
}

static int validates_the_file(struct scene c, struct engine_session *s)
{
	return engine_validate(s, ENGINE_STARTUP, NULL, &c.b->fault);
}

static int copies_the_file(struct scene c, struct engine_session *s)
{
	return engine_copy(s, ENGINE_STARTUP, ENGINE_CANDIDATE, &c.b->fault);
}

static int reloads_the_file(struct scene c, struct engine_session *s)
{
	return engine_reload(c.b->engine, s, NULL, &c.b->fault);
}

/* Each wants the file, and is told what is wrong with it. */
static int (*const ways[])(struct scene c, struct engine_session *s) = {
	reads_the_file, validates_the_file, copies_the_file, reloads_the_file};
#define WAYS (sizeof ways / sizeof ways[0])

/* Anybody may have the candidate validated, also that of those who see more. */
static void a_mistake_is_not_told_to_who_may_not_read_it(void **state)
{
	static const char hidden[] =
		NACM("{\"name\":\"1\",\"path\":\"" G
		     "/audit\",\"access-operations\":\"read\",\"action\":\"deny\"},"
		     "{\"name\":\"2\",\"path\":\"" G "\",\"access-operations\":\"*\",\"action\":\"permit\"}");
	struct scene c = scene(hidden);

	(void)state;
	assert_int_equal(bench_set(c.b, c.b->root, G "/audit/file", "/nowhere/audit.jsonl"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	assert_fault(c.b, "operation-failed", "", "in a place that '4242' may not read");
	assert_null(strstr(c.b->fault.message, "nowhere"));
	assert_int_equal(bench_commit(c.b, c.s), -1);
	assert_fault(c.b, "operation-failed", "", "in a place that '4242' may not read");
	assert_int_equal(engine_validate(c.b->root, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	assert_fault(c.b, "operation-failed", G "/audit/file", "/nowhere");
	assert_int_equal(engine_discard(c.b->root, &c.b->fault), 0);
	/* Nor when it is in the file, which anybody may have read again who may call that. */
	char *good = bench_file(c.b), *at = strstr(good, "\"media\""), *wrong;

	assert_non_null(at);
	assert_true(asprintf(&wrong, "%.*s\"audit\":{\"file\":\"/nowhere/audit.jsonl\"},%s", (int)(at - good),
			    good, at) > 0);
	bench_write_file(c.b, wrong);
	assert_int_equal(engine_reload(c.b->engine, c.s, NULL, &c.b->fault), -1);
	assert_fault(c.b, "operation-failed", "", "in a place that '4242' may not read");
	assert_int_equal(engine_reload(c.b->engine, c.b->root, NULL, &c.b->fault), -1);
	assert_fault(c.b, "operation-failed", G "/audit/file", "/nowhere");
	free(wrong);
	/* What the model says of it is found by reading the file alone, whoever wants to have it. */
	assert_true(asprintf(&wrong, "%.*s\"audit\":{\"file\":\"/a\",\"max-files\":\"secret\"},%s",
			    (int)(at - good), good, at) > 0);
	bench_write_file(c.b, wrong);
	free(wrong);
	reads_the_file(c, c.b->root);
	assert_fault(c.b, "operation-failed", G "/audit/max-files", "'secret' is not a number");
	for (unsigned way = 0; way < WAYS; way++) {
		assert_int_equal(ways[way](c, c.s), -1);
		assert_fault(c.b, "operation-failed", "", "in a place that '4242' may not read");
		assert_null(strstr(c.b->fault.message, "secret"));
	}
	/* What is no JSON is quoted from where its reader stopped, which may be anywhere. */
	assert_true(
		asprintf(&wrong, "%.*s\"audit\":{\"file\" \"secret\"},%s", (int)(at - good), good, at) > 0);
	bench_write_file(c.b, wrong);
	free(wrong);
	reads_the_file(c, c.b->root);
	assert_fault(c.b, "operation-failed", "", "near '\"secret\"'");
	for (unsigned way = 0; way < WAYS; way++) {
		assert_int_equal(ways[way](c, c.s), -1);
		assert_fault(c.b, "operation-failed", "", ": this is no JSON");
		assert_null(strstr(c.b->fault.message, "secret"));
	}
	bench_write_file(c.b, good);
	free(good);
	/* What he may read is told as ever. */
	assert_int_equal(bench_set(c.b, c.b->root, G "/trunks/trunk[name='a']/realm", "gone"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	assert_fault(c.b, "data-missing", G "/trunks/trunk[name='a']/realm", "'gone' is not defined");
	scene_end(c);
}

/* What a reference leads to has to be there, also when its writer may not look: docs/management.md says so.
 */
static void a_reference_tells_which_names_there_are(void **state)
{
	static const char blind[] = NACM("{\"name\":\"1\",\"path\":\"" G
					 "/trunks\",\"access-operations\":\"read\",\"action\":\"deny\"},"
					 "{\"name\":\"2\",\"path\":\"" G "/routing\",\"action\":\"permit\"}");
	struct scene c = scene(blind);

	(void)state;
	assert_false(scene_sees(c, A_CALLS));
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/prefix", "1"), 0);
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/to-trunk", "a"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), 0);
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/to-trunk", "z"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	scene_end(c);
}

/* Whether a file is there is for those to know who might name it in the configuration. */
static void files_are_not_looked_at_for_everybody(void **state)
{
	static const char text[] =
		"{\"srtp-gateway:gateway\":{\"audit\":{\"file\":\"/nowhere/audit.jsonl\"}}}",
			  wrong[] = "{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":-1}}}";
	struct scene c = scene(NULL);
	bool files = true;

	(void)state;
	assert_int_equal(engine_validate_text(c.s, str_z(text), ENGINE_JSON, NULL, &files, &c.b->fault), 0);
	assert_false(files);
	assert_int_equal(engine_denied(c.b->engine).writes, 0);
	assert_int_equal(engine_validate_text(c.s, str_z(wrong), ENGINE_JSON, NULL, &files, &c.b->fault), -1);
	assert_int_equal(
		engine_validate_text(c.b->root, str_z(text), ENGINE_JSON, NULL, &files, &c.b->fault), -1);
	assert_fault(c.b, "operation-failed", G "/audit/file", "its folder cannot be used");
	scene_end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_edit_does_not_tell_what_is_there),
		cmocka_unit_test(a_right_guess_is_refused_as_a_wrong_one),
		cmocka_unit_test(a_neighbour_is_no_way_to_guess),
		cmocka_unit_test(a_blind_writer_is_answered_alike),
		cmocka_unit_test(what_was_read_may_be_sent_back),
		cmocka_unit_test(a_whole_configuration_confirms_no_guess),
		cmocka_unit_test(what_may_not_be_read_is_not_named),
		cmocka_unit_test(a_mistake_is_not_told_to_who_may_not_read_it),
		cmocka_unit_test(a_reference_tells_which_names_there_are),
		cmocka_unit_test(files_are_not_looked_at_for_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
