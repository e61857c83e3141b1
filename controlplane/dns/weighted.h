/* SPDX-License-Identifier: Apache-2.0 */
/* In which order things with priority and weight are tried: SRV targets, and peers of a trunk (RFC 2782). */
#pragma once

#include <stdint.h>

#define WEIGHTED_MAX 64

struct weighted {
	uint16_t priority; /* lower first */
	uint16_t weight;   /* share of the first places among equal priorities; 0: a very small one */
};

/*
 * Writes the indices of the n things (at most WEIGHTED_MAX) in the order in which this one call tries them.
 * below gives a random number from 0 to its argument, less one.
 */
void weighted_order(const struct weighted *w, unsigned n, uint32_t (*below)(uint32_t n), uint8_t *order);
