/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction layer on a clock and a wire of the test's own: no sleeping, every message seen. */
#pragma once

#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/net.h"
#include "controlplane/sip/transaction.h"

#define HELPER static __attribute__((unused))

/* Never opened: the layer compares them and counts the flows that it keeps. */
HELPER struct sip_listener door_a = {.refs = 1}, door_b = {.refs = 1};
#define DOOR_A (&door_a)
#define DOOR_B (&door_b)

#define SENT_MAX 64

static struct {
	uint64_t now;
	struct timer_wheel *wheel;
	struct sip_txl *l;
	struct sip_counters counters;
	char *sent[SENT_MAX]; /* what went out, in order */
	uint64_t sent_at[SENT_MAX];
	unsigned sent_count;
	int send_result;
	struct sip_waiter *waiter;
	/* what the TU saw */
	struct sip_stx *stx;
	unsigned requests, acks, cancels, responses, failures, gones;
	unsigned last_status;
	enum sip_tx_error last_error;
} t;

HELPER uint64_t fake_clock(void *arg)
{
	(void)arg;
	return t.now;
}

HELPER int fake_send(void *ctx, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	(void)ctx, (void)flow;
	if (t.send_result < 0)
		return t.send_result;
	assert_true(t.sent_count < SENT_MAX);
	t.sent_at[t.sent_count] = t.now;
	t.sent[t.sent_count++] = strndup(text.p, text.n);
	if (waiter)
		t.waiter = waiter;
	return 0;
}

HELPER struct str fake_sent_by(void *ctx, const struct sip_listener *l)
{
	(void)ctx, (void)l;
	return STR("192.0.2.9:5060");
}

HELPER void on_cancelled(void *user, struct sip_stx *stx, const struct sip_msg *cancel)
{
	(void)user, (void)cancel;
	t.cancels++;
	sip_stx_reply(stx, 487, NULL, STR("us"));
}

HELPER void on_stx_failed(void *user, struct sip_stx *stx, enum sip_tx_error error, const char *reason)
{
	(void)user, (void)stx, (void)reason;
	t.failures++;
	t.last_error = error;
}

HELPER void on_stx_gone(void *user, struct sip_stx *stx)
{
	(void)user, (void)stx;
	t.gones++;
	t.stx = NULL;
}

HELPER const struct sip_stx_ops stx_ops = {on_cancelled, on_stx_failed, on_stx_gone};

HELPER void on_request(void *user, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)m, (void)from;
	t.requests++;
	t.stx = stx;
	sip_stx_set_user(stx, &stx_ops, NULL);
}

HELPER void on_ack(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)m, (void)from;
	t.acks++;
}

HELPER void on_response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)ctx, (void)from;
	t.responses++;
	t.last_status = m->status;
}

HELPER void on_ctx_failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	(void)user, (void)ctx, (void)reason;
	t.failures++;
	t.last_error = error;
}

HELPER void on_ctx_gone(void *user, struct sip_ctx *ctx)
{
	(void)user, (void)ctx;
	t.gones++;
}

HELPER const struct sip_ctx_ops ctx_ops = {on_response, on_ctx_failed, on_ctx_gone};

HELPER void forget_sent(void)
{
	while (t.sent_count)
		free(t.sent[--t.sent_count]);
}

HELPER int setup(void **state)
{
	const struct sip_sender sender = {NULL, fake_send, fake_sent_by};
	const struct sip_tu tu = {on_request, on_ack};
	const struct sip_txl_conf conf = {.transactions_max = 5, .server = "test"};

	(void)state;
	memset(&t, 0, sizeof t);
	t.now = 1000000;
	t.wheel = timer_wheel_new(fake_clock, NULL);
	return sip_txl_new(&conf, t.wheel, &sender, &t.counters, &tu, NULL, &t.l);
}

HELPER int teardown(void **state)
{
	(void)state;
	sip_txl_free(t.l);
	timer_wheel_free(t.wheel);
	forget_sent();
	return door_a.flows || door_b.flows; /* one that was never dropped fails the test */
}

HELPER void pass(uint64_t ms)
{
	for (uint64_t end = t.now + ms; t.now < end; t.now += TIMER_TICK_MS)
		timer_wheel_advance(t.wheel);
}

HELPER struct sip_flow flow_of(enum sip_transport transport)
{
	struct sip_flow f = {.transport = transport, .listener = DOOR_A};

	ip_parse(STR("192.0.2.1"), &f.remote.ip);
	f.remote.port = 5060;
	return f;
}

HELPER void receive_from(const char *text, const struct sip_flow *from)
{
	static struct sip_msg m;
	struct sip_reject why;
	char *copy = strdup(text);

	if (sip_msg_parse(&m, copy, strlen(copy), true, &why) < 0)
		fail_msg("%s: %s", why.reason, text);
	m.source = from->remote;
	sip_txl_receive(t.l, &m, from);
	free(copy);
}

HELPER void receive(const char *text)
{
	struct sip_flow from = flow_of(SIP_UDP);

	receive_from(text, &from);
}

HELPER struct sip_ctx *start(const char *method, enum sip_transport transport)
{
	struct sip_flow to = flow_of(transport);
	struct sip_builder b;
	struct sip_ctx *ctx;
	char buf[1024];

	sip_build_request(&b, buf, sizeof buf, str_z(method), STR("sip:bob@x"));
	sip_build_hdr(&b, SIP_H_ROUTE, STR("<sip:p;lr>"));
	sip_build_addr(&b, SIP_H_FROM, STR("<sip:gw@x>"), STR("gw"));
	sip_build_addr(&b, SIP_H_TO, STR("<sip:bob@x>"), STR(""));
	sip_build_hdr(&b, SIP_H_CALL_ID, STR("call-1"));
	sip_build_cseq(&b, 42, str_z(method));
	assert_int_equal(sip_build_end(&b, STR("application/sdp"), STR("v=0\r\n")), 0);
	assert_int_equal(sip_ctx_send(t.l, &b, &to, &ctx_ops, NULL, &ctx), 0);
	return ctx;
}

/* The branch of a message that was sent. */
HELPER const char *branch_of(const char *text)
{
	static char branch[64];
	const char *at = strstr(text, "branch=");

	assert_non_null(at);
	snprintf(branch, sizeof branch, "%.*s", (int)strcspn(at + 7, ";\r"), at + 7);
	return branch;
}

HELPER void answer(unsigned status, const char *tag, const char *method)
{
	char text[512];

	snprintf(text, sizeof text,
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\nFrom: <sip:gw@x>;tag=gw\r\n"
		"To: <sip:bob@x>;tag=%s\r\nCall-ID: call-1\r\nCSeq: 42 %s\r\nContact: "
		"<sip:bob@192.0.2.1>\r\n\r\n",
		status, branch_of(t.sent[0]), tag, method);
	receive(text);
}

HELPER void expect_sent_at(unsigned i, uint64_t ms)
{
	assert_true(t.sent_count > i);
	assert_in_range(t.sent_at[i] - 1000000, ms, ms + 100);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
