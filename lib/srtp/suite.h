/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SRTP crypto suites as data: sizes, limits and names. Everything that depends on a suite reads it here.
 * RFC 3711, RFC 4568, RFC 6188, RFC 7714.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/* Values cross the planes' socket and index the table: append only. */
enum srtp_suite {
	SRTP_SUITE_NONE = 0, /* a leg that was negotiated clear */
	SRTP_AES_CM_128_HMAC_SHA1_80,
	SRTP_AES_CM_128_HMAC_SHA1_32,
	SRTP_AES_192_CM_HMAC_SHA1_80,
	SRTP_AES_192_CM_HMAC_SHA1_32,
	SRTP_AES_256_CM_HMAC_SHA1_80,
	SRTP_AES_256_CM_HMAC_SHA1_32,
	SRTP_AEAD_AES_128_GCM,
	SRTP_AEAD_AES_256_GCM,
	SRTP_SUITE_COUNT,
};

#define SRTP_KEY_MAX 32     /* octets: AES-256 */
#define SRTP_SALT_MAX 14    /* octets: AES-CM; AEAD uses 12 */
#define SRTP_AUTH_KEY_MAX 20
#define SRTP_TAG_MAX 16
#define SRTP_MKI_MAX 128    /* octets on the wire, RFC 4568 section 6.1 */
#define SRTP_MASTER_MAX (SRTP_KEY_MAX + SRTP_SALT_MAX)
#define SRTCP_INDEX_OCTETS 4 /* E flag and 31-bit index */
/* Most octets that protection adds behind a packet, without an MKI. */
#define SRTP_TRAILER_MAX (SRTP_TAG_MAX + SRTCP_INDEX_OCTETS)

enum srtp_cipher { SRTP_CIPHER_NULL, SRTP_CIPHER_CM, SRTP_CIPHER_GCM };

struct srtp_suite_info {
	const char *name;          /* as in a=crypto (RFC 4568, 6188, 7714) */
	enum srtp_cipher cipher;
	uint8_t key_len;           /* master and session encryption key, octets */
	uint8_t salt_len;          /* master and session salt, octets */
	uint8_t auth_key_len;      /* HMAC key, octets; 0 for AEAD */
	uint8_t rtp_tag_len;       /* octets */
	uint8_t rtcp_tag_len;      /* octets; _32 suites keep 10 here (RFC 4568 section 6.2.2) */
	uint16_t dtls_profile;     /* IANA DTLS-SRTP protection profile, 0 where there is none */
	uint64_t rtp_packets_max;  /* packets per key: 2^48 (RFC 3711 section 9.2, RFC 7714 section 8.1) */
	uint64_t rtcp_packets_max; /* 2^31 */
	uint64_t auth_failures_max; /* forgeries to tolerate per key before it must be replaced */
};

/* The row of a suite; NULL outside the enum. SRTP_SUITE_NONE has a row with all sizes 0. Never freed. */
const struct srtp_suite_info *srtp_suite_info(enum srtp_suite suite);

/* By its a=crypto name, compared without case (RFC 4568 section 9.1); SRTP_SUITE_NONE when unknown. */
enum srtp_suite srtp_suite_by_name(struct str name);

/* SRTP_SUITE_NONE when the profile is not one of ours. */
enum srtp_suite srtp_suite_by_dtls_profile(uint16_t profile);

/* Master key and salt together, octets: what an inline: parameter carries. */
static inline unsigned srtp_suite_master_len(const struct srtp_suite_info *s)
{
	return s->key_len + s->salt_len;
}
