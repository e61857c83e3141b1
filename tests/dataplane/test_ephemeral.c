/* SPDX-License-Identifier: Apache-2.0 */
/* When the kernel's own ports and media ports are the same, and when somebody has seen to it already. */
#include "dataplane/control/ephemeral.h"
#include "tests/support/cmocka_std.h"

static void test_overlap(void **state)
{
	static const struct {
		const char *range, *reserved;
		uint16_t media[2][2];
		uint16_t lower, upper; /* 0: no overlap */
	} cases[] = {
		{"32768\t60999\n", "", {{20000, 27999}, {28000, 32767}}, 0, 0},
		{"32768\t60999\n", "", {{20000, 32768}, {0}}, 32768, 32768},
		{"1024 65535", "", {{20000, 27999}, {40000, 41000}}, 20000, 41000},
		{"1024 65535", "20000-27999", {{20000, 27999}, {40000, 41000}}, 40000, 41000},
		{"1024 65535", "5060,20000-27999,40000-41000\n", {{20000, 27999}, {40000, 41000}}, 0, 0},
		{"1024 65535", "20000-27998", {{20000, 27999}, {0}}, 27999, 27999},
		{"1024 65535", "20001", {{20001, 20001}, {0}}, 0, 0},
		{"", "", {{20000, 27999}, {0}}, 0, 0},
		{"junk", "more junk", {{20000, 27999}, {0}}, 0, 0},
		{"1 65535", "junk", {{20000, 20001}, {0}}, 20000, 20001},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dp_address media[2] = {{.port_lower = 0}};
		uint16_t lower = 0, upper = 0;

		for (unsigned k = 0; k < 2; k++) {
			media[k].port_lower = cases[i].media[k][0] ? cases[i].media[k][0] : 1;
			media[k].port_upper = cases[i].media[k][1];
		}
		assert_int_equal(
			ephemeral_overlap(cases[i].range, cases[i].reserved, media, 2, &lower, &upper),
			cases[i].lower != 0);
		assert_int_equal(lower, cases[i].lower);
		assert_int_equal(upper, cases[i].upper);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_overlap)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
