/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate and its private key that we show in DTLS handshakes. Nobody verifies more of it than its
 * fingerprint, which travels in SDP (RFC 5763), so one made on the spot will do.
 *
 * Reference-counted, from any thread: calls hold theirs while newer ones are made. The key leaves memory with
 * the last reference.
 */
#pragma once

#include <stdint.h>

#include "controlplane/dtls/fingerprint.h"
#include "lib/base/err.h"

struct dtls_identity; /* opaque */
struct x509_st;
struct evp_pkey_st;

/* ECDSA P-256, signed by itself, valid from a day ago for 30 days, under a name that says nothing. -EIO. */
int dtls_identity_make(struct dtls_identity **out, struct err *e);
/* PEM files. -EINVAL: e says "FILE: what is wrong"; -EIO. */
int dtls_identity_load(
	const char *certificate, const char *private_key, struct dtls_identity **out, struct err *e);

struct dtls_identity *dtls_identity_ref(struct dtls_identity *id);
void dtls_identity_unref(struct dtls_identity *id); /* NULL is ignored */

int dtls_identity_fingerprint(
	const struct dtls_identity *id, enum dtls_hash hash, struct dtls_fingerprint *out);

/* For backends; borrowed. */
struct x509_st *dtls_identity_certificate(const struct dtls_identity *id);
struct evp_pkey_st *dtls_identity_key(const struct dtls_identity *id);
#define DTLS_FORMS 2 /* backends that one identity can be used with */

/*
 * A backend's own form of it, told from others' by its make(); made at the first use and freed with the identity.
 * make() may run in any one thread; NULL: it failed.
 */
void *dtls_identity_form(struct dtls_identity *id, void *(*make)(const struct dtls_identity *id),
	void (*drop)(void *form));
