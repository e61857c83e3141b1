/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reading and writing of memory that the caller owns. An access past the end changes nothing but a
 * sticky flag, so that code can read or write a whole structure and test once at its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/* Reader. Integers are in network byte order. */
struct rbuf {
	const uint8_t *p;
	size_t left;
	bool short_read; /* something was asked for that was not there; all later reads give 0 or NULL */
};

struct rbuf rbuf_make(const void *p, size_t n);
uint8_t rbuf_u8(struct rbuf *r);
uint16_t rbuf_u16(struct rbuf *r);
uint32_t rbuf_u32(struct rbuf *r);
const uint8_t *rbuf_bytes(struct rbuf *r, size_t n); /* n octets in place, or NULL */

/* Writer of octets or text. */
struct wbuf {
	char *p;
	size_t len;    /* octets written */
	size_t cap;
	bool overflow; /* something did not fit; nothing is written from then on */
};

struct wbuf wbuf_make(void *p, size_t cap);
void wbuf_u8(struct wbuf *w, uint8_t v);
void wbuf_u16(struct wbuf *w, uint16_t v);
void wbuf_u32(struct wbuf *w, uint32_t v);
void wbuf_bytes(struct wbuf *w, const void *p, size_t n);
void wbuf_str(struct wbuf *w, struct str s);
void wbuf_z(struct wbuf *w, const char *z);
void wbuf_fmt(struct wbuf *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What was written so far. */
struct str wbuf_view(const struct wbuf *w);
