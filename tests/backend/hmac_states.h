/* SPDX-License-Identifier: Apache-2.0 */
/* The two states that a key of HMAC-SHA1 is, by the letter of the standard. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t rol(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/* SHA-1's state after one block from its beginning (FIPS 180-4, 6.1.2). */
static inline void one_block(const uint8_t block[64], uint32_t state[5])
{
	static const uint32_t begin[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint32_t w[80], s[5];

	memcpy(s, begin, sizeof(s));
	for (int t = 0; t < 80; t++) {
		uint32_t f, x;

		w[t] = t < 16 ? (uint32_t)block[4 * t] << 24 | block[4 * t + 1] << 16 |
					block[4 * t + 2] << 8 | block[4 * t + 3]
			      : rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
		if (t < 20)
			f = ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999;
		else if (t < 40)
			f = (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1;
		else if (t < 60)
			f = ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) + 0x8f1bbcdc;
		else
			f = (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6;
		x = rol(s[0], 5) + f + s[4] + w[t];
		s[4] = s[3];
		s[3] = s[2];
		s[2] = rol(s[1], 30);
		s[1] = s[0];
		s[0] = x;
	}
	for (int i = 0; i < 5; i++)
		state[i] = begin[i] + s[i];
}

/* Of n octets of key, after the inner block and after the outer one. */
static inline void hmac_states(const uint8_t *key, size_t n, uint32_t states[10])
{
	uint8_t block[64];

	for (int half = 0; half < 2; half++) {
		memset(block, half ? 0x5c : 0x36, sizeof(block));
		for (size_t i = 0; i < n; i++)
			block[i] ^= key[i];
		one_block(block, states + (size_t)half * 5);
	}
}
