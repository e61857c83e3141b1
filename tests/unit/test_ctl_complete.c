/* SPDX-License-Identifier: Apache-2.0 */
/* What the shells are told may come next. */
#include "tests/unit/ctl_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct line gateway[] = {
	{"trunks/trunk", OK("{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"carrier-a\"},{"
			    "\"name\":\"core\"}]}}}")},
	{"\"get\"", OK("{\"srtp-gateway:calls\":{\"call\":[{\"id\":\"0a1\"},{\"id\":\"0b2\"}]}}")},
	{"history", OK("{\"commits\":[{\"commit\":12},{\"commit\":11}]}")},
	{NULL, NULL},
};

static void expect_candidates(const struct line *script, const char *words, const char *candidates)
{
	char line[512];

	snprintf(line, sizeof line, "complete -- %s", words);
	assert_int_equal(run(script, line), CTL_OK);
	if (strcmp(output, candidates) != 0)
		fail_msg("'%s' is completed to: %s", words, output);
	assert_string_equal(errors, "");
}

static void commands_and_options_are_offered(void **state)
{
	(void)state;
	expect_candidates(NULL, "show t", "trunks\n");
	expect_candidates(NULL, "com", "commit\n");
	expect_candidates(NULL, "show calls --st", "--state\n");
	expect_candidates(NULL, "show calls --state r", "ringing\nrefused\n");
	expect_candidates(NULL, "commit --co", "--comment\n--confirm\n");
	expect_candidates(NULL, "commit --json --he", "--help\n");
	expect_candidates(NULL, "edit ''", ":files\n");
	expect_candidates(NULL, "edit a ''", "");
	expect_candidates(NULL, "audit verify a b c d e f ''", ":files\n");
	expect_candidates(NULL, "commit ''", "");
	expect_candidates(NULL, "monitor call", "call-refused\n");
	expect_candidates(NULL, "nothing ''", "");
	expect_candidates(NULL, "nothing at all ''", "");
}

static void names_are_the_gateways(void **state)
{
	(void)state;
	expect_candidates(gateway, "show call ''", "0b2\n0a1\n");
	expect_candidates(gateway, "terminate 0b", "0b2\n");
	expect_candidates(gateway, "drain --trunk co", "core\n");
	expect_candidates(gateway, "delete trunks/trunk/c", "trunks/trunk/carrier-a/\ntrunks/trunk/core/\n");
	expect_candidates(gateway, "set routing/route/x/from-trunk ca", "carrier-a\n");
	expect_candidates(gateway, "set trunks/trunk/a/srtp/mode ''", "required\nnone\noptional\n");
	expect_candidates(gateway, "rollback 1", "12\n11\n");
	expect_candidates(gateway, "diff ''", "running\ncandidate\nstartup\n12\n11\n");
}

/* A shell is waiting: no gateway, or one that answers nonsense, is no reason to say anything. */
static void without_a_gateway_there_are_no_names(void **state)
{
	(void)state;
	static const struct line nonsense[] = {{"", OK("[1,{\"srtp-gateway:calls\":7}]")}, {NULL, NULL}},
				 hangs_up[] = {{"", ""}, {NULL, NULL}};

	expect_candidates(NULL, "show call ''", "");
	expect_candidates(nonsense, "show call ''", "");
	expect_candidates(hangs_up, "delete trunks/trunk/c", "");
	expect_candidates(nonsense, "rollback ''", "");
}

/* Runs a shell with the program in its PATH; what it prints. NULL: there is no such shell. */
static const char *shell(const char *which, const char *script)
{
	static char out[4096];
	char command[4096];

	snprintf(command, sizeof command,
		"command -v %s >/dev/null || exit 9; PATH=${SRTPGW%%/*}:$PATH exec %s -c '%s'", which, which,
		script);
	setenv("SRTPGW", SRTPGW_CTL, 1);
	setenv("SCRIPTS", SRTPGW_COMPLETION, 1);
	FILE *p = popen(command, "r");
	size_t n = fread(out, 1, sizeof out - 1, p);
	int status = pclose(p);

	out[n] = 0;
	if (status == 9 << 8)
		return NULL;
	assert_int_equal(status, 0);
	return out;
}

#define BASH(line, words, at)                                                                                \
	". \"$SCRIPTS/srtpgwctl.bash\"; COMP_LINE=\"" line                                                   \
	"\"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(" words "); COMP_CWORD=" at                               \
	"; _srtpgwctl; printf \"%s,\" \"${COMPREPLY[@]}\""

static void bash_completes(void **state)
{
	(void)state;
	const char *out = shell("bash", BASH("srtpgwctl show ca", "srtpgwctl show ca", "2"));

	if (!out)
		skip();
	assert_string_equal(out, "calls,call,");
	/* bash takes what stands behind a colon for a word of its own. */
	out = shell("bash", BASH("srtpgwctl set /srtp-gateway:gateway/limits/ring",
				    "srtpgwctl set /srtp-gateway : gateway/limits/ring", "4"));
	assert_string_equal(out, "gateway/limits/ring-timeout,");
	out = shell("bash", BASH("srtpgwctl commit ", "srtpgwctl commit \"\"", "2"));
	assert_string_equal(out, ",");
	out = shell("bash", "cd /; " BASH("srtpgwctl edit et", "srtpgwctl edit et", "2"));
	assert_string_equal(out, "etc,");
}

static void zsh_completes(void **state)
{
	(void)state;
	/* compadd works inside the line editor only: here it prints. */
	const char *out = shell("zsh",
		"compadd() { print -r -- \"$@\"; }; _files() { print files; }; words=(srtpgwctl show ca); "
		"CURRENT=3; . \"$SCRIPTS/_srtpgwctl\"; words=(srtpgwctl set lim); . "
		"\"$SCRIPTS/_srtpgwctl\"; words=(srtpgwctl edit \"\"); . \"$SCRIPTS/_srtpgwctl\"");

	if (!out)
		skip();
	assert_string_equal(out, "-Q -S  --\n-Q -- calls call\n-Q -S  -- limits/\n-Q --\nfiles\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_options_are_offered),
		cmocka_unit_test(names_are_the_gateways),
		cmocka_unit_test(without_a_gateway_there_are_no_names),
		cmocka_unit_test(bash_completes),
		cmocka_unit_test(zsh_completes),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
