/* SPDX-License-Identifier: Apache-2.0 */
/* Access control (RFC 8341) and what is read: rules, defaults, groups, filters, with-defaults. */
#include "tests/unit/engine_bench.h"

#include <stdio.h>

#include <libyang/libyang.h>

/* STRANGER is in a group; rules are the content of its rule-list. */
#define NACM_WITH(defaults, rules)                                                                           \
	"{" defaults "\"groups\":{\"group\":[{\"name\":\"ops\",\"user-name\":[\"4242\"]}]},"                 \
	"\"rule-list\":[{\"name\":\"other\",\"group\":[\"others\"],\"rule\":[{\"name\":\"all\",\"action\":"  \
	"\"permit\"}]},"                                                                                     \
	"{\"name\":\"ops\",\"group\":[\"ops\"],\"rule\":[" rules "]}]}"
#define NACM(rules) NACM_WITH("", rules)

struct scene {
	struct engine_bench *b;
	struct engine_session *s; /* STRANGER's */
};

static struct scene scene(const char *nacm)
{
	struct scene c = {.b = bench_new(nacm)};

	c.s = engine_session_open(c.b->engine, STRANGER, "netconf", "192.0.2.7");
	assert_non_null(c.s);
	assert_string_equal(engine_session_user(c.s), "4242");
	return c;
}

static void end(struct scene c)
{
	engine_session_close(c.s);
	bench_free(c.b);
}

static bool may_set(struct scene c, const char *path, const char *value)
{
	bool may = bench_set(c.b, c.s, path, value) == 0;

	if (!may)
		assert_string_equal(c.b->fault.tag, "access-denied");
	assert_int_equal(engine_discard(c.b->root, &c.b->fault), 0);
	return may;
}

static bool sees(struct scene c, const char *xpath)
{
	const char *seen = bench_get(c.b, c.s, ENGINE_RUNNING, xpath);

	return strcmp(seen, "{}") != 0 && strcmp(seen, "access-denied") != 0;
}

/* RFC 8341 2.5: everything may be read and called, nothing written, and the rules themselves are not shown.
 */
static void without_rules_the_defaults_hold(void **state)
{
	struct scene c = scene(NULL);

	(void)state;
	assert_true(sees(c, A_CALLS));
	assert_false(may_set(c, A_CALLS, "11"));
	assert_fault(c.b, "access-denied", A_CALLS, "'4242' may not change this");
	assert_false(may_set(c, A_CALLS, NULL));
	assert_false(may_set(c, G "/trunks/trunk[name='c']/realm", "core"));
	assert_false(may_set(c, "/ietf-netconf-acm:nacm/enable-nacm", "false"));
	/* Also what changes nothing but that it is said. */
	assert_false(may_set(c, G "/trunks/trunk[name='a']/admin-state", "up"));
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
	end(c);
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
	end(c);
}

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
	end(c);
	c = scene(read_nothing);
	for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
		refused_with(c, unseen[i]);
		assert_fault(c.b, "access-denied", "", "may not change");
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		assert_false(may_set(c, gone[i], NULL));
		assert_fault(c.b, "access-denied", "", "may not change");
	}
	end(c);
	c = scene(may_leaf);
	assert_string_equal(refused_with(c, LEAF("delete", "b")), "data-missing");
	assert_string_equal(refused_with(c, TRUNK("delete", "z")), "access-denied");
	end(c);
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
		assert_false(may_set(c, hidden[i], "10"));
		assert_false(may_set(c, hidden[i], "11"));
	}
	assert_false(may_set(c, G "/trunks/trunk[name='a']", ""));
	/* What is wrong with a path is said of the model, not of what is there. */
	assert_int_equal(bench_set(c.b, c.s, G "/trunks/trunk[name='a']/name", NULL), -1);
	assert_string_equal(c.b->fault.tag, "invalid-value");
	assert_int_equal(bench_set(c.b, c.s, G "/trunks/trunk[name='z']/name", NULL), -1);
	assert_string_equal(c.b->fault.tag, "invalid-value");
	assert_int_equal(engine_denied(c.b->engine).writes, sizeof rows / sizeof rows[0] + 5);
	end(c);
	c = scene(leaf);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].leaf && strcmp(answer(c, rows[i].op, rows[i].edit), "access-denied") != 0)
			fail_msg("%s: accepted", rows[i].edit);
	end(c);
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
	end(c);
	/* Who sees them is told. */
	c = scene(seeing);
	assert_string_equal(answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_CM_128_HMAC_SHA1_80")), "ok");
	assert_string_equal(
		answer(c, ENGINE_MERGE, SUITE_BEFORE("AES_256_CM_HMAC_SHA1_80")), "bad-attribute");
	end(c);
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
	assert_true(may_set(c, A_CALLS, "10"));
	end(c);
	c = scene(all);
	assert_string_equal(answer(c, ENGINE_MERGE, CALLS_OF("b", "11")), "ok");
	assert_string_equal(answer(c, ENGINE_NONE, LEAF("remove", "b")), "ok");
	end(c);
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
	end(c);
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
	end(c);
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
	end(c);
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
	end(c);
}

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
	bench_write_file(c.b, good);
	free(good);
	free(wrong);
	/* What he may read is told as ever. */
	assert_int_equal(bench_set(c.b, c.b->root, G "/trunks/trunk[name='a']/realm", "gone"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	assert_fault(c.b, "data-missing", G "/trunks/trunk[name='a']/realm", "'gone' is not defined");
	end(c);
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
	assert_false(sees(c, A_CALLS));
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/prefix", "1"), 0);
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/to-trunk", "a"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), 0);
	assert_int_equal(bench_set(c.b, c.s, G "/routing/route[name='s']/to-trunk", "z"), 0);
	assert_int_equal(engine_validate(c.s, ENGINE_CANDIDATE, NULL, &c.b->fault), -1);
	end(c);
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
	end(c);
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
	end(c);
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
			{"read a", sees(c, A_CALLS), m->read_a},
			{"update a", may_set(c, A_CALLS, "11"), m->update_a},
			{"delete a", may_set(c, A_CALLS, NULL), m->delete_a},
			{"create b", may_set(c, B_CALLS, "5"), m->create_b},
			{"read b", sees(c, G "/trunks/trunk[name='b']/realm"), m->read_b},
		};

		for (size_t k = 0; k < sizeof rights / sizeof rights[0]; k++)
			if (rights[k].is != rights[k].wanted)
				fail_msg("%s: %s: %d", m->what, rights[k].what, rights[k].is);
		end(c);
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
	end(c);
	c = scene(NACM_WITH("\"exec-default\":\"deny\",", ""));
	assert_int_equal(bench_commit(c.b, c.s), -1);
	assert_string_equal(bench_get(c.b, c.s, ENGINE_RUNNING, NULL), "access-denied");
	assert_int_equal(engine_lock(c.s, ENGINE_RUNNING, &c.b->fault), -1);
	assert_int_equal(engine_validate(c.s, ENGINE_RUNNING, NULL, &c.b->fault), -1);
	assert_true(engine_may_call(c.s, "ietf-netconf", "close-session"));
	end(c);
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
	assert_false(sees(c, G "/trunks/trunk[max-calls='10']"));
	assert_false(sees(c, "/ietf-netconf-acm:nacm"));
	assert_true(sees(c, G "/trunks/trunk[name='a']"));
	assert_null(strstr(bench_get(c.b, c.s, ENGINE_RUNNING, NULL), "max-calls"));
	assert_non_null(strstr(bench_get(c.b, c.b->root, ENGINE_RUNNING, NULL), "max-calls"));
	end(c);
}

static const char *print(struct engine_bench *b, const struct engine_query *q)
{
	static char *text;

	free(text);
	text = NULL;
	if (engine_get_config(b->root, ENGINE_RUNNING, q, &text, &b->fault))
		return b->fault.message;
	return text;
}

static void subtree_filters_select(void **state)
{
	static const struct {
		const char *filter, *after;
	} rows[] = {
#define IN(x) "<gateway xmlns='urn:srtpgw:yang:srtp-gateway'>" x "</gateway>"
#define OUT(x) "<gateway xmlns=\"urn:srtpgw:yang:srtp-gateway\">" x "</gateway>"
		{"", ""},
		{IN("<trunks><trunk><name/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name></trunk><trunk><name>b</name></trunk></trunks>")},
		{IN("<trunks><trunk><name>a</name><max-calls/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<trunks><trunk><name> a </name><max-calls/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<trunks><trunk><max-calls>10</max-calls><realm/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><realm>core</realm><max-calls>10</max-calls></"
			    "trunk></trunks>")},
		{IN("<routing><route><name>r</name></route></routing>"),
			OUT("<routing><route><name>r</name><prefix/><to-trunk>a</to-trunk></route></"
			    "routing>")},
		{IN("<trunks><trunk><name>z</name></trunk></trunks>"), ""},
		{IN("<nothing/>"), ""},
		{"<gateway><routing/></gateway>", OUT("<routing><route><name>r</name><prefix/><to-trunk>a</"
						      "to-trunk></route></routing>")},
		{"<gateway xmlns='urn:example:other'/>", ""},
		/* A value is the same however it is written; an identity's prefix is its own. */
		{IN("<trunks><trunk><max-calls>+010</max-calls><name/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<crypto-profiles><crypto-profile><suite xmlns:x='urn:srtpgw:yang:srtp-gateway'> x:AEAD_AES_128_GCM "
		    "</suite><name/></crypto-profile></crypto-profiles>"),
			OUT("<crypto-profiles><crypto-profile><name>p</name><suite xmlns:sgw=\"urn:srtpgw:yang:srtp-gateway\">"
			    "sgw:AEAD_AES_128_GCM</suite></crypto-profile></crypto-profiles>")},
		/* What no datastore has selects nothing of it. */
		{"<config-applied xmlns='urn:srtpgw:yang:srtp-gateway'/><drain xmlns='urn:srtpgw:yang:srtp-gateway'/>",
			""},
	};
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *after =
			print(b, &(struct engine_query){.subtree = rows[i].filter, .format = ENGINE_XML});

		if (strcmp(after, rows[i].after) != 0)
			fail_msg("%s: %s", rows[i].filter, after);
	}
}

static void xpath_filters_select(void **state)
{
	struct engine_bench *b = *state;

	assert_string_equal(print(b, &(struct engine_query){.xpath = G "/trunks/trunk[max-calls > 5]/realm"}),
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"realm\":\"core\"}]}}}");
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = "/nothing:here"}), "not an XPath"));
	/* libyang divides by zero. */
	static const char *const mods[] = {G "[1 mod 0]", G "[1mod 0]", G "[. mod.]", G "[(1)mod(0)]",
		G " mod 0", G "[count(*)\tmod count(nothing)]", G "/*mod 0", "x module",
		G "[name mod 0 = 1]"};

	for (size_t i = 0; i < sizeof mods / sizeof mods[0]; i++) {
		assert_non_null(strstr(print(b, &(struct engine_query){.xpath = mods[i]}), "operator mod"));
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	/* One of these held the loop for minutes. */
	static const char *const matches[] = {"//*[re-match('aaaaaaaaaaaaaaaaaaaaa', '(a+)+[bc]')]",
		G "/trunks/trunk[name and re-match (name,'.*')]", "re-match('a', 'a')"};

	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = matches[i]});

		if (!strstr(said, "re-match is not taken"))
			fail_msg("%s: %s", matches[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	/* It ends with a signal. */
	static const char *const crashes[] = {G "/trunks/trunk[deref(name)]", "//*[. = '' or not(deref (.))]",
		"enum-value(/)", "(/)[bit-is-set(.,'x')]", G "/trunks/trunk[name andderef(name)]",
		G "/trunks/trunk[1orderef(name)]"};

	for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = crashes[i]});

		if (!strstr(said, "deref, enum-value and bit-is-set"))
			fail_msg("%s: %s", crashes[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	assert_non_null(
		strstr(print(b, &(struct engine_query){.xpath = G "/trunks/trunk/srtp/mode"}), "none"));
	assert_non_null(strstr(
		print(b, &(struct engine_query){.xpath = G
						"/trunks/trunk[name='a mod b' or ./srtp/mode='none']"}),
		"none"));
	assert_non_null(
		strstr(print(b, &(struct engine_query){.xpath = "/srtp-gateway:gateway["}), "not an XPath"));
	assert_string_equal(b->fault.tag, "invalid-value");
}

/* Whatever is asked, it takes no more time than to look at everything some times: the loop that answers
 * signals, too. */
static void a_filter_costs_what_the_tree_is_large(void **state)
{
	static const char *const elsewhere[] = {"//*[//*[//*]]", "//*[. = //*]", G "[/srtp-gateway:gateway]",
		G "/trunks/trunk[1 * //*]", G "/trunks/trunk[name and /*]", G "/trunks/trunk[and = 1 or //*]",
		G "/trunks/trunk[max-calls = (/*)]", G "/trunks/trunk[../trunk]",
		G "/trunks/trunk[name/ .. /realm]", "//*[ancestor :: *]",
		G "/trunks/trunk[following-sibling::trunk]", G "/trunks/trunk[current()/*]",
		G "/trunks/trunk[srtp[//*]]", G "/trunks/trunk['//'=//*]", G "/trunks/trunk[-/*]"};
	static const char *const pairs[] = {"//srtp-gateway:name < //*",
		G "[.//srtp-gateway:name < .//srtp-gateway:realm]", G "[trunks/trunk!=trunks/trunk]",
		G "/trunks[trunk[name='a'] >= trunk]", G "[(trunks/*) = trunks]", G "[-1 < trunks = routing]",
		G "[true() and not(trunks/* > trunks/*)]", G "[trunks = node()]",
		G "[']' = trunks and (1 or trunks) and trunks = .]"};
	static const char *const sideways[] = {"//srtp-gateway:trunk/preceding::*", "//*/following::*",
		G "/trunks/trunk/following-sibling::trunk", "//*/preceding-sibling :: *"};
	static const char *const taken[] = {G "/trunks/trunk[number(max-calls) >= max-calls]",
		G "/trunks/trunk[5.5 < max-calls][max-calls<.5+20]", G "/trunks/trunk[string(realm) = realm]",
		G "/trunks/trunk[not(name='b')]", G "/trunks/trunk[count(peer) = 1]",
		G "/trunks/trunk[(max-calls > 5 or name = 'z') = true()]",
		"//srtp-gateway:trunk[contains(name,'a') and .//srtp-gateway:host != '']",
		G "/trunks/trunk[position() = last()]", G "/trunks/trunk[name = 'a' or realm = concat('co', 're')]",
		G "/trunks/trunk[name = 'a' and max-calls * 2 > 5]/realm",
		G "/trunks/trunk[name='a']/../trunk", "//srtp-gateway:realm/../..",
		"//*[.//srtp-gateway:max-calls]", G "/trunks/trunk[name != '//..']",
		"/*/*/srtp-gateway:trunk", G "/trunks/trunk[descendant::srtp-gateway:max-calls]",
		"//srtp-gateway:trunk/ancestor::*", G "/trunks/trunk[child::srtp-gateway:name='a']",
		G "/trunks/*[self::srtp-gateway:trunk]", G "/trunks/trunk[(name)='a']"};
	struct engine_bench *b = *state;
	char many[256] = "//*";

	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = elsewhere[i]});

		if (!strstr(said, "below its node"))
			fail_msg("%s: %s", elsewhere[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = pairs[i]});

		if (!strstr(said, "literal, a number or a function on one side"))
			fail_msg("%s: %s", pairs[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	for (size_t i = 0; i < sizeof sideways / sizeof sideways[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = sideways[i]});

		if (!strstr(said, "preceding and following are not taken"))
			fail_msg("%s: %s", sideways[i], said);
	}
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = taken[i]});

		if (!strstr(said, "\"trunk\""))
			fail_msg("%s: %s", taken[i], said);
	}
	for (unsigned i = 1; i < 9; i++)
		strcat(many, "|//*");
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = many}), "more than 16 of"));
	assert_string_equal(b->fault.tag, "too-big");
	/* In a predicate it is done for each node that was found before. */
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = "//*[descendant::*[descendant::*["
									"descendant::srtp-gateway:host]]]"}),
		"more than 16 of"));
	assert_string_equal(b->fault.tag, "too-big");
}

static void defaults_are_shown_as_asked(void **state)
{
	struct engine_bench *b = *state;
	struct engine_query q = {.xpath = G "/trunks/trunk[name='a']/admin-state", .format = ENGINE_XML};

	assert_null(strstr(print(b, &q), "admin-state"));
	q.defaults = ENGINE_REPORT_ALL;
	assert_non_null(strstr(print(b, &q), "<admin-state>up</admin-state>"));
	q.defaults = ENGINE_REPORT_ALL_TAGGED;
	assert_non_null(
		strstr(print(b, &q), "<admin-state xmlns:ncwd=\"urn:ietf:params:xml:ns:netconf:default:1.0\" "
				     "ncwd:default=\"true\">up</admin-state>"));
	q.defaults = ENGINE_TRIM;
	assert_int_equal(bench_set(b, b->root, q.xpath, "up"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_null(strstr(print(b, &q), "admin-state"));
	q.defaults = ENGINE_EXPLICIT;
	assert_non_null(strstr(print(b, &q), "<admin-state>up</admin-state>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_the_defaults_hold),
		cmocka_unit_test(a_commit_needs_the_right_to_what_it_changes),
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
		cmocka_unit_test(a_confirmation_needs_the_right_to_what_waits),
		cmocka_unit_test(rules_and_defaults),
		cmocka_unit_test(operations_are_called_or_not),
		cmocka_unit_test(groups_of_the_system_count),
		cmocka_unit_test(what_may_not_be_read_is_not_found_by_filters),
		cmocka_unit_test_setup_teardown(subtree_filters_select, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(xpath_filters_select, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_filter_costs_what_the_tree_is_large, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(defaults_are_shown_as_asked, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
