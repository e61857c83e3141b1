/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate of ours, as its file has it: what it says, and whether it can be of use. What would fail with
 * every peer is an error; what some peers may not like is a warning.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

#define CERT_SANS_MAX 16
#define CERT_WARNINGS_MAX 8

enum cert_use { CERT_SERVER = 1 << 0, CERT_CLIENT = 1 << 1 };

/* Text and numbers only. */
struct cert_info {
	char subject[256], issuer[256];   /* RFC 4514 */
	char serial[64];                  /* hexadecimal */
	char fingerprint[96];             /* SHA-256, "AB:CD:..." */
	char key[32];                     /* "RSA 2048", "EC 256" */
	char sans[CERT_SANS_MAX][128];    /* names without their kind */
	unsigned n_sans;
	int64_t not_before_s, not_after_s; /* UNIX time */
	int64_t chain_not_after_s;         /* of the certificate in the file that expires first */
};

struct cert_warnings {
	char text[CERT_WARNINGS_MAX][160];
	unsigned n;
};

/*
 * Reads FILE: our certificate, then its intermediates, PEM. use: bits of enum cert_use, 0: nobody uses it.
 * -EINVAL, -ENOENT, -EACCES and other errors of reading, -ENOMEM: e says "FILE: what is wrong and what to do".
 */
int cert_check(const char *file, unsigned use, int64_t now_s, struct cert_info *out,
	struct cert_warnings *warnings, struct err *e);

/*
 * Can any authority of FILE, a trust bag, vouch for a peer now? If none is within its dates (RFC 5280 section
 * 4.1.2.5), which makes every peer's chain invalid, that is warned of. What cannot be read is not.
 */
void cert_check_trust(const char *file, int64_t now_s, struct cert_warnings *warnings);
