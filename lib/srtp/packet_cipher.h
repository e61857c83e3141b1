/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to packet.c: cipher and tag of one half (RTP or RTCP) of a key, over OpenSSL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "lib/srtp/kdf.h"
#include "lib/srtp/suite.h"

struct packet_cipher {
	const struct srtp_suite_info *suite;
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; /* HMAC-SHA1; NULL for AEAD */
	uint8_t salt[SRTP_SALT_MAX];
	uint8_t tag_len;
};

/* Where a packet's parts are and what its tag covers besides. */
struct packet_job {
	uint8_t *p;
	size_t clear; /* octets authenticated, not encrypted */
	size_t n;     /* octets in all, without trailer */
	uint32_t ssrc;
	uint64_t index;   /* for the IV */
	uint32_t word;    /* RTP: the ROC. RTCP: E flag and index */
	bool word_in_aad; /* AEAD: the word is authenticated (RTCP) */
	bool plain;       /* RTCP with E = 0 */
};

/* -EIO; c is to be wiped in any case. */
int packet_cipher_init(struct packet_cipher *c, const struct srtp_suite_info *s,
	const struct srtp_half_keys *keys, bool rtcp);
void packet_cipher_wipe(struct packet_cipher *c);

/* Encrypts in place and writes tag_len octets of tag. -EIO. */
int packet_seal(struct packet_cipher *c, const struct packet_job *j, uint8_t *tag);

/* Verifies, then decrypts in place. -EACCES when the tag does not match, -EIO; the packet is then as it was.
 */
int packet_open(struct packet_cipher *c, const struct packet_job *j, const uint8_t *tag);
