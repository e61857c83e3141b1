/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate fingerprints as SDP carries them (RFC 8122 section 5): "sha-256 AB:CD:...". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

enum dtls_hash { DTLS_HASH_NONE, DTLS_SHA256, DTLS_SHA384, DTLS_SHA512 };

#define DTLS_FINGERPRINTS_MAX 8
#define DTLS_FINGERPRINT_OCTETS 64
#define DTLS_FINGERPRINT_TEXT 224 /* the longest as text, with its hash's name and a NUL */

struct dtls_fingerprint {
	uint8_t hash; /* enum dtls_hash; a stronger one is greater */
	uint8_t len;  /* octets */
	uint8_t octets[DTLS_FINGERPRINT_OCTETS];
};

/*
 * The value of an a=fingerprint attribute. -EINVAL: malformed, or of a length that its hash has not; -ENOTSUP: a
 * hash that is not known, or too weak (md5, sha-1) to trust.
 */
int dtls_fingerprint_parse(struct str value, struct dtls_fingerprint *out);
void dtls_fingerprint_print(struct wbuf *w, const struct dtls_fingerprint *f);
bool dtls_fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b);

struct x509_st;
/* Of a certificate's DER form. -EIO. */
int dtls_fingerprint_of(const struct x509_st *certificate, enum dtls_hash hash, struct dtls_fingerprint *out);
/*
 * Is this the certificate of one of these fingerprints? Of several hashes only the strongest that is there
 * counts (RFC 8122 section 5): a weaker one must not let in what the stronger one refuses.
 */
bool dtls_fingerprint_match(
	const struct dtls_fingerprint *list, unsigned n, const struct x509_st *certificate);
