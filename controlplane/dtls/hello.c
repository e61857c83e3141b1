/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/hello.h"

#include <string.h>

#include "lib/base/buf.h"

enum { CONTENT_HANDSHAKE = 22, CLIENT_HELLO = 1 };

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
