/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of DPDK's memory a data plane reserves when it starts. Legs, their SSRCs and keys, and next hops
 * are not in it: they are taken from the system as calls come (leg_memory.h, crypto/ipsec_mb_keys.c,
 * neighbour_table.h).
 */
#pragma once

#include <stdint.h>

#define LEGS_PER_SESSION 3     /* at most: audio and now and then video on its own port, both sides */
#define SESSION_OCTETS 192     /* tables by session and by leg */
#define MEMORY_BASE_MB 116     /* media addresses, command queues */
#define FRAMES_PER_PORT 16384u /* descriptors of both directions, and what is held */
#define FRAMES_PER_3_MB 1024u
#define NEXT_HOPS_MIN 65536u

static inline uint32_t sizing_memory_mb(uint32_t sessions, uint32_t interfaces)
{
	return MEMORY_BASE_MB + (uint32_t)((uint64_t)sessions * SESSION_OCTETS >> 20) +
	       FRAMES_PER_PORT / FRAMES_PER_3_MB * 3 * interfaces;
}

/*
 * Pairs of a local and a remote address that have their next hop at hand: each leg may send to an address of
 * its own, and half as many again are of calls that are over. 60 seconds a call on the average make so many
 * within the 30 seconds that such a pair is kept for when room runs short (PATH_IDLE_FULL_S).
 */
static inline uint32_t sizing_next_hops(uint32_t sessions)
{
	uint32_t pairs = sessions * LEGS_PER_SESSION / 2 * 3;

	return pairs > NEXT_HOPS_MIN ? pairs : NEXT_HOPS_MIN;
}
