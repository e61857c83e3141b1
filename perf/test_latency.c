/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles of counted times, against the times themselves. */
#include "tests/support/cmocka_std.h"

#include "perf/latency.h"

static void test_steps_follow_each_other(void **state)
{
	(void)state;
	for (unsigned step = 0; step + 1 < LATENCY_STEPS - 64; step++) {
		assert_int_equal(latency_step(latency_of(step)), step);
		assert_int_equal(latency_step(latency_of(step + 1) - 1), step);
	}
	assert_true(latency_step(UINT64_MAX) < LATENCY_STEPS);
}

static void test_parts(void **state)
{
	static struct latency l;

	(void)state;
	assert_int_equal(latency_part(&l, 0.5), 0);
	for (uint64_t us = 1; us <= 1000; us++)
		latency_add(&l, us * 1000);
	assert_int_equal(l.max, 1000000);
	assert_in_range(latency_part(&l, 0.5), 490000, 500000);
	assert_in_range(latency_part(&l, 0.99), 970000, 990000);
	assert_in_range(latency_part(&l, 0.999), 980000, 999000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps_follow_each_other),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
