/* SPDX-License-Identifier: Apache-2.0 */
/* Records of registrations: nothing of one is lost, and what is none is refused. */
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_binding.h"
#include "tests/support/cmocka_std.h"

static char text[SAVED_BINDING_MAX];

static struct saved_binding sample(void)
{
	return (struct saved_binding){
		.trunk = STR("browsers"),
		.user = STR("alice"),
		.contact = STR("sip:alice@10.20.0.5:5070;transport=tcp"),
		.instance = STR("<urn:uuid:1>"),
		.path = STR("<sip:edge.example;lr>"),
		.agent = STR("phone/1.0"),
		.call_id = STR("1@phone"),
		.reg_id = 7,
		.cseq = 70007,
		.q = 500,
		.transport = SIP_TCP,
		.remote = {.ip = {.family = IP_V4, .octets = {10, 20, 0, 5}}, .port = 41000},
		.local = {.ip = {.family = IP_V6, .octets = {0x20, 1}}, .port = 5060},
		.since_ms = 0x123456789abull,
		.ends_ms = 0x123456789acull,
	};
}

static int written(const struct saved_binding *s, struct saved_binding *out)
{
	struct wbuf w = wbuf_make(text, sizeof text);

	saved_binding_write(s, &w);
	assert_false(w.overflow);
	return saved_binding_read(w.p, w.len, out);
}

/* A record that is cut off anywhere is none, nor is one with something behind it. */
static void nothing_is_lost(void **state)
{
	struct saved_binding s = sample(), out;
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	saved_binding_write(&s, &w);
	assert_false(w.overflow);
	assert_int_equal(saved_binding_read(w.p, w.len, &out), 0);
	assert_true(str_eq(out.trunk, s.trunk) && str_eq(out.user, s.user) && str_eq(out.contact, s.contact));
	assert_true(
		str_eq(out.instance, s.instance) && str_eq(out.path, s.path) && str_eq(out.agent, s.agent));
	assert_true(str_eq(out.call_id, s.call_id));
	assert_int_equal(out.reg_id, 7);
	assert_int_equal(out.cseq, 70007);
	assert_int_equal(out.q, 500);
	assert_int_equal(out.transport, SIP_TCP);
	assert_true(ip_port_equal(&out.remote, &s.remote) && ip_port_equal(&out.local, &s.local));
	assert_true(out.since_ms == s.since_ms && out.ends_ms == s.ends_ms);
	for (size_t cut = 0; cut < w.len; cut++)
		assert_true(saved_binding_read(text, cut, &out) < 0);
	assert_true(saved_binding_read(text, w.len + 1, &out) < 0);
}

static void what_is_none_is_refused(void **state)
{
	struct saved_binding s = sample(), out;

	(void)state;
	s.contact = STR("tel:+3001");
	assert_true(written(&s, &out) < 0);
	s.contact = STR("not a URI");
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.user = STR("");
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.path = STR("<sip:edge.example;lr>\r\nX-More: yes");
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.q = 1001;
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.transport = (enum sip_transport)SIP_TRANSPORT_COUNT;
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.remote = (struct ip_port){0};
	assert_true(written(&s, &out) < 0);
	s = sample();
	s.local.port = 0;
	assert_true(written(&s, &out) < 0);
	s = sample();
	assert_int_equal(written(&s, &out), 0);
	text[0] = (char)(SAVED_BINDING_VERSION + 1);
	assert_true(saved_binding_read(text, sizeof text, &out) < 0);
}

/* A long name of a program is for people and is cut; what counts is kept whole or not at all. */
static void what_is_too_long(void **state)
{
	static char longest[SIP_LINE_MAX + 1];
	struct saved_binding s = sample(), out;
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	memset(longest, 'a', sizeof longest);
	s.agent = (struct str){longest, sizeof longest};
	assert_int_equal(written(&s, &out), 0);
	assert_in_range(out.agent.n, 100, 1000);
	s.path = (struct str){longest, SIP_LINE_MAX};
	assert_int_equal(written(&s, &out), 0);
	assert_true(str_eq(out.path, s.path));
	s.path = (struct str){longest, sizeof longest};
	saved_binding_write(&s, &w);
	assert_true(w.overflow);
}

/* No call has the key of a registration. */
static void keys_are_apart(void **state)
{
	(void)state;
	assert_false(saved_binding_key(1));
	assert_false(saved_binding_key(UINT32_MAX));
	assert_true(saved_binding_key(SAVED_BINDING_KEY | 1));
	assert_false(saved_binding_key(SAVED_BINDING_KEY << 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(what_is_too_long),
		cmocka_unit_test(keys_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
