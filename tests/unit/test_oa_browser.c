/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions as Chromium wrote them (tests/browser/sdp), and what a SIP trunk and the browser hear of them. */
#include "lib/srtp/rtcp_feedback.h"
#include "tests/unit/oa_browser_bench.h"

#define TRUNK_AUDIO ANSWER_HEAD "m=audio 5000 RTP/SAVP 0 126\r\na=rtpmap:126 telephone-event/8000\r\n" CRYPTO_B
#define AUDIO_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

/* The same as a browser writes it that bundles nothing: each m-line has a transport of its own anyway. */
static const char *unbundled(const char *name)
{
	char *text = written(name), *group = strstr(text, "a=group:BUNDLE"), *next;

	assert_non_null(group);
	next = strchr(group, '\n') + 1;
	memmove(group, next, strlen(next) + 1);
	return text;
}

static void a_trunk_hears_nothing_of_a_browser(void **state)
{
	static const char *const offers[] = {"chromium-audio", "chromium-audio-trickle", "chromium-audio-video"};
	static const char *const gone[] = {"UDP/TLS", "SAVPF 111", "BUNDLE", "a=mid", "msid", "ssrc:", "ice-", "candidate",
		"fingerprint", "setup", "extmap-allow-mixed", "transport-wide-cc", "abs-send-time", "sdes:mid",
		"rtcp-fb:111", "rtcp-rsize\r\na=rtpmap:111", "rtcp-xr:rcvr-rtt=all\r\na=rtpmap:111"};

	(void)state;
	for (unsigned i = 0; i < sizeof offers / sizeof offers[0]; i++) {
		struct call *c = call_new(&browser, &secure);

		must(c, pass_offer(c, &c->a, written(offers[i])));
		assert_has(c->to_b, "m=audio 21000 RTP/SAVP 111 63 9 0 8 13 110 126\r\n");
		assert_has(c->to_b, "a=rtpmap:111 opus/48000/2\r\n");
		assert_has(c->to_b, "a=rtpmap:126 telephone-event/8000\r\n");
		assert_has(c->to_b, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 ");
		assert_has(c->to_b, "a=extmap:1 " AUDIO_LEVEL "\r\n");
		for (unsigned k = 0; k < sizeof gone / sizeof gone[0]; k++)
			assert_has_not(c->to_b, gone[k]);
		call_free(c);
	}
}

/* The trunk speaks G.711 and knows nothing of extensions or feedback. */
static void the_browser_is_answered_in_its_own_words(void **state)
{
	struct call *c = call_new(&browser, &secure);
	const struct oa_media *m;

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio")));
	must(c, pass_answer(c, &c->b, TRUNK_AUDIO));
	assert_has(c->to_a, "a=group:BUNDLE 0\r\n");
	assert_has(c->to_a, "m=audio 20000 UDP/TLS/RTP/SAVPF 0 126\r\n");
	assert_true(has_line(c->to_a, "a=mid:0"));
	assert_true(has_line(c->to_a, "a=rtcp-mux"));
	assert_true(has_line(c->to_a, "a=setup:active"));
	assert_has_not(c->to_a, "extmap");
	assert_has_not(c->to_a, "rtcp-fb");
	commit(c);
	for (unsigned side = 0; side < 2; side++) {
		m = oa_media_now(side ? &c->b : &c->a, 0);
		assert_int_equal(m->extensions, DP_EXTENSIONS_LIMITED);
		assert_int_equal(m->feedback, RTCP_FEEDBACK_LIMITED);
		assert_int_equal(m->direction, SDP_SENDRECV);
	}
	assert_true(oa_media_now(&c->a, 0)->mux);
	call_free(c);
}

static void what_both_agree_on_passes(void **state)
{
	static const char answer[] = ANSWER_HEAD "m=audio 5000 RTP/SAVP 0\r\n" CRYPTO_B "a=extmap:1 " AUDIO_LEVEL
						 "\r\na=extmap:2 urn:example:of-its-own\r\n"
						 "m=video 5002 RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n" CRYPTO_B
						 "a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\n"
						 "a=extmap:13 urn:3gpp:video-orientation\r\n";
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, unbundled("chromium-audio-video")));
	assert_has(c->to_b, "m=video 21002 RTP/SAVPF 96 ");
	assert_has(c->to_b, "a=rtcp-fb:96 nack pli\r\n");
	must(c, pass_answer(c, &c->b, answer));
	assert_has_not(c->to_a, "BUNDLE");
	assert_true(has_line(c->to_a, "a=mid:1"));
	assert_has(c->to_a, "m=video 20002 UDP/TLS/RTP/SAVPF 96\r\n");
	assert_has(c->to_a, "a=extmap:1 " AUDIO_LEVEL "\r\n");
	assert_has(c->to_a, "a=extmap:13 urn:3gpp:video-orientation\r\n");
	assert_has_not(c->to_a, "of-its-own");
	commit(c);
	for (unsigned side = 0; side < 2; side++) {
		const struct oa_leg *leg = side ? &c->b : &c->a;

		assert_int_equal(oa_media_now(leg, 0)->extensions, DP_EXTENSIONS_LIMITED | 1 << 1);
		assert_int_equal(oa_media_now(leg, 1)->extensions, DP_EXTENSIONS_LIMITED | 1 << 13);
		assert_int_equal(oa_media_now(leg, 1)->feedback,
			RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_PLI | RTCP_FEEDBACK_FIR);
	}
	call_free(c);
}

/* VP8 with retransmissions is taken, RED, FEC and other codecs are not; PLI and NACK of all the feedback. */
static void firefox_and_its_formats(void **state)
{
	static const char video[] = "m=video 5002 RTP/SAVPF 120 124\r\na=rtpmap:120 VP8/90000\r\na=rtcp-fb:120 nack\r\n"
				    "a=rtcp-fb:120 nack pli\r\na=rtpmap:124 rtx/90000\r\na=fmtp:124 apt=120\r\n" CRYPTO_B;
	struct call *c = call_new(&browser, &secure);
	char answer[1024];

	(void)state;
	must(c, pass_offer(c, &c->a, written("firefox-audio-video")));
	assert_has(c->to_b, "m=audio 21000 RTP/SAVP 109 9 0 8 101\r\n");
	assert_has(c->to_b, "m=video 21002 RTP/SAVPF 120 124 121 125 99 100 123 122 119\r\n");
	assert_has(c->to_b, "a=fmtp:124 apt=120\r\n");
	assert_has(c->to_b, "a=rtpmap:123 ulpfec/90000\r\n");
	assert_has_not(c->to_b, "playout-delay");
	assert_has_not(c->to_b, "ssrc-group");
	snprintf(answer, sizeof answer, "%s%s", TRUNK_AUDIO, video);
	must(c, pass_answer(c, &c->b, answer));
	assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1"));
	assert_has(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 120 124\r\n");
	assert_has(c->to_a, "a=fmtp:124 apt=120\r\n");
	/* An m-line without a fingerprint ends the page. */
	assert_non_null(strstr(strstr(c->to_a, "m=video"), "a=fingerprint:"));
	commit(c);
	for (unsigned side = 0; side < 2; side++)
		assert_int_equal(oa_media_now(side ? &c->b : &c->a, 1)->feedback,
			RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_NACK | RTCP_FEEDBACK_PLI);
	call_free(c);
}

/* The trunk has no video. */
static void video_in_a_bundle_is_refused(void **state)
{
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	assert_has(c->to_b, "m=video 21002 RTP/SAVPF 96 ");
	must(c, pass_answer(c, &c->b, TRUNK_AUDIO "m=video 0 RTP/SAVP 96\r\n"));
	assert_has(c->to_a, "a=group:BUNDLE 0\r\n");
	assert_has(c->to_a, "m=video 0 UDP/TLS/RTP/SAVPF 96 ");
	assert_true(has_line(c->to_a, "a=mid:1"));
	commit(c);
	call_free(c);
}

/* The trunk calls: the browser answers, holds by a=sendonly, and is offered again under the same names. */
static void a_browser_that_is_called(void **state)
{
	struct call *c = call_new(&secure, &browser);
	char first[OA_BODY_MAX];

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_SECURE CRYPTO));
	assert_has(c->to_b, "a=group:BUNDLE m0\r\n");
	assert_true(has_line(c->to_b, "a=mid:m0"));
	assert_true(has_line(c->to_b, "a=rtcp-mux"));
	snprintf(first, sizeof first, "%s",
		ANSWER_HEAD "a=group:BUNDLE m0\r\na=ice-ufrag:x\r\nm=audio 9 UDP/TLS/RTP/SAVP 8 101\r\nc=IN IP4 0.0.0.0\r\n"
			    "a=mid:m0\r\na=msid:s t\r\na=rtcp-mux\r\na=setup:active\r\n" FP);
	must(c, pass_answer(c, &c->b, first));
	assert_has_not(c->to_a, "a=mid");
	assert_has_not(c->to_a, "msid");
	assert_true(has_line(c->to_a, "a=sendrecv")); /* 0.0.0.0 with ICE is no hold */
	commit(c);
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_SECURE CRYPTO "a=sendonly\r\n"));
	assert_has(c->to_b, "a=group:BUNDLE m0\r\n");
	assert_true(has_line(c->to_b, "a=mid:m0"));
	call_free(c);
}

static void a_browser_that_holds(void **state)
{
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	must(c, pass_answer(c, &c->b, TRUNK_AUDIO "m=video 0 RTP/SAVPF 96\r\n"));
	commit(c);
	must(c, pass_offer(c, &c->a, written("chromium-hold")));
	assert_true(has_line(c->to_b, "a=sendonly"));
	must(c, pass_answer(c, &c->b, TRUNK_AUDIO "a=recvonly\r\nm=video 0 RTP/SAVPF 96\r\n"));
	assert_true(has_line(c->to_a, "a=recvonly"));
	assert_has(c->to_a, "a=group:BUNDLE 0\r\n");
	commit(c);
	call_free(c);
}

/* Two browsers: extensions, feedback and stream names are theirs, the names of m-lines each side's. */
static void browser_to_browser(void **state)
{
	struct call *c = call_new(&browser, &browser);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	assert_has(c->to_b, "a=group:BUNDLE m0\r\n");
	assert_has(c->to_b, "a=msid:");
	assert_has(c->to_b, "a=rtcp-fb:111 transport-cc\r\n");
	assert_has(c->to_b, "transport-wide-cc-extensions");
	assert_has_not(c->to_b, "sdes:mid");
	must(c, pass_answer(c, &c->b, written("chromium-answer")));
	assert_has(c->to_a, "a=group:BUNDLE 0 1\r\n");
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->feedback, RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_TWCC);
	assert_int_equal(oa_media_now(&c->a, 0)->extensions, DP_EXTENSIONS_LIMITED | 1 << 1 | 1 << 2 | 1 << 3);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_trunk_hears_nothing_of_a_browser, setup, teardown),
		cmocka_unit_test_setup_teardown(the_browser_is_answered_in_its_own_words, setup, teardown),
		cmocka_unit_test_setup_teardown(what_both_agree_on_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(firefox_and_its_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(video_in_a_bundle_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_browser_that_is_called, setup, teardown),
		cmocka_unit_test_setup_teardown(a_browser_that_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(browser_to_browser, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
