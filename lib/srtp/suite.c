/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/suite.h"

#include <stddef.h>

#define RTP_MAX (UINT64_C(1) << 48)
#define RTCP_MAX (UINT64_C(1) << 31)

/*
 * Forgeries before a key must go. A 4-octet tag is guessed once in 2^32: 2^20 attempts leave a chance of
 * 2^-12 that one packet got through. The others follow the 2^36 that RFC 9147 section 4.5.3 sets for AES-GCM.
 */
#define FORGERIES_SHORT_TAG (UINT64_C(1) << 20)
#define FORGERIES (UINT64_C(1) << 36)

#define CM(n, key, tag, profile, forgeries)                                                                  \
	{                                                                                                    \
		.name = (n), .cipher = SRTP_CIPHER_CM, .key_len = (key), .salt_len = 14, .auth_key_len = 20, \
		.rtp_tag_len = (tag), .rtcp_tag_len = 10, .dtls_profile = (profile),                         \
		.rtp_packets_max = RTP_MAX, .rtcp_packets_max = RTCP_MAX, .auth_failures_max = (forgeries)   \
	}
#define GCM(n, key, profile)                                                                                 \
	{                                                                                                    \
		.name = (n), .cipher = SRTP_CIPHER_GCM, .key_len = (key), .salt_len = 12, .rtp_tag_len = 16, \
		.rtcp_tag_len = 16, .dtls_profile = (profile), .rtp_packets_max = RTP_MAX,                   \
		.rtcp_packets_max = RTCP_MAX, .auth_failures_max = FORGERIES                                 \
	}

static const struct srtp_suite_info suites[SRTP_SUITE_COUNT] = {
	[SRTP_SUITE_NONE] = {.name = "NONE", .cipher = SRTP_CIPHER_NULL},
	[SRTP_AES_CM_128_HMAC_SHA1_80] = CM("AES_CM_128_HMAC_SHA1_80", 16, 10, 0x0001, FORGERIES),
	[SRTP_AES_CM_128_HMAC_SHA1_32] = CM("AES_CM_128_HMAC_SHA1_32", 16, 4, 0x0002, FORGERIES_SHORT_TAG),
	[SRTP_AES_192_CM_HMAC_SHA1_80] = CM("AES_192_CM_HMAC_SHA1_80", 24, 10, 0, FORGERIES),
	[SRTP_AES_192_CM_HMAC_SHA1_32] = CM("AES_192_CM_HMAC_SHA1_32", 24, 4, 0, FORGERIES_SHORT_TAG),
	[SRTP_AES_256_CM_HMAC_SHA1_80] = CM("AES_256_CM_HMAC_SHA1_80", 32, 10, 0, FORGERIES),
	[SRTP_AES_256_CM_HMAC_SHA1_32] = CM("AES_256_CM_HMAC_SHA1_32", 32, 4, 0, FORGERIES_SHORT_TAG),
	[SRTP_AEAD_AES_128_GCM] = GCM("AEAD_AES_128_GCM", 16, 0x0007),
	[SRTP_AEAD_AES_256_GCM] = GCM("AEAD_AES_256_GCM", 32, 0x0008),
};

const struct srtp_suite_info *srtp_suite_info(enum srtp_suite suite)
{
	return (unsigned)suite < SRTP_SUITE_COUNT ? &suites[suite] : NULL;
}

enum srtp_suite srtp_suite_by_name(struct str name)
{
	for (unsigned i = SRTP_SUITE_NONE + 1; i < SRTP_SUITE_COUNT; i++)
		if (str_ieq(name, str_z(suites[i].name)))
			return (enum srtp_suite)i;
	return SRTP_SUITE_NONE;
}

enum srtp_suite srtp_suite_by_dtls_profile(uint16_t profile)
{
	for (unsigned i = SRTP_SUITE_NONE + 1; profile && i < SRTP_SUITE_COUNT; i++)
		if (suites[i].dtls_profile == profile)
			return (enum srtp_suite)i;
	return SRTP_SUITE_NONE;
}
