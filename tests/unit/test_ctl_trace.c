/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgwctl trace: the ladder that an operator reads. */
#include "tests/unit/ctl_double.h"

#include <string.h>

#define MESSAGE(time, leg, direction, remote, text)                                                          \
	"{\"time\":\"2026-11-20T13:00:0" time "Z\",\"leg\":\"" leg "\",\"direction\":\"" direction           \
	"\",\"transport\":\"tls\",\"remote\":\"" remote "\",\"text\":\"" text "\"}"
#define INVITE "INVITE sip:1@h SIP/2.0\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\n\\r\\n"

static void a_call_is_drawn_between_its_sides(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"{\"call\":\"0a\"}",
			OK("{\"messages\":[" MESSAGE("0.125", "a", "in", "192.0.2.10:5061",
				"INVITE sip:1@h SIP/2.0\\r\\nCSeq: 1 "
				"INVITE\\r\\n\\r\\nv=0\\r\\n") "," MESSAGE("0.130", "b", "out",
				"10.20.0.10:5060", INVITE) "," MESSAGE("0.200", "b", "in", "10.20.0.10:5060",
				"SIP/2.0 486 Busy Here\\r\\nCSeq: 1 INVITE\\r\\nReason: "
				"SIP;cause=486;text=\\\"on \\u001b the "
				"phone\\\"\\r\\n\\r\\n") "," MESSAGE("0.201", "b", "out", "10.20.0.10:5060",
				"ACK sip:1@h SIP/2.0\\r\\nCSeq: 1 ACK\\r\\n\\r\\n") "]}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "trace 0a"), CTL_OK);
	assert_string_equal(output,
		"               192.0.2.10:5061 tls                gateway                            "
		"10.20.0.10:5060 tls\n"
		"13:00:00.125   |----------- INVITE SDP ---------->|                                  |\n"
		"13:00:00.130   |                                  |------------- INVITE ------------>|\n"
		"13:00:00.200   |                                  |<-------- 486 Busy Here ----------|\n"
		"                   reason: on ? the phone\n"
		"13:00:00.201   |                                  |-------------- ACK -------------->|\n");
}

static void a_refused_request_has_one_side(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"trace", OK("{\"messages\":[{\"time\":\"2026-11-20T13:00:00.125Z\",\"direction\":\"in\","
			     "\"transport\":\"udp\",\"remote\":\"192.0.2.10:5060\",\"text\":\"" INVITE "\"},"
			     "{\"time\":\"2026-11-20T13:00:00.126Z\",\"direction\":\"out\",\"transport\":"
			     "\"udp\","
			     "\"remote\":\"192.0.2.10:5060\",\"text\":\"SIP/2.0 403 Forbidden\\r\\nCSeq: 1 "
			     "INVITE\\r\\n"
			     "Warning: 399 srtpgw \\\"no trunk\\\"\\r\\n\\r\\n\"}]}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "trace x@y"), CTL_OK);
	expect_output("192.0.2.10:5060 udp ");
	expect_output("|------------- INVITE ------------>|\n");
	expect_output("|<-------- 403 Forbidden ----------|\n");
	expect_output("reason: no trunk\n");
}

static void full_shows_the_messages_and_json_the_data(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"trace", OK("{\"messages\":[" MESSAGE("0.125", "a", "in", "h", INVITE) "]}")}, {NULL, NULL}};

	assert_int_equal(run(script, "trace x --full"), CTL_OK);
	expect_output("                   INVITE sip:1@h SIP/2.0\n                   Call-ID: x\n");
	assert_int_equal(run(script, "trace x --json"), CTL_OK);
	expect_output("\"messages\": [");
}

/* Whatever stands in the messages: nothing but lines, nothing that moves the cursor. */
static void strange_messages_do_no_harm(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"trace", OK("{\"messages\":[" MESSAGE("0.1", "a", "in", "h", "") "," MESSAGE("0.1", "a",
				  "in", "h",
				  "SIP/2.0 \\u001b[2J\\u009b and a reason phrase that is much too long for "
				  "its lane") "," MESSAGE("0.1", "b", "out", "h",
				  "SIP/2.0 200 a reason phrase that is too long\\r\\nCSeq: 1 "
				  "AMETHODTHATISLONGERTHANALLTHATARE\\r\\n\\r\\nv=0") ",{},7]}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "trace x --full"), CTL_OK);
	assert_null(strchr(output, '\033'));
	expect_output("|--- ?[2J?? and");
}

static void a_call_that_is_not_there_is_refused(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"trace", "{\"error\":{\"path\":\"\",\"message\":\"no messages of call 'x' are kept\"}}\n"},
		{NULL, NULL}};

	assert_int_equal(run(script, "trace x"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: no messages of call 'x' are kept\n");
	assert_int_equal(run(script, "trace"), CTL_USAGE);
	expect_errors("which call?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_drawn_between_its_sides),
		cmocka_unit_test(a_refused_request_has_one_side),
		cmocka_unit_test(full_shows_the_messages_and_json_the_data),
		cmocka_unit_test(strange_messages_do_no_harm),
		cmocka_unit_test(a_call_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
