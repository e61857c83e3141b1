/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETCONF over SSH, RFC 6242: octets made into messages and back. A session begins with the end-of-message
 * framing of base:1.0 (section 4.3) and goes on with the chunked framing (section 4.2) when both hellos offer
 * base:1.1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/netconf/text.h"

/* The longest message that is taken. */
#define FRAMING_MESSAGE_MAX ((size_t)16 << 20)

enum framing_event {
	FRAMING_MORE,    /* all octets are taken; the message is not whole yet */
	FRAMING_MESSAGE, /* a message is whole; octets behind it are left */
	FRAMING_BROKEN,  /* not framing: the session must end (RFC 6242, section 4.2) */
	FRAMING_TOO_BIG, /* longer than FRAMING_MESSAGE_MAX, or than memory; the session must end */
};

/* Zeroed, it waits for the first message in end-of-message framing. */
struct framing {
	struct text message; /* owned; framing_free() */
	bool chunked;
	bool whole;      /* message was handed out and is thrown away with the next octet */
	uint8_t state;   /* of the chunked reader */
	bool any_chunk;  /* at least one chunk was read: an end-of-chunks may come */
	uint64_t octets; /* left of this chunk; while its size is read, the size so far */
	unsigned digits; /* of the size */
};

void framing_free(struct framing *f);
/* From the next octet on, chunked. */
void framing_use_chunks(struct framing *f);

/*
 * Takes octets off the front of *input until a message is whole: f->message then holds it until the next
 * call. After FRAMING_BROKEN or FRAMING_TOO_BIG there must be no further call.
 */
enum framing_event framing_take(struct framing *f, struct str *input);

/* Frames one message of at least one octet. */
void framing_put(struct text *out, struct str message, bool chunked);
