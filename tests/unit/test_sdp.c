/* SPDX-License-Identifier: Apache-2.0 */
/* Session descriptions as devices write them, and as nobody should. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/sdp/sdp.h"
#include "tests/support/cmocka_std.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define TIME "t=0 0\r\n"
#define C4 "c=IN IP4 192.0.2.1\r\n"

static struct sdp sdp; /* 20 kB */

static int parse(const char *text, struct err *e)
{
	*e = (struct err){0};
	return sdp_parse(str_z(text), &sdp, e);
}

#define assert_str(s, z)                                                                                     \
	do {                                                                                                 \
		struct str got_ = (s);                                                                       \
		assert_int_equal(got_.n, strlen(z));                                                         \
		assert_memory_equal(got_.p, z, got_.n);                                                      \
	} while (0)

static void baresip_offer(void **state)
{
	static const char text[] = "v=0\r\n"
				   "o=- 3838383 987 IN IP4 10.0.0.7\r\n"
				   "s=-\r\n"
				   "c=IN IP4 10.0.0.7\r\n"
				   "t=0 0\r\n"
				   "a=tool:baresip 1.0.0\r\n"
				   "m=audio 21224 RTP/SAVP 0 8 101\r\n"
				   "a=rtpmap:0 PCMU/8000\r\n"
				   "a=rtpmap:8 PCMA/8000\r\n"
				   "a=rtpmap:101 telephone-event/8000\r\n"
				   "a=fmtp:101 0-15\r\n"
				   "a=rtcp:21225\r\n"
				   "a=sendrecv\r\n"
				   "a=label:1\r\n"
				   "a=rtcp-rsize\r\n"
				   "a=ssrc:1462431512 cname:sip:a@10.0.0.7\r\n"
				   "a=ptime:20\r\n";
	struct err e;
	unsigned n;

	(void)state;
	assert_int_equal(parse(text, &e), 0);
	assert_int_equal(sdp.n_media, 1);
	const struct sdp_media *m = &sdp.media[0];

	assert_int_equal(m->kind, SDP_AUDIO);
	assert_int_equal(m->proto, SDP_RTP_SAVP);
	assert_int_equal(m->port, 21224);
	assert_int_equal(m->rtcp_port, 21225);
	assert_int_equal(m->rtcp_ip.family, IP_NONE);
	assert_int_equal(m->direction, SDP_SENDRECV);
	assert_false(m->rtcp_mux);
	assert_str(m->formats, "0 8 101");
	assert_int_equal(m->connection.family, IP_V4); /* the session's */
	const struct sdp_attr *a = sdp_attrs(&sdp, m, &n);

	assert_int_equal(n, 10);
	assert_str(a[3].name, "fmtp"); /* in order */
	assert_str(a[3].value, "101 0-15");
	assert_false(a[5].has_value);
	assert_str(sdp_attr_find(&sdp, m, STR("ptime"))->value, "20");
	assert_str(sdp_attr_find(&sdp, NULL, STR("tool"))->value, "baresip 1.0.0");
	assert_null(sdp_attr_find(&sdp, NULL, STR("ptime")));
}

/* LF line ends, a session name with text, bandwidth, an image m-line, port 0, directions at both levels. */
static void cisco_offer_with_line_feeds(void **state)
{
	static const char text[] = "v=0\n"
				   "o=CiscoSystemsCCM-SIP 2000 1 IN IP4 172.16.0.2\n"
				   "s=SIP Call\n"
				   "c=IN IP4 172.16.0.9\n"
				   "b=TIAS:64000\n"
				   "b=AS:64\n"
				   "t=0 0\n"
				   "a=recvonly\n"
				   "m=audio 16384 RTP/AVP 18 101\n"
				   "a=rtpmap:18 G729/8000\n"
				   "a=fmtp:18 annexb=no\n"
				   "m=video 0 RTP/AVP 97\n"
				   "a=inactive\n"
				   "m=image 20000 udptl t38\n";
	struct err e;

	(void)state;
	assert_int_equal(parse(text, &e), 0);
	assert_int_equal(sdp.n_media, 3);
	assert_str(sdp.origin.username, "CiscoSystemsCCM-SIP");
	assert_int_equal(sdp.n_bandwidth, 2);
	assert_str(sdp.bandwidth[0], "TIAS:64000");
	assert_int_equal(sdp.media[0].direction, SDP_RECVONLY);
	assert_int_equal(sdp.media[1].direction, SDP_INACTIVE);
	assert_int_equal(sdp.media[1].port, 0);
	assert_int_equal(sdp.media[2].kind, SDP_OTHER_KIND);
	assert_int_equal(sdp.media[2].proto, SDP_PROTO_OTHER);
	assert_str(sdp.media[2].proto_text, "udptl");
}

/* IPv6 at the media level, a=rtcp with its own address, mux, and Chrome's profile. */
static void browser_offer(void **state)
{
	static const char text[] = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
				   "a=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS s\r\n"
				   "m=audio 51472 UDP/TLS/RTP/SAVPF 111 63 9\r\n"
				   "c=IN IP6 2001:db8::7\r\n"
				   "a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:4ZcD\r\na=rtcp-mux\r\n"
				   "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
				   "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux-only\r\n"
				   "a=rtpmap:96 VP8/90000\r\na=bundle-only\r\n";
	struct err e;

	(void)state;
	assert_int_equal(parse(text, &e), 0);
	assert_int_equal(sdp.connection.family, IP_NONE);
	assert_int_equal(sdp.media[0].connection.family, IP_V6);
	assert_int_equal(sdp.media[0].proto, SDP_DTLS_SAVPF);
	assert_true(sdp.media[0].rtcp_mux);
	assert_false(sdp.media[0].rtcp_mux_only);
	assert_int_equal(sdp.media[0].rtcp_port, 9);
	assert_int_equal(sdp.media[0].rtcp_ip.family, IP_V4);
	assert_true(sdp.media[1].rtcp_mux && sdp.media[1].rtcp_mux_only);
	assert_int_equal(sdp_media_clock(&sdp, &sdp.media[0]), 48000);
	assert_int_equal(sdp_media_clock(&sdp, &sdp.media[1]), 90000);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *says;
		int code;
	} cases[] = {
		{"", "the session's v= is missing", -EINVAL},
		{"v=0\r\n", "the session's o= is missing", -EINVAL},
		{HEAD, "the session's t= is missing", -EINVAL},
		{"v=1\r\n", "line 1: the version is not 0", -EINVAL},
		{"o=- 1 1 IN IP4 192.0.2.1\r\n", "line 1: v= is expected here", -EINVAL},
		{"v=0\r\ns=-\r\n", "line 2: o= is expected here", -EINVAL},
		{"v=0\r\no=- 1 IN IP4 192.0.2.1\r\ns=-\r\n", "line 2: o= does not have six fields", -EINVAL},
		{"v=0\r\no=- 1 x IN IP4 192.0.2.1\r\ns=-\r\n", "line 2: session id and version", -EINVAL},
		{"v=0\r\no=- 1 1 IN IP4\r\ns=-\r\n", "line 2: o= does not have six fields", -EINVAL},
		{"v=0\r\no=- 1 1 IN IPX 192.0.2.1\r\n", "line 2: the address type is neither", -EINVAL},
		{"v=0\r\no=- 1 1 ATM IP4 192.0.2.1\r\n", "line 2: the network type is not IN", -EINVAL},
		{HEAD "c=IN IP4 192.0.2.300\r\n", "line 4: '192.0.2.300' is not an IP address", -EINVAL},
		{HEAD "c=IN IP4 media.example.net\r\n", "line 4: 'media.example.net' is not an IP", -EINVAL},
		{HEAD "c=IN IP6 192.0.2.1\r\n", "line 4: the address is not of the type", -EINVAL},
		{HEAD "c=IN IP4 224.2.1.1/127\r\n", "line 4: a multicast or layered address", -EINVAL},
		{HEAD C4 C4, "line 5: a second c= at the same level", -EINVAL},
		{HEAD "b=64\r\n", "line 4: b= is not TYPE:NUMBER", -EINVAL},
		{HEAD "b=A:1\r\nb=B:1\r\nb=C:1\r\nb=D:1\r\nb=E:1\r\n", "line 8: more than 4 b= lines",
			-E2BIG},
		{HEAD "t=0\r\n", "line 4: t= is not two numbers", -EINVAL},
		{HEAD "x=1\r\n", "line 4: there is no such line", -EINVAL},
		{HEAD "hello\r\n", "line 4: not a letter and '='", -EINVAL},
		{HEAD "\r\nt=0 0\r\n", "line 4: not a letter and '='", -EINVAL},
		{HEAD C4 "m=audio 4000 RTP/AVP 0\r\n", "line 5: an m-line before the session's t=", -EINVAL},
		{HEAD C4 TIME "a=:x\r\n", "line 6: a= without the name", -EINVAL},
		{HEAD C4 TIME "a=x\001y\r\n", "line 6: a control character", -EINVAL},
		{HEAD C4 TIME "m=audio 65536 RTP/AVP 0\r\n", "line 6: the port of the m-line", -EINVAL},
		{HEAD C4 TIME "m=audio -1 RTP/AVP 0\r\n", "line 6: the port of the m-line", -EINVAL},
		{HEAD C4 TIME "m=audio 4000/2 RTP/AVP 0\r\n", "line 6: an m-line of 2 ports", -EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP\r\n", "line 6: the m-line is not MEDIA PORT", -EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP 128\r\n", "line 6: '128' is not an RTP payload type",
			-EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP 0  8\r\n", "line 6: the formats of the m-line are not",
			-EINVAL},
		{HEAD TIME "m=audio 4000 RTP/AVP 0\r\na=x\r\n", "line 5: the m-line has no c=", -EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP 0\r\nt=0 0\r\n", "line 7: t= may not stand under",
			-EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=recvonly\r\n",
			"line 8: a second direction", -EINVAL},
		{HEAD C4 TIME "m=audio 4000 RTP/AVP 0\r\na=rtcp:x\r\n", "line 7: a=rtcp does not begin",
			-EINVAL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e;
		int rc = parse(cases[i].text, &e);

		if (rc != cases[i].code || !strstr(e.text, cases[i].says))
			fail_msg("case %u: %d '%s', expected '%s'", i, rc, e.text, cases[i].says);
	}
}

/* Each limit holds at its last value and refuses the next. */
static void sizes_are_bounded(void **state)
{
	static char text[2 * SDP_TEXT_MAX];
	struct err e;

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		size_t head = (size_t)sprintf(text, HEAD C4 TIME);
		char *p = text + head;

		p += sprintf(p, "a=");
		memset(p, 'x', SDP_LINE_MAX - 2 + over);
		p[SDP_LINE_MAX - 2 + over] = '\0';
		assert_int_equal(parse(text, &e), over ? -E2BIG : 0);

		p = text + head;
		for (unsigned i = 0; i < SDP_MEDIA_MAX + over; i++)
			p += sprintf(p, "m=audio %u RTP/AVP 0\r\n", 4000 + i);
		assert_int_equal(parse(text, &e), over ? -E2BIG : 0);

		p = text + head;
		for (unsigned i = 0; i < SDP_ATTRS_MAX + over; i++)
			p += sprintf(p, "a=x%u\r\n", i);
		assert_int_equal(parse(text, &e), over ? -E2BIG : 0);

		p = text + head + sprintf(text + head, "m=audio 4000 RTP/AVP");
		for (unsigned i = 0; i < SDP_FORMATS_MAX + over; i++)
			p += sprintf(p, " %u", i);
		assert_int_equal(parse(text, &e), over ? -E2BIG : 0);

		p = text + head;
		while (p < text + SDP_TEXT_MAX - 1000)
			p += sprintf(p, "a=x:%0900d\r\n", 0);
		p += sprintf(p, "a=x:");
		memset(p, 'y', (size_t)(text + SDP_TEXT_MAX + over - p));
		text[SDP_TEXT_MAX + over] = '\0';
		assert_int_equal(parse(text, &e), over ? -E2BIG : 0);
	}
}

/* What is parsed, printed and parsed again is the same; i=, k= and the session's name do not pass. */
static void printing_keeps_what_was_parsed(void **state)
{
	static const char text[] =
		HEAD "i=secret plans\r\nu=http://x\r\ne=a@x\r\np=+1\r\nc=IN IP6 2001:db8::1\r\n"
		     "b=AS:64\r\nt=1 2\r\nr=1 2 3\r\nk=clear:abc\r\na=x-session:1\r\n"
		     "m=audio 4000 RTP/SAVP 0 8\r\ni=title\r\nc=IN IP4 192.0.2.9\r\nb=TIAS:1\r\n"
		     "a=rtpmap:0 PCMU/8000\r\na=sendonly\r\na=flag\r\na=empty:\r\n";
	static const char printed[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP6 "
				      "2001:db8::1\r\nb=AS:64\r\nt=1 2\r\na=x-session:1\r\n"
				      "m=audio 4000 RTP/SAVP 0 8\r\nc=IN IP4 192.0.2.9\r\nb=TIAS:1\r\n"
				      "a=rtpmap:0 PCMU/8000\r\na=sendonly\r\na=flag\r\na=empty:\r\n";
	char buf[1024];
	struct err e;

	(void)state;
	assert_int_equal(parse(text, &e), 0);
	struct wbuf w = wbuf_make(buf, sizeof buf);

	assert_int_equal(sdp_print(&sdp, &w), 0);
	assert_str(wbuf_view(&w), printed);
	w = wbuf_make(buf, sizeof printed - 2);
	assert_int_equal(sdp_print(&sdp, &w), -EMSGSIZE);
}

static void profiles_map_by_their_properties(void **state)
{
	(void)state;
	assert_int_equal(sdp_proto_find(true, true, false), SDP_RTP_SAVPF);
	assert_int_equal(sdp_proto_find(true, false, false), SDP_RTP_SAVP);
	assert_int_equal(sdp_proto_find(false, true, false), SDP_RTP_AVPF);
	assert_int_equal(sdp_proto_find(true, true, true), SDP_DTLS_SAVPF);
	assert_int_equal(sdp_proto_find(false, false, true), SDP_PROTO_OTHER);
	assert_int_equal(sdp_direction_mirror(SDP_SENDONLY), SDP_RECVONLY);
	assert_int_equal(sdp_direction_mirror(SDP_SENDRECV), SDP_SENDRECV);
}

static void clocks_of_static_payload_types(void **state)
{
	static const struct {
		const char *media;
		uint32_t hz;
	} cases[] = {
		{"m=audio 4000 RTP/AVP 0\r\n", 8000},
		{"m=audio 4000 RTP/AVP 9\r\n", 8000}, /* G722's clock is 8000 by a mistake that was kept */
		{"m=video 4000 RTP/AVP 34\r\n", 90000},
		{"m=audio 4000 RTP/AVP 96\r\n", 8000},
		{"m=audio 4000 RTP/AVP 96 0\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 AMR-WB/16000\r\n", 16000},
		{"m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 X/0\r\n", 8000},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		struct err e;

		snprintf(text, sizeof text, HEAD C4 TIME "%s", cases[i].media);
		assert_int_equal(parse(text, &e), 0);
		assert_int_equal(sdp_media_clock(&sdp, &sdp.media[0]), cases[i].hz);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(baresip_offer),
		cmocka_unit_test(cisco_offer_with_line_feeds),
		cmocka_unit_test(browser_offer),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(printing_keeps_what_was_parsed),
		cmocka_unit_test(profiles_map_by_their_properties),
		cmocka_unit_test(clocks_of_static_payload_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
