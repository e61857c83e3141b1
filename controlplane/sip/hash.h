/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4, keyed: strangers choose branches, tags and Call-IDs, and must not be able to aim them all at
 * one bucket.
 */
#pragma once

#include <stdint.h>

#include "lib/base/str.h"

struct hash_key {
	uint64_t k[2];
};

/* A fresh random key. -EIO. */
int hash_key_make(struct hash_key *key);
uint64_t hash_str(const struct hash_key *key, struct str s);
