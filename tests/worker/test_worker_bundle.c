/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several m-lines on one transport (RFC 9143): found by MID, by SSRC, by payload type, in that order.
 *
 *      peer A ==== leg 0, streams 1 (audio) and 2 (video) ====== leg 1: audio --- peer B, two ports
 *                  secure, one port, muxed                 \==== leg 3: video
 */
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define S 6
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define AUDIO 0x1111u
#define VIDEO 0x2222u

static struct ip_port gw_a, gw_audio, gw_video, peer_a, peer_audio, peer_video;

static void stream(struct dp_stream *s, uint8_t id, const char *mid, uint8_t pt, uint32_t clock_hz)
{
	*s = (struct dp_stream){.id = id, .direction = DP_SENDRECV, .mid_ext_id = 3, .clock_hz = clock_hz};
	s->mid_len = (uint8_t)strlen(mid);
	memcpy(s->mid, mid, s->mid_len);
	s->payload_types[pt / 8] = (uint8_t)(1 << pt % 8);
}

static union dp_msg bundle_leg(void)
{
	union dp_msg m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, peer_a);

	m.leg_update.n_streams = 2;
	stream(&m.leg_update.streams[0], 1, "a0", 0, 8000);
	stream(&m.leg_update.streams[1], 2, "v1", 96, 90000);
	return m;
}

static struct srtp_context *call_open(struct rig *r)
{
	union dp_msg m;

	gw_a = rig_addr("10.0.0.1", 20000);
	gw_audio = rig_addr("10.0.0.1", 20010);
	gw_video = rig_addr("10.0.0.1", 20020);
	peer_a = rig_addr("10.0.0.10", 5000);
	peer_audio = rig_addr("10.0.0.11", 6000);
	peer_video = rig_addr("10.0.0.11", 6010);
	assert_int_equal(rig_session(r, S, 0), 0);
	m = bundle_leg();
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_audio, peer_audio);
	m.leg_update.streams[0].id = 1;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(S, 3, DP_SECURITY_PLAIN, gw_video, peer_video);
	m.leg_update.streams[0].id = 2;
	m.leg_update.streams[0].clock_hz = 90000;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	return rig_peer(CM, 1, SRTP_PROTECT);
}

/* A packet from peer A; mid NULL: without the extension. Its length. */
static size_t packet(uint8_t *p, uint32_t ssrc, uint16_t seq, uint8_t pt, const char *mid)
{
	size_t n = rig_rtp(p, ssrc, seq, seq * 160u, 0);

	p[1] = pt;
	if (mid) {
		p[0] |= 0x10;
		be32_put(p + n, 0xbede0001);
		p[n + 4] = (uint8_t)(3 << 4 | (strlen(mid) - 1));
		memset(p + n + 5, 0, 3);
		memcpy(p + n + 5, mid, strlen(mid));
		n += 8;
	}
	memset(p + n, 7, 40);
	return n + 40;
}

/* Where it came out: the peer's port, 0 for nowhere. */
static uint16_t goes(struct rig *r, struct srtp_context *c, uint8_t *p, size_t n, bool rtcp)
{
	struct datagram d;
	uint16_t port = 0;

	assert_int_equal(
		rtcp ? srtp_context_protect_rtcp(c, p, &n, 512) : srtp_context_protect(c, p, &n, 512), 0);
	rig_send(r, peer_a, gw_a, p, n);
	rig_run(r, 1);
	while (rig_receive(r, &d)) {
		assert_int_equal(port, 0);
		port = d.destination.port;
	}
	return port;
}

static void test_selectors(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r);
	uint8_t p[512];

	/* By payload type, which binds the SSRC: its later packets may have a type of no list. */
	assert_int_equal(goes(r, c, p, packet(p, AUDIO, 1, 0, NULL), false), 6000);
	assert_int_equal(goes(r, c, p, packet(p, VIDEO, 1, 96, NULL), false), 6010);
	assert_int_equal(goes(r, c, p, packet(p, AUDIO, 2, 101, NULL), false), 6000);
	/* By MID, whatever the payload type says; then by the SSRC alone. */
	assert_int_equal(goes(r, c, p, packet(p, 0x3333, 1, 0, "v1"), false), 6010);
	assert_int_equal(goes(r, c, p, packet(p, 0x3333, 2, 0, NULL), false), 6010);
	/* Nothing matches. */
	assert_int_equal(goes(r, c, p, packet(p, 0x4444, 1, 50, NULL), false), 0);
	assert_int_equal(goes(r, c, p, packet(p, 0x4444, 2, 50, "zz"), false), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NO_STREAM), 2);
	/* By an SSRC that signalling named. */
	union dp_msg m = bundle_leg();

	m.leg_update.streams[1].n_ssrcs = 1;
	m.leg_update.streams[1].ssrcs[0] = 0x5555;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(goes(r, c, p, packet(p, 0x5555, 1, 50, NULL), false), 6010);
	srtp_context_free(c);
}

/* An m-line is taken out, another comes: an SSRC that was named by its MID once stays with its stream. */
static void test_sources_outlast_a_change(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r);
	union dp_msg m = bundle_leg();
	uint8_t p[512];

	assert_int_equal(goes(r, c, p, packet(p, 0x3333, 1, 0, "v1"), false), 6010);
	m.leg_update.streams[0] = m.leg_update.streams[1];
	stream(&m.leg_update.streams[1], 3, "s2", 0, 90000);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(goes(r, c, p, packet(p, 0x3333, 2, 0, NULL), false), 6010);
	assert_int_equal(goes(r, c, p, packet(p, AUDIO, 1, 0, NULL), false), 0);
	srtp_context_free(c);
}

/* One stream on hold does not hold the other. */
static void test_direction_of_one(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r);
	union dp_msg m = bundle_leg();
	uint8_t p[512];

	m.leg_update.streams[1].direction = DP_SEND;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(goes(r, c, p, packet(p, AUDIO, 1, 0, NULL), false), 6000);
	assert_int_equal(goes(r, c, p, packet(p, VIDEO, 1, 96, NULL), false), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_DIRECTION), 1);
	srtp_context_free(c);
}

/* A picture loss indication of A about `media`. */
static size_t pli(uint8_t *p, uint32_t sender, uint32_t media)
{
	memset(p, 0, 12);
	p[0] = 0x81;
	p[1] = 206;
	p[3] = 2;
	be32_put(p + 4, sender);
	be32_put(p + 8, media);
	return 12;
}

/*
 * Reports go where the stream that they speak of goes: a sender's by its SSRC, a receiver's by the media that
 * it is about. A request for a picture that reached the audio's peer would leave the video frozen.
 */
static void test_rtcp(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r), *in = rig_peer(CM, 2, SRTP_UNPROTECT);
	struct datagram d;
	uint8_t p[512];
	uint32_t audio, video;

	assert_int_equal(goes(r, c, p, packet(p, AUDIO, 1, 0, NULL), false), 6000);
	assert_int_equal(goes(r, c, p, packet(p, VIDEO, 1, 96, NULL), false), 6010);
	assert_int_equal(goes(r, c, p, rig_sr(p, AUDIO, 0, 0), true), 6000);
	assert_int_equal(goes(r, c, p, rig_sr(p, VIDEO, 0, 0), true), 6010);
	/* B's media on its way to A, both with one SSRC: A hears two. */
	rig_send(r, peer_audio, gw_audio, p, rig_rtp(p, 0x77, 1, 160, 40));
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect(in, d.octets, &d.n), 0);
	audio = be32_get(d.octets + 8);
	rig_send(r, peer_video, gw_video, p, rig_rtp(p, 0x77, 1, 160, 40));
	rig_run(r, 1);
	assert_true(rig_receive(r, &d));
	assert_int_equal(srtp_context_unprotect(in, d.octets, &d.n), 0);
	video = be32_get(d.octets + 8);
	assert_int_not_equal(audio, video);
	/* From an SSRC that sends nothing, and from the audio's about the video (RFC 8834 has both). */
	assert_int_equal(goes(r, c, p, pli(p, 0x9999, video), true), 6010);
	assert_int_equal(goes(r, c, p, pli(p, 0x9999, audio), true), 6000);
	assert_int_equal(goes(r, c, p, pli(p, AUDIO, video), true), 6010);
	srtp_context_free(c);
	srtp_context_free(in);
}

/* A camera and a screen, whose payload types are the same: no packet is told by them. */
static void two_videos(struct dp_leg_update *u)
{
	stream(&u->streams[0], 1, "v0", 96, 90000);
	stream(&u->streams[1], 2, "v1", 96, 90000);
	for (unsigned i = 0; i < 2; i++)
		memset(u->streams[i].payload_types, 0, sizeof u->streams[i].payload_types);
}

static void test_two_videos_of_the_same_types(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r);
	union dp_msg m = bundle_leg();
	uint8_t p[512];

	two_videos(&m.leg_update);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(goes(r, c, p, packet(p, 0x1, 1, 96, NULL), false), 0);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_NO_STREAM), 1);
	assert_int_equal(goes(r, c, p, packet(p, 0x2, 1, 96, "v1"), false), 6010);
	assert_int_equal(goes(r, c, p, packet(p, 0x1, 2, 96, "v0"), false), 6000);
	assert_int_equal(goes(r, c, p, packet(p, 0x2, 2, 96, NULL), false), 6010);
	assert_int_equal(goes(r, c, p, packet(p, 0x1, 3, 96, NULL), false), 6000);
	srtp_context_free(c);
}

/* What left for peer A, opened; the MID in it, "" for none. */
static const char *named(struct rig *r, struct srtp_context *in, struct datagram *d)
{
	static char mid[17];
	struct rtp_hdr h;
	const uint8_t *e;
	uint8_t n = 0;

	rig_run(r, 1);
	assert_true(rig_receive(r, d));
	assert_int_equal(srtp_context_unprotect(in, d->octets, &d->n), 0);
	assert_int_equal(rtp_hdr_parse(d->octets, d->n, &h), 0);
	e = rtp_ext_find(d->octets, &h, 3, &n);
	if (e)
		memcpy(mid, e, n);
	mid[n] = '\0';
	return mid;
}

/* What B sends of each stream: n octets of payload; level: with an extension under id 5, and one of the MID's id. */
static void speaks(struct rig *r, bool video, uint16_t seq, size_t n, bool level)
{
	uint8_t p[2048];
	size_t at = rig_rtp(p, 0x77, seq, seq * 160u, 0);

	if (level) {
		p[0] |= 0x10;
		be32_put(p + at, 0xbede0001);
		memcpy(p + at + 4, "\x30zPL", 4);
		at += 8;
	}
	memset(p + at, 7, n);
	rig_send(r, video ? peer_video : peer_audio, video ? gw_video : gw_audio, p, at + n);
}

static void test_what_is_sent_is_named(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = call_open(r), *in = rig_peer(CM, 2, SRTP_UNPROTECT);
	union dp_msg m = bundle_leg();
	struct datagram d;
	struct rtp_hdr h;
	uint8_t len;

	/* Not unless it was agreed. */
	speaks(r, false, 1, 40, false);
	assert_string_equal(named(r, in, &d), "");
	for (unsigned i = 0; i < 2; i++)
		m.leg_update.streams[i].extensions = DP_EXTENSIONS_LIMITED | 1 << 3;
	m.leg_update.streams[1].extensions |= 1 << 5;
	assert_int_equal(rig_command(r, &m), 0);
	speaks(r, false, 2, 40, false);
	assert_string_equal(named(r, in, &d), "a0");
	assert_int_equal(rtp_hdr_parse(d.octets, d.n, &h), 0);
	assert_int_equal(d.n, h.len + 40u);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(d.octets[h.len + i], 7);
	speaks(r, true, 1, 0, false);
	assert_string_equal(named(r, in, &d), "v1");
	/* B's own element of that id is no name of A's; the other stays where it was agreed to. */
	speaks(r, true, 2, 40, true);
	assert_string_equal(named(r, in, &d), "v1");
	assert_int_equal(rtp_hdr_parse(d.octets, d.n, &h), 0);
	assert_non_null(rtp_ext_find(d.octets, &h, 5, &len));
	speaks(r, false, 3, 40, true);
	assert_string_equal(named(r, in, &d), "a0");
	assert_int_equal(rtp_hdr_parse(d.octets, d.n, &h), 0);
	assert_null(rtp_ext_find(d.octets, &h, 5, &len));
	srtp_context_free(c);
	srtp_context_free(in);
}

/* A packet that fits the wire without the name goes without it, and one that does not fit anyway is counted. */
static void test_a_name_makes_no_packet_too_long(void **state)
{
	static const unsigned overhead = 20 + 8 + 12 + 10; /* IPv4, UDP, RTP, tag */
	struct rig *r = *state;
	struct srtp_context *c = call_open(r), *in = rig_peer(CM, 2, SRTP_UNPROTECT);
	union dp_msg m = bundle_leg();
	struct datagram d;
	unsigned fits = r->port->mtu - overhead;

	for (unsigned i = 0; i < 2; i++)
		m.leg_update.streams[i].extensions = DP_EXTENSIONS_LIMITED | 1 << 3;
	assert_int_equal(rig_command(r, &m), 0);
	speaks(r, true, 1, fits - 8, false);
	assert_string_equal(named(r, in, &d), "v1");
	speaks(r, true, 2, fits - 7, false);
	assert_string_equal(named(r, in, &d), "");
	speaks(r, true, 3, fits, false);
	assert_string_equal(named(r, in, &d), "");
	speaks(r, true, 4, fits + 1, false);
	rig_run(r, 1);
	assert_false(rig_receive(r, &d));
	assert_int_equal(rig_verdict(r, S, 3, DP_V_TOO_LONG), 1);
	speaks(r, true, 5, 40, false);
	assert_string_equal(named(r, in, &d), "v1");
	srtp_context_free(c);
	srtp_context_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_selectors, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_sources_outlast_a_change, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_direction_of_one, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rtcp, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_two_videos_of_the_same_types, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_what_is_sent_is_named, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_name_makes_no_packet_too_long, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
