/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sdp/sdp.h"

#include <errno.h>

static const struct sdp_proto_info protos[SDP_PROTO_COUNT] = {
	[SDP_PROTO_OTHER] = {"other"},
	[SDP_RTP_AVP] = {"RTP/AVP", .rtp = true},
	[SDP_RTP_AVPF] = {"RTP/AVPF", .rtp = true, .feedback = true},
	[SDP_RTP_SAVP] = {"RTP/SAVP", .rtp = true, .secure = true},
	[SDP_RTP_SAVPF] = {"RTP/SAVPF", .rtp = true, .secure = true, .feedback = true},
	[SDP_DTLS_SAVP] = {"UDP/TLS/RTP/SAVP", .rtp = true, .secure = true, .dtls = true},
	[SDP_DTLS_SAVPF] = {"UDP/TLS/RTP/SAVPF", .rtp = true, .secure = true, .feedback = true, .dtls = true},
};

const struct sdp_proto_info *sdp_proto_info(enum sdp_proto p)
{
	return &protos[p < SDP_PROTO_COUNT ? p : SDP_PROTO_OTHER];
}

enum sdp_proto sdp_proto_find(bool secure, bool feedback, bool dtls)
{
	for (unsigned i = SDP_RTP_AVP; i < SDP_PROTO_COUNT; i++)
		if (protos[i].secure == secure && protos[i].feedback == feedback && protos[i].dtls == dtls)
			return (enum sdp_proto)i;
	return SDP_PROTO_OTHER;
}

const char *sdp_direction_name(enum sdp_direction d)
{
	static const char *const names[] = {"inactive", "recvonly", "sendonly", "sendrecv"};

	return names[d & 3];
}

enum sdp_direction sdp_direction_mirror(enum sdp_direction d)
{
	return (enum sdp_direction)((d & 1) << 1 | (d & 2) >> 1);
}

const struct sdp_attr *sdp_attrs(const struct sdp *s, const struct sdp_media *m, unsigned *n)
{
	*n = m ? m->n_attrs : s->n_session_attrs;
	return s->attrs + (m ? m->first_attr : 0);
}

const struct sdp_attr *sdp_attr_find(const struct sdp *s, const struct sdp_media *m, struct str name)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++)
		if (str_eq(a[i].name, name))
			return &a[i];
	return NULL;
}

/* RFC 3551 section 6; every other static type has 8000 Hz. */
static uint32_t static_clock(uint64_t payload_type)
{
	static const struct {
		uint8_t payload_type;
		uint32_t hz;
	} clocks[] = {
		{6, 16000},
		{10, 44100},
		{11, 44100},
		{14, 90000},
		{16, 11025},
		{17, 22050},
		{25, 90000},
		{26, 90000},
		{28, 90000},
		{31, 90000},
		{32, 90000},
		{33, 90000},
		{34, 90000},
	};

	for (unsigned i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
		if (clocks[i].payload_type == payload_type)
			return clocks[i].hz;
	return 8000;
}

uint32_t sdp_media_clock(const struct sdp *s, const struct sdp_media *m)
{
	struct str formats = m->formats, first = str_cut(&formats, ' ');
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);
	uint64_t v;

	for (unsigned i = 0; i < n; i++) {
		struct str value = a[i].value;

		if (!str_eq(a[i].name, STR("rtpmap")) || !str_eq(str_cut(&value, ' '), first))
			continue;
		str_cut(&value, '/'); /* encoding name */
		if (str_to_u64(str_trim(str_cut(&value, '/')), 10000000, &v) == 0 && v)
			return (uint32_t)v;
	}
	return str_to_u64(first, 127, &v) == 0 ? static_clock(v) : 8000;
}

void sdp_put_connection(struct wbuf *w, const struct ip_addr *ip)
{
	char text[IP_TEXT_MAX];

	wbuf_fmt(w, "c=IN IP%c %s\r\n", ip->family == IP_V6 ? '6' : '4', ip_text(ip, text));
}

void sdp_put_media(struct wbuf *w, struct str kind, uint16_t port, struct str proto, struct str formats)
{
	wbuf_z(w, "m=");
	wbuf_str(w, kind);
	wbuf_fmt(w, " %u ", port);
	wbuf_str(w, proto);
	wbuf_u8(w, ' ');
	wbuf_str(w, formats);
	wbuf_z(w, "\r\n");
}

void sdp_put_bandwidth(struct wbuf *w, const struct str *lines, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		wbuf_z(w, "b=");
		wbuf_str(w, lines[i]);
		wbuf_z(w, "\r\n");
	}
}

void sdp_put_attr(struct wbuf *w, const struct sdp_attr *a)
{
	wbuf_z(w, "a=");
	wbuf_str(w, a->name);
	if (a->has_value) {
		wbuf_u8(w, ':');
		wbuf_str(w, a->value);
	}
	wbuf_z(w, "\r\n");
}

static void put_attrs(struct wbuf *w, const struct sdp *s, const struct sdp_media *m)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++)
		sdp_put_attr(w, &a[i]);
}

int sdp_print(const struct sdp *s, struct wbuf *w)
{
	const struct str origin[] = {s->origin.username, s->origin.sess_id, s->origin.sess_version};

	wbuf_z(w, "v=0\r\no=");
	for (unsigned i = 0; i < 3; i++) {
		wbuf_str(w, origin[i]);
		wbuf_u8(w, ' ');
	}
	wbuf_z(w, s->origin.family == IP_V6 ? "IN IP6 " : "IN IP4 ");
	wbuf_str(w, s->origin.address);
	wbuf_z(w, "\r\ns=-\r\n");
	if (s->connection.family != IP_NONE)
		sdp_put_connection(w, &s->connection);
	sdp_put_bandwidth(w, s->bandwidth, s->n_bandwidth);
	wbuf_z(w, "t=");
	wbuf_str(w, s->time);
	wbuf_z(w, "\r\n");
	put_attrs(w, s, NULL);
	for (unsigned i = 0; i < s->n_media; i++) {
		const struct sdp_media *m = &s->media[i];

		sdp_put_media(w, m->kind_text, m->port, m->proto_text, m->formats);
		if (m->connection.family != IP_NONE)
			sdp_put_connection(w, &m->connection);
		sdp_put_bandwidth(w, m->bandwidth, m->n_bandwidth);
		put_attrs(w, s, m);
	}
	return w->overflow ? -EMSGSIZE : 0;
}
