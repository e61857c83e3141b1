/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at a datagram before a DTLS library sees it: is it DTLS, does it begin a handshake? Nothing of it is
 * believed. RFC 6347 section 4.1 and 4.2, RFC 9147 section 4.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_RANDOM_LEN 32
#define DTLS_HELLO_MAX 2048 /* octets of a datagram with a ClientHello that is looked into */

struct dtls_hello {
	uint16_t message_seq;             /* 0: the client's first word, 1: with a cookie */
	bool first_fragment;
	uint8_t random[DTLS_RANDOM_LEN];  /* with first_fragment */
};

/* Is its first record a ClientHello, or a part of one? */
bool dtls_hello_peek(const uint8_t *octets, size_t n, struct dtls_hello *out);

/* Are all its records of kinds that there are? Some libraries end a handshake over one of no known kind. */
bool dtls_datagram_is_known(const uint8_t *octets, size_t n);

/*
 * What a DTLS 1.2 client said before this ClientHello, which is whole and has a cookie: the same without it
 * (section 4.2.1). A server that was not there then is told by it where the handshake is. Its length; 0: this
 * is no such ClientHello, or it does not fit.
 */
size_t dtls_hello_before_cookie(const uint8_t *octets, size_t n, uint8_t out[DTLS_HELLO_MAX]);
