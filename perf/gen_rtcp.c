/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports (RFC 3550 section 6.4). The caller's peer sends a sender report with one report block and its name;
 * the listener's peer a receiver report about what it heard. Numbers in fields that no gateway touches (NTP
 * time of the sender, LSR and DLSR of the listener) tell what each must look like where it comes out.
 */
#include <errno.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "lib/srtp/rtcp_hdr.h"
#include "perf/gen_private.h"

#define BLOCK 24
#define SR_LEN (28 + BLOCK)
#define RR_LEN (8 + BLOCK)
#define SDES_LEN 20 /* header, SSRC, CNAME, end */
#define COMPOUND_MAX (SR_LEN + SDES_LEN)
#define LISTENER 0x20000000u
#define NAME "gen-call"

static void begin_put(uint8_t *p, size_t n, uint8_t type, uint32_t ssrc)
{
	memset(p, 0, n);
	p[0] = 0x81;
	p[1] = type;
	be16_put(p + 2, (uint16_t)(n / 4 - 1));
	be32_put(p + 4, ssrc);
}

static void name_put(uint8_t *p, uint32_t ssrc)
{
	begin_put(p, SDES_LEN, RTCP_SDES, ssrc);
	p[8] = 1; /* CNAME */
	p[9] = sizeof(NAME) - 1;
	memcpy(p + 10, NAME, sizeof(NAME) - 1);
}

struct sender {
	uint32_t call, number, picture; /* the report's, and what its timestamp is of */
	uint32_t ssrc, ts, packets, octets;
};

static size_t sender_report(uint8_t *p, const struct sender *s)
{
	begin_put(p, SR_LEN, RTCP_SR, s->ssrc);
	be32_put(p + 8, s->number);
	be32_put(p + 12, s->picture);
	be32_put(p + 16, s->ts);
	be32_put(p + 20, s->packets);
	be32_put(p + 24, s->octets);
	be32_put(p + 28, LISTENER + s->call); /* whose media nobody sends: it must stay as it is */
	name_put(p + SR_LEN, s->ssrc);
	return SR_LEN + SDES_LEN;
}

struct listener {
	uint32_t call, number, packet; /* the report's, and the last packet that it speaks of */
	uint32_t about, highest;       /* SSRC and extended sequence number */
};

static size_t receiver_report(uint8_t *p, const struct listener *l)
{
	begin_put(p, RR_LEN, RTCP_RR, LISTENER + l->call);
	be32_put(p + 8, l->about);
	be32_put(p + 16, l->highest);
	be32_put(p + 24, l->number);
	be32_put(p + 28, l->packet);
	name_put(p + RR_LEN, LISTENER + l->call);
	return RR_LEN + SDES_LEN;
}

/* The compound of n octets that stands at p leaves from the peer of that side. */
static int report_send(
	struct gen *g, unsigned side, struct gen_session *c, struct gen_item *item, uint8_t *p, size_t n)
{
	if (c->protect[side] && srtp_context_protect_rtcp(c->protect[side], p, &n, n + SRTP_TRAILER_MAX))
		return -EIO;
	item->report = true;
	return gen_item_send(g, &c->rtcp[side], item, n, c->reports[side].sent);
}

int gen_reports(struct gen *g, uint32_t s)
{
	struct gen_session *c = &g->sessions[s];
	const struct sender sr = {
		.call = s,
		.number = ++c->reports[0].sent,
		.picture = c->picture,
		.ssrc = c->ssrc,
		.ts = c->ts,
		.packets = c->sent,
		.octets = c->octets,
	};
	struct gen_item item;
	uint8_t *p = gen_item_begin(&item, c, 0);
	int rc = report_send(g, 0, c, &item, p, sender_report(p, &sr));

	/* Who has heard nothing has nothing to say of it. */
	if (rc || !c->heard)
		return rc;

	const struct listener rr = {
		.call = s,
		.number = ++c->reports[1].sent,
		.packet = c->highest,
		.about = c->out_ssrc,
		.highest = c->out_seq + c->highest,
	};

	p = gen_item_begin(&item, c, 1);
	return report_send(g, 1, c, &item, p, receiver_report(p, &rr));
}

/* As it was made, but for who its source says that it is: a gateway has another name for it. */
static bool is_as_made(const uint8_t *p, uint8_t *made, size_t n)
{
	size_t name = n - SDES_LEN + 10;

	memcpy(made + name, p + name, sizeof(NAME) - 1);
	return !memcmp(p, made, n);
}

/* Under the numbers that the caller's media has on the leg out. */
static bool sender_right(struct gen_session *c, uint32_t call, const uint8_t *p, size_t n, uint32_t *number)
{
	uint8_t made[COMPOUND_MAX];
	struct sender s;

	if (n != SR_LEN + SDES_LEN)
		return false;
	s = (struct sender){
		.call = call,
		.number = be32_get(p + 8),
		.picture = be32_get(p + 12),
		.packets = be32_get(p + 20),
		.octets = be32_get(p + 24),
	};
	s.ssrc = c->heard ? c->out_ssrc : be32_get(p + 4);
	s.ts = c->heard ? c->out_ts + s.picture * gen_ts_step(c->media) : be32_get(p + 16);
	*number = s.number;
	return is_as_made(p, made, sender_report(made, &s));
}

/* About the caller's media as the caller numbered it; of its extended number the gateway chooses the cycles.
 */
static bool listener_right(struct gen_session *c, uint32_t call, const uint8_t *p, size_t n, uint32_t *number)
{
	uint16_t first = (uint16_t)(c->seq - c->sent);
	uint8_t made[COMPOUND_MAX];
	struct listener l;

	if (n != RR_LEN + SDES_LEN)
		return false;
	l = (struct listener){
		.call = call,
		.number = be32_get(p + 24),
		.packet = be32_get(p + 28),
		.about = c->ssrc,
		.highest = be32_get(p + 16),
	};
	*number = l.number;
	return is_as_made(p, made, receiver_report(made, &l)) &&
	       (uint16_t)l.highest == (uint16_t)(first + l.packet);
}

enum heard { HEARD_FIRST, HEARD_AGAIN, HEARD_WRONG };

/* As the first of its number, and in its turn where nothing overtakes anything on its way in? */
static enum heard report_heard(struct gen_reports *r, uint32_t number, bool in_turn)
{
	uint32_t ahead = number - r->highest, behind = r->highest - number;

	if (number == 0 || number > r->sent || (number <= r->highest && behind >= 64))
		return HEARD_WRONG;
	if (number > r->highest) {
		r->seen = (ahead < 64 ? r->seen << ahead : 0) | 1;
		r->highest = number;
		return HEARD_FIRST;
	}
	if (r->seen >> behind & 1)
		return HEARD_AGAIN;
	r->seen |= UINT64_C(1) << behind;
	return in_turn ? HEARD_WRONG : HEARD_FIRST;
}

void gen_report_judge(struct gen *g, unsigned side, uint32_t s, uint8_t *p, size_t n)
{
	struct gen_session *c = &g->sessions[s];
	enum heard heard = HEARD_WRONG;
	uint32_t number = 0;

	if (c->unprotect[side] && srtp_context_unprotect_rtcp(c->unprotect[side], p, &n)) {
		g->stats.bad_auth++;
		return;
	}
	/* What comes to the one side the other has sent. */
	if (side ? sender_right(c, s, p, n, &number) : listener_right(c, s, p, n, &number))
		heard = report_heard(&c->reports[!side], number, g->conf.impair_rtcp.reorder <= 0);
	g->stats.rtcp_good += heard == HEARD_FIRST;
	g->stats.rtcp_again += heard == HEARD_AGAIN;
	g->stats.rtcp_bad += heard == HEARD_WRONG;
}
