/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change the configuration: what they ask for, what they say, how they exit. */
#include "tests/unit/ctl_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ctl/configure.h"

static const struct line agrees[] = {
	{"\"commit\",", OK("{\"commit\":12}")},
	{"\"rollback\"", OK("{\"commit\":13}")},
	{"", "{\"ok\":true}\n"},
	{NULL, NULL},
};

static void edits_name_the_candidate(void **state)
{
	(void)state;
	char words[256];

	assert_int_equal(run(agrees, "set trunks/trunk/a/max-calls 100"), CTL_OK);
	expect_request("{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/trunks/trunk[name='a']/"
		       "max-calls\","
		       "\"value\":\"100\"}}");
	assert_string_equal(output, "");
	assert_int_equal(run(agrees, "set trunks/trunk/a"), CTL_OK);
	expect_request("\"path\":\"/srtp-gateway:gateway/trunks/trunk[name='a']\",\"value\":\"\"");
	assert_int_equal(run(agrees, "delete trunks/trunk/a"), CTL_OK);
	expect_request(
		"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/trunks/trunk[name='a']\"}}");
	assert_int_equal(run(agrees, "set -- logging/level -1"), CTL_OK);
	expect_request("\"value\":\"-1\"");
	assert_int_equal(run(agrees, "discard"), CTL_OK);
	expect_request("{\"op\":\"discard-changes\",\"args\":{}}");
	snprintf(words, sizeof words, "edit %s", file_with("{\"srtp-gateway:gateway\":{\"limits\":{}}}"));
	assert_int_equal(run(agrees, words), CTL_OK);
	expect_request("\"op\":\"edit-config\"");
	expect_request("\"target\":\"candidate\",\"default-operation\":\"merge\"");
	expect_request("\"config\":{\"srtp-gateway:gateway\":{\"limits\":{}}},\"format\":\"json\"");
	/* Who asks is told once, for the history. */
	expect_request("{\"op\":\"hello\",\"args\":{\"client\":\"cli\"}}");
}

static void files_are_json_or_xml_from_anywhere(void **state)
{
	(void)state;
	assert_int_equal(run_with_input(agrees, "edit - --replace", "\n <gateway xmlns='urn:x'/>"), CTL_OK);
	expect_request("\"default-operation\":\"replace\"");
	expect_request("\"config\":\"\\n <gateway xmlns='urn:x'/>\",\"format\":\"xml\"");
	assert_int_equal(run_with_input(agrees, "validate -", "{}"), CTL_OK);
	expect_request("{\"op\":\"validate\",\"args\":{\"config\":{},\"format\":\"json\"}}");
	assert_int_equal(run(agrees, "validate"), CTL_OK);
	expect_request("{\"op\":\"validate\",\"args\":{\"source\":\"candidate\"}}");
}

static void a_large_file_is_one_request(void **state)
{
	(void)state;
	enum { SIZE = 300000 };
	char *text = malloc(SIZE + 1);

	memset(text, ' ', SIZE);
	memcpy(text, "{\"a\":1", 6);
	strcpy(text + SIZE - 1, "}");
	assert_int_equal(run_with_input(agrees, "edit -", text), CTL_OK);
	expect_request("\"config\":{\"a\":1}");
	free(text);
}

static void comments_are_as_in_the_gateways_own_file(void **state)
{
	(void)state;
	assert_int_equal(run_with_input(agrees, "edit -", "// one\n{\n\t// two\n\"a\":\"//b\"}"), CTL_OK);
	expect_request("\"config\":{\"a\":\"//b\"}");
	assert_int_equal(run_with_input(agrees, "edit -", "// one\n{\n}}"), CTL_REFUSED);
	expect_errors(":3: not JSON");
}

static void bad_files_are_named_before_anything_is_asked(void **state)
{
	(void)state;
	char words[256];

	snprintf(words, sizeof words, "edit %s", file_with("{\"a\":1,\n\"b\":}"));
	assert_int_equal(run(agrees, words), CTL_REFUSED);
	expect_errors(":2: not JSON");
	assert_null(strstr(errors, "comma"));
	assert_null(strstr(requests, "edit-config"));
	snprintf(words, sizeof words, "edit %s", file_with("{\"a\":1,\n}"));
	assert_int_equal(run(agrees, words), CTL_REFUSED);
	expect_errors(": no comma behind the last entry");
	assert_int_equal(run_with_input(agrees, "edit -", "[]"), CTL_REFUSED);
	expect_errors("standard input: not a JSON object");
	assert_int_equal(run_with_input(agrees, "edit -", ""), CTL_REFUSED);
	assert_int_equal(run_with_input(agrees, "edit -", "<a>\xff</a>"), CTL_REFUSED);
	expect_errors("not UTF-8");
	assert_int_equal(run(agrees, "edit /nonexistent/file"), CTL_FAILED);
	assert_string_equal(errors, "srtpgwctl: /nonexistent/file: No such file or directory\n");
}

static void commits_say_what_became_of_them(void **state)
{
	(void)state;
	static const struct line waits[] = {
		{"\"commit\",", OK("{\"commit\":14,\"confirm-by\":\"2026-11-20T13:10:00Z\"}")},
		{"", "{\"ok\":true}\n"}, {NULL, NULL}};
	static const struct line same[] = {{"", OK("{}")}, {NULL, NULL}};
	static const struct line still_waits[] = {
		{"", OK("{\"confirm-by\":\"2026-11-20T13:10:00Z\"}")}, {NULL, NULL}};

	assert_int_equal(run(agrees, "commit --comment 'new carrier'"), CTL_OK);
	expect_request("{\"op\":\"commit\",\"args\":{\"comment\":\"new carrier\"}}");
	assert_string_equal(output, "commit 12\n");
	assert_int_equal(run(same, "commit"), CTL_OK);
	assert_string_equal(output, "nothing changed\n");
	assert_int_equal(run(waits, "commit --confirm 60"), CTL_OK);
	expect_request("{\"confirmed\":true,\"confirm-timeout\":60,\"persist\":\"srtpgwctl\"}");
	assert_string_equal(output,
		"commit 14\n'srtpgwctl confirm' keeps it; without that it is rolled back at "
		"2026-11-20T13:10:00Z\n");
	assert_int_equal(run(still_waits, "commit --confirm 60"), CTL_OK);
	assert_string_equal(output,
		"nothing changed\nno other commit is taken all the same before 'srtpgwctl confirm' or 'cancel'; without them it "
		"ends at 2026-11-20T13:10:00Z\n");
	assert_int_equal(run(waits, "commit --confirm --json"), CTL_OK);
	expect_request("\"confirm-timeout\":600");
	expect_output("\"confirm-by\": \"2026-11-20T13:10:00Z\"");
	assert_int_equal(run(same, "confirm"), CTL_OK);
	expect_request("{\"op\":\"commit\",\"args\":{\"persist-id\":\"srtpgwctl\",\"confirm-only\":true}}");
	assert_string_equal(output, "confirmed\n");
	assert_int_equal(run(same, "confirm --overwrite"), CTL_OK);
	expect_request("\"confirm-only\":true,\"overwrite\":true}");
	assert_int_equal(run(agrees, "commit --overwrite"), CTL_OK);
	expect_request("{\"op\":\"commit\",\"args\":{\"overwrite\":true}}");
	assert_int_equal(run(agrees, "rollback 7 --overwrite"), CTL_OK);
	expect_request("{\"commit\":7,\"overwrite\":true}");
	assert_int_equal(run(same, "cancel"), CTL_OK);
	expect_request("{\"op\":\"cancel-commit\",\"args\":{\"persist-id\":\"srtpgwctl\"}}");
	assert_string_equal(output, "rolled back\n");
	assert_int_equal(run(agrees, "rollback 7 --comment oops"), CTL_OK);
	expect_request("{\"op\":\"rollback\",\"args\":{\"commit\":7,\"comment\":\"oops\"}}");
	assert_string_equal(output, "commit 13\n");
}

static void differences_are_lines(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"\"diff\"", OK("{\"changes\":["
				"{\"operation\":\"replace\",\"path\":\"/srtp-gateway:gateway/limits/"
				"max-calls\",\"old\":\"10\",\"new\":\"20\"},"
				"{\"operation\":\"create\",\"path\":\"/srtp-gateway:gateway/trunks/"
				"trunk[name='a']\",\"new\":null},"
				"{\"operation\":\"create\",\"path\":\"/srtp-gateway:gateway/trunks/"
				"trunk[name='a']/x\",\"new\":\"a b\\u001b[2J\"},"
				"{\"operation\":\"delete\",\"path\":\"/ietf-netconf-acm:nacm/"
				"enable-nacm\",\"old\":true},"
				"{\"operation\":\"create\",\"path\":\"/srtp-gateway:gateway/"
				"x[.='5']\",\"new\":\"5\"},"
				"{\"operation\":\"move\",\"path\":\"/srtp-gateway:gateway/routing/"
				"route[name='r']\"}, {}, 5]}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "diff"), CTL_OK);
	expect_request("{\"op\":\"diff\",\"args\":{}}");
	assert_string_equal(output, "- limits/max-calls 10\n"
				    "+ limits/max-calls 20\n"
				    "+ trunks/trunk[name='a']\n"
				    "+ trunks/trunk[name='a']/x 'a b?[2J'\n"
				    "- /ietf-netconf-acm:nacm/enable-nacm true\n"
				    "+ x[.='5']\n"
				    "~ routing/route[name='r']\n");
	assert_int_equal(run(script, "diff 7 candidate"), CTL_OK);
	expect_request("{\"from\":7,\"to\":\"candidate\"}");
	assert_int_equal(run(script, "diff --json"), CTL_OK);
	expect_output("\"changes\": [");
}

static void a_terminal_gets_colours(void **state)
{
	(void)state;
	char text[200] = "";
	FILE *to = fmemopen(text, sizeof text, "w");
	json_t *changes = json_pack("[{s:s,s:s,s:s,s:s}]", "operation", "replace", "path",
		"/srtp-gateway:gateway/a", "old", "1", "new", "2");

	diff_print(changes, true, to);
	fclose(to);
	assert_string_equal(text, "\033[31m- a 1\033[0m\n\033[32m+ a 2\033[0m\n");
	json_decref(changes);
}

static void history_and_configuration_are_shown(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"\"history\"", OK("{\"commits\":[{\"commit\":2,\"time\":\"2026-11-20T13:00:00Z\",\"user\":"
				   "\"alice\",\"door\":\"cli\","
				   "\"comment\":\"new\\u0007\",\"confirmed\":false},{\"commit\":1,\"time\":"
				   "\"T\",\"user\":\"root\",\"door\":"
				   "\"file\",\"comment\":null,\"confirmed\":true},{\"commit\":0,\"time\":"
				   "\"T\",\"user\":\"root\",\"door\":\"cli\",\"confirmed\":false}]}")},
		{"\"xml\"", OK("\"<gateway/>\"")},
		{"get-config", OK("{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":10}}}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "show history"), CTL_OK);
	assert_string_equal(output, "COMMIT  TIME                  USER   DOOR  STATE   COMMENT\n"
				    "     2  2026-11-20T13:00:00Z  alice  cli   waits   new?\n"
				    "     1  T                     root   file  kept    -\n"
				    "     0  T                     root   cli   undone  -\n");
	assert_int_equal(run(script, "show config limits --source candidate --defaults"), CTL_OK);
	expect_request("{\"source\":\"candidate\",\"xpath\":\"/srtp-gateway:gateway/"
		       "limits\",\"with-defaults\":\"report-all\"}");
	expect_output("\"max-calls\": 10");
	assert_int_equal(run(script, "show config --format xml"), CTL_OK);
	expect_request("{\"source\":\"running\",\"format\":\"xml\"}");
	assert_string_equal(output, "<gateway/>\n");
}

static void what_is_not_there_is_no_configuration(void **state)
{
	(void)state;
	static const struct line none[] = {{"get-config", OK("{}")}, {NULL, NULL}},
				 some[] = {{"trunk[name='a']\"", OK("{\"srtp-gateway:gateway\":{}}")},
					 {"\"xml\"", OK("\"\"")}, {"get-config", OK("{}")}, {NULL, NULL}};

	assert_int_equal(run(none, "show config NOWHERE"), CTL_REFUSED);
	assert_string_equal(
		errors, "srtpgwctl: there is no 'NOWHERE': 'srtpgwctl show config' shows what there is\n");
	assert_string_equal(output, "");
	assert_int_equal(run(some, "show config NOWHERE --format xml"), CTL_REFUSED);
	assert_int_equal(run(none, "show config trunks/trunk/b --source candidate"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: there is no trunks/trunk[name='b'] in candidate\n");
	assert_int_equal(run(none, "show config trunks/trunk/b/max-calls"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: there is no trunks/trunk[name='b'] in running\n");
	/* What nobody has set is nothing, and no mistake. */
	assert_int_equal(run(some, "show config trunks/trunk/a/max-calls"), CTL_OK);
	assert_string_equal(output, "{}\n");
	assert_int_equal(run(none, "show config limits/max-calls"), CTL_OK);
	assert_int_equal(run(none, "show config"), CTL_OK);
}

/* A script tells a mistake in the configuration from a lock that somebody holds. */
static void errors_have_codes_a_path_and_one_line(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		int code;
		const char *says;
	} errors_of[] = {
		{REFUSAL("invalid-value", "/srtp-gateway:gateway/limits/max-calls", "not a number"),
			CTL_REFUSED, "srtpgwctl: /srtp-gateway:gateway/limits/max-calls: not a number\n"},
		{REFUSAL("operation-failed", "/a", "port in use"), CTL_REFUSED,
			"srtpgwctl: /a: port in use\n"},
		{REFUSAL("data-missing", "", "no such commit"), CTL_REFUSED, "srtpgwctl: no such commit\n"},
		{REFUSAL("access-denied", "/a", "not you"), CTL_FAILED, "srtpgwctl: /a: not you\n"},
		{REFUSAL("in-use", "", "a commit waits: give its persist-id"), CTL_FAILED,
			"srtpgwctl: a commit waits: give its persist-id: 'srtpgwctl confirm' keeps it, "
			"'srtpgwctl "
			"cancel' undoes it\n"},
		{"{\"error\":{\"tag\":\"lock-denied\",\"message\":\"locked\",\"info\":{\"session-id\":7}}}\n",
			CTL_FAILED, "srtpgwctl: locked (session 7: 'srtpgwctl show sessions')\n"},
		{"{\"error\":{\"tag\":\"invalid-value\",\"message\":\"a\\nb\\u001b\"}}\n", CTL_REFUSED,
			"srtpgwctl: a?b?\n"},
		{"{\"error\":{}}\n", CTL_REFUSED, "srtpgwctl: refused without a reason\n"},
	};

	for (size_t i = 0; i < sizeof errors_of / sizeof errors_of[0]; i++) {
		struct line script[] = {{"commit", errors_of[i].answer}, {NULL, NULL}};

		assert_int_equal(run(script, "commit"), errors_of[i].code);
		assert_string_equal(errors, errors_of[i].says);
		assert_string_equal(output, "");
	}
	assert_int_equal(run(NULL, "commit"), CTL_UNREACHABLE);
}

static void warnings_are_shown_and_are_no_error(void **state)
{
	(void)state;
	static const struct line script[] = {{"commit", "{\"ok\":true,\"data\":{\"commit\":3},\"warnings\":["
							"\"certificate ends\\u001b soon\",4]}\n"},
		{NULL, NULL}};

	assert_int_equal(run(script, "commit"), CTL_OK);
	assert_string_equal(output, "commit 3\n");
	assert_string_equal(errors, "srtpgwctl: warning: certificate ends? soon\nsrtpgwctl: warning: ?\n");
}

static void wrong_words_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *words, *says;
	} wrong[] = {
		{"edit", "which file?"},
		{"set", "which path?"},
		{"set a b c", "'c' is too much"},
		{"delete", "which path?"},
		{"set trunks/trunk[name='a 1", "does not end"},
		{"commit --confirm 0", "--confirm takes a number from 1"},
		{"commit --confirm x", "'x' is too much"},
		{"commit --comment", "--comment needs a text"},
		{"commit --trunk a", "--trunk is for"},
		{"rollback", "to which commit?"},
		{"rollback -- -1", "not the number of a commit"},
		{"rollback 99999999999999999999", "not the number of a commit"},
		{"diff yesterday", "'yesterday' is neither"},
		{"show config --source elsewhere", "--source takes one of: running candidate startup"},
		{"show config --format yaml", "--format takes one of: json xml"},
		{"show config --defaults=1", "takes no value"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		int code = run(agrees, wrong[i].words);

		if (code != CTL_USAGE || !strstr(errors, wrong[i].says) ||
			strstr(requests, "\"op\":\"commit\""))
			fail_msg("'%s': %d %s", wrong[i].words, code, errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_name_the_candidate),
		cmocka_unit_test(files_are_json_or_xml_from_anywhere),
		cmocka_unit_test(a_large_file_is_one_request),
		cmocka_unit_test(comments_are_as_in_the_gateways_own_file),
		cmocka_unit_test(bad_files_are_named_before_anything_is_asked),
		cmocka_unit_test(commits_say_what_became_of_them),
		cmocka_unit_test(differences_are_lines),
		cmocka_unit_test(a_terminal_gets_colours),
		cmocka_unit_test(history_and_configuration_are_shown),
		cmocka_unit_test(what_is_not_there_is_no_configuration),
		cmocka_unit_test(errors_have_codes_a_path_and_one_line),
		cmocka_unit_test(warnings_are_shown_and_are_no_error),
		cmocka_unit_test(wrong_words_are_named),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
