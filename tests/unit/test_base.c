/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/netaddr.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

static void reader_stops_at_the_end(void **state)
{
	(void)state;
	struct rbuf r = rbuf_make("\x01\x02\x03", 3);

	assert_int_equal(rbuf_u16(&r), 0x0102);
	assert_int_equal(rbuf_u32(&r), 0);
	assert_true(r.short_read);
	/* Sticky: the octet that is still there is not given out after a short read. */
	assert_int_equal(rbuf_u8(&r), 0);
}

static void writer_stops_at_the_end(void **state)
{
	(void)state;
	char b[8] = "zzzzzzz";
	struct wbuf w = wbuf_make(b, 4);

	wbuf_u16(&w, 0x4142);
	wbuf_bytes(&w, "xyz", 3);
	assert_true(w.overflow);
	assert_int_equal(w.len, 2);
	wbuf_u8(&w, 'q');
	assert_memory_equal(b, "ABzzzzz", 7);
}

static void secrets_compare_and_vanish(void **state)
{
	(void)state;
	struct secret a, b;

	assert_int_equal(secret_set(&a, "0123456789", 10), 0);
	assert_int_equal(secret_set(&b, "0123456789", 10), 0);
	assert_true(secret_equal(&a, &b));
	b.octets[9] ^= 1;
	assert_false(secret_equal(&a, &b));
	assert_int_equal(secret_random(&b, 46), 0);
	assert_int_equal(b.len, 46);
	assert_int_equal(secret_set(&b, a.octets, SECRET_MAX + 1), -E2BIG);
	assert_int_equal(b.len, 0);
	secret_wipe(&a);
	for (size_t i = 0; i < sizeof a; i++)
		assert_int_equal(((uint8_t *)&a)[i], 0);
}

static void text_cuts_and_numbers(void **state)
{
	(void)state;
	struct str s = STR("a,,bc");
	uint64_t v;

	assert_true(str_eq(str_cut(&s, ','), STR("a")));
	assert_int_equal(str_cut(&s, ',').n, 0);
	assert_true(str_eq(str_cut(&s, ','), STR("bc")));
	assert_int_equal(s.n, 0);
	s = (struct str){0};
	assert_int_equal(str_cut(&s, ',').n, 0);
	assert_null(s.p);
	assert_null(str_sub(s, 1, 1).p);
	assert_int_equal(str_to_u64(STR("65535"), 65535, &v), 0);
	assert_int_equal(v, 65535);
	assert_int_equal(str_to_u64(STR("65536"), 65535, &v), -ERANGE);
	assert_int_equal(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &v), -ERANGE);
	assert_int_equal(str_to_u64(STR("-1"), 9, &v), -EINVAL);
	assert_int_equal(str_to_u64(STR(""), 9, &v), -EINVAL);
	assert_true(str_ieq(STR("Via"), STR("vIA")));
}

static void addresses_round_trip(void **state)
{
	(void)state;
	static const char *const good[] = {"192.0.2.1", "2001:db8::1", "::"};
	struct sockaddr_storage ss;
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < 3; i++) {
		struct ip_port a = {.port = 5061}, b;

		assert_int_equal(ip_parse(str_z(good[i]), &a.ip), 0);
		assert_string_equal(ip_text(&a.ip, text), good[i]);
		assert_true(ip_port_to_sockaddr(&a, &ss) > 0);
		assert_int_equal(ip_port_from_sockaddr((struct sockaddr *)&ss, &b), 0);
		assert_true(ip_port_equal(&a, &b));
	}
	struct ip_addr ip;

	assert_int_equal(ip_parse(STR("example.org"), &ip), -EINVAL);
	assert_int_equal(ip_parse(STR("[::1]"), &ip), -EINVAL);
}

static void errors_read_from_the_outside_in(void **state)
{
	(void)state;
	struct err e = {0};

	assert_int_equal(err_set(&e, EINVAL, "port %d is in use", 5061), -EINVAL);
	err_prefix(&e, "listener '%s'", "core");
	assert_string_equal(e.text, "listener 'core': port 5061 is in use");
	for (int i = 0; i < 40; i++)
		err_prefix(&e, "a rather long prefix");
	assert_true(strlen(e.text) < sizeof e.text);
}

/* err_set(e, errno, "%s", err_read_reason(errno, &room)): what is in errno when that is read again is an
 * error. */
static void why_a_file_is_not_read_leaves_errno(void **state)
{
	(void)state;
	struct err room = {0};

	errno = EACCES;
	assert_non_null(strstr(err_read_reason(EACCES, &room), "has to be able to read it"));
	assert_int_equal(errno, EACCES);
	assert_non_null(strstr(err_read_reason(ENOENT, &room), "No such file or directory: put it there"));
	assert_string_equal(err_read_reason(EISDIR, &room), strerror(EISDIR));
}

static void assert_nearest(const char *wrote, const char *meant)
{
	static const char *const names[] = {
		"mode", "max-calls", "max-call-rate", "crypto-profile", "tls-profile", "ip"};
	struct nearest near = nearest_to(str_z(wrote));

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		nearest_offer(&near, str_z(names[i]));
	if (!str_eq(near.name, meant ? str_z(meant) : (struct str){0}))
		fail_msg("'%s': '%.*s'", wrote, STR_ARG(near.name));
}

static void what_was_meant_is_the_nearest(void **state)
{
	char longest[200];

	(void)state;
	assert_nearest("mod", "mode");
	assert_nearest("mdoe", "mode");
	assert_nearest("max_calls", "max-calls");
	assert_nearest("max-cals", "max-calls");
	assert_nearest("tls_profiles", "tls-profile");
	assert_nearest("pi", "ip");
	/* What is far from everything has no guess. */
	assert_nearest("nothing", NULL);
	assert_nearest("x", NULL);
	assert_nearest("", NULL);
	memset(longest, 'm', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	assert_nearest(longest, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_stops_at_the_end),
		cmocka_unit_test(writer_stops_at_the_end),
		cmocka_unit_test(secrets_compare_and_vanish),
		cmocka_unit_test(text_cuts_and_numbers),
		cmocka_unit_test(addresses_round_trip),
		cmocka_unit_test(errors_read_from_the_outside_in),
		cmocka_unit_test(why_a_file_is_not_read_leaves_errno),
		cmocka_unit_test(what_was_meant_is_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
