/* SPDX-License-Identifier: Apache-2.0 */
/* The text that Prometheus reads, and the server that it reads it from. */
#include "tests/support/cmocka_std.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "controlplane/obs/http.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/web.h"

static void the_text_is_what_prometheus_reads(void **state)
{
	(void)state;
	static const uint32_t bounds[] = {100000, 2500000};
	struct metrics_histogram h = {.bounds_us = bounds, .n = 2};
	struct metrics m = {.out = evbuffer_new()};

	metrics_one(&m, "a_total", METRICS_COUNTER, "What it is.", UINT64_MAX);
	metrics_begin(&m, "b", METRICS_GAUGE, "By trunk.");
	metrics_sample(&m, "b", (const char *const[]){"trunk", "a\"b\\c\nd", "x", "", NULL}, 3);
	metrics_observe(&h, 100000);
	metrics_observe(&h, 100001); /* above the bound, by less than anybody shows */
	metrics_observe(&h, 9000000);
	metrics_write_histogram(&m, "c_seconds", "How long.", &h);
	evbuffer_add(m.out, "", 1);
	assert_string_equal((char *)evbuffer_pullup(m.out, -1), "# HELP a_total What it is.\n"
								"# TYPE a_total counter\n"
								"a_total 18446744073709551615\n"
								"# HELP b By trunk.\n"
								"# TYPE b gauge\n"
								"b{trunk=\"a\\\"b\\\\c\\nd\",x=\"\"} 3\n"
								"# HELP c_seconds How long.\n"
								"# TYPE c_seconds histogram\n"
								"c_seconds_bucket{le=\"0.1\"} 1\n"
								"c_seconds_bucket{le=\"2.5\"} 2\n"
								"c_seconds_bucket{le=\"+Inf\"} 3\n"
								"c_seconds_sum 9.200001\n"
								"c_seconds_count 3\n");
	evbuffer_free(m.out);
}

static void only_a_get_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		enum http_result result;
		unsigned status;
		const char *path;
	} rows[] = {
		{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_READY, 0, "/metrics"},
		{"GET /metrics?a=b HTTP/1.0\r\n\r\n", HTTP_READY, 0, "/metrics"},
		{"GET /metrics HTTP/1.1\r\nHost: x\r\n", HTTP_MORE, 0, NULL},
		{"", HTTP_MORE, 0, NULL},
		{"POST /metrics HTTP/1.1\r\n\r\n", HTTP_WRONG, 405, NULL},
		{"GET metrics HTTP/1.1\r\n\r\n", HTTP_WRONG, 400, NULL},
		{"GET  HTTP/1.1\r\n\r\n", HTTP_WRONG, 400, NULL},
		{"GET /\x01 HTTP/1.1\r\n\r\n", HTTP_WRONG, 400, NULL},
		{"GET / HTTP/2.0\r\n\r\n", HTTP_WRONG, 505, NULL},
		{"GET /\r\n\r\n", HTTP_WRONG, 505, NULL},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str path = {0};
		unsigned status = 0;

		if (http_read(str_z(rows[i].head), &path, &status) != rows[i].result ||
			status != rows[i].status)
			fail_msg("%s: %u", rows[i].head, status);
		if (rows[i].path)
			assert_true(str_eq(path, str_z(rows[i].path)));
	}
}

/* ---- the server ---- */

static struct {
	struct event_base *base;
	struct web *web;
	struct ip_port at;
	struct web_request *held; /* of /later */
} own;

static void page(void *ctx, struct web_request *rq, struct str path)
{
	(void)ctx;
	if (str_eq(path, STR("/later")))
		own.held = rq;
	else
		web_say(rq, 200, "here");
}

static int open_web(void **state)
{
	struct err e = {0};

	(void)state;
	memset(&own, 0, sizeof own);
	own.base = event_base_new();
	own.at = (struct ip_port){.ip = {.family = IP_V4, .octets = {127, 0, 0, 1}}};
	/* A port that is free now; somebody else may take it before it is used. */
	for (unsigned i = 0; i < 50 && !own.web; i++) {
		own.at.port = (uint16_t)(20000 + (getpid() * 7u + i * 97u) % 30000);
		web_open(own.base, &own.at, page, NULL, &own.web, &e);
	}
	if (!own.web)
		fail_msg("%s", e.text);
	return 0;
}

static int close_web(void **state)
{
	(void)state;
	web_close(own.web);
	event_base_free(own.base);
	return 0;
}

static int dial(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons(own.at.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* Runs the loop until the other end has closed, or there is an answer and `part` is enough. */
static const char *answer(int fd)
{
	static char text[4096];
	size_t n = 0;
	ssize_t got = -1;

	for (unsigned i = 0; i < 200000 && got != 0; i++) {
		event_base_loop(own.base, EVLOOP_NONBLOCK);
		got = recv(fd, text + n, sizeof text - 1 - n, 0);
		if (got > 0)
			n += (size_t)got;
		else if (got < 0 && errno == ECONNRESET)
			got = 0;
		else if (got < 0)
			usleep(50);
	}
	assert_int_equal(got, 0);
	text[n] = 0;
	close(fd);
	return text;
}

static void put(int fd, const char *text)
{
	for (unsigned i = 0; i < 200000 && send(fd, text, strlen(text), MSG_NOSIGNAL) < 0; i++) {
		event_base_loop(own.base, EVLOOP_NONBLOCK);
		usleep(50);
	}
}

static void a_request_gets_one_answer(void **state)
{
	(void)state;
	int fd = dial();

	put(fd, "GET /here HTTP/1.1\r\nHost: x\r\n\r\nGET /here HTTP/1.1\r\n\r\n");
	const char *text = answer(fd);

	assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(text, "Content-Length: 5\r\n"));
	assert_non_null(strstr(text, "\r\n\r\nhere\n"));
	assert_null(strstr(text + 17, "HTTP/1.1"));
	fd = dial();
	put(fd, "DELETE /here HTTP/1.1\r\n\r\n");
	assert_memory_equal(answer(fd), "HTTP/1.1 405 ", 13);
}

static void a_client_may_go_before_its_answer(void **state)
{
	(void)state;
	int fd = dial();

	put(fd, "GET /later HTTP/1.1\r\n\r\n");
	for (unsigned i = 0; i < 200000 && !own.held; i++)
		event_base_loop(own.base, EVLOOP_NONBLOCK);
	assert_non_null(own.held);
	web_close(own.web);
	own.web = NULL;
	web_say(own.held, 200, "too late");
	close(fd);
}

static void too_many_wait_for_their_turn(void **state)
{
	(void)state;
	int silent[WEB_CLIENTS_MAX], late;

	for (unsigned i = 0; i < WEB_CLIENTS_MAX; i++)
		silent[i] = dial();
	late = dial();
	put(late, "GET /here HTTP/1.1\r\n\r\n");
	for (unsigned i = 0; i < WEB_CLIENTS_MAX; i++)
		close(silent[i]);
	assert_memory_equal(answer(late), "HTTP/1.1 200 ", 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_what_prometheus_reads),
		cmocka_unit_test(only_a_get_is_read),
		cmocka_unit_test_setup_teardown(a_request_gets_one_answer, open_web, close_web),
		cmocka_unit_test_setup_teardown(a_client_may_go_before_its_answer, open_web, close_web),
		cmocka_unit_test_setup_teardown(too_many_wait_for_their_turn, open_web, close_web),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
