/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a byte stream into SIP messages (RFC 3261 section 18.3) and keep-alives (RFC 5626 section 3.5.1).
 */
#pragma once

#include <stddef.h>

#include "lib/base/str.h"

enum sip_frame_kind {
	SIP_FRAME_NONE,    /* more octets are needed */
	SIP_FRAME_CRLF,    /* two octets of white space between messages; two in a row are a ping */
	SIP_FRAME_MESSAGE, /* one whole message */
	SIP_FRAME_LAST,    /* a head whose length cannot be told: answer it, then close */
	SIP_FRAME_GARBAGE, /* nothing that can be answered: close */
	SIP_FRAME_TOO_BIG, /* as SIP_FRAME_LAST: over SIP_HEAD_MAX or SIP_BODY_MAX. length is 0 when the head
			      never ended */
};

/* One per connection, zeroed at its start and after each message. */
struct sip_framer {
	size_t scanned; /* octets in which no end of the head was found */
	size_t length;  /* of the whole message once its head was seen, else 0 */
};

/* Looks at the n octets received and not taken yet. length is what to take off their front. */
enum sip_frame_kind sip_frame_next(struct sip_framer *f, const char *p, size_t n, size_t *length);
