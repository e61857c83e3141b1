/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controlplane/b2bua/texts.h"

static void one_copy_for_all(void **state)
{
	struct texts *t = texts_new();
	const char *a = NULL, *b = NULL;
	char text[] = "carrier.example";

	(void)state;
	assert_non_null(t);
	assert_int_equal(texts_hold(t, &a, str_z(text)), 0);
	text[0] = 'X'; /* it was copied */
	assert_string_equal(a, "carrier.example");
	assert_int_equal(texts_hold(t, &b, STR("carrier.example")), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(texts_count(t), 1);
	texts_drop(t, &a);
	assert_null(a);
	assert_string_equal(b, "carrier.example");
	texts_drop(t, &b);
	texts_drop(t, &b);
	assert_int_equal(texts_count(t), 0);
	texts_free(t);
}

static void what_was_held_goes(void **state)
{
	struct texts *t = texts_new();
	const char *a = NULL;

	(void)state;
	assert_non_null(t);
	assert_int_equal(texts_hold(t, &a, STR("first")), 0);
	assert_int_equal(texts_hold(t, &a, STR("second")), 0);
	assert_string_equal(a, "second");
	assert_int_equal(texts_count(t), 1);
	/* Itself, and a part of itself. */
	assert_int_equal(texts_hold(t, &a, str_z(a)), 0);
	assert_string_equal(a, "second");
	assert_int_equal(texts_hold(t, &a, str_sub(str_z(a), 0, 3)), 0);
	assert_string_equal(a, "sec");
	assert_int_equal(texts_count(t), 1);
	assert_int_equal(texts_hold(t, &a, STR("")), 0);
	assert_null(a);
	assert_int_equal(texts_count(t), 0);
	texts_free(t);
}

#define MANY 3000 /* its table grows several times */

static void many(void **state)
{
	struct texts *t = texts_new();
	const char *held[MANY] = {0};
	char text[16];

	(void)state;
	assert_non_null(t);
	for (unsigned twice = 0; twice < 2; twice++)
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(text, sizeof text, "+49%u", i);
			assert_int_equal(texts_hold(t, &held[i], str_z(text)), 0);
		}
	assert_int_equal(texts_count(t), MANY);
	for (unsigned i = 0; i < MANY; i += 2)
		texts_drop(t, &held[i]);
	assert_int_equal(texts_count(t), MANY / 2);
	for (unsigned i = 1; i < MANY; i += 2) {
		snprintf(text, sizeof text, "+49%u", i);
		assert_string_equal(held[i], text);
	}
	texts_free(t); /* the rest with it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_copy_for_all),
		cmocka_unit_test(what_was_held_goes),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("b2bua_texts", tests, NULL, NULL);
}
