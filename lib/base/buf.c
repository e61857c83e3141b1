/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct rbuf rbuf_make(const void *p, size_t n)
{
	return (struct rbuf){.p = p, .left = n};
}

const uint8_t *rbuf_bytes(struct rbuf *r, size_t n)
{
	const uint8_t *at = r->p;

	if (r->short_read || n > r->left) {
		r->short_read = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return at;
}

uint8_t rbuf_u8(struct rbuf *r)
{
	const uint8_t *b = rbuf_bytes(r, 1);

	return b ? b[0] : 0;
}

uint16_t rbuf_u16(struct rbuf *r)
{
	const uint8_t *b = rbuf_bytes(r, 2);

	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

uint32_t rbuf_u32(struct rbuf *r)
{
	const uint8_t *b = rbuf_bytes(r, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

struct wbuf wbuf_make(void *p, size_t cap)
{
	return (struct wbuf){.p = p, .cap = cap};
}

void wbuf_bytes(struct wbuf *w, const void *p, size_t n)
{
	if (w->overflow || n > w->cap - w->len) {
		w->overflow = true;
		return;
	}
	if (n)
		memcpy(w->p + w->len, p, n);
	w->len += n;
}

void wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_bytes(w, &v, 1);
}

void wbuf_u16(struct wbuf *w, uint16_t v)
{
	wbuf_bytes(w, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void wbuf_u32(struct wbuf *w, uint32_t v)
{
	wbuf_bytes(w, (uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}, 4);
}

void wbuf_str(struct wbuf *w, struct str s)
{
	wbuf_bytes(w, s.p, s.n);
}

void wbuf_z(struct wbuf *w, const char *z)
{
	wbuf_str(w, str_z(z));
}

void wbuf_fmt(struct wbuf *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->overflow)
		return;
	size_t room = w->cap - w->len;

	va_start(ap, fmt);
	n = vsnprintf(room ? w->p + w->len : NULL, room, fmt, ap);
	va_end(ap);
	/* vsnprintf needs room for its NUL: text that fills the buffer to the last octet is refused too. */
	if (n < 0 || (size_t)n >= room)
		w->overflow = true;
	else
		w->len += (size_t)n;
}

struct str wbuf_view(const struct wbuf *w)
{
	return (struct str){w->p, w->len};
}
