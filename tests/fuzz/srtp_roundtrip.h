/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets as a protected packet, and as a packet to protect. What does not authenticate stays as it was; what
 * can be protected comes back as it was.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/packet.h"

#define ROOM 256 /* more than any trailer */

struct roundtrip {
	int (*protect)(struct srtp_context *c, uint8_t *p, size_t *n, size_t cap);
	int (*unprotect)(struct srtp_context *c, uint8_t *p, size_t *n);
	const char *mki; /* NULL: none */
};

static inline struct srtp_context *roundtrip_context(
	const struct roundtrip *t, enum srtp_suite suite, enum srtp_direction direction)
{
	struct secret master = {.len = (uint8_t)srtp_suite_master_len(srtp_suite_info(suite))};
	struct srtp_context_conf conf = {.suite = suite, .direction = direction, .master = &master, .ssrc_max = 2};
	struct srtp_context *c;

	if (t->mki) {
		conf.mki = (const uint8_t *)t->mki;
		conf.mki_len = (uint8_t)strlen(t->mki);
	}
	if (srtp_context_alloc(&c, &conf))
		abort();
	return c;
}

static inline void roundtrip(const struct roundtrip *t, enum srtp_suite suite, const uint8_t *data, size_t size)
{
	struct srtp_context *tx = roundtrip_context(t, suite, SRTP_PROTECT);
	struct srtp_context *rx = roundtrip_context(t, suite, SRTP_UNPROTECT);
	uint8_t *p = malloc(size + ROOM);
	size_t n = size;

	memcpy(p, data, size);
	if (t->unprotect(rx, p, &n) && (n != size || memcmp(p, data, size)))
		abort();
	n = size;
	memcpy(p, data, size);
	if (!t->protect(tx, p, &n, size + ROOM)) {
		if (t->unprotect(rx, p, &n) || n != size || memcmp(p, data, size))
			abort();
	}
	free(p);
	srtp_context_free(tx);
	srtp_context_free(rx);
}
