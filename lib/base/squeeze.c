/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/squeeze.h"

#include <stdint.h>
#include <string.h>

/* A piece is two counts, of zeros and of octets that follow as they are, and these octets. */
#define COUNT_MAX 255
#define HEAD 2
#define ZEROS_MIN 3 /* fewer are not worth a piece */

static size_t zeros(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof word <= n; i += sizeof word) {
		memcpy(&word, p + i, sizeof word);
		if (word)
			break;
	}
	while (i < n && !p[i])
		i++;
	return i;
}

/* Octets up to the next zeros that are worth a piece, at most COUNT_MAX. */
static size_t others(const uint8_t *p, size_t n)
{
	size_t i = 0, run = 0;

	if (n > COUNT_MAX)
		n = COUNT_MAX;
	while (i < n && run < ZEROS_MIN)
		run = p[i++] ? 0 : run + 1;
	return run == ZEROS_MIN ? i - run : i;
}

/* One pass, which only counts when out is NULL. */
static size_t pass(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t size = 0;

	while (n) {
		size_t z = zeros(p, n < COUNT_MAX ? n : COUNT_MAX), o = others(p + z, n - z);

		if (out) {
			out[size] = (uint8_t)z;
			out[size + 1] = (uint8_t)o;
			memcpy(out + size + HEAD, p + z, o);
		}
		size += HEAD + o;
		p += z + o;
		n -= z + o;
	}
	return size;
}

size_t squeeze_size(const void *p, size_t n)
{
	return pass(p, n, NULL);
}

void squeeze(const void *p, size_t n, void *out)
{
	pass(p, n, out);
}

bool unsqueeze(const void *squeezed, size_t size, void *out, size_t n)
{
	const uint8_t *from = squeezed;
	uint8_t *to = out;

	while (size >= HEAD) {
		size_t z = from[0], o = from[1];

		if (z + o > n || o > size - HEAD)
			return false;
		memset(to, 0, z);
		memcpy(to + z, from + HEAD, o);
		to += z + o;
		n -= z + o;
		from += HEAD + o;
		size -= HEAD + o;
	}
	return !size && !n;
}
