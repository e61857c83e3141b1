/* SPDX-License-Identifier: Apache-2.0 */
/* What the device must compute for one packet, straight from the RFCs: over OpenSSL, and once more over
 * intel-ipsec-mb. That is their only link with the RTL, and with the backends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/srtp/kdf.h"

struct model_packet {
	enum srtp_suite suite;
	const struct srtp_half_keys *keys;
	bool rtcp;
	uint8_t *pkt;
	size_t len, aad;
	uint32_t index; /* RTP: ROC; RTCP: E flag and index */
};

/* Encrypts in place and makes the tag; its octets. */
size_t model_protect(const struct model_packet *p, uint8_t tag[SRTP_TAG_MAX]);
size_t model_protect_ipsec_mb(const struct model_packet *p, uint8_t tag[SRTP_TAG_MAX]);
