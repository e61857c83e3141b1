/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 2782: the order in which targets are tried. */
#include "tests/support/cmocka_std.h"

#include "controlplane/dns/weighted.h"

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static void test_priorities_come_first_and_everything_once(void **state)
{
	const struct weighted w[] = {{20, 5}, {10, 0}, {10, 100}, {30, 1}, {10, 7}, {20, 0}};

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		uint8_t order[6];
		unsigned seen = 0;

		weighted_order(w, 6, below, order);
		for (unsigned i = 0; i < 6; i++) {
			seen |= 1u << order[i];
			if (i)
				assert_true(w[order[i - 1]].priority <= w[order[i]].priority);
		}
		assert_int_equal(seen, 63);
	}
	weighted_order(w, 0, below, NULL);
}

static void test_weights_are_shares_of_the_first_place(void **state)
{
	const struct weighted w[] = {{1, 60}, {1, 30}, {1, 10}, {1, 0}};
	unsigned first[4] = {0}, second[4] = {0};
	uint8_t order[4];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		weighted_order(w, 4, below, order);
		first[order[0]]++;
		second[order[1]]++;
	}
	assert_in_range(first[0], 58000, 61000);
	assert_in_range(first[1], 28500, 31500);
	assert_in_range(first[2], 9000, 11000);
	assert_in_range(first[3], 100, 2000);     /* "a very small chance": 1 of 101 */
	assert_in_range(second[1], 40000, 56000); /* 60 * 30/40 + 10 * 30/90 of 100 */
}

static void test_without_weights_everyone_is_tried(void **state)
{
	const struct weighted w[] = {{1, 0}, {1, 0}};
	uint8_t order[2];

	(void)state;
	weighted_order(w, 2, below, order);
	assert_int_equal(order[0] + order[1], 1);
	assert_int_not_equal(order[0], order[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priorities_come_first_and_everything_once),
		cmocka_unit_test(test_weights_are_shares_of_the_first_place),
		cmocka_unit_test(test_without_weights_everyone_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
