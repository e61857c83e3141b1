/* SPDX-License-Identifier: Apache-2.0 */
/* Who a source says that it is stays on its side; that two streams are of one participant does not. */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include "lib/srtp/rtcp_describe.h"
#include "lib/srtp/rtcp_hdr.h"

#define CALL 7

static const struct siphash_key key = {{1, 2, 3}};

/* A compound as it is written, in memory of its own length: what reads or writes beyond it is found. */
struct compound {
	uint8_t *p;
	size_t n;
};

static struct compound of(const char *octets, size_t n)
{
	struct compound c = {malloc(n), n};

	assert_non_null(c.p);
	memcpy(c.p, octets, n);
	return c;
}
#define OF(literal) of(literal, sizeof(literal) - 1)

static void hide(struct compound *c, uint64_t call)
{
	size_t n = rtcp_describe_hide(c->p, c->n, &key, call);

	assert_true(n <= c->n);
	c->n = n;
	if (n)
		assert_int_equal(rtcp_check(c->p, n), 0);
}

static void equals(const struct compound *c, const char *octets, size_t n)
{
	assert_int_equal(c->n, n);
	assert_memory_equal(c->p, octets, n);
}
#define EQUALS(c, literal) equals(c, literal, sizeof(literal) - 1)

#define RR "\x80\xc9\x00\x01\x01\x02\x03\x04"
#define BYE "\x81\xcb\x00\x01\x01\x02\x03\x04"
/* SSRC, CNAME "alice@10.20.0.10", TOOL "baresip", and a second source. */
#define ALICE "\x01\x02\x03\x04\x01\x10" "alice@10.20.0.10" "\x06\x07" "baresip" "\x00"
#define SECOND "\x05\x06\x07\x08\x01\x10" "alice@10.20.0.10" "\x00\x00"
#define DESCRIBED "\x82\xca\x00\x0e" ALICE SECOND

static void test_a_name_says_nothing(void **state)
{
	struct compound c = OF(RR DESCRIBED BYE);

	(void)state;
	hide(&c, CALL);
	assert_int_equal(c.n, 8 + 4 + 24 + 24 + 8);
	assert_memory_equal(c.p, RR "\x82\xca\x00\x0c\x01\x02\x03\x04\x01\x10", 18);
	assert_memory_equal(c.p + 34, "\x00\x00\x05\x06\x07\x08\x01\x10", 8);
	assert_memory_equal(c.p + c.n - 10, "\x00\x00" BYE, 10);
	assert_memory_equal(c.p + 18, c.p + 42, 16);
	assert_null(memchr(c.p, '@', c.n));
	free(c.p);
}

/* The same in the next report, another one in another call or of another source. */
static void test_a_name_is_of_its_call(void **state)
{
	static const struct {
		const char *name;
		uint64_t call;
		bool same;
	} cases[] = {{"alice@10.20.0.10", CALL, true}, {"alice@10.20.0.10", CALL + 1, false},
		{"alice@10.20.0.11", CALL, false}};
	struct compound before = OF("\x81\xca\x00\x06\x01\x02\x03\x04\x01\x10" "alice@10.20.0.10" "\x00\x00");

	(void)state;
	hide(&before, CALL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct compound c = OF("\x81\xca\x00\x06\x01\x02\x03\x04\x01\x10" "________________" "\x00\x00");

		memcpy(c.p + 10, cases[i].name, 16);
		hide(&c, cases[i].call);
		assert_int_equal(c.n, before.n);
		assert_int_equal(memcmp(c.p + 10, before.p + 10, 16) == 0, cases[i].same);
		/* Both halves depend on all of it. */
		assert_int_equal(memcmp(c.p + 10, before.p + 10, 8) == 0, cases[i].same);
		assert_int_equal(memcmp(c.p + 18, before.p + 18, 8) == 0, cases[i].same);
		free(c.p);
	}
	free(before.p);
}

static void test_a_long_and_a_short_name(void **state)
{
	struct compound c = OF("\x82\xca\x00\x09\x01\x02\x03\x04\x01\x15" "+4930300@192.168.0.10" "\x00"
			       "\x05\x06\x07\x08\x01\x01" "a" "\x00");

	(void)state;
	hide(&c, CALL);
	assert_int_equal(c.n, 4 + 24 + 8);
	assert_memory_equal(c.p + 4, "\x01\x02\x03\x04\x01\x10", 6);
	assert_int_equal(strlen((char *)c.p + 10), RTCP_CNAME_MAX);
	assert_memory_equal(c.p + 28, "\x05\x06\x07\x08\x01\x01", 6);
	assert_int_equal(c.p[35], 0);
	free(c.p);
}

/* Names, numbers, places, the MID of the other side, private items: before and behind the CNAME, or without. */
static void test_nothing_else_is_told(void **state)
{
	struct compound c = OF("\x82\xca\x00\x0d\x01\x02\x03\x04\x08\x06\x02pxyz+\x02\x05" "Alice" "\x01\x04" "a@10"
			       "\x03\x05" "a@b.c" "\x0f\x01" "0" "\x00"
			       "\x05\x06\x07\x08\x04\x08+4930300\x00\x00");

	(void)state;
	hide(&c, CALL);
	assert_int_equal(c.n, 4 + 12 + 8);
	assert_memory_equal(c.p, "\x82\xca\x00\x05\x01\x02\x03\x04\x01\x04", 10);
	assert_memory_not_equal(c.p + 10, "a@10", 4);
	assert_memory_equal(c.p + 14, "\x00\x00\x05\x06\x07\x08\x00\x00\x00\x00", 10);
	free(c.p);
}

/* Padding goes with what it filled up; a chunk that is cut off, and what its count promised, is no more. */
static void test_what_is_broken(void **state)
{
	struct compound c;

	(void)state;
	c = OF("\xa1\xca\x00\x05\x01\x02\x03\x04\x01\x04" "a@10" "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04");
	hide(&c, CALL);
	assert_memory_equal(c.p, "\x81\xca\x00\x03", 4);
	assert_int_equal(c.n, 16);
	free(c.p);
	/* An item that is longer than the packet, which other packets follow. */
	c = OF("\x81\xca\x00\x03\x01\x02\x03\x04\x01\x40" "a@10.0" BYE);
	hide(&c, CALL);
	EQUALS(&c, "\x81\xca\x00\x02\x01\x02\x03\x04\x00\x00\x00\x00" BYE);
	free(c.p);
	/* Items without their end: the packet does not grow. */
	c = OF("\x81\xca\x00\x03\x01\x02\x03\x04\x01\x06" "a@10.0" BYE);
	hide(&c, CALL);
	assert_memory_equal(c.p, "\x81\xca\x00\x03\x01\x02\x03\x04\x01\x05", 10);
	assert_int_equal(c.p[15], 0);
	assert_memory_equal(c.p + 16, BYE, 8);
	free(c.p);
	/* More chunks promised than there are, none, one without items. */
	c = OF("\x9f\xca\x00\x03\x01\x02\x03\x04\x00\x00\x00\x00\x05\x06\x07\x08");
	hide(&c, CALL);
	EQUALS(&c, "\x81\xca\x00\x02\x01\x02\x03\x04\x00\x00\x00\x00");
	free(c.p);
	c = OF(RR "\x80\xca\x00\x00" BYE);
	hide(&c, CALL);
	EQUALS(&c, RR BYE);
	free(c.p);
	c = OF("\x81\xca\x00\x01\x01\x02\x03\x04");
	hide(&c, CALL);
	assert_int_equal(c.n, 0);
	free(c.p);
}

static void test_other_packets_stay(void **state)
{
	struct compound c = OF(RR BYE);

	(void)state;
	hide(&c, CALL);
	EQUALS(&c, RR BYE);
	free(c.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_says_nothing),
		cmocka_unit_test(test_a_name_is_of_its_call),
		cmocka_unit_test(test_a_long_and_a_short_name),
		cmocka_unit_test(test_nothing_else_is_told),
		cmocka_unit_test(test_what_is_broken),
		cmocka_unit_test(test_other_packets_stay),
	};

	return cmocka_run_group_tests_name("rtcp_describe", tests, NULL, NULL);
}
