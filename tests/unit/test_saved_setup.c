/* SPDX-License-Identifier: Apache-2.0 */
/* Records of calls that are being set up: nothing of one is lost, and what is none is refused. */
#include <string.h>

#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/b2bua/recovery/saved_setup.h"
#include "tests/support/cmocka_std.h"

static char text[SAVED_CALL_MAX];
static struct saved_setup again;

static struct saved_invite invite(struct str head, uint8_t transport)
{
	return (struct saved_invite){
		.head = head,
		.way = {.listener = STR("carriers-tls"),
			.transport = transport,
			.remote = {.ip = {.family = IP_V4, .octets = {198, 51, 100, 7}}, .port = 5061},
			.tls_name = STR("sbc.north.example"),
			.tls_sni = STR("north.example")},
	};
}

static struct saved_setup sample(void)
{
	return (struct saved_setup){
		.from = STR("+498912345678"),
		.to = STR("+493098765432"),
		.began_ms = 0x123456789abull,
		.trunk = {STR("core"), STR("carrier-north")},
		.tls = {STR(""), STR("TLSv1.3 TLS_AES_256_GCM_SHA384")},
		.peer_name = {STR(""), STR("sbc.north.example")},
		.peer_fingerprint = {STR(""), STR("ab:cd")},
		.tag = STR("49085fe300ec00af"),
		.in = invite(
			STR("INVITE sip:1@a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n\r\n"), SIP_UDP),
		.n_out = 2,
		.out = {invite(STR("INVITE sip:2@b SIP/2.0\r\n\r\n"), SIP_TLS),
			invite(STR("INVITE"), SIP_TCP)},
	};
}

static void assert_way(const struct saved_way *a, const struct saved_way *b)
{
	assert_true(str_eq(a->listener, b->listener) && a->transport == b->transport &&
		    ip_port_equal(&a->remote, &b->remote));
	assert_true(str_eq(a->tls_name, b->tls_name) && str_eq(a->tls_sni, b->tls_sni));
}

static void nothing_is_lost(void **state)
{
	struct saved_setup s = sample();
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	saved_setup_write(&s, &w);
	assert_false(w.overflow);
	assert_true(saved_setup_is(w.p, w.len));
	assert_int_equal(saved_setup_read(w.p, w.len, &again), 0);
	assert_true(str_eq(s.from, again.from) && str_eq(s.to, again.to) && str_eq(s.tag, again.tag));
	assert_int_equal(again.began_ms, s.began_ms);
	for (unsigned side = 0; side < 2; side++) {
		assert_true(str_eq(s.trunk[side], again.trunk[side]) && str_eq(s.tls[side], again.tls[side]));
		assert_true(str_eq(s.peer_name[side], again.peer_name[side]));
		assert_true(str_eq(s.peer_fingerprint[side], again.peer_fingerprint[side]));
	}
	assert_true(str_eq(s.in.head, again.in.head));
	assert_way(&s.in.way, &again.in.way);
	assert_int_equal(again.n_out, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(str_eq(s.out[i].head, again.out[i].head));
		assert_way(&s.out[i].way, &again.out[i].way);
	}
	for (size_t cut = 0; cut < w.len; cut++)
		assert_true(saved_setup_read(w.p, cut, &again) < 0);
	text[w.len] = 0;
	assert_true(saved_setup_read(w.p, w.len + 1, &again) < 0);
}

/* A call that stands, or has ended, is none, nor the other way round; nobody waits for an answer in the last.
 */
static void it_is_told_from_a_call(void **state)
{
	static struct saved_call call;
	struct saved_setup s = sample();
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	s.in = (struct saved_invite){0};
	saved_setup_write(&s, &w);
	assert_true(saved_call_read(w.p, w.len, &call) < 0);
	assert_int_equal(saved_setup_read(w.p, w.len, &again), 0);
	assert_int_equal(again.in.head.n, 0);
	text[0] = SAVED_SETUP_VERSION - 1;
	assert_false(saved_setup_is(w.p, w.len));
	assert_true(saved_setup_read(w.p, w.len, &again) < 0);
	assert_false(saved_setup_is(w.p, 0));
}

/* A line end in a name would end up in the head of a message. */
static void names_are_of_one_line(void **state)
{
	struct saved_setup s = sample();
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	s.tag = STR("a\r\nVia: b");
	saved_setup_write(&s, &w);
	assert_true(saved_setup_read(w.p, w.len, &again) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(it_is_told_from_a_call),
		cmocka_unit_test(names_are_of_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
