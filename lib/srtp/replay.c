/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/replay.h"

/* Clears the ring's bits of [from, to). */
static void ring_clear(struct srtp_replay *r, uint64_t from, uint64_t to)
{
	uint64_t ring = (uint64_t)(r->mask + 1) * 64;

	if (to - from >= ring) {
		memset(r->bits, 0, ring / 8);
		return;
	}
	while (from < to) {
		uint64_t stop = (from | 63) + 1;
		uint64_t clear = ~UINT64_C(0) << (from & 63);

		if (stop > to)
			clear &= ~(~UINT64_C(0)
				   << (to & 63)); /* to is inside this word, so its low 6 bits are not 0 */
		r->bits[from >> 6 & r->mask] &= ~clear;
		from = stop;
	}
}

void srtp_replay_advance(struct srtp_replay *r, uint64_t end)
{
	if (r->end)
		r->bits[(r->end - 1) >> 6 & r->mask] = r->word;
	ring_clear(r, r->end, end);
	r->end = end;
	r->word = r->bits[(end - 1) >> 6 & r->mask];
}
