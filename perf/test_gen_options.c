/* SPDX-License-Identifier: Apache-2.0 */
/* What srtpgw-gen takes on its command line, and what it says of what it does not. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "perf/gen_options.h"
#include "tests/support/words.h"

#define WORDS 16

static int parse(const char *line, struct gen_options *o, struct err *err)
{
	static char text[256];
	char *argv[WORDS] = {"srtpgw-gen"};

	snprintf(text, sizeof(text), "%s", line);
	return gen_options_parse(words_of(text, argv, 1, WORDS), argv, o, err);
}

static void test_what_it_takes(void **state)
{
	struct gen_options o;
	struct err err = {""};

	(void)state;
	assert_int_equal(parse("", &o, &err), 0);
	assert_int_equal(o.conf.sessions, 1000);
	assert_int_equal(o.conf.out, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(
		parse("--calls 7 --in AES_CM_128_HMAC_SHA1_32 --out RTP --media mix --rtcp 250 --loss 0.5 "
		      "--reorder 2,8",
			&o, &err),
		0);
	assert_int_equal(o.conf.sessions, 7);
	assert_int_equal(o.conf.in, SRTP_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(o.conf.out, SRTP_SUITE_NONE);
	assert_int_equal(o.conf.media, GEN_MIX);
	assert_int_equal(o.conf.rtcp, 250);
	assert_true(o.conf.impair.loss == 0.5 && o.conf.impair.reorder == 2);
	assert_int_equal(o.conf.impair.depth, 8);
	assert_int_equal(
		parse("--port net_a,x=y --port net_b --program /run/x --pps 1e5 --tolerate 0.1", &o, &err),
		0);
	assert_string_equal(o.ports[0], "net_a,x=y");
	assert_string_equal(o.ports[1], "net_b");
	assert_true(o.pps == 1e5 && o.tolerate == 0.1);
	assert_false(o.conf.ipv6[0] || o.conf.ipv6[1]);
	assert_int_equal(parse("--ipv6 --rtcp 5 --rtcp-replay 2 --rtcp-reorder 1,9", &o, &err), 0);
	assert_true(o.conf.ipv6[0] && o.conf.ipv6[1]);
	assert_true(o.conf.impair_rtcp.replay == 2 && o.conf.impair_rtcp.reorder == 1 &&
		    o.conf.impair.replay == 0);
	assert_int_equal(o.conf.impair_rtcp.depth, 9);
	assert_int_equal(parse("--ipv6-out", &o, &err), 0);
	assert_true(!o.conf.ipv6[0] && o.conf.ipv6[1]);
	assert_int_equal(parse("--write /tmp/x --mac 02:00:5e:00:00:0a", &o, &err), 0);
	assert_int_equal(o.conf.gateway_mac[0][5], 10);
	assert_int_equal(o.conf.gateway_mac[1][2], 0x5e);
}

static void test_what_it_does_not(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {{"--loss 91", "--loss"}, {"--loss x", "'x'"}, {"--forge -1", "--forge"},
		{"--replay 1,2", "'1,2'"}, {"--reorder 1,0", "--reorder"}, {"--reorder 1,33", "'1,33'"},
		{"--reorder 1;2", "'1;2'"}, {"--media g722", "g722"}, {"--in AES", "AES"},
		{"--calls", "--calls needs a value"}, {"--speed 1", "--speed"}, {"now", "'now'"},
		{"--port net_a", "--program"}, {"--program /run/x", "--flows"}, {"--pps 5", "--port"},
		{"--port a --port b --port c --program /run/x", "'c'"}, {"--check /tmp/x", "--flows"},
		{"--flows /tmp/x", "--check"}, {"--flows /tmp/x --write /tmp/y --ipv6", "--ipv6"},
		{"--rtcp-forge 1", "--rtcp N"}, {"--rtcp 5 --rtcp-loss 91", "--rtcp-loss"},
		{"--mac 1:2:3", "--mac"}, {"--first 4294967296", "--first"}};
	struct gen_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {""};

		assert_int_equal(parse(rows[i].line, &o, &err), -EINVAL);
		if (!strstr(err.text, rows[i].said))
			fail_msg("%s: %s", rows[i].line, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_takes),
		cmocka_unit_test(test_what_it_does_not),
	};

	return cmocka_run_group_tests_name("gen_options", tests, NULL, NULL);
}
