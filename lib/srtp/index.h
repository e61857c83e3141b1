/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet indexes. An SRTP index is 48 bits, ROC << 16 | SEQ, held in a uint64_t; only SEQ is on the wire and
 * the receiver estimates the rest from the highest index that it has authenticated (RFC 3711 section 3.3.1
 * and appendix A). An SRTCP index is 31 bits and travels with the packet.
 *
 * Receive: index = srtp_replay_empty(w) ? srtp_index_first(seq, 0) : srtp_index_estimate(highest, seq), then
 * peek, verify, commit (replay.h, which holds the highest index).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SRTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)
#define SRTP_INDEX_NONE UINT64_MAX /* no index under this key can be meant */

#define SRTCP_INDEX_MAX UINT32_C(0x7fffffff)
#define SRTCP_E_FLAG UINT32_C(0x80000000)

static inline uint32_t srtp_index_roc(uint64_t index)
{
	return (uint32_t)(index >> 16);
}

static inline uint16_t srtp_index_seq(uint64_t index)
{
	return (uint16_t)index;
}

/*
 * The index that a packet with this SEQ most likely has, given the highest index authenticated so far: the
 * one nearest to it, ties as in RFC 3711 appendix A. SRTP_INDEX_NONE when that lies beyond ROC 2^32 - 1.
 *
 * In ROC 0 a SEQ far above the highest cannot be of ROC -1, which no sender ever had; it can only be a jump
 * ahead within ROC 0, and that index is returned (the tag decides).
 */
static inline uint64_t srtp_index_estimate(uint64_t highest, uint16_t seq)
{
	uint16_t s_l = (uint16_t)highest;
	int32_t delta = (int16_t)(uint16_t)(seq - s_l);

	if (delta == -0x8000 && s_l < 0x8000)
		delta = 0x8000;
	if (delta < 0 && highest < (uint64_t)-delta)
		return seq;
	uint64_t index = highest + (uint64_t)(int64_t)delta;

	return index <= SRTP_INDEX_MAX ? index : SRTP_INDEX_NONE;
}

/*
 * A stream without state. Its first packet to arrive is of ROC 0, unless the sender began just below SEQ
 * 65536 and what it sent before the wrap was lost or overtaken: then a low SEQ is of ROC 1. So there are up
 * to two indexes to try, in this order; the tag decides. Without the second try such a stream would stay deaf
 * until its next wrap.
 */
static inline unsigned srtp_index_first_tries(uint16_t seq)
{
	return seq < 0x8000 ? 2 : 1;
}

static inline uint64_t srtp_index_first(uint16_t seq, unsigned attempt)
{
	return (uint64_t)attempt << 16 | seq;
}

/*
 * A sender's SRTCP index: one counter per key, whatever the SSRC, so that no (key, SSRC, index) repeats.
 * *next is 0 before the first packet (RFC 3711 section 3.4). False when all 2^31 are used up: the key is dead
 * for RTCP.
 */
static inline bool srtcp_index_take(uint32_t *next, uint32_t *index)
{
	if (*next > SRTCP_INDEX_MAX)
		return false;
	*index = (*next)++;
	return true;
}
