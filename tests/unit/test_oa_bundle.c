/* SPDX-License-Identifier: Apache-2.0 */
/* Several m-lines on one transport towards a browser (RFC 9143), each with its own towards a SIP trunk. */
#include <errno.h>

#include "controlplane/media/program.h"
#include "controlplane/sdp/oa_private.h"
#include "lib/srtp/rtcp_feedback.h"
#include "tests/unit/oa_browser_bench.h"

#define AUDIO_PT "0 126\r\na=rtpmap:126 telephone-event/8000\r\n"
#define VIDEO_PT "96\r\na=rtpmap:96 VP8/90000\r\n"
#define TRUNK_AUDIO "m=audio 5000 RTP/SAVP " AUDIO_PT CRYPTO_B
#define TRUNK_VIDEO "m=video 5002 RTP/SAVPF " VIDEO_PT CRYPTO "a=rtcp-fb:96 nack pli\r\n"
#define NO_AUDIO "m=audio 0 RTP/SAVP 0\r\n"
#define NO_VIDEO "m=video 0 RTP/SAVPF 96\r\n"
#define CALLER_AUDIO "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO
#define CALLER_VIDEO "m=video 4002 RTP/SAVPF 97\r\na=rtpmap:97 H264/90000\r\n" CRYPTO_B
/* What a browser writes of its transport. */
#define ICE "a=ice-ufrag:FZjw\r\na=ice-pwd:rvXPzEZvic8KMZU+788m452O\r\n"
#define TRANSPORT "c=IN IP4 192.0.2.2\r\n" ICE FP
#define BROWSER_AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 8\r\n" TRANSPORT "a=setup:active\r\na=rtcp-mux\r\n"
#define BROWSER_VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 97\r\n" TRANSPORT "a=setup:active\r\na=rtcp-mux\r\n"

/* The key of m-line i (from 1) of a body. */
static struct str key_of(const char *body, unsigned i)
{
	while (i--)
		body = strstr(body + 1, "\r\nm=");
	body = strstr(body, "inline:");
	return (struct str){body, strcspn(body, "\r|")};
}

static unsigned transport(const struct oa_leg *leg, unsigned i)
{
	const struct oa_media *m = oa_media_now(leg, i);

	assert_true(m->used);
	return m->transport;
}

/* A browser's call with audio and video is up. */
static struct call *video_call(void)
{
	struct call *c = call_new(&browser, &secure);

	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO));
	commit(c);
	return c;
}

static void one_transport_here_two_there(void **state)
{
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	assert_has(c->to_b, "m=audio 21000 RTP/SAVP ");
	assert_has(c->to_b, "m=video 21002 RTP/SAVPF 96 ");
	assert_false(str_eq(key_of(c->to_b, 1), key_of(c->to_b, 2)));
	assert_has_not(c->to_b, "BUNDLE");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO));
	assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1"));
	assert_has(c->to_a, "m=audio 20000 UDP/TLS/RTP/SAVPF 0 126\r\n");
	assert_has(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n");
	assert_has(c->to_a, "a=rtcp-fb:96 nack pli\r\n");
	assert_int_equal(times(c->to_a, "a=rtcp-mux\r\n"), 2);
	assert_int_equal(times(c->to_a, "a=fingerprint:"), 2); /* for Firefox in every m-line */
	assert_int_equal(times(c->to_a, "a=ice-ufrag:"), 1);
	assert_int_equal(times(c->to_a, "a=candidate:"), 1);
	assert_true(strstr(c->to_a, "a=fingerprint:") < strstr(c->to_a, "m=video"));
	commit(c);
	assert_int_equal(transport(&c->a, 0), 0);
	assert_int_equal(transport(&c->a, 1), 0);
	assert_false(oa_local_of(&c->a, 1)->set); /* no ports for nothing */
	assert_null(c->a.media[1].keys);
	assert_null(oa_bond_now(&c->a, 1));
	assert_non_null(oa_bond_now(&c->a, 0));
	assert_int_equal(transport(&c->b, 1), 1);
	assert_int_equal(c->a.secured, 3);
	call_free(c);
}

/* What the data plane is told: a leg with two streams, told apart by what may be sent to us. */
static void the_data_plane_holds_one_leg(void **state)
{
	struct call *c = video_call();
	const struct program_call call = {.session = 1, .a = {.leg = &c->a}, .b = {.leg = &c->b}};
	const struct program_leg *legs;
	const struct dp_stream *audio, *video;
	struct program *p;

	(void)state;
	assert_int_equal(program_make(&call, &p), 0);
	assert_int_equal(program_legs(p, &legs), 3);
	assert_int_equal(legs[0].update.leg, 0);
	assert_int_equal(legs[1].update.leg, 1);
	assert_int_equal(legs[2].update.leg, 3);
	assert_int_equal(legs[0].update.n_streams, 2);
	audio = &legs[0].update.streams[0];
	video = &legs[0].update.streams[1];
	assert_int_equal(audio->id, 0);
	assert_int_equal(video->id, 1);
	assert_int_equal(video->clock_hz, 90000);
	assert_int_equal(audio->payload_types[0], 1 << 0);
	assert_int_equal(audio->payload_types[126 / 8], 1 << 126 % 8);
	assert_int_equal(video->payload_types[96 / 8], 1 << 96 % 8);
	assert_int_equal(audio->payload_types[96 / 8], 0);
	assert_int_not_equal(audio->feedback, video->feedback);
	assert_int_equal(legs[2].update.n_streams, 1);
	assert_int_equal(legs[2].update.streams[0].id, 1);
	program_free(p);
	call_free(c);
}

/* The trunk takes the video alone: what the browser said of the first m-line's transport is not used then. */
static void the_first_line_is_refused(void **state)
{
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD NO_AUDIO TRUNK_VIDEO));
	assert_true(has_line(c->to_a, "a=group:BUNDLE 1"));
	assert_has(c->to_a, "m=audio 0 UDP/TLS/RTP/SAVPF 111 ");
	assert_has(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n");
	assert_int_equal(times(c->to_a, "a=fingerprint:"), 1);
	assert_true(strstr(c->to_a, "a=fingerprint:") > strstr(c->to_a, "m=video"));
	/* The final answer may be another one than the early one. */
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO));
	assert_has(c->to_a, "m=audio 20000 UDP/TLS/RTP/SAVPF 0 126\r\n");
	assert_true(has_line(c->to_a, "a=group:BUNDLE 1 0"));
	commit(c);
	assert_non_null(oa_bond_now(&c->a, 0));
	call_free(c);
}

/* chromium-audio-video with video on the audio's transport only: bundlePolicy "max-bundle". */
static const char *max_bundle(void)
{
	static char text[OA_BODY_MAX];
	const char *all = written("chromium-audio-video"), *video = strstr(all, "m=video 58183");

	snprintf(text, sizeof text, "%.*sm=video 0%sa=bundle-only\r\n", (int)(video - all), all, video + strlen("m=video 58183"));
	return text;
}

static void a_line_that_is_bundle_only(void **state)
{
	for (unsigned refused = 0; refused < 2; refused++) {
		struct call *c = call_new(&browser, &secure);

		(void)state;
		must(c, pass_offer(c, &c->a, max_bundle()));
		assert_has(c->to_b, "m=video 21002 RTP/SAVPF 96 ");
		assert_has_not(c->to_b, "bundle-only");
		must(c, pass_answer(c, &c->b,
				refused ? ANSWER_HEAD NO_AUDIO TRUNK_VIDEO : ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO));
		if (refused) {
			assert_has(c->to_a, "m=video 0 UDP/TLS");
			assert_has_not(c->to_a, "BUNDLE");
		} else {
			assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1"));
			assert_has(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n");
		}
		call_free(c);
	}
}

static void a_browser_is_called_with_video(void **state)
{
	struct call *c = call_new(&secure, &browser);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") CALLER_AUDIO CALLER_VIDEO));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0 m1"));
	assert_has(c->to_b, "m=audio 21000 UDP/TLS/RTP/SAVP 8\r\n");
	assert_has(c->to_b, "m=video 0 UDP/TLS/RTP/SAVPF 97\r\n");
	assert_int_equal(times(c->to_b, "a=bundle-only\r\n"), 1);
	assert_int_equal(times(c->to_b, "a=rtcp-mux\r\n"), 2);
	assert_int_equal(times(c->to_b, "a=fingerprint:"), 2);
	assert_true(oa_handshake_expected(&c->b, 0));
	assert_false(oa_handshake_expected(&c->b, 1));
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD "a=group:BUNDLE m0 m1\r\n" BROWSER_AUDIO "a=mid:m0\r\n" BROWSER_VIDEO "a=mid:m1\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/SAVP 8\r\n");
	assert_has(c->to_a, "m=video 20002 RTP/SAVPF 97\r\n");
	assert_false(str_eq(key_of(c->to_a, 1), key_of(c->to_a, 2)));
	commit(c);
	assert_int_equal(transport(&c->b, 1), 0);
	/* Offered again, both have the port of their transport. */
	must(c, pass_offer(c, &c->a, HEAD("2") CALLER_AUDIO "a=sendonly\r\n" CALLER_VIDEO "a=sendonly\r\n"));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0 m1"));
	assert_has(c->to_b, "m=video 21000 UDP/TLS/RTP/SAVPF 97\r\n");
	assert_has_not(c->to_b, "bundle-only");
	assert_int_equal(times(c->to_b, "a=sendonly\r\n"), 2);
	call_free(c);
}

/* Who answers without BUNDLE has not understood bundle-only, and refuses it; or accepts it by mistake. */
static void an_answer_without_the_bundle(void **state)
{
	static const char *const videos[] = {"m=video 0 UDP/TLS/RTP/SAVPF 97\r\n", BROWSER_VIDEO "a=mid:m1\r\n"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct call *c = call_new(&secure, &browser);
		char answer[OA_BODY_MAX];

		must(c, pass_offer(c, &c->a, HEAD("1") CALLER_AUDIO CALLER_VIDEO));
		snprintf(answer, sizeof answer, "%s%s", ANSWER_HEAD BROWSER_AUDIO "a=mid:m0\r\n", videos[i]);
		must(c, pass_answer(c, &c->b, answer));
		assert_has(c->to_a, "m=audio 20000 RTP/SAVP 8\r\n");
		assert_has(c->to_a, "m=video 0 RTP/SAVPF 97\r\n");
		commit(c);
		assert_false(c->b.media[1].used);
		call_free(c);
	}
}

/* Payload types that a phone gives twice cannot be told apart on one transport: each m-line has its own. */
static void formats_that_clash_are_not_bundled(void **state)
{
	struct call *c = call_new(&secure, &browser);

	(void)state;
	must(c, pass_offer(c, &c->a,
			HEAD("1") "m=audio 4000 RTP/SAVP 97\r\na=rtpmap:97 opus/48000/2\r\n" CRYPTO CALLER_VIDEO));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0"));
	assert_has(c->to_b, "m=video 21002 UDP/TLS/RTP/SAVPF 97\r\n");
	assert_has_not(c->to_b, "bundle-only");
	assert_int_equal(times(c->to_b, "a=fingerprint:"), 2);
	call_free(c);
	/* So it is with header extensions. */
	c = call_new(&secure, &browser);
	must(c, pass_offer(c, &c->a,
			HEAD("1") CALLER_AUDIO "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" CALLER_VIDEO
					       "a=extmap:1 urn:3gpp:video-orientation\r\n"));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0"));
	call_free(c);
}

/* Who keys by SDES or not at all has two transports, and an answer that bundles nothing. */
static void sdes_is_not_bundled(void **state)
{
	struct call *c = call_new(&secure, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a,
			HEAD("1") "a=group:BUNDLE 1 2\r\n" CALLER_AUDIO "a=mid:1\r\na=rtcp-mux\r\n" CALLER_VIDEO
				  "a=mid:2\r\na=rtcp-mux\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B "m=video 5002 RTP/SAVPF 97\r\n" CRYPTO));
	assert_has(c->to_a, "m=audio 20000 ");
	assert_has(c->to_a, "m=video 20002 ");
	assert_has_not(c->to_a, "BUNDLE");
	assert_int_equal(times(c->to_a, "a=crypto:"), 2);
	call_free(c);
}

/* The trunk adds video to a call and takes it away again: the browser's transport and its keys are the same. */
static void video_comes_and_goes(void **state)
{
	struct call *c = call_new(&secure, &browser);
	struct dtls_bond *bond;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") CALLER_AUDIO));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "a=group:BUNDLE m0\r\n" BROWSER_AUDIO "a=mid:m0\r\n"));
	commit(c);
	bond = oa_bond_now(&c->b, 0);
	must(c, pass_offer(c, &c->a, HEAD("2") CALLER_AUDIO CALLER_VIDEO));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0 m1"));
	assert_has(c->to_b, "m=audio 21000 ");
	assert_has(c->to_b, "m=video 0 ");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD "a=group:BUNDLE m0 m1\r\n" BROWSER_AUDIO "a=mid:m0\r\n" BROWSER_VIDEO "a=mid:m1\r\n"));
	commit(c);
	assert_int_equal(transport(&c->b, 1), 0);
	assert_ptr_equal(oa_bond_now(&c->b, 0), bond);
	must(c, pass_offer(c, &c->a, HEAD("3") CALLER_AUDIO "m=video 0 RTP/SAVPF 97\r\n"));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0"));
	assert_has(c->to_b, "m=video 0 ");
	assert_has_not(c->to_b, "bundle-only");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD "a=group:BUNDLE m0\r\n" BROWSER_AUDIO "a=mid:m0\r\nm=video 0 UDP/TLS/RTP/SAVPF 97\r\n"));
	commit(c);
	assert_false(c->b.media[1].used);
	assert_ptr_equal(oa_bond_now(&c->b, 0), bond);
	call_free(c);
}

/* The browser ends its audio and goes on with video, on the transport that was the audio's. */
static void a_transport_outlives_its_line(void **state)
{
	struct call *c = video_call();
	struct dtls_bond *bond = oa_bond_now(&c->a, 0);
	char *offer = written("chromium-audio-video"), *group = strstr(offer, "BUNDLE 0 1");
	const struct program_call call = {.session = 1, .a = {.leg = &c->a}, .b = {.leg = &c->b}};
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	memcpy(group, "BUNDLE 1  ", strlen("BUNDLE 1  "));
	memcpy(strstr(offer, "m=audio 52334"), "m=audio 00000", strlen("m=audio 00000"));
	must(c, pass_offer(c, &c->a, offer));
	assert_has(c->to_b, "m=audio 0 ");
	assert_has(c->to_b, "m=video 21002 ");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD NO_AUDIO TRUNK_VIDEO));
	assert_has(c->to_a, "m=video 20000 ");
	assert_true(has_line(c->to_a, "a=group:BUNDLE 1"));
	commit(c);
	assert_int_equal(transport(&c->a, 1), 0);
	assert_false(c->a.media[0].used);
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	assert_int_equal(program_make(&call, &p), 0);
	assert_int_equal(program_legs(p, &legs), 3);
	assert_int_equal(legs[0].update.n_streams, 1);
	assert_int_equal(legs[0].update.streams[0].id, 1);
	assert_int_equal(legs[0].update.streams[0].direction, DP_SENDRECV);
	assert_int_equal(legs[1].update.streams[0].direction, DP_INACTIVE);
	assert_int_equal(legs[2].update.streams[0].id, 1);
	program_free(p);
	call_free(c);
}

/* A video call of an earlier process. */
static void a_bundle_is_restored(void **state)
{
	struct call *c = video_call();
	struct oa_media media[2] = {c->a.media[0], c->a.media[1]};
	struct agreed_key keys[2] = {{.suite = SRTP_AEAD_AES_256_GCM, .epoch = 1}};
	const struct oa_held held = {
		.sess_id = str_z(c->a.sess_id),
		.sent = str_z(c->a.sent),
		.version = 1,
		.sent_version = 1,
		.n_media = 2,
		.media = media,
		.rx = keys,
		.tx = keys,
	};
	struct oa_leg leg;
	struct dp_stream video = {0};

	(void)state;
	assert_int_equal(oa_leg_init(&leg, &browser), 0);
	assert_int_equal(oa_leg_assume(&leg, &held), 0);
	assert_int_equal(transport(&leg, 1), 0);
	assert_true(leg.media[0].open);
	assert_null(leg.media[1].keys);
	oa_selectors(&leg, 1, &video);
	assert_int_equal(video.payload_types[96 / 8], 1 << 96 % 8);
	oa_leg_close(&leg);
	media[1].transport = 2;
	assert_int_equal(oa_leg_init(&leg, &browser), 0);
	assert_int_equal(oa_leg_assume(&leg, &held), -EINVAL);
	oa_leg_close(&leg);
	call_free(c);
}

/* The browser holds by offering everything again, and its session is refreshed with the keys that it has. */
static void hold_and_new_keys(void **state)
{
	struct call *c = video_call();
	char text[OA_BODY_MAX];
	struct wbuf w = wbuf_make(text, sizeof text - 1);
	struct dtls_bond *bond = oa_bond_now(&c->a, 0);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-hold")));
	assert_int_equal(times(c->to_b, "a=sendonly\r\n"), 2);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO "a=recvonly\r\n" TRUNK_VIDEO "a=recvonly\r\n"));
	assert_int_equal(times(c->to_a, "a=recvonly\r\n"), 2);
	assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1"));
	commit(c);
	must(c, oa_offer_rekey(&c->a, &w, &c->r));
	text[w.len] = '\0';
	assert_true(has_line(text, "a=group:BUNDLE 0 1"));
	assert_int_equal(times(text, "a=fingerprint:"), 2);
	assert_int_equal(times(text, "a=ice-ufrag:"), 1);
	assert_true(oa_handshake_expected(&c->a, 0));
	assert_ptr_equal(oa_bond_now(&c->a, 0), bond);
	call_free(c);
}

/* The leg of the browser's transport at the data plane: where it hears, and that both m-lines are on it. */
static void assert_hears_on(struct call *c, uint16_t port, uint16_t also)
{
	const struct program_call call = {.session = 1, .a = {.leg = &c->a}, .b = {.leg = &c->b}};
	const struct program_leg *legs;
	struct program *p;

	assert_int_equal(program_make(&call, &p), 0);
	assert_int_equal(program_legs(p, &legs), 3);
	assert_int_equal(legs[0].update.local.port, port);
	assert_int_equal(legs[0].update.local_rtcp.port, also);
	assert_int_equal(legs[0].update.n_streams, 2);
	assert_int_equal(legs[0].update.streams[1].payload_types[96 / 8], 1 << 96 % 8);
	program_free(p);
}

/*
 * New keys for the transport: a new association on the other one of its ports, by an offer of all that is on it. The
 * browser's next offer finds it there, and the next keys go back.
 */
static void new_keys_move_the_whole_transport(void **state)
{
	static const uint16_t ports[] = {20000, 20001, 20000};
	struct call *c = video_call();
	char text[OA_BODY_MAX], line[40];

	(void)state;
	for (unsigned i = 1; i < 3; i++) {
		struct wbuf w = wbuf_make(text, sizeof text - 1);
		struct dtls_bond *bond = oa_bond_now(&c->a, 0);

		must(c, oa_offer_rekey(&c->a, &w, &c->r));
		text[w.len] = '\0';
		snprintf(line, sizeof line, "m=audio %u ", ports[i]);
		assert_has(text, line);
		snprintf(line, sizeof line, "m=video %u ", ports[i]);
		assert_has(text, line);
		assert_true(has_line(text, "a=group:BUNDLE 0 1"));
		assert_int_equal(times(text, "a=ice-ufrag:"), 1);
		assert_hears_on(c, ports[i - 1], ports[i]);
		must(c, oa_answer_received(&c->a,
				STR(ANSWER_HEAD "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" TRANSPORT
						"a=setup:active\r\na=rtcp-mux\r\na=mid:0\r\n"
						"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
						"c=IN IP4 192.0.2.2\r\na=rtcp-mux\r\na=mid:1\r\n" FP),
				&c->r));
		assert_int_equal(oa_commit(&c->a), 0);
		assert_int_equal(transport(&c->a, 1), 0);
		assert_ptr_not_equal(oa_bond_now(&c->a, 0), bond);
		assert_null(oa_bond_now(&c->a, 1));
		assert_hears_on(c, ports[i], ports[i - 1]);
	}
	struct wbuf w = wbuf_make(text, sizeof text - 1);

	must(c, oa_offer_rekey(&c->a, &w, &c->r));
	oa_rollback(&c->a);
	assert_hears_on(c, 20000, 20001);
	must(c, pass_offer(c, &c->a, written("chromium-hold")));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO "a=recvonly\r\n" TRUNK_VIDEO "a=recvonly\r\n"));
	assert_has(c->to_a, "m=video 20000 ");
	call_free(c);
}

/* Many phones with video take no feedback profile, and know the feedback all the same. */
static void a_phone_without_the_feedback_profile(void **state)
{
	struct oa_policy basic = secure;
	struct call *c;

	(void)state;
	basic.profile = OA_PROFILE_BASIC;
	c = call_new(&browser, &basic);
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	assert_has(c->to_b, "m=video 21002 RTP/SAVP 96 ");
	assert_has(c->to_b, "a=rtcp-fb:96 nack pli\r\n");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD TRUNK_AUDIO "m=video 5002 RTP/SAVP " VIDEO_PT CRYPTO "a=rtcp-fb:* nack pli\r\n"));
	assert_has(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n");
	assert_has(c->to_a, "a=rtcp-fb:* nack pli\r\n");
	commit(c);
	assert_int_equal(c->b.media[1].feedback, RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_PLI);
	call_free(c);

	/* One that calls: the browser hears of the feedback in its own profile, and the phone of none but its own. */
	c = call_new(&secure, &browser);
	must(c, pass_offer(c, &c->a,
			HEAD("1") CALLER_AUDIO "m=video 4002 RTP/SAVP 97\r\n" CRYPTO_B "a=rtcp-fb:* nack pli\r\n"));
	assert_has(c->to_b, "m=video 0 UDP/TLS/RTP/SAVPF 97\r\n");
	assert_has(c->to_b, "a=rtcp-fb:* nack pli\r\n");
	must(c, pass_answer(c, &c->b,
			ANSWER_HEAD "a=group:BUNDLE m0 m1\r\n" BROWSER_AUDIO "a=mid:m0\r\n" BROWSER_VIDEO "a=mid:m1\r\n"));
	commit(c);
	must(c, pass_offer(c, &c->b,
			ANSWER_HEAD "a=group:BUNDLE m0 m1\r\n" BROWSER_AUDIO "a=mid:m0\r\n" BROWSER_VIDEO
				    "a=mid:m1\r\na=rtcp-fb:97 nack pli\r\na=sendonly\r\n"));
	assert_has(c->to_a, "m=video 20002 RTP/SAVP 97\r\n");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_transport_here_two_there, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(the_data_plane_holds_one_leg, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(the_first_line_is_refused, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_line_that_is_bundle_only, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_browser_is_called_with_video, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(an_answer_without_the_bundle, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(formats_that_clash_are_not_bundled, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(sdes_is_not_bundled, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(video_comes_and_goes, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_transport_outlives_its_line, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_bundle_is_restored, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_phone_without_the_feedback_profile, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(hold_and_new_keys, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(new_keys_move_the_whole_transport, setup_ice, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
