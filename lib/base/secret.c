/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

void mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n); /* OpenSSL's own writes a word at a time */
}

bool mem_equal_ct(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void secret_wipe(struct secret *s)
{
	mem_wipe(s, sizeof *s);
}

int secret_set(struct secret *s, const void *octets, size_t n)
{
	secret_wipe(s);
	if (n > SECRET_MAX)
		return -E2BIG;
	memcpy(s->octets, octets, n);
	s->len = (uint8_t)n;
	return 0;
}

int secret_random(struct secret *s, size_t n)
{
	secret_wipe(s);
	if (n > SECRET_MAX)
		return -E2BIG;
	/* getrandom() of up to 256 octets is never interrupted once the pool is ready. */
	if (getrandom(s->octets, n, 0) != (ssize_t)n) {
		secret_wipe(s);
		return -EIO;
	}
	s->len = (uint8_t)n;
	return 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && mem_equal_ct(a->octets, b->octets, a->len);
}

int secret_no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}
