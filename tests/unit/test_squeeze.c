/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/squeeze.h"

/* Comes back as it was; how many octets it took meanwhile. */
static size_t there_and_back(const void *data, size_t n)
{
	size_t size = squeeze_size(data, n);
	uint8_t *small = malloc(size + 1), *again = malloc(n + 1);

	assert_true(small && again);
	memset(again, 0xee, n + 1);
	small[size] = 0xee;
	squeeze(data, n, small);
	assert_int_equal(small[size], 0xee);
	assert_true(unsqueeze(small, size, again, n));
	assert_memory_equal(again, data, n);
	assert_int_equal(again[n], 0xee);
	/* Anything else than all of it is refused, within bounds. */
	for (size_t less = 0; less < size; less++)
		assert_false(unsqueeze(small, less, again, n));
	assert_false(unsqueeze(small, size, again, n + 1));
	if (n)
		assert_false(unsqueeze(small, size, again, n - 1));
	free(small);
	free(again);
	return size;
}

static void mostly_zeros(void **state)
{
	uint8_t data[4000] = {0};

	(void)state;
	assert_true(there_and_back(data, sizeof data) < 64);
	data[0] = 1;
	memcpy(data + 700, "session", 7);
	data[sizeof data - 1] = 9;
	assert_true(there_and_back(data, sizeof data) < 64);
}

static void edges(void **state)
{
	uint8_t data[600];

	(void)state;
	for (size_t n = 0; n <= 20; n++)
		for (unsigned bits = 0; bits < 1u << 10; bits++) {
			for (size_t i = 0; i < n; i++)
				data[i] = bits >> i % 10 & 1;
			there_and_back(data, n);
		}
	for (size_t n = 250; n < 260; n++) {
		memset(data, 0, sizeof data);
		there_and_back(data, n);
		memset(data, 7, n);
		assert_true(there_and_back(data, n) <= n + 8);
		assert_true(there_and_back(data, sizeof data) < sizeof data);
	}
}

static void no_zeros_cost_little(void **state)
{
	uint8_t data[3000];

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i % 255 + 1);
	assert_true(there_and_back(data, sizeof data) <= sizeof data + sizeof data / 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mostly_zeros),
		cmocka_unit_test(edges),
		cmocka_unit_test(no_zeros_cost_little),
	};

	return cmocka_run_group_tests_name("squeeze", tests, NULL, NULL);
}
