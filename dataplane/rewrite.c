/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/rewrite.h"

#include <string.h>

#include "dataplane/event.h"
#include "dataplane/header_len.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/rtcp_describe.h"
#include "lib/srtp/rtcp_feedback.h"
#include "lib/srtp/rtcp_hdr.h"

/* The path that p leaves by: STUN goes back where it came from. */
static struct path *out_path(const struct packet *p)
{
	return leg_path(packet_out(p), p->kind == PACKET_RTCP || (p->kind == PACKET_STUN && p->rtcp_port));
}

/* Where the next hop of p is, by a path of its leg's; of one that it does not wait for *hop is filled. */
static inline int hop_by(struct worker *w, struct packet *p, struct path *path, struct neighbour_hop *hop)
{
	switch (neighbour_lookup(w->neighbour, &path->hop, &path->local.ip, &path->remote.ip, hop)) {
	case NEIGHBOUR_READY:
		p->waits = false;
		p->tx_port = hop->port;
		memcpy(p->ether, hop->ether, ETHER_LEN);
		return headers_len(path->local.ip.family) + p->len > hop->mtu ? DP_V_TOO_LONG : PACKET_ON;
	case NEIGHBOUR_PENDING:
		p->waits = true;
		return PACKET_ON;
	case NEIGHBOUR_NO_ROUTE:
	case NEIGHBOUR_SELF:
		break;
	}
	return DP_V_NEIGHBOUR;
}

int rewrite_hop(struct worker *w, struct packet *p)
{
	struct neighbour_hop hop;

	return hop_by(w, p, out_path(p), &hop);
}

static const struct dp_stream *out_conf(const struct packet *p)
{
	return &packet_out(p)->far->stream_conf[leg_stream(p->in, p->stream)->twin_stream];
}

/* Octets that the name of its m-line adds to p at most (RFC 9143 section 15.1); 0: it needs none, or has no
 * room. */
static uint16_t mid_room(const struct packet *p)
{
	uint16_t room;

	if (p->kind != PACKET_RTP || !leg_stream(p->in, p->stream)->names)
		return 0;
	room = rtp_ext_room(&p->rtp, out_conf(p)->mid_len);
	return p->data - room - IPV6_LEN - UDP_LEN - ETHER_LEN < (uint8_t *)p->m->buf_addr ? 0 : room;
}

/* The next hop of p, with the name of its m-line where it fits, and else without. */
static int named_hop(struct worker *w, struct packet *p, struct path *path)
{
	uint16_t room = mid_room(p), len = p->len;
	struct neighbour_hop hop;
	int verdict;

	p->len += room;
	verdict = hop_by(w, p, path, &hop);
	p->len = len;
	p->named = room && verdict != DP_V_TOO_LONG;
	if (room && !p->named)
		verdict = hop_by(w, p, path, &hop);
	if (verdict == PACKET_ON && !p->waits && p->kind == PACKET_RTP)
		leaving_prepare(w, packet_out(p), &hop);
	return verdict;
}

/* A backend's scratch and the trailer (16 tag, 16 MKI, 4 index) both fit behind the packet. */
static inline bool has_tailroom(const struct packet *p)
{
	return p->data + p->len + CRYPTO_TAILROOM + SRTP_TRAILER_MAX <=
	       (uint8_t *)p->m->buf_addr + p->m->buf_len;
}

/* Does p leave over this family with what its leg has prepared? Then nothing but that has to be looked at. */
static inline bool is_usual(const struct worker *w, const struct packet *p, enum ip_family family)
{
	const struct leaving *l = &p->to->leaving;

	return p->kind == PACKET_RTP && leaving_is_for(l, w->hops, family) && p->len <= l->room &&
	       has_tailroom(p);
}

static inline int leave_usual(struct packet *p, enum ip_family family)
{
	p->usual = (uint8_t)family;
	p->tx_port = p->to->leaving.port;
	return PACKET_ON;
}

/* May this leg send this packet, and will it fit? Everything that can refuse it, before an index is used up.
 */
static ASIDE int out_check(struct worker *w, struct packet *p)
{
	struct leg *out = packet_out(p);
	bool rtcp = p->kind == PACKET_RTCP;
	struct path *path = leg_path(out, rtcp);
	struct srtp_layout rtcp_layout;
	uint16_t len = p->len;
	int verdict;

	if (path->remote.ip.family == IP_NONE || path->local.ip.family == IP_NONE)
		return DP_V_NO_REMOTE;
	if (p->to->leaving.secure) {
		if (p->to->leaving.suite == SRTP_SUITE_NONE)
			return DP_V_NO_KEY;
		p->len += rtcp ? leg_key_layout(&p->to->tx, true, &rtcp_layout)->total
			       : p->to->leaving.tag_len + p->to->leaving.mki_len;
	}
	verdict = named_hop(w, p, path);
	p->len = len;
	if (verdict != PACKET_ON)
		return verdict;
	return has_tailroom(p) ? PACKET_ON : DP_V_TOO_LONG;
}

/* Which stream of which leg a packet came from, for struct renumber_packet. */
static uint8_t origin(const struct packet *p)
{
	return (uint8_t)(p->in->number * DP_STREAMS_MAX + p->stream);
}
_Static_assert(DP_LEGS_MAX *DP_STREAMS_MAX < RENUMBER_ANY_SOURCE, "origins have room in an octet");

/* Header extensions that the other side did not agree to stay here, and so do names of the other side's
 * m-lines. */
static ASIDE void extensions_keep(struct packet *p)
{
	const struct dp_stream *to = out_conf(p);
	uint16_t keep = to->extensions, removed;

	if (!leg_stream(packet_out(p), leg_stream(p->in, p->stream)->twin_stream)->limits_extensions)
		return;
	if (dp_stream_sends_mid(to))
		keep &= (uint16_t) ~(1u << to->mid_ext_id);
	removed = rtp_ext_keep(p->data, &p->rtp, keep);
	p->data += removed;
	p->len -= removed;
	p->clear_len = p->len;
}

static ASIDE void mid_add(struct packet *p)
{
	const struct dp_stream *to = out_conf(p);
	uint16_t added = rtp_ext_add(p->data, &p->rtp, to->mid_ext_id, to->mid, to->mid_len);

	p->data -= added;
	p->len += added;
	p->clear_len = p->len;
}

static inline struct renumber_packet numbers_of(const struct worker *w, const struct packet *p)
{
	return (struct renumber_packet){
		.ssrc = p->rtp.ssrc,
		.ts = p->rtp.ts,
		.seq = p->rtp.seq,
		.pt = p->rtp.pt,
		.source = origin(p),
		.clock_hz = leg_stream(p->in, p->stream)->clock_hz,
		.now_ms = w->now_ms,
	};
}

static ASIDE enum renumber_verdict renumber_any(
	const struct worker *w, const struct packet *p, struct renumber_packet *n)
{
	*n = numbers_of(w, p);
	return renumber_packet_map_any(&packet_out(p)->far->renumber, &p->to->leaving.slot, n);
}

/* By the slot that is near, most times. */
static inline enum renumber_verdict renumber(
	const struct worker *w, const struct packet *p, struct renumber_packet *n)
{
	struct renumber_slot *slot = p->to->leaving.slot;
	struct renumber_packet any;
	enum renumber_verdict v;

	*n = numbers_of(w, p);
	if (likely(slot && renumber_slot_next(slot, n)))
		return RENUMBER_SEND;
	/* Another one, so that the usual packet's stays in registers. */
	v = renumber_any(w, p, &any);
	*n = any;
	return v;
}

static int rtp_rewrite(struct worker *w, struct packet *p)
{
	struct renumber_packet n;
	uint8_t *data; /* once: for all the compiler knows, p->data is in it */

	switch (renumber(w, p, &n)) {
	case RENUMBER_SEND:
		break;
	case RENUMBER_DUPLICATE:
		return DP_V_DUPLICATE_OUT;
	case RENUMBER_OLD:
		return DP_V_TOO_OLD;
	case RENUMBER_SSRC_LIMIT:
		return DP_V_SSRC_LIMIT;
	case RENUMBER_EXHAUSTED:
		return DP_V_KEY_EXPIRED;
	}
	if (!p->usual && p->rtp.ext_off)
		extensions_keep(p);
	if (p->named)
		mid_add(p);
	data = p->data;
	rtp_set_seq(data, srtp_index_seq(n.out_index));
	rtp_set_ts(data, n.out_ts);
	rtp_set_ssrc(data, n.out_ssrc);
	p->index = n.out_index;
	if (unlikely(n.out_rolled && p->to->leaving.secure)) {
		struct leg *out = packet_out(p);

		out->far->checkpoint_ssrc = n.out_ssrc;
		out->far->checkpoint_roc = srtp_index_roc(n.out_index);
		event_mark(w, out, LEG_EVENT_CHECKPOINT);
	}
	return PACKET_ON;
}

/* Under BUNDLE one compound speaks of several streams. */
static ASIDE int rtcp_rewrite(const struct worker *w, struct packet *p)
{
	const struct stream *to = leg_stream(packet_out(p), leg_stream(p->in, p->stream)->twin_stream);
	uint8_t from = p->in->n_streams > 1 ? RENUMBER_ANY_SOURCE : origin(p);
	int n = renumber_rtcp(&packet_out(p)->far->renumber, &p->in->far->renumber, from, p->data, p->len);

	if (n < 0)
		return DP_V_MALFORMED;
	/*
	 * What is left may be nothing (only the goodbye of a source that another one follows under its
	 * outgoing SSRC), or less than SRTCP can protect: an empty SDES or BYE names no sender.
	 */
	if (n < (int)RTCP_HDR_LEN)
		return DP_V_NO_STREAM;
	n = (int)rtcp_feedback_keep(p->data, (size_t)n, to->feedback);
	if (n < (int)RTCP_HDR_LEN)
		return DP_V_FEEDBACK;
	n = (int)rtcp_describe_hide(p->data, (size_t)n, &w->names, p->in->far->session->id);
	if (n < (int)RTCP_HDR_LEN)
		return DP_V_NO_STREAM;
	p->len = p->clear_len = (uint16_t)n;
	return PACKET_ON;
}

/* The SSRC of the media that one RTCP packet is about, 0 for none. */
static uint32_t rtcp_about(const uint8_t *p, const struct rtcp_part *part)
{
	uint16_t at = part->type == RTCP_SR ? 28 : 8;
	bool feedback = part->type == RTCP_RTPFB || part->type == RTCP_PSFB;
	uint32_t ssrc;

	if (!feedback && (part->count == 0 || (part->type != RTCP_SR && part->type != RTCP_RR)))
		return 0;
	if (part->body < at + 4)
		return 0;
	ssrc = be32_get(p + at);
	/* Formats that name the media in each entry leave the one in the header 0 (RFC 5104 section 4.3.1).
	 */
	return ssrc == 0 && feedback && part->body >= at + 8 ? be32_get(p + at + 4) : ssrc;
}

/* The stream of leg `in` whose media is sent to its peer under ssrc, or STREAM_NONE. */
static uint8_t stream_heard_as(const struct leg *in, uint32_t ssrc)
{
	uint8_t source = renumber_source_of(&in->far->renumber, ssrc);

	for (uint8_t i = 0; source != RENUMBER_ANY_SOURCE && i < in->n_streams; i++) {
		const struct stream *s = leg_stream(in, i);

		if (s->to && stream_twin(s)->number == source / DP_STREAMS_MAX &&
			s->twin_stream == source % DP_STREAMS_MAX)
			return i;
	}
	return STREAM_NONE;
}

/*
 * Under BUNDLE a compound goes where the media goes that it is about: above all requests for pictures and
 * repairs, then what its sender sends, then reports of one that sends nothing.
 */
static ASIDE void rtcp_stream(struct packet *p)
{
	struct rtcp_walk walk = rtcp_walk_begin(p->data, p->len);
	bool sender = leg_source_streams(p->in, p->ssrc);
	struct rtcp_part part;

	while (rtcp_walk_next(&walk, &part) > 0) {
		uint32_t about = rtcp_about(p->data + part.off, &part);
		uint8_t stream = about ? stream_heard_as(p->in, about) : STREAM_NONE;
		bool report = part.type == RTCP_SR || part.type == RTCP_RR;

		if (stream != STREAM_NONE && !(report && sender))
			p->stream = stream;
		if (stream != STREAM_NONE && !report)
			return;
	}
}

/* Of all but the most: calls, so that the stages that they are part of stay as small as those over IPv4 let
 * them be. */
static ASIDE int other_route(struct worker *w, struct packet *p)
{
	return is_usual(w, p, IP_V6) ? leave_usual(p, IP_V6) : out_check(w, p);
}

static ASIDE int other_headers(struct worker *w, struct packet *p)
{
	return p->usual ? leaving_headers_v6(w, p) : rewrite_headers_any(w, p);
}

int rewrite_route(struct worker *w, struct packet *p)
{
	const struct stream *from;

	if (p->kind == PACKET_RTCP && p->in->n_streams > 1)
		rtcp_stream(p);
	if (p->stream == STREAM_NONE)
		return DP_V_NO_STREAM;
	from = leg_stream(p->in, p->stream);
	if (!from->to)
		return DP_V_NO_STREAM;
	p->to = from->to;
	if (p->kind == PACKET_RTP && !from->relays)
		return DP_V_DIRECTION;
	p->clear_len = p->len;
	if (likely(is_usual(w, p, IP_V4)))
		return leave_usual(p, IP_V4);
	return other_route(w, p);
}

int rewrite_numbers(struct worker *w, struct packet *p)
{
	return p->kind == PACKET_RTCP ? rtcp_rewrite(w, p) : rtp_rewrite(w, p);
}

/* Of one that waits for its next hop the port is not known, and rewrite_ether() comes later. */
ASIDE int rewrite_headers_any(struct worker *w, struct packet *p)
{
	bool offload = !p->waits && w->ports[p->tx_port]->tx_checksums;
	const struct path *path = out_path(p);
	struct leaving l;

	leaving_make(&l, path, p->to->dscp, p->ether);
	return leaving_write(&l, path, p, offload);
}

int rewrite_headers(struct worker *w, struct packet *p)
{
	return likely(p->usual == IP_V4) ? leaving_headers_v4(w, p) : other_headers(w, p);
}

void rewrite_ether(struct packet *p)
{
	memcpy(rte_pktmbuf_mtod(p->m, uint8_t *), p->ether, ETHER_LEN);
}
