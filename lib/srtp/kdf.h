/* SPDX-License-Identifier: Apache-2.0 */
/* Key derivation, RFC 3711 section 4.3 (key derivation rate 0), RFC 6188 and RFC 7714 section 11. */
#pragma once

#include "lib/base/secret.h"
#include "lib/srtp/suite.h"

/* The keys of one half (RTP or RTCP) of one direction. Sizes are the suite's. */
struct srtp_half_keys {
	uint8_t key[SRTP_KEY_MAX];
	uint8_t salt[SRTP_SALT_MAX];
	uint8_t auth[SRTP_AUTH_KEY_MAX];
};

/*
 * Session keys of one direction: what a crypto backend is given. Owned by whoever holds the struct, who wipes
 * it with srtp_session_keys_wipe() (SRTP_SESSION_KEYS_AUTO for locals).
 */
struct srtp_session_keys {
	enum srtp_suite suite;
	struct srtp_half_keys rtp, rtcp;
};

#define SRTP_SESSION_KEYS_AUTO __attribute__((cleanup(srtp_session_keys_wipe)))

/*
 * Derives all six session keys from a master key and salt (master: key then salt, srtp_suite_master_len()
 * octets). -EINVAL when the length does not fit the suite or the suite has no keys, -EIO when the cipher
 * library fails; out is wiped then.
 */
int srtp_kdf(enum srtp_suite suite, const struct secret *master, struct srtp_session_keys *out);

void srtp_session_keys_wipe(struct srtp_session_keys *keys);
