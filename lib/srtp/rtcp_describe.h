/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source says of itself in RTCP (SDES, RFC 3550 section 6.5): its canonical name is user@host in many
 * phones, with an address of their network, and names, numbers, places and programs may come with it. None of
 * that is another network's business.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/siphash.h"

#define RTCP_CNAME_MAX 16 /* 96 bits, RFC 7022 section 4.2 */

/*
 * Puts another CNAME in the place of each one in the clear compound p of n octets, and takes all other items
 * out. The same name of one call becomes the same (all streams of a participant go by it); of two calls, or
 * under another key, it does not, and nobody without the key can tell what it was. It is RTCP_CNAME_MAX
 * letters, or as long as it was where that is less: a compound never grows. What cannot be read of an SDES
 * goes, and an SDES that describes nobody. Returns the new length; 0: nothing stays.
 */
size_t rtcp_describe_hide(uint8_t *p, size_t n, const struct siphash_key *key, uint64_t call);
