/* SPDX-License-Identifier: Apache-2.0 */
/* Offers and answers through the two legs of a call: who reads what, and what is refused with which words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/offer_answer.h"
#include "controlplane/keys/sdes.h"
#include "tests/support/cmocka_std.h"

#define K30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define K30B "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
#define CM80 "AES_CM_128_HMAC_SHA1_80 inline:"
#define CRYPTO "a=crypto:1 " CM80 K30 "\r\n"
#define CRYPTO_B "a=crypto:1 " CM80 K30B "\r\n"

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

static struct call *call_new(const struct oa_policy *a, const struct oa_policy *b)
{
	struct call *c = calloc(1, sizeof *c);

	assert_non_null(c);
	assert_int_equal(oa_leg_init(&c->a, a), 0);
	assert_int_equal(oa_leg_init(&c->b, b), 0);
	return c;
}

static void call_free(struct call *c)
{
	oa_leg_close(&c->a);
	oa_leg_close(&c->b);
	free(c);
}

static void give_ports(struct call *c, struct oa_leg *from)
{
	struct oa_leg *legs[] = {&c->a, &c->b};

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

/* The exchange's first half, begun by `from`. */
static int pass_offer(struct call *c, struct oa_leg *from, const char *body)
{
	struct oa_leg *to = from == &c->a ? &c->b : &c->a;
	char *out = to == &c->a ? c->to_a : c->to_b;
	struct wbuf w = wbuf_make(out, OA_BODY_MAX - 1);
	int rc = oa_offer_received(from, str_z(body), &c->r);

	if (rc < 0)
		return rc;
	give_ports(c, from);
	rc = oa_offer_make(to, from, &w, &c->r);
	out[rc < 0 ? 0 : w.len] = '\0';
	return rc;
}

static int pass_answer(struct call *c, struct oa_leg *from, const char *body)
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

static void commit(struct call *c)
{
	assert_int_equal(oa_commit(&c->a), 0);
	assert_int_equal(oa_commit(&c->b), 0);
}

static void must(struct call *c, int rc)
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
static unsigned long version_of(const char *body)
{
	unsigned long id, version;

	assert_int_equal(sscanf(body, "v=0\r\no=- %lu %lu IN", &id, &version), 2);
	return version;
}

/* A peer's answer to what it was offered: the same m-lines with its own address, answering the first a=crypto
 * line. */
static void secure_to_plain(void **state)
{
	struct call *c = call_new(&secure, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_SECURE CRYPTO "a=x-unknown:7\r\n"));
	assert_has(c->to_b, "m=audio 21000 RTP/AVP 8 101\r\n");
	assert_has(c->to_b, "c=IN IP4 203.0.113.2\r\n");
	assert_has(c->to_b, "a=fmtp:101 0-15\r\na=ptime:20\r\n");
	assert_has(c->to_b, "a=x-unknown:7\r\n");
	assert_has_not(c->to_b, "crypto");
	assert_has_not(c->to_b, "10.1.1.1");
	assert_has_not(c->to_b, "alice");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/SAVP 8\r\n");
	assert_has(c->to_a, "c=IN IP4 198.51.100.1\r\n");
	assert_has(c->to_a, "a=crypto:1 " CM80);
	assert_has_not(c->to_a, K30);
	assert_has_not(c->to_a, "10.2.2.2");
	commit(c);
	const struct oa_media *a = oa_media_now(&c->a, 0), *b = oa_media_now(&c->b, 0);

	assert_int_equal(a->remote.port, 4000);
	assert_int_equal(a->remote_rtcp.port, 4001);
	assert_int_equal(b->remote.port, 5000);
	assert_true(a->keys->established);
	assert_int_equal(a->keys->rx.epoch + a->keys->tx.epoch, 3);
	assert_null(b->keys);
	call_free(c);
}

/* Each side has its own suite and keys; mux is offered where the policy says so. */
static void secure_to_secure_with_another_suite(void **state)
{
	struct call *c = call_new(&secure, &secure_gcm);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") "m=audio 4000 RTP/SAVPF 8\r\n" CRYPTO));
	assert_has(c->to_b, "m=audio 21000 RTP/SAVPF 8\r\n");
	assert_has(c->to_b, "a=crypto:1 AEAD_AES_256_GCM inline:");
	assert_has(c->to_b, "a=crypto:2 " CM80);
	assert_has(c->to_b, "a=rtcp-mux\r\n");
	assert_has_not(c->to_b, K30);
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD
			"m=audio 5000 RTP/SAVPF 8\r\na=rtcp-mux\r\na=crypto:1 AEAD_AES_256_GCM inline:" K44
			"\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/SAVPF 8\r\n");
	assert_has_not(c->to_a, "rtcp-mux");
	commit(c);
	assert_int_equal(oa_media_now(&c->b, 0)->keys->tx.suite, SRTP_AEAD_AES_256_GCM);
	assert_int_equal(oa_media_now(&c->a, 0)->keys->tx.suite, SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_true(oa_media_now(&c->b, 0)->mux);
	assert_int_equal(oa_media_now(&c->b, 0)->remote_rtcp.port, 5000);
	assert_false(oa_media_now(&c->a, 0)->mux);
	call_free(c);
}

/* Nothing of the offerer's network, equipment or keys is read on the other side. */
static void topology_is_hidden(void **state)
{
	static const char *const gone[] = {"10.1.1.1", "candidate", "ice-", "fingerprint", "setup", "ssrc",
		"cname", "crypto", "tool", "BUNDLE", "zrtp", "tcap", "acap", "key-mgmt", "rtcp:4711",
		"\nk=", "\ni=", "alice"};
	struct call *c = call_new(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			HEAD("1") "a=tool:baresip\r\na=group:BUNDLE "
				  "0\r\na=ice-options:trickle\r\na=fingerprint:sha-256 AA\r\n"
				  "m=audio 4000 RTP/AVP 8\r\ni=room 7\r\nk=clear:x\r\na=candidate:1 1 UDP 1 "
				  "10.1.1.1 4000 typ host\r\n"
				  "a=ice-ufrag:x\r\na=ice-pwd:y\r\na=setup:actpass\r\na=ssrc:1 "
				  "cname:alice@10.1.1.1\r\n"
				  "a=rtcp:4711 IN IP4 10.1.1.1\r\na=zrtp-hash:1.10 x\r\na=tcap:1 "
				  "RTP/SAVP\r\na=acap:1 crypto:1 x\r\n"
				  "a=key-mgmt:mikey x\r\na=mid:0\r\na=extmap:1 urn:x\r\na=rtcp-fb:* "
				  "nack\r\n" CRYPTO));
	for (unsigned i = 0; i < sizeof gone / sizeof gone[0]; i++)
		assert_has_not(c->to_b, gone[i]);
	assert_has(c->to_b, "a=mid:0\r\na=extmap:1 urn:x\r\na=rtcp-fb:* nack\r\n");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->remote_rtcp.port, 4711);
	call_free(c);
}

static void offers_that_are_refused(void **state)
{
	static const struct oa_policy open_hop = {
		.security = OA_SECURITY_REQUIRED, .method = &agreement_sdes, .keying = {cm, 1, 0}};
	static const struct {
		const struct oa_policy *a, *b;
		const char *body;
		int status, code;
		const char *says;
	} cases[] = {
		{&secure, &plain, HEAD("1") AUDIO_PLAIN, 488, -ENOKEY,
			"m-line 1 (audio): SRTP is required, and this is RTP/AVP without a=crypto"},
		{&secure, &plain, HEAD("1") AUDIO_PLAIN CRYPTO, 488, -ENOKEY,
			"SRTP is required, and this is RTP/AVP (a=crypto belongs into RTP/SAVP)"},
		{&secure, &plain, HEAD("1") AUDIO_SECURE, 488, -ENOKEY,
			"m-line 1 (audio): there is no a=crypto line"},
		{&secure, &plain, HEAD("1") AUDIO_SECURE "a=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n",
			488, -ENOKEY,
			"no a=crypto line is acceptable (1: its suite AEAD_AES_256_GCM is not allowed here)"},
		{&secure, &plain, HEAD("1") "m=audio 9 UDP/TLS/RTP/SAVPF 8\r\na=fingerprint:sha-256 AA\r\n",
			488, -EPROTONOSUPPORT, "UDP/TLS/RTP/SAVPF: DTLS-SRTP is not enabled here"},
		{&open_hop, &plain, HEAD("1") AUDIO_SECURE CRYPTO, 488, -ENOKEY,
			"keys in SDP (sdes) over a signalling hop that is not encrypted"},
		{&plain, &open_hop, HEAD("1") AUDIO_PLAIN, 488, -ENOKEY,
			"keys in SDP (sdes) may not be sent over a signalling hop that is not encrypted"},
		{&plain, &plain, HEAD("1") AUDIO_SECURE CRYPTO, 488, -EPROTONOSUPPORT,
			"RTP/SAVP where plain RTP is configured"},
		{&plain, &plain, HEAD("1") "m=audio 4000 DCCP/RTP/AVP 8\r\n", 488, -EPROTONOSUPPORT,
			"the protocol DCCP/RTP/AVP is not relayed"},
		{&plain, &plain, HEAD("1") "m=image 4000 udptl t38\r\n", 488, -EPROTONOSUPPORT,
			"m-line 1 (image): media of this type is not relayed"},
		{&plain, &plain, HEAD("1") "m=audio 0 RTP/AVP 8\r\n", 488, -EINVAL, "no m-line to be used"},
		{&plain, &plain, HEAD("1"), 488, -EINVAL, "no m-line to be used"},
		{&plain, &plain, HEAD("1") "m=audio 65535 RTP/AVP 8\r\n", 488, -EINVAL,
			"port 65535 leaves no port for RTCP"},
		{&plain, &plain, "v=0\r\nnonsense\r\n", 400, -EINVAL,
			"the offer: line 2: not a letter and '='"},
		{&plain, &plain, HEAD("1") "m=audio 4000 a\"b\\c\xff 8\r\n", 488, -EPROTONOSUPPORT,
			"the protocol a?b?c? is"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(cases[i].a, cases[i].b);
		int rc = pass_offer(c, &c->a, cases[i].body);

		if (rc != cases[i].code || c->r.status != cases[i].status ||
			!strstr(c->r.reason.text, cases[i].says))
			fail_msg("case %u: %d %d '%s'", i, rc, c->r.status, c->r.reason.text);
		assert_int_equal(c->b.state, OA_IDLE);
		assert_has_not(c->r.reason.text, K30);
		call_free(c);
	}
}

static void answers_that_are_refused(void **state)
{
	static const struct {
		const char *body;
		int status, code;
		const char *says;
	} cases[] = {
		{ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n", 488, -ENOKEY,
			"the answer to a secure offer (RTP/SAVP) is RTP/AVP"},
		{ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n" CRYPTO, 488, -ENOKEY,
			"the answer to a secure offer"},
		{ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n", 488, -ENOKEY, "the answer has no a=crypto line"},
		{ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO CRYPTO_B, 488, -ENOKEY, "2 a=crypto lines"},
		{ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\na=crypto:2 " CM80 K30 "\r\n", 488, -ENOKEY,
			"tag 2 was not offered"},
		{ANSWER_HEAD "m=audio 5000 UDP/TLS/RTP/SAVP 8\r\n" CRYPTO, 502, -EPROTO,
			"the answer to RTP/SAVP is UDP/TLS/"},
		{ANSWER_HEAD "m=audio 0 RTP/SAVP 8\r\n", 488, -EPROTONOSUPPORT,
			"accepts none of the media offered"},
		{ANSWER_HEAD "m=video 5000 RTP/SAVP 8\r\n" CRYPTO, 502, -EPROTO,
			"the answer is of another media type"},
		{ANSWER_HEAD, 502, -EPROTO, "the answer has 0 m-lines, 1 were offered"},
		{ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO "m=audio 5002 RTP/SAVP 8\r\n", 502, -EPROTO,
			"the answer has 2 m-lines, 1 were offered"},
		{"rubbish", 502, -EINVAL, "the answer: line 1"},
		{"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 5000 RTP/SAVP "
		 "8\r\n" CRYPTO,
			488, -EAFNOSUPPORT, "its address is not of the family of ours"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&plain, &secure);

		must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
		int rc = pass_answer(c, &c->b, cases[i].body);

		if (rc != cases[i].code || c->r.status != cases[i].status ||
			!strstr(c->r.reason.text, cases[i].says))
			fail_msg("case %u: %d %d '%s'", i, rc, c->r.status, c->r.reason.text);
		assert_int_equal(oa_commit(&c->b), -EINVAL);
		call_free(c);
	}
}

/* A peer that sends our own offer back as its answer. */
static void an_echoing_peer_is_refused(void **state)
{
	struct call *c = call_new(&plain, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
	assert_int_equal(pass_answer(c, &c->b, c->to_b), -ENOKEY);
	assert_has(c->r.reason.text, "sends our own key back");
	call_free(c);
}

/* M-lines keep their places: what is not relayed has port 0 on both sides and its own words for its offerer.
 */
static void m_lines_are_refused_one_by_one(void **state)
{
	struct call *c = call_new(&secure, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			HEAD("1") "m=application 7000 UDP/DTLS/SCTP webrtc-datachannel\r\n" AUDIO_SECURE
				CRYPTO "m=video 6000 RTP/AVP 97\r\nm=video 6002 RTP/SAVP 98\r\n" CRYPTO_B));
	assert_has(c->to_b,
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio 21002 RTP/AVP 8 101\r\n");
	assert_has(c->to_b, "m=video 0 RTP/AVP 97\r\nm=video 21006 RTP/AVP 98\r\n");
	assert_string_equal(oa_media_at(&c->a, 2)->why_not,
		"m-line 3 (video): SRTP is required, and this is RTP/AVP without a=crypto");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD
			"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio 5000 RTP/AVP 8\r\n"
			"m=video 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 98\r\n"));
	assert_has(
		c->to_a, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio 20002 RTP/SAVP 8\r\n");
	assert_has(c->to_a, "m=video 0 RTP/AVP 97\r\nm=video 0 RTP/SAVP 98\r\n");
	commit(c);
	assert_false(oa_media_now(&c->a, 3)->used);
	assert_null(oa_media_now(&c->a, 3)->keys);
	call_free(c);
}

static struct call *established(const struct oa_policy *a, const struct oa_policy *b)
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

static void hold_and_resume(void **state)
{
	struct call *c = established(&plain, &plain);
	unsigned long before_b = version_of(c->to_b), before_a = version_of(c->to_a);

	(void)state;
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV);
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_has(c->to_b, "a=sendonly\r\n");
	assert_int_equal(version_of(c->to_b), before_b + 1);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV); /* until it is answered */
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	assert_has(c->to_a, "a=recvonly\r\n");
	assert_int_equal(version_of(c->to_a), before_a + 1);
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_RECVONLY);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDONLY);
	/* The other side resumes. Its m-line is on the same ports. */
	must(c, pass_offer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/AVP 8\r\n");
	must(c, pass_answer(c, &c->a, HEAD("3") "m=audio 4000 RTP/AVP 8\r\n"));
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDRECV);
	call_free(c);
}

/* RFC 2543's hold: c=0.0.0.0. Nothing can be sent there, and the other side is told so in today's words. */
static void hold_by_address(void **state)
{
	struct call *c = established(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			"v=0\r\no=alice 77 2 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 "
			"0\r\n" AUDIO_PLAIN));
	assert_has(c->to_b, "a=sendonly\r\n");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->remote.ip.family, IP_NONE);
	assert_int_equal(oa_media_now(&c->a, 0)->remote_rtcp.ip.family, IP_NONE);
	call_free(c);
}

/* An answer may not claim more than was offered. */
static void directions_stay_within_the_offer(void **state)
{
	struct call *c = call_new(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN "a=recvonly\r\n"));
	assert_has(c->to_b, "a=recvonly\r\n");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=sendrecv\r\n"));
	assert_has(c->to_a, "a=sendonly\r\n");
	commit(c);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_RECVONLY);
	call_free(c);
}

static void versions_change_only_with_content(void **state)
{
	struct call *c = established(&plain, &secure);
	unsigned long a1 = version_of(c->to_a), b1 = version_of(c->to_b);

	(void)state;
	/* The same again in another o= version: A's peer reads the same answer; B's peer reads new keys. */
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN));
	assert_int_equal(version_of(c->to_b), b1 + 1);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_int_equal(version_of(c->to_a), a1);
	commit(c);
	/* A refused re-offer uses its version up: the next body does not claim it for something else. */
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_int_equal(version_of(c->to_b), b1 + 2);
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDRECV);
	must(c, pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN));
	assert_int_equal(version_of(c->to_b), b1 + 3);
	call_free(c);
}

/* A session refresh repeats its offer: it is answered from memory, keys and version unchanged. */
static void a_refresh_is_answered_alone(void **state)
{
	struct call *c = established(&secure, &plain);
	char *first = strdup(c->to_a);
	struct wbuf w = wbuf_make(c->to_a, OA_BODY_MAX - 1);
	struct agreed_key tx = oa_media_now(&c->a, 0)->keys->tx;

	(void)state;
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("1") AUDIO_SECURE CRYPTO), &c->r), 1);
	must(c, oa_answer_make(&c->a, &c->b, &w, &c->r));
	c->to_a[w.len] = '\0';
	assert_string_equal(c->to_a, first);
	assert_int_equal(oa_commit(&c->a), 0);
	assert_true(agreed_key_equal(&oa_media_now(&c->a, 0)->keys->tx, &tx));
	assert_int_equal(oa_media_now(&c->a, 0)->keys->tx.epoch, tx.epoch);
	/* With another key it is not a refresh. */
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("1") AUDIO_SECURE CRYPTO_B), &c->r), 0);
	free(first);
	call_free(c);
}

/* A re-offer on the secure side with its old key leaves both keys as they are; with a new one, both change.
 */
static void keys_of_a_re_offer(void **state)
{
	struct call *c = established(&secure, &plain);
	const struct agreement *k = oa_media_now(&c->a, 0)->keys;
	uint32_t rx = k->rx.epoch, tx = k->tx.epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_SECURE CRYPTO "a=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	commit(c);
	k = oa_media_now(&c->a, 0)->keys;
	assert_int_equal(k->rx.epoch, rx);
	assert_int_equal(k->tx.epoch, tx);
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_SECURE CRYPTO_B));
	assert_int_equal(oa_media_now(&c->a, 0)->keys->rx.epoch, rx); /* still */
	assert_true(oa_next_rx(&c->a, 0)->epoch > tx);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_null(oa_next_rx(&c->a, 0));
	commit(c);
	k = oa_media_now(&c->a, 0)->keys;
	assert_true(k->rx.epoch > tx && k->tx.epoch > tx && k->rx.epoch != k->tx.epoch);
	call_free(c);
}

static void rekey_of_one_leg(void **state)
{
	struct call *c = established(&plain, &secure);
	char *old = strdup(c->to_b);
	struct agreed_key before = oa_media_now(&c->b, 0)->keys->tx;
	struct wbuf w = wbuf_make(c->to_b, OA_BODY_MAX - 1);

	(void)state;
	must(c, oa_offer_rekey(&c->b, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_true(oa_keys_pending(&c->b));
	assert_int_equal(version_of(c->to_b), version_of(old) + 1);
	/* The same text but for the version and the key. */
	assert_string_equal(strstr(c->to_b, "s=-") ? "s" : "", "s");
	assert_memory_equal(strstr(c->to_b, "s=-"), strstr(old, "s=-"),
		(size_t)(strstr(old, "inline:") - strstr(old, "s=-")));
	assert_string_not_equal(strstr(c->to_b, "inline:"), strstr(old, "inline:"));
	must(c, oa_answer_received(&c->b, str_z(ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO), &c->r));
	assert_int_equal(oa_commit(&c->b), 0);
	assert_false(agreed_key_equal(&oa_media_now(&c->b, 0)->keys->tx, &before));
	assert_false(oa_keys_pending(&c->b));
	free(old);
	call_free(c);
}

/* An m-line added, disabled and enabled again keeps its place and its ports. */
static void m_lines_come_and_go(void **state)
{
	static const char video[] =
		HEAD("2") AUDIO_PLAIN "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";
	struct call *c = established(&plain, &plain);

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		must(c, pass_offer(c, &c->a, video));
		assert_has(c->to_b, "m=video 21002 RTP/AVP 96\r\n");
		must(c, pass_answer(c, &c->b,
				ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\nm=video 5002 RTP/AVP 96\r\n"));
		commit(c);
		assert_true(oa_media_now(&c->b, 1)->used);
		must(c, pass_offer(
				c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
		assert_has(c->to_a, "m=video 0 RTP/AVP 96\r\n");
		must(c, pass_answer(c, &c->a, HEAD("3") AUDIO_PLAIN "m=video 0 RTP/AVP 96\r\n"));
		commit(c);
		assert_false(oa_media_now(&c->a, 1)->used);
	}
	/* Fewer m-lines than there were. */
	assert_int_equal(pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN), -EINVAL);
	assert_int_equal(c->r.status, 488);
	assert_has(c->r.reason.text, "an offer of 1 m-lines in a session of 2");
	assert_int_equal(c->a.state, OA_IDLE);
	/* All disabled is a valid state of a call that stands. */
	must(c, pass_offer(c, &c->a, HEAD("5") "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
	commit(c);
	call_free(c);
}

/* A secure call cannot be re-offered into a clear one, and goes on when it is tried. */
static void a_secure_call_stays_secure(void **state)
{
	struct call *c = established(&secure, &secure);

	(void)state;
	assert_int_equal(pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN), -ENOKEY);
	assert_int_equal(c->r.status, 488);
	assert_true(oa_media_now(&c->a, 0)->keys->established);
	must(c, pass_offer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_int_equal(pass_answer(c, &c->a, HEAD("2") AUDIO_PLAIN), -ENOKEY);
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_true(oa_media_now(&c->a, 0)->keys->established);
	call_free(c);
}

/* 183 with one answer, 200 with another: the later one counts, our keys stay, the caller's too. */
static void a_later_answer_replaces_an_earlier(void **state)
{
	struct call *c = call_new(&secure, &secure);
	char early[OA_BODY_MAX];

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_SECURE CRYPTO));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 6000 RTP/SAVP 8\r\n" CRYPTO_B));
	strcpy(early, c->to_a);
	uint32_t rx = oa_media_now(&c->b, 0)->keys->rx.epoch, tx = oa_media_now(&c->b, 0)->keys->tx.epoch;

	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 6000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_string_equal(c->to_a, early);
	assert_int_equal(oa_media_now(&c->b, 0)->keys->rx.epoch, rx);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO));
	assert_string_equal(c->to_a, early);
	assert_int_equal(oa_media_now(&c->b, 0)->remote.port, 5000);
	assert_true(oa_media_now(&c->b, 0)->keys->rx.epoch > rx);
	assert_int_equal(oa_media_now(&c->b, 0)->keys->tx.epoch, tx);
	commit(c);
	call_free(c);
}

/* RTCP multiplexing is agreed on each side for itself. */
static void multiplexing_by_policy(void **state)
{
	static const struct oa_policy never = {.security = OA_SECURITY_NONE, .mux = OA_MUX_NEVER};
	static const struct oa_policy offer = {.security = OA_SECURITY_NONE, .mux = OA_MUX_OFFER};
	struct call *c = call_new(&plain, &never);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN "a=rtcp-mux\r\n"));
	assert_has_not(c->to_b, "rtcp-mux");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=rtcp-mux\r\n")); /* unasked: ignored */
	assert_has(c->to_a, "a=rtcp-mux\r\n");
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->remote_rtcp.port, 4000);
	assert_int_equal(oa_media_now(&c->b, 0)->remote_rtcp.port, 5001);
	call_free(c);

	c = call_new(&never, &offer);
	assert_int_equal(pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN "a=rtcp-mux-only\r\n"), -EPROTONOSUPPORT);
	assert_has(c->r.reason.text, "rtcp-mux-only");
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN "a=rtcp-mux\r\n"));
	assert_has(c->to_b, "a=rtcp-mux\r\n");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=rtcp:5009\r\n"));
	assert_has_not(c->to_a, "rtcp-mux");
	commit(c);
	assert_int_equal(oa_media_now(&c->b, 0)->remote_rtcp.port, 5009);
	call_free(c);
}

/* The INVITE had no SDP: the callee offers in its 2xx, the caller answers in its ACK. */
static void delayed_offer(void **state)
{
	struct call *c = call_new(&secure, &plain);

	(void)state;
	must(c, pass_offer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/SAVP 8\r\n");
	assert_has(c->to_a, "a=crypto:1 " CM80);
	must(c, pass_answer(c, &c->a, HEAD("1") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO));
	assert_has(c->to_b, "m=audio 21000 RTP/AVP 8\r\n");
	commit(c);
	assert_true(oa_media_now(&c->a, 0)->keys->established);
	call_free(c);
}

static void offers_do_not_overlap(void **state)
{
	struct call *c = call_new(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("2") AUDIO_PLAIN), &c->r), -EBUSY);
	assert_int_equal(c->r.status, 491);
	assert_int_equal(oa_offer_received(&c->b, str_z(HEAD("2") AUDIO_PLAIN), &c->r), -EBUSY);
	assert_int_equal(c->r.status, 491);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	call_free(c);
}

/* IPv6 on one side, 1:1 NAT on the other, RTCP not next to RTP. */
static void addresses_of_each_side(void **state)
{
	struct call *c = call_new(&plain, &plain);
	struct oa_local v6 = {.rtp.port = 30000, .rtcp.port = 40000},
			nat = {.rtp.port = 31000, .rtcp.port = 31001};
	struct wbuf w = wbuf_make(c->to_b, OA_BODY_MAX - 1);

	(void)state;
	ip_parse(STR("2001:db8::5"), &v6.rtp.ip);
	v6.rtcp.ip = v6.rtp.ip;
	ip_parse(STR("10.9.9.9"), &nat.rtp.ip);
	nat.rtcp.ip = nat.rtp.ip;
	ip_parse(STR("192.0.2.99"), &nat.advertised);
	must(c, oa_offer_received(&c->a,
			STR("v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio "
			    "4000 RTP/AVP 8\r\n"),
			&c->r));
	assert_int_equal(oa_offer_make(&c->b, &c->a, &w, &c->r), -EADDRNOTAVAIL);
	oa_set_local(&c->a, 0, &v6);
	oa_set_local(&c->b, 0, &nat);
	must(c, oa_offer_make(&c->b, &c->a, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_has(c->to_b, " IN IP4 192.0.2.99\r\ns=-\r\nc=IN IP4 192.0.2.99\r\n");
	assert_has_not(c->to_b, "10.9.9.9");
	assert_has_not(c->to_b, "a=rtcp:");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_has(c->to_a, " IN IP6 2001:db8::5\r\ns=-\r\nc=IN IP6 2001:db8::5\r\n");
	assert_has(c->to_a, "a=rtcp:40000\r\n");
	call_free(c);
}

/* What does not fit leaves nothing of itself behind, keys least of all. */
static void a_small_buffer_is_wiped(void **state)
{
	struct call *c = call_new(&plain, &secure);
	static const char zero[1024];
	char small[200] = {0};
	struct wbuf w = wbuf_make(small, sizeof small);

	(void)state;
	must(c, oa_offer_received(&c->a, str_z(HEAD("1") AUDIO_PLAIN), &c->r));
	give_ports(c, &c->a);
	assert_int_equal(oa_offer_make(&c->b, &c->a, &w, &c->r), -EMSGSIZE);
	assert_memory_equal(small, zero, sizeof small);
	assert_int_equal(c->b.state, OA_IDLE);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secure_to_plain),
		cmocka_unit_test(secure_to_secure_with_another_suite),
		cmocka_unit_test(topology_is_hidden),
		cmocka_unit_test(offers_that_are_refused),
		cmocka_unit_test(answers_that_are_refused),
		cmocka_unit_test(an_echoing_peer_is_refused),
		cmocka_unit_test(m_lines_are_refused_one_by_one),
		cmocka_unit_test(hold_and_resume),
		cmocka_unit_test(hold_by_address),
		cmocka_unit_test(directions_stay_within_the_offer),
		cmocka_unit_test(versions_change_only_with_content),
		cmocka_unit_test(a_refresh_is_answered_alone),
		cmocka_unit_test(keys_of_a_re_offer),
		cmocka_unit_test(rekey_of_one_leg),
		cmocka_unit_test(m_lines_come_and_go),
		cmocka_unit_test(a_secure_call_stays_secure),
		cmocka_unit_test(a_later_answer_replaces_an_earlier),
		cmocka_unit_test(multiplexing_by_policy),
		cmocka_unit_test(delayed_offer),
		cmocka_unit_test(offers_do_not_overlap),
		cmocka_unit_test(addresses_of_each_side),
		cmocka_unit_test(a_small_buffer_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
