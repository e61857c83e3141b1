/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay window (RFC 3711 section 3.3.2) over a ring of words that is never shifted (the idea of RFC 6479).
 * It holds which of the last `window` indexes were seen and the highest of them. For SRTP (48-bit index),
 * SRTCP (31-bit) and, on the sending side, for the indexes used up.
 *
 * peek tests and changes nothing; commit, after the tag has been verified, tests again (two copies of a
 * packet may have been in flight together) and sets.
 *
 * The ring has exactly as many bits as the window rounded up to a power of two: indexes i and i - ring share
 * a bit, and of any window of consecutive indexes no two do. Bits of skipped indexes are cleared as the
 * window passes them.
 *
 * The ring and the window's length are in memory of the caller's (a pool, or an array beside the struct), of
 * srtp_replay_words() words, 8-octet aligned, that must outlive the struct. One writer.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SRTP_REPLAY_WINDOW_MIN 64u
#define SRTP_REPLAY_WINDOW_MAX 32768u

struct srtp_replay {
	uint64_t end; /* highest index seen + 1; 0: nothing seen */
	/* The ring's word that the highest index is in; its place in the ring is stale meanwhile. Packets in
	 * order need no more than these two, but once in 64. */
	uint64_t word;
	uint64_t *ring; /* behind its first word: that holds srtp_replay_window() and srtp_replay_mask() */
};

/* Indexes behind (and with) the highest that can be told apart. */
static inline uint32_t srtp_replay_window(const struct srtp_replay *r)
{
	return (uint32_t)r->ring[-1];
}

/* Words in the ring - 1. */
static inline uint32_t srtp_replay_mask(const struct srtp_replay *r)
{
	return (uint32_t)(r->ring[-1] >> 32);
}

enum srtp_replay_verdict {
	SRTP_REPLAY_NEW,
	SRTP_REPLAY_SEEN,
	SRTP_REPLAY_OLD, /* behind the window: cannot be told, so refused */
};

/* uint64_t words of memory for a window; 0 when it is not 64 to 32768 and a multiple of 64. */
static inline uint32_t srtp_replay_words(uint32_t window)
{
	uint32_t ring = 1;

	if (window < SRTP_REPLAY_WINDOW_MIN || window > SRTP_REPLAY_WINDOW_MAX || window % 64)
		return 0;
	while (ring * 64 < window)
		ring *= 2;
	return 1 + ring;
}

/* Empty, over the caller's memory. -EINVAL for a window that srtp_replay_words() refuses. */
static inline int srtp_replay_init(struct srtp_replay *r, uint64_t *memory, uint32_t window)
{
	uint32_t words = srtp_replay_words(window);

	if (!words)
		return -EINVAL;
	*r = (struct srtp_replay){.ring = memory + 1};
	memset(memory, 0, words * sizeof *memory);
	memory[0] = window | (uint64_t)(words - 2) << 32;
	return 0;
}

/* Forgets all indexes: only together with a new key. */
static inline void srtp_replay_reset(struct srtp_replay *r)
{
	r->end = r->word = 0;
	memset(r->ring, 0, (srtp_replay_mask(r) + 1) * sizeof *r->ring);
}

/*
 * Goes on where a window that was given up ended (its `end`): all indexes below count as seen, so that
 * nothing is accepted twice; what came late from below is lost.
 */
static inline void srtp_replay_resume(struct srtp_replay *r, uint64_t end)
{
	r->end = end;
	r->word = end ? ~UINT64_C(0) : 0;
	memset(r->ring, end ? 0xff : 0, (srtp_replay_mask(r) + 1) * sizeof *r->ring);
}

static inline bool srtp_replay_empty(const struct srtp_replay *r)
{
	return r->end == 0;
}

/* The highest index seen; only when not empty. */
static inline uint64_t srtp_replay_highest(const struct srtp_replay *r)
{
	return r->end - 1;
}

/* Is the index's bit in r->word? */
static inline bool srtp_replay_is_near(const struct srtp_replay *r, uint64_t index)
{
	return !((index >> 6 ^ (r->end - (r->end != 0)) >> 6) & srtp_replay_mask(r));
}

static inline enum srtp_replay_verdict srtp_replay_peek(const struct srtp_replay *r, uint64_t index)
{
	if (index >= r->end)
		return SRTP_REPLAY_NEW;
	if (r->end - index > srtp_replay_window(r))
		return SRTP_REPLAY_OLD;
	const uint64_t *word =
		srtp_replay_is_near(r, index) ? &r->word : &r->ring[index >> 6 & srtp_replay_mask(r)];

	return *word >> (index & 63) & 1 ? SRTP_REPLAY_SEEN : SRTP_REPLAY_NEW;
}

/* Moves the window's end to `end`, clearing the bits from the old one on; for replay.h's own use. */
void srtp_replay_advance(struct srtp_replay *r, uint64_t end);

/* Sets the index behind the highest, `end`: it is new. */
static inline void srtp_replay_commit_next(struct srtp_replay *r)
{
	uint64_t index = r->end;

	if (index & 63)
		r->end++;
	else
		srtp_replay_advance(r, index + 1);
	r->word |= UINT64_C(1) << (index & 63);
}

/* Sets the index when it is new. index < 2^63. */
static inline enum srtp_replay_verdict srtp_replay_commit(struct srtp_replay *r, uint64_t index)
{
	enum srtp_replay_verdict v;

	if (index == r->end) {
		srtp_replay_commit_next(r);
		return SRTP_REPLAY_NEW;
	}
	v = srtp_replay_peek(r, index);
	if (v != SRTP_REPLAY_NEW)
		return v;
	if (index > r->end)
		srtp_replay_advance(r, index + 1);
	*(srtp_replay_is_near(r, index) ? &r->word : &r->ring[index >> 6 & srtp_replay_mask(r)]) |=
		UINT64_C(1) << (index & 63);
	return v;
}
