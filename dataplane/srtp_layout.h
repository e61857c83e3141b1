/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What protection puts behind a packet, and in which order.
 *
 *           AES-CM (RFC 3711 3.1, 3.4)      AEAD (RFC 7714 8.2, 9.2)
 *   SRTP    body | MKI | tag                body | tag | MKI
 *   SRTCP   body | E+index | MKI | tag      body | tag | E+index | MKI
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/srtp/suite.h"

/* Offsets behind the body, and their sum. */
struct srtp_layout {
	uint8_t tag, index, mki, total, tag_len;
};

static inline struct srtp_layout srtp_layout(const struct srtp_suite_info *s, uint8_t mki_len, bool rtcp)
{
	struct srtp_layout l = {.tag_len = rtcp ? s->rtcp_tag_len : s->rtp_tag_len};
	uint8_t index_len = rtcp ? SRTCP_INDEX_OCTETS : 0;

	l.total = (uint8_t)(l.tag_len + index_len + mki_len);
	if (s->cipher == SRTP_CIPHER_GCM) {
		l.index = l.tag_len;
		l.mki = (uint8_t)(l.tag_len + index_len);
	} else {
		l.mki = index_len;
		l.tag = (uint8_t)(index_len + mki_len);
	}
	return l;
}
