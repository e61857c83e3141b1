/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/hello.h"

#include <string.h>

#include "lib/base/buf.h"

enum { CONTENT_HANDSHAKE = 22, CLIENT_HELLO = 1 };

#define RECORD_HEAD 13
#define HEAD (RECORD_HEAD + 12) /* and of the handshake message */

static uint32_t u24(struct rbuf *r)
{
	uint32_t high = rbuf_u8(r);

	return high << 16 | rbuf_u16(r);
}

bool dtls_hello_peek(const uint8_t *octets, size_t n, struct dtls_hello *out)
{
	struct rbuf r = rbuf_make(octets, n);
	uint8_t content = rbuf_u8(&r), major = rbuf_u8(&r), type;
	uint32_t offset, length;
	const uint8_t *random;

	*out = (struct dtls_hello){0};
	rbuf_u8(&r); /* minor version */
	if (rbuf_u16(&r) != 0) /* epoch: a hello is never encrypted */
		return false;
	rbuf_bytes(&r, 6 + 2); /* sequence number, length */
	type = rbuf_u8(&r);
	u24(&r); /* of the whole message */
	out->message_seq = rbuf_u16(&r);
	offset = u24(&r);
	length = u24(&r);
	if (r.short_read || content != CONTENT_HANDSHAKE || major != 0xfe || type != CLIENT_HELLO)
		return false;
	if (offset || length < 2 + DTLS_RANDOM_LEN)
		return true;
	rbuf_u16(&r); /* version */
	random = rbuf_bytes(&r, DTLS_RANDOM_LEN);
	if (!random)
		return false;
	out->first_fragment = true;
	memcpy(out->random, random, DTLS_RANDOM_LEN);
	return true;
}

/* ChangeCipherSpec to ApplicationData, connection IDs, ACK; and what RFC 9147 encrypts. */
static bool known(uint8_t content)
{
	return (content >= 20 && content <= 23) || content == 25 || content == 26 || content >> 5 == 1;
}

bool dtls_datagram_is_known(const uint8_t *octets, size_t n)
{
	struct rbuf r = rbuf_make(octets, n);

	while (r.left) {
		uint8_t content = rbuf_u8(&r);

		if (!known(content))
			return false;
		if (content >> 5 == 1)
			return true; /* lengths of those are the library's to know */
		if (rbuf_u8(&r) != 0xfe && !r.short_read)
			return false; /* not a version of DTLS */
		rbuf_bytes(&r, RECORD_HEAD - 4);
		rbuf_bytes(&r, rbuf_u16(&r));
		if (r.short_read)
			return true; /* cut off: dropped by every library */
	}
	return n > 0;
}

static void put_u16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The message is one fragment, and fills its record. Its length. */
static size_t whole_length(const uint8_t *octets, size_t n)
{
	struct rbuf record = rbuf_make(octets + RECORD_HEAD - 2, 2), r = rbuf_make(octets + RECORD_HEAD + 1, 3);
	size_t content = rbuf_u16(&record), length = u24(&r);

	if (memcmp(octets + RECORD_HEAD + 1, octets + HEAD - 3, 3) != 0 || content != length + HEAD - RECORD_HEAD ||
		n < RECORD_HEAD + content)
		return 0;
	return length;
}

size_t dtls_hello_before_cookie(const uint8_t *octets, size_t n, uint8_t out[DTLS_HELLO_MAX])
{
	struct dtls_hello h;
	struct rbuf r;
	size_t length, before, cookie;

	if (!dtls_hello_peek(octets, n, &h) || !h.first_fragment || h.message_seq != 1)
		return 0;
	length = whole_length(octets, n);
	r = rbuf_make(octets + HEAD, length);
	rbuf_bytes(&r, 2 + DTLS_RANDOM_LEN);
	rbuf_bytes(&r, rbuf_u8(&r)); /* session */
	before = HEAD + length - r.left;
	cookie = rbuf_u8(&r);
	rbuf_bytes(&r, cookie);
	if (r.short_read || !cookie || HEAD + length - cookie > DTLS_HELLO_MAX)
		return 0;
	memcpy(out, octets, before);
	out[before] = 0;
	memcpy(out + before + 1, r.p, r.left);
	memset(out + 5, 0, 6); /* its record's number, then its own */
	put_u16(out + RECORD_HEAD + 4, 0);
	length -= cookie;
	put_u16(out + RECORD_HEAD - 2, length + HEAD - RECORD_HEAD);
	put_u16(out + RECORD_HEAD + 2, length);
	put_u16(out + HEAD - 2, length);
	return HEAD + length;
}
