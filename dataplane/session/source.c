/* SPDX-License-Identifier: Apache-2.0 */
/* What is heard on a leg: sources and their statistics, streams, and where the peer is. */
#include <string.h>

#include "dataplane/event.h"
#include "dataplane/ice_lite.h"
#include "dataplane/session/heard.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/index.h"

#define SOURCE_IDLE_MS 1000 /* a source silent this long may give way to a new one */
#define RESTART_GAP 3000    /* MAX_DROPOUT of RFC 3550 appendix A.1: statistics begin again */
#define CLOCK_HZ_DEFAULT 8000

ASIDE struct source *leg_source_search(struct leg *leg, uint32_t ssrc, uint32_t era)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++) {
		struct source *s = leg_source(leg, i);

		if (s->used && s->ssrc == ssrc && s->era == era) {
			leg->last_source = (uint8_t)i;
			return s;
		}
	}
	return NULL;
}

int64_t source_lost(const struct source *s)
{
	return s->received ? (int32_t)((uint32_t)s->window.end - s->base - s->received) : 0;
}

void source_settle(struct leg *leg, struct source *s)
{
	leg->far->lost_before += source_lost(s);
	count(&leg->far->count.rx_packets, s->received);
	count(&leg->far->count.rx_octets, s->octets);
	s->received = s->octets = 0;
}

uint64_t leg_rx_packets(const struct leg *leg)
{
	uint64_t n = leg->far->count.rx_packets;

	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		n += leg_source(leg, i)->received;
	return n;
}

uint64_t leg_rx_octets(const struct leg *leg)
{
	uint64_t n = leg->far->count.rx_octets;

	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		n += leg_source(leg, i)->octets;
	return n;
}

const struct retired_source *leg_retired_find(const struct leg *leg, uint32_t ssrc, uint32_t era)
{
	for (uint32_t i = 0; i < leg->far->n_retired; i++)
		if (leg->far->retired[i].ssrc == ssrc && leg->far->retired[i].era == era)
			return &leg->far->retired[i];
	return NULL;
}

/* The place for a source that has none. */
static struct source *source_place(struct leg *leg, uint32_t now_ms)
{
	bool may_retire = leg->security == DP_SECURITY_PLAIN || leg->far->n_retired < RETIRED_MAX;
	struct source *oldest = NULL;

	for (unsigned i = 0; i < leg->far->ssrc_max; i++) {
		struct source *s = leg_source(leg, i);

		if (!s->used)
			return s;
		if (may_retire && now_ms - s->heard_ms >= SOURCE_IDLE_MS &&
			(!oldest || now_ms - s->heard_ms > now_ms - oldest->heard_ms))
			oldest = s;
	}
	return oldest;
}

/* Without its window a secure source's packets could be replayed: their highest indexes are kept. */
static void source_retire(struct worker *w, struct leg *leg, struct source *s)
{
	source_settle(leg, s);
	if (leg->security != DP_SECURITY_SRTP)
		return;
	leg_retired_take(w, leg);
	leg->far->retired[leg->far->n_retired++] = (struct retired_source){
		.ssrc = s->ssrc,
		.era = s->era,
		.rtp_end = s->window.end,
		.rtcp_end = leg_rtcp_window(leg, s)->end,
	};
}

static struct retired_source source_come_back(struct leg *leg, uint32_t ssrc, uint32_t era)
{
	const struct retired_source *found = leg_retired_find(leg, ssrc, era);
	struct retired_source r = {.ssrc = ssrc, .era = era};

	if (found) {
		r = *found;
		leg->far->retired[found - leg->far->retired] = leg->far->retired[--leg->far->n_retired];
	}
	return r;
}

/* Is there no place for another SSRC, but by one that gives way? */
static bool is_full(const struct leg *leg)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (!leg_source(leg, i)->used)
			return false;
	return true;
}

struct source *leg_source_new(struct worker *w, struct leg *leg, uint32_t ssrc, uint32_t era)
{
	struct source *s = source_place(leg, w->now_ms);
	struct retired_source before;

	if (!s)
		return NULL;
	if (s->used)
		source_retire(w, leg, s);
	before = source_come_back(leg, ssrc, era);
	s->used = true;
	s->rtp = false;
	s->ssrc = ssrc;
	s->era = era;
	s->stream = STREAM_NONE;
	s->jitter = s->transit = 0;
	s->base = 0;
	s->heard_ms = w->now_ms;
	srtp_replay_resume(&s->window, before.rtp_end);
	srtp_replay_resume(leg_rtcp_window(leg, s), before.rtcp_end);
	leg->last_source = leg_source_number(leg, s);
	leg->far->newest_ssrc = ssrc;
	if (leg->far->ssrc_max < leg->far->ssrc_limit && is_full(leg))
		leg_due(w, leg, LEG_DUE_GROW);
	return s;
}

bool leg_source_streams(const struct leg *leg, uint32_t ssrc)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (leg_source(leg, i)->used && leg_source(leg, i)->rtp && leg_source(leg, i)->ssrc == ssrc)
			return true;
	return false;
}

static bool ssrc_known(const struct leg *leg, uint32_t ssrc)
{
	for (unsigned i = 0; i < leg->far->ssrc_max; i++)
		if (leg_source(leg, i)->used && leg_source(leg, i)->ssrc == ssrc)
			return true;
	return false;
}

static bool trial_left(struct worker *w, const struct packet *p)
{
	struct leg *leg = p->in;
	uint32_t *trials = leg->far->budget.trials, most = w->trial_per_second;

	leg_budget_renew(&leg->far->budget, w->now);
	if (trials[0] >= most && trials[1] >= most)
		return false;
	return trials[ssrc_known(leg, p->ssrc)]++ < most;
}

/*
 * From somewhere else than where the peer is known to be. Nothing is learned from media while none is wanted
 * of the leg: a peer that only listens sends none, and a stranger's would be the first. Reports it does send.
 */
static ASIDE int foreign_admit(struct worker *w, struct packet *p, const struct path *path)
{
	struct leg *leg = p->in;
	bool learned;

	if (p->kind == PACKET_DTLS || p->kind == PACKET_STUN)
		return PACKET_ON;
	/* Any pair that a check has proved will do, and none of them moves the remote: that is nominated. */
	if (ice_on(leg))
		return ice_validated(leg, p) ? PACKET_ON : DP_V_WRONG_SOURCE;
	p->foreign = true;
	learned = leg->learned & leg_path_bit(leg, path);
	switch ((enum dp_learn)leg->learn) {
	case DP_LEARN_NEVER:
		return DP_V_WRONG_SOURCE;
	case DP_LEARN_ONCE:
		learned |= !ip_equal(&p->source.ip, &leg->far->signalled[path == &leg->far->rtcp].ip);
		/* fallthrough */
	case DP_LEARN_ANY:
		if (learned)
			return DP_V_WRONG_SOURCE;
		return p->kind == PACKET_RTCP || leg_directions(leg) & DP_RECV ? PACKET_ON : DP_V_DIRECTION;
	case DP_LEARN_AUTHENTIC:
		/* A packet held for a key has had its trial already. */
		return p->held_until || trial_left(w, p) ? PACKET_ON : DP_V_TRIAL_LIMIT;
	}
	return DP_V_WRONG_SOURCE;
}

int session_admit(struct worker *w, struct packet *p)
{
	const struct path *path;

	if (likely(!p->rtcp_port && leg_remote_is(p->in, &p->source)))
		return PACKET_ON;
	path = leg_path(p->in, p->rtcp_port);
	return ip_port_equal(&p->source, &path->remote) ? PACKET_ON : foreign_admit(w, p, path);
}

static void settle_remote(struct worker *w, struct packet *p)
{
	struct path *path = leg_path(p->in, p->rtcp_port);

	p->in->learned |= leg_path_bit(p->in, path);
	if (!p->foreign)
		return;
	path_remote_set(p->in, path, &p->source);
	if (path == leg_rtp(p->in))
		event_mark(w, p->in, LEG_EVENT_REMOTE);
}

/* RFC 3550 appendix A.1, too: any one. highest: of all that were heard. */
static void source_count(struct source *s, uint64_t index, bool highest, uint32_t ts, uint64_t ticks)
{
	if (s->received && highest) {
		source_advance(s, ts, ticks);
		return;
	}
	if (s->received == 0) {
		s->base = (uint32_t)index;
		s->transit = source_arrival(s, ticks) - ts;
	} else if ((int32_t)((uint32_t)index - s->base) < 0) {
		s->base = (uint32_t)index;
	}
	s->received++;
}

/* The index of a plain leg's packet, as if it were a secure one's. *highest: of all that were heard. */
static uint64_t plain_index(struct leg *leg, struct source *s, uint16_t seq, bool *highest)
{
	uint64_t index;

	if (s->received) {
		index = srtp_index_estimate(s->window.end - 1, seq);
		if (index >= s->window.end + RESTART_GAP || index + RESTART_GAP + 1 < s->window.end)
			source_settle(leg, s); /* statistics begin again */
	} else {
		index = seq + 0x10000u;
	}
	*highest = s->received == 0 || index >= s->window.end;
	if (*highest)
		s->window.end = index + 1;
	return index;
}

ASIDE void source_heard_any(struct worker *w, struct packet *p, struct source *s)
{
	struct leg *leg = p->in;
	uint64_t index = p->index;
	bool highest;

	settle_remote(w, p);
	if (leg_path(leg, p->rtcp_port) == leg_rtp(leg))
		leg->heard_ms = w->now_ms;
	else
		leg_heard_aside(leg, w->now_ms);
	leg->heard_any = true;
	leg->timed_out = false;
	p->stream = session_stream(leg, p, s);
	if (s)
		s->heard_ms = w->now_ms;
	if (p->kind == PACKET_RTCP) {
		count(&leg->far->count.rx_rtcp, 1);
		return;
	}
	source_octets(leg, s, p->len);
	s->stream = p->stream;
	if (!s->rtp) {
		s->rtp = true;
		leg->far->newest_ssrc = s->ssrc;
		s->clock_hz = s->stream == STREAM_NONE ? 0 : leg_stream(leg, s->stream)->clock_hz;
		if (s->clock_hz == 0)
			s->clock_hz = CLOCK_HZ_DEFAULT;
	}
	if (s->received == UINT32_MAX)
		source_settle(leg, s);
	if (leg->security == DP_SECURITY_PLAIN)
		index = plain_index(leg, s, p->rtp.seq, &highest);
	else
		highest = index + 1 == s->window.end;
	source_count(s, index, highest, p->rtp.ts, w->now_ticks);
}

static bool mid_matches(const struct dp_stream *st, const struct packet *p)
{
	uint8_t n;
	const uint8_t *mid = rtp_ext_find(p->data, &p->rtp, st->mid_ext_id, &n);

	return mid && n == st->mid_len && memcmp(mid, st->mid, n) == 0;
}

static bool ssrc_matches(const struct dp_stream *st, uint32_t ssrc)
{
	for (unsigned i = 0; i < st->n_ssrcs; i++)
		if (st->ssrcs[i] == ssrc)
			return true;
	return false;
}

static bool payload_type_matches(const struct dp_stream *st, uint8_t pt)
{
	return st->payload_types[pt / 8] >> pt % 8 & 1;
}

/* RFC 9143 section 9.2: by MID, then by what the SSRC was bound to, then by payload type. */
uint8_t session_stream(const struct leg *leg, const struct packet *p, struct source *s)
{
	if (leg->n_streams == 1)
		return 0;
	for (uint8_t i = 0; p->kind == PACKET_RTP && p->rtp.ext_len && i < leg->n_streams; i++)
		if (leg->far->stream_conf[i].mid_ext_id && mid_matches(&leg->far->stream_conf[i], p))
			return i;
	if (s && s->stream != STREAM_NONE && s->stream < leg->n_streams)
		return s->stream;
	for (uint8_t i = 0; i < leg->n_streams; i++)
		if (ssrc_matches(&leg->far->stream_conf[i], p->ssrc))
			return i;
	for (uint8_t i = 0; p->kind == PACKET_RTP && i < leg->n_streams; i++)
		if (payload_type_matches(&leg->far->stream_conf[i], p->rtp.pt))
			return i;
	/* A receiver's reports may come from an SSRC that sends nothing. */
	return p->kind == PACKET_RTCP ? 0 : STREAM_NONE;
}
