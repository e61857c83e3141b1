/* SPDX-License-Identifier: Apache-2.0 */
/* The active machine's journal and the standby's, with both ends of the stream between them; whatever
 * happens, the standby's is whole. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "controlplane/standby/send.h"
#include "tests/unit/standby_bench.h"

struct end {
	pid_t pid;
	int term; /* an octet: it is to end */
};

static void exit_with(int rc, const struct err *e)
{
	if (rc < 0 && !e->text[0])
		rc = -255; /* it has to say why */
	_exit(-rc);
}

/* The ends run in processes of their own. `other` is what only the other end is to hold. */
static struct end start(bool send, int fd, int other)
{
	struct end end;
	int term[2];

	assert_int_equal(pipe2(term, O_CLOEXEC), 0);
	end.pid = fork();
	assert_true(end.pid >= 0);
	if (end.pid == 0) {
		struct err e = {0};

		close(term[1]);
		if (other >= 0)
			close(other);
		if (send)
			exit_with(standby_send(&(struct send_conf){active, fd, term[0], &records}, &e), &e);
		exit_with(
			standby_receive(&(struct receive_conf){standby, fd, term[0], &records, 60}, &e), &e);
	}
	close(term[0]);
	end.term = term[1];
	return end;
}

static int code_of(struct end *end)
{
	int status;

	assert_int_equal(waitpid(end->pid, &status, 0), end->pid);
	assert_true(WIFEXITED(status));
	close(end->term);
	return -WEXITSTATUS(status);
}

static int stop(struct end *end)
{
	assert_int_equal(write(end->term, "", 1), 1);
	return code_of(end);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* Both ends, joined. */
static void join(struct end *from, struct end *to)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*from = start(true, fds[1], fds[0]);
	*to = start(false, fds[0], fds[1]);
	close(fds[0]);
	close(fds[1]);
}

static struct standby_status wait_until_in_step(void)
{
	struct standby_status s = {0};

	for (unsigned i = 0; i < 12000; i++, nap())
		if (status_read(standby, &s) == 0 && s.state == STANDBY_IN_STEP)
			return s;
	fail_msg("it does not come in step");
	return s;
}

static void put(struct journal *j, uint64_t key, const char *text)
{
	folder_put(j, key, text);
	assert_int_equal(journal_flush(j), 0);
}

/* Has the standby this, in whatever segment? It is still being written. */
static void wait_for_text(const char *text)
{
	char line[200];

	snprintf(line, sizeof line, "grep -qs -- '%s' %s/calls.*", text, standby);
	for (unsigned i = 0; i < 3000; i++, nap())
		if (system(line) == 0)
			return;
	fail_msg("'%s' does not come", text);
}

static void test_the_standby_has_what_the_active_has(void **state)
{
	struct journal *j = folder_open(active);
	struct standby_status s;
	struct end from, to;

	(void)state;
	put(j, 1, "before");
	put(j, 2, "before, too");
	join(&from, &to);
	s = wait_until_in_step();
	assert_int_equal(s.calls, 2);
	assert_metrics(
		&s, "srtpgw_standby_receiving 1\n", "srtpgw_standby_in_step 1\n", "srtpgw_standby_calls 2\n");
	s.state = STANDBY_COPYING;
	s.heard_ms = 1700000000042;
	assert_metrics(&s, "srtpgw_standby_receiving 1\n", "srtpgw_standby_in_step 0\n",
		"srtpgw_standby_heard_timestamp_seconds 1700000000.042\n");
	s.registrations = 5;
	assert_metrics(&s, "srtpgw_standby_registrations 5\n", "srtpgw_standby_calls 2\n", "# TYPE ");
	assert_metrics(NULL, "srtpgw_standby_receiving 0\n", "srtpgw_standby_in_step 0\n", "# TYPE ");
	put(j, 1, "changed");
	put(j, 3, "new");
	assert_int_equal(journal_remove(j, 2), 0);
	put(j, 4, "last of all");
	wait_for_text("last of all");
	assert_int_equal(stop(&to), 0);
	assert_int_equal(code_of(&from), -EPIPE);
	look_into(standby);
	assert_string_equal(found[1], "changed");
	assert_string_equal(found[2], "");
	assert_string_equal(found[3], "new");
	journal_free(j);
}

static void test_the_sender_is_told_to_end(void **state)
{
	struct journal *j = folder_open(active);
	struct end from, to;

	(void)state;
	put(j, 1, "one");
	join(&from, &to);
	wait_until_in_step();
	assert_int_equal(stop(&from), 0);
	assert_int_equal(code_of(&to), -EPIPE);
	look_into(standby);
	assert_string_equal(found[1], "one");
	journal_free(j);
}

/* Calls that ended while nobody listened are gone after the next copy, and what is left of earlier streams is
 * cleared away. */
static void test_it_comes_back_in_step(void **state)
{
	struct journal *j = folder_open(active);
	struct end from, to;
	char path[80];

	(void)state;
	put(j, 1, "one");
	put(j, 2, "two");
	for (unsigned i = 0; i < 3; i++) {
		join(&from, &to);
		wait_until_in_step();
		assert_int_equal(stop(&to), 0);
		code_of(&from);
		look_into(standby);
		assert_string_equal(found[2], i ? "" : "two");
		assert_string_equal(found[1], "one");
		assert_int_equal(journal_remove(j, 2), 0);
		assert_int_equal(journal_flush(j), 0);
	}
	snprintf(path, sizeof path, "%s/calls.00000001", standby);
	assert_int_equal(access(path, F_OK), -1);
	journal_free(j);
}

/* The writer turns, trims, is killed and starts again, fast, while the stream runs. */
static void test_rotation_under_the_stream(void **state)
{
	struct journal *j;
	struct end from, to;
	char text[24], wanted[KEYS][24] = {{0}};

	(void)state;
	join(&from, &to); /* before the journal is there: its lock is not theirs */
	j = folder_open(active);
	wait_until_in_step();
	for (unsigned round = 0; round < 300; round++) {
		unsigned gone = round % KEYS;

		if (round % 7 == 3) {
			journal_free(j);
			j = folder_open(active);
		} else {
			assert_int_equal(journal_turn(j), 0);
		}
		wanted[gone][0] = '\0'; /* and no record says so */
		for (unsigned k = 0; k < KEYS; k++) {
			if (k == gone || (!wanted[k][0] && k % 3))
				continue;
			snprintf(wanted[k], sizeof wanted[k], "%u of %u", k, round);
			put(j, k, wanted[k]);
		}
		journal_trim(j);
		if (round % 5 == 0)
			nap();
	}
	snprintf(text, sizeof text, "the end");
	put(j, KEYS - 1, text);
	strcpy(wanted[KEYS - 1], text);
	wait_for_text(text);
	/* What was trimmed at last is told with the next beat, if not before. */
	for (unsigned i = 0; i < 2; i++) {
		struct standby_status s = wait_until_in_step(), now = s;

		while (now.heard_ms == s.heard_ms) {
			nap();
			now = wait_until_in_step();
		}
	}
	assert_int_equal(stop(&to), 0);
	code_of(&from);
	look_into(standby);
	for (unsigned k = 0; k < KEYS; k++)
		assert_string_equal(found[k], wanted[k]);
	journal_free(j);
}

/* A pipe that is full neither hangs the sender nor keeps the writer from anything. */
static void test_a_reader_that_reads_nothing(void **state)
{
	struct journal *j;
	struct end from;
	char *large = calloc(1, JOURNAL_DATA_MAX), c;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	from = start(true, fds[1], -1);
	j = folder_open(active);
	assert_int_equal(read(fds[0], &c, 1), 1);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(journal_turn(j), 0);
		for (unsigned k = 0; k < 8; k++)
			assert_int_equal(journal_put(j, k, large, JOURNAL_DATA_MAX), 0);
		assert_int_equal(journal_flush(j), 0);
		journal_trim(j);
		nap();
	}
	assert_int_equal(stop(&from), 0);
	close(fds[0]);
	close(fds[1]);
	free(large);
	journal_free(j);
}

/* Two standbys would tell each other the same calls for ever. */
static void test_a_standby_does_not_send(void **state)
{
	struct standby_status s;
	struct end to, from;
	int fds[2], out[2];

	(void)state;
	strcpy(active, standby);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);

	assert_int_equal(status_read(standby, &s), -ESRCH);
	to = start(false, fds[0], fds[1]);
	assert_int_equal(write(fds[1], text, w.len), w.len);
	wait_until_in_step();
	from = start(true, out[1], out[0]);
	assert_int_equal(code_of(&from), -EBUSY);
	assert_int_equal(stop(&to), 0);
	assert_int_equal(status_read(standby, &s), -ESRCH);
	for (unsigned i = 0; i < 2; i++) {
		close(fds[i]);
		close(out[i]);
	}
}

/* A receiver that has run since before registrations were counted. */
static void test_the_status_of_an_older_one(void **state)
{
	const struct standby_status is = {STANDBY_IN_STEP, 11, 12, 13, 14, 77777, ""};
	struct standby_status s = {.registrations = 1};
	char file[256], text[256] = "", *last;
	struct status_file *f;
	FILE *stream;

	(void)state;
	assert_int_equal(mkdir(standby, 0700), 0);
	snprintf(file, sizeof file, "%s/standby", standby);
	assert_int_equal(status_new(standby, &f), 0);
	status_write(f, &is);
	stream = fopen(file, "r+");
	assert_non_null(stream);
	assert_non_null(fgets(text, sizeof text, stream));
	last = strstr(text, "77777");
	assert_non_null(last);
	memset(last, ' ', 5);
	rewind(stream);
	fputs(text, stream);
	fclose(stream);
	assert_int_equal(status_read(standby, &s), 0);
	assert_int_equal(s.state, STANDBY_IN_STEP);
	assert_int_equal(s.changes, 14);
	assert_int_equal(s.registrations, 0);
	status_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_the_standby_has_what_the_active_has),
		S(test_the_sender_is_told_to_end),
		S(test_it_comes_back_in_step),
		S(test_rotation_under_the_stream),
		S(test_a_reader_that_reads_nothing),
		S(test_a_standby_does_not_send),
		S(test_the_status_of_an_older_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
