/* SPDX-License-Identifier: Apache-2.0 */
/* What a genuine packet changes: its source's statistics, its stream, where the peer is, that it is heard. */
#pragma once

#include "dataplane/worker_private.h"

/* When a packet arrives at worker.now_ticks, in units of the source's clock, of which the lower half is
 * right. */
static inline uint32_t source_arrival(const struct source *s, uint64_t ticks)
{
	return (uint32_t)(ticks * s->clock_hz >> 32);
}

/* RFC 3550 appendix A.3 and A.8, of a packet above all before. */
static inline void source_advance(struct source *s, uint32_t ts, uint64_t ticks)
{
	uint32_t transit = source_arrival(s, ticks) - ts;
	int32_t d = (int32_t)(transit - s->transit);

	s->jitter += (uint32_t)(d < 0 ? -d : d) - ((s->jitter + 8) >> 4);
	s->transit = transit;
	s->received++;
}

static inline void source_octets(struct leg *leg, struct source *s, uint16_t n)
{
	s->octets += n;
	if (unlikely(s->octets < n))
		count(&leg->far->count.rx_octets, UINT64_C(1) << 32);
}

/* source_heard() for any packet. */
void source_heard_any(struct worker *w, struct packet *p, struct source *s);

/*
 * source_heard() for the next packet, or one further on, of a source that was heard before, from where it was
 * heard, on a leg of one stream: nothing else is left to settle then. false: it is not one, and nothing has
 * changed.
 */
static inline bool source_heard_next(struct worker *w, struct packet *p, struct source *s)
{
	struct leg *leg = p->in;

	if (p->kind != PACKET_RTP || p->foreign || !(leg->learned & LEG_PATH_RTP) || leg->timed_out ||
		leg->n_streams != 1 || s->stream != 0 || s->received == 0 || s->received == UINT32_MAX)
		return false;
	if (leg->security == DP_SECURITY_PLAIN) {
		if ((uint16_t)s->window.end != p->rtp.seq)
			return false;
		s->window.end++;
	} else if (p->index + 1 != s->window.end) {
		return false;
	}
	leg->heard_ms = s->heard_ms = w->now_ms;
	p->stream = 0;
	source_octets(leg, s, p->len);
	source_advance(s, p->rtp.ts, w->now_ticks);
	return true;
}

/*
 * The packet is genuine (secure: authenticated): settles its stream, the remote, the source's statistics and
 * the timeout. s may be NULL for RTCP on a plain leg.
 */
static inline void source_heard(struct worker *w, struct packet *p, struct source *s)
{
	if (!likely(source_heard_next(w, p, s)))
		source_heard_any(w, p, s);
}
