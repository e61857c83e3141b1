/* SPDX-License-Identifier: Apache-2.0 */
/* Who follows a journal knows what its next reader would, whatever the writer does and however late he looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "controlplane/state/journal_follow.h"
#include "tests/unit/journal_folder.h"

#define KEYS 12

static char folder[40];

/* What was told, as somebody who was told it has it. */
struct known {
	struct journal_follow *f;
	unsigned generation, begun, turned, trimmed;
	bool copying;
	struct {
		char text[24];
		unsigned generation;
		bool lives;
	} at[KEYS];
};

static unsigned forget_older(struct known *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		k->at[i].lives = k->at[i].lives && k->at[i].generation == k->generation;
		n += k->at[i].lives;
	}
	return n;
}

static int told(void *arg, enum journal_told what, uint64_t key, const void *data, size_t n)
{
	struct known *k = arg;

	switch (what) {
	case JOURNAL_TOLD_BEGIN:
		k->begun++;
		k->generation++;
		k->copying = true;
		break;
	case JOURNAL_TOLD_STANDS:
		assert_true(k->copying);
		k->copying = false;
		assert_int_equal(forget_older(k), key);
		break;
	case JOURNAL_TOLD_TURN:
		assert_false(k->copying);
		k->turned++;
		k->generation++;
		break;
	case JOURNAL_TOLD_TRIM:
		assert_false(k->copying);
		k->trimmed++;
		forget_older(k);
		break;
	default:
		assert_true(key < KEYS && n < sizeof k->at[key].text);
		k->at[key].lives = what == JOURNAL_TOLD_PUT;
		k->at[key].generation = k->generation;
		memcpy(k->at[key].text, data, n);
		k->at[key].text[n] = '\0';
	}
	return 0;
}

static void follow(struct known *k)
{
	*k = (struct known){0};
	assert_int_equal(journal_follow_new(folder, &k->f), 0);
}

/* The text of a key; "-": it is gone. */
static const char *at(const struct known *k, unsigned key)
{
	return k->at[key].lives ? k->at[key].text : "-";
}

static void catch_up(struct known *k)
{
	for (unsigned i = 0; i < 10; i++) {
		int rc = journal_follow_poll(k->f, told, k);

		assert_true(rc >= 0);
		if (rc == 1)
			return;
	}
	fail_msg("it does not catch up");
}

static int setup(void **state)
{
	(void)state;
	folder_make(folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(folder);
	return 0;
}

static void put(struct journal *j, uint64_t key, const char *text)
{
	folder_put(j, key, text);
	assert_int_equal(journal_flush(j), 0);
}

static void test_there_is_none_yet(void **state)
{
	struct known k;
	struct journal *j;

	(void)state;
	follow(&k);
	assert_int_equal(journal_follow_poll(k.f, told, &k), 0);
	assert_int_equal(access(folder, F_OK), -1); /* it makes nothing */
	j = folder_open(folder);
	catch_up(&k);
	assert_int_equal(k.begun, 1);
	put(j, 1, "one");
	put(j, 2, "two");
	catch_up(&k);
	assert_string_equal(at(&k, 1), "one");
	assert_int_equal(journal_remove(j, 1), 0);
	put(j, 2, "two again");
	catch_up(&k);
	assert_string_equal(at(&k, 1), "-");
	assert_string_equal(at(&k, 2), "two again");
	assert_int_equal(k.begun, 1);
	journal_free(j);
	journal_follow_free(k.f);
}

static void test_the_writer_opens_it_while_it_is_followed(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;

	(void)state;
	follow(&k);
	catch_up(&k);
	journal_free(j);
	catch_up(&k);
	j = folder_open(folder);
	journal_free(j);
	journal_follow_free(k.f);
}

/* The next process of the writer takes over two of three, and trims: nothing says of the third that it is
 * gone. */
static void restart(struct known *k, bool look_between)
{
	struct journal *j = folder_open(folder);

	put(j, 1, "one");
	put(j, 2, "two");
	put(j, 3, "three");
	catch_up(k);
	journal_free(j);
	catch_up(k);
	j = folder_open(folder);
	put(j, 1, "one anew");
	if (look_between)
		catch_up(k);
	put(j, 3, "three");
	if (look_between) {
		catch_up(k);
		assert_string_equal(at(k, 2), "two"); /* it could crash now, and the next would find it */
	}
	journal_trim(j);
	catch_up(k);
	assert_string_equal(at(k, 1), "one anew");
	assert_string_equal(at(k, 2), "-");
	assert_string_equal(at(k, 3), "three");
	assert_int_equal(k->begun, 1);
	journal_free(j);
}

static void test_the_writer_starts_again(void **state)
{
	(void)state;
	for (unsigned look = 0; look < 2; look++) {
		struct known k;

		follow(&k);
		restart(&k, look);
		journal_follow_free(k.f);
		folder_remove(folder);
	}
}

/* What is told at first comes from two segments; then the older one goes with a key that nobody removed. */
static void test_it_begins_while_the_writer_renews(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;

	(void)state;
	put(j, 1, "one");
	put(j, 2, "two");
	assert_int_equal(journal_turn(j), 0);
	put(j, 1, "one");
	follow(&k);
	catch_up(&k);
	assert_string_equal(at(&k, 2), "two");
	journal_trim(j);
	catch_up(&k);
	assert_string_equal(at(&k, 1), "one");
	assert_string_equal(at(&k, 2), "-");
	journal_free(j);
	journal_follow_free(k.f);
}

/* While nobody looked whole segments came and went. */
static void test_segments_that_were_never_seen(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;

	(void)state;
	put(j, 1, "one");
	put(j, 4, "four");
	follow(&k);
	catch_up(&k);
	put(j, 5, "five");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(journal_turn(j), 0);
		put(j, 1, i == 2 ? "newest" : "older");
		if (i < 2)
			put(j, 5, "five");
		journal_trim(j);
	}
	catch_up(&k);
	assert_string_equal(at(&k, 1), "newest");
	assert_string_equal(at(&k, 4), "-");
	assert_string_equal(at(&k, 5), "-");
	assert_int_equal(k.begun, 1);
	journal_free(j);
	journal_follow_free(k.f);
}

static void segment(const char *number, char path[80])
{
	snprintf(path, 80, "%s/calls.%s", folder, number);
}

static void append(const char *number, const void *data, size_t n)
{
	char path[80];
	int fd;

	segment(number, path);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_true(fd >= 0 && write(fd, data, n) == (ssize_t)n && close(fd) == 0);
}

/* Half of a record is no record, be the other half on its way or lost with its writer. */
static void test_half_of_a_record(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;
	char path[80], text[64];
	struct stat st;
	int fd;

	(void)state;
	put(j, 1, "one");
	segment("00000001", path);
	assert_int_equal(stat(path, &st), 0);
	put(j, 2, "two");
	fd = open(path, O_RDONLY);
	ssize_t n = pread(fd, text, sizeof text, st.st_size);
	close(fd);
	assert_true(n > 10);
	assert_int_equal(truncate(path, st.st_size + 10), 0);
	follow(&k);
	catch_up(&k);
	assert_string_equal(at(&k, 1), "one");
	assert_string_equal(at(&k, 2), "-");
	append("00000001", text + 10, (size_t)n - 10);
	catch_up(&k);
	assert_string_equal(at(&k, 2), "two");
	append("00000001", text, 12);
	journal_free(j);
	catch_up(&k);
	j = folder_open(folder);
	put(j, 3, "three");
	catch_up(&k);
	assert_string_equal(at(&k, 3), "three");
	assert_int_equal(k.begun, 1);
	journal_free(j);
	journal_follow_free(k.f);
}

/* The writer takes back what it wrote before its file system was full, and goes on from there. */
static void test_what_is_taken_back(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;
	char path[80];
	struct stat st;

	(void)state;
	put(j, 1, "one");
	segment("00000001", path);
	assert_int_equal(stat(path, &st), 0);
	put(j, 2, "two");
	follow(&k);
	catch_up(&k);
	assert_string_equal(at(&k, 2), "two");
	assert_int_equal(truncate(path, st.st_size), 0);
	catch_up(&k);
	assert_string_equal(at(&k, 2), "-");
	/* And so fast that it is longer than before when somebody looks. */
	put(j, 2, "two");
	catch_up(&k);
	assert_int_equal(truncate(path, st.st_size), 0);
	put(j, 3, "three, a longer text");
	put(j, 1, "changed");
	catch_up(&k);
	catch_up(&k);
	assert_string_equal(at(&k, 1), "changed");
	assert_string_equal(at(&k, 2), "-");
	assert_string_equal(at(&k, 3), "three, a longer text");
	journal_free(j);
	journal_follow_free(k.f);
}

static void test_the_directory_is_made_anew(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;

	(void)state;
	put(j, 1, "one");
	follow(&k);
	catch_up(&k);
	journal_free(j);
	folder_remove(folder);
	assert_int_equal(journal_follow_poll(k.f, told, &k), 0);
	assert_string_equal(at(&k, 1), "one"); /* nothing is concluded */
	j = folder_open(folder);
	put(j, 2, "two");
	catch_up(&k);
	assert_string_equal(at(&k, 1), "-");
	assert_string_equal(at(&k, 2), "two");
	journal_free(j);
	journal_follow_free(k.f);
}

static void test_a_journal_of_another_version(void **state)
{
	struct journal *j = folder_open(folder);
	struct known k;
	char path[80];
	int fd;

	(void)state;
	segment("00000001", path);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0 && pwrite(fd, "\x7f", 1, 11) == 1 && close(fd) == 0);
	follow(&k);
	assert_int_equal(journal_follow_poll(k.f, told, &k), -EPROTO);
	journal_follow_free(k.f);
	journal_free(j);
}

static int no_more(void *arg, enum journal_told what, uint64_t key, const void *data, size_t n)
{
	unsigned *left = arg;

	(void)what, (void)key, (void)data, (void)n;
	return (*left)-- ? 0 : -EPIPE;
}

static void test_who_is_told_has_enough(void **state)
{
	struct journal *j = folder_open(folder);

	(void)state;
	put(j, 1, "one");
	put(j, 2, "two");
	for (unsigned i = 0; i < 4; i++) {
		struct journal_follow *f;
		unsigned left = i;

		assert_int_equal(journal_follow_new(folder, &f), 0);
		assert_int_equal(journal_follow_poll(f, no_more, &left), -EPIPE);
		journal_follow_free(f);
	}
	journal_free(j);
}

/* A writer that does anything at any time; whenever it is between two renewals, who followed knows what a
 * newcomer finds. */
static void test_anything_at_any_time(void **state)
{
	struct journal *j = folder_open(folder);
	char live[KEYS][24] = {{0}};
	unsigned renewing = KEYS, n = 0, compared = 0;
	struct known k;

	(void)state;
	srandom(1);
	follow(&k);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned key = (unsigned)random() % KEYS, what = (unsigned)random() % 100;

		if (what < 50) {
			snprintf(live[key], sizeof live[key], "%u", n++);
			folder_put(j, key, live[key]);
		} else if (what < 65 && live[key][0]) {
			live[key][0] = '\0';
			assert_int_equal(journal_remove(j, key), 0);
		} else if (what < 80) {
			assert_int_equal(journal_flush(j), 0);
		} else if (what < 83 && renewing == KEYS) {
			assert_int_equal(journal_turn(j), 0);
			renewing = 0;
		} else if (what < 84 && random() % 8 == 0) { /* it is killed, and not all is taken over */
			journal_free(j);
			j = folder_open(folder);
			live[key][0] = '\0';
			renewing = 0;
		} else if (what < 94 && renewing < KEYS) {
			if (live[renewing][0])
				folder_put(j, renewing, live[renewing]);
			assert_int_equal(journal_flush(j), 0);
			if (++renewing == KEYS)
				journal_trim(j);
		} else if (what >= 97) {
			assert_int_equal(journal_flush(j), 0);
			catch_up(&k);
			for (unsigned i = 0; renewing == KEYS && i < KEYS; i++, compared++)
				assert_string_equal(at(&k, i), live[i][0] ? live[i] : "-");
		}
	}
	assert_true(compared >= 1000 && k.begun <= 2 && k.turned > 50 && k.trimmed > 20);
	journal_free(j);
	journal_follow_free(k.f);
}

#define F(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		F(test_there_is_none_yet),
		F(test_the_writer_opens_it_while_it_is_followed),
		F(test_the_writer_starts_again),
		F(test_it_begins_while_the_writer_renews),
		F(test_segments_that_were_never_seen),
		F(test_half_of_a_record),
		F(test_what_is_taken_back),
		F(test_the_directory_is_made_anew),
		F(test_a_journal_of_another_version),
		F(test_who_is_told_has_enough),
		F(test_anything_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
