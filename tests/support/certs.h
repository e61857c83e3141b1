/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates made on the spot, in a folder that goes away with the test. Everything here aborts on failure.
 */
#pragma once

#include <stdbool.h>

struct cert_spec {
	const char *file; /* FILE.pem and FILE.key are written */
	const char *cn;
	const char *san;    /* "DNS:a.example,IP:127.0.0.1", or NULL */
	const char *issuer; /* file of the CA that signs, or NULL: a CA, signed by itself */
	bool expired;
	bool early; /* is valid an hour from now on */
	int days;        /* that it lives; 0: one */
	const char *eku; /* extended key usage, "serverAuth,clientAuth"; NULL: does not say */
	int rsa_bits;    /* 0: EC P-256 */
};

/* Makes a folder under $TMPDIR or /tmp. */
void certs_begin(void);
/* Removes it and all in it. */
void certs_end(void);
void certs_make(const struct cert_spec *spec);
/* "folder/name"; from a ring of 16 buffers. */
const char *certs_path(const char *name);
