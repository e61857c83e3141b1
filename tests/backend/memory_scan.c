/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <fcntl.h>
#define OPENSSL_SUPPRESS_DEPRECATED /* nothing newer shows the state of SHA-1 */
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/secret.h"
#include "tests/backend/memory_scan.h"

static void learn(struct memory_scan *scan, const uint8_t *p)
{
	assert_in_range(scan->n, 0, MEMORY_SCAN_PATTERNS - 1);
	for (int i = 0; i < MEMORY_SCAN_OCTETS; i++)
		scan->inverted[scan->n][i] = (uint8_t)~p[i];
	scan->n++;
}

/* The key schedule of FIPS 197 section 5.2, with the S-box computed. */
static uint8_t sbox(uint8_t v)
{
	uint8_t x = 0;

	/* The inverse in GF(2^8) by search, then the affine map. */
	for (unsigned c = 1; v && c < 256 && !x; c++) {
		unsigned a = v, b = c, p = 0;

		for (; b; b >>= 1, a = a << 1 ^ (a & 0x80 ? 0x11b : 0))
			p ^= b & 1 ? a : 0;
		x = p == 1 ? (uint8_t)c : 0;
	}
	return (uint8_t)(0x63 ^ x ^ (x << 1 | x >> 7) ^ (x << 2 | x >> 6) ^ (x << 3 | x >> 5) ^
			 (x << 4 | x >> 4));
}

/* Round keys after the key itself, as they stand in memory; the third and the last of them are looked for.
 */
static void learn_round_keys(struct memory_scan *scan, const uint8_t *key, unsigned key_len)
{
	unsigned nk = key_len / 4, rounds = nk + 6, words = 4 * (rounds + 1);
	uint8_t w[60][4], rcon = 1;

	memcpy(w, key, key_len);
	for (unsigned i = nk; i < words; i++) {
		uint8_t t[4];

		memcpy(t, w[i - 1], 4);
		if (i % nk == 0) {
			uint8_t first = t[0];

			t[0] = sbox(t[1]) ^ rcon;
			t[1] = sbox(t[2]);
			t[2] = sbox(t[3]);
			t[3] = sbox(first);
			rcon = (uint8_t)(rcon << 1 ^ (rcon & 0x80 ? 0x1b : 0));
		} else if (nk > 6 && i % nk == 4) {
			for (int k = 0; k < 4; k++)
				t[k] = sbox(t[k]);
		}
		for (int k = 0; k < 4; k++)
			w[i][k] = w[i - nk][k] ^ t[k];
	}
	learn(scan, w[8]);
	learn(scan, w[words - 4]);
	mem_wipe(w, sizeof(w));
}

static void learn_hmac(struct memory_scan *scan, const uint8_t *key, uint8_t pad)
{
	uint8_t block[SHA_CBLOCK];
	uint32_t state[5];
	SHA_CTX c;

	memset(block, pad, sizeof(block));
	for (int i = 0; i < SRTP_AUTH_KEY_MAX; i++)
		block[i] ^= key[i];
	SHA1_Init(&c);
	SHA1_Transform(&c, block);
	state[0] = c.h0;
	state[1] = c.h1;
	state[2] = c.h2;
	state[3] = c.h3;
	state[4] = c.h4;
	learn(scan, (const uint8_t *)state);
	learn(scan, block);
	mem_wipe(block, sizeof(block));
	mem_wipe(state, sizeof(state));
	mem_wipe(&c, sizeof(c));
}

void memory_scan_learn(struct memory_scan *scan, const struct srtp_session_keys *keys)
{
	const struct srtp_suite_info *info = srtp_suite_info(keys->suite);
	const struct srtp_half_keys *halves[] = {&keys->rtp, &keys->rtcp};

	scan->n = 0;
	for (int h = 0; h < 2; h++) {
		learn(scan, halves[h]->key);
		learn(scan, halves[h]->salt);
		learn_round_keys(scan, halves[h]->key, info->key_len);
		if (info->cipher == SRTP_CIPHER_CM) {
			learn(scan, halves[h]->auth);
			learn_hmac(scan, halves[h]->auth, 0x36);
			learn_hmac(scan, halves[h]->auth, 0x5c);
		}
	}
}

static unsigned find_in(const struct memory_scan *scan, const uint8_t *p, size_t n, bool seen[])
{
	unsigned found = 0;

	for (unsigned k = 0; k < scan->n; k++) {
		const uint8_t *at = p;
		uint8_t first = (uint8_t)~scan->inverted[k][0];

		while ((at = memchr(at, first, n - (size_t)(at - p)))) {
			size_t i = 0;

			if (n - (size_t)(at - p) < MEMORY_SCAN_OCTETS)
				break;
			while (i < MEMORY_SCAN_OCTETS && (at[i] ^ scan->inverted[k][i]) == 0xff)
				i++;
			found += i == MEMORY_SCAN_OCTETS;
			seen[k] |= i == MEMORY_SCAN_OCTETS;
			at++;
		}
	}
	return found;
}

/* Through /proc/self/mem, so that a page that is not there is an error and not the end. */
unsigned memory_scan_find(const struct memory_scan *scan, unsigned *kinds)
{
	bool seen[MEMORY_SCAN_PATTERNS] = {false};
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);
	size_t chunk = 1 << 20;
	uint8_t *buffer = malloc(chunk);
	unsigned found = 0;
	char line[512];

	assert_non_null(maps);
	assert_non_null(buffer);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long long from, to;
		char mode[5];

		if (sscanf(line, "%llx-%llx %4s", &from, &to, mode) != 3 || mode[0] != 'r' || mode[1] != 'w')
			continue;
		while (from < to) {
			size_t want = to - from < chunk ? (size_t)(to - from) : chunk;
			ssize_t n = pread(mem, buffer, want, (off_t)from);

			if (n <= 0)
				break;
			/* Not this buffer's own copy of what was read before. */
			if (from + (size_t)n <= (uintptr_t)buffer || from >= (uintptr_t)buffer + chunk)
				found += find_in(scan, buffer, (size_t)n, seen);
			from += (size_t)n;
		}
	}
	for (unsigned k = 0; kinds && k < scan->n; k++)
		*kinds += seen[k];
	mem_wipe(buffer, chunk);
	free(buffer);
	close(mem);
	fclose(maps);
	return found;
}
