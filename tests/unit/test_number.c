/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as parties write them, and the patterns of header rules: text in, text out. */
#include "tests/support/cmocka_std.h"

#include <string.h>

#include "controlplane/b2bua/route/header_set.h"
#include "controlplane/b2bua/route/number.h"

static const struct config_numbers german = {"49", "0", "00", 7, CONFIG_NUMBER_NATIONAL};
static const struct config_numbers american = {"1", "1", "011", 7, CONFIG_NUMBER_E164};
static const struct config_numbers italian = {"39", "", "00", 6, CONFIG_NUMBER_INTERNATIONAL};
static const struct config_numbers digits = {"49", "0", "00", 7, CONFIG_NUMBER_DIGITS};
static const struct config_numbers none = {NULL, "0", "00", 7, CONFIG_NUMBER_UNCHANGED};

static const struct {
	const struct config_numbers *party;
	const char *said, *inside;
} reads[] = {
	{&german, "030123456", "+4930123456"},
	{&german, "0012025550123", "+12025550123"},
	{&german, "+49 30", "+49 30"}, /* no number */
	{&german, "+49-30-(123).456", "+4930123456"},
	{&german, "123456789", "123456789"}, /* of the party's own area: nobody here knows it */
	{&german, "112", "112"},
	{&german, "alice", "alice"},
	{&german, "030123456;npdi;rn=+4930", "+4930123456;npdi;rn=+4930"},
	{&german, "030123456;phone-context=%2B49;cic=1", "+4930123456;cic=1"},
	{&german, "%2b49-30123456", "+4930123456"},
	{&german, "%2B", "%2B"},
	{&german, "*21*030123#", "*21*030123#"},
	{&german, "00000000", "+000000"},
	{&german, "", ""},
	{&american, "12025550123", "+12025550123"},
	{&american, "0114930123456", "+4930123456"},
	{&american, "911", "911"},
	{&italian, "0612345678", "+390612345678"},
	{&italian, "004930123456", "+4930123456"},
	{&digits, "4930123456", "+4930123456"},
	{&digits, "030123456", "+4930123456"},
	{&none, "030-123456", "030-123456"},
};

static const struct {
	const struct config_numbers *party;
	const char *inside, *sent;
} writes[] = {
	{&german, "+4930123456", "030123456"},
	{&german, "+12025550123", "0012025550123"},
	{&german, "+49", "0049"},
	{&german, "112", "112"},
	{&german, "alice", "alice"},
	{&american, "+4930123456;npdi", "+4930123456;npdi"},
	{&italian, "+4930123456", "004930123456"},
	{&digits, "+4930123456", "4930123456"},
	{&none, "+49-30", "+49-30"},
};

static const char *made_by(void (*f)(const struct config_numbers *, struct str, struct wbuf *),
	const struct config_numbers *n, const char *user)
{
	static char out[256];
	struct wbuf w = wbuf_make(out, sizeof out - 1);

	f(n, str_z(user), &w);
	assert_false(w.overflow);
	out[w.len] = '\0';
	return out;
}

static void test_what_a_party_writes_is_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof reads / sizeof *reads; i++)
		assert_string_equal(made_by(number_read, reads[i].party, reads[i].said), reads[i].inside);
}

static void test_what_a_party_wants_is_written(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof writes / sizeof *writes; i++)
		assert_string_equal(made_by(number_write, writes[i].party, writes[i].inside), writes[i].sent);
}

static void test_patterns(void **state)
{
	static const struct {
		const char *value, *pattern, *form, *made;
	} cases[] = {
		{"abc", "abc", "x", "x"},
		{"abc", "ABC", "x", "x"},
		{"abc", "ab", "x", NULL},
		{"abc", "*", "<*>", "<abc>"},
		{"", "*", "<*>", "<>"},
		{"urn:acme:42", "urn:*:*", "*/*", "acme/42"},
		{"urn:acme", "urn:*:*", "*/*", NULL},
		{"aXbXc", "*x*", "*-*", "a-bXc"},
		{"aXbXc", "*x", "*", NULL},
		{"aXbX", "*x", "*", "aXb"},
		{"aa", "a*a", "[*]", "[]"},
		{"a", "a*a", "[*]", NULL},
		{"abcabc", "*bc", "*", "abca"},
		{"one two", "* two", "* *", "one "},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[64];
		struct wbuf w = wbuf_make(out, sizeof out - 1);
		bool ok = header_match(
			str_z(cases[i].value), str_z(cases[i].pattern), str_z(cases[i].form), &w);

		out[w.len] = '\0';
		if (ok != !!cases[i].made || (ok && strcmp(out, cases[i].made)))
			fail_msg("'%s' by '%s': '%s'", cases[i].value, cases[i].pattern, ok ? out : "no");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_party_writes_is_read),
		cmocka_unit_test(test_what_a_party_wants_is_written),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
