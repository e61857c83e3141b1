/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes of RFC 3261 section 25.1, one bit each, and what the parsers share. Private to this
 * folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

enum {
	CH_TOKEN = 1,      /* token */
	CH_UNRESERVED = 2, /* alphanum and mark */
	CH_USER = 4,       /* unreserved and user-unreserved */
	CH_PASSWORD = 8,
	CH_PARAM = 16,  /* paramchar, and ';' '=' between them */
	CH_HEADER = 32, /* header characters of a URI, and '&' '=' between them */
	CH_HOST = 64,   /* of a host name; '_' is not in the grammar but in the field */
	CH_DIGIT = 128,
};

extern const uint8_t sip_chars[256];

static inline bool ch_is(char c, unsigned classes)
{
	return sip_chars[(uint8_t)c] & classes;
}

static inline bool ch_all(struct str s, unsigned classes)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ch_is(s.p[i], classes))
			return false;
	return true;
}

static inline int ch_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* host [":" port], all of s: a name, an IPv4 address or "[IPv6]" (host is then without brackets). -EINVAL. */
int sip_via_hostport(struct str s, struct str *host, uint16_t *port);

/* Header parameters: name [= value] each; the name a token, the value without spaces or a quoted string. */
bool sip_params_ok(struct str params);

/*
 * URI parameters: none twice with different values, and no more than anybody needs. RFC 3261 section 19.1.1 allows none
 * twice at all, but baresip writes ";transport=tls;transport=tls", which leaves no doubt about what it means.
 */
bool sip_uri_params_ok(struct str params);
