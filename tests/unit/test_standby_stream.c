/* SPDX-License-Identifier: Apache-2.0 */
/* The stream that a standby receives, octet by octet: cut, damaged, silent, or of another version. */
#include <errno.h>
#include <fcntl.h>

#include "tests/unit/standby_bench.h"

static const struct stream_frame another_copy[] = {{.kind = JOURNAL_TOLD_BEGIN}, FRAME_PUT(2, "two anew"),
	FRAME_PUT(3, "three"), {.kind = JOURNAL_TOLD_STANDS, .key = 2}, {.kind = STREAM_BEAT, .key = 1},
	FRAME_END};

/* Receives these octets and nothing behind them; silent_s: the other end stays open. */
static int receive(const void *p, size_t n, unsigned silent_s, struct err *e)
{
	struct receive_conf conf = {standby, -1, -1, &records, silent_s ? silent_s : 60};
	int fds[2], rc;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], p, n), n);
	conf.in = fds[0];
	if (!silent_s)
		close(fds[1]);
	*e = (struct err){0};
	rc = standby_receive(&conf, e);
	close(fds[0]);
	if (silent_s)
		close(fds[1]);
	return rc;
}

/* Cut anywhere: each call is as it was or as the active machine has it now, and none is lost that still
 * lives. */
static void test_a_torn_copy(void **state)
{
	char first[400], second[400];
	struct wbuf before = said(first, sizeof first, two_calls),
		    after = said(second, sizeof second, another_copy);
	struct err e;

	(void)state;
	for (size_t cut = 0; cut <= after.len; cut++) {
		bool whole = cut == after.len;

		assert_int_equal(receive(first, before.len, 0, &e), -EPIPE);
		assert_int_equal(receive(second, cut, 0, &e), -EPIPE);
		assert_non_null(strstr(e.text, cut < STREAM_HELLO ? "never began"
					       : whole            ? "ended"
								  : "the stream "));
		look_into(standby);
		assert_true(strcmp(found[2], "two") == 0 || strcmp(found[2], "two anew") == 0);
		assert_string_equal(found[3], cut < after.len - 2 * 17 ? "" : "three");
		if (whole)
			assert_string_equal(found[1], "");
	}
	assert_non_null(strstr(e.text, "ended"));
	receive(second, after.len - 1, 0, &e);
	assert_non_null(strstr(e.text, "torn"));
}

static void test_silence(void **state)
{
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);
	struct err e;

	(void)state;
	assert_int_equal(receive(text, w.len, 1, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "1 s"));
	look_into(standby);
	assert_string_equal(found[1], "one");
}

static void assert_refused(const char *text, size_t n, const char *because)
{
	struct err e;

	assert_int_equal(receive(text, n, 0, &e), -EPROTO);
	if (!strstr(e.text, because))
		fail_msg("'%s' instead of '%s'", e.text, because);
}

static void test_what_is_not_right(void **state)
{
	static const struct stream_frame early[] = {FRAME_PUT(1, "one"), FRAME_END},
					 few[] = {{.kind = JOURNAL_TOLD_BEGIN},
						 {.kind = JOURNAL_TOLD_STANDS, .key = 1}, FRAME_END},
					 trimmed[] = {{.kind = JOURNAL_TOLD_BEGIN},
						 {.kind = JOURNAL_TOLD_TRIM}, FRAME_END},
					 unknown[] = {{.kind = STREAM_BEAT + 1}, FRAME_END};
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);

	(void)state;
	assert_refused("Welcome to active\n", 18, "not from srtpgw-standby");
	text[15] = 17;
	assert_refused(text, w.len, "damaged");
	text[15] = 2;
	assert_int_equal(access(standby, F_OK), -1); /* until there is something to write */
	text[w.len - 20] ^= 1;
	assert_refused(text, w.len, "damaged");
	for (const struct stream_frame *const *bad =
			(const struct stream_frame *const[]){early, few, trimmed, NULL};
		*bad; bad++) {
		w = said(text, sizeof text, *bad);
		assert_refused(text, w.len, "does not belong");
	}
	w = said(text, sizeof text, unknown);
	assert_refused(text, w.len, "damaged");
}

/* Of the greeting: the octet at which a number ends, and another one there. */
static void assert_unlike(size_t at, unsigned char is, const char *because)
{
	struct standby_status s;
	char text[400], path[80];
	struct wbuf w = said(text, sizeof text, two_calls);
	struct err e;

	text[at] = (char)is;
	assert_int_equal(receive(text, w.len, 0, &e), -EPROTONOSUPPORT);
	if (!strstr(e.text, because))
		fail_msg("'%s' instead of '%s'", e.text, because);
	assert_int_equal(status_read(standby, &s), 0);
	assert_int_equal(s.state, STANDBY_REFUSED);
	assert_string_equal(s.reason, e.text);
	assert_metrics(&s, "srtpgw_standby_receiving 0\n", "srtpgw_standby_in_step 0\n",
		"srtpgw_standby_refused 1\n");
	snprintf(path, sizeof path, "%s/calls.00000001", standby);
	assert_int_equal(access(path, F_OK), -1);
}

/* Both machines run unlike versions: nothing of it is written, and it can be seen without the log. */
static void test_what_is_not_read_here(void **state)
{
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);
	struct standby_status s;
	struct err e;

	(void)state;
	assert_unlike(11, 3, "the stream has version 3");
	assert_unlike(
		23, 4, "calls have version 4 there, this program reads up to 3: install the newer one here");
	assert_unlike(23, 1,
		"calls have version 1 there, this program reads from 2 on: install the newer one there");
	assert_unlike(31, 0x82, "registrations have version 130 there");
	assert_unlike(31, 0x80, "registrations have version 128 there");
	assert_unlike(27, 3, "records of kind 3 are there");
	assert_int_equal(receive(text, w.len, 0, &e), -EPIPE);
	assert_int_equal(status_read(standby, &s), -ESRCH);
	look_into(standby);
	assert_string_equal(found[1], "one");
}

/* Programs of before tell the version of calls alone: the standby is upgraded first. */
static void test_an_active_of_before(void **state)
{
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);
	struct err e;

	(void)state;
	text[11] = 1;
	text[15] = 3;
	memmove(text + 16, text + STREAM_HELLO, w.len - STREAM_HELLO);
	w.len -= STREAM_HELLO - 16;
	assert_int_equal(receive(text, w.len, 0, &e), -EPIPE);
	look_into(standby);
	assert_string_equal(found[2], "two");
	text[15] = 4;
	assert_int_equal(receive(text, w.len, 0, &e), -EPROTONOSUPPORT);
}

static void test_a_control_plane_runs_there(void **state)
{
	struct journal *j = folder_open(standby);
	char text[400];
	struct wbuf w = said(text, sizeof text, two_calls);
	struct err e;

	(void)state;
	assert_int_equal(receive(text, w.len, 0, &e), -EBUSY);
	assert_non_null(strstr(e.text, "in use by test_standby_st"));
	journal_free(j);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_a_torn_copy),
		S(test_silence),
		S(test_what_is_not_right),
		S(test_what_is_not_read_here),
		S(test_an_active_of_before),
		S(test_a_control_plane_runs_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
