/* SPDX-License-Identifier: Apache-2.0 */
/* The packets that the peers send, and what becomes of some before the gateway has them. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"

#define OLD_MAX 64 /* packets: what is replayed is well inside every window */

static uint64_t random_next(struct gen *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random;
}

static bool chance(struct gen *g, double percent)
{
	return percent > 0 && (double)(random_next(g) >> 11) * 0x1p-53 * 100 < percent;
}

static void item_copy(struct gen_item *to, const struct gen_item *from)
{
	memcpy(to, from, offsetof(struct gen_item, octets) + from->n);
}

static void push(struct gen *g, const struct gen_item *item)
{
	item_copy(&g->outbox[(g->outbox_at + g->outbox_n++) % GEN_OUTBOX], item);
}

uint8_t *gen_item_begin(struct gen_item *item, const struct gen_session *c, unsigned side)
{
	item->headers = c->headers_n[side];
	item->kind = GEN_GENUINE;
	item->side = (uint8_t)side;
	memcpy(item->octets, c->headers[side], item->headers);
	return item->octets + item->headers;
}

/* Its length, in UDP; 0: it cannot be protected. */
static size_t rtp_make(struct gen *g, struct gen_session *c, const struct gen_packet *p, uint8_t *rtp)
{
	uint16_t payload = gen_payload_len(g, c->media, p);
	size_t n = GEN_RTP + (size_t)payload;

	rtp[0] = 0x80;
	rtp[1] = (uint8_t)(gen_payload_type(c->media) | (gen_marker(c->media, p) ? 0x80 : 0));
	be16_put(rtp + 2, c->seq++);
	be32_put(rtp + 4, c->ts);
	be32_put(rtp + 8, c->ssrc);
	gen_payload_make(rtp + GEN_RTP, payload, c->media, p);
	if (c->protect[0] && srtp_context_protect(c->protect[0], rtp, &n, n + SRTP_TRAILER_MAX))
		return 0;
	c->octets += payload;
	return n;
}

/* Octets behind the tag: RFC 7714 section 9 has SRTCP's index there, RFC 3711 before it. A wrong index would
 * be an old packet, or another one. */
static unsigned behind_tag(const struct gen_item *item, const struct srtp_suite_info *info)
{
	return item->report && info->cipher == SRTP_CIPHER_GCM ? 4 : 0;
}

/* A copy that nobody may take for the packet, before the packet itself. */
static void forge(struct gen *g, const struct gen_item *genuine)
{
	enum srtp_suite suite = gen_suite(g, genuine->side);
	struct gen_item forged;

	item_copy(&forged, genuine);
	forged.kind = GEN_FORGED;
	if (suite)
		forged.octets[forged.n - 1 - behind_tag(genuine, srtp_suite_info(suite))] ^=
			(uint8_t)(1 << random_next(g) % 8);
	else
		frame_stranger(forged.octets, (uint32_t)(random_next(g) >> 32));
	frame_finish(forged.octets, forged.n - (size_t)forged.headers);
	push(g, &forged);
}

static int keep(struct gen_item **place, const struct gen_item *item)
{
	if (!*place)
		*place = malloc(sizeof(**place));
	if (!*place)
		return -EIO;
	item_copy(*place, item);
	return 0;
}

static void release(struct gen *g, struct gen_way *way)
{
	push(g, way->held);
	free(way->held);
	way->held = NULL;
}

/* Behind a packet of its call, so that no replay follows another: three in sequence would be a source that
 * begins again. */
static int replay(struct gen *g, const struct gen_impair *i, struct gen_way *way, const struct gen_item *item,
	uint32_t number)
{
	int rc = 0;

	if (i->replay <= 0)
		return 0;
	if (way->old && number - way->old_at < OLD_MAX && chance(g, i->replay)) {
		way->old->kind = GEN_REPLAYED;
		push(g, way->old);
	}
	if (!way->old || number - way->old_at >= OLD_MAX || chance(g, 25)) {
		rc = keep(&way->old, item);
		way->old_at = number;
	}
	return rc;
}

int gen_item_send(struct gen *g, struct gen_way *way, struct gen_item *item, size_t n, uint32_t number)
{
	const struct gen_impair *i = item->report ? &g->conf.impair_rtcp : &g->conf.impair;

	item->n = (uint16_t)frame_finish(item->octets, n);
	if (chance(g, i->forge))
		forge(g, item);
	if (chance(g, i->loss)) {
		*(item->report ? &g->stats.rtcp_lost : &g->stats.lost) += 1;
		return 0;
	}
	if (!way->held && chance(g, i->reorder)) {
		way->held_for = 1 + (uint32_t)(random_next(g) >> 32) % i->depth;
		*(item->report ? &g->stats.rtcp_reordered : &g->stats.reordered) += 1;
		return keep(&way->held, item);
	}
	push(g, item);
	if (way->held && --way->held_for == 0)
		release(g, way);
	return replay(g, i, way, item, number);
}

static int rtp_turn(struct gen *g, uint32_t s)
{
	struct gen_session *c = &g->sessions[s];
	uint16_t packets = gen_picture_packets(c->media, s, c->picture);
	struct gen_item item;
	int rc = 0;

	for (uint16_t place = 0; place < packets && !rc; place++) {
		struct gen_packet p = {s, c->sent++, g->serial++, c->picture, place};
		size_t n = rtp_make(g, c, &p, gen_item_begin(&item, c, 0));

		item.report = false;
		item.serial = p.serial;
		rc = n ? gen_item_send(g, &c->rtp, &item, n, p.number) : -EIO;
	}
	c->ts += gen_ts_step(c->media);
	c->picture++;
	return rc;
}

/* 20 ms of the next call: video has a picture every 40. */
static int turn(struct gen *g)
{
	uint32_t s = g->order[g->next];
	struct gen_session *c = &g->sessions[s];
	int rc = 0;

	g->next = g->next + 1 < g->conf.sessions ? g->next + 1 : 0;
	if (c->media != GEN_VIDEO || c->turns % 2 == 0)
		rc = rtp_turn(g, s);
	c->turns++;
	if (!rc && g->conf.rtcp && c->turns % g->conf.rtcp == 0)
		rc = gen_reports(g, s);
	return rc;
}

static void rtp_count(struct gen *g, const struct gen_item *item)
{
	g->stats.replayed += item->kind == GEN_REPLAYED;
	g->stats.forged += item->kind == GEN_FORGED;
	if (item->kind != GEN_GENUINE)
		return;
	g->pending[item->serial % GEN_PENDING] = (uint32_t)g->positions;
	g->stats.sent++;
	g->stats.octets += item->n - (uint64_t)item->headers;
}

static void report_count(struct gen_stats *s, const struct gen_item *item)
{
	s->rtcp_sent += item->kind == GEN_GENUINE;
	s->rtcp_replayed[item->side] += item->kind == GEN_REPLAYED;
	s->rtcp_forged[item->side] += item->kind == GEN_FORGED;
}

/* The next frame of the outbox leaves. */
static void pop(struct gen *g, struct rte_mbuf *m)
{
	const struct gen_item *item = &g->outbox[g->outbox_at];

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), item->octets, item->n);
	m->data_len = item->n;
	m->pkt_len = item->n;
	m->port = item->side;
	g->outbox_at = (g->outbox_at + 1) % GEN_OUTBOX;
	g->outbox_n--;
	g->positions++;
	if (item->report)
		report_count(&g->stats, item);
	else
		rtp_count(g, item);
}

int gen_build(struct gen *g, struct rte_mbuf **frames, unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++) {
		while (!g->outbox_n && !rc)
			rc = turn(g);
		if (!rc)
			pop(g, frames[i]);
	}
	return rc;
}

unsigned gen_drain(struct gen *g, struct rte_mbuf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		while (!g->outbox_n && g->draining < g->conf.sessions) {
			struct gen_session *c = &g->sessions[g->draining++];

			for (unsigned k = 0; k < 3; k++) {
				struct gen_way *way = k ? &c->rtcp[k - 1] : &c->rtp;

				if (way->held)
					release(g, way);
			}
		}
		if (!g->outbox_n)
			return i;
		pop(g, frames[i]);
	}
	return n;
}

int gen_skip(struct gen *g, uint32_t packets)
{
	int rc = 0;

	for (uint64_t i = 0; i < (uint64_t)packets * g->conf.sessions && !rc; i++) {
		rc = turn(g);
		g->outbox_n = 0;
	}
	return rc;
}
