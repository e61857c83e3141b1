/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an audit: closed on request, moved away, and what others do to the one that is written. */
#include "tests/unit/audit_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "tests/support/full_file.h"

#define MOMENT 1700000000000u

static const char *path(const char *suffix)
{
	static char text[4][80];
	static unsigned next;
	char *p = text[next++ % 4];

	snprintf(p, sizeof text[0], "%s%s", bench_file, suffix);
	return p;
}

/* All records, of these files from the oldest on, as one text. */
static char *all(const char *const *suffixes)
{
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	for (; *suffixes; suffixes++) {
		char *more = bench_slurp(*suffixes);

		strcat(text, more);
		free(more);
	}
	return text;
}
#define ALL(...) all((const char *const[]){__VA_ARGS__, NULL})

/* They are one chain, signed to its end; the number of its last record. */
static uint64_t verified(char *text)
{
	struct audit_verify v = {.key = bench_public_key()};
	const char *wrong = bench_wrong(&v, text);

	if (wrong)
		fail_msg("%s in\n%s", wrong, text);
	assert_int_equal(v.signed_to, v.at.seq);
	EVP_PKEY_free(v.key);
	free(text);
	return v.at.seq;
}

static bool has(const char *suffix, const char *words)
{
	char *text = bench_slurp(suffix);
	bool found = strstr(text, words);

	free(text);
	return found;
}

static struct audit_closed rotated(struct audit *a)
{
	struct audit_closed closed;
	struct err e = {0};

	if (audit_rotate(a, MOMENT, &closed, &e))
		fail_msg("%s", e.text);
	return closed;
}

static void put_there(const char *text)
{
	FILE *f = fopen(bench_file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A file is closed with a checkpoint, the next begins with one; what is closed may go, also all of it. */
static void test_a_file_is_closed_on_request(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);
	struct audit_closed closed;
	struct err e = {0};
	char *text;

	(void)state;
	assert_int_equal(audit_rotate(a, MOMENT, &closed, &e), -ENODATA);
	bench_say(a, 1);
	bench_say(a, 2);
	closed = rotated(a);
	assert_string_equal(closed.file, path(".1"));
	assert_int_equal(closed.last, 3);
	/* Nothing is in it but its beginning. */
	assert_int_equal(audit_rotate(a, MOMENT, &closed, &e), -ENODATA);
	assert_int_equal(verified(ALL(".1", "")), 4);
	assert_int_equal(rename(path(".1"), path(".old")), 0);
	/* After a crash, too, the chain is found: its end is in the file, and only there. */
	audit_close(a);
	a = bench_open(1 << 20, 100);
	bench_say(a, 3);
	assert_int_equal(rotated(a).last, 6);
	bench_say(a, 4);
	audit_close(a);
	assert_int_equal(verified(ALL(".1", "")), 9);
	assert_int_equal(verified(ALL("")), 9);
	assert_int_equal(verified(ALL(".old", ".1", "")), 9);
	text = bench_slurp("");
	assert_non_null(strstr(text, "\"type\":\"checkpoint\""));
	assert_true(strstr(text, "\"type\":\"checkpoint\"") < strchr(text, '\n'));
	free(text);
}

static void test_what_would_be_lost_is_not_closed(void **state)
{
	struct audit_conf conf = {.file = bench_file, .max_octets = 1 << 20, .checkpoint_records = 100};
	struct audit_closed closed;
	struct audit *a;
	struct err e = {0};

	(void)state;
	assert_int_equal(audit_open(&conf, &a, &e), 0);
	bench_say(a, 1);
	assert_int_equal(audit_rotate(a, MOMENT, &closed, &e), -EPERM);
	assert_non_null(strstr(e.text, "max-files"));
	/* There is no room for another name. */
	conf.max_files = 2;
	audit_change(a, &conf);
	assert_int_equal(mkdir(path(".next"), 0700), 0);
	assert_int_equal(audit_rotate(a, MOMENT, &closed, &e), -EISDIR);
	assert_int_equal(rmdir(path(".next")), 0);
	bench_say(a, 2);
	audit_close(a);
	assert_true(has("", "\"call\":\"1\"") && has("", "\"call\":\"2\""));
	verified(ALL(""));
}

/* In place of the C library's: behind so many changes of a name the process is gone, and what the next file
 * has to be before the first of them. */
static unsigned die_behind, too_early;
static ino_t synced, synced_next;
static struct {
	ino_t file;
	off_t octets;
} syncs[16];
static unsigned n_syncs;

static ino_t inode(const char *at)
{
	struct stat st;

	return stat(at, &st) == 0 ? st.st_ino : 0;
}

static int changes_a_name(int rc)
{
	if (die_behind && --die_behind == 0)
		_exit(0);
	return rc;
}

/* What is in it was synced, not long ago. */
static bool is_whole(const char *at)
{
	struct stat st;
	unsigned i = 0;

	if (stat(at, &st) < 0)
		return false;
	while (i < 16 && (syncs[i].file != st.st_ino || syncs[i].octets != st.st_size))
		i++;
	return i < 16;
}

static void is_to_be_on_the_disk(void)
{
	too_early += !synced_next || synced_next != inode(path(".next"));
	too_early += !is_whole(bench_file);
}

int fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	synced = st.st_ino;
	if (synced == inode(path(".next")))
		synced_next = synced;
	if (synced == inode(bench_file) && inode(path(".old")))
		too_early += !is_whole(path(".old"));
	syncs[n_syncs % 16].file = st.st_ino;
	syncs[n_syncs++ % 16].octets = st.st_size;
	return 0;
}

int rename(const char *from, const char *to)
{
	is_to_be_on_the_disk();
	return changes_a_name(renameat(AT_FDCWD, from, AT_FDCWD, to));
}

int link(const char *from, const char *to)
{
	is_to_be_on_the_disk();
	return changes_a_name(linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
}

/* Else a power cut leaves an empty file, the closed one may be elsewhere, and another chain begins; or the
 * closed one lacks the records that the next one goes on from. */
static void test_both_files_are_on_the_disk_before_one_is_closed(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bench_say(a, i);
		too_early = 0;
		synced = synced_next = 0;
		rotated(a);
		assert_int_equal(too_early, 0);
		assert_int_equal(synced_next, inode(bench_file));
		assert_int_equal(synced, inode(bench_folder)); /* the names, at last */
	}
	audit_close(a);
}

/* kill -9 between any two of its steps, and the archive takes what is closed before the next start. */
static void test_a_crash_in_a_rotation_leaves_the_file(void **state)
{
	(void)state;
	for (unsigned k = 1; k < 5; k++)
		for (unsigned taken = 0; taken < 2; taken++) {
			struct audit *a = bench_open(1 << 20, 100);
			uint64_t before;
			int status;
			pid_t pid;

			bench_say(a, 1);
			rotated(a);
			bench_say(a, 2);
			audit_close(a);
			before = verified(ALL(""));
			pid = fork();
			if (pid == 0) {
				a = bench_open(1 << 20, 100);
				bench_say(a, 3);
				die_behind = k;
				rotated(a);
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			if (taken) {
				unlink(path(".1"));
				unlink(path(".2"));
			}
			a = bench_open(1 << 20, 100);
			/* What is written is not closed as well. */
			assert_int_not_equal(inode(path(".1")), inode(bench_file));
			bench_say(a, 4);
			audit_close(a);
			assert_true(verified(ALL("")) >= before + 3); /* "3", "4", and a signature */
			for (unsigned i = 0; i < 3; i++)
				unlink(path((const char *[]){"", ".1", ".2"}[i]));
		}
}

/* As logrotate does it that was set up in spite of the manual: the chain goes on in a new file of that name.
 */
static void test_a_file_that_was_moved_is_left(void **state)
{
	static const char *const ways[] = {NULL /* no other file */, "" /* logrotate's "create" */};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct audit *a = bench_open(1 << 20, 100);

		bench_say(a, 1);
		assert_int_equal(rename(bench_file, path(".old")), 0);
		if (ways[i])
			put_there(ways[i]);
		too_early = 0;
		if (i)
			audit_tick(a, MOMENT); /* it is seen without a record, too */
		bench_say(a, 2);
		assert_int_equal(too_early, 0);
		assert_int_equal(audit_counters(a).taken, 1);
		assert_false(audit_counters(a).away);
		bench_say(a, 3);
		audit_close(a);
		assert_true(has(".old", "\"call\":\"1\"") && !has(".old", "\"call\":\"2\""));
		assert_true(has("", "\"type\":\"file\"") && has("", "was moved"));
		assert_true(has("", "\"call\":\"2\"") && has("", "\"call\":\"3\""));
		verified(ALL(".old", ""));
		verified(ALL(""));
		unlink(path(".old"));
		unlink(bench_file);
	}
}

/* What was in it is gone, which the records show; nothing more goes. */
static void test_a_file_that_was_removed_is_made_again(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);
	struct audit_verify v = {0};
	char *text;

	(void)state;
	bench_say(a, 1);
	rotated(a);
	bench_say(a, 2);
	assert_int_equal(unlink(bench_file), 0);
	bench_say(a, 3);
	assert_int_equal(audit_counters(a).taken, 1);
	assert_int_equal(audit_counters(a).failed, 0);
	audit_close(a);
	assert_true(has("", "was removed") && has("", "\"call\":\"3\""));
	verified(ALL(""));
	text = ALL(".1", "");
	assert_non_null(strstr(bench_wrong(&v, text), "were removed"));
	free(text);
}

/* logrotate's "copytruncate". */
static void test_a_file_that_was_cut_goes_on(void **state)
{
	struct audit *a = bench_open(1 << 20, 100);
	char *copy;

	(void)state;
	bench_say(a, 1);
	copy = bench_slurp("");
	assert_int_equal(truncate(bench_file, 0), 0);
	bench_say(a, 2);
	assert_int_equal(audit_counters(a).taken, 1);
	audit_close(a);
	assert_true(has("", "was cut") && has("", "\"call\":\"2\""));
	char *rest = bench_slurp("");

	strcat(copy, rest); /* room enough: see bench_slurp() */
	free(rest);
	verified(copy);
	/* In the middle of a record: those behind it are records again. */
	a = bench_open(1 << 20, 100);
	copy = bench_slurp("");
	assert_int_equal(truncate(bench_file, (off_t)strlen(copy) - 10), 0);
	free(copy);
	bench_say(a, 3);
	audit_close(a);
	assert_true(has("", "\n{\"seq\":6,") && has("", "\"call\":\"3\""));
}

static void move_it(void)
{
	assert_int_equal(rename(bench_file, path(".old")), 0);
}

static void remove_it(void)
{
	assert_int_equal(unlink(bench_file), 0);
}

static void cut_it(void)
{
	assert_int_equal(truncate(bench_file, 0), 0);
}

static void cut_a_record(void)
{
	assert_int_equal(truncate(bench_file, 50), 0);
}

/* The disk is full meanwhile: no file is left empty, and what happened is told before anything else. */
static void test_what_happened_is_told_once_it_can_be(void **state)
{
	static const struct {
		void (*happens)(void);
		const char *told;
		unsigned line; /* that tells it */
	} ways[] = {{move_it, "was moved", 1}, {remove_it, "was removed", 1}, {cut_it, "was cut", 1},
		{cut_a_record, "was cut", 2}};

	(void)state;
	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct audit *a = bench_open(1 << 20, 100);
		struct full_file full;
		char *text, *at;

		bench_say(a, 1);
		full_file_begin(&full, bench_file);
		ways[i].happens();
		bench_say(a, 2);
		audit_tick(a, MOMENT);
		full_file_end(&full);
		bench_say(a, 3);
		assert_int_equal(audit_counters(a).taken, 1);
		assert_false(audit_counters(a).away || audit_counters(a).losing);
		audit_close(a);
		text = at = bench_slurp("");
		for (unsigned n = 1; n < ways[i].line; n++)
			at = strchr(at, '\n') + 1;
		*strchr(at, '\n') = ' ';
		assert_memory_equal(at, "{\"seq\":", 7);
		assert_non_null(strstr(at, ways[i].told));
		assert_true(strstr(at, ways[i].told) < strchr(at, '\n'));
		free(text);
		assert_true(has("", "\"type\":\"gap\",\"records\":1,") && has("", "\"call\":\"3\""));
		if (ways[i].happens == move_it)
			verified(ALL(".old", ""));
		if (ways[i].line == 1)
			verified(ALL(""));
		unlink(path(".old"));
		unlink(bench_file);
	}
}

/* A stranger's file has the name: nothing is written into it, nor is it moved. */
static void test_anothers_file_is_left_alone(void **state)
{
	struct audit *a = bench_open(2000, 100);
	struct audit_closed closed;
	struct err e = {0};

	(void)state;
	bench_say(a, 1);
	assert_int_equal(rename(bench_file, path(".old")), 0);
	put_there("mine\n");
	/* What was moved grows on where it is, however large it gets. */
	for (unsigned i = 2; i < 40; i++)
		bench_say(a, i);
	assert_true(audit_counters(a).away);
	assert_int_equal(audit_counters(a).taken, 1);
	assert_false(audit_counters(a).losing);
	assert_int_equal(audit_rotate(a, MOMENT, &closed, &e), -EBUSY);
	assert_true(has(".old", "\"call\":\"39\""));
	/* Removed, it takes no more. */
	assert_int_equal(unlink(path(".old")), 0);
	bench_say(a, 40);
	assert_true(audit_counters(a).losing);
	assert_int_equal(audit_counters(a).failed, 1);
	assert_true(has("", "mine\n"));
	assert_int_equal(unlink(bench_file), 0);
	audit_tick(a, MOMENT);
	bench_say(a, 41);
	assert_false(audit_counters(a).away);
	assert_int_equal(audit_counters(a).taken, 2); /* moved, and removed */
	audit_close(a);
	assert_true(has("", "\"type\":\"gap\",\"records\":1,") && has("", "\"call\":\"41\""));
	verified(ALL(""));
}

static bool is_last(const struct audit *a, const char *call)
{
	char *line = audit_last(a), member[40];
	bool is;

	snprintf(member, sizeof member, "\"call\":\"%s\"}", call);
	is = line && strlen(line) > strlen(member) &&
	     strcmp(line + strlen(line) - strlen(member), member) == 0;
	free(line);
	return is;
}

/* It is found behind checkpoints, in a file that was begun for it, and by the next process. */
static void test_what_was_recorded_last(void **state)
{
	static const char odd[] =
		"\"type\":\"call\",\"from\":\"\\\"type\\\":\\\"checkpoint\\\"\",\"call\":\"odd\"";
	struct audit *a = bench_open(1500, 1);
	char text[16];

	(void)state;
	assert_null(audit_last(NULL));
	assert_null(audit_last(a));
	for (unsigned i = 1; i <= 12; i++) {
		bench_say(a, i);
		snprintf(text, sizeof text, "%u", i);
		assert_true(is_last(a, text));
	}
	audit_write(a, STR(odd), MOMENT);
	assert_true(is_last(a, "odd"));
	audit_close(a);
	a = bench_open(1500, 1);
	assert_true(is_last(a, "odd"));
	audit_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_file_is_closed_on_request, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_would_be_lost_is_not_closed, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_both_files_are_on_the_disk_before_one_is_closed, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_crash_in_a_rotation_leaves_the_file, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_was_moved_is_left, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_was_removed_is_made_again, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_was_cut_goes_on, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_happened_is_told_once_it_can_be, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_anothers_file_is_left_alone, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_what_was_recorded_last, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
