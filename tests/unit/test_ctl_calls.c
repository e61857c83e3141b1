/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of calls that are longer than an answer may be, and the live view of the gateway. */
#include "tests/unit/ctl_double.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/calls.h"
#include "ctl/refresh.h"

#define CALL(id, more)                                                                                       \
	"{\"id\":\"" id                                                                                      \
	"\",\"state\":\"established\",\"start-time\":\"2026-11-20T13:00:00Z\",\"leg\":[{\"side\":\"a\","     \
	"\"media\":\"srtp\",\"suite\":\"srtp-gateway:AEAD_AES_256_GCM\",\"rx\":{\"packets\":\"5\"}}]" more   \
	"}"
#define CALLS(list) "{\"srtp-gateway:calls\":{\"call\":[" list "]}}"

/* An answer of the double with the calls from first to last. */
static char *page(unsigned first, unsigned last)
{
	char *text = malloc(256 * (last - first + 2));
	size_t n = (size_t)sprintf(text, "{\"ok\":true,\"data\":{\"srtp-gateway:calls\":{\"call\":[");

	for (unsigned i = first; i <= last; i++)
		n += (size_t)sprintf(text + n, "%s{\"id\":\"%08x\",\"state\":\"ringing\",\"from\":\"f%u\"}",
			i > first ? "," : "", i, i);
	strcpy(text + n, "]}}}\n");
	return text;
}

/* 1,203 calls: the pages are asked for from the newest on, each after the oldest that was seen. */
static void all_calls_are_pages_put_together(void **state)
{
	(void)state;
	char *newest = page(704, 1203), *middle = page(204, 703), *oldest = page(1, 203);
	const struct line script[] = {{"\"after\":\"000002c0\"", middle}, {"\"after\":\"000000cc\"", oldest},
		{"calls/call", newest}, {"calls/active", OK("{\"srtp-gateway:calls\":{\"active\":1203}}")},
		{"calls/total", OK("{\"srtp-gateway:calls\":{\"total\":\"5000\"}}")}, {NULL, NULL}};

	assert_int_equal(CALLS_PAGE, 500);
	assert_int_equal(run(script, "show calls --all"), CTL_OK);
	expect_output("\n00000001  ringing  f1 ");
	expect_output("\n000004b3  ringing  f1203 ");
	assert_true(strstr(output, "00000001") < strstr(output, "000000cc"));
	assert_true(strstr(output, "000000cc") < strstr(output, "000004b3"));
	expect_output("\n1203 active, 5000 since start\n");
	assert_null(strstr(output, "shows more"));
	free(newest);
	free(middle);
	free(oldest);
}

static void a_limit_is_kept_and_named(void **state)
{
	(void)state;
	static const struct line script[] = {{"calls/call", OK(CALLS(CALL("0a", "") "," CALL("0b", "")))},
		{"", "{\"ok\":true}\n"}, {NULL, NULL}};

	assert_int_equal(run(script, "show calls --limit 2 --state established"), CTL_OK);
	expect_request("{\"xpath\":\"/srtp-gateway:calls/call[state='established']\",\"limit\":2}");
	assert_string_equal(output,
		"ID  STATE        FROM  TO  INGRESS  EGRESS  DURATION  SUITE-A           SUITE-B  REASON\n"
		"0a  established  -     -   -        -              -  AEAD_AES_256_GCM  -        -\n"
		"0b  established  -     -   -        -              -  AEAD_AES_256_GCM  -        -\n"
		"the newest 2: --limit N or --all shows more\n");
	assert_int_equal(run(script, "show calls --limit 0"), CTL_USAGE);
	assert_int_equal(run(script, "show calls --limit 2 --all"), CTL_USAGE);
	expect_errors("do not go together");
	assert_int_equal(run(script, "show calls --all --watch"), CTL_USAGE);
}

static void a_trunks_calls_came_from_it_or_went_to_it(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"[ingress-trunk='core']", OK(CALLS(CALL("0c", ",\"ingress-trunk\":\"core\"")))},
		{"[egress-trunk='core']", OK(CALLS(CALL("0b", ",\"ingress-trunk\":\"x\"") "," CALL(
						  "0c", ",\"ingress-trunk\":\"core\"")))},
		{"", "{\"ok\":true}\n"}, {NULL, NULL}};
	json_t *root;

	assert_int_equal(run(script, "show calls --trunk core"), CTL_OK);
	assert_true(strstr(output, "\n0b ") && strstr(output, "\n0b ") < strstr(output, "\n0c "));
	assert_null(strstr(strstr(output, "\n0c ") + 1, "\n0c "));
	assert_int_equal(run(script, "show calls --trunk core --json"), CTL_OK);
	root = json_loads(output, 0, NULL);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(root, "srtp-gateway:calls"), "call")), 2);
	json_decref(root);
	assert_int_equal(run(script, "show calls --trunk a'b\"c"), CTL_USAGE);
}

static void no_calls_are_an_empty_list(void **state)
{
	(void)state;
	static const struct line script[] = {{"", OK("{}")}, {NULL, NULL}};
	json_t *root;

	assert_int_equal(run(script, "show calls --all --json"), CTL_OK);
	root = json_loads(output, 0, NULL);
	assert_non_null(root);
	json_decref(root);
	assert_int_equal(run(script, "show calls --all"), CTL_OK);
	assert_int_equal(run(NULL, "show calls --all --json"), CTL_UNREACHABLE);
	assert_string_equal(output, "");
}

/* The double's numbers stand still: no rate is made up of them. */
static void the_gateway_is_watched(void **state)
{
	(void)state;
	static const struct line script[] = {
		{"statistics", OK("{\"srtp-gateway:statistics\":{\"version\":\"1.0\",\"uptime\":\"75.2\","
				  "\"calls\":{\"active\":3,\"total\":\"9\","
				  "\"rejected\":\"1\"},\"sip\":{\"rx-messages\":\"70\"},\"data-plane\":{"
				  "\"connected\":true,\"port\":\"af_xdp\","
				  "\"backend\":\"ipsec-mb\",\"sessions\":3,\"rx\":{\"packets\":\"100\"}}}}")},
		{"trunks", OK("{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"core\","
			      "\"state\":{\"oper-state\":\"up\","
			      "\"active-calls\":3,\"total-calls\":\"9\",\"last-rejection\":\"486 "
			      "\\u001b\"}}]}}}")},
		{"calls", OK(CALLS(CALL("0a", "")))}, {NULL, NULL}};

	assert_int_equal(run(script, "watch --interval 0.1 --rounds 2"), CTL_OK);
	expect_output("srtpgw 1.0  up 75 s");
	expect_output("calls  3 now, 0.0/s new");
	expect_output("media  af_xdp, ipsec-mb, 3 sessions  rx 0 packets/s");
	expect_output("core   up         3    0.0        0.0        -  486 ?\n");
	expect_output("AEAD_AES_256_GCM   5");
	assert_null(strchr(output, '\033'));
	assert_non_null(strstr(strstr(output, "srtpgw 1.0") + 1, "srtpgw 1.0"));
	assert_int_equal(run(script, "watch --rounds 1 --json"), CTL_OK);
	expect_output("{\"srtp-gateway:statistics\":");
	expect_output("\"srtp-gateway:calls\":");
}

static void a_gateway_without_media_is_watched_and_its_end_is_an_error(void **state)
{
	(void)state;
	static const struct line bare[] = {{"", OK("{}")}, {NULL, NULL}},
				 gone[] = {{"get", ""}, {NULL, NULL}};

	assert_int_equal(run(bare, "watch --rounds 1"), CTL_OK);
	expect_output("the data plane is not connected");
	assert_int_equal(run(gone, "watch"), CTL_UNREACHABLE);
	assert_int_equal(run(bare, "watch --interval 0"), CTL_USAGE);
}

/* Lines that are longer or more than the screen would scroll it. */
static void a_screen_is_never_overfull(void **state)
{
	(void)state;
	char text[64] = "";
	FILE *to = fmemopen(text, sizeof text, "w");

	refresh_clip("abcdef\nJos\u00e9phine\nthird\nfourth\n", 3, 4, to);
	fclose(to);
	assert_string_equal(text, "abcd\nJos\u00e9\nthir");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_calls_are_pages_put_together),
		cmocka_unit_test(a_limit_is_kept_and_named),
		cmocka_unit_test(a_trunks_calls_came_from_it_or_went_to_it),
		cmocka_unit_test(no_calls_are_an_empty_list),
		cmocka_unit_test(the_gateway_is_watched),
		cmocka_unit_test(a_screen_is_never_overfull),
		cmocka_unit_test(a_gateway_without_media_is_watched_and_its_end_is_an_error),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
