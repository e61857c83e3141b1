/* SPDX-License-Identifier: Apache-2.0 */
/* The packets that the gateway sends: each is judged for itself and by what came before. */
#include <string.h>

#include "lib/srtp/be.h"
#include "lib/srtp/rtcp_hdr.h"
#include "perf/gen_private.h"

/* A frame that the gateway may send. */
struct heard {
	unsigned side; /* whose peer it is for */
	uint32_t call;
	uint8_t *rtp;
	size_t n;
};

static bool heard_read(struct gen *g, struct rte_mbuf *m, struct heard *out)
{
	struct ip_port gateway;
	struct frame_udp udp;

	if (m->nb_segs != 1 || !frame_read(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, &udp) ||
		udp.n < RTCP_HDR_LEN)
		return false;
	*out = (struct heard){
		.side = 1, .call = gen_peer_session(g, 1, &udp.to), .rtp = udp.data, .n = udp.n};
	if (out->call >= g->conf.sessions && g->conf.rtcp) {
		out->side = 0;
		out->call = gen_peer_session(g, 0, &udp.to);
	}
	if (out->call >= g->conf.sessions)
		return false;
	gateway = gen_gateway(g, out->side, out->call);
	return ip_port_equal(&udp.from, &gateway);
}

/*
 * Sequence number and timestamp are as far from the first one's as when they were sent: a packet that is
 * missing leaves its place free. Which numbers the gateway begins with is its own choice.
 */
static bool numbers_right(struct gen_session *c, const uint8_t *rtp, const struct gen_packet *p)
{
	uint16_t seq = (uint16_t)(be16_get(rtp + 2) - p->number);
	uint32_t ts = be32_get(rtp + 4) - p->picture * gen_ts_step(c->media), ssrc = be32_get(rtp + 8);

	if (rtp[0] != 0x80 || rtp[1] != (gen_payload_type(c->media) | (gen_marker(c->media, p) ? 0x80 : 0)))
		return false;
	if (!c->heard) {
		c->out_seq = seq;
		c->out_ts = ts;
		c->out_ssrc = ssrc;
	}
	return seq == c->out_seq && ts == c->out_ts && ssrc == c->out_ssrc;
}

/* Only those that this generator sent itself can be known to come twice, or to change places. */
static bool expected(struct gen *g, struct gen_session *c, const struct gen_packet *p, int64_t *position)
{
	uint32_t *pending = &g->pending[p->serial % GEN_PENDING], at = *pending;

	if (!g->positions) {
		*position = -1;
		return !c->heard || p->number > c->highest;
	}
	if (!at)
		return false;
	*pending = 0;
	if (c->heard && (int32_t)(at - c->position) < 0)
		g->stats.overtaken++;
	else
		c->position = at;
	*position = (int64_t)(g->positions - (uint32_t)((uint32_t)g->positions - at)) - 1;
	return true;
}

static int64_t rtp_judge(struct gen *g, struct heard *h)
{
	struct gen_session *c = &g->sessions[h->call];
	uint8_t made[GEN_PAYLOAD_MAX], *payload = h->rtp + GEN_RTP;
	struct gen_packet p;
	int64_t position = -1;
	uint16_t n;

	if (h->side != 1 || h->n < GEN_RTP) {
		g->stats.bad_frame++;
		return -1;
	}
	if (c->unprotect[1] && srtp_context_unprotect(c->unprotect[1], h->rtp, &h->n)) {
		g->stats.bad_auth++;
		return -1;
	}
	if (!gen_payload_read(payload, h->n - GEN_RTP, c->media, &p) || p.call != h->call ||
		p.place >= gen_picture_packets(c->media, p.call, p.picture) ||
		(n = gen_payload_len(g, c->media, &p)) != h->n - GEN_RTP) {
		g->stats.bad_content++;
		return -1;
	}
	gen_payload_make(made, n, c->media, &p);
	if (memcmp(payload, made, n)) {
		g->stats.bad_content++;
		return -1;
	}
	if (!numbers_right(c, h->rtp, &p)) {
		g->stats.bad_rtp++;
		return -1;
	}
	if (!expected(g, c, &p, &position)) {
		g->stats.twice++;
		return -1;
	}
	if (!c->heard || p.number > c->highest)
		c->highest = p.number;
	c->heard = true;
	c->good++;
	g->stats.good++;
	return position;
}

int64_t gen_verify(struct gen *g, struct rte_mbuf *frame)
{
	struct heard h;

	if (!heard_read(g, frame, &h)) {
		g->stats.bad_frame++;
		return -1;
	}
	if (!rtcp_is(h.rtp, h.n))
		return rtp_judge(g, &h);
	gen_report_judge(g, h.side, h.call, h.rtp, h.n);
	return -1;
}
