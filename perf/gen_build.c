/* SPDX-License-Identifier: Apache-2.0 */
/* The packets that the peers send, and what becomes of some before the gateway has them. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"

#define STRANGERS 0xc6120000u /* 198.18.0.0/15 */
#define OLD_MAX 64            /* packets: what is replayed is well inside every window */

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

void gen_push(struct gen *g, const struct gen_item *item)
{
	item_copy(&g->outbox[(g->outbox_at + g->outbox_n++) % GEN_OUTBOX], item);
}

static void checksums(uint8_t *frame)
{
	struct rte_ipv4_hdr *ip = (void *)(frame + GEN_ETHER);
	struct rte_udp_hdr *udp = (void *)(frame + GEN_ETHER + 20);

	/* In place as any sender fills them; the gateway must not need offloads to see them. */
	ip->hdr_checksum = 0;
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

void gen_frame_finish(uint8_t *frame, size_t n)
{
	be16_put(frame + GEN_ETHER + 2, (uint16_t)(28 + n));
	be16_put(frame + GEN_ETHER + 24, (uint16_t)(8 + n));
	checksums(frame);
}

static int rtp_make(struct gen *g, struct gen_session *c, const struct gen_packet *p, struct gen_item *item)
{
	uint8_t *rtp = item->octets + GEN_HEADERS;
	uint16_t payload = gen_payload_len(g, c->media, p);
	bool last = p->place + 1 == gen_picture_packets(c->media, p->call, p->picture);
	size_t n = GEN_RTP + (size_t)payload;

	memcpy(item->octets, c->headers[0], GEN_HEADERS);
	rtp[0] = 0x80;
	rtp[1] = (uint8_t)(gen_payload_type(c->media) | (c->media == GEN_VIDEO && last ? 0x80 : 0));
	be16_put(rtp + 2, c->seq++);
	be32_put(rtp + 4, c->ts);
	be32_put(rtp + 8, c->ssrc);
	gen_payload_make(rtp + GEN_RTP, payload, c->media, p);
	if (c->protect[0] && srtp_context_protect(c->protect[0], rtp, &n, n + SRTP_TRAILER_MAX))
		return -EIO;
	gen_frame_finish(item->octets, n);
	item->n = (uint16_t)(GEN_HEADERS + n);
	item->kind = GEN_GENUINE;
	item->side = 0;
	item->serial = p->serial;
	c->octets += payload;
	return 0;
}

/* A copy that nobody may take for the packet, before the packet itself. */
static void forge(struct gen *g, const struct gen_item *genuine)
{
	struct gen_item forged;

	item_copy(&forged, genuine);
	forged.kind = GEN_FORGED;
	if (g->conf.in)
		forged.octets[forged.n - 1] ^= (uint8_t)(1 << random_next(g) % 8);
	else
		be32_put(forged.octets + GEN_ETHER + 12,
			STRANGERS + (uint32_t)(random_next(g) >> 32 & 0x1ffff));
	checksums(forged.octets);
	gen_push(g, &forged);
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

static void release(struct gen *g, struct gen_session *c)
{
	gen_push(g, c->held);
	free(c->held);
	c->held = NULL;
}

/* Behind a packet of its call, so that no replay follows another: three in sequence would be a source that
 * begins again. */
static int replay(struct gen *g, struct gen_session *c, const struct gen_item *item, uint32_t number)
{
	int rc = 0;

	if (g->conf.impair.replay <= 0)
		return 0;
	if (c->old && chance(g, g->conf.impair.replay)) {
		c->old->kind = GEN_REPLAYED;
		gen_push(g, c->old);
	}
	if (!c->old || number - c->old_at >= OLD_MAX || chance(g, 25)) {
		rc = keep(&c->old, item);
		c->old_at = number;
	}
	return rc;
}

/* On its way to the gateway. */
static int put_on_the_way(struct gen *g, struct gen_session *c, const struct gen_item *item, uint32_t number)
{
	const struct gen_impair *i = &g->conf.impair;

	if (chance(g, i->forge))
		forge(g, item);
	if (chance(g, i->loss)) {
		g->stats.lost++;
		return 0;
	}
	if (!c->held && chance(g, i->reorder)) {
		c->held_for = 1 + (uint32_t)(random_next(g) >> 32) % i->depth;
		g->stats.reordered++;
		return keep(&c->held, item);
	}
	gen_push(g, item);
	if (c->held && --c->held_for == 0)
		release(g, c);
	return replay(g, c, item, number);
}

static int rtp_turn(struct gen *g, uint32_t s)
{
	struct gen_session *c = &g->sessions[s];
	uint16_t packets = gen_picture_packets(c->media, s, c->picture);
	struct gen_item item;
	int rc = 0;

	for (uint16_t place = 0; place < packets && !rc; place++) {
		struct gen_packet p = {s, c->sent++, g->serial++, c->picture, place};

		rc = rtp_make(g, c, &p, &item);
		rc = rc ? rc : put_on_the_way(g, c, &item, p.number);
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
	if (item->kind == GEN_GENUINE) {
		g->pending[item->serial % GEN_PENDING] = (uint32_t)g->positions;
		g->stats.sent++;
		g->stats.octets += item->n - (uint64_t)GEN_HEADERS;
	}
	g->stats.rtcp_sent += item->kind == GEN_REPORT;
	g->stats.replayed += item->kind == GEN_REPLAYED;
	g->stats.forged += item->kind == GEN_FORGED;
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

			if (c->held)
				release(g, c);
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
