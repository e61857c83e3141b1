/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows as it is written, up to a limit. A write that does not fit, or finds no memory, changes
 * nothing but a sticky flag, so that a whole message can be written and tested once at its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

struct text {
	char *p; /* NUL-terminated when n > 0; owned, text_free() */
	size_t n, cap;
	size_t max;  /* octets; 0: TEXT_MAX */
	bool failed; /* something did not fit; nothing is written from then on */
};

#define TEXT_MAX ((size_t)512 << 20)

void text_free(struct text *t);
/* Empties it and forgets the failure; keeps the memory unless that is large. */
void text_reset(struct text *t);

/* Takes n octets off its front. */
void text_drop(struct text *t, size_t n);

void text_str(struct text *t, struct str s);
void text_z(struct text *t, const char *z);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * As character data, and as an attribute's value: what is markup, and what a parser would normalize there,
 * becomes a reference; characters that XML 1.0 (section 2.2) cannot hold become '?'. s is UTF-8.
 */
void text_xml(struct text *t, struct str s);
void text_xml_value(struct text *t, struct str s);

struct str text_view(const struct text *t);
