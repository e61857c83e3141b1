/* SPDX-License-Identifier: Apache-2.0 */
/* Framing: a stream gives the same pieces whether it comes at once or octet by octet. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/sip/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES 64

struct piece {
	enum sip_frame_kind kind;
	size_t length;
};

/* True when the stream cannot go on. */
static bool over(enum sip_frame_kind kind)
{
	return kind == SIP_FRAME_LAST || kind == SIP_FRAME_GARBAGE || kind == SIP_FRAME_TOO_BIG;
}

static unsigned cut(const char *p, size_t n, size_t step, struct piece *out)
{
	struct sip_framer f = {0};
	size_t at = 0, have = 0, length;
	unsigned count = 0;

	while (have < n) {
		have = n - have > step ? have + step : n;
		for (;;) {
			enum sip_frame_kind kind = sip_frame_next(&f, p + at, have - at, &length);

			if (kind == SIP_FRAME_NONE)
				break;
			if (length > have - at)
				abort();
			if (kind == SIP_FRAME_MESSAGE)
				f = (struct sip_framer){0};
			if (count == PIECES)
				return count;
			out[count++] = (struct piece){kind, kind == SIP_FRAME_GARBAGE ? 0 : length};
			if (over(kind))
				return count;
			if (!length)
				abort();
			at += length;
		}
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece whole[PIECES], single[PIECES];
	unsigned n = cut((const char *)data, size, size ? size : 1, whole);
	unsigned m = cut((const char *)data, size, 1, single);

	if (n != m)
		abort();
	for (unsigned i = 0; i < n; i++)
		if (whole[i].kind != single[i].kind || whole[i].length != single[i].length)
			abort();
	return 0;
}
