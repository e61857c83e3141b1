/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing share: numbers, HMAC-SHA1, the CRC-32 of FINGERPRINT. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STUN_COOKIE 0x2112a442u
#define STUN_HMAC 20              /* octets */
#define STUN_CRC_XOR 0x5354554eu /* RFC 8489 section 14.7 */

enum stun_attribute {
	STUN_A_USERNAME = 0x0006,
	STUN_A_INTEGRITY = 0x0008,
	STUN_A_ERROR_CODE = 0x0009,
	STUN_A_UNKNOWN = 0x000a,
	STUN_A_REALM = 0x0014,
	STUN_A_NONCE = 0x0015,
	STUN_A_INTEGRITY_SHA256 = 0x001c,
	STUN_A_MAPPED = 0x0020, /* XOR-MAPPED-ADDRESS */
	STUN_A_PRIORITY = 0x0024,
	STUN_A_USE_CANDIDATE = 0x0025,
	STUN_A_FINGERPRINT = 0x8028,
	STUN_A_CONTROLLED = 0x8029,
	STUN_A_CONTROLLING = 0x802a,
};

/*
 * HMAC-SHA1 of the octets before MESSAGE-INTEGRITY at p + at, the length in the header taken to end behind it
 * (RFC 8489 section 14.5). No memory is allocated and nothing locked: it runs on the media cores.
 */
void stun_hmac(const uint8_t *p, size_t at, const void *key, size_t key_len, uint8_t out[STUN_HMAC]);

/* FINGERPRINT's value for the octets before it at p + at, the length ending behind it. */
uint32_t stun_crc(const uint8_t *p, size_t at);

/* What an address is hidden under: the cookie, then the transaction id (RFC 8489 section 14.2). */
static inline void stun_mask(const uint8_t id[12], uint8_t mask[16])
{
	static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};

	memcpy(mask, cookie, sizeof cookie);
	memcpy(mask + sizeof cookie, id, 12);
}
