/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers are written as hex text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Octets of an even number of hex digits; returns how many. */
static inline size_t hex_to(uint8_t *out, const char *text)
{
	size_t n = 0;

	for (; text[0] && text[1]; text += 2)
		out[n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
	return n;
}
