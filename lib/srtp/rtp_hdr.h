/* SPDX-License-Identifier: Apache-2.0 */
/* RTP headers (RFC 3550 section 5.1, extensions RFC 8285), read with bounds and written in place. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/srtp/be.h"

#define RTP_HDR_MIN 12u /* octets without CSRCs */
#define RTP_CSRC_MAX 15u

struct rtp_hdr {
	uint32_t ssrc;
	uint32_t ts;
	uint16_t seq;
	uint16_t len; /* octets before the payload: fixed header, CSRCs, extension; SRTP leaves these clear */
	uint16_t ext_profile; /* "defined by profile"; 0xbede and 0x100x are RFC 8285 */
	uint16_t ext_off;     /* where the extension's data begins, 0: no extension */
	uint16_t ext_len;     /* octets of it */
	uint8_t pt;
	uint8_t csrc_count;
	bool marker;
	bool padding; /* the P bit; its count is in the payload: rtp_padding() once that is clear */
};

/*
 * Reads the header of n octets at p. -EBADMSG when they are no RTP packet: version, or CSRCs or extension
 * that do not fit. An empty payload is fine.
 */
static inline int rtp_hdr_parse(const uint8_t *p, size_t n, struct rtp_hdr *h)
{
	uint8_t first, second; /* read once: what is written to *h may be octets of p, as far as the compiler
				  knows */

	if (n < RTP_HDR_MIN || n > UINT16_MAX || p[0] >> 6 != 2)
		return -EBADMSG;
	first = p[0];
	second = p[1];
	/* At once, and as wide as there are registers, what most packets have none of. */
	memset(&h->ext_profile, 0, sizeof *h - offsetof(struct rtp_hdr, ext_profile));
	/* Compared: of a bit that was shifted down the compiler makes a store, a load, and a store. */
	h->marker = (second & 0x80) != 0;
	h->pt = second & 0x7f;
	h->seq = be16_get(p + 2);
	h->ts = be32_get(p + 4);
	h->ssrc = be32_get(p + 8);
	h->len = RTP_HDR_MIN;
	if (__builtin_expect(first == 0x80, 1)) /* no padding, extension, CSRC */
		return 0;
	h->csrc_count = first & 0x0f;
	h->padding = (first & 0x20) != 0;

	size_t len = RTP_HDR_MIN + 4u * (first & 0x0f);

	if (first & 0x10) {
		if (n < len + 4)
			return -EBADMSG;
		h->ext_profile = be16_get(p + len);
		size_t ext_len = 4u * be16_get(p + len + 2);

		len += 4;
		if (n - len < ext_len)
			return -EBADMSG;
		h->ext_off = (uint16_t)len;
		h->ext_len = (uint16_t)ext_len;
		len += ext_len;
	}
	if (n < len)
		return -EBADMSG;
	h->len = (uint16_t)len;
	return 0;
}

/* Octets of padding at the end of a clear packet, 0 without the P bit; -EBADMSG when the count does not fit.
 */
int rtp_padding(const uint8_t *p, size_t n, const struct rtp_hdr *h);

/*
 * The data of header extension element `id` (1 to 14 in the one-byte form, 1 to 255 in the two-byte form) of
 * a packet that h was parsed from; *len its octets. NULL when it is not there or the elements are malformed.
 */
const uint8_t *rtp_ext_find(const uint8_t *p, const struct rtp_hdr *h, uint8_t id, uint8_t *len);

/*
 * Takes out every header extension element whose id (1 to 15) has no bit 1 << id in `keep`, and an extension
 * that is neither of RFC 8285's forms or malformed: the packet that h was parsed from then begins at p + n,
 * n the result, and h is of it. The payload stays where it is.
 */
uint16_t rtp_ext_keep(uint8_t *p, struct rtp_hdr *h, uint16_t keep);

/* Octets that rtp_ext_add() puts in front of a packet at most. */
static inline uint16_t rtp_ext_room(const struct rtp_hdr *h, uint8_t n)
{
	return h->ext_off ? (n + 5u) & ~3u : 4u + ((n + 4u) & ~3u);
}

/*
 * Adds a header extension element of n octets (1 to 16) under an id (1 to 14) that the packet has no element
 * of, in the form that the packet has its others in, or else the one-byte form. The packet that h was parsed
 * from then begins at p - r, r the result, and h is of it; the payload stays where it is. Before p there is
 * rtp_ext_room(). 0 also where nothing can be added: to an extension that is neither of RFC 8285's forms,
 * malformed or as long as one can be.
 */
uint16_t rtp_ext_add(uint8_t *p, struct rtp_hdr *h, uint8_t id, const void *data, uint8_t n);

static inline void rtp_set_seq(uint8_t *p, uint16_t seq)
{
	be16_put(p + 2, seq);
}

static inline void rtp_set_ts(uint8_t *p, uint32_t ts)
{
	be32_put(p + 4, ts);
}

static inline void rtp_set_ssrc(uint8_t *p, uint32_t ssrc)
{
	be32_put(p + 8, ssrc);
}
