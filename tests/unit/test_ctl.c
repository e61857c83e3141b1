/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srtpgwctl against a gateway that says what the test wants: what an operator reads, what a script gets, and
 * what happens when the other end is not what it should be.
 */
#include "tests/unit/ctl_double.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define CALL(legs)                                                                                           \
	"{\"id\":\"c1\",\"state\":\"established\",\"from\":\"alice\",\"to\":\"+4930\",\"ingress-trunk\":"    \
	"\"carrier\","                                                                                       \
	"\"egress-trunk\":\"core\",\"start-time\":\"2026-11-20T13:00:00.000Z\",\"duration\":\"75.2\","       \
	"\"leg\":[" legs "]}"
#define LEGS                                                                                                 \
	"{\"side\":\"a\",\"trunk\":\"carrier\",\"media\":\"srtp\","                                          \
	"\"suite\":\"srtp-gateway:AEAD_AES_256_GCM\",\"rx\":{\"packets\":\"1500\","                          \
	"\"lost\":\"-2\",\"jitter\":\"1.25\",\"auth-failures\":\"3\",\"replays\":\"4\"}},"                   \
	"{\"side\":\"b\",\"trunk\":\"core\",\"media\":\"rtp\"}"
#define REFUSED                                                                                              \
	"{\"id\":\"c2\",\"state\":\"refused\",\"from\":\"mallory\",\"to\":\"1\",\"ingress-trunk\":\"core\"," \
	"\"duration\":\"0.0\",\"end-reason\":\"488 SRTP required\"}"
#define CALLS(list) "{\"srtp-gateway:calls\":{\"active\":1,\"total\":\"7\",\"call\":[" list "]}}"

static void calls_are_a_table(void **state)
{
	(void)state;
	static const struct line script[] = {{"\"get\"", OK(CALLS(CALL(LEGS) "," REFUSED))}, {NULL, NULL}};

	assert_int_equal(run(script, "show calls"), CTL_OK);
	assert_string_equal(output,
		"ID  STATE        FROM     TO     INGRESS  EGRESS  DURATION  SUITE-A           SUITE-B  "
		"REASON\n"
		"c1  established  alice    +4930  carrier  core        1:15  AEAD_AES_256_GCM  rtp      -\n"
		"c2  refused      mallory  1      core     -           0:00  -                 -        488 "
		"SRTP required\n"
		"1 active, 7 since start\n");
	assert_string_equal(errors, "");
	expect_request("\"xpath\":\"/srtp-gateway:calls\"");
	assert_int_equal(run(script, "show calls --state ringing"), CTL_OK);
	expect_request("\"xpath\":\"/srtp-gateway:calls/call[state='ringing']\"");
}

/* How each side, or each of its transports, was protected. */
static void a_call_is_shown_with_its_associations(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"\"get\"",
			OK(CALLS(CALL(
				"{\"side\":\"a\",\"dtls\":{\"version\":\"DTLSv1.2\"},\"transport\":["
				"{\"number\":1,\"dtls\":{\"version\":\"DTLSv1.2\",\"cipher\":\"C1\"}},"
				"{\"number\":2,\"dtls\":{\"version\":\"DTLSv1.3\",\"cipher\":\"C2\"}}]},"
				"{\"side\":\"b\",\"dtls\":{\"version\":\"DTLSv1.1\"},\"ice\":{\"state\":\"nominated\"}}")))},
		{NULL, NULL}};
	const char *second, *other;

	assert_int_equal(run(script, "show call c1"), CTL_OK);
	second = strstr(output, "    dtls\n      version            DTLSv1.3\n      cipher             C2\n");
	assert_non_null(
		strstr(output, "    dtls\n      version            DTLSv1.2\n      cipher             C1\n"));
	assert_non_null(second);
	other = strstr(second, "leg b");
	assert_non_null(other);
	assert_non_null(strstr(other, "  dtls\n    version            DTLSv1.1\n"));
	assert_non_null(strstr(other, "  ice\n    state              nominated\n"));
}

static void json_is_the_gateways_data(void **state)
{
	(void)state;
	static const struct line script[] = {{"\"get\"", OK(CALLS(""))}, {NULL, NULL}};

	assert_int_equal(run(script, "show calls --json"), CTL_OK);
	json_t *root = json_loads(output, 0, NULL), *expected = json_loads(CALLS(""), 0, NULL);

	assert_non_null(root);
	assert_true(json_equal(root, expected));
	json_decref(root);
	json_decref(expected);
}

/* The demonstration's table: one row per leg, and why a call without legs is not there. */
static void the_watch_has_a_row_per_leg(void **state)
{
	(void)state;
	static const struct line script[] = {{"\"get\"", OK(CALLS(CALL(LEGS) "," REFUSED))}, {NULL, NULL}};

	assert_int_equal(run(script, "show calls --watch 0.1 --rounds 2"), CTL_OK);
	static const char rows[] =
		"CALL  STATE        LEG  TRUNK    SUITE               RX  LOST  JITTER  AUTH  REPLAY  "
		"REASON\n"
		"c1    established  a    carrier  AEAD_AES_256_GCM  1500    -2     1.2     3       4  -\n"
		"c1    established  b    core     rtp                  -     -       -     -       -  -\n"
		"c2    refused      -    core     -                    -     -       -     -       -  488 "
		"SRTP required\n"
		"\n";
	const char *first = strstr(output, rows);

	assert_non_null(first);
	assert_non_null(strstr(first + 1, rows)); /* the second round */
	assert_null(strchr(output, '\033'));      /* a file is not a terminal */

	assert_int_equal(run(script, "show calls --watch=0.1 --rounds 1 --json"), CTL_OK);
	assert_int_equal(strncmp(output, "[{\"id\":\"c1\"", 11), 0);
}

static void one_call_is_shown_in_full(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"call[id='c1']", OK("{\"srtp-gateway:calls\":{\"call\":[" CALL(LEGS) "]}}")},
		{"call[id='c2']", OK("{}")}, {NULL, NULL}};

	assert_int_equal(run(script, "show call c1"), CTL_OK);
	assert_non_null(strstr(output, "leg a, towards the caller\n"));
	assert_non_null(strstr(output, "  suite              AEAD_AES_256_GCM\n"));
	assert_non_null(strstr(output, "    auth-failures      3\n"));
	assert_non_null(strstr(output, "leg b, towards the called party\n"));
	assert_int_equal(run(script, "show call c2"), CTL_REFUSED);
	expect_errors("/srtp-gateway:calls/call[id='c2']: there is no such call");
}

static void trunks_and_stats_are_shown(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"/srtp-gateway:gateway/trunks",
			OK("{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"core\",\"realm\":"
			   "\"in\",\"srtp\":{\"mode\":\"none\"},\"state\":{\"oper-state\":\"up\","
			   "\"active-calls\":1,\"total-calls\":\"20\",\"rejected-calls\":\"3\","
			   "\"last-rejection\":\"488 SRTP required\",\"peer\":["
			   "{\"name\":\"a\",\"state\":\"up\",\"target\":[{\"address\":\"192.0.2.1:5060\","
			   "\"state\":\"up\"},{\"address\":\"192.0.2.2:5060\",\"state\":\"resting\","
			   "\"rest\":7,\"reason\":\"503\"}]},"
			   "{\"name\":\"b\",\"state\":\"no-address\",\"reason\":\"no name\"}]}}]}}}")},
		{"/srtp-gateway:statistics",
			OK("{\"srtp-gateway:statistics\":{\"version\":\"1\",\"calls\":{\"active\":1},\"data-"
			   "plane\":{\"connected\":true,\"rx\":{\"packets\":\"9\"},\"next-hops\":{\"unresolved\":3},\"verdicts\":{"
			   "\"relayed\":\"8\",\"replay\":\"0\"},\"interface\":[{\"name\":\"eth0\",\"link\":\"up\","
			   "\"link-losses\":\"1\",\"rx\":{\"packets\":\"9\",\"missed\":\"4\",\"errors\":\"5\",\"no-buffer\":"
			   "\"6\"},\"tx\":{\"packets\":\"2\",\"errors\":\"3\"}}]},\"sip\":{\"rx-messages\":\"5\"}}}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "show trunks"), CTL_OK);
	assert_string_equal(output,
		"TRUNK  STATE  REALM  SRTP  PEERS  ACTIVE  TOTAL  REJECTED  REGISTERED  LAST_REJECTION\n"
		"core   up     in     none  1/2         1     20         3  -           488 SRTP required\n"
		"\n"
		"TRUNK  PEER  ADDRESS         STATE       REST  REASON\n"
		"core   a     192.0.2.1:5060  up             -  -\n"
		"core   a     192.0.2.2:5060  resting        7  503\n"
		"core   b     -               no-address     -  no name\n");
	assert_int_equal(run(script, "show stats"), CTL_OK);
	assert_non_null(strstr(output, "  connected          yes\n"));
	assert_non_null(strstr(output, "    relayed                  8\n"));
	assert_null(strstr(output, "replay"));
	assert_non_null(strstr(output, "  next-hops\n    unresolved         3\n"));
	assert_non_null(strstr(output, "  rx-messages              5\n"));
}

/* A caller chooses its From; an operator's terminal must not obey it. */
static void what_callers_say_moves_no_cursor(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"\"get\"", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\",\"from\":"
			       "\"a\\u001b[2Jb\\u202ec\",\"to\":\"\\u009b1mJos\u00e9\\n\"}]}}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "show calls"), CTL_OK);
	assert_non_null(strstr(output, "a?[2Jb?c"));
	assert_non_null(strstr(output, "?1mJos\u00e9?"));
	assert_null(strchr(output, '\033'));
}

static void a_refusal_is_passed_on(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"\"get\"", REFUSAL("too-big", "/srtp-gateway:calls", "too many calls")}, {NULL, NULL}};

	assert_int_equal(run(script, "show call x"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: /srtp-gateway:calls: too many calls\n");
	assert_string_equal(output, "");
}

static void what_is_no_gateway_is_not_reachable(void **state)
{
	(void)state;
	static const struct line silent[] = {{"get", ""}, {NULL, NULL}},
				 half[] = {{"get", "{\"ok\":true"}, {NULL, NULL}},
				 other[] = {{"get", "220 mail.example ESMTP\n"}, {NULL, NULL}},
				 empty[] = {{"get", "{}\n"}, {NULL, NULL}};

	assert_int_equal(run(NULL, "show calls"), CTL_UNREACHABLE);
	assert_non_null(strstr(errors, "no gateway is running there"));
	assert_int_equal(run(silent, "show calls"), CTL_UNREACHABLE);
	assert_int_equal(run(half, "show stats"), CTL_UNREACHABLE);
	assert_int_equal(run(other, "show trunks"), CTL_UNREACHABLE);
	assert_non_null(strstr(errors, "is not a gateway"));
	assert_int_equal(run(empty, "show trunks"), CTL_UNREACHABLE);
	assert_int_equal(run(silent, "show calls --watch"), CTL_UNREACHABLE);
}

static void wrong_words_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *words, *says;
	} wrong[] = {
		{"", "no command"},
		{"shwo calls", "there is no command 'shwo': did you mean 'show'?"},
		{"frobnicate", "there is no command 'frobnicate': 'srtpgwctl"},
		{"show", "show what?"},
		{"show cals", "nothing called 'cals' to show: did you mean 'calls'?"},
		{"show call", "which call?"},
		{"show call a b", "'b' is too much"},
		{"show calls --jsn", "there is no option '--jsn': did you mean --json?"},
		{"show stats --watch", "--watch is for 'show calls'"},
		{"show calls --watch 0", "0.1 to 3600"},
		{"show calls --watch 1 --rounds 0", "--rounds takes"},
		{"show calls --rounds 1", "--rounds is for --watch"},
		{"show calls --socket", "--socket needs a path"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		int code = run(NULL, wrong[i].words);

		if (code != CTL_USAGE || !strstr(errors, wrong[i].says) ||
			(!strstr(errors, "usage: srtpgwctl") && !strstr(errors, "--help")))
			fail_msg("'%s': %d %s", wrong[i].words, code, errors);
	}
}

static void help_is_everywhere(void **state)
{
	(void)state;
	static const char *const words[] = {"--help", "show --help", "show calls --help", "show call -h",
		"show stats --help", "show trunks --help"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		assert_int_equal(run(NULL, words[i]), CTL_OK);
		assert_int_equal(strncmp(output, "usage: srtpgwctl", 16), 0);
		assert_string_equal(errors, "");
	}
	assert_int_equal(run(NULL, "--version"), CTL_OK);
	assert_string_equal(output, "srtpgwctl " SRTPGW_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_a_table),
		cmocka_unit_test(a_call_is_shown_with_its_associations),
		cmocka_unit_test(json_is_the_gateways_data),
		cmocka_unit_test(the_watch_has_a_row_per_leg),
		cmocka_unit_test(one_call_is_shown_in_full),
		cmocka_unit_test(trunks_and_stats_are_shown),
		cmocka_unit_test(what_callers_say_moves_no_cursor),
		cmocka_unit_test(a_refusal_is_passed_on),
		cmocka_unit_test(what_is_no_gateway_is_not_reachable),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(help_is_everywhere),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
