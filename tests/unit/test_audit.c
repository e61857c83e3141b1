/* SPDX-License-Identifier: Apache-2.0 */
/* Records in a chain: every change is named, a crash breaks nothing, files follow one another. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "controlplane/audit/audit.h"
#include "lib/audit/chain.h"
#include "tests/support/full_file.h"
#include "tests/unit/audit_bench.h"

static void test_every_change_is_named(void **state)
{
	struct audit *a = bench_open(1 << 20, 5);
	struct audit_verify v = {0};
	char *text, *lines[32];
	unsigned n = 0;
	EVP_PKEY *key;

	(void)state;
	for (unsigned i = 1; i <= 12; i++)
		bench_say(a, i);
	audit_close(a);
	text = bench_slurp("");
	key = v.key = bench_public_key();
	assert_null(bench_wrong(&v, text));
	assert_int_equal(v.checkpoints, 3); /* two, and the one of the end */
	assert_int_equal(v.signed_to, v.at.seq);
	assert_int_equal(v.at.seq, 15);
	for (char *p = text; *p; p = strchr(p, '\n') + 1)
		lines[n++] = p;
	assert_int_equal(n, 15);
	/* Each octet of the file: what makes the last checkpoint another record leaves an unsigned end. */
	for (char *p = text; *p; p++) {
		char was = *p;

		if (was == '\n')
			continue;
		*p ^= 1;
		v = (struct audit_verify){.key = key};
		assert_true(bench_wrong(&v, text) || v.signed_to != v.at.seq);
		*p = was;
	}
	for (unsigned i = 1; i + 1 < n; i++) {
		char *without = calloc(1, strlen(text) + 1), *moved = calloc(1, strlen(text) + 1), name[40];
		size_t at = (size_t)(lines[i] - text), len = (size_t)(lines[i + 1] - lines[i]);

		memcpy(without, text, at);
		strcpy(without + at, lines[i + 1]);
		v = (struct audit_verify){.key = key};
		snprintf(name, sizeof name, "record %u was removed", i + 1);
		assert_string_equal(bench_wrong(&v, without), name);
		/* To the end. */
		strcpy(moved, without);
		memcpy(moved + strlen(moved), lines[i], len);
		v = (struct audit_verify){.key = key};
		assert_string_equal(bench_wrong(&v, moved), name);
		free(without);
		free(moved);
	}
	/* Which one was changed. */
	lines[6][strlen("{\"seq\":7,\"prev\":\"") + 64 + 20] ^= 1;
	v = (struct audit_verify){.key = key};
	assert_non_null(strstr(bench_wrong(&v, text), "record 7 was changed"));
	EVP_PKEY_free(key);
	/* Another key's signatures. */
	lines[6][strlen("{\"seq\":7,\"prev\":\"") + 64 + 20] ^= 1;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	v = (struct audit_verify){.key = key};
	assert_non_null(strstr(bench_wrong(&v, text), "signature is wrong"));
	EVP_PKEY_free(key);
	free(text);
}

static void test_files_follow_one_another(void **state)
{
	struct audit *a = bench_open(2000, 100);
	struct audit_verify v = {0};

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		bench_say(a, i);
	assert_int_equal(audit_counters(a).records, 100);
	audit_close(a);
	v.key = bench_public_key();
	for (unsigned i = 0; i < 3; i++) {
		char *text = bench_slurp((const char *[]){".2", ".1", ""}[i]);

		assert_true(strlen(text) < 2500);
		assert_null(bench_wrong(&v, text));
		free(text);
	}
	assert_true(v.first > 1); /* the oldest are gone */
	assert_int_equal(v.signed_to, v.at.seq);
	EVP_PKEY_free(v.key);
}

/* kill -9 at any time: nothing that was written is lost, and the next one goes on with the chain. */
static void test_a_crash_breaks_nothing(void **state)
{
	struct audit_verify v = {0};
	char *text;
	FILE *f;

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct audit *a = bench_open(1 << 20, 7);

			for (unsigned i = 0; i < 10; i++)
				bench_say(a, round * 10 + i);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	/* The machine went down in the middle of a line. */
	f = fopen(bench_file, "a");
	fputs("{\"seq\":56,\"prev\":\"00", f);
	fclose(f);
	audit_close(bench_open(1 << 20, 7));
	text = bench_slurp("");
	v.key = bench_public_key();
	assert_null(bench_wrong(&v, text));
	assert_int_equal(v.at.seq, 55); /* 50 records, 5 checkpoints */
	EVP_PKEY_free(v.key);
	free(text);
}

/* The files of the audit from the oldest on: what is wrong with them. */
static const char *wrong_files(struct audit_verify *v)
{
	const char *what = NULL;

	for (unsigned i = 0; i < 3 && !what; i++) {
		char *text = bench_slurp((const char *[]){".2", ".1", ""}[i]);

		what = bench_wrong(v, text);
		free(text);
	}
	return what;
}

/* No descriptor is left for the next file: records go on in the one that there is, and those that were kept stay. */
static void test_without_a_next_file_nothing_goes(void **state)
{
	struct audit *a = bench_open(2000, 100);
	struct audit_verify v = {0};
	struct rlimit was, none;
	char *before, *after;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		bench_say(a, i);
	before = bench_slurp(".2");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (unsigned i = 101; i <= 200; i++)
		bench_say(a, i);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(audit_counters(a).records, 200);
	after = bench_slurp(".2");
	assert_string_equal(before, after);
	free(after);
	/* There is one again. */
	for (unsigned i = 201; i <= 205; i++)
		bench_say(a, i);
	audit_close(a);
	after = bench_slurp(".2");
	assert_string_not_equal(before, after);
	v.key = bench_public_key();
	assert_null(wrong_files(&v));
	assert_true(v.first < 101);
	EVP_PKEY_free(v.key);
	free(before);
	free(after);
}

/* The process ended behind a rotation before its first record was whole: the chain is that of the file before. */
static void test_a_file_without_a_record_goes_on(void **state)
{
	static const char *const left[] = {"", "{", "{\"seq\":56,\"prev\":\"00"};

	(void)state;
	for (unsigned i = 0; i < sizeof left / sizeof *left; i++) {
		struct audit *a = bench_open(2000, 100);
		struct audit_verify v = {.key = NULL};
		char older[80];
		FILE *f;

		for (unsigned n = 1; n <= 40; n++)
			bench_say(a, n);
		audit_close(a);
		snprintf(older, sizeof older, "%s.1", bench_file);
		assert_int_equal(rename(bench_file, older), 0);
		f = fopen(bench_file, "w");
		assert_non_null(f);
		fputs(left[i], f);
		fclose(f);
		a = bench_open(1 << 20, 100);
		bench_say(a, 41);
		audit_close(a);
		for (unsigned k = 0; k < 2; k++) {
			char *text = bench_slurp((const char *[]){".1", ""}[k]);

			assert_null(bench_wrong(&v, text));
			free(text);
		}
	}
}

/* The disk is full for a while: the audit says itself that records are missing, and how many. */
static void test_a_gap_is_told(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);
	struct audit_verify v = {0};
	struct full_file full;
	char *text;

	(void)state;
	bench_say(a, 1);
	full_file_begin(&full, bench_file);
	for (unsigned i = 2; i < 5; i++)
		bench_say(a, i);
	audit_tick(a, 1700000000005);
	full_file_end(&full);
	assert_int_equal(audit_counters(a).failed, 3);
	bench_say(a, 5);
	/* The next gap is its own, and is told also when there is no record for a while. */
	full_file_begin(&full, bench_file);
	bench_say(a, 6);
	full_file_end(&full);
	audit_tick(a, 1700000000007);
	text = bench_slurp("");
	assert_non_null(strstr(text, "\"type\":\"gap\",\"records\":3,\"since\":\"2023-11-14T22:13:20.002Z\","
				     "\"time\":\"2023-11-14T22:13:20.005Z\",\"reason\":\""));
	assert_non_null(strstr(text, "\"records\":1,\"since\":\"2023-11-14T22:13:20.006Z\""));
	free(text);
	/* Nor is it forgotten at the end. */
	full_file_begin(&full, bench_file);
	bench_say(a, 7);
	full_file_end(&full);
	audit_close(a);
	v.key = bench_public_key();
	text = bench_slurp("");
	assert_null(bench_wrong(&v, text));
	assert_int_equal(v.gaps, 3);
	assert_int_equal(v.missing, 5);
	assert_int_equal(v.signed_to, v.at.seq);
	EVP_PKEY_free(v.key);
	free(text);
}

/* A record that is longer than a line may be is missing, too. */
static void test_a_record_that_is_too_long_is_a_gap(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);
	static char members[AUDIT_LINE_MAX];
	struct audit_verify v = {0};
	char *text;

	(void)state;
	memset(members, ' ', sizeof members - 1);
	audit_write(a, str_z(members), 1700000000001);
	bench_say(a, 2);
	audit_close(a);
	text = bench_slurp("");
	assert_null(bench_wrong(&v, text));
	assert_int_equal(v.missing, 1);
	assert_non_null(strstr(text, "longer than a record may be"));
	free(text);
}

static void test_time_signs(void **state)
{
	struct audit *a = bench_open(1 << 20, 1000);
	struct audit_verify v = {0};
	char *text;

	(void)state;
	bench_say(a, 1);
	audit_tick(a, 0); /* a clock that was set back is no reason to lose anything */
	audit_tick(a, UINT64_C(4000000000000));
	text = bench_slurp("");
	assert_null(bench_wrong(&v, text));
	assert_int_equal(v.signed_to, 2);
	audit_close(a);
	free(text);
}

static void test_what_cannot_be_opened(void **state)
{
	struct audit_conf conf = {.file = "/nowhere/audit", .max_octets = 1000, .checkpoint_records = 1};
	struct audit *a = bench_open(1000, 1), *second;
	struct err e = {0};
	FILE *f;

	(void)state;
	assert_true(audit_open(&conf, &second, &e) < 0);
	conf.file = bench_file;
	assert_true(audit_open(&conf, &second, &e) < 0);
	assert_non_null(strstr(e.text, "another process"));
	audit_close(a);
	f = fopen(bench_file, "w");
	fputs("a shopping list\n", f);
	fclose(f);
	assert_true(audit_open(&conf, &second, &e) < 0);
	assert_non_null(strstr(e.text, "no record"));
	assert_int_equal(unlink(bench_file), 0);
	assert_int_equal(mkfifo(bench_file, 0600), 0);
	assert_true(audit_open(&conf, &second, &e) < 0);
	assert_non_null(strstr(e.text, "is not a file"));
}

/* A key that is gone takes no other one's place: nobody could verify the chain, and FILE.pub would be lost
 * with it. */
static void test_a_key_that_is_gone_is_named(void **state)
{
	const struct audit_conf conf = {.file = bench_file, .max_octets = 1 << 20, .checkpoint_records = 1};
	struct audit *a = bench_open(1 << 20, 1);
	char key[80], away[80], *before, *after;
	struct err e = {0};

	(void)state;
	bench_say(a, 1);
	audit_close(a);
	before = bench_slurp(".pub");
	snprintf(key, sizeof key, "%s.key", bench_file);
	snprintf(away, sizeof away, "%s.away", bench_file);
	assert_int_equal(rename(key, away), 0);
	assert_int_equal(audit_open(&conf, &a, &e), -ENOENT);
	assert_non_null(strstr(e.text, "audit.jsonl.key: is missing"));
	after = bench_slurp(".pub");
	assert_string_equal(after, before);
	free(before);
	free(after);
	assert_int_equal(rename(away, key), 0);
	audit_close(bench_open(1 << 20, 1));
}

/* In place of the C library's: what was synced last, by inode. */
static ino_t synced[4];
static unsigned n_synced;

int fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	synced[n_synced++ % (sizeof synced / sizeof *synced)] = st.st_ino;
	return 0;
}

static bool is_synced(const char *path)
{
	struct stat st;
	unsigned i = 0;

	assert_int_equal(stat(path, &st), 0);
	while (i < sizeof synced / sizeof *synced && synced[i] != st.st_ino)
		i++;
	return i < sizeof synced / sizeof *synced;
}

/* After a power cut records without their key would be refused, at each start. */
static void test_the_key_is_on_the_disk_before_a_record(void **state)
{
	char key[80], made[80];
	FILE *f;

	(void)state;
	snprintf(key, sizeof key, "%s.key", bench_file);
	snprintf(made, sizeof made, "%s.key.new", bench_file);
	/* Half a key, of a start that was cut short. */
	f = fopen(made, "w");
	assert_non_null(f);
	fputs("-----BEGIN", f);
	fclose(f);
	memset(synced, 0, sizeof synced);
	struct audit *a = bench_open(1 << 20, 1);

	assert_true(is_synced(key));
	assert_true(is_synced(bench_folder));
	assert_int_equal(access(made, F_OK), -1);
	audit_close(a);
}

/* What a commit asks is what the start will: a torn first line is no record. */
static void test_a_check_says_what_the_start_would(void **state)
{
	static const char *const texts[] = {"", "{\"seq\":1,\"pr", "a shopping list", "a shopping list\n",
		"{\"seq\":1,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n"};
	const struct audit_conf conf = {.file = bench_file, .max_octets = 1000, .checkpoint_records = 1};
	char key[80];

	(void)state;
	snprintf(key, sizeof key, "%s.key", bench_file);
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct err checked = {0}, opened = {0};
		FILE *f = fopen(bench_file, "w");
		struct audit *a;

		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		unlink(key);
		int rc = audit_check(bench_file, &checked);

		assert_int_equal(access(key, F_OK), -1);
		assert_int_equal(audit_open(&conf, &a, &opened), rc);
		assert_string_equal(checked.text, opened.text);
		assert_int_equal(rc == 0, i < 2);
		if (!rc)
			audit_close(a);
	}
}

/* Not even somebody who would type the right one: the gateway would wait for it at each start. */
static void test_nobody_is_asked_for_a_passphrase(void **state)
{
	char path[80];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *taken = NULL;
	struct err e = {0};
	int typed[2], status;
	pid_t child;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s.key", bench_file);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
	fclose(f);
	EVP_PKEY_free(key);
	assert_int_equal(pipe(typed), 0);
	assert_int_equal(write(typed[1], "secret\n", 7), 7);
	child = fork();
	if (child == 0) {
		/* Without a terminal OpenSSL asks standard input. */
		setsid();
		dup2(typed[0], STDIN_FILENO);
		_exit(audit_key_open(bench_file, true, &taken, &e) == -EINVAL &&
					strstr(e.text, "without a passphrase")
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(typed[0]);
	close(typed[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_change_is_named, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_files_follow_one_another, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_a_crash_breaks_nothing, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_without_a_next_file_nothing_goes, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_file_without_a_record_goes_on, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_a_gap_is_told, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_record_that_is_too_long_is_a_gap, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_time_signs, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_opened, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_key_that_is_gone_is_named, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_the_key_is_on_the_disk_before_a_record, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_check_says_what_the_start_would, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_nobody_is_asked_for_a_passphrase, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
