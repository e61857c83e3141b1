/* SPDX-License-Identifier: Apache-2.0 */
/* Offers and answers through the two legs of a call: who reads what, and what is refused with which words. */
#include <errno.h>

#include "tests/unit/oa_bench.h"

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
	assert_has(c->to_b, "m=audio 21000 RTP/SAVP 8\r\n"); /* many know nothing of feedback, and speech needs none */
	assert_has(c->to_b, "a=crypto:1 AEAD_AES_256_GCM inline:");
	assert_has(c->to_b, "a=crypto:2 " CM80);
	assert_has(c->to_b, "a=rtcp-mux\r\n");
	assert_has_not(c->to_b, K30);
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD
			"m=audio 5000 RTP/SAVP 8\r\na=rtcp-mux\r\na=crypto:1 AEAD_AES_256_GCM inline:" K44
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

/* Who takes the feedback profile alone is offered it whatever the other side said; a session keeps its
 * profile. */
static void the_feedback_profile_whoever_calls(void **state)
{
	struct oa_policy always[] = {plain, secure};
	static const char *const protos[] = {"RTP/AVPF", "RTP/SAVPF"}, *const basic[] = {
									       "RTP/AVP", "RTP/SAVP"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const char *keys = i ? CRYPTO : "";
		char line[64], body[512];

		always[i].profile = OA_PROFILE_FEEDBACK;
		struct call *c = call_new(&plain, &always[i]);

		must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
		snprintf(line, sizeof line, "m=audio 21000 %s 8 101\r\n", protos[i]);
		assert_has(c->to_b, line);
		snprintf(body, sizeof body, ANSWER_HEAD "m=audio 5000 %s 8\r\n%s", protos[i], keys);
		must(c, pass_answer(c, &c->b, body));
		assert_has(c->to_a, "m=audio 20000 RTP/AVP 8\r\n");
		commit(c);
		must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=sendonly\r\n"));
		assert_has(c->to_b, line);
		call_free(c);

		/* It calls, in whichever profile. */
		c = call_new(&always[i], &plain);
		snprintf(body, sizeof body, HEAD("1") "m=audio 4000 %s 8\r\n%s", basic[i], keys);
		must(c, pass_offer(c, &c->a, body));
		assert_has(c->to_b, "m=audio 21000 RTP/AVP 8\r\n");
		must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
		commit(c);
		must(c, pass_offer(c, &c->b,
				"v=0\r\no=bob 88 2 IN IP4 10.2.2.2\r\ns=-\r\nc=IN IP4 10.2.2.2\r\nt=0 0\r\n"
				"m=audio 5000 RTP/AVP 8\r\na=sendonly\r\n"));
		snprintf(line, sizeof line, "m=audio 20000 %s 8\r\n", basic[i]);
		assert_has(c->to_a, line);
		call_free(c);
	}
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
	assert_has(c->to_b, "a=extmap:1 urn:x\r\na=rtcp-fb:* nack\r\n");
	assert_has_not(c->to_b, "a=mid");
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
	assert_string_equal(oa_why_not(&c->a, 2),
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
	oa_give_ports(&c->a, &c->b, &c->a);
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
		cmocka_unit_test(the_feedback_profile_whoever_calls),
		cmocka_unit_test(topology_is_hidden),
		cmocka_unit_test(offers_that_are_refused),
		cmocka_unit_test(answers_that_are_refused),
		cmocka_unit_test(an_echoing_peer_is_refused),
		cmocka_unit_test(m_lines_are_refused_one_by_one),
		cmocka_unit_test(directions_stay_within_the_offer),
		cmocka_unit_test(multiplexing_by_policy),
		cmocka_unit_test(delayed_offer),
		cmocka_unit_test(addresses_of_each_side),
		cmocka_unit_test(a_small_buffer_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
