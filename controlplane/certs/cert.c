/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/certs/cert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "controlplane/certs/cert_watch.h"
#include "lib/base/secret.h"

#define CHAIN_MAX 10
#define SECURITY_BITS 112 /* RSA 2048, P-224: NIST SP 800-57 until 2030 */
#define EXPIRES_SOON_S (30 * INT64_C(86400))

struct chain {
	X509 *certs[CHAIN_MAX];
	unsigned n;
};

static void warn(struct cert_warnings *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct cert_warnings *w, const char *format, ...)
{
	va_list ap;

	if (w->n == CERT_WARNINGS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(w->text[w->n++], sizeof w->text[0], format, ap);
	va_end(ap);
}

static void chain_free(struct chain *c)
{
	while (c->n)
		X509_free(c->certs[--c->n]);
}

static int chain_read(const char *file, struct chain *c, struct err *e)
{
	FILE *f = fopen(file, "r");
	struct err reason;
	X509 *cert;

	if (!f)
		return err_set(e, errno, "%s: cannot be read: %s", file, err_read_reason(errno, &reason));
	while (c->n < CHAIN_MAX && (cert = PEM_read_X509(f, NULL, secret_no_passphrase, NULL)))
		c->certs[c->n++] = cert;
	fclose(f);
	ERR_clear_error();
	return c->n ? 0 : err_set(e, EINVAL, "%s: has no PEM certificate", file);
}

static void name_text(const X509_NAME *name, char *out, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_read(bio, out, (int)cap - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

static int64_t unix_time(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch)
		ASN1_TIME_diff(&days, &seconds, epoch, t);
	ASN1_TIME_free(epoch);
	return days * INT64_C(86400) + seconds;
}

static void note_sans(X509 *cert, struct cert_info *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out->n_sans < CERT_SANS_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		char *to = out->sans[out->n_sans];
		size_t cap = sizeof out->sans[0];

		if (g->type == GEN_DNS || g->type == GEN_URI) {
			out->n_sans += snprintf(to, cap, "%.*s", ASN1_STRING_length(g->d.ia5),
					       (const char *)ASN1_STRING_get0_data(g->d.ia5)) > 0;
		} else if (g->type == GEN_IPADD) {
			int n = ASN1_STRING_length(g->d.iPAddress);

			if (n == 4 || n == 16)
				out->n_sans += inet_ntop(n == 4 ? AF_INET : AF_INET6,
						       ASN1_STRING_get0_data(g->d.iPAddress), to,
						       (socklen_t)cap) != NULL;
		}
	}
	GENERAL_NAMES_free(names);
}

static void note_fingerprint(X509 *cert, struct cert_info *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	X509_digest(cert, EVP_sha256(), digest, &n);
	for (unsigned i = 0; i < n && 3 * i + 3 <= sizeof out->fingerprint; i++)
		snprintf(out->fingerprint + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", digest[i]);
}

static void describe(X509 *cert, struct cert_info *out)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = serial ? BN_bn2hex(serial) : NULL;

	*out = (struct cert_info){0};
	name_text(X509_get_subject_name(cert), out->subject, sizeof out->subject);
	name_text(X509_get_issuer_name(cert), out->issuer, sizeof out->issuer);
	snprintf(out->serial, sizeof out->serial, "%s", hex ? hex : "");
	if (key)
		snprintf(out->key, sizeof out->key, "%s %d", OBJ_nid2sn(EVP_PKEY_get_base_id(key)),
			EVP_PKEY_get_bits(key));
	note_fingerprint(cert, out);
	note_sans(cert, out);
	out->not_before_s = unix_time(X509_get0_notBefore(cert));
	out->not_after_s = out->chain_not_after_s = unix_time(X509_get0_notAfter(cert));
	OPENSSL_free(hex);
	BN_free(serial);
}

static void warn_of_end(struct cert_warnings *w, int64_t left_s)
{
	int days = cert_days_left(left_s, 0);

	if (left_s < EXPIRES_SOON_S)
		warn(w, "nobody uses it, and it expires in %s%d day%s", days ? "" : "less than ", days ? days : 1,
			days > 1 ? "s" : "");
}

static int check_dates(const char *file, const struct chain *c, unsigned use, int64_t now, struct cert_info *info,
	struct cert_warnings *w, struct err *e)
{
	for (unsigned i = 0; i < c->n; i++) {
		int64_t end = unix_time(X509_get0_notAfter(c->certs[i]));

		if (end < now)
			return err_set(e, EINVAL, "%s: %s has expired: have it renewed", file,
				i ? "an intermediate certificate" : "the certificate");
		if (unix_time(X509_get0_notBefore(c->certs[i])) > now)
			warn(w, "certificate %u of the file is not valid yet", i + 1);
		if (end < info->chain_not_after_s)
			info->chain_not_after_s = end;
	}
	/* Of one in use cert_watch.h tells, and goes on telling. */
	if (!use)
		warn_of_end(w, info->chain_not_after_s - now);
	return 0;
}

/* Each certificate is issued by the one behind it: OpenSSL sends them as they stand. */
static int check_chain(const char *file, const struct chain *c, struct err *e)
{
	for (unsigned i = 0; i + 1 < c->n; i++) {
		X509 *issuer = c->certs[i + 1];

		if (X509_check_issued(issuer, c->certs[i]) != X509_V_OK ||
			X509_verify(c->certs[i], X509_get0_pubkey(issuer)) != 1) {
			ERR_clear_error();
			return err_set(e, EINVAL,
				"%s: certificate %u did not issue certificate %u: put our certificate first "
				"and its intermediates after it, in order",
				file, i + 2, i + 1);
		}
	}
	return 0;
}

static int check_strength(const char *file, const struct chain *c, struct err *e)
{
	for (unsigned i = 0; i < c->n; i++) {
		const EVP_PKEY *key = X509_get0_pubkey(c->certs[i]);
		int digest = NID_undef;

		if (!key || EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
			return err_set(e, EINVAL,
				"%s: the key of certificate %u is weak: use EC P-256 or RSA 2048 at least",
				file, i + 1);
		X509_get_signature_info(c->certs[i], &digest, NULL, NULL, NULL);
		/* Nobody looks at the signature of a root. */
		if ((digest == NID_sha1 || digest == NID_md5) &&
			X509_check_issued(c->certs[i], c->certs[i]) != X509_V_OK)
			return err_set(e, EINVAL,
				"%s: certificate %u is signed with %s, which peers refuse: have it issued "
				"anew",
				file, i + 1, OBJ_nid2sn(digest));
	}
	return 0;
}

static int check_usage(
	const char *file, X509 *cert, unsigned use, struct cert_warnings *w, struct err *e)
{
	/* UINT32_MAX: the certificate does not say, and may be used for everything. */
	uint32_t purposes = X509_get_extended_key_usage(cert), usage = X509_get_key_usage(cert);

	if (use & CERT_SERVER && !(purposes & (XKU_SSL_SERVER | XKU_ANYEKU)))
		return err_set(e, EINVAL,
			"%s: the certificate is not for servers (extended key usage serverAuth), and a "
			"listener shows it",
			file);
	if (use & CERT_CLIENT && !(purposes & (XKU_SSL_CLIENT | XKU_ANYEKU)))
		warn(w, "it is not for clients (extended key usage clientAuth): peers that verify us may "
			"refuse it");
	if (use && !(usage & KU_DIGITAL_SIGNATURE))
		warn(w, "its key usage lacks digitalSignature, which every handshake here needs");
	return 0;
}

int cert_check(const char *file, unsigned use, int64_t now_s, struct cert_info *out,
	struct cert_warnings *warnings, struct err *e)
{
	struct chain c = {0};
	int rc = chain_read(file, &c, e);

	warnings->n = 0;
	if (rc < 0)
		return rc;
	describe(c.certs[0], out);
	if (use && !out->n_sans)
		warn(warnings, "it names nobody in its subject alternative names, where peers look");
	rc = check_dates(file, &c, use, now_s, out, warnings, e);
	if (rc == 0)
		rc = check_chain(file, &c, e);
	if (rc == 0)
		rc = check_strength(file, &c, e);
	if (rc == 0)
		rc = check_usage(file, c.certs[0], use, warnings, e);
	chain_free(&c);
	return rc;
}

void cert_check_trust(const char *file, int64_t now_s, struct cert_warnings *warnings)
{
	unsigned n = 0, expired = 0, early = 0;
	FILE *f = fopen(file, "r");
	X509 *cert;

	warnings->n = 0;
	if (!f)
		return;
	/* _AUX: with those that are "TRUSTED CERTIFICATE", which count at a handshake, too. */
	for (; (cert = PEM_read_X509_AUX(f, NULL, secret_no_passphrase, NULL)); n++) {
		if (unix_time(X509_get0_notAfter(cert)) < now_s)
			expired++;
		else if (unix_time(X509_get0_notBefore(cert)) > now_s)
			early++;
		X509_free(cert);
	}
	fclose(f);
	ERR_clear_error();
	if (!n || expired + early < n)
		return;
	warn(warnings, "%s: no peer's certificate can be verified",
		!early     ? "every certificate in the trust bag has expired"
		: !expired ? "no certificate in the trust bag is valid yet"
			   : "the certificates in the trust bag have expired or are not valid yet");
}
