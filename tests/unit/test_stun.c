/* SPDX-License-Identifier: Apache-2.0 */
/* STUN messages: RFC 5769's vectors, what is refused, and what is written. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "lib/stun/stun.h"
#include "tests/unit/vectors/stun_rfc5769.h"

#define PASSWORD rfc5769_password, sizeof rfc5769_password - 1

static void test_rfc5769_request(void **state)
{
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_parse(rfc5769_request, sizeof rfc5769_request, &m), 0);
	assert_int_equal(m.type, STUN_BINDING_REQUEST);
	assert_true(str_eq(m.username, STR("evtj:h6vY")));
	assert_true(m.has_priority && m.controlled && !m.controlling && !m.use_candidate);
	assert_int_equal(m.priority, 0x6e0001ff);
	assert_true(m.tie_breaker == UINT64_C(0x932ff9b151263b36));
	assert_int_equal(m.n_unknown, 0);
	assert_true(stun_fingerprint_good(rfc5769_request, &m));
	assert_true(stun_integrity_good(rfc5769_request, &m, PASSWORD));
	assert_false(stun_integrity_good(rfc5769_request, &m, "VOkJxbRl1RmTxUk/WvJxBu", 22));
	assert_false(stun_integrity_good(rfc5769_request, &m, "", 0));
}

static void test_rfc5769_responses(void **state)
{
	static const struct ip_addr v4 = {.family = IP_V4, .octets = {192, 0, 2, 1}};
	struct ip_addr v6;
	struct stun_msg m;

	(void)state;
	assert_int_equal(ip_parse(STR("2001:db8:1234:5678:11:2233:4455:6677"), &v6), 0);
	assert_int_equal(stun_parse(rfc5769_response_v4, sizeof rfc5769_response_v4, &m), 0);
	assert_int_equal(m.type, STUN_BINDING_SUCCESS);
	assert_true(ip_equal(&m.mapped.ip, &v4));
	assert_int_equal(m.mapped.port, 32853);
	assert_true(stun_integrity_good(rfc5769_response_v4, &m, PASSWORD));
	assert_true(stun_fingerprint_good(rfc5769_response_v4, &m));
	assert_int_equal(stun_parse(rfc5769_response_v6, sizeof rfc5769_response_v6, &m), 0);
	assert_true(ip_equal(&m.mapped.ip, &v6));
	assert_int_equal(m.mapped.port, 32853);
	assert_true(stun_integrity_good(rfc5769_response_v6, &m, PASSWORD));
	assert_true(stun_fingerprint_good(rfc5769_response_v6, &m));
}

/* No octet of a signed message can change without notice, but those of FINGERPRINT itself by that alone. */
static void test_every_octet_counts(void **state)
{
	uint8_t p[sizeof rfc5769_request];
	struct stun_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof p; i++) {
		memcpy(p, rfc5769_request, sizeof p);
		p[i] ^= 0x40;
		if (stun_parse(p, sizeof p, &m) < 0)
			continue;
		assert_false(stun_fingerprint_good(p, &m) && stun_integrity_good(p, &m, PASSWORD));
	}
}

static void test_every_length_is_refused(void **state)
{
	struct stun_msg m;

	(void)state;
	for (size_t n = 0; n < sizeof rfc5769_request; n++)
		assert_int_equal(stun_parse(rfc5769_request, n, &m), -EBADMSG);
}

static const struct ip_port v4 = {.ip = {.family = IP_V4, .octets = {192, 0, 2, 7}}, .port = 40000};
static const struct ip_port v6 = {
	.ip = {.family = IP_V6, .octets = {0x20, 1, 0xd, 0xb8, [15] = 9}}, .port = 5};

/* Answers are read back with the peer's eyes. */
static void test_answers(void **state)
{
	static const uint8_t id[STUN_ID] = "twelve bytes";
	const struct ip_port *from[] = {&v4, &v6};
	struct stun_msg m, request = {.n_unknown = 3, .unknown = {0x7001, 0x7002, 0x7003}};
	char text[STUN_ANSWER_MAX];
	const uint8_t *p = (const uint8_t *)text;
	struct wbuf w;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		w = wbuf_make(text, sizeof text);
		stun_put_success(&w, id, from[i], PASSWORD);
		assert_int_equal(stun_parse(p, w.len, &m), 0);
		assert_int_equal(m.type, STUN_BINDING_SUCCESS);
		assert_memory_equal(m.id, id, STUN_ID);
		assert_true(ip_port_equal(&m.mapped, from[i]));
		assert_true(stun_integrity_good(p, &m, PASSWORD) && stun_fingerprint_good(p, &m));
	}
	w = wbuf_make(text, sizeof text);
	stun_put_error(&w, id, STUN_UNKNOWN_ATTRIBUTE, &request, PASSWORD);
	assert_int_equal(stun_parse(p, w.len, &m), 0);
	assert_int_equal(m.error, 420);
	assert_true(stun_integrity_good(p, &m, PASSWORD) && stun_fingerprint_good(p, &m));
	w = wbuf_make(text, sizeof text);
	stun_put_error(&w, id, STUN_ROLE_CONFLICT, &request, PASSWORD);
	assert_int_equal(stun_parse(p, w.len, &m), 0);
	assert_int_equal(m.type, STUN_BINDING_ERROR);
	assert_int_equal(m.error, 487);
}

static void test_check(void **state)
{
	struct stun_check c = {.id = "abcdefghijk",
		.username = STR("ours:theirs"),
		.key = rfc5769_password,
		.key_len = sizeof rfc5769_password - 1,
		.priority = 1862270975,
		.tie_breaker = 7,
		.use_candidate = true};
	char text[256];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct stun_msg m;

	(void)state;
	stun_put_check(&w, &c);
	assert_int_equal(stun_parse((const uint8_t *)text, w.len, &m), 0);
	assert_true(m.use_candidate && m.controlling && m.priority == 1862270975 && m.tie_breaker == 7);
	assert_true(str_eq(m.username, STR("ours:theirs")));
	assert_true(stun_integrity_good((const uint8_t *)text, &m, PASSWORD));
	assert_true(stun_fingerprint_good((const uint8_t *)text, &m));
}

/* What must be understood and is not is named; what comes behind the proof is not part of it. */
static void test_odd_attributes(void **state)
{
	struct stun_msg m;
	uint8_t p[] = {0, 1, 0, 44, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		/* 0x7fff, 1 octet and padding */ 0x7f, 0xff, 0, 1, 9, 0, 0, 0,
		/* 0x9999: may be ignored */ 0x99, 0x99, 0, 0,
		/* MESSAGE-INTEGRITY */ 0, 8, 0, 20, [60] = /* USE-CANDIDATE behind it */ 0, 0x25, 0, 0,
		/* 0x7ffe */ 0x7f, 0xfe, 0, 0};

	(void)state;
	p[3] = sizeof p - STUN_HEADER;
	assert_int_equal(stun_parse(p, sizeof p, &m), 0);
	assert_int_equal(m.n_unknown, 1);
	assert_int_equal(m.unknown[0], 0x7fff);
	assert_false(m.use_candidate);
	assert_int_equal(m.integrity, 32);
	p[4] = 0; /* the cookie */
	assert_int_equal(stun_parse(p, sizeof p, &m), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5769_request),
		cmocka_unit_test(test_rfc5769_responses),
		cmocka_unit_test(test_every_octet_counts),
		cmocka_unit_test(test_every_length_is_refused),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_odd_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
