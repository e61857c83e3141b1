/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/keys/base64.h"

#include <errno.h>

/* All ones when lo <= c <= hi, else 0, without a branch. */
static int in_range(int c, int lo, int hi)
{
	return ~((c - lo) | (hi - c)) >> 31;
}

/* 0 to 63, or -1. */
static int value_of(char ch)
{
	int c = (unsigned char)ch;

	return -1 + (in_range(c, 'A', 'Z') & (c - 'A' + 1)) + (in_range(c, 'a', 'z') & (c - 'a' + 27)) +
	       (in_range(c, '0', '9') & (c - '0' + 53)) + (in_range(c, '+', '+') & 63) +
	       (in_range(c, '/', '/') & 64);
}

static char char_of(int v)
{
	return (char)((in_range(v, 0, 25) & (v + 'A')) | (in_range(v, 26, 51) & (v - 26 + 'a')) |
		      (in_range(v, 52, 61) & (v - 52 + '0')) | (in_range(v, 62, 62) & '+') |
		      (in_range(v, 63, 63) & '/'));
}

int base64_decode(struct str text, struct secret *out)
{
	unsigned padding = 0;
	uint32_t acc = 0;
	int bits = 0;

	secret_wipe(out);
	while (text.n && text.p[text.n - 1] == '=') {
		text.n--;
		padding++;
	}
	/* 4 characters are 3 octets; 2 or 3 that are left over are 1 or 2 octets, 1 is nothing. */
	if (text.n % 4 == 1 || (padding && padding != (4 - text.n % 4) % 4))
		return -EINVAL;
	if (text.n * 3 / 4 > SECRET_MAX)
		return -E2BIG;
	for (size_t i = 0; i < text.n; i++) {
		int v = value_of(text.p[i]);

		if (v < 0) {
			secret_wipe(out);
			return -EINVAL;
		}
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out->octets[out->len++] = (uint8_t)(acc >> bits);
		}
	}
	mem_wipe(&acc, sizeof acc);
	return 0;
}

void base64_encode(struct wbuf *w, const struct secret *s)
{
	for (unsigned i = 0; i < s->len; i += 3) {
		unsigned left = s->len - i;
		uint32_t v = (uint32_t)s->octets[i] << 16;

		if (left > 1)
			v |= (uint32_t)s->octets[i + 1] << 8;
		if (left > 2)
			v |= s->octets[i + 2];
		wbuf_u8(w, (uint8_t)char_of(v >> 18));
		wbuf_u8(w, (uint8_t)char_of(v >> 12 & 63));
		wbuf_u8(w, left > 1 ? (uint8_t)char_of(v >> 6 & 63) : '=');
		wbuf_u8(w, left > 2 ? (uint8_t)char_of(v & 63) : '=');
		mem_wipe(&v, sizeof v);
	}
}
