/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_OCTETS ((size_t)1 << 20)

void text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){.max = t->max};
}

void text_reset(struct text *t)
{
	if (t->cap > KEEP_OCTETS)
		text_free(t);
	t->n = 0;
	t->failed = false;
}

void text_drop(struct text *t, size_t n)
{
	if (n == t->n) {
		text_reset(t);
		return;
	}
	memmove(t->p, t->p + n, t->n - n);
	t->n -= n;
}

/* Room for n octets and a NUL behind them. */
static bool reserve(struct text *t, size_t n)
{
	size_t max = t->max ? t->max : TEXT_MAX, cap = t->cap ? t->cap : 256;

	if (t->failed || n > max - t->n) {
		t->failed = true;
		return false;
	}
	if (t->n + n < t->cap)
		return true;
	while (cap <= t->n + n)
		cap *= 2;
	char *p = realloc(t->p, cap);

	if (!p) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->cap = cap;
	return true;
}

void text_str(struct text *t, struct str s)
{
	if (s.n == 0 || !reserve(t, s.n))
		return;
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
	t->p[t->n] = 0;
}

void text_z(struct text *t, const char *z)
{
	text_str(t, str_z(z));
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(t, (size_t)n)) {
		t->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(t->p + t->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->n += (size_t)n;
}

/* What stands for c; NULL: itself. */
static const char *reference(unsigned char c, bool in_value)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return in_value ? "&quot;" : NULL;
	case '\t':
		return in_value ? "&#9;" : NULL;
	case '\n':
		return in_value ? "&#10;" : NULL;
	default:
		return c < 0x20 ? "?" : NULL;
	}
}

/* U+FFFE and U+FFFF are EF BF BE and EF BF BF. */
static bool is_noncharacter(struct str s, size_t at)
{
	return s.n - at >= 3 && memcmp(s.p + at, "\xef\xbf", 2) == 0 && (unsigned char)s.p[at + 2] >= 0xbe;
}

static void put_xml(struct text *t, struct str s, bool in_value)
{
	size_t from = 0;

	if (s.n == 0) /* of what is absent there is no address to begin at */
		return;
	for (size_t i = 0; i < s.n; i++) {
		const char *instead = reference((unsigned char)s.p[i], in_value);
		size_t octets = 1;

		if (!instead && s.p[i] == '\xef' && is_noncharacter(s, i)) {
			instead = "?";
			octets = 3;
		}
		if (!instead)
			continue;
		text_str(t, str_sub(s, from, i - from));
		text_z(t, instead);
		i += octets - 1;
		from = i + 1;
	}
	text_str(t, str_sub(s, from, s.n - from));
}

void text_xml(struct text *t, struct str s)
{
	put_xml(t, s, false);
}

void text_xml_value(struct text *t, struct str s)
{
	put_xml(t, s, true);
}

struct str text_view(const struct text *t)
{
	return (struct str){t->p ? t->p : "", t->n};
}
