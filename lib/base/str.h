/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of text that somebody else owns: what parsers cut messages into. Never NUL-terminated by contract;
 * print with "%.*s", STR_ARG(s). A view dies with the buffer that it points into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).n, (s).p

/* A view of a NUL-terminated string; of nothing when z is NULL. */
struct str str_z(const char *z);

bool str_eq(struct str a, struct str b);
/* ASCII case-insensitive, as SIP header names, URI hosts and SDP tokens compare. */
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);

/* Without SP and HTAB at either end. */
struct str str_trim(struct str s);

/* Index of the first c, or -1. */
ptrdiff_t str_chr(struct str s, char c);

/*
 * Takes the text up to the first c off the front of *s and returns it; *s is left after the c. Without a c,
 * returns all and leaves *s empty (with p at its end). `while (s.n) part = str_cut(&s, ',')` visits all parts.
 */
struct str str_cut(struct str *s, char c);

/* Sub-view [from, from + n), clamped to s. */
struct str str_sub(struct str s, size_t from, size_t n);

/* Decimal digits only, no sign, no space. -EINVAL when there are none or others, -ERANGE above max. */
int str_to_u64(struct str s, uint64_t max, uint64_t *out);

/* A NUL-terminated copy on the heap, the caller's to free(); NULL without memory or when s holds a NUL. */
char *str_dup(struct str s);

/* Copies s and a NUL into dst of cap octets. -ENOSPC (dst is then "") when it does not fit. */
int str_copy(char *dst, size_t cap, struct str s);
