/* SPDX-License-Identifier: Apache-2.0 */
/* What a file has that should have PEM, and is none, or not the right one. */
#pragma once

#include <openssl/evp.h>

enum pem_wanted { PEM_CERTIFICATE, PEM_KEY };

/* Why there is no such thing in the file, and what makes it one. Static text; what is read of a key is wiped.
 */
const char *pem_instead(const char *path, enum pem_wanted wanted);

/* The number of the file's first certificate that the key belongs to, from 1 on; 0: it belongs to none. */
unsigned pem_certificate_of_key(const char *path, const EVP_PKEY *key);
