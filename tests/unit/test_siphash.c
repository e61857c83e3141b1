/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include "lib/base/siphash.h"

/* Of the paper (appendix A) and of its authors' test vectors: the key 00 to 0f, the text 00 to n - 1. */
static void test_the_authors_vectors(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} vectors[] = {{0, UINT64_C(0x726fdb47dd0e0e31)}, {1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)}, {8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)}};
	struct siphash_key key;
	uint8_t text[64];

	(void)state;
	for (uint8_t i = 0; i < sizeof text; i++)
		text[i] = i;
	for (uint8_t i = 0; i < sizeof key.octets; i++)
		key.octets[i] = i;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
		assert_int_equal(siphash(&key, text, vectors[i].n), vectors[i].hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_authors_vectors),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
