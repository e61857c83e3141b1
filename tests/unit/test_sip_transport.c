/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and TCP: framing, limits, connections. */
#include "tests/unit/sip_net_pair.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

static void test_udp(void **state)
{
	(void)state;
	listen_on(&a, SIP_UDP, NULL);
	listen_on(&b, SIP_UDP, NULL);
	struct sip_flow to = to_b();

	assert_int_equal(sip_net_send(a.net, &to, STR("\r\n\r\n"), NULL), 0);
	assert_int_equal(sip_net_send(a.net, &to, STR("junk"), NULL), 0);
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(b_has_message));
	assert_true(ip_port_equal(&b.from.remote, sip_listener_local(a.l)));
	assert_ptr_equal(b.from.listener, b.l);
	assert_int_equal(b.counters.rx_keepalives, 1);
	assert_int_equal(b.counters.rx_malformed_dropped, 1);
}

static bool a_has_message(void)
{
	return a.messages > 0;
}

static void test_malformed_is_answered(void **state)
{
	(void)state;
	listen_on(&a, SIP_UDP, NULL);
	listen_on(&b, SIP_UDP, NULL);
	struct sip_flow to = to_b();

	assert_int_equal(sip_net_send(a.net, &to,
				 STR("OPTIONS sip:b@x SIP/2.0\r\n" HEAD "Max-Forwards: x\r\n\r\n"), NULL),
		0);
	assert_true(loop_until(a_has_message)); /* by rport, not to the Via's port 9 */
	assert_int_equal(a.last_status, 400);
	assert_int_equal(b.counters.rx_malformed_answered, 1);
}

static void test_stream_in_pieces(void **state)
{
	static const char two[] = OPTIONS "\r\n" OPTIONS;

	(void)state;
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	for (size_t i = 0; i < sizeof two - 1; i++) {
		raw_send(two + i, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	assert_true(loop_until(b_has_two));
	raw_send("\r\n\r\n", 4);
	assert_true(loop_until(raw_has_text));
	assert_string_equal(raw_text, "\r\n");
	assert_int_equal(b.counters.rx_keepalives, 1);
	close(raw_fd);
	assert_true(loop_until(b_is_empty));
}

static void test_stream_without_length(void **state)
{
	(void)state;
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(
		"OPTIONS sip:b@x SIP/2.0\r\n" HEAD "\r\n", strlen("OPTIONS sip:b@x SIP/2.0\r\n" HEAD "\r\n"));
	assert_true(loop_until(raw_is_closed));
	assert_non_null(strstr(raw_text, "SIP/2.0 400 Missing Content-Length\r\n"));
	assert_int_equal(b.messages, 0);
	close(raw_fd);
}

static void test_garbage_closes(void **state)
{
	(void)state;
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send("\x16\x03\x01\x00\x01", 5);
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_garbage_closed, 1);
	close(raw_fd);
}

static void test_slow_sender_is_closed(void **state)
{
	(void)state;
	teardown(state);
	b_conf.message_ms = 50;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS)); /* past the half-open stage */
	raw_send("OPTIONS sip:", 12);
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.messages, 1);
	assert_int_equal(b.counters.conn_slow_closed, 1);
	close(raw_fd);
}

static bool message_ms_passed(void)
{
	static unsigned turns; /* of 5 ms: three times message_ms */

	return ++turns % 30 == 0;
}

/* A keep-alive in two pieces is no message that never ends. */
static void test_split_keepalive(void **state)
{
	(void)state;
	teardown(state);
	b_conf.message_ms = 50;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS "\r", strlen(OPTIONS) + 1);
	assert_true(loop_until(b_has_message));
	raw_send("\n", 1);
	assert_true(loop_until(message_ms_passed));
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_two));
	close(raw_fd);
}

static void test_silent_and_idle_are_closed(void **state)
{
	(void)state;
	teardown(state);
	b_conf.handshake_ms = 50;
	b_conf.idle_ms = 100;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_slow_closed, 1);
	close(raw_fd);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_idle_closed, 1);
	close(raw_fd);
}

static bool long_idle(void)
{
	static unsigned turns; /* of 5 ms: five times idle_ms */

	return ++turns % 100 == 0;
}

/* Somebody is registered by it, who need not say more until that is to be renewed. */
static void test_one_that_is_needed_is_not_idle(void **state)
{
	(void)state;
	teardown(state);
	b_conf.idle_ms = 100;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	assert_int_equal(sip_net_watch(b.net, b.from.conn, &watch.w), 0);
	assert_true(loop_until(long_idle));
	assert_false(watch.lost);
	sip_waiter_detach(&watch.w);
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_idle_closed, 1);
	close(raw_fd);
}

/* To the connection of b.from until its socket takes no more: the peer does not read. */
static void fill_the_queue(void)
{
	static char big[60000];
	struct sip_flow to = b.from;

	memset(big, 'x', sizeof big);
	for (unsigned i = 0; i < 1000; i++)
		if (sip_net_send(b.net, &to, (struct str){big, sizeof big}, NULL) < 0)
			return;
	fail_msg("the queue has no end");
}

static void note_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	*(bool *)arg = true;
}

/* Nothing wakes the loop but time. */
static bool loop_sleeps(void)
{
	struct timeval soon = {0, 20000};
	bool woke = false;
	struct event *e = evtimer_new(base, note_timer, &woke);

	event_add(e, &soon);
	event_base_loop(base, EVLOOP_ONCE);
	event_free(e);
	return woke;
}

static bool b_is_closing(void)
{
	return b.counters.conn_garbage_closed > 0;
}

/* Its queue cannot be written and its end has come: what it sends meanwhile is nobody's work, and whoever
 * waits for it hears soon. */
static void test_one_that_is_closing_is_not_read(void **state)
{
	(void)state;
	teardown(state);
	b_conf.message_ms = 1000;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	assert_int_equal(sip_net_watch(b.net, b.from.conn, &watch.w), 0);
	fill_the_queue();
	raw_send(
		"OPTIONS sip:b@x SIP/2.0\r\n" HEAD "\r\n", strlen("OPTIONS sip:b@x SIP/2.0\r\n" HEAD "\r\n"));
	assert_true(loop_until(b_is_closing));
	raw_send("more", 4);
	for (unsigned i = 0; i < 5; i++) /* it may take some time to get there */
		assert_true(loop_sleeps());
	assert_false(watch.lost);
	assert_true(loop_until(is_lost));
	assert_string_equal(watch.reason, "framing was lost");
	assert_true(watch.connected);
	assert_int_equal(sip_net_conn_count(b.net), 0);
	close(raw_fd);
}

/* Somebody is registered by it, and takes nothing that is sent there. */
static void test_one_that_takes_nothing_is_given_up(void **state)
{
	(void)state;
	teardown(state);
	b_conf.idle_ms = 100;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	assert_int_equal(sip_net_watch(b.net, b.from.conn, &watch.w), 0);
	fill_the_queue();
	assert_true(loop_until(is_lost));
	assert_int_equal(b.counters.conn_idle_closed, 1);
	close(raw_fd);
}

/* The gateway's end of raw_fd. */
static int accepted_fd(void)
{
	struct sockaddr_in raw, peer;
	socklen_t raw_len = sizeof raw, peer_len;

	assert_int_equal(getsockname(raw_fd, (struct sockaddr *)&raw, &raw_len), 0);
	for (int fd = 0; fd < 1024; fd++) {
		peer_len = sizeof peer;
		if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
			peer.sin_port == raw.sin_port)
			return fd;
	}
	fail_msg("no socket of the connection");
	return -1;
}

/* Whether it is silent or leaves unacknowledged what is sent to it. */
static void test_one_to_nobody_is_given_up_in_two_minutes(void **state)
{
	int idle, interval, count, unacknowledged_ms;
	const struct {
		int name, *value;
	} options[] = {
		{TCP_KEEPIDLE, &idle},
		{TCP_KEEPINTVL, &interval},
		{TCP_KEEPCNT, &count},
		{TCP_USER_TIMEOUT, &unacknowledged_ms},
	};

	(void)state;
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
		socklen_t len = sizeof(int);

		assert_int_equal(
			getsockopt(accepted_fd(), IPPROTO_TCP, options[i].name, options[i].value, &len), 0);
	}
	assert_int_equal(idle + count * interval, 120);
	assert_int_equal(unacknowledged_ms, 120000);
	close(raw_fd);
}

static void test_limits_per_source(void **state)
{
	(void)state;
	teardown(state);
	b_conf.per_source_max = 1;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	int first = raw_connect();

	raw_begin();
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_refused_source, 1);
	close(first);
	close(raw_fd);
	assert_true(loop_until(b_is_empty));
	raw_begin(); /* the place is free again */
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	close(raw_fd);
}

static void test_limit_of_half_open(void **state)
{
	(void)state;
	teardown(state);
	b_conf.half_open_max = 1;
	setup(state);
	listen_on(&b, SIP_TCP, NULL);
	int first = raw_connect();

	raw_begin();
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_refused_half_open, 1);
	close(raw_fd);
	assert_int_equal(send(first, OPTIONS, strlen(OPTIONS), 0), (ssize_t)strlen(OPTIONS));
	assert_true(loop_until(b_has_message)); /* it is no longer half open */
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_two));
	close(first);
	close(raw_fd);
}

static void test_reuse(void **state)
{
	(void)state;
	listen_on(&a, SIP_TCP, NULL);
	listen_on(&b, SIP_TCP, NULL);
	struct sip_flow to = to_b();

	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), &watch.w), 0);
	uint64_t conn = to.conn;

	assert_true(conn != 0);
	to.conn = 0;
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_int_equal(to.conn, conn);
	assert_true(loop_until(b_has_two));
	assert_int_equal(sip_net_conn_count(a.net), 1);
	/* Back on the connection that the request came by, whatever its Via says. */
	assert_int_equal(
		sip_net_send(b.net, &b.from, STR("SIP/2.0 200 OK\r\n" HEAD "l: 0\r\n\r\n"), NULL), 0);
	assert_true(loop_until(a_has_message));
	assert_int_equal(a.from.conn, conn);
	sip_net_unlisten(b.l);
	assert_true(loop_until(is_lost));
	assert_true(watch.connected);
}

static void test_refused_connection(void **state)
{
	(void)state;
	listen_on(&a, SIP_TCP, NULL);
	listen_on(&b, SIP_TCP, NULL);
	struct sip_flow to = to_b();

	sip_net_unlisten(b.l);
	if (sip_net_send(a.net, &to, STR(OPTIONS), &watch.w) == 0) {
		assert_true(loop_until(is_lost));
		assert_false(watch.connected);
		assert_string_equal(watch.reason, "Connection refused");
	}
	assert_int_equal(sip_net_conn_count(a.net), 0);
}

static void test_listener_refused(void **state)
{
	struct sip_listen_conf conf = {.transport = SIP_TCP};
	struct sip_listener *l;
	struct err e = {0};

	(void)state;
	ip_parse(STR("0.0.0.0"), &conf.local.ip); /* no peer could answer to this Via */
	assert_int_equal(sip_net_listen(a.net, &conf, &l, &e), -EINVAL);
	conf.sent_by_host = STR("gw.example.net");
	assert_int_equal(sip_net_listen(a.net, &conf, &l, &e), 0);
	assert_true(str_starts(sip_listener_sent_by(l), STR("gw.example.net:")));
	assert_true(str_eq(sip_listener_host(l), STR("gw.example.net")));
	sip_listener_set_host(l, STR("2001:db8::7"));
	assert_true(str_starts(sip_listener_sent_by(l), STR("[2001:db8::7]:")));
	assert_true(str_eq(sip_listener_host(l), STR("[2001:db8::7]")));
	conf.local = *sip_listener_local(l);
	assert_int_equal(sip_net_listen(a.net, &conf, &l, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "Address already in use"));
	conf.transport = SIP_TLS;
	assert_int_equal(sip_net_listen(a.net, &conf, &l, &e), -EINVAL);
}

static void test_send_queue_is_bounded(void **state)
{
	static char big[60000];
	int rc = 0;

	(void)state;
	listen_on(&a, SIP_TCP, NULL);
	listen_on(&b, SIP_TCP, NULL);
	struct sip_flow to = to_b();

	memset(big, 'x', sizeof big);
	for (unsigned i = 0; i < 1000 && rc == 0; i++) /* nobody reads: the loop does not run */
		rc = sip_net_send(a.net, &to, (struct str){big, sizeof big}, NULL);
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(a.counters.tx_queue_full, 1);
}

static struct ip_port b_was;
static enum sip_transport b_transport;

static bool b_is_gone(void)
{
	return sip_net_find_listener(b.net, b_transport, &b_was) == NULL;
}

/* A flow that somebody keeps is served to the end, and then the listener is gone with all that it had. */
static void serves_its_last_flow(enum sip_transport transport)
{
	listen_on(&a, transport, NULL);
	listen_on(&b, transport, NULL);
	struct sip_flow to = to_b(), kept;

	b_transport = transport;
	b_was = *sip_listener_local(b.l);
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(b_has_message));
	kept = b.from;
	assert_int_equal(sip_flow_keep(&kept), 0);
	sip_listener_retire(b.l);
	assert_null(sip_listener_realm(b.l));
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(b_has_two));
	/* What was written when the flow is dropped still arrives. */
	assert_int_equal(
		sip_net_send(b.net, &kept, STR("SIP/2.0 200 OK\r\n" HEAD "l: 0\r\n\r\n"), NULL), 0);
	sip_flow_drop(&kept);
	assert_true(loop_until(b_is_gone));
	assert_true(loop_until(a_has_message));
	assert_true(loop_until(b_is_empty));
}

static void test_a_retired_listener_serves_its_last_flow_udp(void **state)
{
	(void)state;
	serves_its_last_flow(SIP_UDP);
}

static void test_a_retired_listener_serves_its_last_flow_tcp(void **state)
{
	(void)state;
	serves_its_last_flow(SIP_TCP);
}

/* It is wanted again: nothing that was on it has noticed. */
static void test_a_retired_listener_comes_back(void **state)
{
	struct sip_listen_conf conf = {.transport = SIP_TCP, .realm = &b};
	struct sip_flow kept;
	struct err e = {0};
	struct sip_listener *again;

	(void)state;
	listen_on(&a, SIP_TCP, NULL);
	listen_on(&b, SIP_TCP, NULL);
	struct sip_flow to = to_b();

	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(b_has_message));
	kept = b.from;
	assert_int_equal(sip_flow_keep(&kept), 0);
	sip_listener_retire(b.l);
	conf.local = *sip_listener_local(b.l);
	assert_int_equal(sip_net_listen(b.net, &conf, &again, &e), 0);
	assert_ptr_equal(again, b.l);
	assert_ptr_equal(sip_listener_realm(again), &b);
	sip_flow_drop(&kept);
	raw_begin();
	raw_send(OPTIONS, sizeof OPTIONS - 1);
	assert_true(loop_until(b_has_two));
	assert_int_equal(sip_net_conn_count(b.net), 2);
	close(raw_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_udp),
		T(test_malformed_is_answered),
		T(test_stream_in_pieces),
		T(test_stream_without_length),
		T(test_garbage_closes),
		T(test_slow_sender_is_closed),
		T(test_split_keepalive),
		T(test_silent_and_idle_are_closed),
		T(test_one_that_is_needed_is_not_idle),
		T(test_one_that_is_closing_is_not_read),
		T(test_one_that_takes_nothing_is_given_up),
		T(test_one_to_nobody_is_given_up_in_two_minutes),
		T(test_limits_per_source),
		T(test_limit_of_half_open),
		T(test_reuse),
		T(test_refused_connection),
		T(test_listener_refused),
		T(test_send_queue_is_bounded),
		T(test_a_retired_listener_serves_its_last_flow_udp),
		T(test_a_retired_listener_serves_its_last_flow_tcp),
		T(test_a_retired_listener_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
