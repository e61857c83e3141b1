/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA1 over many short packets at once, as SRTP wants it (RFC 3711, 4.2): the packet, then its rollover
 * counter or SRTCP index, which is not in the packet.
 *
 * Only for processors with AVX-512 (F, BW, VL, DQ) and BMI2: the caller looks. Of a packet nothing but
 * data[0..octets) is read, several times, and nothing but mac is written. The time taken depends on n and the
 * lengths alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LANES_HMAC_MAC 16 /* octets of the 20 that are written: SRTP takes 10 at most */
#define LANES_HMAC_STATES 40

/* One packet. Borrows everything that it points to. */
struct lanes_hmac {
	/*
	 * SHA-1's five words, each in the processor's own order, after the key's inner block (key ^ 0x36...),
	 * then the five after the outer one (key ^ 0x5c...). Any alignment.
	 */
	const uint8_t *states;
	const uint8_t *data;
	uint32_t octets;  /* of data, 65535 at most */
	uint32_t trailer; /* four octets that follow data, as they lie in memory */
	uint8_t *mac;     /* LANES_HMAC_MAC octets out; within no packet of this call */
};

/* Any number of packets, any mixture of lengths. sha_ni: the processor has SHA instructions too. */
void lanes_hmac_sha1(const struct lanes_hmac *jobs, unsigned n, bool sha_ni);
