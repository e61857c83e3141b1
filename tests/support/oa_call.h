/* SPDX-License-Identifier: Apache-2.0 */
/* The two legs of a call with peers made of text, for tests of what comes after offer and answer. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "controlplane/keys/sdes.h"
#include "controlplane/sdp/offer_answer.h"
#include "tests/support/cmocka_std.h"

#define K30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define K30B "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "\r\n"
#define CRYPTO_B "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" K30B "\r\n"
#define HEAD_A(version)                                                                                      \
	"v=0\r\no=alice 77 " version " IN IP4 10.1.1.1\r\ns=call\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\n"
#define HEAD_B(version) "v=0\r\no=bob 88 " version " IN IP4 10.2.2.2\r\ns=-\r\nc=IN IP4 10.2.2.2\r\nt=0 0\r\n"

static const enum srtp_suite oa_call_suites[] = {SRTP_AES_CM_128_HMAC_SHA1_80};
static const struct oa_policy oa_call_plain = {.security = OA_SECURITY_NONE, .mux = OA_MUX_ACCEPT};
static const struct oa_policy oa_call_secure = {
	.security = OA_SECURITY_REQUIRED,
	.mux = OA_MUX_ACCEPT,
	.method = &agreement_sdes,
	.keying = {oa_call_suites, 1, 0},
	.hop_encrypted = true,
};

struct oa_call {
	struct oa_leg a, b;
	char text[OA_BODY_MAX]; /* the last body made */
	/* Gives ports where they are wanted; NULL: fixed ones. */
	void (*ports)(struct oa_call *c, void *arg);
	void *arg;
};

/* Fixed ports for what `from` has offered. */
static inline void oa_give_ports(struct oa_leg *a, struct oa_leg *b, const struct oa_leg *from)
{
	struct oa_leg *legs[] = {a, b};

	for (unsigned l = 0; l < 2; l++) {
		for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
			struct oa_local local = {.rtp.port = (uint16_t)(20000 + 1000 * l + 2 * i)};

			if (!oa_wants_local(legs[l], from, i))
				continue;
			ip_parse(l ? STR("203.0.113.2") : STR("198.51.100.1"), &local.rtp.ip);
			local.rtcp = local.rtp;
			local.rtcp.port++;
			oa_set_local(legs[l], i, &local);
		}
	}
}

static inline void oa_call_offer(struct oa_call *c, struct oa_leg *from, const char *body)
{
	struct wbuf w = wbuf_make(c->text, sizeof c->text - 1);
	struct oa_refusal r;

	if (oa_offer_received(from, str_z(body), &r) < 0)
		fail_msg("%s", r.reason.text);
	if (c->ports)
		c->ports(c, c->arg);
	else
		oa_give_ports(&c->a, &c->b, from);
	if (oa_offer_make(from == &c->a ? &c->b : &c->a, from, &w, &r) < 0)
		fail_msg("%s", r.reason.text);
	c->text[w.len] = '\0';
}

static inline void oa_call_answer(struct oa_call *c, struct oa_leg *from, const char *body)
{
	struct wbuf w = wbuf_make(c->text, sizeof c->text - 1);
	struct oa_refusal r;

	if (oa_answer_received(from, str_z(body), &r) < 0)
		fail_msg("%s", r.reason.text);
	if (oa_answer_make(from == &c->a ? &c->b : &c->a, from, &w, &r) < 0)
		fail_msg("%s", r.reason.text);
	c->text[w.len] = '\0';
}

static inline void oa_call_commit(struct oa_call *c)
{
	assert_int_equal(oa_commit(&c->a), 0);
	assert_int_equal(oa_commit(&c->b), 0);
}

static inline struct oa_call *oa_call_new(const struct oa_policy *a, const struct oa_policy *b)
{
	struct oa_call *c = calloc(1, sizeof *c);

	assert_non_null(c);
	assert_int_equal(oa_leg_init(&c->a, a), 0);
	assert_int_equal(oa_leg_init(&c->b, b), 0);
	return c;
}

static inline void oa_call_free(struct oa_call *c)
{
	oa_leg_close(&c->a);
	oa_leg_close(&c->b);
	free(c);
}
