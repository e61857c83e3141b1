/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/nss/der.h" /* before OpenSSL's, whose macros have names of our suites */

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static bool take(struct der *out, int n)
{
	out->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool nss_der_of(const struct dtls_identity *id, struct der *certificate, struct der *key)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(dtls_identity_key(id));
	bool ok = p8 && take(key, i2d_PKCS8_PRIV_KEY_INFO(p8, &key->octets)) &&
		  take(certificate, i2d_X509(dtls_identity_certificate(id), &certificate->octets));

	PKCS8_PRIV_KEY_INFO_free(p8); /* wipes */
	ERR_clear_error();
	return ok;
}

void nss_der_free(struct der *d)
{
	OPENSSL_clear_free(d->octets, d->n);
	*d = (struct der){0};
}

bool nss_certificate_expected(const struct dtls_conf *conf, const uint8_t *der, size_t n)
{
	const uint8_t *at = der;
	X509 *x = n <= INT_MAX ? d2i_X509(NULL, &at, (long)n) : NULL;
	bool ok = x && dtls_fingerprint_match(conf->peer, conf->n_peer, x);

	X509_free(x);
	ERR_clear_error();
	return ok;
}
