/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file as a text: lines, comments, what is no JSON. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "controlplane/config/config.h"
#include "controlplane/config/locate.h"

#define G "/srtp-gateway:gateway"

static void lines_and_comments_are_counted(void **state)
{
	(void)state;
	static const char text[] = "// first\n"
				   "{\n"
				   "  \"srtp-gateway:gateway\": {\n"
				   "\t// a comment with \"quotes\" { and [\n"
				   "    \"logging\": { \"level\": \"info\",\n"
				   "      \"format\":\n"
				   "          \"xml\" }\n"
				   "  }\n"
				   "}\n";
	struct config *c = NULL;
	struct err e = {0};

	assert_int_equal(config_parse(str_z(text), "f", &c, &e), -EINVAL);
	assert_string_equal(e.text, "f:7: " G "/logging/format: 'xml' is not one of the choices: text, json");
}

/* The same name at every step, in other places first: the line is that of the entry that is wrong, and no
 * other. */
static void the_line_is_the_right_entrys(void **state)
{
	(void)state;
	static const char text[] =
		"{\"srtp-gateway:gateway\":{\n"
		"\"trunks\":{\"trunk\":[\n"
		"{\"name\":\"a]\\\"}\",\n"
		"\"realm\":\"nowhere\"}]},\n"
		"\"sip\":{\"listener\":[\n"
		"{\"name\":\"a\",\"transport\":\"tcp\",\"address\":\"::1\",\"port\":1,\"realm\":\"r\"},\n"
		"{\"name\":\"b\",\"transport\":\"udp\",\"address\":\"::1\",\"port\":1,\n"
		"\"realm\":\"s\"}]}}}";
	struct config *c = NULL;
	struct err e = {0};
	bool exact;

	/* The trunk's name is refused first; it holds quotes and brackets for the search to stumble over. */
	assert_int_equal(config_parse(str_z(text), "f", &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "f:3: " G "/trunks/trunk/name: a name begins"));
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='b']/realm"), &exact), 8);
	assert_true(exact);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='b']/tls-profile"), &exact), 7);
	assert_false(exact);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[2]/realm"), &exact), 8);
	assert_int_equal(locate_line(str_z(text), STR(G "/sip/listener[name='c']"), &exact), 5);
	assert_int_equal(locate_line(str_z(text), STR(G "/routing/route"), &exact), 1);
	assert_int_equal(locate_line(STR("{\"a\":[[[\"x"), STR("/m:a[1]/b"), &exact), 1);
	assert_int_equal(locate_line(STR(""), STR("/m:a"), &exact), 1);
}

/* As some editors save it. */
static void a_byte_order_mark_is_no_mistake(void **state)
{
	struct config *c = NULL;
	struct err e = {0};

	(void)state;
	if (config_parse(STR("\xef\xbb\xbf{\"srtp-gateway:gateway\":{}}"), "f", &c, &e))
		fail_msg("%s", e.text);
	config_unref(c);
}

static void what_is_not_json_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *begins;
	} bad[] = {
		{"", "f:1:"},
		{"{\n\"a\":\n}", "f:3:"},
		{"[1]", "f:1: a configuration is a JSON object"},
		{"{\"srtp-gateway:gateway\":{},\n\"srtp-gateway:gateway\":{}}", "f:2:"},
		{"{ \"a\": 1 // behind a value is no comment\n}",
			"f:1: column 10: '}' expected near '/': a comment begins with // and has a line of its own"},
		{"{ \"a\": 1\n# hello\n}",
			"f:2: column 1: '}' expected near '#': a comment begins with // and has a line of its own"},
		{"{ \"a\": {\"b\": 1,} }",
			"f:1: column 16: string or '}' expected near '}': no comma behind the last entry"},
		{"{ \"a\": {\"b\": [1,]} }",
			"f:1: column 17: unexpected token near ']': no comma behind the last entry"},
		{"{\"gateway\": {}}",
			"f:1: 'gateway' needs the name of its model before it, as in \"srtp-gateway:gateway\""},
		{"{\"srtp-gw:gateway\": {}}",
			"f:1: there is no model 'srtp-gw' here: a configuration has srtp-gateway and ietf-netconf-acm"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct config *c = NULL;
		struct err e = {0};

		assert_int_equal(config_parse(str_z(bad[i].text), "f", &c, &e), -EINVAL);
		if (strncmp(e.text, bad[i].begins, strlen(bad[i].begins)) != 0)
			fail_msg("%s -> %s", bad[i].text, e.text);
	}
	struct err e = {0};
	struct config *c = NULL;

	assert_int_equal(config_parse((struct str){"{}\0{}", 5}, "f", &c, &e), -EINVAL);
	assert_int_equal(config_load("/nonexistent/x.json", &c, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/x.json: cannot be opened"));
	assert_int_equal(config_load("/", &c, &e), -EINVAL);
}

/* A nested text must end in an error, not in the end of the stack. */
static void deep_nesting_is_refused(void **state)
{
	(void)state;
	static char deep[2000001];
	struct config *c = NULL;
	struct err e = {0};

	memset(deep, '[', sizeof deep - 1);
	assert_int_equal(config_parse(str_z(deep), "f", &c, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_comments_are_counted),
		cmocka_unit_test(the_line_is_the_right_entrys),
		cmocka_unit_test(a_byte_order_mark_is_no_mistake),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_line),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
