/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/replay.h"

/* Clears the ring's bits of [from, to). */
static void ring_clear(struct srtp_replay *r, uint64_t from, uint64_t to)
{
	uint64_t octets = (uint64_t)(srtp_replay_mask(r) + 1) * 8;

	if (to - from >= octets * 8) {
		memset(r->ring, 0, octets);
		return;
	}
	while (from < to) {
		uint64_t stop = (from | 63) + 1;
		uint64_t clear = ~UINT64_C(0) << (from & 63);

		if (stop > to)
			clear &= ~(~UINT64_C(0)
				   << (to & 63)); /* to is inside this word, so its low 6 bits are not 0 */
		r->ring[from >> 6 & srtp_replay_mask(r)] &= ~clear;
		from = stop;
	}
}

void srtp_replay_advance(struct srtp_replay *r, uint64_t end)
{
	if (r->end)
		r->ring[(r->end - 1) >> 6 & srtp_replay_mask(r)] = r->word;
	ring_clear(r, r->end, end);
	r->end = end;
	r->word = r->ring[(end - 1) >> 6 & srtp_replay_mask(r)];
}
