/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/identity.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "lib/base/secret.h"

#define DAY_S (24L * 3600)

struct dtls_identity {
	atomic_uint refs;
	X509 *certificate;
	EVP_PKEY *key;
	pthread_mutex_t lock; /* of forms */
	struct {
		void *(*make)(const struct dtls_identity *id); /* whose it is; NULL: nobody's */
		void *form;
		void (*drop)(void *form);
	} forms[DTLS_FORMS];
};

static struct dtls_identity *wrap(X509 *certificate, EVP_PKEY *key)
{
	struct dtls_identity *id = calloc(1, sizeof *id);

	if (!id)
		return NULL;
	atomic_init(&id->refs, 1);
	pthread_mutex_init(&id->lock, NULL);
	id->certificate = certificate;
	id->key = key;
	return id;
}

/* A serial number and a common name of random digits: certificates of one machine tell nothing of it. */
static int name_it(X509 *c)
{
	uint64_t random;
	char cn[24];
	X509_NAME *name = X509_get_subject_name(c);

	if (RAND_bytes((unsigned char *)&random, sizeof random) != 1)
		return 0;
	random >>= 2;
	snprintf(cn, sizeof cn, "%016llx", (unsigned long long)random);
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), random) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)cn, -1, -1, 0) &&
	       X509_set_issuer_name(c, name);
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *c = X509_new();

	if (c && X509_set_version(c, 2) && name_it(c) && X509_gmtime_adj(X509_getm_notBefore(c), -DAY_S) &&
		X509_gmtime_adj(X509_getm_notAfter(c), 30 * DAY_S) && X509_set_pubkey(c, key) &&
		X509_sign(c, key, EVP_sha256()))
		return c;
	X509_free(c);
	return NULL;
}

int dtls_identity_make(struct dtls_identity **out, struct err *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? self_signed(key) : NULL;
	struct dtls_identity *id = certificate ? wrap(certificate, key) : NULL;

	if (!id) {
		X509_free(certificate);
		EVP_PKEY_free(key);
		return err_set(e, EIO, "a certificate for DTLS could not be made");
	}
	*out = id;
	return 0;
}

int dtls_identity_load(
	const char *certificate, const char *private_key, struct dtls_identity **out, struct err *e)
{
	FILE *cf = fopen(certificate, "r"), *kf = fopen(private_key, "r");
	X509 *c = cf ? PEM_read_X509(cf, NULL, secret_no_passphrase, NULL) : NULL;
	EVP_PKEY *k = kf ? PEM_read_PrivateKey(kf, NULL, secret_no_passphrase, NULL) : NULL;
	struct dtls_identity *id = NULL;
	int rc = 0;

	if (!c)
		rc = err_set(e, EINVAL, "%s: no certificate can be read from it", certificate);
	else if (!k)
		rc = err_set(e, EINVAL, "%s: no private key can be read from it", private_key);
	else if (X509_check_private_key(c, k) != 1)
		rc = err_set(e, EINVAL, "%s: not the private key of %s", private_key, certificate);
	else if (!(id = wrap(c, k)))
		rc = err_set(e, ENOMEM, "out of memory");
	if (cf)
		fclose(cf);
	if (kf)
		fclose(kf);
	if (rc < 0) {
		X509_free(c);
		EVP_PKEY_free(k);
		return rc;
	}
	*out = id;
	return 0;
}

struct dtls_identity *dtls_identity_ref(struct dtls_identity *id)
{
	atomic_fetch_add_explicit(&id->refs, 1, memory_order_relaxed);
	return id;
}

void dtls_identity_unref(struct dtls_identity *id)
{
	if (!id || atomic_fetch_sub_explicit(&id->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < DTLS_FORMS && id->forms[i].make; i++)
		id->forms[i].drop(id->forms[i].form);
	X509_free(id->certificate);
	EVP_PKEY_free(id->key);
	pthread_mutex_destroy(&id->lock);
	free(id);
}

int dtls_identity_fingerprint(
	const struct dtls_identity *id, enum dtls_hash hash, struct dtls_fingerprint *out)
{
	return dtls_fingerprint_of(id->certificate, hash, out);
}

X509 *dtls_identity_certificate(const struct dtls_identity *id)
{
	return id->certificate;
}

EVP_PKEY *dtls_identity_key(const struct dtls_identity *id)
{
	return id->key;
}

void *dtls_identity_form(struct dtls_identity *id, void *(*make)(const struct dtls_identity *id),
	void (*drop)(void *form))
{
	void *form = NULL;
	unsigned i = 0;

	pthread_mutex_lock(&id->lock);
	while (i < DTLS_FORMS && id->forms[i].make && id->forms[i].make != make)
		i++;
	if (i < DTLS_FORMS && !id->forms[i].make) {
		id->forms[i].form = make(id);
		if (id->forms[i].form) {
			id->forms[i].make = make;
			id->forms[i].drop = drop;
		}
	}
	if (i < DTLS_FORMS)
		form = id->forms[i].form;
	pthread_mutex_unlock(&id->lock);
	return form;
}
