/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETCONF's envelope: what an <rpc> becomes on the management socket, and what an answer becomes in an
 * <rpc-reply>.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/netconf/reply.h"
#include "controlplane/netconf/rpc.h"

#define BASE "xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\""
#define SGW "urn:srtpgw:yang:srtp-gateway"
#define RPC(operation) "<rpc message-id=\"1\" " BASE ">" operation "</rpc>"

static struct models models;

static int set_up(void **state)
{
	(void)state;
	models.list = json_loads(
		"[{\"name\":\"srtp-gateway\",\"revision\":\"2026-11-20\",\"namespace\":\"" SGW "\","
		"\"features\":[\"rekey\",\"audit\"]},"
		"{\"name\":\"ietf-netconf-acm\",\"revision\":\"2018-02-14\",\"namespace\":"
		"\"urn:ietf:params:xml:ns:yang:ietf-netconf-acm\",\"features\":[]},"
		"{\"name\":\"only-types\",\"namespace\":\"urn:types\",\"implemented\":false}]",
		0, NULL);
	return models.list ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref((json_t *)models.list);
	return 0;
}

/* The request on the management socket; "TAG ELEMENT" of a refusal. */
static char *read_rpc(const char *message)
{
	struct xml_doc *doc;
	struct err e = {0};
	struct rpc rpc;
	json_t *fault = NULL;
	char *text;

	if (xml_parse(str_z(message), &doc, &e))
		fail_msg("%s: %s", message, e.text);
	if (rpc_read(xml_root(doc), &models, &rpc, &fault)) {
		json_t *info = json_object_get(fault, "info");
		const char *element = json_string_value(json_object_get(info, "bad-element"));

		assert_true(json_string_length(json_object_get(fault, "message")) > 10);
		assert_true(asprintf(&text, "%s %s", json_string_value(json_object_get(fault, "tag")),
				    element ? element : "-") > 0);
		json_decref(fault);
	} else {
		json_t *request = json_pack("{s:s*,s:o}", "op", rpc.op, "args", rpc.args);

		text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
		json_decref(request);
	}
	xml_free(doc);
	return text;
}

static void expect(const char *message, const char *outcome)
{
	char *text = read_rpc(message);

	assert_string_equal(text, outcome);
	free(text);
}

static void operations_become_requests(void **state)
{
	(void)state;
	expect(RPC("<get/>"), "{\"args\":{\"format\":\"xml\"},\"op\":\"get\"}");
	expect(RPC("<get><filter type=\"subtree\"><calls xmlns=\"" SGW "\"/></filter><limit xmlns=\"" SGW
		   "\">100</limit><after xmlns=\"" SGW "\">c17</after></get>"),
		"{\"args\":{\"after\":\"c17\",\"format\":\"xml\",\"limit\":100,\"subtree\":\"<calls "
		"xmlns=\\\"" SGW "\\\"/>\"},\"op\":\"get\"}");
	expect(RPC("<get-config><source><running/></source></get-config>"),
		"{\"args\":{\"format\":\"xml\",\"source\":\"running\"},\"op\":\"get-config\"}");
	expect(RPC("<get-config><source><startup/></source><with-defaults "
		   "xmlns=\"urn:ietf:params:xml:ns:yang:"
		   "ietf-netconf-with-defaults\"> report-all-tagged </with-defaults></get-config>"),
		"{\"args\":{\"format\":\"xml\",\"source\":\"startup\",\"with-defaults\":\"report-all-"
		"tagged\"},"
		"\"op\":\"get-config\"}");
	expect(RPC("<delete-config><target><startup/></target></delete-config>"),
		"{\"args\":{\"target\":\"startup\"},\"op\":\"delete-config\"}");
	expect(RPC("<lock><target><candidate/></target></lock>"),
		"{\"args\":{\"target\":\"candidate\"},\"op\":\"lock\"}");
	expect(RPC("<unlock><target><running/></target></unlock>"),
		"{\"args\":{\"target\":\"running\"},\"op\":\"unlock\"}");
	expect(RPC("<commit/>"), "{\"args\":{},\"op\":\"commit\"}");
	expect(RPC("<commit><confirmed/><confirm-timeout>30</confirm-timeout><persist>me</persist>"
		   "<persist-id>you</persist-id></commit>"),
		"{\"args\":{\"confirm-timeout\":30,\"confirmed\":true,\"persist\":\"me\",\"persist-id\":"
		"\"you\"},"
		"\"op\":\"commit\"}");
	expect(RPC("<cancel-commit><persist-id>me</persist-id></cancel-commit>"),
		"{\"args\":{\"persist-id\":\"me\"},\"op\":\"cancel-commit\"}");
	expect(RPC("<discard-changes/>"), "{\"args\":{},\"op\":\"discard-changes\"}");
	expect(RPC("<kill-session><session-id>7</session-id></kill-session>"),
		"{\"args\":{\"session-id\":7},\"op\":\"kill-session\"}");
	expect(RPC("<close-session/>"), "{\"args\":{}}");
	expect(RPC("<validate><source><candidate/></source></validate>"),
		"{\"args\":{\"format\":\"xml\",\"source\":\"candidate\"},\"op\":\"validate\"}");
	expect(RPC("<get-schema xmlns=\"" RPC_NS_MONITORING "\"><identifier>srtp-gateway</identifier>"
		   "<version>2026-11-20</version><format>yang</format></get-schema>"),
		"{\"args\":{\"identifier\":\"srtp-gateway\",\"version\":\"2026-11-20\"},\"op\":\"get-"
		"schema\"}");
	expect(RPC("<create-subscription xmlns=\"" RPC_NS_NOTIFICATION "\"><stream>NETCONF</stream>"
		   "<startTime>2026-11-20T00:00:00Z</startTime></create-subscription>"),
		"{\"args\":{\"format\":\"xml\",\"start-time\":\"2026-11-20T00:00:00Z\",\"stream\":"
		"\"NETCONF\"},"
		"\"op\":\"subscribe\"}");
}

/* ncclient's <filter> is of the base, RFC 5277's of the notifications. */
static void filters_of_subscriptions(void **state)
{
	static const char *const namespaces[] = {RPC_NS_BASE, RPC_NS_NOTIFICATION};
	char message[512];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(message, sizeof message,
			RPC("<create-subscription xmlns=\"" RPC_NS_NOTIFICATION "\"><filter xmlns=\"%s\"><a "
			    "xmlns=\"b\"/></filter></create-subscription>"),
			namespaces[i]);
		expect(message, "{\"args\":{\"format\":\"xml\",\"subtree\":\"<a "
				"xmlns=\\\"b\\\"/>\"},\"op\":\"subscribe\"}");
	}
}

/* What stands in <config> goes out alone, so it takes along the namespaces that it had from around it. */
static void configurations_keep_their_namespaces(void **state)
{
	(void)state;
	expect(RPC("<edit-config><target><candidate/></target><default-operation>none</default-operation>"
		   "<test-option>set</test-option><error-option>rollback-on-error</error-option>"
		   "<config><gateway xmlns=\"" SGW "\"><limits/></gateway></config></edit-config>"),
		"{\"args\":{\"config\":\"<gateway xmlns=\\\"" SGW "\\\"><limits/></gateway>\","
		"\"default-operation\":\"none\",\"error-option\":\"rollback-on-error\",\"format\":\"xml\","
		"\"target\":\"candidate\",\"test-option\":\"set\"},\"op\":\"edit-config\"}");
	expect("<nc:rpc nc:message-id=\"9\" message-id=\"1\" "
	       "xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\" "
	       "xmlns:g=\"" SGW "\"><nc:edit-config><nc:target><nc:running/></nc:target><nc:config>"
	       "<g:gateway nc:operation=\"delete\"/></nc:config></nc:edit-config></nc:rpc>",
		"{\"args\":{\"config\":\"<g:gateway xmlns:nc=\\\"urn:ietf:params:xml:ns:netconf:base:1.0\\\" "
		"xmlns:g=\\\"" SGW
		"\\\" nc:operation=\\\"delete\\\"/>\",\"format\":\"xml\",\"target\":\"running\"},"
		"\"op\":\"edit-config\"}");
	expect(RPC("<copy-config><target><startup/></target><source><config><x "
		   "xmlns=\"a\">&lt;\xc3\xa4<![CDATA[<]]>"
		   "</x><!-- no element --><y xmlns=\"b\"/></config></source></copy-config>"),
		"{\"args\":{\"config\":\"<x xmlns=\\\"a\\\">&lt;\xc3\xa4<![CDATA[<]]></x><y "
		"xmlns=\\\"b\\\"/>\","
		"\"format\":\"xml\",\"target\":\"startup\"},\"op\":\"copy-config\"}");
	/* The config that many clients write: in no namespace at all. */
	expect("<nc:rpc message-id=\"1\" "
	       "xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><nc:edit-config>"
	       "<nc:target><nc:candidate/></nc:target><config><g xmlns=\"" SGW
	       "\"/></config></nc:edit-config></nc:rpc>",
		"{\"args\":{\"config\":\"<g xmlns:nc=\\\"urn:ietf:params:xml:ns:netconf:base:1.0\\\" "
		"xmlns=\\\"" SGW
		"\\\"/>\",\"format\":\"xml\",\"target\":\"candidate\"},\"op\":\"edit-config\"}");
	expect(RPC("<validate><source><config/></source></validate>"),
		"{\"args\":{\"config\":\"\",\"format\":\"xml\"},\"op\":\"validate\"}");
}

static void filters(void **state)
{
	(void)state;
	expect(RPC("<get><filter><gateway xmlns=\"" SGW "\"/></filter></get>"),
		"{\"args\":{\"format\":\"xml\",\"subtree\":\"<gateway xmlns=\\\"" SGW
		"\\\"/>\"},\"op\":\"get\"}");
	expect(RPC("<get><filter type=\"subtree\"/></get>"),
		"{\"args\":{\"format\":\"xml\",\"subtree\":\"\"},\"op\":\"get\"}");
	expect(RPC("<get><filter type=\"xpath\" xmlns:a=\"" SGW "\" select=\"/a:gateway/a:trunks//a:trunk"
		   "[a:name='a:b c' and position()&lt;2]/child::a:* | "
		   "/a:x[a:suite='a:GCM'][.=1e5]\"/></get>"),
		"{\"args\":{\"format\":\"xml\",\"xpath\":\"/srtp-gateway:gateway/srtp-gateway:trunks//"
		"srtp-gateway:"
		"trunk[srtp-gateway:name='a:b c' and position()<2]/child::srtp-gateway:* | "
		"/srtp-gateway:x[srtp-gateway:suite='srtp-gateway:GCM'][.=1e5]\"},\"op\":\"get\"}");
	expect(RPC("<get><filter type=\"xpath\"/></get>"), "missing-attribute filter");
	expect(RPC("<get><filter type=\"xpath\" select=\"/a:b\"/></get>"), "bad-attribute filter");
	expect(RPC("<get><filter type=\"xpath\" xmlns:a=\"urn:x\" select=\"/a:b\"/></get>"),
		"unknown-namespace filter");
	expect(RPC("<get><filter type=\"regex\"/></get>"), "bad-attribute filter");
}

static void models_own_operations(void **state)
{
	(void)state;
	expect(RPC("<drain xmlns=\"" SGW "\"><trunk>a</trunk></drain>"),
		"{\"args\":{\"data\":\"<drain xmlns=\\\"" SGW
		"\\\"><trunk>a</trunk></drain>\",\"format\":\"xml\"},"
		"\"op\":\"action\"}");
	expect(RPC("<action xmlns=\"urn:ietf:params:xml:ns:yang:1\"><g:gateway xmlns:g=\"" SGW "\"><g:rekey/>"
		   "</g:gateway></action>"),
		"{\"args\":{\"data\":\"<g:gateway xmlns=\\\"urn:ietf:params:xml:ns:yang:1\\\" "
		"xmlns:g=\\\"" SGW "\\\">"
		"<g:rekey/></g:gateway>\",\"format\":\"xml\"},\"op\":\"action\"}");
	expect(RPC("<action xmlns=\"urn:ietf:params:xml:ns:yang:1\"/>"), "bad-element action");
	expect(RPC("<reboot xmlns=\"urn:else\"/>"), "unknown-namespace reboot");
}

static void mistakes_are_named(void **state)
{
	(void)state;
	expect("<rpc " BASE "><get/></rpc>", "missing-attribute rpc");
	expect("<rpc message-id=\"1\"><get/></rpc>", "malformed-message -");
	expect("<hello " BASE "/>", "malformed-message -");
	expect(RPC(""), "missing-element rpc");
	expect(RPC("<get/><get/>"), "unknown-element get");
	expect(RPC("<reboot/>"), "operation-not-supported reboot");
	expect(RPC("<get><source/></get>"), "unknown-element source");
	expect(RPC("<get><filter/><filter/></get>"), "bad-element filter");
	expect(RPC("<get-config/>"), "missing-element source");
	expect(RPC("<get-config><source/></get-config>"), "missing-element source");
	expect(RPC("<get-config><source><url/></source></get-config>"), "unknown-element url");
	expect(RPC("<get-config><source><running/><startup/></source></get-config>"),
		"unknown-element startup");
	expect(RPC("<get-config><source><config/></source></get-config>"), "unknown-element config");
	expect(RPC("<get-config><source><running xmlns=\"urn:x\"/></source></get-config>"),
		"unknown-element running");
	expect(RPC("<edit-config><target><candidate/></target></edit-config>"), "missing-element config");
	expect(RPC("<edit-config><config/></edit-config>"), "missing-element target");
	expect(RPC("<edit-config><target><candidate/></target><test-option>maybe</test-option><config/></"
		   "edit-config>"),
		"invalid-value test-option");
	expect(RPC("<edit-config><target><candidate/></target><test-option><set/></test-option><config/>"
		   "</edit-config>"),
		"unknown-element set");
	expect(RPC("<commit><confirm-timeout>0</confirm-timeout></commit>"), "invalid-value confirm-timeout");
	expect(RPC("<commit><confirm-timeout>4294967296</confirm-timeout></commit>"),
		"invalid-value confirm-timeout");
	expect(RPC("<kill-session><session-id>me</session-id></kill-session>"), "invalid-value session-id");
	expect(RPC("<copy-config><target><startup/></target><source><running/></source><with-defaults "
		   "xmlns=\"urn:"
		   "ietf:params:xml:ns:yang:ietf-netconf-with-defaults\">trim</with-defaults></copy-config>"),
		"operation-not-supported with-defaults");
	expect(RPC("<get-schema xmlns=\"" RPC_NS_MONITORING
		   "\"><identifier>a</identifier><format>yin</format>"
		   "</get-schema>"),
		"invalid-value format");
}

static void xml_that_is_refused(void **state)
{
	static const struct {
		const char *message;
		int code;
	} bad[] = {
		{"", -EBADMSG},
		{"<rpc", -EBADMSG},
		{"<rpc></rpd>", -EBADMSG},
		{"<rpc/><rpc/>", -EBADMSG},
		{"<x:rpc/>", -EBADMSG},
		{"<rpc x:a=\"1\"/>", -EBADMSG},
		{"<rpc>&who;</rpc>", -EBADMSG},
		{"<rpc>\xff</rpc>", -EBADMSG},
		{"<!DOCTYPE rpc><rpc/>", -EBADMSG},
		{"<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><rpc>&b;</rpc>", -EBADMSG},
		{"<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><rpc/>", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct xml_doc *doc;
		struct err e = {0};

		assert_int_equal(xml_parse(str_z(bad[i].message), &doc, &e), bad[i].code);
		assert_true(strlen(e.text) > 10);
	}
}

static int parse_repeated(const char *head, const char *element, unsigned times, const char *tail)
{
	struct text t = {0};
	struct xml_doc *doc = NULL;
	struct err e = {0};

	text_z(&t, head);
	for (unsigned i = 0; i < times; i++)
		text_z(&t, element);
	text_z(&t, tail);
	int rc = xml_parse(text_view(&t), &doc, &e);

	xml_free(doc);
	text_free(&t);
	return rc;
}

static void xml_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("", "<a>", 1000000, ""), -E2BIG);
	assert_int_equal(parse_repeated("<a>", "<b/>", 1000000, "</a>"), -E2BIG);
	assert_int_equal(parse_repeated("<a><b><c><d><e>", "<f/>", 1000000, "</e></d></c></b></a>"), 0);
	assert_int_equal(parse_repeated("<a>", "text text text text ", 1000000, "</a>"), -E2BIG);
	assert_int_equal(
		parse_repeated("<a><b><c><d>", "text text text text ", 100000, "</d></c></b></a>"), 0);
}

static char *write_fault(const char *rpc, const char *fault)
{
	struct text t = {0};
	struct xml_doc *doc = NULL;
	struct err e = {0};
	json_t *f = json_loads(fault, 0, NULL);

	if (rpc)
		assert_int_equal(xml_parse(str_z(rpc), &doc, &e), 0);
	reply_fault(&t, doc ? xml_root(doc) : NULL, &models, f);
	json_decref(f);
	xml_free(doc);
	assert_false(t.failed);
	return t.p;
}

static void faults_become_rpc_errors(void **state)
{
	char *text = write_fault("<rpc message-id=\"a&lt;&#10;\" x:id=\"7\" xmlns:x=\"urn:x\" " BASE "/>",
		"{\"tag\":\"lock-denied\",\"type\":\"protocol\",\"app-tag\":\"later\",\"path\":\"/"
		"srtp-gateway:gateway/"
		"trunks/trunk[name='a/b'][2]/ietf-netconf-acm:x/y\",\"message\":\"a < "
		"b\\u0001\",\"info\":{\"session-id\":"
		"4}}");

	(void)state;
	assert_string_equal(text,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<rpc-reply xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"a&lt;&#10;\" "
		"x:id=\"7\" "
		"xmlns:x=\"urn:x\"><rpc-error><error-type>protocol</error-type><error-tag>lock-denied</"
		"error-tag>"
		"<error-severity>error</error-severity><error-app-tag>later</error-app-tag>"
		"<error-path xmlns:srtp-gateway=\"" SGW "\" "
		"xmlns:ietf-netconf-acm=\"urn:ietf:params:xml:ns:yang:ietf-netconf-acm\">"
		"/srtp-gateway:gateway/srtp-gateway:trunks/srtp-gateway:trunk[srtp-gateway:name='a/b'][2]/"
		"ietf-netconf-acm:x/ietf-netconf-acm:y</error-path>"
		"<error-message xml:lang=\"en\">a &lt; b?</error-message>"
		"<error-info><session-id>4</session-id></error-info></rpc-error></rpc-reply>");
	free(text);
	/* Out of memory, or a fault without a word: still an error that a client understands. */
	text = write_fault(NULL, "{");
	assert_non_null(strstr(text, "<error-tag>resource-denied</error-tag>"));
	free(text);
	text = write_fault(NULL, "{}");
	assert_non_null(strstr(text, "<error-tag>operation-failed</error-tag>"));
	free(text);
}

static void expect_answer(enum rpc_answer answer, const char *data, const char *content)
{
	struct text t = {0}, wanted = {0};
	json_t *d = data ? json_loads(data, JSON_DECODE_ANY, NULL) : NULL;

	int rc = reply_answer(&t, NULL, answer, d);

	if (content) {
		text_fmt(&wanted,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rpc-reply " BASE ">%s</rpc-reply>",
			content);
		assert_int_equal(rc, 0);
		assert_string_equal(t.p, wanted.p);
	} else {
		assert_int_equal(rc, -1);
		assert_int_equal(t.n, 0);
	}
	json_decref(d);
	text_free(&t);
	text_free(&wanted);
}

static void answers_become_replies(void **state)
{
	(void)state;
	expect_answer(RPC_OK, "{\"commit\":3}", "<ok/>");
	expect_answer(RPC_CLOSE, NULL, "<ok/>");
	expect_answer(RPC_DATA, "\"<gateway xmlns=\\\"x\\\"/>\"", "<data><gateway xmlns=\"x\"/></data>");
	expect_answer(RPC_DATA, "\"\"", "<data></data>");
	expect_answer(RPC_DATA, "{}", NULL);
	expect_answer(RPC_OUTPUT, "\"<n xmlns=\\\"x\\\">1</n>\"", "<n xmlns=\"x\">1</n>");
	expect_answer(RPC_OUTPUT, "\"\"", "<ok/>");
	expect_answer(RPC_OUTPUT, "{}", "<ok/>");
	expect_answer(RPC_OUTPUT, NULL, "<ok/>");
	expect_answer(RPC_SCHEMA, "{\"text\":\"module a {\\n \\\"<\\\" }\"}",
		"<data xmlns=\"" RPC_NS_MONITORING "\">module a {\n \"&lt;\" }</data>");
	expect_answer(RPC_SCHEMA, "{}", NULL);
}

static void hello_names_what_is_there(void **state)
{
	struct text t = {0};

	(void)state;
	reply_hello(&t, 42, &models);
	assert_non_null(strstr(t.p, "<capability>urn:ietf:params:netconf:base:1.1</capability>"));
	assert_non_null(strstr(t.p, "<capability>" SGW "?module=srtp-gateway&amp;revision=2026-11-20&amp;"
				    "features=rekey,audit</capability>"));
	assert_null(strstr(t.p, "only-types"));
	assert_non_null(strstr(t.p, "<session-id>42</session-id></hello>"));
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_become_requests),
		cmocka_unit_test(configurations_keep_their_namespaces),
		cmocka_unit_test(filters),
		cmocka_unit_test(filters_of_subscriptions),
		cmocka_unit_test(models_own_operations),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(xml_that_is_refused),
		cmocka_unit_test(xml_is_bounded),
		cmocka_unit_test(faults_become_rpc_errors),
		cmocka_unit_test(answers_become_replies),
		cmocka_unit_test(hello_names_what_is_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
