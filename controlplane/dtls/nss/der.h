/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys as octets, made and read by OpenSSL, whose headers do not go together with NSS'. */
#pragma once

#include "controlplane/dtls/dtls.h"

struct der {
	uint8_t *octets;
	size_t n;
};

/* nss_der_free() both, also after a failure. False: no memory, or a key that has no PKCS #8 form. */
bool nss_der_of(const struct dtls_identity *id, struct der *certificate, struct der *key);
void nss_der_free(struct der *d); /* wipes */
/* Is it the certificate of one of the peer's fingerprints? */
bool nss_certificate_expected(const struct dtls_conf *conf, const uint8_t *der, size_t n);
