/* SPDX-License-Identifier: Apache-2.0 */
/* What is read: filters by subtree and XPath, what they may cost, with-defaults. */
#include "tests/unit/engine_bench.h"

static const char *print(struct engine_bench *b, const struct engine_query *q)
{
	static char *text;

	free(text);
	text = NULL;
	if (engine_get_config(b->root, ENGINE_RUNNING, q, &text, &b->fault))
		return b->fault.message;
	return text;
}

static void subtree_filters_select(void **state)
{
	static const struct {
		const char *filter, *after;
	} rows[] = {
#define IN(x) "<gateway xmlns='urn:srtpgw:yang:srtp-gateway'>" x "</gateway>"
#define OUT(x) "<gateway xmlns=\"urn:srtpgw:yang:srtp-gateway\">" x "</gateway>"
		{"", ""},
		{IN("<trunks><trunk><name/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name></trunk><trunk><name>b</name></trunk></trunks>")},
		{IN("<trunks><trunk><name>a</name><max-calls/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<trunks><trunk><name> a </name><max-calls/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<trunks><trunk><max-calls>10</max-calls><realm/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><realm>core</realm><max-calls>10</max-calls></"
			    "trunk></trunks>")},
		{IN("<routing><route><name>r</name></route></routing>"),
			OUT("<routing><route><name>r</name><prefix/><to-trunk>a</to-trunk></route></"
			    "routing>")},
		{IN("<trunks><trunk><name>z</name></trunk></trunks>"), ""},
		{IN("<nothing/>"), ""},
		{"<gateway><routing/></gateway>", OUT("<routing><route><name>r</name><prefix/><to-trunk>a</"
						      "to-trunk></route></routing>")},
		{"<gateway xmlns='urn:example:other'/>", ""},
		/* A value is the same however it is written; an identity's prefix is its own. */
		{IN("<trunks><trunk><max-calls>+010</max-calls><name/></trunk></trunks>"),
			OUT("<trunks><trunk><name>a</name><max-calls>10</max-calls></trunk></trunks>")},
		{IN("<crypto-profiles><crypto-profile><suite xmlns:x='urn:srtpgw:yang:srtp-gateway'> x:AEAD_AES_128_GCM "
		    "</suite><name/></crypto-profile></crypto-profiles>"),
			OUT("<crypto-profiles><crypto-profile><name>p</name><suite xmlns:sgw=\"urn:srtpgw:yang:srtp-gateway\">"
			    "sgw:AEAD_AES_128_GCM</suite></crypto-profile></crypto-profiles>")},
		/* What no datastore has selects nothing of it. */
		{"<config-applied xmlns='urn:srtpgw:yang:srtp-gateway'/><drain xmlns='urn:srtpgw:yang:srtp-gateway'/>",
			""},
	};
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *after =
			print(b, &(struct engine_query){.subtree = rows[i].filter, .format = ENGINE_XML});

		if (strcmp(after, rows[i].after) != 0)
			fail_msg("%s: %s", rows[i].filter, after);
	}
}

/* RFC 6241 6.2.2: what asks for an attribute is not answered with elements that have none. */
static void a_filter_by_attribute_is_refused(void **state)
{
	static const char *const filters[] = {
		"<gateway xmlns='urn:srtpgw:yang:srtp-gateway' xmlns:t='urn:example:t' t:name='a'/>",
		IN("<trunks><trunk><name xmlns:t='urn:example:t' t:name='x'>a</name></trunk></trunks>"),
		IN("<routing/><trunks><trunk xmlns:t='urn:srtpgw:yang:srtp-gateway' t:name='a'/></trunks>"),
	};
	static const char *const elements[] = {"gateway", "name", "trunk"};
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
		print(b, &(struct engine_query){.subtree = filters[i], .format = ENGINE_XML});
		assert_fault(b, "unknown-attribute", "", "no node has attributes");
		assert_string_equal(b->fault.bad_element, elements[i]);
		assert_string_equal(b->fault.bad_attribute, "name");
	}
}

static void xpath_filters_select(void **state)
{
	struct engine_bench *b = *state;

	assert_string_equal(print(b, &(struct engine_query){.xpath = G "/trunks/trunk[max-calls > 5]/realm"}),
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"realm\":\"core\"}]}}}");
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = "/nothing:here"}), "not an XPath"));
	/* libyang divides by zero. */
	static const char *const mods[] = {G "[1 mod 0]", G "[1mod 0]", G "[. mod.]", G "[(1)mod(0)]",
		G " mod 0", G "[count(*)\tmod count(nothing)]", G "/*mod 0", "x module",
		G "[name mod 0 = 1]"};

	for (size_t i = 0; i < sizeof mods / sizeof mods[0]; i++) {
		assert_non_null(strstr(print(b, &(struct engine_query){.xpath = mods[i]}), "operator mod"));
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	/* One of these held the loop for minutes. */
	static const char *const matches[] = {"//*[re-match('aaaaaaaaaaaaaaaaaaaaa', '(a+)+[bc]')]",
		G "/trunks/trunk[name and re-match (name,'.*')]", "re-match('a', 'a')"};

	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = matches[i]});

		if (!strstr(said, "re-match is not taken"))
			fail_msg("%s: %s", matches[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	/* It ends with a signal. */
	static const char *const crashes[] = {G "/trunks/trunk[deref(name)]", "//*[. = '' or not(deref (.))]",
		"enum-value(/)", "(/)[bit-is-set(.,'x')]", G "/trunks/trunk[name andderef(name)]",
		G "/trunks/trunk[1orderef(name)]"};

	for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = crashes[i]});

		if (!strstr(said, "deref, enum-value and bit-is-set"))
			fail_msg("%s: %s", crashes[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	assert_non_null(
		strstr(print(b, &(struct engine_query){.xpath = G "/trunks/trunk/srtp/mode"}), "none"));
	assert_non_null(strstr(
		print(b, &(struct engine_query){.xpath = G
						"/trunks/trunk[name='a mod b' or ./srtp/mode='none']"}),
		"none"));
	assert_non_null(
		strstr(print(b, &(struct engine_query){.xpath = "/srtp-gateway:gateway["}), "not an XPath"));
	assert_string_equal(b->fault.tag, "invalid-value");
}

/* Whatever is asked, it takes no more time than to look at everything some times: the loop that answers
 * signals, too. */
static void a_filter_costs_what_the_tree_is_large(void **state)
{
	static const char *const elsewhere[] = {"//*[//*[//*]]", "//*[. = //*]", G "[/srtp-gateway:gateway]",
		G "/trunks/trunk[1 * //*]", G "/trunks/trunk[name and /*]", G "/trunks/trunk[and = 1 or //*]",
		G "/trunks/trunk[max-calls = (/*)]", G "/trunks/trunk[../trunk]",
		G "/trunks/trunk[name/ .. /realm]", "//*[ancestor :: *]",
		G "/trunks/trunk[following-sibling::trunk]", G "/trunks/trunk[current()/*]",
		G "/trunks/trunk[srtp[//*]]", G "/trunks/trunk['//'=//*]", G "/trunks/trunk[-/*]"};
	static const char *const pairs[] = {"//srtp-gateway:name < //*",
		G "[.//srtp-gateway:name < .//srtp-gateway:realm]", G "[trunks/trunk!=trunks/trunk]",
		G "/trunks[trunk[name='a'] >= trunk]", G "[(trunks/*) = trunks]", G "[-1 < trunks = routing]",
		G "[true() and not(trunks/* > trunks/*)]", G "[trunks = node()]",
		G "[']' = trunks and (1 or trunks) and trunks = .]"};
	static const char *const sideways[] = {"//srtp-gateway:trunk/preceding::*", "//*/following::*",
		G "/trunks/trunk/following-sibling::trunk", "//*/preceding-sibling :: *"};
	static const char *const taken[] = {G "/trunks/trunk[number(max-calls) >= max-calls]",
		G "/trunks/trunk[5.5 < max-calls][max-calls<.5+20]", G "/trunks/trunk[string(realm) = realm]",
		G "/trunks/trunk[not(name='b')]", G "/trunks/trunk[count(peer) = 1]",
		G "/trunks/trunk[(max-calls > 5 or name = 'z') = true()]",
		"//srtp-gateway:trunk[contains(name,'a') and .//srtp-gateway:host != '']",
		G "/trunks/trunk[position() = last()]",
		G "/trunks/trunk[name = 'a' or realm = concat('co', 're')]",
		G "/trunks/trunk[name = 'a' and max-calls * 2 > 5]/realm",
		G "/trunks/trunk[name='a']/../trunk", "//srtp-gateway:realm/../..",
		"//*[.//srtp-gateway:max-calls]", G "/trunks/trunk[name != '//..']",
		"/*/*/srtp-gateway:trunk", G "/trunks/trunk[descendant::srtp-gateway:max-calls]",
		"//srtp-gateway:trunk/ancestor::*", G "/trunks/trunk[child::srtp-gateway:name='a']",
		G "/trunks/*[self::srtp-gateway:trunk]", G "/trunks/trunk[(name)='a']"};
	struct engine_bench *b = *state;
	char many[256] = "//*";

	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = elsewhere[i]});

		if (!strstr(said, "below its node"))
			fail_msg("%s: %s", elsewhere[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = pairs[i]});

		if (!strstr(said, "literal, a number or a function on one side"))
			fail_msg("%s: %s", pairs[i], said);
		assert_string_equal(b->fault.tag, "operation-not-supported");
	}
	for (size_t i = 0; i < sizeof sideways / sizeof sideways[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = sideways[i]});

		if (!strstr(said, "preceding and following are not taken"))
			fail_msg("%s: %s", sideways[i], said);
	}
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		const char *said = print(b, &(struct engine_query){.xpath = taken[i]});

		if (!strstr(said, "\"trunk\""))
			fail_msg("%s: %s", taken[i], said);
	}
	for (unsigned i = 1; i < 9; i++)
		strcat(many, "|//*");
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = many}), "more than 16 of"));
	assert_string_equal(b->fault.tag, "too-big");
	/* In a predicate it is done for each node that was found before. */
	assert_non_null(strstr(print(b, &(struct engine_query){.xpath = "//*[descendant::*[descendant::*["
									"descendant::srtp-gateway:host]]]"}),
		"more than 16 of"));
	assert_string_equal(b->fault.tag, "too-big");
}

static void defaults_are_shown_as_asked(void **state)
{
	struct engine_bench *b = *state;
	struct engine_query q = {.xpath = G "/trunks/trunk[name='a']/admin-state", .format = ENGINE_XML};

	assert_null(strstr(print(b, &q), "admin-state"));
	q.defaults = ENGINE_REPORT_ALL;
	assert_non_null(strstr(print(b, &q), "<admin-state>up</admin-state>"));
	q.defaults = ENGINE_REPORT_ALL_TAGGED;
	assert_non_null(
		strstr(print(b, &q), "<admin-state xmlns:ncwd=\"urn:ietf:params:xml:ns:netconf:default:1.0\" "
				     "ncwd:default=\"true\">up</admin-state>"));
	q.defaults = ENGINE_TRIM;
	assert_int_equal(bench_set(b, b->root, q.xpath, "up"), 0);
	assert_int_equal(bench_commit(b, b->root), 0);
	assert_null(strstr(print(b, &q), "admin-state"));
	q.defaults = ENGINE_EXPLICIT;
	assert_non_null(strstr(print(b, &q), "<admin-state>up</admin-state>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(subtree_filters_select, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_filter_by_attribute_is_refused, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(xpath_filters_select, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_filter_costs_what_the_tree_is_large, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(defaults_are_shown_as_asked, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
