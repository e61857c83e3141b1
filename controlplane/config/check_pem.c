/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/check_pem.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/base/secret.h"

#define LOOKED_AT                                                                                            \
	4096 /* octets: a key's head is at its file's beginning, behind a few lines of text at most */
#define DER_SEQUENCE 0x30
#define CERTIFICATES_MAX 10

static const char *instead(const char *text, size_t n, enum pem_wanted wanted)
{
	if (n == 0)
		return "is empty";
	if ((unsigned char)text[0] == DER_SEQUENCE)
		return wanted == PEM_KEY
			       ? "is binary, not PEM: 'openssl pkey -inform DER -in FILE' prints a key as PEM"
			       : "is binary, not PEM: 'openssl x509 -inform DER -in FILE' prints a certificate "
				 "as PEM, 'openssl pkcs12 -nodes -in FILE' all that a PKCS #12 file has";
	if (wanted == PEM_KEY) {
		if (strstr(text, "ENCRYPTED"))
			return "its private key is behind a passphrase: 'openssl pkey -in FILE -out NEW' stores "
			       "it without";
		return "has no PEM private key";
	}
	return strstr(text, "PRIVATE KEY-----") ? "has a private key and no PEM certificate"
						: "has no PEM certificate at its beginning";
}

const char *pem_instead(const char *path, enum pem_wanted wanted)
{
	char text[LOOKED_AT + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, text, LOOKED_AT) : 0;
	const char *what;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	what = instead(text, n > 0 ? (size_t)n : 0, wanted);
	mem_wipe(text, sizeof text);
	return what;
}

unsigned pem_certificate_of_key(const char *path, const EVP_PKEY *key)
{
	BIO *in = BIO_new_file(path, "r");
	unsigned found = 0;

	for (unsigned i = 1; in && !found && i <= CERTIFICATES_MAX; i++) {
		X509 *cert = PEM_read_bio_X509(in, NULL, secret_no_passphrase, NULL);

		if (!cert)
			break;
		if (X509_check_private_key(cert, key) == 1)
			found = i;
		X509_free(cert);
	}
	BIO_free(in);
	ERR_clear_error();
	return found;
}
