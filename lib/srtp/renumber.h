/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway sends is numbered here, so that under one key no (SSRC, index) is ever used twice, whatever
 * the source of the media repeats, rewinds or restarts, and its listener goes on hearing it.
 *
 * A `struct renumber` belongs to one outgoing leg: to the one key that it sends with. It has slots, one for
 * each outgoing SSRC. A slot maps what its source sends, (SSRC, sequence number, timestamp), by constant
 * offsets: mostly offsets of 0. They change, and the outgoing numbers go on with the next free index, when
 * the source
 *   - jumps ahead by more than RENUMBER_AHEAD, or back by the window or more, or in timestamp by more than
 *     RENUMBER_TS_JUMP (it restarted);
 *   - repeats RENUMBER_REWIND packets in sequence that were sent already (it rewound);
 *   - changes its SSRC (same stream and payload type, the old SSRC silent: the outgoing SSRC stays).
 * Packets that come late, from before such a change too, keep the index that was theirs; every index is
 * marked in a window as used, and a duplicate is told from it. Another SSRC that runs beside the first gets a
 * slot of its own.
 *
 * The first index of a slot is below 2^15, whatever SEQ the source begins with: a listener that misses the
 * first packets of a stream must not have missed a wrap (RFC 3711 section 3.3.1). It is at least
 * RENUMBER_HEADROOM, so that packets that the first one overtook have an index too.
 *
 * RTCP is rewritten to match in both directions: renumber_rtcp().
 *
 * Memory is the caller's: slots and window bits can sit in a session struct or come from a pool. No
 * allocation, no lock; one worker owns a struct renumber.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/srtp/index.h"
#include "lib/srtp/replay.h"

#define RENUMBER_AHEAD 3000         /* packets: MAX_DROPOUT of RFC 3550 appendix A.1 */
#define RENUMBER_TS_JUMP (1u << 22) /* ticks either way: 524 s at 8 kHz, 46 s at 90 kHz */
#define RENUMBER_REWIND 3           /* duplicates in sequence, with no new packet between them */
#define RENUMBER_HEADROOM 64        /* packets */
#define RENUMBER_FOLLOW_MS 10       /* an SSRC silent this long may have become another one */
#define RENUMBER_IDLE_MS 1000       /* a slot silent this long may be given to any source when none is free */
#define RENUMBER_SETTLED 8          /* packets that a source has sent before another may follow it */

/* One run of a source: its offsets are constant. Extended sequence numbers count from the first SEQ heard. */
struct renumber_run {
	int64_t in_high;    /* highest extended sequence number heard */
	uint32_t in_ts;     /* timestamp of the packet in_high */
	uint32_t ts_offset; /* outgoing - incoming timestamp */
	uint32_t in_ssrc;
	uint8_t source;
	bool valid;
	uint8_t packets; /* RENUMBER_SETTLED at most */
	uint8_t pad;
};

/* One outgoing SSRC: all that the next packet of its source needs, a cache line. */
struct renumber_slot {
	struct renumber_run now;
	uint32_t out_ssrc;
	uint32_t heard_ms;       /* caller's clock, of the newest packet */
	uint32_t ts_step;        /* ticks between consecutive packets, 0: not known */
	uint16_t repeat_seq;     /* SEQ of the last duplicate */
	uint8_t repeats;         /* duplicates in sequence */
	uint8_t pt;              /* of the newest packet */
	struct srtp_replay used; /* outgoing indexes; the highest is that of now.in_high */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct renumber_slot) == 64, "a cache line");

/* What a slot was before, for packets that come late. */
struct renumber_past {
	uint64_t begin;             /* outgoing index where `now` begins */
	struct renumber_run before; /* the run before it */
	int64_t offset;             /* of that: outgoing index - extended sequence number */
};

/* One outgoing leg. */
struct renumber {
	struct renumber_slot *first, *more; /* renumber_slot() */
	struct renumber_past *past;         /* of each slot, in the same order */
	uint16_t n;                         /* slots there are */
	uint32_t srtcp_next; /* SRTCP index to send next: srtcp_index_take(&r->srtcp_next, &index) */
	uint64_t random;     /* for outgoing SSRCs that cannot be their source's; not secret */
	uint64_t restarts;   /* changes of offsets so far, for statistics */
};

static inline struct renumber_slot *renumber_slot(const struct renumber *r, uint16_t i)
{
	return i == 0 ? r->first : &r->more[i - 1];
}

static inline struct renumber_past *renumber_past(const struct renumber *r, const struct renumber_slot *s)
{
	return &r->past[s == r->first ? 0 : s - r->more + 1];
}

/* Outgoing index - extended sequence number, in the slot's run. */
static inline int64_t renumber_offset(const struct renumber_slot *s)
{
	return (int64_t)s->used.end - 1 - s->now.in_high;
}

/* A packet to be sent. */
struct renumber_packet {
	/* filled by the caller */
	uint32_t ssrc, ts;
	uint16_t seq;
	uint8_t pt;
	uint8_t source;    /* which stream or leg it came from: tells equal SSRCs of different origin apart */
	uint32_t clock_hz; /* of the timestamp; 0: 8000 */
	uint32_t now_ms;   /* any monotonic clock; may wrap */
	/* filled by renumber_packet_map() when it is RENUMBER_SEND */
	uint32_t out_ssrc, out_ts;
	uint64_t out_index; /* ROC << 16 | SEQ */
	bool out_rolled;    /* the first index of this SSRC in a new ROC */
};

enum renumber_verdict {
	RENUMBER_SEND,
	RENUMBER_DUPLICATE, /* sent already */
	RENUMBER_OLD, /* late from behind the window (or before index 0): it cannot be told whether it was
			 sent */
	RENUMBER_SSRC_LIMIT, /* no slot for another SSRC, all are in use */
	RENUMBER_EXHAUSTED,  /* the SSRC's 2^48 indexes are used up: the key must be replaced */
};

/*
 * Empty, with n slots (at least 1). Most legs use the first one alone: it may lie elsewhere than the n - 1
 * more. past: n. windows: n * srtp_replay_words(window) words, 8-octet aligned. seed: random, not secret.
 * -EINVAL for a window that srtp_replay_words() refuses or n = 0. What was used is forgotten: never again for
 * a leg whose key stays in use.
 */
int renumber_init(struct renumber *r, struct renumber_slot *first, struct renumber_slot *more,
	struct renumber_past *past, uint16_t n, uint64_t *windows, uint32_t window, uint64_t seed);

/*
 * A new key. fresh: its indexes begin in ROC 0 again, SRTCP's with 0 (sequence numbers and SSRCs go on as
 * they are, and what was sent is not sent again); otherwise indexes go on, and nothing changes.
 */
void renumber_rekey(struct renumber *r, bool fresh);

/*
 * renumber_packet_map() for all that is not the next packet of the last source. *last: the packet's slot,
 * when it has one.
 */
enum renumber_verdict renumber_packet_map_any(
	struct renumber *r, struct renumber_slot **last, struct renumber_packet *p);

/*
 * The same for the next packet of a slot's source, with a look at the slot alone: RENUMBER_SEND when true.
 * Else nothing has changed.
 */
static inline bool renumber_slot_next(struct renumber_slot *s, struct renumber_packet *p)
{
	struct renumber_run *m = &s->now;

	if (__builtin_expect(m->in_ssrc != p->ssrc || m->source != p->source || !m->valid ||
				     (uint16_t)(m->in_high + 1) != p->seq ||
				     p->ts - m->in_ts + RENUMBER_TS_JUMP > 2 * RENUMBER_TS_JUMP ||
				     s->used.end > SRTP_INDEX_MAX,
		    0))
		return false;
	m->in_high++;
	s->ts_step = p->ts - m->in_ts;
	m->in_ts = p->ts;
	s->heard_ms = p->now_ms;
	s->pt = p->pt;
	s->repeats = 0;
	if (__builtin_expect(m->packets < RENUMBER_SETTLED, 0))
		m->packets++;
	p->out_ssrc = s->out_ssrc;
	p->out_ts = p->ts + m->ts_offset;
	p->out_index = s->used.end; /* that of in_high */
	p->out_rolled = srtp_index_seq(p->out_index) == 0;
	srtp_replay_commit_next(&s->used);
	return true;
}

/*
 * Gives a packet its outgoing numbers and uses the index up: send it with them or not at all. With any
 * verdict but RENUMBER_SEND it must not be sent. last: the caller's, NULL at first: the slot of the last
 * packet is most likely that of the next.
 */
static inline enum renumber_verdict renumber_packet_map(
	struct renumber *r, struct renumber_slot **last, struct renumber_packet *p)
{
	return *last && renumber_slot_next(*last, p) ? RENUMBER_SEND : renumber_packet_map_any(r, last, p);
}

/* `source` of the media that is sent under this SSRC now, or RENUMBER_ANY_SOURCE when none is. */
uint8_t renumber_source_of(const struct renumber *r, uint32_t out_ssrc);

/*
 * Rewrites a clear RTCP compound in place. It came from the peer whose media `forward` maps towards where
 * this packet goes; `reverse` maps the media that goes to that peer. Either may be NULL: then those fields
 * stay. forward: sender SSRCs (SR, RR, SDES, BYE, APP, XR, feedback), the SR's RTP timestamp. reverse: report
 * blocks (SSRC, extended highest sequence number), media SSRC and what the format carries (generic NACK,
 * TMMBR/TMMBN, FIR, TSTR/TSTN, REMB), XR blocks. What names no known SSRC stays as it is. A packet of the
 * compound whose sender was followed by another SSRC is taken out: its BYE must not end the stream that goes
 * on under its outgoing SSRC. source: as in struct renumber_packet, or RENUMBER_ANY_SOURCE. Returns the new
 * length, at most n (0: nothing is left to send), or -EBADMSG with p unchanged.
 */
#define RENUMBER_ANY_SOURCE 0xff
int renumber_rtcp(
	const struct renumber *forward, const struct renumber *reverse, uint8_t source, uint8_t *p, size_t n);
