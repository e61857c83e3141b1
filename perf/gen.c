/* SPDX-License-Identifier: Apache-2.0 */
/* The packets: built for the gateway, judged when it has relayed them. */
#include "perf/gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"

static int context(const struct gen *g, unsigned side, uint32_t s, unsigned direction,
	enum srtp_direction way, struct srtp_context **out)
{
	SECRET_AUTO struct secret master = {0};
	struct srtp_context_conf conf = {
		.suite = gen_suite(g, side),
		.direction = way,
		.master = &master,
		.replay_window = 64,
		.ssrc_max = 1,
	};
	int rc;

	if (conf.suite == SRTP_SUITE_NONE)
		return 0;
	rc = gen_master(g, side, s, direction, &master);
	return rc < 0 ? rc : srtp_context_alloc(out, &conf);
}

static void headers(const struct gen *g, uint8_t *h, uint32_t s)
{
	struct ip_port from = gen_peer(g, 0, s), to = gen_gateway(g, 0, s);
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0x10, 0x01};
	uint8_t *ip = h + GEN_ETHER, *udp = ip + 20;

	memcpy(h, g->conf.gateway_mac, 6);
	memcpy(h + 6, mac, 6);
	be16_put(h + 12, 0x0800);
	ip[0] = 0x45;
	ip[6] = 0x40; /* don't fragment */
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, from.ip.octets, 4);
	memcpy(ip + 16, to.ip.octets, 4);
	be16_put(udp, from.port);
	be16_put(udp + 2, to.port);
}

static int sessions_open(struct gen *g)
{
	uint64_t random = 1;
	int rc = 0;

	for (uint32_t s = 0; s < g->conf.sessions && rc >= 0; s++) {
		struct gen_session *c = &g->sessions[s];

		headers(g, c->headers, s);
		c->ssrc = 0x10000000 + s * 7919;
		c->seq = (uint16_t)(s * 31);
		c->ts = s * 1013;
		g->order[s] = s;
		/* The gateway receives with what our protect side sends with. */
		rc = context(g, 0, s, DP_KEY_RX, SRTP_PROTECT, &c->protect);
		rc = rc < 0 ? rc : context(g, 1, s, DP_KEY_TX, SRTP_UNPROTECT, &c->unprotect);
	}
	for (uint32_t i = g->conf.sessions; i > 1; i--) {
		uint32_t k, swap = g->order[i - 1];

		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		k = (uint32_t)((random >> 33) % i);
		g->order[i - 1] = g->order[k];
		g->order[k] = swap;
	}
	return rc;
}

int gen_open(const struct gen_conf *conf, struct gen **out, struct err *err)
{
	struct gen *g;
	int rc = -ENOMEM;

	if (!conf->sessions || conf->sessions > GEN_SESSIONS_MAX || conf->payload < GEN_PAYLOAD_MIN ||
		conf->payload > GEN_PAYLOAD_MAX)
		return err_set(err, EINVAL, "%u calls of %u octets: 1 to %u calls, %u to %u octets",
			conf->sessions, conf->payload, GEN_SESSIONS_MAX, GEN_PAYLOAD_MIN, GEN_PAYLOAD_MAX);
	g = calloc(1, sizeof(*g));
	if (g) {
		g->conf = *conf;
		g->sessions = calloc(conf->sessions, sizeof(*g->sessions));
		g->order = calloc(conf->sessions, sizeof(*g->order));
		if (g->sessions && g->order)
			rc = sessions_open(g);
	}
	if (rc < 0) {
		gen_close(g);
		return err_set(err, -rc, "%u calls: %s", conf->sessions, strerror(-rc));
	}
	*out = g;
	return 0;
}

void gen_close(struct gen *g)
{
	if (!g)
		return;
	for (uint32_t s = 0; g->sessions && s < g->conf.sessions; s++) {
		srtp_context_free(g->sessions[s].protect);
		srtp_context_free(g->sessions[s].unprotect);
	}
	free(g->sessions);
	free(g->order);
	free(g);
}

static void payload_make(uint8_t *p, uint16_t n, uint32_t call, uint64_t packet)
{
	be32_put(p, call);
	be32_put(p + 4, (uint32_t)(packet >> 32));
	be32_put(p + 8, (uint32_t)packet);
	for (uint16_t i = 12; i < n; i++)
		p[i] = (uint8_t)(call * 7 + packet + i);
}

void gen_skip(struct gen *g, uint32_t packets)
{
	for (uint32_t s = 0; s < g->conf.sessions; s++) {
		g->sessions[s].seq = (uint16_t)(g->sessions[s].seq + packets);
		g->sessions[s].ts += packets * 160;
		g->sessions[s].sent += packets;
	}
}

static int build_one(struct gen *g, struct rte_mbuf *m)
{
	uint32_t s = g->order[g->next];
	struct gen_session *c = &g->sessions[s];
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *), *ip = f + GEN_ETHER, *udp = ip + 20, *rtp = udp + 8;
	size_t n = GEN_RTP + (size_t)g->conf.payload;

	g->next = g->next + 1 < g->conf.sessions ? g->next + 1 : 0;
	memcpy(f, c->headers, GEN_HEADERS);
	rtp[0] = 0x80;
	rtp[1] = 0;
	be16_put(rtp + 2, c->seq++);
	be32_put(rtp + 4, c->ts);
	be32_put(rtp + 8, c->ssrc);
	c->ts += 160;
	payload_make(rtp + GEN_RTP, g->conf.payload, s, c->sent++);
	if (c->protect && srtp_context_protect(c->protect, rtp, &n, n + SRTP_TRAILER_MAX))
		return -EIO;
	be16_put(ip + 2, (uint16_t)(28 + n));
	be16_put(udp + 4, (uint16_t)(8 + n));
	/* Checksums in place as any sender fills them; the gateway must not need offloads to see them. */
	memset(ip + 10, 0, 2);
	memset(udp + 6, 0, 2);
	((struct rte_udp_hdr *)udp)->dgram_cksum =
		rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)ip, udp);
	((struct rte_ipv4_hdr *)ip)->hdr_checksum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
	m->data_len = (uint16_t)(GEN_HEADERS + n);
	m->pkt_len = m->data_len;
	g->stats.sent++;
	return 0;
}

int gen_build(struct gen *g, struct rte_mbuf **frames, unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = build_one(g, frames[i]);
	return rc;
}

/* A sound header sums to ones, its own checksum included; over UDP it is made again and compared. */
static bool checksums_sound(const uint8_t *ip, uint8_t *udp)
{
	struct rte_udp_hdr *h = (struct rte_udp_hdr *)udp;
	rte_be16_t said = h->dgram_cksum, made;

	h->dgram_cksum = 0;
	made = rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)ip, udp);
	h->dgram_cksum = said;
	return rte_raw_cksum(ip, 20) == 0xffff && said == made;
}

/* The call that a frame is for, its RTP and how long that is; NULL: no frame that the gateway should send. */
static struct gen_session *frame_session(struct gen *g, struct rte_mbuf *m, uint8_t **rtp, size_t *n)
{
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *), *ip = f + GEN_ETHER, *udp = ip + 20;
	struct ip_port from, to;
	uint32_t s;

	if (m->nb_segs != 1 || m->data_len < GEN_HEADERS + GEN_RTP || be16_get(f + 12) != 0x0800 ||
		ip[0] != 0x45 || ip[9] != 17)
		return NULL;
	*n = be16_get(udp + 4) - (size_t)8;
	if (be16_get(ip + 2) != 28 + *n || m->data_len != GEN_HEADERS + *n)
		return NULL;
	s = gen_peer_session(g, ip + 16, udp + 2);
	if (s >= g->conf.sessions)
		return NULL;
	from = gen_gateway(g, 1, s);
	to = gen_peer(g, 1, s);
	if (memcmp(ip + 12, from.ip.octets, 4) || be16_get(udp) != from.port || be16_get(udp + 2) != to.port)
		return NULL;
	if (!checksums_sound(ip, udp))
		return NULL;
	*rtp = udp + 8;
	return &g->sessions[s];
}

/* Sequence number and timestamp go on from the packet before, whatever numbers the gateway began with. */
static bool rtp_goes_on(struct gen_session *c, const uint8_t *rtp)
{
	uint16_t seq = be16_get(rtp + 2);
	uint32_t ts = be32_get(rtp + 4), ssrc = be32_get(rtp + 8);
	bool ok = rtp[0] == 0x80 && rtp[1] == 0;

	if (c->heard)
		ok &= seq == (uint16_t)(c->out_seq + 1) && ts == c->out_ts + 160 && ssrc == c->out_ssrc;
	c->out_seq = seq;
	c->out_ts = ts;
	c->out_ssrc = ssrc;
	return ok;
}

void gen_verify(struct gen *g, struct rte_mbuf *frame)
{
	uint8_t expected[GEN_PAYLOAD_MAX], *rtp;
	struct gen_session *c;
	uint64_t packet;
	size_t n;

	c = frame_session(g, frame, &rtp, &n);
	if (!c) {
		g->stats.bad_frame++;
		return;
	}
	if (c->unprotect && srtp_context_unprotect(c->unprotect, rtp, &n)) {
		g->stats.bad_auth++;
		return;
	}
	if (!rtp_goes_on(c, rtp)) {
		g->stats.bad_rtp++;
		return;
	}
	packet = c->heard++;
	payload_make(expected, g->conf.payload, (uint32_t)(c - g->sessions), packet);
	if (n != GEN_RTP + (size_t)g->conf.payload || memcmp(rtp + GEN_RTP, expected, g->conf.payload))
		g->stats.bad_content++;
	else
		g->stats.good++;
}

uint32_t gen_calls(const struct gen *g)
{
	return g->conf.sessions;
}

const struct gen_stats *gen_stats(const struct gen *g)
{
	return &g->stats;
}
