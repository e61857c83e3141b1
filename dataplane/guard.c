/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/guard.h"

#include "dataplane/event.h"
#include "dataplane/ice_lite.h"
#include "dataplane/session/heard.h"
#include "dataplane/worker_private.h"

/*
 * In 32nds of the bucket: what must be left for better packets. The next number at its time may have all;
 * numbers further ahead, which losses make genuine, most of it.
 */
#define KEEP_ALL 32
#define KEEP_FROM_UNLIKELY 24
#define KEEP_FROM_LATE 20
#define KEEP_FROM_AHEAD 8 /* and one for each number that it is ahead, 8 at most */
#define AHEAD_MOST 64
#define BEHIND_MOST 64
/* Of the stream's own time, packets may be early by a millisecond and four times their jitter, and late by
 * 100. */
#define EARLY_HZ 1000
#define LATE_HZ 10

static uint32_t per_ms(const struct worker *w, enum guard_bucket b)
{
	uint32_t share = GUARD_WORKER_PER_MS / (w->stats.guarded ? (uint32_t)w->stats.guarded : 1);

	if (b != GUARD_RTP)
		return GUARD_OTHERS_PER_MS;
	return share > GUARD_TRIALS_PER_MS  ? GUARD_TRIALS_PER_MS
	       : share < GUARD_LEAST_PER_MS ? GUARD_LEAST_PER_MS
					    : share;
}

static void fill(const struct worker *w, struct leg_guard *g)
{
	uint64_t ms = (w->now - g->filled) / NS_PER_MS;

	if (ms == 0)
		return;
	g->filled += ms * NS_PER_MS;
	if (ms > GUARD_DEPTH_MS)
		ms = GUARD_DEPTH_MS;
	for (unsigned b = 0; b < GUARD_BUCKETS; b++) {
		uint32_t rate = per_ms(w, b), most = rate * GUARD_DEPTH_MS;

		g->tokens[b] += (uint32_t)ms * rate;
		if (g->tokens[b] > most)
			g->tokens[b] = most;
	}
}

static const struct source *source_of(const struct leg *leg, uint32_t ssrc)
{
	const struct source *s = leg_source(leg, leg->last_source);

	if (s->used && s->ssrc == ssrc)
		return s;
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (leg_source(leg, i)->used && leg_source(leg, i)->ssrc == ssrc)
			return leg_source(leg, i);
	return NULL;
}

/* By the stream's own clock and what its last packets took, RFC 3550 appendix A.8. */
static bool at_its_time(const struct source *s, uint32_t ts, uint64_t ticks)
{
	int32_t later = (int32_t)(source_arrival(s, ticks) - ts - s->transit);
	int32_t early = (int32_t)(s->clock_hz / EARLY_HZ + (s->jitter >> 2));

	return later >= -early && later <= (int32_t)(s->clock_hz / LATE_HZ);
}

static bool looks_like_the_last(const struct leg_guard *g, const struct packet *p)
{
	return g->len == 0 || (g->pt == p->rtp.pt && (!g->steady || g->len == p->len));
}

/* How much of the bucket, in 32nds, the packet has to leave. */
static uint32_t keep(
	const struct leg_guard *g, const struct source *s, const struct packet *p, uint64_t ticks)
{
	int16_t ahead = (int16_t)(p->rtp.seq - (uint16_t)(s->window.end - 1));

	if (!s->rtp || ahead > AHEAD_MOST || ahead < -BEHIND_MOST || !looks_like_the_last(g, p))
		return KEEP_FROM_UNLIKELY;
	if (ahead <= 0)
		return KEEP_FROM_LATE;
	if (!at_its_time(s, p->rtp.ts, ticks))
		return KEEP_FROM_UNLIKELY;
	return ahead == 1 ? 0 : KEEP_FROM_AHEAD + (ahead < 9 ? (uint32_t)ahead - 1 : 8);
}

static void begin(struct worker *w, struct leg *leg)
{
	struct leg_guard *g = &leg->far->guard;

	leg->guarded = true;
	leg->attended = true;
	g->len = 0;
	g->filled = w->now;
	count(&w->stats.guarded, 1);
	for (unsigned b = 0; b < GUARD_BUCKETS; b++)
		g->tokens[b] = per_ms(w, b) * GUARD_DEPTH_MS;
}

void guard_end(struct worker *w, struct leg *leg)
{
	if (leg->guarded)
		count(&w->stats.guarded, (uint64_t)-1);
	leg->guarded = false;
	leg->far->guard.failures = leg->far->guard.dropped = 0;
}

static void report(struct worker *w, struct leg *leg)
{
	struct leg_guard *g = &leg->far->guard;

	if (g->reported && w->now - g->reported < GUARD_REPORT_NS)
		return;
	g->reported = w->now;
	event_mark(w, leg, LEG_EVENT_ATTACK);
}

/* A new window, when it is time for one: what the last one had decides. */
static void look_back(struct worker *w, struct leg *leg)
{
	struct leg_guard *g = &leg->far->guard;

	if (w->now - g->window < GUARD_WINDOW_NS)
		return;
	if (leg->guarded) {
		/* A window that began longer ago had a pause in it. */
		if (g->failures + g->dropped < GUARD_FAILURES / 2 ||
			w->now - g->window >= 2 * GUARD_WINDOW_NS)
			guard_end(w, leg);
		else
			report(w, leg);
	}
	g->window = w->now;
	g->failures = g->dropped = 0;
}

void guard_failed(struct worker *w, struct leg *leg)
{
	struct leg_guard *g = &leg->far->guard;

	look_back(w, leg);
	g->failures++;
	g->failed++;
	if (!leg->guarded && g->failures >= GUARD_FAILURES) {
		begin(w, leg);
		report(w, leg);
	}
}

static ASIDE int guarded_packet(struct worker *w, struct packet *p)
{
	struct leg *leg = p->in;
	struct leg_guard *g = &leg->far->guard;
	const struct source *s = NULL;
	enum guard_bucket b = GUARD_RTCP;
	uint32_t least = 0;

	if (p->kind == PACKET_DTLS || p->kind == PACKET_STUN || p->held_until)
		return PACKET_ON;
	/* What comes from elsewhere has a budget already: session_admit(). */
	if (!ice_on(leg) && !ip_port_equal(&p->source, &leg_path(leg, p->rtcp_port)->remote))
		return PACKET_ON;
	look_back(w, leg);
	fill(w, g);
	if (p->kind == PACKET_RTP) {
		s = source_of(leg, p->ssrc);
		b = s ? GUARD_RTP : GUARD_UNKNOWN;
	}
	if (s)
		least = keep(g, s, p, w->now_ticks) * per_ms(w, b) * GUARD_DEPTH_MS / KEEP_ALL;
	if (g->tokens[b] <= least) {
		g->dropped++;
		g->policed++;
		return DP_V_POLICED;
	}
	g->tokens[b]--;
	return PACKET_ON;
}

int guard_packet(struct worker *w, struct packet *p)
{
	return unlikely(p->in->guarded) ? guarded_packet(w, p) : PACKET_ON;
}

void guard_passed(struct leg *leg, const struct packet *p)
{
	struct leg_guard *g = &leg->far->guard;

	if (p->kind != PACKET_RTP)
		return;
	g->steady = g->len == p->len;
	g->len = p->len;
	g->pt = p->rtp.pt;
}

void guard_tick(struct worker *w, struct leg *leg)
{
	if (leg->guarded)
		look_back(w, leg);
}
