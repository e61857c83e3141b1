/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever parses prints, and what was printed parses to the same text again. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp first, second;
	/* Every m-line may print the session's c= as its own. */
	static char a[2 * SDP_TEXT_MAX], b[2 * SDP_TEXT_MAX];
	struct err e = {0};
	struct wbuf w = wbuf_make(a, sizeof a);

	if (sdp_parse((struct str){(const char *)data, size}, &first, &e) < 0) {
		if (!e.text[0])
			abort();
		return 0;
	}
	for (unsigned i = 0; i < first.n_media; i++)
		if (!sdp_media_clock(&first, &first.media[i]))
			abort();
	if (sdp_print(&first, &w) < 0)
		abort();
	if (w.len > SDP_TEXT_MAX)
		return 0;
	if (sdp_parse(wbuf_view(&w), &second, &e) < 0)
		abort();
	struct wbuf again = wbuf_make(b, sizeof b);

	if (sdp_print(&second, &again) < 0 || again.len != w.len || memcmp(a, b, w.len))
		abort();
	return 0;
}
