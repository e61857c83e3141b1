/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Initialisation vectors from session salt, SSRC and index. The index is SRTP's 48 bits or SRTCP's 31 bits
 * (without the E flag); both fall on the same octets.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define SRTP_IV_CM_LEN 16 /* a whole AES counter block, the last two octets counting from 0 */
#define SRTP_IV_GCM_LEN 12

/*
 * AES-CM (RFC 3711 section 4.1.1): salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16.
 * octet  0..3 salt | 4..7 salt ^ SSRC | 8..13 salt ^ index | 14..15 zero
 */
static inline void srtp_iv_cm(
	uint8_t iv[SRTP_IV_CM_LEN], const uint8_t salt[14], uint32_t ssrc, uint64_t index)
{
	uint64_t high, low = 0;

	memcpy(&high, salt, 8);
	memcpy(&low, salt + 8, 6);
	high ^= __builtin_bswap64(ssrc);
	low ^= __builtin_bswap64(index << 16);
	memcpy(iv, &high, 8);
	memcpy(iv + 8, &low, 8);
}

/*
 * AES-GCM (RFC 7714 sections 8.1 and 9.1): salt XOR (00 00 | SSRC | index).
 * octet  0..1 salt | 2..5 salt ^ SSRC | 6..11 salt ^ index
 */
static inline void srtp_iv_gcm(
	uint8_t iv[SRTP_IV_GCM_LEN], const uint8_t salt[12], uint32_t ssrc, uint64_t index)
{
	uint64_t high;
	uint32_t low;

	memcpy(&high, salt, 8);
	memcpy(&low, salt + 8, 4);
	high ^= __builtin_bswap64((uint64_t)ssrc << 16 | index >> 32);
	low ^= __builtin_bswap32((uint32_t)index);
	memcpy(iv, &high, 8);
	memcpy(iv + 8, &low, 4);
}
