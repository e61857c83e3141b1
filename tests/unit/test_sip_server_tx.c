/* SPDX-License-Identifier: Apache-2.0 */
/* Server transactions: RFC 3261 section 17.2, RFC 6026. */
#include "tests/unit/sip_tx_bench.h"

#define MESSAGE(method, branch, cseq, to_tag)                                                                \
	method " sip:gw@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=" branch                         \
	       "\r\nFrom: <sip:a@x>;tag=a\r\nTo: <sip:gw@x>" to_tag "\r\nCall-ID: in-1\r\nCSeq: " cseq       \
	       "\r\n\r\n"

#define INVITE_IN MESSAGE("INVITE", "z9hG4bKin", "1 INVITE", "")

static bool sent_status(unsigned i, unsigned status)
{
	char want[32];

	snprintf(want, sizeof want, "SIP/2.0 %u ", status);
	return t.sent_count > i && strncmp(t.sent[i], want, strlen(want)) == 0;
}

static void test_server_invite_refused(void **state)
{
	(void)state;
	receive(INVITE_IN);
	assert_int_equal(t.requests, 1);
	pass(150);
	assert_int_equal(t.sent_count, 0);
	receive(INVITE_IN); /* nothing to say yet */
	assert_int_equal(t.sent_count, 0);
	pass(100);
	assert_true(sent_status(0, 100));
	receive(INVITE_IN);
	assert_true(sent_status(1, 100));
	assert_int_equal(t.requests, 1);
	assert_int_equal(sip_stx_reply(t.stx, 486, NULL, STR("us")), 0);
	assert_int_equal(sip_stx_reply(t.stx, 200, NULL, STR("us")), -EALREADY);
	pass(4000); /* G: 500, 1000, 2000 later */
	assert_int_equal(t.sent_count, 6);
	assert_true(sent_status(5, 486));
	assert_non_null(strstr(t.sent[5], "\r\nTo: <sip:gw@x>;tag=us\r\n"));
	receive(MESSAGE("ACK", "z9hG4bKin", "1 ACK", ";tag=us"));
	receive(MESSAGE("ACK", "z9hG4bKin", "1 ACK", ";tag=us"));
	assert_int_equal(t.acks, 0); /* this ACK is the transaction's own */
	pass(4900);
	assert_int_equal(t.sent_count, 6);
	assert_int_equal(t.gones, 0);
	pass(200);
	assert_int_equal(t.gones, 1);
	assert_int_equal(t.failures, 0);
}

static void test_server_invite_never_acknowledged(void **state)
{
	(void)state;
	receive(INVITE_IN);
	sip_stx_reply(t.stx, 486, NULL, STR("us"));
	pass(33000);
	assert_int_equal(t.failures, 1);
	assert_int_equal(t.last_error, SIP_TX_NO_ACK);
	assert_int_equal(t.counters.transactions_no_ack, 1);
	assert_int_equal(t.gones, 1);
}

static void test_server_invite_accepted(void **state)
{
	struct sip_flow tcp = flow_of(SIP_TCP);

	(void)state;
	receive_from(INVITE_IN, &tcp);
	sip_stx_reply(t.stx, 200, NULL, STR("us"));
	pass(1600); /* a 2xx is repeated over every transport: 500, 1000 later */
	assert_int_equal(t.sent_count, 3);
	receive_from(INVITE_IN, &tcp);
	assert_int_equal(t.sent_count, 3); /* absorbed (RFC 6026) */
	receive_from(MESSAGE("ACK", "z9hG4bKother", "1 ACK", ";tag=us"), &tcp);
	assert_int_equal(t.acks, 1);
	sip_stx_acked(t.stx);
	pass(20000);
	assert_int_equal(t.sent_count, 3);
	receive_from(INVITE_IN, &tcp); /* late, still absorbed */
	assert_int_equal(t.requests, 1);
	pass(13000);
	assert_int_equal(t.gones, 1);
	assert_int_equal(t.failures, 0);
}

/* With the ACK there and nobody to ask for it, of the request only its name is kept: which has to do. */
static void test_server_invite_absorbs(void **state)
{
	struct sip_flow tcp = flow_of(SIP_TCP);

	(void)state;
	receive_from(INVITE_IN, &tcp);
	sip_stx_reply(t.stx, 200, NULL, STR("us"));
	sip_stx_acked(t.stx);
	assert_non_null(sip_stx_request(t.stx));
	sip_stx_set_user(t.stx, NULL, NULL);
	assert_null(sip_stx_request(t.stx));
	receive_from(INVITE_IN, &tcp);
	assert_int_equal(t.requests, 1);
	assert_int_equal(t.sent_count, 1);
	receive_from(MESSAGE("INVITE", "z9hG4bKotherway", "1 INVITE", ""), &tcp);
	assert_true(sent_status(1, 482));
	receive_from(MESSAGE("CANCEL", "z9hG4bKinvite", "1 CANCEL", ""), &tcp);
	assert_int_equal(t.requests, 1);
	pass(33000);
	receive_from(INVITE_IN, &tcp); /* it has ended */
	assert_int_equal(t.requests, 2);
}

static void test_server_2xx_never_acknowledged(void **state)
{
	(void)state;
	receive(INVITE_IN);
	sip_stx_reply(t.stx, 200, NULL, STR("us"));
	pass(33000);
	assert_int_equal(t.sent_count, 11); /* 0, .5, 1.5, 3.5, 7.5, 11.5 ... 31.5 */
	assert_int_equal(t.last_error, SIP_TX_NO_ACK);
	assert_int_equal(t.failures, 1);
}

static void test_server_other(void **state)
{
	(void)state;
	receive(MESSAGE("BYE", "z9hG4bKb", "2 BYE", ";tag=us"));
	receive(MESSAGE("BYE", "z9hG4bKb", "2 BYE", ";tag=us"));
	assert_int_equal(t.requests, 1);
	assert_int_equal(t.sent_count, 0);
	sip_stx_reply(t.stx, 200, NULL, STR(""));
	receive(MESSAGE("BYE", "z9hG4bKb", "2 BYE", ";tag=us"));
	assert_int_equal(t.sent_count, 2);
	assert_string_equal(t.sent[0], t.sent[1]);
	assert_non_null(strstr(t.sent[0], "\r\nServer: test\r\n"));
	pass(33000);
	assert_int_equal(t.gones, 1);
	receive(MESSAGE("BYE", "z9hG4bKc", "3 BYE", ";tag=us")); /* a TU that never answers leaks nothing */
	pass(33000);
	assert_int_equal(sip_txl_count(t.l), 0);
}

static void test_server_cancel(void **state)
{
	(void)state;
	receive(MESSAGE("CANCEL", "z9hG4bKin", "1 CANCEL", ""));
	assert_true(sent_status(0, 481));
	assert_int_equal(t.counters.rx_stray_cancels, 1);
	forget_sent();
	receive(MESSAGE("INVITE", "z9hG4bKin2", "2 INVITE", ""));
	receive(MESSAGE("CANCEL", "z9hG4bKin2", "2 CANCEL", ""));
	assert_int_equal(t.cancels, 1);
	assert_true(sent_status(0, 200));
	assert_true(sent_status(1, 487));
	assert_non_null(strstr(t.sent[0], "CSeq: 2 CANCEL"));
	assert_non_null(strstr(t.sent[1], "CSeq: 2 INVITE"));
	receive(MESSAGE("CANCEL", "z9hG4bKin2", "2 CANCEL", ""));
	assert_int_equal(t.cancels, 1);
	assert_true(sent_status(2, 200));
}

static void test_cancel_after_the_answer(void **state)
{
	(void)state;
	receive(INVITE_IN);
	sip_stx_reply(t.stx, 200, NULL, STR("us"));
	receive(MESSAGE("CANCEL", "z9hG4bKin", "1 CANCEL", ""));
	assert_true(sent_status(1, 200));
	assert_int_equal(t.cancels, 0);
}

static void test_merged_and_limit(void **state)
{
	static const char *const others[] = {MESSAGE("OPTIONS", "z9hG4bK1", "11 OPTIONS", ""),
		MESSAGE("OPTIONS", "z9hG4bK2", "12 OPTIONS", ""),
		MESSAGE("OPTIONS", "z9hG4bK3", "13 OPTIONS", ""),
		MESSAGE("OPTIONS", "z9hG4bK4", "14 OPTIONS", ""),
		MESSAGE("OPTIONS", "z9hG4bK5", "15 OPTIONS", "")};

	(void)state;
	receive(INVITE_IN);
	receive(MESSAGE("INVITE", "z9hG4bKotherway", "1 INVITE", ""));
	assert_true(sent_status(0, 482));
	assert_int_equal(t.requests, 1);
	for (unsigned i = 0; i < 5; i++)
		receive(others[i]);
	assert_int_equal(t.requests, 5);
	assert_true(sent_status(1, 503));
	assert_non_null(strstr(t.sent[1], "\r\nRetry-After: 5\r\n"));
	assert_int_equal(t.counters.transactions_refused, 1);
}

/* Peers of RFC 2543 send branches that mean nothing, or none. */
static void test_without_cookie(void **state)
{
	(void)state;
	receive(MESSAGE("INVITE", "1", "1 INVITE", ""));
	receive(MESSAGE("INVITE", "1", "1 INVITE", ""));
	assert_int_equal(t.requests, 1);
	sip_stx_reply(t.stx, 404, NULL, STR("us"));
	receive(MESSAGE("ACK", "1", "1 ACK", ";tag=us"));
	assert_int_equal(t.acks, 0);
	pass(100);
	assert_int_equal(t.sent_count, 1);
	receive(MESSAGE("INVITE", "1", "2 INVITE", "")); /* the same branch, another transaction */
	assert_int_equal(t.requests, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_server_invite_refused),
		T(test_server_invite_never_acknowledged),
		T(test_server_invite_accepted),
		T(test_server_invite_absorbs),
		T(test_server_2xx_never_acknowledged),
		T(test_server_other),
		T(test_server_cancel),
		T(test_cancel_after_the_answer),
		T(test_merged_and_limit),
		T(test_without_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
