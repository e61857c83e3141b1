/* SPDX-License-Identifier: Apache-2.0 */
/* Who is the data plane's control plane: connections to its real socket, served on a thread of their own. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/control/server.h"
#include "dataplane/crypto/backend.h"
#include "lib/msg/framing.h"
#include "tests/support/cmocka_std.h"

#define WAIT_MS 20000
#define WATCHDOG_S 90

struct bench {
	char folder[32], path[64];
	struct server *server;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct err err = {0};

	return (void *)(intptr_t)server_run(arg, &err);
}

static int setup(void **state)
{
	static struct bench b;
	struct server_conf conf = {
		.path = b.path, .control = {.sessions = 16, .backend = crypto_backend_find("ipsec-mb")}};
	struct err e = {0};
	sigset_t signals;

	strcpy(b.folder, "/tmp/server-XXXXXX");
	if (!mkdtemp(b.folder))
		return -1;
	snprintf(b.path, sizeof b.path, "%s/dp.sock", b.folder);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (server_open(&conf, &b.server, &e) < 0)
		return -1;
	alarm(WATCHDOG_S);
	*state = &b;
	return pthread_create(&b.thread, NULL, serve, b.server);
}

static int teardown(void **state)
{
	struct bench *b = *state;
	sigset_t signals;
	void *rc;

	kill(getpid(), SIGTERM);
	pthread_join(b->thread, &rc);
	/* The server looks at the signal and leaves it pending: the next one shall not end with it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigtimedwait(&signals, NULL, &(struct timespec){0});
	alarm(0);
	server_close(b->server);
	return rc == NULL && rmdir(b->folder) == 0 ? 0 : -1;
}

static struct framing *visit(struct bench *b)
{
	struct framing *f;
	int fd;

	assert_int_equal(framing_connect(b->path, &fd, NULL), 0);
	assert_int_equal(framing_open(fd, 0, &f), 0);
	return f;
}

/* One message or the end of the connection, whatever comes next. */
static int next(struct framing *f, union dp_msg *m)
{
	struct pollfd p = {.fd = framing_fd(f), .events = POLLIN};
	const char *why;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	return framing_recv(f, m, &why);
}

static void say(struct framing *f, enum dp_type type)
{
	union dp_msg m;

	dp_msg_init(&m, type, 1);
	assert_int_equal(framing_send(f, &m), 0);
}

/* What was said is answered with success, its data before. */
static void assert_taken(struct framing *f)
{
	union dp_msg m;

	do
		assert_int_equal(next(f, &m), 1);
	while (m.h.type != DP_ACK);
	assert_int_equal(m.ack.result, 0);
}

static void greet_as(struct framing *f, uint64_t instance)
{
	union dp_msg m;

	dp_msg_init(&m, DP_HELLO, 1);
	m.hello.instance = instance;
	assert_int_equal(framing_send(f, &m), 0);
	assert_taken(f);
}

static void greet(struct framing *f)
{
	greet_as(f, 1);
}

/* It is the control plane: its commands are answered. */
static void assert_served(struct framing *f)
{
	say(f, DP_LIST);
	assert_taken(f);
}

static void test_a_look_at_the_socket_disturbs_nobody(void **state)
{
	struct bench *b = *state;
	struct framing *cp = visit(b), *silent[6];
	struct err e = {0};
	int fd;

	greet(cp);
	/* Another data plane that is started at the same path looks whether somebody is there. */
	assert_int_equal(framing_listen(b->path, NULL, &fd, &e), -EADDRINUSE);
	for (unsigned i = 0; i < 6; i++)
		silent[i] = visit(b);
	assert_served(cp);
	for (unsigned i = 0; i < 6; i++)
		framing_close(silent[i]);
	assert_served(cp);
	framing_close(cp);
}

static void test_a_second_control_plane_is_refused_while_the_first_is_there(void **state)
{
	struct bench *b = *state;
	struct framing *first = visit(b), *second = visit(b);
	union dp_msg m;

	greet_as(first, 1);
	dp_msg_init(&m, DP_HELLO, 1);
	m.hello.instance = 2;
	assert_int_equal(framing_send(second, &m), 0);
	assert_int_equal(next(second, &m), 1);
	assert_int_equal(m.h.type, DP_ACK);
	assert_int_equal(m.ack.result, -EBUSY);
	assert_string_equal(m.ack.reason, "another control plane is connected: end it first");
	assert_int_equal(next(second, &m), -ECONNRESET);
	framing_close(second);
	assert_served(first);
	framing_close(first);
	/* It is gone, whatever it left to be read: its successor is taken. */
	second = visit(b);
	greet_as(second, 2);
	assert_served(second);
	framing_close(second);
}

static void test_a_control_plane_that_connects_anew_replaces_itself(void **state)
{
	struct bench *b = *state;
	struct framing *old = visit(b), *new = visit(b);
	union dp_msg m;

	greet_as(old, 7);
	greet_as(new, 7);
	assert_int_equal(next(old, &m), -ECONNRESET);
	assert_served(new);
	framing_close(old);
	framing_close(new);
}

static void test_who_does_not_greet_is_told_and_leaves(void **state)
{
	struct bench *b = *state;
	struct framing *cp = visit(b), *rude = visit(b);
	union dp_msg m;

	greet(cp);
	say(rude, DP_LIST);
	assert_int_equal(next(rude, &m), 1);
	assert_int_equal(m.h.type, DP_ACK);
	assert_int_equal(m.ack.result, -EPROTO);
	assert_string_equal(m.ack.reason, "say DP_HELLO first");
	assert_int_equal(next(rude, &m), -ECONNRESET);
	assert_served(cp);
	framing_close(rude);
	framing_close(cp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_look_at_the_socket_disturbs_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_second_control_plane_is_refused_while_the_first_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_control_plane_that_connects_anew_replaces_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_does_not_greet_is_told_and_leaves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
