/* SPDX-License-Identifier: Apache-2.0 */
/* The header extension that says of which m-line a packet is (RFC 9143 section 15, RFC 8285 section 8). */
#include <errno.h>

#include "controlplane/media/program.h"
#include "controlplane/sdp/extmap.h"
#include "controlplane/sdp/oa_private.h"
#include "tests/unit/oa_browser_bench.h"

#define MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define AUDIO_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define VP8 "96\r\na=rtpmap:96 VP8/90000\r\n"
#define TRUNK_AUDIO "m=audio 5000 RTP/SAVP 0\r\n" CRYPTO_B
#define TRUNK_VIDEO "m=video 5002 RTP/SAVPF " VP8 CRYPTO
#define TRUNK_SCREEN "m=video 5004 RTP/SAVPF " VP8 CRYPTO_B
#define NO_VIDEO "m=video 0 RTP/SAVPF 96\r\n"
#define PHONE HEAD("1") TRUNK_AUDIO TRUNK_VIDEO TRUNK_SCREEN
/* What a browser writes of its transport. */
#define ICE "a=ice-ufrag:FZjw\r\na=ice-pwd:rvXPzEZvic8KMZU+788m452O\r\n"
#define TRANSPORT "c=IN IP4 192.0.2.2\r\n" ICE FP "a=rtcp-mux\r\n"
#define BROWSER_LINE(kind, formats, more) "m=" kind " 9 UDP/TLS/RTP/SAVPF " formats "\r\n" TRANSPORT "a=setup:active\r\n" more
#define BROWSER_ANSWER(of_screen)                                                                            \
	ANSWER_HEAD "a=group:BUNDLE m0 m1 m2\r\n" BROWSER_LINE("audio", "0", "a=mid:m0\r\na=extmap:14 " MID "\r\n")         \
		BROWSER_LINE("video", "96", "a=mid:m1\r\na=extmap:14 " MID "\r\na=ssrc:1111 cname:x\r\n")               \
			BROWSER_LINE("video", "96", "a=mid:m2\r\n" of_screen)

/* Every `from` that begins at `at` or later is `to`. */
static void replace(char *at, const char *from, const char *to)
{
	while ((at = strstr(at, from)) != NULL) {
		memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
		memcpy(at, to, strlen(to));
		at += strlen(to);
	}
}

/* Chromium with a camera and a screen. The m-line of the screen begins with *screen. */
static char *two_videos(char **screen)
{
	static char text[OA_BODY_MAX];
	const char *all = written("chromium-audio-video"), *video = strstr(all, "m=video");

	snprintf(text, sizeof text, "%s%s", all, video);
	replace(text, "BUNDLE 0 1", "BUNDLE 0 1 2");
	*screen = strstr(strstr(text, "m=video") + 1, "m=video");
	replace(*screen, "a=mid:1", "a=mid:2");
	replace(*screen, "2494217682", "2494217000");
	replace(*screen, "1714997971", "1714997000");
	return text;
}

static struct call *video_call(void)
{
	struct call *c = call_new(&browser, &secure);
	char *screen;

	must(c, pass_offer(c, &c->a, two_videos(&screen)));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO TRUNK_SCREEN));
	return c;
}

static struct program *program_of(const struct oa_leg *a, const struct oa_leg *b, const struct program_leg **legs)
{
	const struct program_call call = {.session = 1, .a = {.leg = a}, .b = {.leg = b}};
	struct program *p;

	assert_int_equal(program_make(&call, &p), 0);
	assert_true(program_legs(p, legs) > 2);
	return p;
}

static bool has_types(const struct dp_stream *s)
{
	static const uint8_t none[sizeof s->payload_types];

	return memcmp(s->payload_types, none, sizeof none) != 0;
}

/* Streams of a leg with audio and two videos are told apart by these names under this number. */
static void assert_named(const struct program_leg *leg, unsigned number, const char *first, bool sent)
{
	assert_int_equal(leg->update.n_streams, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct dp_stream *s = &leg->update.streams[i];

		assert_int_equal(s->mid_ext_id, number);
		assert_int_equal(s->mid_len, strlen(first));
		assert_memory_equal(s->mid, first, strlen(first) - 1);
		assert_int_equal(s->mid[s->mid_len - 1], first[strlen(first) - 1] + (int)i);
		assert_int_equal(has_types(s), i == 0);
		assert_int_equal(dp_stream_sends_mid(s), sent);
	}
}

static void a_camera_and_a_screen(void **state)
{
	struct call *c = video_call();
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	assert_has(c->to_b, "m=video 21002 RTP/SAVPF 96 ");
	assert_has(c->to_b, "m=video 21004 RTP/SAVPF 96 ");
	assert_has_not(c->to_b, MID);
	assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1 2"));
	assert_int_equal(times(c->to_a, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n"), 2);
	assert_int_equal(times(c->to_a, "a=extmap:4 " MID "\r\n"), 3);
	assert_has_not(c->to_a, "extmap-allow-mixed");
	commit(c);
	p = program_of(&c->a, &c->b, &legs);
	assert_named(&legs[0], 4, "0", true);
	assert_true(legs[0].update.streams[1].n_ssrcs > 0);
	assert_int_equal(legs[0].update.streams[1].n_ssrcs, legs[0].update.streams[2].n_ssrcs);
	assert_int_not_equal(legs[0].update.streams[1].ssrcs[0], legs[0].update.streams[2].ssrcs[0]);
	/* The names stay on that side. */
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(legs[i].update.streams[0].extensions, DP_EXTENSIONS_LIMITED);
		assert_int_equal(legs[i].update.streams[0].mid_ext_id, 0);
	}
	program_free(p);
	call_free(c);
}

/* Without names in packets nothing tells them apart. */
static void a_second_video_is_refused(void **state)
{
	struct call *c = call_new(&browser, &secure);
	char *screen, *offer = two_videos(&screen);

	(void)state;
	replace(offer, "a=extmap:4 " MID "\r\n", "");
	must(c, pass_offer(c, &c->a, offer));
	assert_has(oa_why_not(&c->a, 2), "cannot be told from m-line 2");
	assert_has(oa_why_not(&c->a, 2), "no header extension for MIDs");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO NO_VIDEO));
	assert_true(has_line(c->to_a, "a=group:BUNDLE 0 1"));
	assert_int_equal(times(c->to_a, "m=video 0 "), 1);
	assert_has_not(c->to_a, "extmap:4");
	call_free(c);
}

/* The number is one for all m-lines, one that packets can carry, and nobody else's; the peer names what it sends. */
static void numbers_that_are_offered(void **state)
{
	static const struct {
		const char *all, *screen; /* the line under every m-line; under the second video, if another */
		const char *answer;       /* NULL: the second video is refused */
		unsigned number;
		bool sent;
	} cases[] = {
		{"a=extmap:9", NULL, "a=extmap:9 ", 9, true},
		{"a=extmap:9/sendrecv", NULL, "a=extmap:9 ", 9, true},
		{"a=extmap:9/sendonly", NULL, "a=extmap:9/recvonly ", 9, false},
		{"a=extmap:9/recvonly", NULL, NULL, 0, false},
		{"a=extmap:9/inactive", NULL, NULL, 0, false},
		{"a=extmap:9/sometimes", NULL, NULL, 0, false},
		{"a=extmap:9", "a=extmap:12", NULL, 0, false},
		{"a=extmap:9", "a=extmap:13", NULL, 0, false},
		{"a=extmap:0", NULL, NULL, 0, false},
		{"a=extmap:15", NULL, NULL, 0, false},
		{"a=extmap:16", NULL, "a=extmap:16/recvonly ", 16, false}, /* heard in the two-byte form */
		{"a=extmap:255", NULL, "a=extmap:255/recvonly ", 255, false},
		{"a=extmap:256", NULL, NULL, 0, false},
		{"a=extmap:4097", NULL, NULL, 0, false},
		{"a=extmap:99999999999999999999", NULL, NULL, 0, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&browser, &secure);
		char *screen, *offer = two_videos(&screen), line[200];

		snprintf(line, sizeof line, "%s " MID, cases[i].screen ? cases[i].screen : cases[i].all);
		replace(screen, "a=extmap:4 " MID, line);
		snprintf(line, sizeof line, "%s " MID, cases[i].all);
		replace(offer, "a=extmap:4 " MID, line);
		must(c, pass_offer(c, &c->a, offer));
		must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO TRUNK_SCREEN));
		if (cases[i].answer) {
			const struct program_leg *legs;
			struct program *p;

			assert_int_equal(times(c->to_a, cases[i].answer), 3);
			commit(c);
			p = program_of(&c->a, &c->b, &legs);
			assert_named(&legs[0], cases[i].number, "0", cases[i].sent);
			program_free(p);
		} else {
			assert_int_equal(times(c->to_a, "m=video 0 "), 1);
			assert_has_not(c->to_a, MID);
		}
		call_free(c);
	}
}

/* Packets have room for 16 octets of a name in the one-byte form. */
static void names_that_do_not_fit(void **state)
{
	static const char *const names[] = {"abcdefghijklmnop", "abcdefghijklmnopq"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct call *c = call_new(&browser, &secure);
		char *screen, *offer = two_videos(&screen), text[80];

		snprintf(text, sizeof text, "a=mid:%s\r\n", names[i]);
		replace(screen, "a=mid:2\r\n", text);
		snprintf(text, sizeof text, "BUNDLE 0 1 %s", names[i]);
		replace(offer, "BUNDLE 0 1 2", text);
		must(c, pass_offer(c, &c->a, offer));
		assert_int_equal(oa_media_at(&c->a, 2)->used, i == 0);
		must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO TRUNK_VIDEO TRUNK_SCREEN));
		assert_int_equal(times(c->to_a, "a=extmap:4 " MID "\r\n"), i == 0 ? 3 : 2);
		commit(c);
		call_free(c);
	}
}

/* The same payload type for two codecs cannot be on one transport, named or not (RFC 9143 section 9.1). */
static void a_type_of_two_codecs(void **state)
{
	struct call *c = call_new(&browser, &secure);
	char *screen, *offer = two_videos(&screen);

	(void)state;
	replace(screen, "a=rtpmap:96 VP8/", "a=rtpmap:96 VP9/");
	must(c, pass_offer(c, &c->a, offer));
	assert_has(oa_why_not(&c->a, 2), "a payload type means another codec there");
	call_free(c);
	c = call_new(&browser, &secure);
	offer = two_videos(&screen);
	replace(screen, "a=extmap:13 urn:3gpp:video-orientation", "a=extmap:13 urn:example:other");
	must(c, pass_offer(c, &c->a, offer));
	assert_has(oa_why_not(&c->a, 2), "another header extension has the same number there");
	call_free(c);
}

/* The trunk speaks alone: what has no company on its transport needs no name. */
static void speech_alone_has_no_names(void **state)
{
	struct call *c = call_new(&browser, &secure);

	(void)state;
	must(c, pass_offer(c, &c->a, written("chromium-audio-video")));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD TRUNK_AUDIO NO_VIDEO));
	assert_has_not(c->to_a, MID);
	commit(c);
	assert_int_equal(c->a.media[0].mid_sent, 0);
	call_free(c);
}

static void a_phone_with_two_videos_calls(void **state)
{
	struct call *c = call_new(&secure, &browser);
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	must(c, pass_offer(c, &c->a, PHONE));
	assert_true(has_line(c->to_b, "a=group:BUNDLE m0 m1 m2"));
	assert_int_equal(times(c->to_b, "a=extmap:14 " MID "\r\n"), 3);
	assert_int_equal(times(c->to_b, "a=bundle-only\r\n"), 2);
	/* Chromium wants a fingerprint in each. */
	assert_int_equal(times(c->to_b, "a=fingerprint:"), 3);
	assert_int_equal(times(c->to_b, "a=setup:actpass\r\n"), 3);
	must(c, pass_answer(c, &c->b, BROWSER_ANSWER("a=extmap:14 " MID "\r\na=ssrc:2222 cname:x\r\na=ssrc:2222 msid:s t\r\n")));
	assert_has(c->to_a, "m=video 20002 RTP/SAVPF 96\r\n");
	assert_has(c->to_a, "m=video 20004 RTP/SAVPF 96\r\n");
	assert_has_not(c->to_a, "extmap");
	commit(c);
	p = program_of(&c->a, &c->b, &legs);
	assert_named(&legs[1], 14, "m0", true);
	assert_int_equal(legs[1].update.streams[1].ssrcs[0], 1111);
	assert_int_equal(legs[1].update.streams[2].ssrcs[0], 2222);
	assert_int_equal(legs[1].update.streams[2].n_ssrcs, 1);
	assert_int_equal(legs[0].update.streams[0].extensions, DP_EXTENSIONS_LIMITED);
	program_free(p);
	/* Numbers hold as long as the session: another extension of that number does not get through. */
	must(c, pass_offer(c, &c->a,
			HEAD("2") TRUNK_AUDIO "a=extmap:14 " AUDIO_LEVEL "\r\na=extmap:2 " AUDIO_LEVEL "\r\n" TRUNK_VIDEO TRUNK_SCREEN));
	assert_int_equal(times(c->to_b, "a=extmap:14 " MID "\r\n"), 3);
	assert_has_not(c->to_b, "a=extmap:14 " AUDIO_LEVEL);
	assert_has(c->to_b, "a=extmap:2 " AUDIO_LEVEL "\r\n");
	call_free(c);
}

/* Who knows no names gets the first video alone: it could not tell what is sent, nor could we. */
static void an_answer_without_names(void **state)
{
	static const char *const screens[] = {"", "a=extmap:13 " MID "\r\n", "a=extmap:14/recvonly " MID "\r\n", "a=extmap:14/inactive " MID "\r\n"};

	(void)state;
	for (unsigned i = 0; i < sizeof screens / sizeof screens[0]; i++) {
		struct call *c = call_new(&secure, &browser);
		char answer[OA_BODY_MAX];

		must(c, pass_offer(c, &c->a, PHONE));
		snprintf(answer, sizeof answer, "%s%s", BROWSER_ANSWER(""), screens[i]);
		must(c, pass_answer(c, &c->b, answer));
		assert_has(c->to_a, "m=video 20002 RTP/SAVPF 96\r\n");
		assert_has(c->to_a, "m=video 0 RTP/SAVPF 96\r\n");
		commit(c);
		assert_false(c->b.media[2].used);
		call_free(c);
	}
}

/* The browser names what it sends and reads no names. */
static void an_answer_that_reads_no_names(void **state)
{
	struct call *c = call_new(&secure, &browser);
	char answer[OA_BODY_MAX];
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	must(c, pass_offer(c, &c->a, PHONE));
	snprintf(answer, sizeof answer, "%s", BROWSER_ANSWER("a=extmap:14 " MID "\r\n"));
	replace(answer, "a=extmap:14 ", "a=extmap:14/sendonly ");
	must(c, pass_answer(c, &c->b, answer));
	commit(c);
	p = program_of(&c->a, &c->b, &legs);
	assert_named(&legs[1], 14, "m0", false);
	program_free(p);
	call_free(c);
}

/* Numbers that the phone has for its own extensions are left to it, whichever m-line has them. */
static void a_number_that_is_free(void **state)
{
	struct call *c = call_new(&secure, &browser);
	char offer[OA_BODY_MAX];
	struct wbuf w = wbuf_make(offer, sizeof offer - 1);

	(void)state;
	wbuf_z(&w, HEAD("1") "a=extmap:14 urn:3gpp:video-orientation\r\n" TRUNK_AUDIO TRUNK_VIDEO "a=extmap:13 urn:example:x\r\n");
	offer[w.len] = '\0';
	must(c, pass_offer(c, &c->a, offer));
	assert_int_equal(times(c->to_b, "a=extmap:12 " MID "\r\n"), 2);
	call_free(c);
	/* None is left. */
	c = call_new(&secure, &browser);
	for (unsigned id = 1; id < 13; id++)
		wbuf_fmt(&w, "a=extmap:%u urn:example:x%u\r\n", id, id);
	offer[w.len] = '\0';
	must(c, pass_offer(c, &c->a, offer));
	assert_has_not(c->to_b, MID);
	call_free(c);
}

/* The browser offers again, is refreshed and offered to: the number and what is told by it stay. */
static void offers_again_keep_the_number(void **state)
{
	struct call *c = video_call();
	char text[OA_BODY_MAX], *screen, *offer;
	struct wbuf w = wbuf_make(text, sizeof text - 1);
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	commit(c);
	offer = two_videos(&screen);
	assert_int_equal(oa_offer_received(&c->a, str_z(offer), &c->r), 1);
	must(c, oa_answer_make(&c->a, &c->b, &w, &c->r));
	text[w.len] = '\0';
	assert_int_equal(times(text, "a=extmap:4 " MID "\r\n"), 3);
	assert_int_equal(oa_commit(&c->a), 0);
	p = program_of(&c->a, &c->b, &legs);
	assert_named(&legs[0], 4, "0", true);
	program_free(p);
	must(c, pass_offer(c, &c->b, HEAD("2") TRUNK_AUDIO TRUNK_VIDEO TRUNK_SCREEN));
	assert_int_equal(times(c->to_a, "a=extmap:4 " MID "\r\n"), 3);
	call_free(c);
}

/* Names of an earlier process's call are those that were said, and sent on. */
static void a_call_of_an_earlier_process(void **state)
{
	struct call *c = video_call();
	struct oa_media media[3];
	struct agreed_key keys[3] = {{.suite = SRTP_AEAD_AES_256_GCM, .epoch = 1}};
	struct oa_held held = {.n_media = 3, .media = media, .rx = keys, .tx = keys, .version = 1, .sent_version = 1};
	struct oa_leg leg;
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	commit(c);
	memcpy(media, c->a.media, sizeof media);
	held.sess_id = str_z(c->a.sess_id);
	held.sent = str_z(c->a.sent);
	assert_int_equal(oa_leg_init(&leg, &browser), 0);
	assert_int_equal(oa_leg_assume(&leg, &held), 0);
	oa_set_local(&leg, 0, oa_local_of(&c->a, 0));
	p = program_of(&leg, &c->b, &legs);
	assert_named(&legs[0], 4, "0", true);
	program_free(p);
	oa_leg_close(&leg);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_camera_and_a_screen, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_second_video_is_refused, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(numbers_that_are_offered, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(names_that_do_not_fit, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_type_of_two_codecs, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(speech_alone_has_no_names, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_phone_with_two_videos_calls, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(an_answer_without_names, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_reads_no_names, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_number_that_is_free, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(offers_again_keep_the_number, setup_ice, teardown),
		cmocka_unit_test_setup_teardown(a_call_of_an_earlier_process, setup_ice, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
