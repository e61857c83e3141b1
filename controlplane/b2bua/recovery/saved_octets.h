/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to recovery/: what records are made of. Readers of damaged octets say so in rbuf.short_read, and
 * what they give then is within bounds all the same.
 */
#pragma once

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/netaddr.h"

#define NAME_MAX_OCTETS 512
#define TEXT_MAX_OCTETS 4096 /* a URI, a name-addr, a Call-ID */

static inline void put_u64(struct wbuf *w, uint64_t v)
{
	wbuf_u32(w, (uint32_t)(v >> 32));
	wbuf_u32(w, (uint32_t)v);
}

static inline uint64_t get_u64(struct rbuf *r)
{
	uint64_t high = rbuf_u32(r);

	return high << 32 | rbuf_u32(r);
}

static inline void put_text(struct wbuf *w, struct str s)
{
	if (s.n > UINT16_MAX)
		w->overflow = true;
	wbuf_u16(w, (uint16_t)s.n);
	wbuf_str(w, s);
}

/* Lines are for bodies only: anything else ends up in the head of a message. */
static inline struct str get_text(struct rbuf *r, size_t most, bool lines)
{
	size_t n = rbuf_u16(r);
	const char *p = (const char *)rbuf_bytes(r, n);

	if (!p || n > most) {
		r->short_read = true;
		return STR("");
	}
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] < ' ' && p[i] != '\t' && !(lines && (p[i] == '\r' || p[i] == '\n')))
			r->short_read = true;
	return (struct str){p, n};
}

static inline void put_address(struct wbuf *w, const struct ip_port *a)
{
	wbuf_u8(w, a->ip.family);
	if (a->ip.family == IP_NONE)
		return;
	wbuf_bytes(w, a->ip.octets, a->ip.family == IP_V6 ? 16 : 4);
	wbuf_u16(w, a->port);
}

static inline struct ip_port get_address(struct rbuf *r)
{
	struct ip_port a = {.ip.family = rbuf_u8(r)};
	size_t n = a.ip.family == IP_V6 ? 16 : 4;
	const uint8_t *octets;

	if (a.ip.family == IP_NONE)
		return a;
	octets = rbuf_bytes(r, n);
	if (!octets || (a.ip.family != IP_V4 && a.ip.family != IP_V6)) {
		r->short_read = true;
		return (struct ip_port){0};
	}
	memcpy(a.ip.octets, octets, n);
	a.port = rbuf_u16(r);
	return a;
}

/* At most `most`. */
static inline uint8_t get_small(struct rbuf *r, uint8_t most)
{
	uint8_t v = rbuf_u8(r);

	if (v > most)
		r->short_read = true;
	return r->short_read ? 0 : v;
}
