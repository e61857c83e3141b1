/* SPDX-License-Identifier: Apache-2.0 */
/* What was flushed is there after a crash: the newest of each key, up to a tear, within bounds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/state/journal.h"
#include "tests/support/cmocka_std.h"

static char folder[40];

static struct journal *make(void)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (journal_open(folder, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/srtpgw-journal-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rmdir(folder), 0); /* it makes its directory itself */
	return 0;
}

/* Calls back with each segment's path; how many there are, and octets in all. */
static unsigned segments(void (*each)(const char *path), off_t *octets)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[300];
	struct stat st;
	unsigned n = 0;

	assert_non_null(d);
	*octets = 0;
	while ((entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, "calls.", 6) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		*octets += st.st_size;
		n++;
		if (each)
			each(path);
	}
	closedir(d);
	return n;
}

static void remove_path(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static int teardown(void **state)
{
	char lock[80];
	off_t octets;

	(void)state;
	segments(remove_path, &octets);
	snprintf(lock, sizeof lock, "%s/lock", folder);
	unlink(lock);
	return rmdir(folder);
}

static struct {
	unsigned n;
	struct {
		uint64_t key;
		char text[64];
	} at[16];
} seen;

static void note(void *arg, uint64_t key, const void *data, size_t n)
{
	(void)arg;
	assert_true(seen.n < 16 && n < sizeof seen.at[0].text);
	seen.at[seen.n].key = key;
	memcpy(seen.at[seen.n].text, data, n);
	seen.at[seen.n++].text[n] = '\0';
}

static struct journal_found read_all(struct journal *j)
{
	struct journal_found found;

	memset(&seen, 0, sizeof seen);
	assert_int_equal(journal_read(j, note, NULL, &found), 0);
	return found;
}

static void put(struct journal *j, uint64_t key, const char *text)
{
	assert_int_equal(journal_put(j, key, text, strlen(text)), 0);
}

static void test_the_newest_counts(void **state)
{
	struct journal *j = make();
	struct journal_found found;

	(void)state;
	put(j, 1, "one");
	put(j, UINT64_MAX, "last");
	put(j, 2, "two");
	put(j, 1, "one again");
	put(j, 3, "");
	assert_int_equal(journal_remove(j, 2), 0);
	assert_int_equal(journal_flush(j), 0);
	put(j, 4, "never flushed");
	journal_free(j);

	j = make();
	found = read_all(j);
	assert_int_equal(found.records, 6);
	assert_int_equal(found.torn, 0);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.at[0].text, "one again");
	assert_string_equal(seen.at[1].text, "");
	assert_string_equal(seen.at[2].text, "last");
	/* The next process died before it had put all of them again: nothing is lost, and what changed
	 * counts. */
	put(j, UINT64_MAX, "changed");
	assert_int_equal(journal_flush(j), 0);
	journal_free(j);
	j = make();
	read_all(j);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.at[2].text, "changed");
	journal_trim(j);
	journal_free(j);
	j = make();
	read_all(j);
	assert_int_equal(seen.n, 0);
	journal_free(j);
}

static void cut_last(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	if (st.st_size > 20)
		assert_int_equal(truncate(path, st.st_size - 1), 0);
}

static void flip_middle(const char *path)
{
	int fd = open(path, O_RDWR);
	struct stat st;
	char c;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	if (st.st_size > 20) {
		assert_int_equal(pread(fd, &c, 1, st.st_size / 2), 1);
		c ^= 4;
		assert_int_equal(pwrite(fd, &c, 1, st.st_size / 2), 1);
	}
	close(fd);
}

static void two_records(void (*damage)(const char *path))
{
	struct journal *j = make();
	off_t octets;

	put(j, 1, "a record that is whole");
	put(j, 2, "another one of that kind");
	assert_int_equal(journal_flush(j), 0);
	journal_free(j);
	segments(damage, &octets);
}

static void test_a_torn_end(void **state)
{
	struct journal *j;

	(void)state;
	two_records(cut_last);
	j = make();
	assert_int_equal(read_all(j).torn, 1);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.at[0].text, "a record that is whole");
	journal_free(j);
}

static void test_a_damaged_record(void **state)
{
	struct journal *j;

	(void)state;
	two_records(flip_middle);
	j = make();
	assert_int_equal(read_all(j).torn, 1);
	assert_true(seen.n < 2);
	journal_free(j);
}

static void test_one_process_at_a_time(void **state)
{
	struct journal *j = make(), *second = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(journal_open(folder, &second, &e), -EBUSY);
	assert_non_null(strstr(e.text, folder));
	assert_non_null(strstr(e.text, "in use by test_journal, process ")); /* whom to stop */
	journal_free(j);
	j = make();
	journal_free(j);
}

/* A thousand keys that change a hundred times each stay within bounds, and are all there. */
static void test_bounded(void **state)
{
	enum { KEYS = 1000, SIZE = 1000, ROUNDS = 100 };
	struct journal *j = make();
	char data[SIZE] = {0};
	uint64_t live = KEYS * journal_record_octets(SIZE);
	off_t octets, most = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool renew = journal_due(j, live);

		if (renew)
			assert_int_equal(journal_turn(j), 0);
		for (unsigned k = 0; k < KEYS; k++)
			assert_int_equal(journal_put(j, k, data, sizeof data), 0);
		assert_int_equal(journal_flush(j), 0);
		if (renew)
			journal_trim(j);
		segments(NULL, &octets);
		most = octets > most ? octets : most;
	}
	assert_in_range(most, live, 5 * live + (5 << 20));
	journal_free(j);
}

static void test_what_does_not_fit(void **state)
{
	struct journal *j = make();
	char *large = calloc(1, JOURNAL_DATA_MAX + 1);

	(void)state;
	assert_int_equal(journal_put(j, 1, large, JOURNAL_DATA_MAX + 1), -E2BIG);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(journal_put(j, i, large, JOURNAL_DATA_MAX), 0);
	assert_int_equal(journal_flush(j), 0);
	free(large);
	journal_free(j);
}

#define J(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		J(test_the_newest_counts),
		J(test_a_torn_end),
		J(test_a_damaged_record),
		J(test_one_process_at_a_time),
		J(test_bounded),
		J(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
