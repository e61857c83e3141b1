/* SPDX-License-Identifier: Apache-2.0 */
/* Client transactions: RFC 3261 section 17.1, RFC 6026. */
#include "tests/unit/sip_tx_bench.h"

static void test_invite_retransmits_and_times_out(void **state)
{
	static const unsigned when[] = {0, 500, 1500, 3500, 7500, 15500, 31500};

	(void)state;
	start("INVITE", SIP_UDP);
	pass(33000);
	assert_int_equal(t.sent_count, 7);
	for (unsigned i = 0; i < 7; i++)
		expect_sent_at(i, when[i]);
	assert_string_equal(t.sent[0], t.sent[6]);
	assert_int_equal(t.failures, 1);
	assert_int_equal(t.last_error, SIP_TX_TIMEOUT);
	assert_int_equal(t.gones, 1);
	assert_int_equal(sip_txl_count(t.l), 0);
}

static void test_invite_refused(void **state)
{
	char branch[64];

	(void)state;
	start("INVITE", SIP_UDP);
	snprintf(branch, sizeof branch, "%s", branch_of(t.sent[0]));
	answer(100, "x", "INVITE");
	pass(40000); /* after a provisional response neither A nor B runs */
	assert_int_equal(t.sent_count, 1);
	answer(486, "bob", "INVITE");
	assert_int_equal(t.last_status, 486);
	assert_int_equal(t.sent_count, 2);
	assert_true(strncmp(t.sent[1],
			    "ACK sip:bob@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=", 62) == 0);
	assert_string_equal(branch_of(t.sent[1]), branch);
	assert_non_null(strstr(t.sent[1], "\r\nCSeq: 42 ACK\r\n"));
	assert_non_null(strstr(t.sent[1], "\r\nTo: <sip:bob@x>;tag=bob\r\n"));
	assert_non_null(strstr(t.sent[1], "\r\nRoute: <sip:p;lr>\r\n"));
	assert_non_null(strstr(t.sent[1], "\r\nContent-Length: 0\r\n\r\n"));
	answer(486, "bob", "INVITE");
	assert_int_equal(t.sent_count, 3);
	assert_string_equal(t.sent[1], t.sent[2]);
	assert_int_equal(t.responses, 2); /* the retransmission is not shown */
	pass(31000);
	assert_int_equal(t.gones, 0);
	pass(2000);
	assert_int_equal(t.gones, 1);
	assert_int_equal(t.failures, 0);
	answer(486, "bob", "INVITE");
	assert_int_equal(t.counters.rx_stray_responses, 1);
}

static void acknowledge(struct sip_ctx *ctx, struct str type, struct str body)
{
	struct sip_flow to = flow_of(SIP_UDP);
	struct sip_builder b;
	char buf[1024];

	sip_build_request(&b, buf, sizeof buf, STR("ACK"), STR("sip:bob@192.0.2.1"));
	sip_build_addr(&b, SIP_H_FROM, STR("<sip:gw@x>"), STR("gw"));
	sip_build_addr(&b, SIP_H_TO, STR("<sip:bob@x>"), STR("bob"));
	sip_build_hdr(&b, SIP_H_CALL_ID, STR("call-1"));
	sip_build_cseq(&b, 42, STR("ACK"));
	sip_build_end(&b, type, body);
	assert_int_equal(sip_ctx_ack(t.l, ctx, &b, &to), 0);
}

static void test_invite_accepted(void **state)
{
	struct sip_ctx *ctx = start("INVITE", SIP_UDP);

	(void)state;
	answer(200, "bob", "INVITE");
	assert_int_equal(t.sent_count, 1); /* the ACK is the TU's */
	answer(200, "bob", "INVITE");
	assert_int_equal(t.responses, 2); /* shown again until it is acknowledged */
	acknowledge(ctx, STR(""), STR(""));
	assert_int_equal(t.sent_count, 2);
	answer(200, "bob", "INVITE");
	assert_int_equal(t.responses, 2);
	assert_int_equal(t.sent_count, 3);
	assert_string_equal(t.sent[1], t.sent[2]);
	answer(200, "fork", "INVITE"); /* another branch of a fork is the TU's to acknowledge and end */
	assert_int_equal(t.responses, 3);
	answer(180, "bob", "INVITE");
	assert_int_equal(t.responses, 3);
	pass(33000);
	assert_int_equal(t.gones, 1);
	assert_int_equal(t.failures, 0);
}

/* An ACK that carries an answer, keys and all, is sent again for as long as its dialog needs it. */
static void test_an_answer_in_the_ack_is_forgotten(void **state)
{
	struct sip_ctx *ctx = start("INVITE", SIP_UDP);

	(void)state;
	answer(200, "bob", "INVITE");
	acknowledge(ctx, STR("application/sdp"), STR("a=crypto:1 X inline:secret\r\n"));
	answer(200, "bob", "INVITE");
	assert_int_equal(t.sent_count, 3);
	assert_non_null(strstr(t.sent[2], "inline:secret"));
	sip_ctx_forget_answer(ctx);
	answer(200, "bob", "INVITE");
	assert_int_equal(t.sent_count, 3); /* and it is not the TU's, which would acknowledge it without one */
	assert_int_equal(t.responses, 1);
}

static void test_other_method(void **state)
{
	static const unsigned when[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

	(void)state;
	start("OPTIONS", SIP_UDP);
	pass(33000);
	assert_int_equal(t.sent_count, 11);
	for (unsigned i = 0; i < 11; i++)
		expect_sent_at(i, when[i]);
	assert_int_equal(t.last_error, SIP_TX_TIMEOUT);
	forget_sent();
	start("OPTIONS", SIP_UDP);
	answer(100, "x", "OPTIONS");
	pass(5000); /* one more at T1, then every T2 */
	assert_int_equal(t.sent_count, 3);
	answer(200, "x", "OPTIONS");
	answer(200, "x", "OPTIONS");
	assert_int_equal(t.responses, 2);
	assert_int_equal(t.gones, 1);
	pass(5100);
	assert_int_equal(t.gones, 2);
	assert_int_equal(t.sent_count, 3);
}

static void test_cancel_waits_for_a_provisional(void **state)
{
	char branch[64];

	(void)state;
	struct sip_ctx *ctx = start("INVITE", SIP_UDP);

	snprintf(branch, sizeof branch, "%s", branch_of(t.sent[0]));
	assert_int_equal(sip_ctx_cancel(ctx, STR("Reason: SIP;cause=200\r\n")), 0);
	assert_int_equal(sip_ctx_cancel(ctx, STR("")), -EALREADY);
	assert_int_equal(t.sent_count, 1);
	answer(180, "bob", "INVITE");
	assert_int_equal(t.sent_count, 2);
	assert_true(strncmp(t.sent[1], "CANCEL sip:bob@x SIP/2.0\r\n", 26) == 0);
	assert_string_equal(branch_of(t.sent[1]), branch);
	assert_non_null(strstr(t.sent[1], "\r\nCSeq: 42 CANCEL\r\n"));
	assert_non_null(strstr(t.sent[1], "\r\nTo: <sip:bob@x>\r\n"));
	assert_non_null(strstr(t.sent[1], "\r\nReason: SIP;cause=200\r\n"));
	answer(200, "bob", "CANCEL");
	assert_int_equal(t.responses, 1); /* the answer to the CANCEL is the layer's */
	answer(487, "bob", "INVITE");
	assert_int_equal(t.last_status, 487);
	assert_int_equal(t.sent_count, 3); /* ACK */
	assert_int_equal(sip_ctx_cancel(ctx, STR("")), -EALREADY);
}

static void test_cancel_without_an_end(void **state)
{
	(void)state;
	struct sip_ctx *ctx = start("INVITE", SIP_UDP);

	answer(180, "bob", "INVITE");
	assert_int_equal(sip_ctx_cancel(ctx, STR("")), 0);
	answer(200, "bob", "CANCEL");
	pass(33000);
	assert_int_equal(t.failures, 1);
	assert_int_equal(t.last_error, SIP_TX_TIMEOUT);
	assert_int_equal(sip_txl_count(t.l), 0);
}

static void test_stream(void **state)
{
	(void)state;
	start("INVITE", SIP_TCP);
	pass(20000);
	assert_int_equal(t.sent_count, 1); /* a reliable transport does not repeat itself */
	t.waiter->lost(t.waiter, "reset", true);
	assert_int_equal(t.failures, 1);
	assert_int_equal(t.last_error, SIP_TX_TRANSPORT);
	forget_sent();
	start("INVITE", SIP_TCP);
	answer(180, "bob", "INVITE");
	t.waiter->lost(t.waiter, "reset", true); /* who rings may answer over another connection */
	assert_int_equal(t.failures, 1);
	answer(503, "bob", "INVITE");
	assert_int_equal(t.last_status, 503);
	pass(50);
	assert_int_equal(t.gones, 2); /* nothing to absorb on a stream */
}

static void test_send_error_is_returned(void **state)
{
	struct sip_flow to = flow_of(SIP_TCP);
	struct sip_builder b;
	struct sip_ctx *ctx;
	char buf[256];

	(void)state;
	t.send_result = -ECONNREFUSED;
	sip_build_request(&b, buf, sizeof buf, STR("BYE"), STR("sip:x"));
	sip_build_end(&b, STR(""), STR(""));
	assert_int_equal(sip_ctx_send(t.l, &b, &to, &ctx_ops, NULL, &ctx), -ECONNREFUSED);
	assert_int_equal(sip_txl_count(t.l), 0);
	assert_int_equal(t.failures + t.gones, 0);
}

static void test_answer_by_another_door(void **state)
{
	struct sip_flow other = flow_of(SIP_UDP);
	char text[512];

	(void)state;
	other.listener = DOOR_B;
	start("OPTIONS", SIP_UDP);
	snprintf(text, sizeof text,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=%s\r\nFrom: <sip:a@x>\r\nTo: "
		"<sip:b@x>\r\nCall-ID: c\r\n"
		"CSeq: 42 OPTIONS\r\n\r\n",
		branch_of(t.sent[0]));
	receive_from(text, &other);
	assert_int_equal(t.responses, 0);
	assert_int_equal(t.counters.rx_stray_responses, 1);
}

static void test_detached(void **state)
{
	(void)state;
	struct sip_ctx *ctx = start("INVITE", SIP_UDP);

	answer(180, "bob", "INVITE");
	sip_ctx_detach(ctx);
	answer(486, "bob", "INVITE");
	assert_int_equal(t.responses, 1);
	assert_int_equal(t.sent_count, 2); /* still acknowledged */
}

/* ---- challenges ---- */

static unsigned challenges, answerers_gone;

static bool with_credentials(void *user, const struct sip_challenged *c, struct wbuf *lines, uint32_t *cseq)
{
	(void)user;
	assert_int_equal(c->tries, challenges++);
	assert_int_equal(c->request->cseq + 1, *cseq);
	*cseq = 50 + challenges;
	wbuf_fmt(lines, "Authorization: answer %u\r\n", challenges);
	return true;
}

static void answerer_gone(void *user)
{
	(void)user;
	answerers_gone++;
}

static const struct sip_answerer answerer = {with_credentials, answerer_gone};

/* The last request that was sent is answered. */
static void answer_last(unsigned status, unsigned cseq, const char *method)
{
	char text[512];

	snprintf(text, sizeof text,
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\nFrom: <sip:gw@x>;tag=gw\r\n"
		"To: <sip:bob@x>;tag=bob\r\nCall-ID: call-1\r\nCSeq: %u %s\r\n\r\n",
		status, branch_of(t.sent[t.sent_count - 1]), cseq, method);
	receive(text);
}

static struct sip_ctx *start_challenged(const char *method, enum sip_transport transport)
{
	struct sip_ctx *ctx = start(method, transport);

	challenges = answerers_gone = 0;
	sip_ctx_set_answerer(ctx, &answerer, NULL);
	return ctx;
}

static void test_challenged_invite(void **state)
{
	char branch[64];

	(void)state;
	start_challenged("INVITE", SIP_UDP);
	snprintf(branch, sizeof branch, "%s", branch_of(t.sent[0]));
	answer(100, "x", "INVITE");
	answer(401, "bob", "INVITE");
	assert_int_equal(t.sent_count, 3);
	assert_non_null(strstr(t.sent[1], "CSeq: 42 ACK\r\n"));
	assert_string_equal(branch_of(t.sent[1]), branch);
	/* RFC 3261 section 22.2: the same Call-ID and From tag, no To tag, the next CSeq, another branch. */
	assert_true(strncmp(t.sent[2], "INVITE sip:bob@x SIP/2.0\r\n", 26) == 0);
	assert_string_not_equal(branch_of(t.sent[2]), branch);
	assert_non_null(strstr(t.sent[2], "\r\nRoute: <sip:p;lr>\r\n"));
	assert_non_null(strstr(t.sent[2], "\r\nFrom: <sip:gw@x>;tag=gw\r\nTo: <sip:bob@x>\r\n"));
	assert_non_null(strstr(t.sent[2], "\r\nCall-ID: call-1\r\nCSeq: 51 INVITE\r\n"));
	assert_non_null(strstr(t.sent[2], "\r\nAuthorization: answer 1\r\n"));
	assert_non_null(strstr(t.sent[2], "\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
	assert_int_equal(t.responses, 1); /* only the 100 */
	/* The challenge again: its ACK was lost. */
	answer(401, "bob", "INVITE");
	assert_int_equal(t.sent_count, 4);
	assert_string_equal(t.sent[3], t.sent[1]);
	assert_int_equal(challenges, 1);
	/* The new request is sent again like any other, then answered. */
	pass(600);
	assert_int_equal(t.sent_count, 5);
	assert_string_equal(t.sent[4], t.sent[2]);
	answer_last(486, 51, "INVITE");
	assert_int_equal(t.last_status, 486);
	assert_int_equal(t.responses, 2);
	assert_non_null(strstr(t.sent[5], "CSeq: 51 ACK\r\n"));
	assert_int_equal(sip_txl_count(t.l), 2);
	pass(40000);
	assert_int_equal(t.gones, 1);
	assert_int_equal(answerers_gone, 1);
	assert_int_equal(sip_txl_count(t.l), 0);
}

static void test_challenged_for_ever(void **state)
{
	(void)state;
	start_challenged("OPTIONS", SIP_TLS);
	for (unsigned i = 0; i < 5; i++)
		answer_last(i % 2 ? 407 : 401, 42, "OPTIONS");
	assert_int_equal(challenges, 4);
	assert_int_equal(t.sent_count, 5);
	/* Each has the credentials of its own challenge only. */
	assert_null(strstr(t.sent[4], "answer 3"));
	assert_non_null(strstr(t.sent[4], "answer 4"));
	assert_int_equal(t.responses, 1);
	assert_int_equal(t.last_status, 401);
}

static void test_challenged_after_detach(void **state)
{
	(void)state;
	struct sip_ctx *ctx = start_challenged("BYE", SIP_UDP);

	sip_ctx_detach(ctx);
	answer_last(401, 42, "BYE");
	assert_int_equal(t.sent_count, 2);
	answer_last(200, 51, "BYE");
	pass(6000);
	assert_int_equal(answerers_gone, 1);
	assert_int_equal(sip_txl_count(t.l), 0);
}

/* Whoever was cancelled is not asked for credentials; nor is it sent again what cannot be sent. */
static void test_challenged_too_late(void **state)
{
	(void)state;
	struct sip_ctx *ctx = start_challenged("INVITE", SIP_TLS);

	sip_ctx_cancel(ctx, STR(""));
	answer(401, "bob", "INVITE");
	assert_int_equal(t.last_status, 401);
	assert_int_equal(challenges, 0);
	forget_sent();
	start_challenged("OPTIONS", SIP_TLS);
	t.send_result = -ENOTCONN;
	answer_last(401, 42, "OPTIONS");
	assert_int_equal(t.last_status, 401);
	assert_int_equal(t.responses, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_invite_retransmits_and_times_out),
		T(test_invite_refused),
		T(test_invite_accepted),
		T(test_an_answer_in_the_ack_is_forgotten),
		T(test_other_method),
		T(test_cancel_waits_for_a_provisional),
		T(test_cancel_without_an_end),
		T(test_stream),
		T(test_send_error_is_returned),
		T(test_answer_by_another_door),
		T(test_detached),
		T(test_challenged_invite),
		T(test_challenged_for_ever),
		T(test_challenged_after_detach),
		T(test_challenged_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
