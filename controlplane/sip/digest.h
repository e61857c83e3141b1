/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): challenges and credentials as header
 * values, and the response that proves a password. Pure; whoever asks and whoever answers is built on it
 * (digest_client.h, digest_server.h).
 *
 * Values of quoted strings are kept as they stand between the quotes: both sides hash them that way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

/* From the weakest to the strongest. */
enum digest_algorithm { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256, DIGEST_ALGORITHMS };

#define DIGEST_HEX_MAX 65 /* a response as text with its NUL */

/* "MD5", "SHA-256", "SHA-512-256". */
struct str digest_algorithm_name(enum digest_algorithm a);

/* What a WWW-Authenticate or Proxy-Authenticate header asks for. Views into its value. */
struct digest_challenge {
	struct str realm, nonce, opaque;
	enum digest_algorithm algorithm;
	bool session; /* the -sess form of it */
	bool qop;     /* "auth" is among those offered; false: RFC 2069, no qop at all */
	bool stale;   /* the password was right, the nonce is too old */
};

/*
 * 0; -EPROTONOSUPPORT: another scheme, an unknown algorithm, or no quality of protection that is known here;
 * -EINVAL: not a challenge, or no realm or nonce.
 */
int digest_challenge_parse(struct str value, struct digest_challenge *out);
/* A header value; quotable fields must hold no quote. */
void digest_challenge_write(const struct digest_challenge *c, struct wbuf *w);

/* What an Authorization or Proxy-Authorization header says. Views into its value, or the writer's. */
struct digest_credentials {
	struct str username, realm, nonce, uri, response, cnonce, opaque;
	enum digest_algorithm algorithm;
	bool session;
	bool qop; /* qop=auth with cnonce and nc */
	uint32_t nc;
};

/* Errors as for challenges; -EINVAL also without username, uri or response, and for a qop without nc or
 * cnonce. */
int digest_credentials_parse(struct str value, struct digest_credentials *out);
/* A header value. */
void digest_credentials_write(const struct digest_credentials *c, struct wbuf *w);

/*
 * The response to c for a request with this method (RFC 7616 section 3.4.1). c.response is not read. -ENOSYS:
 * this OpenSSL has not the algorithm; -ENOMEM.
 */
int digest_compute(const struct digest_credentials *c, struct str method, const struct secret *password,
	char hex[DIGEST_HEX_MAX]);
/* Is c.response the right one? In constant time. False also when it cannot be computed. */
bool digest_verify(const struct digest_credentials *c, struct str method, const struct secret *password);

/*
 * What is kept of a password instead of it (HA1): H(username:realm:password) in lower-case hexadecimal. It is
 * as good as the password, but for this user name and realm only. -ENOSYS, -ENOMEM.
 */
int digest_ha1(enum digest_algorithm algorithm, struct str username, struct str realm,
	const struct secret *password, char hex[DIGEST_HEX_MAX]);
/* As digest_verify() by that. ha1 of another length than c.algorithm gives is never right. */
bool digest_verify_ha1(const struct digest_credentials *c, struct str method, const char *ha1);
