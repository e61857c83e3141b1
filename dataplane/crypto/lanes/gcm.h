/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM of RTP (RFC 7714), four packets at a time or a long one. For processors with AVX-512 (F, BW, VL,
 * DQ), VAES and VPCLMULQDQ.
 */
#pragma once

#include "dataplane/crypto/lanes/job.h"

/* Two cache lines, read from the first octet to the last: powers of the hash key, and the key itself. */
struct lanes_gcm_key {
	uint8_t powers[64]; /* the 4th, 3rd, 2nd, 1st: as GHASH multiplies with them */
	uint8_t eighth[16];
	uint8_t key[32];
	uint8_t salt[12];
	uint8_t pad[3];
	uint8_t mark; /* the caller's own, not read here */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct lanes_gcm_key) == 128, "two cache lines");

/* key: 16 octets, or 32 with aes256; salt: 12. */
void lanes_gcm_load(struct lanes_gcm_key *k, const uint8_t *key, const uint8_t *salt, bool aes256);

/*
 * Jobs of RTP, in any number, all to protect or all to unprotect, all with AES-128 or all with AES-256. Tags
 * are 16 octets. Ends with every job's status, CRYPTO_OK or CRYPTO_TAG_FAIL, which leaves the packet as it
 * was.
 */
void lanes_gcm_protect(const struct lanes_job *jobs, unsigned n, bool aes256);
void lanes_gcm_unprotect(const struct lanes_job *jobs, unsigned n, bool aes256);
