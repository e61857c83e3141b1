/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/rtp_hdr.h"

#include <string.h>

#define EXT_ONE_BYTE 0xbede /* RFC 8285 section 4.2 */
#define EXT_TWO_BYTE 0x1000 /* section 4.3; the low 4 bits are the application's */

int rtp_padding(const uint8_t *p, size_t n, const struct rtp_hdr *h)
{
	if (!h->padding)
		return 0;
	if (n <= h->len)
		return -EBADMSG;
	uint8_t count = p[n - 1];

	if (!count || count > n - h->len)
		return -EBADMSG;
	return count;
}

/* One octet of id and length; id 15 ends the list, id 0 is a padding octet. */
static const uint8_t *find_one_byte(const uint8_t *e, size_t n, uint8_t id, uint8_t *len)
{
	for (size_t at = 0; at < n;) {
		uint8_t this_id = e[at] >> 4;
		size_t this_len = (e[at] & 0x0fu) + 1;

		at++;
		if (this_id == 0)
			continue;
		if (this_id == 15 || this_len > n - at)
			break;
		if (this_id == id) {
			*len = (uint8_t)this_len;
			return e + at;
		}
		at += this_len;
	}
	return NULL;
}

static const uint8_t *find_two_byte(const uint8_t *e, size_t n, uint8_t id, uint8_t *len)
{
	for (size_t at = 0; at < n;) {
		uint8_t this_id = e[at++];

		if (this_id == 0)
			continue;
		if (at == n || e[at] > n - at - 1)
			break;
		if (this_id == id) {
			*len = e[at];
			return e + at + 1;
		}
		at += 1u + e[at];
	}
	return NULL;
}

const uint8_t *rtp_ext_find(const uint8_t *p, const struct rtp_hdr *h, uint8_t id, uint8_t *len)
{
	if (!h->ext_off || !id)
		return NULL;
	if (h->ext_profile == EXT_ONE_BYTE)
		return find_one_byte(p + h->ext_off, h->ext_len, id, len);
	if ((h->ext_profile & 0xfff0) == EXT_TWO_BYTE)
		return find_two_byte(p + h->ext_off, h->ext_len, id, len);
	return NULL;
}

/* The element at `at` of n octets: its id (0: a padding octet) and whole length; 0 octets at the list's end, -EBADMSG. */
static int element(const uint8_t *e, size_t n, size_t at, bool one_byte, uint8_t *id)
{
	size_t len;

	*id = one_byte ? e[at] >> 4 : e[at];
	if (*id == 0)
		return 1;
	if (one_byte && *id == 15)
		return 0;
	if (!one_byte && at + 1 == n)
		return -EBADMSG;
	len = one_byte ? 2u + (e[at] & 0x0f) : 2u + e[at + 1];
	return len <= n - at ? (int)len : -EBADMSG;
}

/* Moves what is kept of n octets of elements to their front; how many octets that is. */
static size_t keep_elements(uint8_t *e, size_t n, bool one_byte, uint16_t keep)
{
	size_t kept = 0, at = 0;

	while (at < n) {
		uint8_t id;
		int len = element(e, n, at, one_byte, &id);

		if (len < 0)
			return 0;
		if (len == 0)
			break;
		if (id && id <= 15 && keep >> id & 1) {
			memmove(e + kept, e + at, (size_t)len);
			kept += (size_t)len;
		}
		at += (size_t)len;
	}
	return kept;
}

uint16_t rtp_ext_keep(uint8_t *p, struct rtp_hdr *h, uint16_t keep)
{
	bool one_byte = h->ext_profile == EXT_ONE_BYTE;
	size_t kept = 0, words, removed, front;

	if (!h->ext_off)
		return 0;
	if (one_byte || (h->ext_profile & 0xfff0) == EXT_TWO_BYTE)
		kept = keep_elements(p + h->ext_off, h->ext_len, one_byte, keep);
	words = (kept + 3) / 4;
	if (kept) {
		front = h->ext_off + 4 * words;
		memset(p + h->ext_off + kept, 0, 4 * words - kept);
		be16_put(p + h->ext_off - 2, (uint16_t)words);
	} else {
		front = h->ext_off - 4u;
		p[0] &= 0xef; /* X */
		h->ext_profile = h->ext_off = 0;
	}
	removed = h->len - front;
	memmove(p + removed, p, front);
	h->len = (uint16_t)front;
	h->ext_len = (uint16_t)(4 * words);
	return (uint16_t)removed;
}

/* Where the last of n octets of elements ends, padding behind it left out; -EBADMSG. */
static int elements_end(const uint8_t *e, size_t n, bool one_byte)
{
	size_t at = 0, end = 0;

	while (at < n) {
		uint8_t id;
		int len = element(e, n, at, one_byte, &id);

		if (len < 0)
			return len;
		/* What is behind the end of the list is nobody's. */
		if (len == 0)
			break;
		at += (size_t)len;
		if (id)
			end = at;
	}
	return (int)end;
}

static void element_write(uint8_t *e, bool one_byte, uint8_t id, const void *data, uint8_t n)
{
	if (one_byte) {
		e[0] = (uint8_t)(id << 4 | (n - 1));
	} else {
		e[0] = id;
		e[1] = n;
	}
	memcpy(e + (one_byte ? 1 : 2), data, n);
}

uint16_t rtp_ext_add(uint8_t *p, struct rtp_hdr *h, uint8_t id, const void *data, uint8_t n)
{
	uint16_t profile = h->ext_off ? h->ext_profile : EXT_ONE_BYTE, off = h->ext_off ? h->ext_off : h->len + 4u;
	bool one_byte = profile == EXT_ONE_BYTE;
	int end = h->ext_off ? elements_end(p + off, h->ext_len, one_byte) : 0;
	size_t len, added;

	if (end < 0 || (!one_byte && (profile & 0xfff0) != EXT_TWO_BYTE))
		return 0;
	len = ((size_t)end + (one_byte ? 1u : 2u) + n + 3) & ~(size_t)3;
	len = len < h->ext_len ? h->ext_len : len;
	added = len - h->ext_len + (h->ext_off ? 0 : 4);
	if (h->len + added > UINT16_MAX)
		return 0;
	memmove(p - added, p, h->ext_off ? (size_t)off + (size_t)end : h->len);
	p -= added;
	p[0] |= 0x10; /* X */
	be16_put(p + off - 4, profile);
	be16_put(p + off - 2, (uint16_t)(len / 4));
	memset(p + off + end, 0, len - (size_t)end);
	element_write(p + off + end, one_byte, id, data, n);
	h->ext_profile = profile;
	h->ext_off = off;
	h->ext_len = (uint16_t)len;
	h->len = (uint16_t)(h->len + added);
	return (uint16_t)added;
}
