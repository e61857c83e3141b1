/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of DPDK's memory a data plane reserves when it starts. Legs, their SSRCs and keys are not in it:
 * they are taken from the system as calls come (leg_memory.h, crypto/ipsec_mb_keys.c).
 */
#pragma once

#include <stdint.h>

#define LEGS_PER_SESSION 3     /* at most: audio and now and then video on its own port, both sides */
#define SESSION_OCTETS 192     /* tables by session and by leg */
#define MEMORY_BASE_MB 128     /* media addresses, command queues, next hops */
#define FRAMES_PER_PORT 16384u /* descriptors of both directions, and what is held */
#define FRAMES_PER_3_MB 1024u

static inline uint32_t sizing_memory_mb(uint32_t sessions, uint32_t interfaces)
{
	return MEMORY_BASE_MB + (uint32_t)((uint64_t)sessions * SESSION_OCTETS >> 20) +
	       FRAMES_PER_PORT / FRAMES_PER_3_MB * 3 * interfaces;
}
