/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srtpgw-netconf from hello to its end, over pipes as sshd gives it, with an engine that says what the test
 * wants: what a client gets, and what happens when either side is not what it should be.
 */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/netconf_rig.h"

#define OK "{\"ok\":true,\"data\":{}}\n"
#define HELLO                                                                                                \
	{                                                                                                    \
		"hello", RIG_ENGINE_HELLO                                                                    \
	}
#define END                                                                                                  \
	{                                                                                                    \
		NULL, NULL                                                                                   \
	}
#define GET_CONFIG "<get-config><source><running/></source></get-config>"
#define RPC(id, operation) "<rpc message-id=\"" id "\" " RIG_BASE ">" operation "</rpc>"

static const struct rig_answer usual[] = {
	HELLO,
	{"get-config", "{\"ok\":true,\"data\":\"<gateway xmlns=\\\"urn:srtpgw:yang:srtp-gateway\\\"/>\"}\n"},
	{"edit-config", OK},
	{"commit", "{\"ok\":true,\"data\":{\"commit\":3},\"warnings\":[\"a certificate expires soon\"]}\n"},
	{"lock", "{\"error\":{\"tag\":\"lock-denied\",\"type\":\"protocol\",\"path\":\"\",\"message\":"
		 "\"locked\","
		 "\"info\":{\"session-id\":7}}}\n"},
	END,
};

static void a_session(bool chunked)
{
	struct rig r;

	rig_open(&r, usual, chunked);
	rig_ask(&r, GET_CONFIG, "<data><gateway xmlns=\"urn:srtpgw:yang:srtp-gateway\"/></data>");
	rig_ask(&r, "<edit-config><target><candidate/></target><config/></edit-config>",
		"><ok/></rpc-reply>");
	rig_ask(&r, "<commit/>", "><ok/></rpc-reply>");
	rig_ask(&r, "<lock><target><running/></target></lock>",
		"<error-info><session-id>7</session-id></error-info>");
	rig_ask(&r, "<close-session/>", "<ok/>");
	assert_int_equal(rig_end(&r), 0);
	assert_string_equal(r.stderr_text, "");
}

static void from_hello_to_close(void **state)
{
	(void)state;
	a_session(false);
	a_session(true);
}

/* As `ssh -s HOST netconf <FILE` does: everything at once, then the end of input. */
static void requests_in_one_write_are_answered_in_order(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, usual, NULL, NULL);
	rig_write(&r, STR(RIG_HELLO_1_0 "]]>]]>\n" RPC("1", GET_CONFIG) "]]>]]>\n" RPC(
			      "2", "<commit/>") "]]>]]>\n" RPC("3", GET_CONFIG) "]]>]]>\n"));
	rig_close_input(&r);
	assert_non_null(strstr(rig_receive(&r), "<hello"));
	assert_non_null(strstr(rig_receive(&r), "message-id=\"1\"><data>"));
	assert_non_null(strstr(rig_receive(&r), "message-id=\"2\"><ok/>"));
	assert_non_null(strstr(rig_receive(&r), "message-id=\"3\"><data>"));
	assert_int_equal(rig_end(&r), 0);
}

static void notifications_come_in_between(void **state)
{
	static const struct rig_answer script[] = {
		HELLO,
		{"subscribe", OK "{\"notification\":{\"event-time\":\"2026-11-20T00:00:00Z\",\"data\":\"<a "
				 "xmlns=\\\"x\\\"/>\"}}\n"},
		{"get-config", "{\"notification\":{\"event-time\":\"2026-11-20T00:00:01Z\",\"data\":\"<b "
			       "xmlns=\\\"x\\\"/>\"}}\n{\"ok\":true,\"data\":\"\"}\n"},
		END,
	};
	struct rig r;

	(void)state;
	rig_open(&r, script, true);
	rig_ask(&r, "<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\"/>",
		"<ok/>");
	assert_non_null(strstr(rig_receive(&r),
		"<notification xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\">"
		"<eventTime>2026-11-20T00:00:00Z</eventTime><a xmlns=\"x\"/></notification>"));
	rig_send(&r, RPC("5", GET_CONFIG));
	assert_non_null(strstr(rig_receive(&r), "<b xmlns=\"x\"/>"));
	assert_non_null(strstr(rig_receive(&r), "message-id=\"5\"><data></data>"));
	rig_close_input(&r);
	assert_int_equal(rig_end(&r), 0);
}

static void mistakes_leave_the_session_alone(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, usual, true);
	rig_send(&r, "<rpc " RIG_BASE "><get/></rpc>");
	assert_non_null(strstr(rig_receive(&r), "<bad-attribute>message-id</bad-attribute>"));
	rig_send(&r, "garbage");
	assert_non_null(strstr(rig_receive(&r), "<error-tag>malformed-message</error-tag>"));
	rig_send(&r, "<!DOCTYPE rpc [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" RPC("1", "<get>&x;</get>"));
	assert_non_null(strstr(rig_receive(&r), "<error-tag>malformed-message</error-tag>"));
	rig_send(&r, RIG_HELLO_1_1);
	assert_non_null(strstr(rig_receive(&r), "<error-tag>malformed-message</error-tag>"));
	rig_ask(&r, "<reboot/>", "<error-tag>operation-not-supported</error-tag>");
	rig_ask(&r, GET_CONFIG, "<data>");
	rig_close_input(&r);
	assert_int_equal(rig_end(&r), 0);

	/* base:1.0 has no malformed-message; an end marker alone is an empty message there. */
	rig_open(&r, usual, false);
	rig_write(&r, STR("]]>]]>"));
	assert_non_null(strstr(rig_receive(&r), "<error-tag>operation-failed</error-tag>"));
	rig_ask(&r, GET_CONFIG, "<data>");
	rig_close_input(&r);
	assert_int_equal(rig_end(&r), 0);
}

static void what_is_no_netconf_ends_the_session(void **state)
{
	static const char *const hellos[] = {
		"GET / HTTP/1.1\r\n\r\n]]>]]>",
		"]]>]]>",
		RPC("1", "<get/>") "]]>]]>",
		"<hello " RIG_BASE "/>]]>]]>",
		"<hello " RIG_BASE "><capabilities/></hello>]]>]]>",
		"<hello><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability></"
		"capabilities></hello>]]>]]>",
		"<hello " RIG_BASE "><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability>"
		"</capabilities><session-id>1</session-id></hello>]]>]]>",
	};
	static const char *const frames[] = {"\n##\n", "\n#0\n", "\n#99999999999\n<rpc/>\n##\n", "\n#x\n",
		RPC("1", "<get/>") "]]>]]>", "\n#3\nabcdef"};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof hellos / sizeof hellos[0]; i++) {
		rig_start(&r, usual, NULL, NULL);
		rig_receive(&r);
		rig_write(&r, str_z(hellos[i]));
		assert_int_equal(rig_end(&r), 3);
		assert_non_null(strstr(r.stderr_text, "hello"));
	}
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		rig_open(&r, usual, true);
		rig_write(&r, str_z(frames[i]));
		assert_int_equal(rig_end(&r), 3);
		assert_non_null(strstr(r.stderr_text, "framing"));
	}
}

static void silence_ends(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, usual, "--hello-timeout", "1");
	rig_receive(&r);
	assert_int_equal(rig_end(&r), 3);
	assert_string_equal(r.stderr_text, "srtpgw-netconf: the client sent no <hello> in time\n");
}

/* An edit-config with this many octets of configuration. */
static char *large_edit(size_t octets, char c)
{
	struct text t = {0};
	char *fill = malloc(octets + 1);

	memset(fill, c, octets);
	fill[octets] = 0;
	text_fmt(&t,
		RPC("8", "<edit-config><target><candidate/></target><config><a "
			 "xmlns=\"x\"><b>%s</b></a></config>"
			 "</edit-config>"),
		fill);
	free(fill);
	return t.p;
}

static void large_messages(void **state)
{
	char *ten = large_edit(10 << 20, 'x'), *seventeen = large_edit(17 << 20, 'x');
	char *quotes = large_edit(9 << 20, '"'); /* JSON writes two octets for one */
	struct rig r;

	(void)state;
	rig_open(&r, usual, true);
	rig_send(&r, ten);
	assert_non_null(strstr(rig_receive(&r), "message-id=\"8\"><ok/>"));
	rig_send(&r, quotes);
	assert_non_null(strstr(rig_receive(&r), "<error-tag>too-big</error-tag>"));
	rig_ask(&r, GET_CONFIG, "<data>");
	rig_send(&r, seventeen);
	assert_non_null(strstr(rig_receive(&r), "<error-tag>too-big</error-tag>"));
	assert_int_equal(rig_end(&r), 3);
	free(ten);
	free(seventeen);
	free(quotes);
}

static void without_an_engine(void **state)
{
	static const struct rig_answer refuses[] = {
		{"hello",
			"{\"error\":{\"tag\":\"access-denied\",\"message\":\"no more than 64 sessions\"}}\n"},
		END};
	static const struct rig_answer mute[] = {{"hello", ""}, END};
	static const struct rig_answer other[] = {{"hello", "220 mail.example.com ESMTP\n"}, END};
	struct rig r;

	(void)state;
	rig_start(&r, NULL, NULL, NULL);
	assert_int_equal(rig_end(&r), 4);
	assert_non_null(strstr(r.stderr_text, "no gateway is running at "));
	assert_ptr_equal(strchr(r.stderr_text, '\n'), r.stderr_text + strlen(r.stderr_text) - 1);
	rig_start(&r, refuses, NULL, NULL);
	assert_int_equal(rig_end(&r), 3);
	assert_string_equal(r.stderr_text, "srtpgw-netconf: no more than 64 sessions\n");
	rig_start(&r, mute, NULL, NULL);
	assert_int_equal(rig_end(&r), 4);
	rig_start(&r, other, NULL, NULL);
	assert_int_equal(rig_end(&r), 4);
	assert_non_null(strstr(r.stderr_text, "not a gateway"));
}

static void the_engine_goes(void **state)
{
	static const struct rig_answer script[] = {
		HELLO, {"commit", "{\"ok\":tr"}, {"discard-changes", OK "{}"}, END};
	struct rig r;

	(void)state;
	/* In the middle of an answer: who waits is told. */
	rig_open(&r, script, true);
	rig_ask(&r, "<commit/>",
		"<error-message xml:lang=\"en\">the gateway ended the session</error-message>");
	assert_int_equal(rig_end(&r), 4);
	/* Between two requests, as kill-session does. */
	rig_open(&r, script, true);
	rig_ask(&r, "<discard-changes/>", "<ok/>");
	assert_int_equal(rig_end(&r), 4);
	assert_string_equal(r.stderr_text, "srtpgw-netconf: the gateway ended the session\n");
}

static void answers_that_are_none(void **state)
{
	static const struct rig_answer script[] = {HELLO, {"get-config", "{\"ok\":true,\"data\":{}}\n"}, END};
	struct rig r;

	(void)state;
	rig_open(&r, script, true);
	rig_ask(&r, GET_CONFIG, "<error-tag>operation-failed</error-tag>");
	rig_close_input(&r);
	assert_int_equal(rig_end(&r), 0);
}

/* The client's connection breaks while the engine works: the process must not stay. */
static void the_client_goes(void **state)
{
	static const struct rig_answer script[] = {HELLO, {"commit", NULL}, END};
	struct rig r;

	(void)state;
	rig_open(&r, script, true);
	rig_send(&r, RPC("1", "<commit/>"));
	rig_hang_up(&r);
	assert_int_equal(rig_end(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_hello_to_close),
		cmocka_unit_test(requests_in_one_write_are_answered_in_order),
		cmocka_unit_test(notifications_come_in_between),
		cmocka_unit_test(mistakes_leave_the_session_alone),
		cmocka_unit_test(what_is_no_netconf_ends_the_session),
		cmocka_unit_test(silence_ends),
		cmocka_unit_test(large_messages),
		cmocka_unit_test(without_an_engine),
		cmocka_unit_test(the_engine_goes),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(the_client_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
