/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP compound packets (RFC 3550 section 6, reduced size RFC 5506), read with bounds. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/srtp/be.h"

#define RTCP_HDR_LEN 8u /* header word and the sender's SSRC: what SRTCP leaves clear */

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205, /* RFC 4585 */
	RTCP_PSFB = 206,
	RTCP_XR = 207, /* RFC 3611 */
};

/* RTCP rather than RTP where both share a port (RFC 5761 section 4)? n octets of clear, SRTP or SRTCP packet.
 */
static inline bool rtcp_is(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] >> 6 == 2 && p[1] >= 192 && p[1] <= 223;
}

/* The SSRC that SRTCP keys on; -EBADMSG when the first 8 octets are no RTCP header. */
static inline int rtcp_first_ssrc(const uint8_t *p, size_t n, uint32_t *ssrc)
{
	if (n < RTCP_HDR_LEN || !rtcp_is(p, n))
		return -EBADMSG;
	*ssrc = be32_get(p + 4);
	return 0;
}

/* One packet of a compound. */
struct rtcp_part {
	uint16_t off;  /* of its header, from the compound's start */
	uint16_t len;  /* octets, header and padding included; a multiple of 4 */
	uint16_t body; /* octets without padding, not always whole words; at least 4 */
	uint8_t type;  /* enum rtcp_type or another */
	uint8_t count; /* the 5 bits: report count, source count, format, subtype */
};

struct rtcp_walk {
	const uint8_t *p;
	size_t n;
	size_t off;
};

static inline struct rtcp_walk rtcp_walk_begin(const uint8_t *p, size_t n)
{
	return (struct rtcp_walk){p, n, 0};
}

/*
 * The next packet of a clear compound. 1, 0 at the end, -EBADMSG when version, length or padding (of any
 * packet, by any number of octets within it) are wrong or the compound is longer than 65535.
 */
int rtcp_walk_next(struct rtcp_walk *w, struct rtcp_part *part);

/* A clear compound that rtcp_walk_next() goes through to its end, of at least one packet. 0 or -EBADMSG. */
int rtcp_check(const uint8_t *p, size_t n);
