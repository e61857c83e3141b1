/* SPDX-License-Identifier: Apache-2.0 */
/* bob, who talks with alice, hands her over to carol: the gateway carries it out. */
#pragma once

#include "tests/unit/b2bua_bench.h"

#define TO_CAROL "Refer-To: <sip:+2001@pbx.example>\r\n"

static inline int setup(void **state)
{
	int rc = bench_setup(state);

	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\","},
			{"\"reinvite-keys\":\"own-leg\"", "\"reinvite-keys\":\"always\""}},
		2);
	return rc;
}

static inline void reported(struct phone *p, const char *line, const char *state)
{
	hear(p, "NOTIFY");
	expect_heard(p, line);
	expect_heard(p, state);
	reply(p, "200 OK");
}

/* bob wants alice to be connected to carol, who hears it. */
static inline void begun(void)
{
	call_up(&alice, &bob);
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	expect_heard(&bob, " REFER\r\n");
	reported(&bob, "\r\n\r\nSIP/2.0 100 Trying\r\n", "Subscription-State: active;");
	hear(&carol, "INVITE");
	expect_heard(&carol, "From: <sip:+3001@");
	expect_heard(&carol, "INVITE sip:+2001@198.51.100.2:5061;transport=tls SIP/2.0\r\n");
	expect_not_heard(&carol, "m=audio");
	silence(NULL);
}

/* carol answers; alice is asked to change over. */
static inline void answered(void)
{
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP 8 0\r\n");
	silence(NULL);
}

static inline void connected(void)
{
	answered();
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	expect_heard(&carol, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
}

/* bob holds alice and has asked carol; then he joins them. */
static inline struct phone consulted(void)
{
	struct phone second;

	call_up(&alice, &bob);
	second = bob;
	second.heard = second.invite = NULL;
	second.call_id[0] = second.local_tag[0] = second.remote_tag[0] = '\0';
	dial(&second, "+2001", "", sdp(&second, 3));
	hear(&carol, "INVITE");
	answer(&carol, "200 OK", "", sdp(&carol, 3));
	hear(&carol, "ACK");
	hear(&second, "200");
	say(&second, "ACK", "", "");
	silence(NULL);
	return second;
}

static inline void join(const struct phone *second)
{
	char header[400];

	snprintf(header, sizeof header,
		"Refer-To: <sip:+2001@gw?Replaces=%.*s%%40%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>\r\n",
		(int)strcspn(second->call_id, "@"), second->call_id, strchr(second->call_id, '@') + 1,
		second->remote_tag, second->local_tag);
	say(&bob, "REFER", header, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "m=audio");
}

#define TT(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
