/* SPDX-License-Identifier: Apache-2.0 */
/*
 * a=crypto lines (RFC 4568): read one, write one, choose among several. The exchange of offers and answers
 * over them is agreement_sdes (agreement.h).
 *
 * Every refusal has a reason in words, made of the line's tag, suite and parameter names, never of its key.
 */
#pragma once

#include "controlplane/keys/agreement.h"

#define SDES_TAG_MAX 999999999u /* 1 to 9 digits */
#define SDES_LINE_MAX 1024      /* octets of one value */
#define SDES_KEYS_MAX 4         /* key-params in one line */
#define SDES_OFFERS_MAX 8       /* lines in our offers: one per suite */

/* One key-param. */
struct sdes_key {
	struct secret master;
	uint64_t lifetime; /* packets, 0: not given */
	uint32_t mki_len;  /* octets, 0: none */
	uint8_t mki[SRTP_MKI_MAX];
};

/* One line. Holds keys: declare locals with SDES_LINE_AUTO. */
struct sdes_line {
	uint32_t tag;
	enum srtp_suite suite;
	unsigned n_keys;
	struct sdes_key keys[SDES_KEYS_MAX];
};

void sdes_line_wipe(struct sdes_line *l);
#define SDES_LINE_AUTO __attribute__((cleanup(sdes_line_wipe)))

/*
 * Parses the value of an a=crypto attribute, "tag suite inline:... [session-params]".
 * -EINVAL: malformed. -ENOTSUP: well-formed, but not to be used (unknown suite, a session parameter that
 * would take away protection, an unknown mandatory parameter). *out is wiped on failure. tag is set when it
 * was read.
 */
int sdes_parse(struct str value, struct sdes_line *out, struct err *e);

/*
 * Is this line one to send or receive with? One key, an MKI of at most DP_MKI_MAX octets. -ENOTSUP.
 */
int sdes_usable(const struct sdes_line *l, struct err *e);

/* Writes "a=crypto:TAG SUITE inline:...\r\n": the one place where a key becomes text. */
void sdes_print(struct wbuf *w, uint32_t tag, const struct agreed_key *k);
