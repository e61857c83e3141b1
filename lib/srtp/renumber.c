/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/renumber.h"

#define CLOCK_HZ_DEFAULT 8000
/* A slot of the same stream that heard too little of its source to be followed at once, when no slot is free.
 */
#define UNSETTLED_IDLE_MS 100
/* A new key does not begin this near to a wrap: its first packets may be lost before the listener has the
 * key. */
#define WRAP_GUARD 1024

int renumber_init(struct renumber *r, struct renumber_slot *first, struct renumber_slot *more,
	struct renumber_past *past, uint16_t n, uint64_t *windows, uint32_t window, uint64_t seed)
{
	uint32_t words = srtp_replay_words(window);

	if (!n || !words)
		return -EINVAL;
	*r = (struct renumber){.first = first, .more = more, .past = past, .n = n, .random = seed};
	for (uint16_t i = 0; i < n; i++) {
		struct renumber_slot *s = renumber_slot(r, i);

		*s = (struct renumber_slot){0};
		past[i] = (struct renumber_past){0};
		srtp_replay_init(&s->used, windows + (size_t)i * words, window);
	}
	return 0;
}

/*
 * What left under the last key does not leave again under the new one, when a copy of it comes late. Rings of
 * the window have a power of two of at most 2^15 bits: moved by whole ROCs, every bit stays where it is.
 */
static void keep_used(struct srtp_replay *used, int64_t next, int64_t fresh_next)
{
	uint64_t seen = 0;

	_Static_assert(0x10000 % SRTP_REPLAY_WINDOW_MAX == 0, "a ring goes into a ROC");
	if ((next - fresh_next) % 0x10000 == 0) {
		used->end = (uint64_t)fresh_next;
		return;
	}
	for (int64_t i = 0; i < RENUMBER_HEADROOM && i < next; i++)
		if (srtp_replay_peek(used, (uint64_t)(next - 1 - i)) == SRTP_REPLAY_SEEN)
			seen |= UINT64_C(1) << i;
	srtp_replay_reset(used);
	for (int64_t i = RENUMBER_HEADROOM; i-- > 0;)
		if (seen >> i & 1)
			srtp_replay_commit(used, (uint64_t)(fresh_next - 1 - i));
}

void renumber_rekey(struct renumber *r, bool fresh)
{
	if (!fresh)
		return;
	r->srtcp_next = 0;
	for (uint16_t i = 0; i < r->n; i++) {
		struct renumber_slot *s = renumber_slot(r, i);

		if (!s->now.valid)
			continue;
		int64_t next = (int64_t)s->used.end;
		int64_t fresh_next = next & 0xffff;

		/* Skipping ahead looks like a short loss; a listener that misses the wrap would hear nothing
		 * more. */
		if (fresh_next >= 0x10000 - WRAP_GUARD)
			fresh_next = RENUMBER_HEADROOM;
		r->past[i].begin = 0;
		r->past[i].before.valid = false;
		keep_used(&s->used, next, fresh_next);
	}
}

static bool ts_fits(const struct renumber_run *m, uint32_t ts)
{
	return ts - m->in_ts + RENUMBER_TS_JUMP <= 2 * RENUMBER_TS_JUMP;
}

static int32_t seq_ahead(const struct renumber_run *m, uint16_t seq)
{
	return (int16_t)(uint16_t)(seq - (uint16_t)m->in_high);
}

static bool is_late(
	const struct renumber_slot *s, const struct renumber_run *m, const struct renumber_packet *p)
{
	int32_t ahead = seq_ahead(m, p->seq);

	return m->valid && m->in_ssrc == p->ssrc && m->source == p->source && ts_fits(m, p->ts) &&
	       ahead <= 0 && -ahead < (int32_t)srtp_replay_window(&s->used);
}

/* Uses an index up. Every packet that is sent comes through here or through the fast path. */
static enum renumber_verdict send_as(
	struct renumber_slot *s, const struct renumber_run *m, int64_t index, struct renumber_packet *p)
{
	uint64_t end = s->used.end;

	if (index > (int64_t)SRTP_INDEX_MAX)
		return RENUMBER_EXHAUSTED;
	switch (srtp_replay_commit(&s->used, (uint64_t)index)) {
	case SRTP_REPLAY_SEEN:
		return RENUMBER_DUPLICATE;
	case SRTP_REPLAY_OLD:
		return RENUMBER_OLD;
	case SRTP_REPLAY_NEW:
		break;
	}
	p->out_ssrc = s->out_ssrc;
	p->out_ts = p->ts + m->ts_offset;
	p->out_index = (uint64_t)index;
	p->out_rolled = end && srtp_index_roc(p->out_index) > srtp_index_roc(end - 1);
	s->heard_ms = p->now_ms;
	s->pt = p->pt;
	s->repeats = 0;
	s->now.packets += s->now.packets < RENUMBER_SETTLED;
	return RENUMBER_SEND;
}

/*
 * The source goes on under new offsets: next index, and a timestamp that moved on by the time that passed, so
 * that the listener's playout neither waits nor discards.
 */
static enum renumber_verdict restart(struct renumber *r, struct renumber_slot *s, struct renumber_packet *p)
{
	uint32_t hz = p->clock_hz ? p->clock_hz : CLOCK_HZ_DEFAULT;
	/* Not between the packets of one video frame (0), nor back to a frame that another refers to. */
	uint32_t step = s->ts_step && s->ts_step < hz ? s->ts_step : hz / 50;
	uint64_t passed = (uint64_t)(p->now_ms - s->heard_ms) * hz / 1000;
	int64_t next = (int64_t)s->used.end;

	if (next > (int64_t)SRTP_INDEX_MAX)
		return RENUMBER_EXHAUSTED;
	/* Less than two steps is jitter. */
	uint32_t out_ts =
		s->now.in_ts + s->now.ts_offset + (passed < 2 * (uint64_t)step ? step : (uint32_t)passed);

	*renumber_past(r, s) = (struct renumber_past){
		.begin = (uint64_t)next, .before = s->now, .offset = renumber_offset(s)};
	s->now = (struct renumber_run){
		.in_high = p->seq,
		.in_ts = p->ts,
		.ts_offset = out_ts - p->ts,
		.in_ssrc = p->ssrc,
		.source = p->source,
		.valid = true,
	};
	r->restarts++;
	return send_as(s, &s->now, next, p);
}

/*
 * Sent already, or from before this run began. Some of these in sequence, with nothing new between them, are
 * no echo of the network: the source plays that part again.
 */
static enum renumber_verdict repeated(
	struct renumber *r, struct renumber_slot *s, struct renumber_packet *p, enum renumber_verdict verdict)
{
	s->repeats = s->repeats && p->seq == (uint16_t)(s->repeat_seq + 1) ? s->repeats + 1 : 1;
	s->repeat_seq = p->seq;
	if (s->repeats >= RENUMBER_REWIND)
		return restart(r, s, p);
	return verdict;
}

static enum renumber_verdict send_late(struct renumber *r, struct renumber_slot *s,
	const struct renumber_run *m, int64_t offset, int64_t least, struct renumber_packet *p)
{
	int64_t index = m->in_high + seq_ahead(m, p->seq) + offset;
	enum renumber_verdict v = index < least ? RENUMBER_OLD : send_as(s, m, index, p);

	return v == RENUMBER_DUPLICATE || v == RENUMBER_OLD ? repeated(r, s, p, v) : v;
}

static enum renumber_verdict map_known(struct renumber *r, struct renumber_slot *s, struct renumber_packet *p)
{
	const struct renumber_past *past = renumber_past(r, s);
	struct renumber_run *m = &s->now;
	int32_t ahead = seq_ahead(m, p->seq);

	if (is_late(s, m, p))
		return send_late(r, s, m, renumber_offset(s), (int64_t)past->begin, p);
	if (ahead > 0 && ahead <= RENUMBER_AHEAD && ts_fits(m, p->ts)) {
		enum renumber_verdict v = send_as(s, m, (int64_t)s->used.end - 1 + ahead, p);

		if (v == RENUMBER_SEND) {
			if (ahead == 1)
				s->ts_step = p->ts - m->in_ts;
			m->in_high += ahead;
			m->in_ts = p->ts;
		}
		return v;
	}
	if (is_late(s, &past->before, p))
		return send_late(r, s, &past->before, past->offset, 0, p);
	return restart(r, s, p);
}

/* May another SSRC of this stream take this slot over, because its source seems to have changed its SSRC? */
static bool may_follow(
	const struct renumber *r, const struct renumber_slot *s, const struct renumber_packet *p)
{
	bool settled = !renumber_past(r, s)->before.valid || s->now.packets >= RENUMBER_SETTLED;

	return s->now.valid && s->now.source == p->source && settled &&
	       p->now_ms - s->heard_ms >= RENUMBER_FOLLOW_MS;
}

static bool may_evict(
	const struct renumber *r, const struct renumber_slot *s, const struct renumber_packet *p)
{
	uint32_t silent = p->now_ms - s->heard_ms;

	return may_follow(r, s, p) || silent >= RENUMBER_IDLE_MS ||
	       (s->now.source == p->source && silent >= UNSETTLED_IDLE_MS);
}

/* The slot for an SSRC that has none: its predecessor's, a free one, the one silent for longest; or NULL. */
static struct renumber_slot *slot_for_new(struct renumber *r, const struct renumber_packet *p)
{
	struct renumber_slot *follow = NULL, *free_slot = NULL, *oldest = NULL;

	for (uint16_t i = 0; i < r->n; i++) {
		struct renumber_slot *s = renumber_slot(r, i);
		uint32_t silent = p->now_ms - s->heard_ms;

		if (!s->now.valid) {
			free_slot = free_slot ? free_slot : s;
			continue;
		}
		if (s->pt == p->pt && may_follow(r, s, p) &&
			(!follow || silent < p->now_ms - follow->heard_ms))
			follow = s;
		if (may_evict(r, s, p) && (!oldest || silent > p->now_ms - oldest->heard_ms))
			oldest = s;
	}
	return follow ? follow : free_slot ? free_slot : oldest;
}

static bool out_ssrc_taken(const struct renumber *r, uint32_t ssrc)
{
	for (uint16_t i = 0; i < r->n; i++)
		if (renumber_slot(r, i)->now.valid && renumber_slot(r, i)->out_ssrc == ssrc)
			return true;
	return false;
}

/* splitmix64 */
static uint32_t random_u32(struct renumber *r)
{
	uint64_t z = r->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 32);
}

static enum renumber_verdict begin_slot(
	struct renumber *r, struct renumber_slot *s, struct renumber_packet *p)
{
	uint32_t ssrc = p->ssrc;
	int64_t first = p->seq & 0x7fff;

	if (first < RENUMBER_HEADROOM)
		first += RENUMBER_HEADROOM;
	while (out_ssrc_taken(r, ssrc))
		ssrc = random_u32(r);
	s->out_ssrc = ssrc;
	s->now = (struct renumber_run){
		.in_high = p->seq,
		.in_ts = p->ts,
		.in_ssrc = p->ssrc,
		.source = p->source,
		.valid = true,
	};
	return send_as(s, &s->now, first, p);
}

enum renumber_verdict renumber_packet_map_any(
	struct renumber *r, struct renumber_slot **last, struct renumber_packet *p)
{
	struct renumber_slot *s;

	for (uint16_t i = 0; i < r->n; i++) {
		s = renumber_slot(r, i);
		if (s->now.valid && s->now.in_ssrc == p->ssrc && s->now.source == p->source) {
			*last = s;
			return map_known(r, s, p);
		}
	}
	/* What the predecessor of an SSRC sent may still be on its way. */
	for (uint16_t i = 0; i < r->n; i++) {
		const struct renumber_past *past = &r->past[i];

		s = renumber_slot(r, i);
		if (is_late(s, &past->before, p)) {
			int64_t index =
				past->before.in_high + seq_ahead(&past->before, p->seq) + past->offset;

			return index < 0 ? RENUMBER_OLD : send_as(s, &past->before, index, p);
		}
	}
	s = slot_for_new(r, p);
	if (!s)
		return RENUMBER_SSRC_LIMIT;
	*last = s;
	return s->now.valid ? restart(r, s, p) : begin_slot(r, s, p);
}
