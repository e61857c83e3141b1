/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/certs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static char folder[256];

#define need(x)                                                                                              \
	do {                                                                                                 \
		if (!(x)) {                                                                                  \
			fprintf(stderr, "certs: %s\n", #x);                                                  \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

void certs_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/srtpgw-certs-XXXXXX", tmp ? tmp : "/tmp");
	need(mkdtemp(folder));
}

const char *certs_path(const char *name)
{
	static char ring[16][512];
	static unsigned at;
	char *p = ring[at++ % 16];

	snprintf(p, sizeof ring[0], "%s/%s", folder, name);
	return p;
}

void certs_end(void)
{
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d));)
		unlink(certs_path(e->d_name));
	if (d)
		closedir(d);
	rmdir(folder);
}

static FILE *open_file(const char *name, const char *suffix, const char *mode)
{
	char full[128];

	snprintf(full, sizeof full, "%s%s", name, suffix);
	FILE *f = fopen(certs_path(full), mode);

	need(f);
	return f;
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);

	need(e && X509_add_ext(cert, e, -1));
	X509_EXTENSION_free(e);
}

void certs_make(const struct cert_spec *spec)
{
	EVP_PKEY *key = spec->rsa_bits ? EVP_RSA_gen((unsigned)spec->rsa_bits) : EVP_EC_gen("P-256");
	EVP_PKEY *signer = key;
	X509 *cert = X509_new(), *issuer = cert;
	FILE *f;
	long serial;

	need(key && cert && RAND_bytes((unsigned char *)&serial, sizeof serial) == 1);
	if (spec->issuer) {
		f = open_file(spec->issuer, ".pem", "r");
		issuer = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
		f = open_file(spec->issuer, ".key", "r");
		signer = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
	}
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial & 0x7fffffff);
	X509_gmtime_adj(X509_getm_notBefore(cert), spec->early ? 3600 : -7200);
	X509_gmtime_adj(X509_getm_notAfter(cert), spec->expired ? -3600 : 86400L * (spec->days ? spec->days : 1));
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)spec->cn, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	extend(cert, issuer, NID_basic_constraints, spec->issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (spec->san)
		extend(cert, issuer, NID_subject_alt_name, spec->san);
	if (spec->eku)
		extend(cert, issuer, NID_ext_key_usage, spec->eku);
	need(X509_sign(cert, signer, EVP_sha256()) > 0);
	f = open_file(spec->file, ".pem", "w");
	need(PEM_write_X509(f, cert) == 1);
	fclose(f);
	f = open_file(spec->file, ".key", "w");
	need(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	if (spec->issuer) {
		X509_free(issuer);
		EVP_PKEY_free(signer);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
}
