/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at a datagram before a DTLS library sees it: does it begin a handshake? Nothing of it is believed.
 * RFC 6347 section 4.1 and 4.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_RANDOM_LEN 32

struct dtls_hello {
	uint16_t message_seq;             /* 0: the client's first word, 1: with a cookie */
	bool first_fragment;
	uint8_t random[DTLS_RANDOM_LEN];  /* with first_fragment */
};

/* Is its first record a ClientHello, or a part of one? */
bool dtls_hello_peek(const uint8_t *octets, size_t n, struct dtls_hello *out);
