/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/tls_names.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "lib/base/buf.h"

/*
 * Peers are recognised by these names, so that each is whole or not there at all: one with a NUL inside, or
 * one that was cut, would pass for another.
 */
static void add_san(struct tls_info *out, const char *kind, struct str name)
{
	struct wbuf w = wbuf_make(out->sans[out->san_count], sizeof out->sans[0] - 1);

	if (name.n && memchr(name.p, '\0', name.n))
		return;
	wbuf_z(&w, kind);
	wbuf_str(&w, name);
	if (w.overflow)
		return;
	w.p[w.len] = '\0';
	out->san_count++;
}

static void read_sans(X509 *cert, struct tls_info *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out->san_count < TLS_SANS_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS || g->type == GEN_URI) {
			struct str name = {(const char *)ASN1_STRING_get0_data(g->d.ia5),
				(size_t)ASN1_STRING_length(g->d.ia5)};

			add_san(out, g->type == GEN_DNS ? "DNS:" : "URI:", name);
		} else if (g->type == GEN_IPADD) {
			struct ip_addr ip = {0};
			char text[IP_TEXT_MAX];
			int n = ASN1_STRING_length(g->d.iPAddress);

			if (n != 4 && n != 16)
				continue;
			ip.family = n == 4 ? IP_V4 : IP_V6;
			memcpy(ip.octets, ASN1_STRING_get0_data(g->d.iPAddress), (size_t)n);
			add_san(out, "IP:", str_z(ip_text(&ip, text)));
		}
	}
	GENERAL_NAMES_free(names);
}

static void read_fingerprint(X509 *cert, struct tls_info *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(cert, EVP_sha256(), digest, &n) != 1)
		return;
	for (unsigned i = 0; i < n && 2 * i + 2 < sizeof out->fingerprint; i++)
		snprintf(out->fingerprint + 2 * i, 3, "%02x", digest[i]);
}

static void read_subject(X509 *cert, struct tls_info *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
		int n = BIO_read(bio, out->subject, sizeof out->subject - 1);

		out->subject[n > 0 ? n : 0] = '\0';
	}
	BIO_free(bio);
}

void tls_names_read(X509 *cert, struct tls_info *out)
{
	read_subject(cert, out);
	read_sans(cert, out);
	read_fingerprint(cert, out);
}
