/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a line that was touched. */
#include "tests/support/cmocka_std.h"

#include <string.h>
#include <sys/mman.h>

#include "perf/lines.h"

#define OCTETS 8192

static volatile unsigned char *piece(void)
{
	struct err err = {""};
	void *p = mmap(NULL, OCTETS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(lines_watch(p, OCTETS, &err), 0);
	return p;
}

static void drop(volatile unsigned char *p)
{
	lines_forget((const void *)p);
	munmap((void *)p, OCTETS);
}

static void test_lines_are_counted_once_however_they_are_touched(void **state)
{
	volatile unsigned char *a = piece(), *b = piece();
	unsigned char local[512] = {0};
	volatile unsigned char *elsewhere = local;

	(void)state;
	lines_begin();
	elsewhere[3] = 1;
	assert_int_equal(lines_end(), 0);

	lines_begin();
	a[0] = 7;
	(void)a[63];
	(void)a[64];
	a[4096]++;
	assert_int_equal(lines_end(), 3);
	assert_int_equal(a[0], 7);
	assert_int_equal(a[4096], 1);

	/* One instruction in two pieces; and memory is as before, and unwatched, behind it. */
	lines_begin();
	__asm__ volatile("movsb" : : "S"(a), "D"(b + 128) : "memory");
	assert_int_equal(lines_end(), 2);
	assert_int_equal(b[128], 7);
	a[200] = 9;
	lines_begin();
	assert_int_equal(lines_end(), 0);
	drop(a);
	lines_begin();
	(void)b[1];
	assert_int_equal(lines_end(), 1);
	drop(b);
}

static void test_a_prefetch_is_no_touch(void **state)
{
	volatile unsigned char *a = piece();

	(void)state;
	lines_begin();
	__asm__ volatile("prefetcht0 %0" : : "m"(*a));
	assert_int_equal(lines_end(), 0);
	drop(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_counted_once_however_they_are_touched),
		cmocka_unit_test(test_a_prefetch_is_no_touch),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
