/* SPDX-License-Identifier: Apache-2.0 */
/* The management socket with clients as they come: hasty, slow, gone, hostile. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "controlplane/obs/mgmt.h"
#include "lib/base/clock.h"

#define PATIENCE (10 * NS_PER_S)

struct bench {
	struct event_base *base;
	struct mgmt *m;
	char folder[64], path[96];
	unsigned asked;               /* how often a handler ran */
	struct mgmt_request *waiting; /* what "later" was asked */
};

static void echo(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct bench *b = ctx;

	b->asked++;
	mgmt_reply(rq, json_deep_copy(args));
}

static void later(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct bench *b = ctx;

	(void)args;
	b->asked++;
	assert_null(b->waiting);
	b->waiting = rq;
}

static void large(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct bench *b = ctx;
	static char text[65536];

	(void)args;
	b->asked++;
	memset(text, 'x', sizeof text - 1);
	mgmt_reply(rq, json_pack("{s:s}", "text", text));
}

static void refuse(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	(void)ctx;
	mgmt_refuse(rq, "/srtp-gateway:calls", "no call '%s'",
		mgmt_arg(args, "id") ? mgmt_arg(args, "id") : "\xff");
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	struct err e = {0};

	assert_non_null(b);
	strcpy(b->folder, "/tmp/srtpgw-mgmt-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/ctl.sock", b->folder);
	b->base = event_base_new();
	assert_int_equal(mgmt_open(&b->m, b->base, b->path, NULL, &e), 0);
	assert_int_equal(mgmt_register(b->m, "echo", echo, b), 0);
	assert_int_equal(mgmt_register(b->m, "later", later, b), 0);
	assert_int_equal(mgmt_register(b->m, "large", large, b), 0);
	assert_int_equal(mgmt_register(b->m, "refuse", refuse, b), 0);
	assert_int_equal(mgmt_register(b->m, "echo", echo, b), -EEXIST);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	mgmt_close(b->m);
	event_base_free(b->base);
	assert_int_equal(access(b->path, F_OK), -1);
	rmdir(b->folder);
	free(b);
	return 0;
}

static void turn(struct bench *b)
{
	event_base_loop(b->base, EVLOOP_NONBLOCK);
}

/* Lets everything happen that is due: the loop turns until nothing has been for a while of turns. */
static void settle(struct bench *b)
{
	for (int i = 0; i < 200; i++)
		turn(b);
}

static int join(struct bench *b)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", b->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	turn(b);
	return fd;
}

static void say(struct bench *b, int fd, const char *text)
{
	size_t n = strlen(text);
	uint64_t end = clock_mono_ns() + PATIENCE;

	while (n) {
		ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			text += sent;
			n -= (size_t)sent;
		}
		turn(b);
		assert_true(clock_mono_ns() < end);
	}
}

/* The next line without its newline, "" at the end of the stream. Static. */
static const char *hear(struct bench *b, int fd)
{
	static char line[1 << 17];
	size_t n = 0;
	uint64_t end = clock_mono_ns() + PATIENCE;

	while (clock_mono_ns() < end) {
		ssize_t got = recv(fd, line + n, 1, MSG_DONTWAIT);

		if (got == 0)
			return "";
		if (got < 0)
			turn(b);
		else if (line[n] == '\n') {
			line[n] = 0;
			return line;
		} else if (++n == sizeof line - 1)
			fail_msg("a line without end");
	}
	fail_msg("no answer in time");
	return NULL;
}

static void answers_come_in_order(void **state)
{
	struct bench *b = *state;
	int fd = join(b);

	say(b, fd,
		"{\"op\":\"echo\",\"args\":{\"n\":1}}\n{\"op\":\"refuse\",\"args\":{\"id\":\"c7\"}}\r\n"
		"{\"op\":\"echo\"}\n");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{\"n\":1}}");
	assert_string_equal(hear(b, fd),
		"{\"error\":{\"tag\":\"operation-failed\",\"type\":\"application\","
		"\"path\":\"/srtp-gateway:calls\",\"message\":\"no call 'c7'\"}}");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
}

static void a_request_may_come_octet_by_octet(void **state)
{
	struct bench *b = *state;
	int fd = join(b);
	char one[2] = "";

	for (const char *p = "{\"op\":\"echo\"}\n"; *p; p++) {
		one[0] = *p;
		say(b, fd, one);
	}
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
}

static void nonsense_is_answered_and_survived(void **state)
{
	struct bench *b = *state;
	static const char *const lines[] = {"", "null", "[]", "{}", "{\"op\":1}", "{\"op\":\"\"}",
		"{\"op\":\"e cho\"}", "{\"op\":\"echo\",\"args\":[]}", "{\"op\":\"echo\",\"op\":\"echo\"}",
		"{\"op\":\"echo\"} x", "\xff\xfe\x80", "{\"op\":\"nothing-like-this\"}",
		"{\"op\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"};
	int fd = join(b);

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		say(b, fd, lines[i]);
		say(b, fd, "\n");
		const char *answer = hear(b, fd);

		if (strncmp(answer, "{\"error\":{\"tag\":\"", 17) != 0 ||
			!strstr(answer, "\"path\":\"\",\"message\":\""))
			fail_msg("'%s' was not refused", lines[i]);
	}
	assert_int_equal(b->asked, 0);
	say(b, fd, "{\"op\":\"refuse\"}\n"); /* its message is not UTF-8 */
	assert_non_null(strstr(hear(b, fd), "\"error\""));
	say(b, fd, "{\"op\":\"echo\"}\n");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
}

static void a_line_without_end_is_cut_off(void **state)
{
	struct bench *b = *state;
	int fd = join(b);
	static char flood[MGMT_REQUEST_MAX + 100];

	memset(flood, ' ', sizeof flood - 1);
	send(fd, flood, sizeof flood - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	assert_non_null(strstr(hear(b, fd), "too long"));
	assert_string_equal(hear(b, fd), "");
	close(fd);

	fd = join(b); /* the longest that is allowed */
	memset(flood, ' ', MGMT_REQUEST_MAX);
	memcpy(flood, "{\"op\":\"echo\"}", 13);
	flood[MGMT_REQUEST_MAX] = 0;
	say(b, fd, flood);
	say(b, fd, "\n");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
}

static void one_request_at_a_time(void **state)
{
	struct bench *b = *state;
	int fd = join(b), other = join(b);

	say(b, fd, "{\"op\":\"later\"}\n{\"op\":\"echo\"}\n");
	settle(b);
	assert_int_equal(b->asked, 1);
	assert_non_null(b->waiting);
	assert_int_equal(mgmt_request_uid(b->waiting), getuid());
	say(b, other, "{\"op\":\"echo\"}\n"); /* nobody else waits for it */
	assert_string_equal(hear(b, other), "{\"ok\":true,\"data\":{}}");
	mgmt_reply(b->waiting, json_string("at last"));
	b->waiting = NULL;
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":\"at last\"}");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
	close(other);
}

static void a_client_may_go_before_its_answer(void **state)
{
	struct bench *b = *state;
	int fd = join(b);

	say(b, fd, "{\"op\":\"later\"}\n");
	settle(b);
	close(fd);
	settle(b);
	mgmt_reply(b->waiting, json_object());
	b->waiting = NULL;
	settle(b);

	fd = join(b);
	say(b, fd, "{\"op\":\"later\"}\n");
	settle(b);
	close(fd);
	mgmt_refuse(b->waiting, "", "too late"); /* the loop has not noticed yet */
	b->waiting = NULL;
	settle(b);

	fd = join(b);
	say(b, fd, "{\"op\":\"echo\"}\n");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	close(fd);
}

static void a_half_closed_client_gets_its_answers(void **state)
{
	struct bench *b = *state;
	int fd = join(b);

	say(b, fd, "{\"op\":\"later\"}\n{\"op\":\"echo\"}\n{\"op\":\"half a li");
	shutdown(fd, SHUT_WR);
	settle(b);
	mgmt_reply(b->waiting, json_true());
	b->waiting = NULL;
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":true}");
	assert_string_equal(hear(b, fd), "{\"ok\":true,\"data\":{}}");
	assert_string_equal(hear(b, fd), "");
	close(fd);
}

/* 100 requests of 64 kB each, nothing read: the answers are made as they are read, not before. */
static void a_slow_client_is_not_worked_for(void **state)
{
	struct bench *b = *state;
	int fd = join(b);

	for (int i = 0; i < 100; i++)
		say(b, fd, "{\"op\":\"large\"}\n");
	settle(b);
	assert_in_range(b->asked, 1, 20);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			strlen(hear(b, fd)), 65535 + strlen("{\"ok\":true,\"data\":{\"text\":\"\"}}"));
	assert_int_equal(b->asked, 100);
	close(fd);
}

static void there_is_a_limit_to_clients(void **state)
{
	struct bench *b = *state;
	int fds[MGMT_CLIENTS_MAX], extra;

	for (int i = 0; i < MGMT_CLIENTS_MAX; i++)
		fds[i] = join(b);
	extra = join(b);
	assert_non_null(strstr(hear(b, extra), "too many clients"));
	assert_string_equal(hear(b, extra), "");
	close(extra);
	close(fds[0]);
	settle(b);
	fds[0] = join(b);
	say(b, fds[0], "{\"op\":\"echo\"}\n");
	assert_string_equal(hear(b, fds[0]), "{\"ok\":true,\"data\":{}}");
	for (int i = 0; i < MGMT_CLIENTS_MAX; i++)
		close(fds[i]);
}

static void closing_leaves_nothing_to_an_answer(void **state)
{
	struct bench *b = *state;
	int fd = join(b);
	struct err e = {0};

	say(b, fd, "{\"op\":\"later\"}\n");
	settle(b);
	mgmt_close(b->m);
	mgmt_reply(b->waiting, json_object());
	assert_string_equal(hear(b, fd), "");
	close(fd);
	assert_int_equal(mgmt_open(&b->m, b->base, b->path, NULL, &e), 0); /* for teardown */
}

static void the_socket_is_the_owners(void **state)
{
	struct bench *b = *state;
	struct mgmt *second = NULL;
	struct err e = {0};
	struct stat st;
	char other[128];

	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mgmt_open(&second, b->base, b->path, NULL, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "another control plane"));
	snprintf(other, sizeof other, "%s/none/ctl.sock", b->folder);
	assert_int_equal(mgmt_open(&second, b->base, other, NULL, &e), -ENOENT);
	snprintf(other, sizeof other, "%s/b.sock", b->folder);
	assert_int_equal(mgmt_open(&second, b->base, other, "no-such-group", &e), -ENOENT);
	assert_non_null(strstr(e.text, "no-such-group"));
	assert_int_equal(access(other, F_OK), -1);

	fclose(fopen(other, "w"));
	assert_int_equal(mgmt_open(&second, b->base, other, NULL, &e), -EADDRINUSE);
	assert_int_equal(unlink(other), 0); /* a file is not ours to remove */
}

/* What a control plane that was killed leaves behind does not stop the next one. */
static void a_stale_socket_is_replaced(void **state)
{
	struct bench *b = *state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct mgmt *second = NULL;
	struct err e = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/b.sock", b->folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	close(fd);
	assert_int_equal(mgmt_open(&second, b->base, sa.sun_path, NULL, &e), 0);
	mgmt_close(second);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(answers_come_in_order),
		CASE(a_request_may_come_octet_by_octet),
		CASE(nonsense_is_answered_and_survived),
		CASE(a_line_without_end_is_cut_off),
		CASE(one_request_at_a_time),
		CASE(a_client_may_go_before_its_answer),
		CASE(a_half_closed_client_gets_its_answers),
		CASE(a_slow_client_is_not_worked_for),
		CASE(there_is_a_limit_to_clients),
		CASE(closing_leaves_nothing_to_an_answer),
		CASE(the_socket_is_the_owners),
		CASE(a_stale_socket_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
