/* SPDX-License-Identifier: Apache-2.0 */
/* Finds key material anywhere in this process's memory. */
#pragma once

#include "lib/srtp/kdf.h"

#define MEMORY_SCAN_PATTERNS 32
#define MEMORY_SCAN_OCTETS 12

/* A sanitizer keeps freed memory and copies of the stack: what it keeps is no fault of the code. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_SCAN_BLIND 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_SCAN_BLIND 1
#endif
#endif
#ifndef MEMORY_SCAN_BLIND
#define MEMORY_SCAN_BLIND 0
#endif

/* What to look for, kept inverted so that the list does not find itself. */
struct memory_scan {
	unsigned n;
	uint8_t inverted[MEMORY_SCAN_PATTERNS][MEMORY_SCAN_OCTETS];
};

/* Session keys, authentication keys, salts, and what each key becomes: round keys, HMAC states, GHASH key. */
void memory_scan_learn(struct memory_scan *scan, const struct srtp_session_keys *keys);

/* How many places hold one of them now; *kinds: how many of them were found at all. kinds may be NULL. */
unsigned memory_scan_find(const struct memory_scan *scan, unsigned *kinds);
