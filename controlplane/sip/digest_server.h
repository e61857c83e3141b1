/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for digest credentials and checks them. Nonces carry their time and an HMAC: nothing is kept of those
 * that were only given out, so that asking costs a stranger's flood no memory. Of those that were used with
 * the right password, the counts (nc) are kept in a table of fixed size, and each is good once.
 */
#pragma once

#include "controlplane/sip/digest.h"

struct digest_server;
/* -ENOMEM, -EIO (no random numbers). */
int digest_server_new(struct digest_server **out);
void digest_server_free(struct digest_server *s); /* NULL is allowed */

/* Writes the value of a WWW-Authenticate header with a fresh nonce. now_ms: any clock that does not jump. */
void digest_server_challenge(struct digest_server *s, struct str realm, enum digest_algorithm algorithm,
	bool stale, uint64_t now_ms, struct wbuf *w);

/* Whom a request has to be from. */
struct digest_wanted {
	struct str username, realm;
	const struct secret *password; /* NULL: it is known by ha1 */
	const char *ha1[DIGEST_ALGORITHMS]; /* of each algorithm that is taken (digest_ha1()) */
	unsigned algorithms;  /* bits of 1 << enum digest_algorithm that are taken */
	uint32_t lifetime_ms; /* of a nonce */
};

enum digest_verdict {
	DIGEST_RIGHT,
	DIGEST_STALE,    /* the password is right, the nonce is too old or of an earlier life: ask again */
	DIGEST_REPLAYED, /* this nonce and count were used before */
	DIGEST_WRONG,    /* user name, password, realm or algorithm; or no qop */
};

/* A request with these credentials came. RIGHT uses up its count. */
enum digest_verdict digest_server_check(struct digest_server *s, const struct digest_credentials *c,
	struct str method, const struct digest_wanted *wanted, uint64_t now_ms);
