/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of DNS servers, octet by octet. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/dns/reply.h"
#include "lib/base/buf.h"

static uint8_t message[8192];
static struct wbuf w;
static struct dns_reply reply;

static void put_name(const char *name)
{
	struct str rest = str_z(name), label;

	while (rest.n) {
		label = str_cut(&rest, '.');
		wbuf_u8(&w, (uint8_t)label.n);
		wbuf_str(&w, label);
	}
	wbuf_u8(&w, 0);
}

static void begin(const char *name, enum dns_type type, unsigned rcode, unsigned answers, unsigned authority)
{
	w = wbuf_make(message, sizeof message);
	wbuf_u16(&w, 7);
	wbuf_u16(&w, (uint16_t)(0x8180 | rcode));
	wbuf_u16(&w, 1);
	wbuf_u16(&w, (uint16_t)answers);
	wbuf_u16(&w, (uint16_t)authority);
	wbuf_u16(&w, 0);
	put_name(name);
	wbuf_u16(&w, (uint16_t)type);
	wbuf_u16(&w, 1);
}

/* owner NULL: the name of the question, compressed. */
static void put_rr(const char *owner, enum dns_type type, uint32_t ttl, uint16_t n)
{
	if (owner)
		put_name(owner);
	else
		wbuf_u16(&w, 0xc00c);
	wbuf_u16(&w, (uint16_t)type);
	wbuf_u16(&w, 1);
	wbuf_u32(&w, ttl);
	wbuf_u16(&w, n);
}

static int parse(const char *name, enum dns_type type)
{
	/* Of its own size, so that a sanitizer sees a read behind its end. */
	void *copy = malloc(w.len ? w.len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, message, w.len);
	rc = dns_reply_parse(copy, w.len, name, type, &reply);
	free(copy);
	return rc;
}

static void test_addresses_and_the_least_ttl(void **state)
{
	char text[IP_TEXT_MAX];

	(void)state;
	begin("SIP.example", DNS_A, 0, 3, 0);
	put_rr(NULL, DNS_A, 300, 4);
	wbuf_u32(&w, 0xc0000201);
	put_rr("stranger.example", DNS_A, 1, 4);
	wbuf_u32(&w, 0xc6336401);
	put_rr(NULL, DNS_A, 30, 4);
	wbuf_u32(&w, 0xc0000202);
	assert_int_equal(parse("sip.example", DNS_A), 0);
	assert_int_equal(reply.n, 2);
	assert_int_equal(reply.ttl, 30);
	assert_string_equal(ip_text(&reply.records[1].ip, text), "192.0.2.2");
}

static void test_aliases_are_followed_in_any_order(void **state)
{
	(void)state;
	begin("sip.example", DNS_AAAA, 0, 3, 0);
	put_rr("c.example", DNS_AAAA, 300, 16);
	wbuf_bytes(&w, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	put_rr("b.example", DNS_CNAME, 20, 11);
	put_name("c.example");
	put_rr(NULL, DNS_CNAME, 60, 11);
	put_name("b.example");
	assert_int_equal(parse("sip.example", DNS_AAAA), 0);
	assert_int_equal(reply.n, 1);
	assert_int_equal(reply.ttl, 20);
	assert_int_equal(reply.records[0].ip.family, IP_V6);
	/* In a circle there is nothing. */
	begin("sip.example", DNS_A, 0, 2, 0);
	put_rr("b.example", DNS_CNAME, 20, 13);
	put_name("sip.example");
	put_rr(NULL, DNS_CNAME, 60, 11);
	put_name("b.example");
	assert_int_equal(parse("sip.example", DNS_A), 0);
	assert_int_equal(reply.n, 0);
}

static void test_services(void **state)
{
	(void)state;
	begin("_sips._tcp.sip.example", DNS_SRV, 0, 2, 0);
	put_rr(NULL, DNS_SRV, 60, 10);
	wbuf_u16(&w, 10);
	wbuf_u16(&w, 60);
	wbuf_u16(&w, 5071);
	wbuf_bytes(&w, "\001a\xc0\x17", 4); /* a.sip.example */
	put_rr(NULL, DNS_SRV, 60, 7);
	wbuf_u32(&w, 0);
	wbuf_u16(&w, 0);
	wbuf_u8(&w, 0);
	assert_int_equal(parse("_sips._tcp.sip.example", DNS_SRV), 0);
	assert_int_equal(reply.n, 2);
	assert_int_equal(reply.records[0].srv.port, 5071);
	assert_int_equal(reply.records[0].srv.weight, 60);
	assert_string_equal(reply.records[0].srv.target, "a.sip.example");
	assert_string_equal(reply.records[1].srv.target, "");
	begin("sip.example", DNS_NAPTR, 0, 1, 0);
	put_rr(NULL, DNS_NAPTR, 60, 4 + 2 + 9 + 1 + 14);
	wbuf_u32(&w, 50 << 16 | 90);
	wbuf_bytes(&w, "\001s\010SIPS+D2T\000", 12);
	wbuf_bytes(&w, "\005_sips\004_tcp\xc0\x0c", 13);
	w.len--; /* the record says one octet more than there is */
	assert_int_equal(parse("sip.example", DNS_NAPTR), -EBADMSG);
	begin("sip.example", DNS_NAPTR, 0, 1, 0);
	put_rr(NULL, DNS_NAPTR, 60, 29);
	wbuf_u32(&w, 50 << 16 | 90);
	wbuf_bytes(&w, "\001s\010SIPS+D2T\000", 12);
	wbuf_bytes(&w, "\005_sips\004_tcp\xc0\x0c", 13);
	assert_int_equal(parse("sip.example", DNS_NAPTR), 0);
	assert_int_equal(reply.records[0].naptr.preference, 90);
	assert_string_equal(reply.records[0].naptr.flags, "s");
	assert_string_equal(reply.records[0].naptr.service, "SIPS+D2T");
	assert_string_equal(reply.records[0].naptr.replacement, "_sips._tcp.sip.example");
}

static void put_service(uint16_t priority, uint16_t weight, const char *target)
{
	put_rr(NULL, DNS_SRV, 60, (uint16_t)(6 + 2 + strlen(target)));
	wbuf_u16(&w, priority);
	wbuf_u16(&w, weight);
	wbuf_u16(&w, 5061);
	put_name(target);
}

/* The server says them in any order: of more than there is room for those that are tried first are kept. */
static void test_more_services_than_there_is_room_for(void **state)
{
	enum { MORE = 10, ALL = DNS_RECORDS_MAX + MORE };
	bool best = false;

	(void)state;
	begin("sip.example", DNS_SRV, 0, ALL, 0);
	for (unsigned i = 0; i < ALL - 2; i++)
		put_service(30, 0, "spare.example");
	put_service(30, 7, "heavy.example");
	put_service(10, 0, "best.example");
	assert_int_equal(parse("sip.example", DNS_SRV), 0);
	assert_int_equal(reply.n, DNS_RECORDS_MAX);
	for (unsigned i = 0; i < reply.n; i++)
		best |= strcmp(reply.records[i].srv.target, "best.example") == 0;
	assert_true(best);
	best = false;
	for (unsigned i = 0; i < reply.n; i++)
		best |= strcmp(reply.records[i].srv.target, "heavy.example") == 0;
	assert_true(best);
}

static void test_nothing_holds_as_long_as_the_zone_says(void **state)
{
	(void)state;
	begin("sip.example", DNS_SRV, 3, 0, 1);
	put_rr("example", DNS_SOA, 900, 1 + 1 + 20);
	wbuf_u16(&w, 0); /* two empty names */
	for (uint32_t i = 0; i < 4; i++)
		wbuf_u32(&w, i);
	wbuf_u32(&w, 45);
	assert_int_equal(parse("sip.example", DNS_SRV), 0);
	assert_int_equal(reply.n, 0);
	assert_int_equal(reply.ttl, 45);
	begin("sip.example", DNS_SRV, 2, 0, 0);
	assert_int_equal(parse("sip.example", DNS_SRV), -EAGAIN);
}

static void test_what_is_no_answer_to_the_question(void **state)
{
	(void)state;
	begin("other.example", DNS_A, 0, 0, 0);
	assert_int_equal(parse("sip.example", DNS_A), -EBADMSG);
	begin("sip.example", DNS_AAAA, 0, 0, 0);
	assert_int_equal(parse("sip.example", DNS_A), -EBADMSG);
	/* A name that points at itself; an address of the wrong length; an octet that no host name has. */
	begin("sip.example", DNS_A, 0, 1, 0);
	wbuf_u16(&w, (uint16_t)(0xc000 | w.len));
	assert_int_equal(parse("sip.example", DNS_A), -EBADMSG);
	begin("sip.example", DNS_A, 0, 1, 0);
	put_rr(NULL, DNS_A, 60, 5);
	wbuf_bytes(&w, "12345", 5);
	assert_int_equal(parse("sip.example", DNS_A), -EBADMSG);
	begin("sip.example", DNS_SRV, 0, 1, 0);
	put_rr(NULL, DNS_SRV, 60, 11);
	wbuf_bytes(&w, "\0\0\0\0\0\0\003a\rb", 11);
	assert_int_equal(parse("sip.example", DNS_SRV), -EBADMSG);
}

static void test_every_cut_is_refused_or_short(void **state)
{
	size_t whole;

	(void)state;
	begin("sip.example", DNS_A, 0, 1, 0);
	put_rr(NULL, DNS_A, 60, 4);
	wbuf_u32(&w, 0xc0000201);
	for (whole = w.len; w.len-- > 0;)
		assert_int_equal(parse("sip.example", DNS_A), -EBADMSG);
	w.len = whole;
	assert_int_equal(parse("sip.example", DNS_A), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_and_the_least_ttl),
		cmocka_unit_test(test_aliases_are_followed_in_any_order),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_more_services_than_there_is_room_for),
		cmocka_unit_test(test_nothing_holds_as_long_as_the_zone_says),
		cmocka_unit_test(test_what_is_no_answer_to_the_question),
		cmocka_unit_test(test_every_cut_is_refused_or_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
