/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key material has a type of its own, so that no printing function takes it by accident, and it leaves
 * memory when its owner is done with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest secret handled as one: an AES-256 master key (32) and a 14-octet salt, rounded up. */
#define SECRET_MAX 64

/*
 * A secret by value. Owned by whoever holds the struct; copying it makes another one to wipe. Declare
 * locals with SECRET_AUTO so that every way out wipes them.
 */
struct secret {
	uint8_t len; /* octets in use, 0 to SECRET_MAX */
	uint8_t octets[SECRET_MAX];
};

#define SECRET_AUTO __attribute__((cleanup(secret_wipe)))

/* Overwrites n octets in a way that the compiler cannot drop. */
void mem_wipe(void *p, size_t n);

/* True when a and b hold the same n octets; the time taken depends on n alone. */
bool mem_equal_ct(const void *a, const void *b, size_t n);

/* Wipes a secret, its length included. */
void secret_wipe(struct secret *s);

/* Copies n octets in. -E2BIG when n > SECRET_MAX (s is then left wiped). */
int secret_set(struct secret *s, const void *octets, size_t n);

/* n octets from the operating system's random generator. -E2BIG, -EIO (s is then left wiped). */
int secret_random(struct secret *s, size_t n);

/* Constant-time comparison of contents; secrets of different length differ. */
bool secret_equal(const struct secret *a, const struct secret *b);

/*
 * For OpenSSL (pem_password_cb): what is behind a passphrase is refused. Without it OpenSSL asks the terminal
 * or standard input, and waits for somebody to type.
 */
int secret_no_passphrase(char *buf, int size, int writing, void *ctx);
