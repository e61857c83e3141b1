/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/frame.h"

#include <string.h>

#include "controlplane/sip/message.h"

#define METHOD_MAX 64 /* RFC 4475 has one of 44 octets */

static struct str without_cr(struct str line)
{
	line.n -= line.n && line.p[line.n - 1] == '\r';
	return line;
}

/*
 * The Content-Length of a whole head. -1 when it is missing, malformed or there twice: whoever guesses then
 * lets the peer choose where the next message begins.
 */
static int64_t content_length(struct str head)
{
	int64_t length = -1;

	(void)str_cut(&head, '\n'); /* the start line */
	while (head.n) {
		struct str line = str_cut(&head, '\n');
		char first = line.n ? line.p[0] : 0;
		uint64_t v;

		if (first != 'c' && first != 'C' && first != 'l' && first != 'L')
			continue;
		struct str name = str_trim(str_cut(&line, ':'));

		if (sip_hdr_by_name(name) != SIP_H_CONTENT_LENGTH)
			continue;
		line = without_cr(line);
		/* A fold: the number is on one of the lines, or it is refused. */
		while (head.n && (head.p[0] == ' ' || head.p[0] == '\t')) {
			struct str more = without_cr(str_cut(&head, '\n'));

			if (str_trim(line).n && str_trim(more).n)
				return -1;
			line = str_trim(line).n ? line : more;
		}
		if (length >= 0 || str_to_u64(str_trim(line), UINT32_MAX, &v) < 0)
			return -1;
		length = (int64_t)v;
	}
	return length;
}

/* What a stream may begin with: a method or "SIP/". Tells garbage before 16 KB of it are in memory. */
static bool plausible(const char *p, size_t n)
{
	for (size_t i = 0; i < n && i < METHOD_MAX; i++) {
		if (p[i] == ' ' || p[i] == '/')
			return i > 0;
		if (!sip_is_token((struct str){p + i, 1}))
			return false;
	}
	return n < METHOD_MAX;
}

enum sip_frame_kind sip_frame_next(struct sip_framer *f, const char *p, size_t n, size_t *length)
{
	*length = 0;
	if (!n)
		return SIP_FRAME_NONE;
	if (f->length) {
		*length = f->length;
		return n >= f->length ? SIP_FRAME_MESSAGE : SIP_FRAME_NONE;
	}
	if (p[0] == '\r') {
		if (n < 2)
			return SIP_FRAME_NONE;
		*length = 2;
		return p[1] == '\n' ? SIP_FRAME_CRLF : SIP_FRAME_GARBAGE;
	}
	if (!plausible(p, n))
		return SIP_FRAME_GARBAGE;
	size_t from = f->scanned > 3 ? f->scanned - 3 : 0;
	const char *end = memmem(p + from, n - from, "\r\n\r\n", 4);

	if (!end) {
		f->scanned = n;
		return n > SIP_HEAD_MAX ? SIP_FRAME_TOO_BIG : SIP_FRAME_NONE;
	}
	size_t head = (size_t)(end - p) + 4;
	int64_t body = content_length((struct str){p, head});

	*length = head;
	if (head > SIP_HEAD_MAX || body > SIP_BODY_MAX)
		return SIP_FRAME_TOO_BIG;
	if (body < 0)
		return SIP_FRAME_LAST;
	f->length = head + (size_t)body;
	*length = f->length;
	return n >= f->length ? SIP_FRAME_MESSAGE : SIP_FRAME_NONE;
}
