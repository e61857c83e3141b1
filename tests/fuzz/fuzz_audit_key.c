/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as the file of the audit's signing key: what is taken signs, and its public half, written beside
 * it, verifies. Behind a 'k', 'e' or 'p' they are put into PEM as a private, an encrypted or a public key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "controlplane/audit/audit.h"
#include "lib/audit/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void put(const char *path, const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		['k'] = PEM_STRING_PKCS8INF, ['e'] = PEM_STRING_PKCS8, ['p'] = PEM_STRING_PUBLIC};
	const char *name = size && data[0] < sizeof names / sizeof *names ? names[data[0]] : NULL;
	FILE *f = fopen(path, "w");

	expect(f != NULL);
	if (name)
		PEM_write(f, name, "", data + 1, (long)size - 1);
	else
		fwrite(data, 1, size, f);
	expect(fclose(f) == 0);
}

static EVP_PKEY *read_public(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;

	expect(key != NULL);
	fclose(f);
	return key;
}

static void signs(EVP_PKEY *key, EVP_PKEY *public_half)
{
	char text[AUDIT_LINE_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct audit_verify v = {.key = public_half};
	struct audit_chain c = {0};
	struct err e = {0};

	expect(audit_chain_sign(&c, key, "2026-10-01T12:00:00.000Z", &w) == 0 && w.len);
	expect(audit_verify_line(&v, (struct str){text, w.len - 1}, &e) == 0 && v.signed_to == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/tmp/srtpgw-fuzz-XXXXXX", file[40], key_path[48], public_path[48];
	EVP_PKEY *key = NULL;
	struct err e = {0};

	expect(mkdtemp(folder) != NULL);
	snprintf(file, sizeof file, "%s/audit", folder);
	snprintf(key_path, sizeof key_path, "%s.key", file);
	snprintf(public_path, sizeof public_path, "%s.pub", file);
	put(key_path, data, size);
	if (audit_key_open(file, false, &key, &e) == 0) {
		EVP_PKEY *public_half = read_public(public_path);

		signs(key, public_half);
		EVP_PKEY_free(public_half);
		EVP_PKEY_free(key);
	} else {
		expect(e.text[0] && !key);
	}
	ERR_clear_error();
	unlink(key_path);
	unlink(public_path);
	expect(rmdir(folder) == 0);
	return 0;
}
