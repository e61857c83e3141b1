/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any DER as a peer's certificate, and in a file as one of ours: each name that a peer is known by has its kind and is
 * in the certificate as it is, and nothing that people are told has control characters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "controlplane/certs/cert.h"
#include "controlplane/sip/tls_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_text(const char *z)
{
	for (; *z; z++)
		if ((unsigned char)*z < 0x20 || (unsigned char)*z >= 0x7f)
			abort();
}

static void peer(X509 *x, const uint8_t *der, size_t n)
{
	struct tls_info info = {.san_count = 0};

	tls_names_read(x, &info);
	expect_text(info.subject);
	if (strlen(info.fingerprint) != 64 || info.san_count > TLS_SANS_MAX)
		abort();
	for (unsigned i = 0; i < info.san_count; i++) {
		const char *san = info.sans[i];

		if (strncmp(san, "IP:", 3) == 0)
			expect_text(san);
		else if ((strncmp(san, "DNS:", 4) != 0 && strncmp(san, "URI:", 4) != 0) ||
			 (san[4] && !memmem(der, n, san + 4, strlen(san + 4))))
			abort();
	}
}

static void ours(X509 *x)
{
	static int file = -1;
	static char path[40];
	struct cert_warnings warnings;
	struct cert_info info;
	struct err e = {0};
	FILE *f;

	if (file < 0 && (file = memfd_create("certificate", 0)) < 0)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	if (!(f = fopen(path, "w")) || PEM_write_X509(f, x) != 1 || fclose(f) != 0)
		abort();
	if (cert_check(path, CERT_SERVER | CERT_CLIENT, 1800000000, &info, &warnings, &e) < 0 && !e.text[0])
		abort();
	expect_text(info.subject);
	expect_text(info.issuer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	X509 *x = d2i_X509(NULL, &at, (long)size);

	if (x) {
		peer(x, data, size);
		ours(x);
	}
	X509_free(x);
	ERR_clear_error();
	return 0;
}
