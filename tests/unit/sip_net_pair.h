/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two transports, a and b, on one loop and loopback, and a bare socket to b. Waiting ends with what is waited
 * for. Included by the tests of the transport only.
 */
#pragma once

#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "controlplane/sip/build.h"
#include "controlplane/sip/transport.h"

#define HELPER static __attribute__((unused))

struct side {
	struct sip_net *net;
	struct sip_counters counters;
	struct sip_listener *l;
	unsigned messages;
	bool breaks; /* the loop ends with the message */
	char last_method[16];
	unsigned last_status;
	struct sip_flow from;
	struct sip_conn_info info;
	struct tls_info tls;
};

HELPER struct event_base *base;
HELPER struct side a, b;

static struct {
	struct sip_waiter w; /* first */
	bool lost, connected;
	char reason[256];
} watch;

HELPER void on_lost(struct sip_waiter *w, const char *reason, bool connected)
{
	(void)w;
	watch.lost = true;
	watch.connected = connected;
	snprintf(watch.reason, sizeof watch.reason, "%s", reason);
}

HELPER void on_message(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	struct side *s = user;

	s->messages++;
	s->from = *from;
	s->last_status = m->status;
	snprintf(s->last_method, sizeof s->last_method, "%.*s", STR_ARG(m->method_name));
	if (sip_net_conn_info(s->net, from->conn, &s->info) == 0 && s->info.tls)
		s->tls = *s->info.tls;
	if (s->breaks)
		event_base_loopbreak(base);
}

HELPER bool loop_until(bool (*done)(void))
{
	struct timeval step = {0, 5000};

	for (unsigned i = 0; i < 1000; i++) {
		if (done())
			return true;
		event_base_loopexit(base, &step);
		event_base_dispatch(base);
	}
	return false;
}

HELPER bool b_has_message(void)
{
	return b.messages > 0;
}

HELPER bool b_has_two(void)
{
	return b.messages >= 2;
}

HELPER bool is_lost(void)
{
	return watch.lost;
}

HELPER bool b_is_empty(void)
{
	return sip_net_conn_count(b.net) == 0;
}

static struct sip_net_conf b_conf;

HELPER int setup(void **state)
{
	(void)state;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	memset(&watch, 0, sizeof watch);
	watch.w.lost = on_lost;
	base = event_base_new();
	assert_int_equal(sip_net_new(base, NULL, &a.counters, on_message, &a, &a.net), 0);
	assert_int_equal(sip_net_new(base, &b_conf, &b.counters, on_message, &b, &b.net), 0);
	return 0;
}

HELPER int teardown(void **state)
{
	(void)state;
	sip_net_free(a.net);
	sip_net_free(b.net);
	event_base_free(base);
	b_conf = (struct sip_net_conf){0};
	return 0;
}

HELPER void listen_on(struct side *s, enum sip_transport transport, struct tls_ctx *tls)
{
	struct sip_listen_conf conf = {.transport = transport, .tls = tls, .realm = s};
	struct err e = {0};

	assert_int_equal(ip_parse(STR("127.0.0.1"), &conf.local.ip), 0);
	if (sip_net_listen(s->net, &conf, &s->l, &e) < 0)
		fail_msg("%s", e.text);
	assert_ptr_equal(sip_listener_realm(s->l), s);
}

HELPER struct sip_flow to_b(void)
{
	return (struct sip_flow){.transport = sip_listener_transport(b.l),
		.remote = *sip_listener_local(b.l),
		.listener = a.l};
}

#define HEAD                                                                                                 \
	"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1;rport\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"   \
	"Call-ID: c\r\nCSeq: 1 OPTIONS\r\n"
#define OPTIONS "OPTIONS sip:b@x SIP/2.0\r\n" HEAD "Content-Length: 0\r\n\r\n"

/* A bare client socket to b, non-blocking. */
HELPER int raw_connect(void)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(sip_listener_local(b.l), &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

HELPER int raw_fd;
HELPER char raw_text[4096];
HELPER size_t raw_got;
HELPER bool raw_closed;

HELPER bool raw_is_closed(void)
{
	ssize_t n = recv(raw_fd, raw_text + raw_got, sizeof raw_text - 1 - raw_got, MSG_DONTWAIT);

	if (n > 0)
		raw_got += (size_t)n;
	raw_closed = n == 0 || (n < 0 && errno != EAGAIN);
	raw_text[raw_got] = '\0';
	return raw_closed;
}

HELPER bool raw_has_text(void)
{
	raw_is_closed();
	return raw_got > 0;
}

HELPER void raw_begin(void)
{
	raw_got = 0;
	raw_closed = false;
	raw_fd = raw_connect();
}

HELPER void raw_send(const char *text, size_t n)
{
	assert_int_equal(send(raw_fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
