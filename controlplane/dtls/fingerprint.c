/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/fingerprint.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

static const struct {
	const char *name;
	uint8_t len;
	const EVP_MD *(*md)(void);
} hashes[] = {
	[DTLS_SHA256] = {"sha-256", 32, EVP_sha256},
	[DTLS_SHA384] = {"sha-384", 48, EVP_sha384},
	[DTLS_SHA512] = {"sha-512", 64, EVP_sha512},
};
enum { N_HASHES = sizeof hashes / sizeof hashes[0] };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	/* RFC 8122 wants upper case; devices write both. */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t hash_named(struct str name)
{
	for (uint8_t h = DTLS_SHA256; h < N_HASHES; h++)
		if (str_ieq(name, str_z(hashes[h].name)))
			return h;
	return DTLS_HASH_NONE;
}

int dtls_fingerprint_parse(struct str value, struct dtls_fingerprint *out)
{
	struct str rest = str_trim(value), name = str_cut(&rest, ' ');

	*out = (struct dtls_fingerprint){.hash = hash_named(name)};
	rest = str_trim(rest);
	if (!name.n || !rest.n)
		return -EINVAL;
	if (!out->hash)
		return -ENOTSUP;
	while (rest.n) {
		struct str pair = str_cut(&rest, ':');

		if (pair.n != 2 || hex(pair.p[0]) < 0 || hex(pair.p[1]) < 0 || out->len == hashes[out->hash].len)
			return -EINVAL;
		out->octets[out->len++] = (uint8_t)(hex(pair.p[0]) << 4 | hex(pair.p[1]));
	}
	return out->len == hashes[out->hash].len && value.p[value.n - 1] != ':' ? 0 : -EINVAL;
}

void dtls_fingerprint_print(struct wbuf *w, const struct dtls_fingerprint *f)
{
	wbuf_z(w, hashes[f->hash].name);
	for (unsigned i = 0; i < f->len; i++)
		wbuf_fmt(w, "%c%02X", i ? ':' : ' ', f->octets[i]);
}

bool dtls_fingerprint_equal(const struct dtls_fingerprint *a, const struct dtls_fingerprint *b)
{
	return a->hash == b->hash && a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}

int dtls_fingerprint_of(const X509 *certificate, enum dtls_hash hash, struct dtls_fingerprint *out)
{
	unsigned n = 0;

	*out = (struct dtls_fingerprint){.hash = (uint8_t)hash, .len = hashes[hash].len};
	return X509_digest(certificate, hashes[hash].md(), out->octets, &n) == 1 && n == out->len ? 0 : -EIO;
}

bool dtls_fingerprint_match(const struct dtls_fingerprint *list, unsigned n, const X509 *certificate)
{
	struct dtls_fingerprint is;
	uint8_t best = DTLS_HASH_NONE;

	for (unsigned i = 0; i < n; i++)
		best = list[i].hash > best ? list[i].hash : best;
	if (!best || dtls_fingerprint_of(certificate, (enum dtls_hash)best, &is) < 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (dtls_fingerprint_equal(&list[i], &is))
			return true;
	return false;
}
