/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that act on calls and trunks, show state and follow what is reported. */
#include "tests/unit/ctl_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void actions_are_the_models(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"srtp-gateway:drain", OK("{\"srtp-gateway:drain\":{\"remaining-calls\":3}}")},
		{"rekey-all", OK("{\"srtp-gateway:calls\":40}")}, {"\"rekey\"", OK("{\"legs\":2}")},
		{"reload-certificates", OK("{\"srtp-gateway:tls-profile\":[\"outside\\u001b\"]}")},
		{"disconnect", OK("{\"registrations\":1}")}, {"", "{\"ok\":true}\n"}, {NULL, NULL}};

	assert_int_equal(run(script, "drain --trunk core --timeout 30"), CTL_OK);
	expect_request("{\"data\":{\"srtp-gateway:drain\":{\"trunk\":\"core\",\"timeout\":30}},\"format\":"
		       "\"json\"}");
	assert_string_equal(output, "3 calls remain\n");
	assert_int_equal(run(script, "drain --json"), CTL_OK);
	expect_request("{\"srtp-gateway:drain\":{}}");
	expect_output("\"remaining-calls\": 3");
	assert_int_equal(run(script, "resume"), CTL_OK);
	expect_request("{\"srtp-gateway:resume\":{}}");
	assert_int_equal(run(script, "rekey c1"), CTL_OK);
	expect_request("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\",\"rekey\":{}}]}}");
	assert_string_equal(output, "2 sides renew their keys\n");
	assert_int_equal(run(script, "rekey --all"), CTL_OK);
	assert_string_equal(output, "40 calls renew their keys\n");
	assert_int_equal(run(script, "terminate c1 --reason 'too long'"), CTL_OK);
	expect_request("{\"id\":\"c1\",\"terminate\":{\"reason\":\"too long\"}}");
	assert_string_equal(output, "");
	assert_int_equal(run(script, "disconnect bob"), CTL_OK);
	expect_request(
		"{\"srtp-gateway:gateway\":{\"users\":{\"user\":[{\"name\":\"bob\",\"disconnect\":{}}]}}}");
	assert_string_equal(output, "1 registration ended\n");
	assert_int_equal(run(script, "reload-certificates"), CTL_OK);
	assert_string_equal(output, "another certificate: outside?\n");
}

static void a_closed_file_of_the_audit_is_named(void **state)
{
	static const struct line closed[] = {
		{"{\"srtp-gateway:audit-rotate\":{}}",
			OK("{\"srtp-gateway:file\":\"/a/b\\u001b.1\",\"srtp-gateway:last-record\":\"12\"}")},
		{NULL, NULL}};
	static const struct line empty[] = {{"", OK("{}")}, {NULL, NULL}};
	static const struct line none[] = {
		{"", REFUSAL("operation-failed", "/srtp-gateway:gateway/audit", "no audit is kept")},
		{NULL, NULL}};

	(void)state;
	assert_int_equal(run(closed, "audit rotate"), CTL_OK);
	assert_string_equal(output, "/a/b?.1 ends with record 12\n");
	assert_int_equal(run(closed, "audit rotate --json"), CTL_OK);
	expect_output("\"srtp-gateway:last-record\": \"12\"");
	assert_int_equal(run(empty, "audit rotate"), CTL_OK);
	assert_string_equal(output, "there is no record to close the file for\n");
	assert_int_equal(run(none, "audit rotate"), CTL_REFUSED);
	expect_errors("no audit is kept");
}

static void what_was_reloaded_is_one_line(void **state)
{
	(void)state;
	static const struct line both[] = {
		{"{\"srtp-gateway:reload\":{}}", OK("{\"srtp-gateway:commit\":\"12\",\"srtp-gateway:tls-"
						    "profile\":[\"outside\\u001b\",\"inside\"]}")},
		{NULL, NULL}};
	static const struct line neither[] = {{"", OK("{}")}, {NULL, NULL}};
	static const struct line mistake[] = {
		{"", REFUSAL("invalid-value", "/x", "gateway.json:2: no")}, {NULL, NULL}};
	static const struct line waits[] = {
		{"", REFUSAL("in-use", "", "a confirmed commit waits")}, {NULL, NULL}};

	assert_int_equal(run(both, "reload"), CTL_OK);
	assert_string_equal(
		output, "configuration reloaded, commit 12; certificates changed: outside?, inside\n");
	assert_int_equal(run(both, "reload --json"), CTL_OK);
	expect_output("\"srtp-gateway:commit\": \"12\"");
	assert_int_equal(run(neither, "reload"), CTL_OK);
	assert_string_equal(output, "configuration unchanged; certificates unchanged\n");
	assert_int_equal(run(mistake, "reload"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: /x: gateway.json:2: no\n");
	assert_int_equal(run(waits, "reload"), CTL_FAILED);
}

/* The command is over when the next process answers. */
static void a_restart_is_waited_for(void **state)
{
	static const struct line goes[] = {
		{"srtp-gateway:restart", OK("{\"srtp-gateway:remaining-calls\":2}") " "}, {"hello", OK("{}")},
		{"srtp-gateway:statistics",
			OK("{\"srtp-gateway:statistics\":{\"version\":\"2.0\\u001b\",\"calls\":"
			   "{\"active\":2,\"counters\":{\"recovered\":\"2\"}}}}")},
		{NULL, NULL}};
	static const struct line unseen[] = {{"srtp-gateway:restart", OK("{}") " "}, {"hello", OK("{}")},
		{"", REFUSAL("access-denied", "", "no")}, {NULL, NULL}};
	static const struct line waits[] = {
		{"restart", REFUSAL("in-use", "", "a commit waits")}, {"hello", OK("{}")}, {NULL, NULL}};
	static const struct line bad[] = {{"restart", REFUSAL("operation-failed", "", "it would not start")},
		{"hello", OK("{}")}, {NULL, NULL}};

	(void)state;
	assert_int_equal(run(goes, "restart"), CTL_OK);
	expect_request("{\"data\":{\"srtp-gateway:restart\":{}},\"format\":\"json\"}");
	assert_string_equal(output, "version 2.0? is running: 2 calls taken over\n");
	assert_int_equal(run(goes, "restart --calls end --timeout 5 --json"), CTL_OK);
	expect_request("{\"srtp-gateway:restart\":{\"calls\":\"end\",\"timeout\":5}}");
	expect_output("\"srtp-gateway:remaining-calls\": 2");
	assert_int_equal(run(unseen, "restart"), CTL_OK);
	assert_string_equal(output, "started again\n");
	assert_int_equal(run(waits, "restart"), CTL_FAILED);
	expect_errors("a commit waits");
	assert_int_equal(run(bad, "restart"), CTL_REFUSED);
	assert_int_equal(run(goes, "restart --calls lose"), CTL_USAGE);
}

/* The next process listens at another path. */
static void a_restart_is_waited_for_where_it_answers(void **state)
{
	char here[128], there[160], answer[320], managed[240];
	const struct line moves[] = {{"srtp-gateway:restart", answer}, {"hello", OK("{}")},
		{"", REFUSAL("access-denied", "", "no")}, {NULL, NULL}};

	(void)state;
	assert_int_equal(run(NULL, "restart"), CTL_UNREACHABLE);
	snprintf(here, sizeof here, "%s", getenv("SRTPGW_SOCKET"));
	snprintf(there, sizeof there, "%s.next", here);
	snprintf(answer, sizeof answer,
		OK("{\"srtp-gateway:remaining-calls\":0,\"srtp-gateway:socket\":\"%s\"}") " ", there);
	snprintf(managed, sizeof managed, "started again\nmanaged at %s from now on (--socket)\n", there);
	assert_int_equal(symlink(here, there), 0);
	int code = run(moves, "restart");

	unlink(there);
	assert_int_equal(code, CTL_OK);
	assert_string_equal(output, managed);
}

static void a_trunks_keys_are_its_calls_keys(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"[ingress-trunk='core']", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\"}]}}")},
		/* From the trunk and to it: once is enough. */
		{"[egress-trunk='core']",
			OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\",\"ingress-trunk\":\"core\"},"
			   "{\"id\":\"c2\",\"ingress-trunk\":\"other\"}]}}")},
		{"\"c1\"", OK("{\"legs\":2}")}, {"\"c2\"", REFUSAL("data-missing", "", "it has ended")},
		{NULL, NULL}};

	assert_int_equal(run(script, "rekey --trunk core"), CTL_OK);
	expect_request("/srtp-gateway:calls/call[state='established'][ingress-trunk='core']");
	assert_string_equal(output, "2 sides of 1 call renew their keys; 1 call could not\n");
	assert_int_equal(run(script, "rekey --trunk core --json"), CTL_OK);
	assert_string_equal(output, "{\"calls\": 1, \"legs\": 2, \"without-keys\": 0, \"refused\": 1}\n");
	/* Of plain RTP there is nothing to renew. */
	static const struct line plain[] = {
		{"\"op\":\"get\"", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\"}]}}")},
		{"\"c1\"", OK("{\"legs\":0}")}, {NULL, NULL}};
	static const struct line half[] = {
		{"\"op\":\"get\"", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\"}]}}")},
		{"\"c1\"", OK("{\"legs\":1}")}, {NULL, NULL}};

	assert_int_equal(run(plain, "rekey --trunk core"), CTL_OK);
	expect_output("0 sides of 0 calls renew their keys; ");
	expect_output(" no keys that can be renewed\n");
	assert_int_equal(run(half, "rekey --trunk none"), CTL_OK);
	expect_output("of 2 calls renew their keys\n");
	/* What no call can do is an error and not a number. */
	static const struct line cannot[] = {
		{"\"op\":\"get\"", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"c1\"}]}}")},
		{"\"c1\"", REFUSAL("unknown-element", "/x", "this build cannot do it")}, {NULL, NULL}};

	assert_int_equal(run(cannot, "rekey --trunk core"), CTL_REFUSED);
	assert_string_equal(errors, "srtpgwctl: /x: this build cannot do it\n");
	/* A name that there is not is no trunk without calls. */
	static const struct line nobody[] = {{"", OK("{}")}, {NULL, NULL}};
	static const struct line idle[] = {
		{"get-config",
			OK("{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"core\"}]}}}")},
		{"", OK("{}")}, {NULL, NULL}};
	static const struct line secret[] = {
		{"get-config", REFUSAL("access-denied", "", "not you")}, {"", OK("{}")}, {NULL, NULL}};

	assert_int_equal(run(nobody, "rekey --trunk none"), CTL_REFUSED);
	assert_string_equal(
		errors, "srtpgwctl: there is no trunk 'none': 'srtpgwctl show trunks' lists them\n");
	assert_string_equal(output, "");
	assert_int_equal(run(nobody, "show calls --trunk none --json"), CTL_REFUSED);
	assert_string_equal(output, "");
	assert_int_equal(run(idle, "rekey --trunk core"), CTL_OK);
	expect_output("0 sides of 0 calls");
	assert_int_equal(run(secret, "rekey --trunk core"), CTL_OK);
	assert_int_equal(run(script, "rekey"), CTL_USAGE);
	assert_int_equal(run(script, "rekey c1 --all"), CTL_USAGE);
	expect_errors("whose keys?");
}

static void state_is_a_table_with_its_configuration(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"gateway/sip", OK("{\"srtp-gateway:gateway\":{\"sip\":{\"listener\":[{\"name\":\"out\","
				   "\"transport\":\"tls\",\"address\":"
				   "\"192.0.2.1\",\"port\":5061,\"realm\":\"carriers\",\"state\":{\"oper-"
				   "state\":\"up\"}}]}}}")},
		{"gateway/media", OK("{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"m\","
				     "\"device\":\"eth0\",\"address\":[{"
				     "\"ip\":\"192.0.2.1\"},{\"ip\":\"2001:db8::1\"}],\"state\":{\"link\":\"down\",\"ports\":"
				     "100,\"ports-in-use\":4,"
				     "\"ports-exhausted\":\"0\"}}]}}}")},
		{"tls-profiles", OK("{\"srtp-gateway:gateway\":{\"tls-profiles\":{\"tls-profile\":[{\"name\":"
				    "\"p\",\"certificate\":\"/c.pem\",\"state\":{"
				    "\"subject\":\"CN=x\",\"issuer\":\"CN=ca\",\"not-after\":\"2027-01-01T00:"
				    "00:00Z\"}}]}}}")},
		{"gateway/users", OK("{\"srtp-gateway:gateway\":{\"users\":{\"user\":[{\"name\":\"bob\","
				     "\"state\":{\"registration\":[{\"id\":"
				     "\"1\",\"address\":\"192.0.2.9\",\"user-agent\":\"Fire\\u001bfox\"}]}},{"
				     "\"name\":\"eve\"}]}}}")},
		{"state/session", OK("{\"srtp-gateway:gateway\":{\"management\":{\"state\":{\"session\":[{"
				     "\"id\":7,\"user\":\"alice\",\"door\":"
				     "\"netconf\",\"source-host\":\"192.0.2.8\",\"login-time\":\"T\"}]}}}}")},
		{NULL, NULL}};

	assert_int_equal(run(script, "show listeners"), CTL_OK);
	assert_string_equal(output, "LISTENER  STATE  TRANSPORT  ADDRESS    PORT  REALM     TLS-PROFILE\n"
				    "out       up     tls        192.0.2.1  5061  carriers  -\n");
	assert_int_equal(run(script, "show media"), CTL_OK);
	assert_string_equal(output, "INTERFACE  DEVICE  ADDRESSES              LINK  PORTS  IN-USE  EXHAUSTED\n"
				    "m          eth0    192.0.2.1,2001:db8::1  down    100       4          0\n");
	assert_int_equal(run(script, "show certs"), CTL_OK);
	assert_string_equal(output, "PROFILE  NOT-AFTER             SUBJECT  ISSUER  FILE\n"
				    "p        2027-01-01T00:00:00Z  CN=x     CN=ca   /c.pem\n");
	assert_int_equal(run(script, "show users"), CTL_OK);
	assert_string_equal(output, "USER  ADDRESS    SINCE  USER-AGENT\n"
				    "bob   192.0.2.9  -      Fire?fox\n"
				    "eve   -          -      -\n");
	assert_int_equal(run(script, "show sessions"), CTL_OK);
	assert_string_equal(output, "SESSION  USER   DOOR     FROM       SINCE\n"
				    "      7  alice  netconf  192.0.2.8  T\n");
	assert_int_equal(run(script, "show sessions --json"), CTL_OK);
	expect_output("\"source-host\": \"192.0.2.8\"");
}

static void alarms_are_one_table(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"statistics/data-plane/connected | /srtp-gateway:statistics/data-plane/alarm | "
		 "/srtp-gateway:statistics/data-plane/interface-alarm",
			OK("{\"srtp-gateway:statistics\":{\"data-plane\":{\"connected\":true,"
			   "\"alarm\":[{\"worker\":1,\"kind\":\"crypto-device\",\"raised\":false,\"times\":\"3\"}],"
			   "\"interface-alarm\":[{\"interface\":\"eth0\",\"kind\":\"link-down\",\"raised\":true,"
			   "\"times\":\"1\"}]}}}")},
		{NULL, NULL}};
	static const struct line gone[] = {
		{"data-plane", OK("{\"srtp-gateway:statistics\":{\"data-plane\":{\"connected\":false}}}")}, {NULL, NULL}};

	assert_int_equal(run(script, "show alarms"), CTL_OK);
	assert_string_equal(output, "ALARM          ABOUT           STATE   TIMES\n"
				    "link-down      interface eth0  raised      1\n"
				    "crypto-device  worker 1        over        3\n");
	assert_int_equal(run(script, "show alarms --json"), CTL_OK);
	expect_output("\"link-down\"");
	static const struct line audit[] = {
		{" | /srtp-gateway:statistics/audit",
			OK("{\"srtp-gateway:statistics\":{\"audit\":{\"records\":\"9\",\"lost\":\"3\",\"file-taken\":\"2\","
			   "\"file-away\":true,\"losing\":false}}}")},
		{NULL, NULL}};

	assert_int_equal(run(audit, "show alarms"), CTL_OK);
	assert_string_equal(output, "ALARM         ABOUT  STATE   TIMES\n"
				    "file-taken    audit  over        2\n"
				    "file-away     audit  raised      2\n"
				    "records-lost  audit  over        3\n");
	assert_int_equal(run(gone, "show alarms"), CTL_OK);
	assert_string_equal(output, "ALARM       ABOUT             STATE   TIMES\n"
				    "data-plane  is not connected  raised      -\n");
}

/* What happens right behind the answer belongs to it; a line may come in any pieces. */
static void notifications_are_followed(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"subscribe", "{\"ok\":true}\n"
			      "{\"notification\":{\"event-time\":\"T1\",\"data\":{\"srtp-gateway:call-"
			      "refused\":{\"trunk\":\"core\","
			      "\"reason\":\"no \\u001b "
			      "route\",\"srtp-gateway:status\":404,\"list\":[{\"a\":true},{\"a\":\"\"}]}}}}\n"
			      "{\"notification\":{\"event-time\":\"T2\",\"data\":{\"srtp-gateway:config-"
			      "applied\":{}}}}\n"},
		{NULL, NULL}};

	assert_int_equal(run(script, "monitor --count 2"), CTL_OK);
	expect_request("{\"stream\":\"NETCONF\"}");
	assert_string_equal(output,
		"T1 call-refused trunk=core reason=\"no ? route\" status=404 a=yes a=\"\"\n"
		"T2 config-applied\n");
	assert_int_equal(
		run(script, "monitor call-refused --count 1 --json --since 2026-11-20T13:00:00Z"), CTL_OK);
	expect_request("\"start-time\":\"2026-11-20T13:00:00Z\"");
	expect_request("\"xpath\":\"/srtp-gateway:call-refused\"");
	expect_output("{\"event-time\":\"T1\"");
	assert_int_equal(
		run(script, "monitor /ietf-netconf-notifications:netconf-config-change --count 1"), CTL_OK);
	expect_request("\"xpath\":\"/ietf-netconf-notifications:netconf-config-change\"");
	assert_int_equal(run(script, "monitor call-refusd"), CTL_USAGE);
	expect_errors("there is no notification 'call-refusd'; there are: ");
}

static void the_end_of_a_gateway_ends_a_monitor(void **state)
{
	(void)state;
	static const struct line gone[] = {{"subscribe", "{\"ok\":true}\n{\"notif"}, {NULL, NULL}},
				 garbage[] = {{"subscribe", "{\"ok\":true}\n220 smtp\n"}, {NULL, NULL}},
				 refused[] = {{"subscribe", REFUSAL("access-denied", "", "not you")},
					 {NULL, NULL}};

	assert_int_equal(run(gone, "monitor"), CTL_UNREACHABLE);
	expect_errors("closed the connection");
	assert_int_equal(run(garbage, "monitor"), CTL_UNREACHABLE);
	assert_int_equal(run(refused, "monitor"), CTL_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_are_the_models),
		cmocka_unit_test(a_closed_file_of_the_audit_is_named),
		cmocka_unit_test(what_was_reloaded_is_one_line),
		cmocka_unit_test(a_restart_is_waited_for),
		cmocka_unit_test(a_restart_is_waited_for_where_it_answers),
		cmocka_unit_test(a_trunks_keys_are_its_calls_keys),
		cmocka_unit_test(alarms_are_one_table),
		cmocka_unit_test(state_is_a_table_with_its_configuration),
		cmocka_unit_test(notifications_are_followed),
		cmocka_unit_test(the_end_of_a_gateway_ends_a_monitor),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
