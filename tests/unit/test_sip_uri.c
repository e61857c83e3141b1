/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "controlplane/sip/uri.h"

static void test_parts(void **state)
{
	struct sip_uri u;

	(void)state;
	assert_int_equal(
		sip_uri_parse(STR("sips:al%20ice;x=1:pa$s@[2001:db8::1]:5071;transport=tcp;lr?a=b&c=d"), &u),
		0);
	assert_int_equal(u.scheme, SIP_SCHEME_SIPS);
	assert_true(str_eq(u.user, STR("al%20ice;x=1")));
	assert_true(str_eq(u.password, STR("pa$s")));
	assert_true(str_eq(u.host, STR("2001:db8::1")));
	assert_true(u.host_v6);
	assert_int_equal(u.port, 5071);
	assert_true(str_eq(u.params, STR("transport=tcp;lr")));
	assert_true(str_eq(u.headers, STR("a=b&c=d")));
	assert_int_equal(sip_uri_parse(STR("tel:+1-201-555-0123;phone-context=example.com"), &u), 0);
	assert_true(str_eq(u.user, STR("+1-201-555-0123")));
}

static void test_party(void **state)
{
	static const struct {
		const char *uri, *party;
	} cases[] = {
		{"sip:+4930300;npdi;rn=+4940@host;user=phone", "+4930300;npdi;rn=+4940"},
		{"tel:+4930300;npdi;rn=+4940", "+4930300;npdi;rn=+4940"}, {"tel:+49-30-300", "+49-30-300"},
		{"tel:7042;phone-context=example.com", "7042;phone-context=example.com"},
		{"tel:+4930300;x=[1]", "+4930300"}, /* brackets may not stand in a user part */
	};
	struct sip_uri u;

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(sip_uri_parse(str_z(cases[i].uri), &u), 0);
		assert_true(str_eq(sip_uri_party(&u), str_z(cases[i].party)));
	}
	u.user = STR("somebody else");
	assert_true(str_eq(sip_uri_party(&u), u.user));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "sip", "sip:", "sip:@host", "sip:user@", "sip:a@b@c",
		"sip:a b@c", "sip:a@b:0", "sip:a@b:65536", "sip:a@b:", "sip:a@b:5060x", "sip:a@[::1",
		"sip:a@[1.2.3.4]", "sip:a@[::1]x", "sip:a%4@b", "sip:a%zz@b", "sip:a@b;", "sip:a@b?",
		"sip:a@b;x=\"y\"", "sip:a@b c", "sip:a@b\r\n", "<sip:a@b>", "tel:", "tel:12+3", "tel:1;x=<",
		":x", "1x:y", "http:a b", "sip:a@ex ample.com", "sip:a@b;p=%0",
		"sip:a@b;transport=udp;transport=tcp"};
	struct sip_uri u;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (sip_uri_parse(str_z(bad[i]), &u) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(
		sip_uri_parse(STR("nobodyKnowsThisScheme:totallyopaquecontent"), &u), -EPROTONOSUPPORT);
}

static void test_equal(void **state)
{
	/* RFC 3261 section 19.1.4 has most of these. */
	static const struct {
		const char *a, *b;
		bool equal;
	} pairs[] = {
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sips:bob@biloxi.com", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:a@b;transport=tls;transport=TLS", "sip:a@b;transport=tls", true}, /* as baresip writes it */
		{"sip:a%2Fb@x", "sip:a/b@x", false}, /* an escaped reserved character is another one */
		{"tel:+1-201-555-0123", "tel:+12015550123", true},
		{"tel:+12015550123", "tel:+12015550124", false},
		{"tel:123;phone-context=a", "tel:123;phone-context=b", false},
		{"tel:123;phone-context=a", "tel:123", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct sip_uri a, b;

		assert_int_equal(sip_uri_parse(str_z(pairs[i].a), &a), 0);
		assert_int_equal(sip_uri_parse(str_z(pairs[i].b), &b), 0);
		if (sip_uri_equal(&a, &b) != pairs[i].equal || sip_uri_equal(&b, &a) != pairs[i].equal)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
}

static void test_print(void **state)
{
	static const char *const all[] = {
		"sip:a:b@[::1]:5070;lr;transport=tls?x=y",
		"sips:example.com",
		"tel:*21#;ext=4",
		"sip:1_unusual.URI~(to-be!sure)&isn't+it$/c?,/;;*:&it+has=1,weird!*pas$wo~d(doesn't-it)@x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char buf[256];
		struct wbuf w = wbuf_make(buf, sizeof buf);
		struct sip_uri u;

		assert_int_equal(sip_uri_parse(str_z(all[i]), &u), 0);
		sip_uri_print(&w, &u);
		assert_true(str_eq(wbuf_view(&w), str_z(all[i])));
	}
}

static void test_addr(void **state)
{
	struct sip_addr a;
	struct str v;

	(void)state;
	assert_int_equal(
		sip_addr_parse(
			STR("\"A. \\\"G\\\" <Bell>, x\"  <sip:a@b;lr>  ; tag = 98asjd8 ;q=\"a;b\""), &a),
		0);
	assert_true(str_eq(a.display, STR("\"A. \\\"G\\\" <Bell>, x\"")));
	assert_true(str_eq(a.uri.params, STR("lr")));
	assert_true(sip_param(a.params, STR("TAG"), &v) && str_eq(v, STR("98asjd8")));
	assert_true(sip_param(a.params, STR("q"), &v) && str_eq(v, STR("\"a;b\"")));
	/* Without <> the parameters are the header's. */
	assert_int_equal(sip_addr_parse(STR("sip:a@b;tag=1"), &a), 0);
	assert_int_equal(a.uri.params.n, 0);
	assert_true(sip_param(a.params, STR("tag"), &v) && str_eq(v, STR("1")));
	assert_int_equal(sip_addr_parse(STR("*"), &a), 0);
	assert_true(a.star);
	static const char *const bad[] = {"", "\"open <sip:a@b>", "<sip:a@b", "x <>", "<sip:a@b> junk",
		"Bell, A <sip:a@b>", "sip:a@b?x=y", "\"q\"", "\"q\" x <sip:a@b>", "<sip:a@b>;=x",
		"<sip:a@b>;t=\"x", "<sip:a@b>;a=b c", "<sip:a@b>;a b=c"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (sip_addr_parse(str_z(bad[i]), &a) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void test_escape(void **state)
{
	char buf[64];
	struct wbuf w = wbuf_make(buf, sizeof buf);

	(void)state;
	assert_int_equal(sip_unescape(STR("a%20%00b"), buf, sizeof buf), 4);
	assert_memory_equal(buf, "a \0b", 4);
	assert_int_equal(sip_unescape(STR("abc"), buf, 2), -ENOSPC);
	assert_int_equal(sip_unescape(STR("%2"), buf, sizeof buf), -EINVAL);
	sip_user_escape(&w, STR("a@b c;d"));
	assert_true(str_eq(wbuf_view(&w), STR("a%40b%20c;d")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_party),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
