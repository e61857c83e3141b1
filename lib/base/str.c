/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct str str_z(const char *z)
{
	return (struct str){z ? z : "", z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_istarts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_ieq(str_sub(s, 0, prefix.n), prefix);
}

struct str str_trim(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

ptrdiff_t str_chr(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

struct str str_cut(struct str *s, char c)
{
	ptrdiff_t at = str_chr(*s, c);
	struct str head = *s;

	if (at < 0) {
		*s = str_sub(head, head.n, 0);
		return head;
	}
	head.n = (size_t)at;
	s->p += at + 1;
	s->n -= (size_t)at + 1;
	return head;
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	/* Of no text at all there is no place to point at. */
	return (struct str){s.p ? s.p + from : NULL, n};
}

int str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.n)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)(unsigned char)s.p[i] - '0';

		if (d > 9)
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v) || v > max)
			return -ERANGE;
	}
	*out = v;
	return 0;
}

char *str_dup(struct str s)
{
	if (s.n && memchr(s.p, '\0', s.n))
		return NULL;
	char *z = malloc(s.n + 1);

	if (z) {
		if (s.n)
			memcpy(z, s.p, s.n);
		z[s.n] = '\0';
	}
	return z;
}

int str_copy(char *dst, size_t cap, struct str s)
{
	if (s.n >= cap) {
		if (cap)
			dst[0] = '\0';
		return -ENOSPC;
	}
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}
