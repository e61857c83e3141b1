/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-CM with HMAC-SHA1 of RTP (RFC 3711, RFC 6188 with AES-256): four packets at a time or a long one
 * through AES, sixteen through SHA-1. For processors with AVX-512 (F, BW, VL, DQ) and VAES.
 */
#pragma once

#include "dataplane/crypto/lanes/job.h"

/* Two cache lines: the cipher's and the hash's. */
struct lanes_cm_key {
	uint8_t key[32];
	uint8_t salt[16]; /* 14, then zeros */
	uint8_t pad[16];
	uint8_t states[40]; /* of SHA-1 after the inner block of the authentication key, then after the outer
			       one: sha1.h */
	uint8_t more[23];
	uint8_t mark; /* the caller's own, not read here */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct lanes_cm_key) == 128, "two cache lines");

/*
 * Jobs of RTP, in any number, all to protect or all to unprotect, all with AES-128 or all with AES-256. Tags
 * are of 4 or 10 octets. Ends with every job's status, CRYPTO_OK or CRYPTO_TAG_FAIL, which leaves the packet
 * as it was. sha_ni: the processor has instructions for SHA.
 */
void lanes_cm_protect(const struct lanes_job *jobs, unsigned n, bool aes256, bool sha_ni);
void lanes_cm_unprotect(const struct lanes_job *jobs, unsigned n, bool aes256, bool sha_ni);
