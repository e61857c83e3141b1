/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits of a short text under a key, that nobody without the
 * key can tell from random ones, nor the text from them. Not for keys of media: too short.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint8_t octets[16];
};

uint64_t siphash(const struct siphash_key *key, const void *text, size_t n);
