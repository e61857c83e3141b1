/* SPDX-License-Identifier: Apache-2.0 */
/* edit-config and set: what each operation leaves behind, and what each mistake is called. */
#include "tests/unit/engine_bench.h"

#define NS "xmlns='urn:srtpgw:yang:srtp-gateway'"
#define NC "xmlns:nc='urn:ietf:params:xml:ns:netconf:base:1.0'"
#define YANG "xmlns:y='urn:ietf:params:xml:ns:yang:1'"
#define OP(value) "\"@\":{\"ietf-netconf:operation\":\"" value "\"}"
#define TRUNK(...) "{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{" __VA_ARGS__ "}]}}}"

struct edit_case {
	const char *what;
	enum engine_format format;
	enum engine_default_operation op;
	const char *edit;
	/* What is there afterwards, or what the refusal says. */
	const char *xpath, *after;
	const char *tag, *path, *words;
};

#define SUITES G "/crypto-profiles/crypto-profile[name='p']/suite"
#define CALLS_ARE(n)                                                                                         \
	"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"max-calls\":" n "}]}}}"
#define NO_CALLS "{}"
#define SUITES_ARE(...)                                                                                      \
	"{\"srtp-gateway:gateway\":{\"crypto-profiles\":{\"crypto-profile\":[{\"name\":\"p\",\"suite\":"     \
	"[" __VA_ARGS__ "]}]}}}"
#define XML_SUITE(attributes, value)                                                                         \
	"<gateway " NS "><crypto-profiles><crypto-profile><name>p</name><suite " YANG " " NC " " attributes  \
	">" value "</suite></crypto-profile></crypto-profiles></gateway>"

static const struct edit_case cases[] = {
	{"merge changes a leaf", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\",\"max-calls\":20"), A_CALLS,
		CALLS_ARE("20")},
	{"merge keeps the rest", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\",\"rtcp-mux\":\"offer\""),
		A_CALLS, CALLS_ARE("10")},
	{"replace drops the rest", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"a\"," OP("replace") ",\"realm\":\"core\""), A_CALLS, NO_CALLS},
	{"replace makes what is not there", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"c\"," OP("replace") ",\"realm\":\"core\""),
		G "/trunks/trunk[name='c']/realm",
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"c\",\"realm\":\"core\"}]}}}"},
	{"create makes an entry", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"c\"," OP("create") ",\"realm\":\"core\""), G "/trunks/trunk[name='c']/name",
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"c\"}]}}}"},
	{"create of what is there", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\"," OP("create")), NULL,
		NULL, "data-exists", G "/trunks/trunk[name='a']", "there already"},
	{"create of a leaf that is a default", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"a\",\"admin-state\":\"up\",\"@admin-state\":{\"ietf-netconf:operation\":"
		      "\"create\"}"),
		G "/trunks/trunk[name='a']/admin-state",
		"{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"admin-state\":\"up\"}]}}"
		"}"},
	{"delete of an entry", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\"," OP("delete")),
		G "/trunks/trunk[name='a']", "{}"},
	{"delete of what is not there", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"c\"," OP("delete")),
		NULL, NULL, "data-missing", G "/trunks/trunk[name='c']", "no such thing"},
	{"delete of a default", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"a\",\"admin-state\":\"up\",\"@admin-state\":{\"ietf-netconf:operation\":"
		      "\"delete\"}"),
		NULL, NULL, "data-missing", G "/trunks/trunk[name='a']/admin-state", "no such thing"},
	{"remove of what is not there", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"c\"," OP("remove")),
		A_CALLS, CALLS_ARE("10")},
	{"remove of a leaf without a value", ENGINE_XML, ENGINE_MERGE,
		"<gateway " NS "><trunks><trunk><name>a</name><max-calls " NC
		" nc:operation='remove'/></trunk>"
		"</trunks></gateway>",
		A_CALLS, NO_CALLS},
	{"none goes to what is there", ENGINE_JSON, ENGINE_NONE,
		TRUNK("\"name\":\"a\",\"max-calls\":30,\"@max-calls\":{\"ietf-netconf:operation\":"
		      "\"merge\"}"),
		A_CALLS, CALLS_ARE("30")},
	{"none sets nothing", ENGINE_JSON, ENGINE_NONE, TRUNK("\"name\":\"a\",\"max-calls\":30"), A_CALLS,
		CALLS_ARE("10")},
	{"none to what is not there", ENGINE_JSON, ENGINE_NONE, TRUNK("\"name\":\"c\""), NULL, NULL,
		"data-missing", G "/trunks/trunk[name='c']", "no such thing"},
	{"replace as a whole", ENGINE_JSON, ENGINE_REPLACE, TRUNK("\"name\":\"c\",\"realm\":\"core\""),
		G "/*/*/name", "{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"c\"}]}}}"},
	{"a leaf-list entry joins at the end", ENGINE_XML, ENGINE_MERGE, XML_SUITE("", "AEAD_AES_256_GCM"),
		SUITES,
		SUITES_ARE("\"srtp-gateway:AEAD_AES_128_GCM\",\"srtp-gateway:AES_CM_128_HMAC_SHA1_80\","
			   "\"srtp-gateway:AES_CM_128_HMAC_SHA1_32\","
			   "\"srtp-gateway:AEAD_AES_256_GCM\"")},
	{"insert first", ENGINE_XML, ENGINE_MERGE, XML_SUITE("y:insert='first'", "AEAD_AES_256_GCM"), SUITES,
		SUITES_ARE("\"srtp-gateway:AEAD_AES_256_GCM\",\"srtp-gateway:AEAD_AES_128_GCM\",\"srtp-"
			   "gateway:AES_CM_128_HMAC_SHA1_80\","
			   "\"srtp-gateway:AES_CM_128_HMAC_SHA1_32\"")},
	{"insert before", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("y:insert='before' y:value='AES_CM_128_HMAC_SHA1_80'", "AEAD_AES_256_GCM"), SUITES,
		SUITES_ARE("\"srtp-gateway:AEAD_AES_128_GCM\",\"srtp-gateway:AEAD_AES_256_GCM\",\"srtp-"
			   "gateway:AES_CM_128_HMAC_SHA1_80\","
			   "\"srtp-gateway:AES_CM_128_HMAC_SHA1_32\"")},
	{"insert after moves what is there", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("y:insert='after' y:value='AES_CM_128_HMAC_SHA1_32'", "AEAD_AES_128_GCM"), SUITES,
		SUITES_ARE("\"srtp-gateway:AES_CM_128_HMAC_SHA1_80\",\"srtp-gateway:AES_CM_128_HMAC_SHA1_"
			   "32\",\"srtp-gateway:AEAD_AES_128_GCM\"")},
	{"insert last moves what is there", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("y:insert='last'", "AEAD_AES_128_GCM"), SUITES,
		SUITES_ARE("\"srtp-gateway:AES_CM_128_HMAC_SHA1_80\",\"srtp-gateway:AES_CM_128_HMAC_SHA1_"
			   "32\",\"srtp-gateway:AEAD_AES_128_GCM\"")},
	{"insert after what is not there", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("y:insert='after' y:value='AES_256_CM_HMAC_SHA1_80'", "AEAD_AES_256_GCM"), NULL,
		NULL, "bad-attribute", SUITES "[.='srtp-gateway:AEAD_AES_256_GCM']", "no such entry"},
	{"insert before nothing", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("y:insert='before'", "AEAD_AES_256_GCM"), NULL, NULL, "missing-attribute",
		SUITES "[.='srtp-gateway:AEAD_AES_256_GCM']", "needs the attribute"},
	{"delete of a leaf-list entry", ENGINE_XML, ENGINE_MERGE,
		XML_SUITE("nc:operation='delete'", "AEAD_AES_128_GCM"), SUITES,
		SUITES_ARE(
			"\"srtp-gateway:AES_CM_128_HMAC_SHA1_80\",\"srtp-gateway:AES_CM_128_HMAC_SHA1_32\"")},
	{"a value takes the place of defaults", ENGINE_JSON, ENGINE_MERGE,
		"{\"srtp-gateway:gateway\":{\"crypto-profiles\":{\"crypto-profile\":[{\"name\":\"usual\","
		"\"suite\":"
		"[\"AEAD_AES_128_GCM\"]}]}}}",
		G "/crypto-profiles/crypto-profile[name='usual']/suite",
		"{\"srtp-gateway:gateway\":{\"crypto-profiles\":{\"crypto-profile\":[{\"name\":\"usual\","
		"\"suite\":"
		"[\"srtp-gateway:AEAD_AES_128_GCM\"]}]}}}"},
	{"a case takes the place of another", ENGINE_JSON, ENGINE_MERGE,
		"{\"ietf-netconf-acm:nacm\":{\"rule-list\":[{\"name\":\"l\",\"rule\":[{\"name\":\"r\",\"rpc-"
		"name\":\"x\","
		"\"action\":\"deny\"}]}]}}",
		NULL, NULL},
#define WD_CALLS(ns, operation, value)                                                                       \
	"<gateway " NS " " NC " xmlns:d='" ns                                                                \
	"'><trunks><trunk><name>a</name><admin-state d:default='true'" operation ">" value                   \
	"</admin-state><max-calls>20</max-calls></trunk></trunks></gateway>"
#define NOTHING_SET "{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\"}]}}}"
#define WD_RFC "urn:ietf:params:xml:ns:netconf:default:1.0"
#define WD_MODULE "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
	{"what is said to be the default is not set", ENGINE_XML, ENGINE_MERGE, WD_CALLS(WD_RFC, "", "up"),
		G "/trunks/trunk[name='a']/admin-state", NOTHING_SET},
	{"nor by the module's namespace", ENGINE_XML, ENGINE_MERGE, WD_CALLS(WD_MODULE, "", "up"),
		G "/trunks/trunk[name='a']/admin-state", NOTHING_SET},
	{"and the rest is", ENGINE_XML, ENGINE_MERGE, WD_CALLS(WD_RFC, " nc:operation='create'", "up"),
		A_CALLS, CALLS_ARE("20")},
	{"what is said to be the default and is not", ENGINE_XML, ENGINE_MERGE, WD_CALLS(WD_RFC, "", "down"),
		NULL, NULL, "invalid-value", G "/trunks/trunk[name='a']/admin-state", "not the default"},
	{"a leaf that occurs twice", ENGINE_XML, ENGINE_MERGE,
		"<gateway " NS "><trunks><trunk><name>a</name><max-calls>1</max-calls><realm>core</realm>"
		"<max-calls>2</max-calls></trunk></trunks></gateway>",
		NULL, NULL, "bad-element", G "/trunks/trunk[name='a']/max-calls", "twice"},
	{"a key that occurs twice", ENGINE_XML, ENGINE_MERGE,
		"<gateway " NS "><trunks><trunk><name>a</name><name>b</name></trunk></trunks></gateway>",
		NULL, NULL, "bad-element", G "/trunks/trunk[name='a'][name='b']/name", "twice"},
	{"a value of another type", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\",\"max-calls\":\"many\""),
		NULL, NULL, "invalid-value", G "/trunks/trunk[name='a']/max-calls", "many"},
	{"a name that is none of the model's", ENGINE_JSON, ENGINE_MERGE,
		TRUNK("\"name\":\"a\",\"max-cals\":1"), NULL, NULL, "unknown-element",
		G "/trunks/trunk[name='a']/max-cals",
		"there is no 'max-cals' here: did you mean 'max-calls'?"},
	{"an entry without its key", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"max-calls\":1"), NULL, NULL,
		"missing-element", G "/trunks/trunk", "name"},
	{"a module that is none of ours", ENGINE_JSON, ENGINE_MERGE, "{\"example:x\":{}}", NULL, NULL,
		"unknown-namespace", "/x", "example"},
	{"an operation that there is not", ENGINE_JSON, ENGINE_MERGE, TRUNK("\"name\":\"a\"," OP("erase")),
		NULL, NULL, "bad-attribute", G "/trunks/trunk[name='a']", "erase"},
	{"nor what holds state", ENGINE_XML, ENGINE_MERGE,
		"<gateway xmlns='urn:srtpgw:yang:srtp-gateway'><trunks><trunk><name>a</name><state/></trunk></trunks></gateway>",
		NULL, NULL, "invalid-value", G "/trunks/trunk[name='a']/state", "never configured"},
	{"state is not edited", ENGINE_XML, ENGINE_MERGE,
		"<nacm "
		"xmlns='urn:ietf:params:xml:ns:yang:ietf-netconf-acm'><denied-operations>1</"
		"denied-operations></nacm>",
		NULL, NULL, "invalid-value", "/ietf-netconf-acm:nacm/denied-operations", "denied-operations"},
	{"XML without the model's namespace, in NETCONF's", ENGINE_XML, ENGINE_MERGE,
		"<gateway xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'><limits><max-calls>5</max-calls></limits></gateway>",
		NULL, NULL, "unknown-element", "/ietf-netconf:gateway",
		"'gateway' has no namespace of its own"},
	{"not JSON", ENGINE_JSON, ENGINE_MERGE, "{\"a\":", NULL, NULL, "malformed-message", "", "not JSON"},
	{"a member twice", ENGINE_JSON, ENGINE_MERGE,
		"{\"srtp-gateway:gateway\":{},\"srtp-gateway:gateway\":{}}", NULL, NULL, "malformed-message",
		"", "duplicate"},
	{"not XML", ENGINE_XML, ENGINE_MERGE, "<gateway", NULL, NULL, "malformed-message", "",
		"middle of its markup"},
	{"a document type", ENGINE_XML, ENGINE_MERGE, "<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>", NULL, NULL,
		"malformed-message", "", "declarations"},
};

static void each_operation_and_each_mistake(void **state)
{
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct edit_case *c = &cases[i];
		const char *before = bench_get(b, b->root, ENGINE_CANDIDATE, NULL);
		int rc = engine_edit(
			b->root, ENGINE_CANDIDATE, c->op, ENGINE_SET, str_z(c->edit), c->format, &b->fault);

		if (!!rc != !!c->tag)
			fail_msg("%s: %s: %s", c->what, rc ? b->fault.path : "was not refused",
				rc ? b->fault.message : "");
		if (rc) {
			if (strcmp(c->tag, b->fault.tag) != 0 || strcmp(c->path, b->fault.path) != 0 ||
				!strstr(b->fault.message, c->words))
				fail_msg("%s: %s, '%s', '%s'", c->what, b->fault.tag, b->fault.path,
					b->fault.message);
			/* Nothing of an edit that is refused stays. */
			assert_string_equal(bench_get(b, b->root, ENGINE_CANDIDATE, NULL), before);
		} else if (c->after) {
			const char *after = bench_get(b, b->root, ENGINE_CANDIDATE, c->xpath);

			if (strcmp(after, c->after) != 0)
				fail_msg("%s: %s", c->what, after);
		}
		assert_int_equal(engine_discard(b->root, &b->fault), 0);
	}
}

/* A container without presence goes with the last of its leaves, but not while others are still put into it.
 */
static void a_container_goes_when_the_edit_of_it_is_done(void **state)
{
	static const char delete_one[] =
		"<gateway " NS " " NC "><limits><max-calls nc:operation='delete'/>"
		"<ring-timeout>77</ring-timeout><max-call-rate>7</max-call-rate></limits></gateway>",
			  delete_all[] = "<gateway " NS " " NC "><limits><max-calls nc:operation='delete'/>"
					 "<ring-timeout nc:operation='remove'/></limits></gateway>",
			  opaque[] =
				  "{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":\"\",\"@max-calls\":"
				  "{\"ietf-netconf:operation\":\"delete\"},\"max-call-rate\":7}}}";
	const struct {
		const char *edit;
		enum engine_format format;
		const char *limits;
	} rows[] = {
		{delete_one, ENGINE_XML,
			"{\"srtp-gateway:gateway\":{\"limits\":{\"max-call-rate\":7,\"ring-timeout\":77}}}"},
		{delete_all, ENGINE_XML, "{}"},
		{opaque, ENGINE_JSON, "{\"srtp-gateway:gateway\":{\"limits\":{\"max-call-rate\":7}}}"}};
	struct engine_bench *b = *state;

	for (unsigned defaults = 0; defaults < 2; defaults++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			const char *limits;

			assert_int_equal(bench_set(b, b->root, G "/limits/max-calls", "5"), 0);
			/* With the defaults beside it that a configuration which runs has, and without. */
			if (defaults)
				assert_int_equal(bench_commit(b, b->root), 0);
			if (engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET,
				    str_z(rows[i].edit), rows[i].format, &b->fault))
				fail_msg("%zu: %s", i, b->fault.message);
			limits = bench_get(b, b->root, ENGINE_CANDIDATE, G "/limits");
			if (strcmp(limits, rows[i].limits) != 0)
				fail_msg("%zu: %s", i, limits);
			assert_int_equal(engine_discard(b->root, &b->fault), 0);
		}
}

/* What was read with report-all-tagged can be given back: nothing is set that was not (RFC 6243 4.5.2). */
static void what_is_tagged_as_default_goes_back_to_it(void **state)
{
	const struct engine_query tagged = {.format = ENGINE_XML, .defaults = ENGINE_REPORT_ALL_TAGGED};
	struct engine_bench *b = *state;
	char *text, wrong[] = WD_CALLS(WD_MODULE, "", "down");

	assert_int_equal(engine_get_config(b->root, ENGINE_RUNNING, &tagged, &text, &b->fault), 0);
	assert_int_equal(bench_set(b, b->root, G "/trunks/trunk[name='a']/admin-state", "down"), 0);
	assert_int_equal(
		bench_set(b, b->root, G "/limits/ring-timeout", "180"), 0); /* which is its default */
	if (engine_edit(
		    b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET, str_z(text), ENGINE_XML, &b->fault))
		fail_msg("%s: %s", b->fault.path, b->fault.message);
	free(text);
	assert_string_equal(
		bench_get(b, b->root, ENGINE_CANDIDATE, NULL), bench_get(b, b->root, ENGINE_RUNNING, NULL));
	assert_int_equal(engine_discard(b->root, &b->fault), 0);
	assert_int_equal(
		engine_copy_text(b->root, str_z(wrong), ENGINE_XML, ENGINE_CANDIDATE, &b->fault), -1);
}

static void what_is_too_large_or_deep_is_refused(void **state)
{
	struct engine_bench *b = *state;
	size_t n = (17u << 20);
	char *large = malloc(n + 1), deep[4096] = "";

	assert_non_null(large);
	memset(large, ' ', n);
	large[n] = 0;
	assert_int_equal(bench_edit(b, b->root, large), -1);
	assert_fault(b, "too-big", "", "larger than");
	free(large);
	for (unsigned i = 0; i < 100; i++)
		strcat(deep, "{\"a\":");
	assert_int_equal(bench_edit(b, b->root, deep), -1);
	assert_fault(b, "too-big", "", "nested deeper");
	deep[0] = 0;
	for (unsigned i = 0; i < 100; i++)
		strcat(deep, "<a>");
	assert_int_equal(engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET, str_z(deep),
				 ENGINE_XML, &b->fault),
		-1);
	assert_fault(b, "too-big", "", "nested deeper");
}

/* Each of these kept libyang busy for minutes. */
static void what_has_too_many_nodes_is_refused(void **state)
{
	static const struct {
		enum engine_format format;
		const char *begin, *again;
		unsigned times;
	} rows[] = {
		{ENGINE_JSON, "{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[", "{\"name\":\"t\"},",
			10001},
		{ENGINE_JSON, "{\"x\":[", "[[],[],[],[],[]],", 40000},
		{ENGINE_XML, "<gateway " NS "><trunks>", "<trunk><name>t</name></trunk>", 10001},
		{ENGINE_XML, "<gateway " NS ">", "<a><a/><a/><a/><a/><a/><a/></a>", 40000},
	};
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].begin), step = strlen(rows[i].again);
		char *text = malloc(n + step * rows[i].times + 1);

		assert_non_null(text);
		memcpy(text, rows[i].begin, n);
		for (unsigned k = 0; k < rows[i].times; k++, n += step)
			memcpy(text + n, rows[i].again, step);
		assert_int_equal(engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET,
					 (struct str){text, n}, rows[i].format, &b->fault),
			-1);
		assert_fault(b, "too-big", "", "send it in parts");
		free(text);
	}
}

/* It would be a merge, and answered with ok. */
static void an_operation_without_its_namespace_is_refused(void **state)
{
	static const struct {
		const char *text, *element, *attribute; /* NULL: it is taken */
	} rows[] = {
		{"<gateway " NS
		 "><trunks><trunk operation='delete'><name>b</name></trunk></trunks></gateway>",
			"trunk", "operation"},
		{"<gateway " NS "><trunks><trunk><name>b</name><max-calls\n" NC
		 " nc:operation=\"merge\"\toperation = "
		 "'delete' /></trunk></trunks></gateway>",
			"max-calls", "operation"},
		{"<g:gateway xmlns:g='urn:srtpgw:yang:srtp-gateway' insert=\"first\"/>", "gateway", "insert"},
		{"<gateway " NS "><limits a-very-long-name='x>y'/></gateway>", "limits", "a-very-long-nam"},
		{"<gateway " NS
		 "><!-- a='b' --><limits xmlns:o = 'urn:none' o:a='>&lt; operation=\"x\"'></limits\n></gateway>"},
		{"<gateway " NS "><logging><level><![CDATA[warn]]></level></logging></gateway>"},
	};
	struct engine_bench *b = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int rc = engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET, str_z(rows[i].text),
			ENGINE_XML, &b->fault);

		if (!rows[i].element) {
			if (rc)
				fail_msg("%s: %s", rows[i].text, b->fault.message);
			continue;
		}
		if (!rc)
			fail_msg("%s: accepted", rows[i].text);
		assert_fault(b, "unknown-attribute", "", "names no namespace");
		assert_string_equal(b->fault.bad_element, rows[i].element);
		assert_string_equal(b->fault.bad_attribute, rows[i].attribute);
	}
	assert_int_equal(
		bench_edit(b, b->root, TRUNK("\"name\":\"a\",\"@\":{\"operation\":\"delete\"}")), -1);
}

static void set_takes_a_path_and_a_value(void **state)
{
	struct engine_bench *b = *state;
	struct engine_session *s = b->root;

	assert_int_equal(bench_set(b, s, A_CALLS, "77"), 0);
	assert_string_equal(bench_get(b, s, ENGINE_CANDIDATE, A_CALLS), CALLS_ARE("77"));
	assert_int_equal(bench_set(b, s, A_CALLS, NULL), 0);
	assert_string_equal(bench_get(b, s, ENGINE_CANDIDATE, A_CALLS), NO_CALLS);
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='c']/realm", "core"), 0);
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='c']", NULL), 0);
	assert_string_equal(bench_get(b, s, ENGINE_CANDIDATE, G "/trunks/trunk[name='c']"), "{}");
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='c']", ""), 0);
	assert_int_equal(bench_set(b, s, SUITES, "AEAD_AES_256_GCM"), 0);
	assert_int_equal(bench_set(b, s, SUITES "[.='AEAD_AES_256_GCM']", NULL), 0);

	assert_int_equal(bench_set(b, s, A_CALLS, "many"), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='c']/max-calls", NULL), -1);
	assert_fault(b, "data-missing", G "/trunks/trunk[name='c']/max-calls", "no such thing");
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='a']/name", NULL), -1);
	assert_string_equal(b->fault.tag, "invalid-value");
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='a']/nothing", NULL), -1);
	assert_fault(b, "invalid-value", G "/trunks/trunk[name='a']/nothing", "there is no 'nothing' here");
	/* Said to whoever deletes what is nowhere, too, and in an edit. */
	assert_int_equal(bench_set(b, s, G "/limits/max-cal", NULL), -1);
	assert_fault(b, "invalid-value", G "/limits/max-cal",
		"there is no 'max-cal' here: did you mean 'max-calls'?");
	assert_int_equal(bench_set(b, s, G "/limts/max-calls", "3"), -1);
	assert_fault(
		b, "invalid-value", G "/limts/max-calls", "there is no 'limts' here: did you mean 'limits'?");
	assert_int_equal(bench_set(b, s, G "/observability/metrics-listener/port", ""), -1);
	assert_fault(b, "invalid-value", G "/observability/metrics-listener/port", "a value is needed here");
	assert_int_equal(bench_set(b, s, G "/realms/realm[name='carriers']/trusted", "maybe"), -1);
	assert_fault(b, "invalid-value", G "/realms/realm[name='carriers']/trusted",
		"write true or false, not 'maybe'");
	/* Of a value of a leaf-list libyang does not say where it would be. */
	assert_int_equal(bench_set(b, s, SUITES, "none"), -1);
	assert_fault(b, "invalid-value", SUITES, "'none' is not one of the choices: AES_CM_128_HMAC_SHA1_80");
	assert_int_equal(
		bench_set(b, s, G "/trunks/trunk[name='a']/identify/source-address", "10.0.0.1"), -1);
	assert_fault(b, "invalid-value", G "/trunks/trunk[name='a']/identify/source-address",
		"10.0.0.1/32 is this address");
	assert_int_equal(bench_set(b, s, SUITES, NULL), -1);
	assert_fault(b, "invalid-value", SUITES, "'suite' is a list: the path goes on with the value");
	assert_int_equal(bench_set(b, s, G "/trunks/trunk", NULL), -1);
	assert_fault(
		b, "invalid-value", G "/trunks/trunk", "'trunk' is a list: the path goes on with the entry");
	/* What only holds others takes no value, and is not there without them. */
	assert_int_equal(bench_set(b, s, G "/limits", "5"), -1);
	assert_fault(b, "invalid-value", G "/limits", "no value of its own");
	assert_int_equal(bench_set(b, s, G "/limits", ""), -1);
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='c']", "5"), -1);
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='b']/registrar", ""), 0);
	assert_int_equal(bench_set(b, s, G "/trunks/trunk[name='b']/registrar", NULL), 0);
	assert_int_equal(bench_set(b, s, G "/nothing", "1"), -1);
	assert_int_equal(bench_set(b, s, "gateway", "1"), -1);
	assert_int_equal(bench_set(b, s, "", "1"), -1);
	assert_int_equal(bench_set(b, s, "/ietf-netconf-acm:nacm/denied-operations", "1"), -1);
	assert_fault(b, "invalid-value", "/ietf-netconf-acm:nacm/denied-operations", "not configuration");
}

/* Containers with few and with many children are searched differently. */
static void a_leaf_is_replaced_however_few_there_are(void **state)
{
	struct engine_bench *b = *state;
	static const struct {
		const char *path, *values[2];
	} leaves[] = {
		{"/srtp-gateway:gateway/logging/level", {"warn", "error"}},
		{"/srtp-gateway:gateway/observability/metrics-listener/port", {"1234", "4321"}},
		{"/srtp-gateway:gateway/limits/max-calls", {"7", "8"}},
	};

	for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++)
		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(bench_set(b, b->root, leaves[i].path, leaves[i].values[k]), 0);
			if (bench_commit(b, b->root))
				fail_msg("%s: %s", leaves[i].path, b->fault.message);
			assert_string_equal(bench_running(b, leaves[i].path), leaves[i].values[k]);
		}
}

static void an_edit_is_tested_when_asked(void **state)
{
	struct engine_bench *b = *state;
	static const char wrong[] = TRUNK("\"name\":\"a\",\"realm\":\"nowhere\"");
	static const char right[] = TRUNK("\"name\":\"a\",\"max-calls\":11");
	struct str text = str_z(wrong);

	assert_int_equal(engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_TEST_THEN_SET, text,
				 ENGINE_JSON, &b->fault),
		-1);
	assert_fault(b, "data-missing", G "/trunks/trunk[name='a']/realm", "'nowhere' is not defined");
	assert_string_equal(b->fault.app_tag, "instance-required");
	assert_int_equal(engine_edit(b->root, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_TEST_ONLY, str_z(right),
				 ENGINE_JSON, &b->fault),
		0);
	assert_string_equal(bench_get(b, b->root, ENGINE_CANDIDATE, A_CALLS), CALLS_ARE("10"));
	/* Without a test the candidate may be wrong until it is committed. */
	assert_int_equal(bench_edit(b, b->root, wrong), 0);
	assert_int_equal(engine_validate(b->root, ENGINE_CANDIDATE, NULL, &b->fault), -1);
	assert_int_equal(bench_commit(b, b->root), -1);
	assert_fault(b, "data-missing", G "/trunks/trunk[name='a']/realm", "'nowhere' is not defined");
	assert_string_equal(bench_running(b, G "/trunks/trunk[name='a']/realm"), "core");
	/* The running one is always tested, and changed at once. */
	assert_int_equal(
		engine_edit(b->root, ENGINE_RUNNING, ENGINE_MERGE, ENGINE_SET, text, ENGINE_JSON, &b->fault),
		-1);
	assert_int_equal(engine_edit(b->root, ENGINE_RUNNING, ENGINE_MERGE, ENGINE_SET, str_z(right),
				 ENGINE_JSON, &b->fault),
		0);
	assert_string_equal(bench_running(b, A_CALLS), "11");
	assert_int_equal(b->committed, 2);
}

static void rules_of_the_model_are_named(void **state)
{
	struct engine_bench *b = *state;

	assert_int_equal(bench_set(b, b->root, G "/sip/listener[name='udp']/tls-profile", "t"), 0);
	assert_int_equal(bench_set(b, b->root, G "/sip/listener[name='udp']/tls-profile", NULL), 0);
	assert_int_equal(bench_set(b, b->root, G "/realms/realm[name='core']/trusted", "false"), 0);
	assert_int_equal(engine_validate(b->root, ENGINE_CANDIDATE, NULL, &b->fault), -1);
	assert_string_equal(b->fault.tag, "operation-failed");
	assert_string_equal(b->fault.app_tag, "must-violation");
	assert_non_null(strstr(b->fault.message, "trusted"));
	assert_int_equal(strncmp(b->fault.path, G, strlen(G)), 0);
	assert_int_equal(engine_discard(b->root, &b->fault), 0);
	assert_int_equal(bench_edit(b, b->root, TRUNK("\"name\":\"c\"")), 0);
	assert_int_equal(engine_validate(b->root, ENGINE_CANDIDATE, NULL, &b->fault), -1);
	assert_fault(b, "missing-element", G "/trunks/trunk[name='c']", "'realm' is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_operation_and_each_mistake, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_container_goes_when_the_edit_of_it_is_done, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_tagged_as_default_goes_back_to_it, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_too_large_or_deep_is_refused, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			what_has_too_many_nodes_is_refused, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			an_operation_without_its_namespace_is_refused, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(set_takes_a_path_and_a_value, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_leaf_is_replaced_however_few_there_are, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(an_edit_is_tested_when_asked, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(rules_of_the_model_are_named, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
