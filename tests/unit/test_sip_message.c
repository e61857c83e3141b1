/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/frame.h"
#include "controlplane/sip/message.h"

static struct sip_msg msg;
static struct sip_reject why;
static char *held;

/* Parses a copy of exactly n octets on the heap, so that a read past the end is seen. */
static int parse_n(const char *text, size_t n, bool datagram)
{
	free(held);
	held = malloc(n ? n : 1);
	memcpy(held, text, n);
	return sip_msg_parse(&msg, held, n, datagram, &why);
}

static int parse(const char *text)
{
	return parse_n(text, strlen(text), true);
}

#define VIA "Via: SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKabc;rport\r\n"
#define REST "From: <sip:a@x>;tag=f1\r\nTo: <sip:b@y>\r\nCall-ID: c1@x\r\nCSeq: 7 INVITE\r\n"
#define LINE "INVITE sip:b@y SIP/2.0\r\n"

/* RFC 4475 section 3.1.1.1, "a short tortuous INVITE". */
static const char tortuous[] =
	"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
	"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
	"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n"
	"MaX-fOrWaRdS: 0068\r\n"
	"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
	"Content-Length   : 150\r\n"
	"cseq: 0009\r\n  INVITE\r\n"
	"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
	"s :\r\n"
	"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
	"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
	"Content-Type: application/sdp\r\n"
	"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
	"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
	" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
	"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam\r\n      =\r\n  newvalue ;\r\n  "
	"secondparam ; q = 0.33\r\n"
	"\r\n"
	"v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n"
	"m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n";

static void test_tortuous(void **state)
{
	struct sip_values it;
	struct str v;
	unsigned vias = 0;

	(void)state;
	assert_int_equal(parse(tortuous), 0);
	assert_true(str_eq(msg.to_tag, STR("1918181833n")));
	assert_true(str_eq(msg.from_tag, STR("98asjd8")));
	assert_int_equal(msg.max_forwards, 68);
	assert_int_equal(msg.cseq, 9);
	assert_int_equal(msg.body.n, 150);
	assert_true(str_eq(msg.via.host, STR("192.0.2.2")) && !msg.via.cookie);
	for (it = sip_values(&msg, SIP_H_VIA); sip_values_next(&it, &v); vias++) {
		struct sip_via via;

		assert_int_equal(sip_via_parse(v, &via), 0);
		if (vias == 2)
			assert_true(str_eq(via.branch, STR("z9hG4bK30239")));
	}
	assert_int_equal(vias, 3);
	assert_non_null(sip_msg_hdr_named(&msg, STR("newfangledheader")));
	assert_true(sip_msg_hdr(&msg, SIP_H_SUBJECT) && sip_msg_value(&msg, SIP_H_SUBJECT).n == 0);
	it = sip_values(&msg, SIP_H_CONTACT);
	struct sip_addr a;

	assert_true(sip_values_next(&it, &v) && sip_addr_parse(v, &a) == 0);
	assert_true(sip_param(a.params, STR("q"), &v) && str_eq(v, STR("0.33")));
}

/* RFC 4475 section 3.1.1.2: unusual characters, a quoted NUL, an unknown method. */
static void test_unusual(void **state)
{
	static const char text[] =
		"!interesting-Method0123456789_*+`.%indeed'~ "
		"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:"
		"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n"
		"Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n"
		"To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" "
		"<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n"
		"From: token1~` token2'+_ token3*%!.- "
		"<sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";"
		"tag=_token~1'+`*%!-.\r\n"
		"Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
		"CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n"
		"Max-Forwards: 255\r\nextensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\r\nContent-Length: "
		"0\r\n\r\n";

	(void)state;
	if (parse_n(text, sizeof text - 1, false) < 0)
		fail_msg("%s", why.reason);
	assert_int_equal(msg.method, SIP_METHOD_OTHER);
	assert_true(str_eq(msg.from_tag, STR("_token~1'+`*%!-.")));
	assert_int_equal(msg.max_forwards, 255);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *reason;
		unsigned status;
		bool answerable;
	} bad[] = {
		/* what RFC 4475 section 3.1.2 and 3.3 list, in short */
		{LINE VIA REST "Content-Length: 9999\r\n\r\nx", "Body Shorter Than Content-Length", 400,
			true},
		{LINE VIA REST "Content-Length: -999\r\n\r\nx", "Malformed Content-Length", 400, true},
		{LINE VIA REST "Content-Length: 0\r\nl: 0\r\n\r\n", "More Than One Content-Length", 400,
			true},
		{LINE "Via: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: "
		      "<sip:a@x>\r\nCall-ID: c\r\n"
		      "CSeq: 36893488147419103232 INVITE\r\n\r\n",
			"Malformed CSeq", 400, true},
		{"INVITE <sip:b@y> SIP/2.0\r\n" VIA REST "\r\n", "Malformed Request-URI", 400, true},
		{"INVITE sip:b@y; lr SIP/2.0\r\n" VIA REST "\r\n", "Malformed Request-URI", 400, true},
		{"INVITE  sip:b@y  SIP/2.0\r\n" VIA REST "\r\n", "Malformed Request-URI", 400, true},
		{"INVITE sip:b@y SIP/2.0 \r\n" VIA REST "\r\n", "Malformed Request Line", 400, true},
		{"INVITE sip:b@y SIP/7.0\r\n" VIA REST "\r\n", "Version Not Supported", 505, true},
		{"INVITE soap.beep://192.0.2.103:3002 SIP/2.0\r\n" VIA REST "\r\n", "Unsupported URI Scheme",
			416, true},
		{LINE VIA "From: <sip:a@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 7 NOTINVITE\r\n\r\n",
			"CSeq Method Does Not Match", 400, true},
		{LINE VIA "From: \"Mr. J. User <sip:j@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 7 "
			  "INVITE\r\n\r\n",
			"Malformed From", 400, true},
		{LINE VIA "From: Bell, Alexander <sip:a@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 7 "
			  "INVITE\r\n\r\n",
			"Malformed From", 400, true},
		{LINE VIA REST "From: <sip:z@x>;tag=2\r\n\r\n", "More Than One From", 400, true},
		{LINE VIA REST "Max-Forwards: 300\r\n\r\n", "Malformed Max-Forwards", 400, true},
		{LINE VIA "From: <sip:a@x>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\r\n", "Missing To", 400, true},
		{LINE VIA "From: <sip:a@x>\r\nTo: <sip:a@x>\r\nCSeq: 7 INVITE\r\n\r\n", "Missing Call-ID",
			400, true},
		{LINE VIA "From: <sip:a@x>\r\nTo: <sip:a@x>\r\nCall-ID: c\r\n\r\n", "Missing CSeq", 400,
			true},
		{LINE REST "\r\n", "Missing Via", 400, false},
		{LINE "Via: SIP/2.0/UDP ;;,;,,\r\n" REST "\r\n", "Malformed Via", 400, false},
		{LINE "Via: SIP/2.0/UDP a;branch=z9\"x;rport\r\n" REST "\r\n", "Malformed Via", 400, false},
		{LINE VIA REST "Bad header: x\r\n\r\n", "Malformed Header Field Name", 400, true},
		{LINE VIA REST ": x\r\n\r\n", "Malformed Header Field Name", 400, true},
		{LINE VIA REST "no colon\r\n\r\n", "Malformed Header Field Name", 400, true},
		{LINE VIA REST "X: a\nY: b\r\n\r\n", "Line Not Ended by CRLF", 400, true},
		{LINE VIA REST "X: a\rY: b\r\n\r\n", "Stray CR in Header", 400, true},
		{LINE VIA REST, "Header Section Not Ended", 400, true},
		{"ACK sip:b@y SIP/2.0\r\n" VIA REST "\r\n", "CSeq Method Does Not Match", 400, false},
		{"SIP/2.0 4294967301 better not break the receiver\r\n" VIA REST "\r\n",
			"Malformed Status Line", 400, false},
		{"SIP/2.0 099 low\r\n" VIA REST "\r\n", "Malformed Status Line", 400, false},
		{"SIP/3.0 200 OK\r\n" VIA REST "\r\n", "Version Not Supported", 505, false},
		{"\x16\x03\x01\x02", "Header Section Not Ended", 400, false},
		{"", "Header Section Not Ended", 400, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (parse(bad[i].text) == 0)
			fail_msg("taken: %s", bad[i].text);
		if (why.status != bad[i].status || strcmp(why.reason, bad[i].reason) != 0 ||
			why.answerable != bad[i].answerable)
			fail_msg("%u %s answerable %d for: %s", why.status, why.reason, why.answerable,
				bad[i].text);
	}
}

static void test_taken(void **state)
{
	static const char *const good[] = {
		LINE VIA REST "\r\n",
		"\r\n\r\n" LINE VIA REST "\r\n",
		LINE VIA REST
		"Content-Length: 2\r\n\r\nabcd",    /* octets behind the body of a datagram are dropped */
		"SIP/2.0 200 \r\n" VIA REST "\r\n", /* RFC 4475 3.1.1.13: no reason phrase */
		"SIP/2.0 100 = 2**3 * 5**2 \xd0\xbd\r\n" VIA REST "\r\n",
		LINE "Via: SIP/2.0/UDP "
		     "[2001:db8::9:1]:5070;received=2001:db8::9:255;branch=z9hG4bKas3-111\r\n" REST "\r\n",
		LINE VIA
		"From: tel:+1555;tag=x\r\nTo: isbn:2983792873\r\nCall-ID: c\r\nCSeq: 0 INVITE\r\n\r\n",
		"OPTIONS sip:t1.transport.example.org;transport=SCTP SIP/2.0\r\nVia: SIP/2.0/FOO x\r\nf: "
		"<sip:a@x>\r\n"
		"t: caller<sip:b@y>\r\ni: c\r\nCSeq: 2147483647 OPTIONS\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (parse(good[i]) < 0)
			fail_msg("%s: %s", why.reason, good[i]);
}

static void test_stream_needs_exact_length(void **state)
{
	static const char none[] = LINE VIA REST "\r\n", longer[] = LINE VIA REST "l: 1\r\n\r\nab";

	(void)state;
	assert_true(parse_n(none, sizeof none - 1, false) < 0);
	assert_string_equal(why.reason, "Missing Content-Length");
	assert_true(parse_n(longer, sizeof longer - 1, false) < 0);
	assert_true(parse_n(longer, sizeof longer - 1, true) == 0);
	assert_int_equal(msg.body.n, 1);
}

static void test_limits(void **state)
{
	static char text[3 * SIP_HEAD_MAX];
	size_t n = (size_t)sprintf(text, "%s", LINE VIA REST);

	(void)state;
	for (unsigned i = 0; i < SIP_HEADERS_MAX; i++)
		n += (size_t)sprintf(text + n, "X: %u\r\n", i);
	n += (size_t)sprintf(text + n, "\r\n");
	assert_true(parse_n(text, n, true) < 0);
	assert_int_equal(why.status, 513);
	assert_true(why.answerable);
	n = (size_t)sprintf(text, "%s", LINE VIA REST "X: ");
	memset(text + n, 'x', SIP_LINE_MAX);
	n += SIP_LINE_MAX;
	n += (size_t)sprintf(text + n, "\r\n\r\n");
	assert_true(parse_n(text, n, true) < 0);
	assert_string_equal(why.reason, "Header Field Too Large");
}

static void test_header_names(void **state)
{
	static const char compact[] = "abcdefijklmnorstuvxy";

	(void)state;
	for (unsigned id = SIP_H_OTHER + 1; id < SIP_H_COUNT; id++)
		if (sip_hdr_by_name(sip_hdr_name(id)) != id)
			fail_msg("%s", sip_hdr_name(id).p);
	for (const char *c = compact; *c; c++)
		assert_int_not_equal(sip_hdr_by_name((struct str){c, 1}), SIP_H_OTHER);
	assert_int_equal(sip_hdr_by_name(STR("K")), SIP_H_SUPPORTED);
	assert_int_equal(sip_hdr_by_name(STR("call-id")), SIP_H_CALL_ID);
	assert_int_equal(sip_hdr_by_name(STR("Call-IDs")), SIP_H_OTHER);
	assert_int_equal(sip_hdr_by_name(STR("z")), SIP_H_OTHER);
}

static void test_lists(void **state)
{
	static const char *const want[] = {"<sip:a,b@x;lr>", "\"x, \\\"y\" <sip:c@d>", "<sip:e@f>"};
	struct sip_values it;
	struct str v;
	unsigned n = 0;

	(void)state;
	assert_int_equal(
		parse(LINE VIA REST "Route: <sip:a,b@x;lr> ,, \"x, \\\"y\" <sip:c@d>\r\nSupported: timer\r\n"
				    "Route: <sip:e@f>\r\nk: 100rel,Path\r\n\r\n"),
		0);
	for (it = sip_values(&msg, SIP_H_ROUTE); sip_values_next(&it, &v); n++) {
		assert_true(n < 3);
		assert_true(str_eq(v, str_z(want[n])));
	}
	assert_int_equal(n, 3);
	assert_true(sip_msg_has_token(&msg, SIP_H_SUPPORTED, STR("path")));
	assert_false(sip_msg_has_token(&msg, SIP_H_SUPPORTED, STR("rel")));
}

static void test_clone(void **state)
{
	(void)state;
	assert_int_equal(parse(tortuous), 0);
	struct sip_msg *c = sip_msg_clone(&msg);

	assert_non_null(c);
	memset(held, 'Z', strlen(tortuous)); /* the original's text goes */
	assert_true(str_eq(c->to_tag, STR("1918181833n")));
	assert_true(str_eq(c->from.display, STR("\"J Rosenberg \\\\\\\"\"")));
	assert_true(str_eq(c->uri.host, STR("chair-dnrc.example.com")));
	assert_true(str_eq(c->method_name, STR("INVITE")));
	assert_true(str_eq(c->via.branch, STR("390skdjuw")));
	assert_true(str_eq(c->content_type, STR("application/sdp")));
	assert_true(str_starts(c->body, STR("v=0")));
	assert_true(str_eq(sip_msg_value(c, SIP_H_CALL_ID), c->call_id));
	sip_msg_free(c);
}

static void test_response(void **state)
{
	char buf[2048];
	struct sip_builder b;

	(void)state;
	assert_int_equal(parse(LINE VIA "v: SIP/2.0/TCP second, SIP/2.0/UDP third\r\n" REST
					"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nTimestamp: 5\r\n\r\n"),
		0);
	assert_int_equal(ip_parse(STR("198.51.100.7"), &msg.source.ip), 0);
	msg.source.port = 40000;
	sip_build_response(&b, buf, sizeof buf, &msg, 180, NULL, STR("t2"));
	assert_int_equal(sip_build_end(&b, STR("a/b"), STR("body")), 0);
	struct str text = sip_built(&b);
	char *copy = strndup(text.p, text.n);

	assert_string_equal(copy,
		"SIP/2.0 180 Ringing\r\n"
		"Via: SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKabc;received=198.51.100.7;rport=40000\r\n"
		"Via: SIP/2.0/TCP second, SIP/2.0/UDP third\r\n"
		"From: <sip:a@x>;tag=f1\r\nTo: <sip:b@y>;tag=t2\r\nCall-ID: c1@x\r\nCSeq: 7 INVITE\r\n"
		"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nContent-Type: a/b\r\nContent-Length: "
		"4\r\n\r\nbody");
	free(copy);
}

static void test_no_line_is_smuggled_in(void **state)
{
	char buf[1024];
	struct sip_builder b;

	(void)state;
	sip_build_request(&b, buf, sizeof buf, STR("BYE"), STR("sip:a@b\r\nX: 1"));
	sip_build_hdr(&b, SIP_H_REASON, STR("SIP\r\nEvil: 1\r\n\r\n"));
	assert_int_equal(sip_build_end(&b, STR(""), STR("")), 0);
	assert_null(memmem(buf, b.w.len, "\nEvil", 5));
	assert_null(memmem(buf, b.w.len, "\nX:", 3));
	struct sip_builder small;

	sip_build_request(&small, buf, 40, STR("BYE"), STR("sip:a@b"));
	assert_true(sip_build_end(&small, STR("x"), STR("0123456789")) < 0);
}

/* A stream cut anywhere gives the same messages. */
static void test_frames(void **state)
{
	static const char stream[] =
		"\r\n\r\n" LINE VIA REST "l : 5\r\n\r\nabc\r\n" LINE VIA REST "Content-Length:0\r\n\r\n";
	const size_t total = sizeof stream - 1;

	(void)state;
	for (size_t cut = 0; cut <= total; cut++) {
		struct sip_framer f = {0};
		size_t at = 0, len;
		unsigned messages = 0, crlfs = 0;

		for (int pass = 0; pass < 2; pass++) {
			size_t n = pass ? total : cut;
			enum sip_frame_kind kind;

			while ((kind = sip_frame_next(&f, stream + at, n - at, &len)) != SIP_FRAME_NONE) {
				assert_true(kind == SIP_FRAME_CRLF || kind == SIP_FRAME_MESSAGE);
				messages += kind == SIP_FRAME_MESSAGE;
				crlfs += kind == SIP_FRAME_CRLF;
				if (kind == SIP_FRAME_MESSAGE) {
					assert_int_equal(parse_n(stream + at, len, false), 0);
					f = (struct sip_framer){0};
				}
				at += len;
			}
		}
		assert_int_equal(at, total);
		assert_int_equal(messages, 2);
		assert_int_equal(crlfs, 2);
	}
}

static void test_frames_refused(void **state)
{
	static const struct {
		const char *text;
		enum sip_frame_kind kind;
	} cases[] = {
		{"\x16\x03\x01", SIP_FRAME_GARBAGE},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", SIP_FRAME_LAST},
		{"\rx", SIP_FRAME_GARBAGE},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SIP_FRAME_GARBAGE},
		{LINE VIA REST "Content-Length:\r\n 0\r\n\r\n", SIP_FRAME_MESSAGE},
		{LINE VIA REST "l: 1\r\n 0\r\n\r\n", SIP_FRAME_LAST},
		{LINE VIA REST "\r\n", SIP_FRAME_LAST},
		{LINE VIA REST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", SIP_FRAME_LAST},
		{LINE VIA REST "Content-Length: 1x\r\n\r\n", SIP_FRAME_LAST},
		{LINE VIA REST "Content-Length: 65537\r\n\r\n", SIP_FRAME_TOO_BIG},
		{LINE VIA REST "Content-Length: 99999999999\r\n\r\n", SIP_FRAME_LAST},
	};
	static char endless[SIP_HEAD_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sip_framer f = {0};
		size_t len;

		if (sip_frame_next(&f, cases[i].text, strlen(cases[i].text), &len) != cases[i].kind)
			fail_msg("%s", cases[i].text);
	}
	struct sip_framer f = {0};
	size_t len;

	memset(endless, 'x', sizeof endless);
	memcpy(endless, "INVITE ", 7);
	assert_int_equal(sip_frame_next(&f, endless, sizeof endless, &len), SIP_FRAME_TOO_BIG);
	assert_int_equal(len, 0);
}

static int teardown(void **state)
{
	(void)state;
	free(held);
	held = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tortuous),
		cmocka_unit_test(test_unusual),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_stream_needs_exact_length),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_header_names),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_no_line_is_smuggled_in),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frames_refused),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
