/* SPDX-License-Identifier: Apache-2.0 */
/* The two legs of a call under test, as test_offer_answer.c and test_oa_reoffer.c have them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/oa_call.h"

#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
#define CM80 "AES_CM_128_HMAC_SHA1_80 inline:"

#define HEAD(version)                                                                                        \
	"v=0\r\no=alice 77 " version " IN IP4 10.1.1.1\r\ns=call\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\n"
#define AUDIO_PLAIN                                                                                          \
	"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "                     \
	"0-15\r\na=ptime:20\r\n"
#define AUDIO_SECURE                                                                                         \
	"m=audio 4000 RTP/SAVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "                    \
	"0-15\r\na=ptime:20\r\n"
#define ANSWER_HEAD "v=0\r\no=bob 88 1 IN IP4 10.2.2.2\r\ns=-\r\nc=IN IP4 10.2.2.2\r\nt=0 0\r\n"

static const enum srtp_suite cm[] = {SRTP_AES_CM_128_HMAC_SHA1_80};
static const enum srtp_suite gcm_cm[] = {SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};

static const struct oa_policy plain = {.security = OA_SECURITY_NONE, .mux = OA_MUX_ACCEPT};
static const struct oa_policy secure = {
	.security = OA_SECURITY_REQUIRED,
	.mux = OA_MUX_ACCEPT,
	.method = &agreement_sdes,
	.keying = {cm, 1, 0},
	.hop_encrypted = true,
};
static const struct oa_policy secure_gcm = {
	.security = OA_SECURITY_REQUIRED,
	.mux = OA_MUX_OFFER,
	.method = &agreement_sdes,
	.keying = {gcm_cm, 2, 0},
	.hop_encrypted = true,
};

/* One call: what each side last read, as text. */
struct call {
	struct oa_leg a, b;
	struct oa_refusal r;
	char to_b[OA_BODY_MAX], to_a[OA_BODY_MAX];
};

static inline struct call *call_new(const struct oa_policy *a, const struct oa_policy *b)
{
	struct call *c = calloc(1, sizeof *c);

	assert_non_null(c);
	assert_int_equal(oa_leg_init(&c->a, a), 0);
	assert_int_equal(oa_leg_init(&c->b, b), 0);
	return c;
}

static inline void call_free(struct call *c)
{
	oa_leg_close(&c->a);
	oa_leg_close(&c->b);
	free(c);
}

/* The exchange's first half, begun by `from`. */
static inline int pass_offer(struct call *c, struct oa_leg *from, const char *body)
{
	struct oa_leg *to = from == &c->a ? &c->b : &c->a;
	char *out = to == &c->a ? c->to_a : c->to_b;
	struct wbuf w = wbuf_make(out, OA_BODY_MAX - 1);
	int rc = oa_offer_received(from, str_z(body), &c->r);

	if (rc < 0)
		return rc;
	oa_give_ports(&c->a, &c->b, from);
	rc = oa_offer_make(to, from, &w, &c->r);
	out[rc < 0 ? 0 : w.len] = '\0';
	return rc;
}

static inline int pass_answer(struct call *c, struct oa_leg *from, const char *body)
{
	struct oa_leg *to = from == &c->a ? &c->b : &c->a;
	char *out = to == &c->a ? c->to_a : c->to_b;
	struct wbuf w = wbuf_make(out, OA_BODY_MAX - 1);
	int rc = oa_answer_received(from, str_z(body), &c->r);

	if (rc < 0)
		return rc;
	rc = oa_answer_make(to, from, &w, &c->r);
	out[rc < 0 ? 0 : w.len] = '\0';
	return rc;
}

static inline void commit(struct call *c)
{
	assert_int_equal(oa_commit(&c->a), 0);
	assert_int_equal(oa_commit(&c->b), 0);
}

static inline void must(struct call *c, int rc)
{
	if (rc < 0)
		fail_msg("%d: %d %s", rc, c->r.status, c->r.reason.text);
}

#define assert_has(text, part)                                                                               \
	do {                                                                                                 \
		if (!strstr(text, part))                                                                     \
			fail_msg("'%s' is not in:\n%s", part, text);                                         \
	} while (0)
#define assert_has_not(text, part)                                                                           \
	do {                                                                                                 \
		if (strstr(text, part))                                                                      \
			fail_msg("'%s' is in:\n%s", part, text);                                             \
	} while (0)

/* The version in a body's o= line. */
static inline unsigned long version_of(const char *body)
{
	unsigned long id, version;

	assert_int_equal(sscanf(body, "v=0\r\no=- %lu %lu IN", &id, &version), 2);
	return version;
}

/* A call that is up; a secure side answers the first a=crypto line. */
static inline struct call *established(const struct oa_policy *a, const struct oa_policy *b)
{
	struct call *c = call_new(a, b);
	bool sa = a->security == OA_SECURITY_REQUIRED, sb = b->security == OA_SECURITY_REQUIRED;

	must(c, pass_offer(c, &c->a, sa ? HEAD("1") AUDIO_SECURE CRYPTO : HEAD("1") AUDIO_PLAIN));
	must(c, pass_answer(c, &c->b,
			sb ? ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B
			   : ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	commit(c);
	return c;
}
