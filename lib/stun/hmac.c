/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's digest objects are fetched and allocated for each use; its plain SHA-1 functions are neither. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/stun/hmac.h"

#include <string.h>

#include <openssl/sha.h>

#include "lib/base/secret.h"
#include "lib/stun/stun.h"

#define BLOCK 64 /* of SHA-1, octets */

/* The header with another length, then what follows it up to `at`. */
static void hash_message(SHA_CTX *h, const uint8_t *p, size_t at, size_t length)
{
	const uint8_t head[4] = {p[0], p[1], (uint8_t)(length >> 8), (uint8_t)length};

	SHA1_Update(h, head, sizeof head);
	SHA1_Update(h, p + sizeof head, at - sizeof head);
}

void stun_hmac(const uint8_t *p, size_t at, const void *key, size_t key_len, uint8_t out[STUN_HMAC])
{
	uint8_t pad[BLOCK] = {0};
	SHA_CTX h;

	if (key_len > BLOCK)
		SHA1(key, key_len, pad);
	else
		memcpy(pad, key, key_len);
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	SHA1_Init(&h);
	SHA1_Update(&h, pad, BLOCK);
	hash_message(&h, p, at, at - STUN_HEADER + 4 + STUN_HMAC);
	SHA1_Final(out, &h);
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&h);
	SHA1_Update(&h, pad, BLOCK);
	SHA1_Update(&h, out, STUN_HMAC);
	SHA1_Final(out, &h);
	mem_wipe(pad, sizeof pad);
	mem_wipe(&h, sizeof h);
}

/* CRC-32 of ITU V.42, four bits at a time. */
static uint32_t crc_more(uint32_t crc, const uint8_t *p, size_t n)
{
	static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4,
		0xa00ae278, 0xbdbdf21c};

	for (size_t i = 0; i < n; i++) {
		crc = table[(crc ^ p[i]) & 15] ^ (crc >> 4);
		crc = table[(crc ^ (p[i] >> 4)) & 15] ^ (crc >> 4);
	}
	return crc;
}

uint32_t stun_crc(const uint8_t *p, size_t at)
{
	size_t length = at - STUN_HEADER + 8;
	const uint8_t head[4] = {p[0], p[1], (uint8_t)(length >> 8), (uint8_t)length};
	uint32_t crc = crc_more(0xffffffff, head, sizeof head);

	return ~crc_more(crc, p + sizeof head, at - sizeof head) ^ STUN_CRC_XOR;
}
