/* SPDX-License-Identifier: Apache-2.0 */
/* What srtpgwctl says of an audit, in which records are missing. */
#include "tests/unit/ctl_double.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/audit/audit.h"
#include "tests/support/full_file.h"

/* Three records, of which the second could not be written. */
static char *audit_with_a_gap(void)
{
	static char file[256];
	const struct audit_conf conf = {.file = file, .max_octets = 1 << 20, .checkpoint_records = 100};
	struct full_file full;
	struct audit *a;
	struct err e = {0};

	snprintf(file, sizeof file, "%s", file_with(""));
	if (audit_open(&conf, &a, &e) < 0)
		fail_msg("%s", e.text);
	audit_write(a, STR("\"type\":\"call\",\"time\":\"2026-01-01T00:00:00Z\",\"call\":\"a\""), 1);
	full_file_begin(&full, file);
	audit_write(
		a, STR("\"type\":\"call\",\"time\":\"2026-01-02T00:00:00Z\",\"call\":\"b\""), 1767312000000);
	full_file_end(&full);
	audit_write(a, STR("\"type\":\"call\",\"time\":\"2026-01-03T00:00:00.500Z\",\"call\":\"c\""),
		1767398400000);
	audit_close(a);
	return file;
}

static void a_gap_is_told(void **state)
{
	(void)state;
	const char *file = audit_with_a_gap();
	char words[400];

	snprintf(words, sizeof words, "audit verify %s", file);
	assert_int_equal(run(NULL, words), CTL_OK);
	expect_output("ok: records 1 to 4, 1 checkpoints signed\n"
		      "1 record is missing, which could not be written: 'audit show' says when and why\n");
	snprintf(words, sizeof words, "audit verify %s --json", file);
	assert_int_equal(run(NULL, words), CTL_OK);
	expect_output("\"missing\":1}");
	/* Also when another call is asked for: its record may be the one that is missing. */
	snprintf(words, sizeof words, "audit show %s --call b", file);
	assert_int_equal(run(NULL, words), CTL_OK);
	assert_string_equal(output,
		"2026-01-03T00:00:00.000Z gap  1 missing since 2026-01-02T00:00:00.000Z: the disk is full\n");
	snprintf(words, sizeof words, "audit show %s --to 2026-01-02", file);
	assert_int_equal(run(NULL, words), CTL_OK);
	assert_null(strstr(output, "gap"));
	expect_output(" call a ");
	/* What is no time would compare with one all the same. */
	static const char *const times[] = {
		"yesterday", "01.10.2026", "2026-1-2", "20", "2026-01-02T00:00:00+02:00"};

	for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
		snprintf(words, sizeof words, "audit show %s --%s '%s'", file, i % 2 ? "to" : "from",
			times[i]);
		assert_int_equal(run(NULL, words), CTL_USAGE);
		expect_errors("takes a day or a time in UTC");
	}
	snprintf(words, sizeof words,
		"audit show %s --from 2026-01-01T00:00:00Z --to 2026-01-01T23:59:59.999Z", file);
	assert_int_equal(run(NULL, words), CTL_OK);
	expect_output(" call a ");
	/* A second has all of its thousandths, at either end. */
	snprintf(words, sizeof words, "audit show %s --from 2026-01-03T00:00:00Z --to 2026-01-03T00:00:00Z",
		file);
	assert_int_equal(run(NULL, words), CTL_OK);
	expect_output(" call c ");
	for (unsigned i = 0; i < 2; i++) {
		snprintf(words, sizeof words, "%s.%s", file, i ? "key" : "pub");
		assert_int_equal(unlink(words), 0);
	}
}

/* A chain of three files; whichever are named, and in which order, it is verified as far as it is there. */
static void files_are_taken_in_their_order(void **state)
{
	static char file[256];
	const struct audit_conf conf = {
		.file = file, .max_octets = 1 << 20, .max_files = 9, .checkpoint_records = 100};
	struct audit_closed closed;
	struct audit *a;
	struct err e = {0};
	char words[900];

	(void)state;
	snprintf(file, sizeof file, "%s", file_with(""));
	if (audit_open(&conf, &a, &e) < 0)
		fail_msg("%s", e.text);
	for (unsigned i = 0; i < 3; i++) {
		audit_write(a, STR("\"type\":\"call\",\"time\":\"2026-01-01T00:00:00Z\",\"call\":\"a\""), 1);
		if (i < 2)
			assert_int_equal(audit_rotate(a, 1, &closed, &e), 0);
	}
	audit_close(a);
	snprintf(words, sizeof words, "audit verify %s %s.1 %s.2", file, file, file);
	assert_int_equal(run(NULL, words), CTL_OK);
	assert_string_equal(output, "ok: records 1 to 8, 5 checkpoints signed\n");
	/* The oldest was moved away; closed files alone find the key, too. */
	snprintf(words, sizeof words, "audit verify %s %s.1", file, file);
	assert_int_equal(run(NULL, words), CTL_OK);
	assert_string_equal(output, "ok: records 3 to 8, 4 checkpoints signed\n"
				    "what came before record 3 is in other files\n");
	snprintf(words, sizeof words, "audit verify %s.1 %s.2", file, file);
	assert_int_equal(run(NULL, words), CTL_OK);
	expect_output("ok: records 1 to 5,");
	/* One in the middle is not to be missing. */
	snprintf(words, sizeof words, "audit verify %s %s.2", file, file);
	assert_int_equal(run(NULL, words), CTL_REFUSED);
	expect_errors("records 3 to 5 were removed");
	for (unsigned i = 0; i < 4; i++) {
		snprintf(words, sizeof words, "%s.%s", file, (const char *[]){"key", "pub", "1", "2"}[i]);
		assert_int_equal(unlink(words), 0);
	}
}

/* An archive has a file for each day. */
static void as_many_files_as_there_are(void **state)
{
	enum { FILES = 30 };
	static char file[256];
	const struct audit_conf conf = {
		.file = file, .max_octets = 1 << 20, .max_files = FILES, .checkpoint_records = 100};
	static const char *const commands[] = {"verify", "show", "suites"};
	struct audit_closed closed;
	struct audit *a;
	struct err e = {0};
	char words[4000], path[300];

	(void)state;
	snprintf(file, sizeof file, "%s", file_with(""));
	if (audit_open(&conf, &a, &e) < 0)
		fail_msg("%s", e.text);
	for (unsigned i = 1; i < FILES; i++) {
		audit_write(a, STR("\"type\":\"call\",\"time\":\"2026-01-01T00:00:00Z\",\"call\":\"a\""), 1);
		assert_int_equal(audit_rotate(a, 1, &closed, &e), 0);
	}
	audit_close(a);
	for (unsigned c = 0; c < sizeof commands / sizeof commands[0]; c++) {
		size_t n = (size_t)snprintf(words, sizeof words, "audit %s %s", commands[c], file);

		for (unsigned i = 1; i < FILES; i++)
			n += (size_t)snprintf(words + n, sizeof words - n, " %s.%u", file, i);
		assert_true(n < sizeof words);
		if (run(NULL, words) != CTL_OK)
			fail_msg("%s: %s", commands[c], errors);
		/* Three records each, but two in the first file and one in the last. */
		if (c == 0)
			expect_output("ok: records 1 to 87, 58 checkpoints signed\n");
	}
	for (unsigned i = 1; i < FILES; i++) {
		snprintf(path, sizeof path, "%s.%u", file, i);
		assert_int_equal(unlink(path), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s.%s", file, i ? "key" : "pub");
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_is_told),
		cmocka_unit_test(files_are_taken_in_their_order),
		cmocka_unit_test(as_many_files_as_there_are),
	};

	return cmocka_run_group_tests(tests, double_setup, double_teardown);
}
