/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/stun/hmac.h"
#include "lib/stun/stun.h"

/* Writes the header; what its length is, finish() knows. Where the message begins. */
static size_t begin(struct wbuf *w, enum stun_type type, const uint8_t id[STUN_ID])
{
	size_t start = w->len;

	wbuf_u16(w, (uint16_t)type);
	wbuf_u16(w, 0);
	wbuf_u32(w, STUN_COOKIE);
	wbuf_bytes(w, id, STUN_ID);
	return start;
}

static void attribute(struct wbuf *w, enum stun_attribute type, size_t n)
{
	wbuf_u16(w, (uint16_t)type);
	wbuf_u16(w, (uint16_t)n);
}

static void pad(struct wbuf *w, size_t n)
{
	for (; n % 4; n++)
		wbuf_u8(w, 0);
}

/* MESSAGE-INTEGRITY, FINGERPRINT and the length. */
static void finish(struct wbuf *w, size_t start, const void *key, size_t key_len)
{
	uint8_t *p = (uint8_t *)w->p + start, mac[STUN_HMAC];
	size_t length;

	if (w->overflow)
		return;
	stun_hmac(p, w->len - start, key, key_len, mac);
	attribute(w, STUN_A_INTEGRITY, sizeof mac);
	wbuf_bytes(w, mac, sizeof mac);
	if (w->overflow)
		return;
	uint32_t crc = stun_crc(p, w->len - start);

	attribute(w, STUN_A_FINGERPRINT, 4);
	wbuf_u32(w, crc);
	length = w->len - start - STUN_HEADER;
	p[2] = (uint8_t)(length >> 8);
	p[3] = (uint8_t)length;
}

static void put_mapped(struct wbuf *w, const uint8_t id[STUN_ID], const struct ip_port *from)
{
	size_t n = from->ip.family == IP_V6 ? 16 : 4;
	uint8_t mask[16];

	stun_mask(id, mask);
	attribute(w, STUN_A_MAPPED, 4 + n);
	wbuf_u16(w, from->ip.family == IP_V6 ? 2 : 1);
	wbuf_u16(w, from->port ^ (uint16_t)(STUN_COOKIE >> 16));
	for (size_t i = 0; i < n; i++)
		wbuf_u8(w, from->ip.octets[i] ^ mask[i]);
}

void stun_put_success(struct wbuf *w, const uint8_t id[STUN_ID], const struct ip_port *from, const void *key,
	size_t key_len)
{
	size_t start = begin(w, STUN_BINDING_SUCCESS, id);

	put_mapped(w, id, from);
	finish(w, start, key, key_len);
}

void stun_put_error(struct wbuf *w, const uint8_t id[STUN_ID], enum stun_error code,
	const struct stun_msg *request, const void *key, size_t key_len)
{
	size_t start = begin(w, STUN_BINDING_ERROR, id), n = request->n_unknown;

	/* Without a phrase: nobody reads it. */
	attribute(w, STUN_A_ERROR_CODE, 4);
	wbuf_u16(w, 0);
	wbuf_u8(w, (uint8_t)(code / 100));
	wbuf_u8(w, (uint8_t)(code % 100));
	if (code == STUN_UNKNOWN_ATTRIBUTE) {
		attribute(w, STUN_A_UNKNOWN, 2 * n);
		for (size_t i = 0; i < n; i++)
			wbuf_u16(w, request->unknown[i]);
		pad(w, 2 * n);
	}
	finish(w, start, key, key_len);
}

void stun_put_check(struct wbuf *w, const struct stun_check *c)
{
	size_t start = begin(w, STUN_BINDING_REQUEST, c->id);

	attribute(w, STUN_A_USERNAME, c->username.n);
	wbuf_str(w, c->username);
	pad(w, c->username.n);
	attribute(w, STUN_A_PRIORITY, 4);
	wbuf_u32(w, c->priority);
	attribute(w, c->controlled ? STUN_A_CONTROLLED : STUN_A_CONTROLLING, 8);
	wbuf_u32(w, (uint32_t)(c->tie_breaker >> 32));
	wbuf_u32(w, (uint32_t)c->tie_breaker);
	if (c->use_candidate)
		attribute(w, STUN_A_USE_CANDIDATE, 0);
	finish(w, start, c->key, c->key_len);
}
