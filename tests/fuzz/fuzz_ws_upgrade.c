/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as the HTTP request of a WebSocket: a response in any case, and none that opens one by accident. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/ws_upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const origins[] = {"https://phone.example.net"};
	const struct ws_policy policy = {origins, 1};
	char text[WS_RESPONSE_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	size_t end = ws_request_end((const char *)data, size);
	struct ws_upgrade u;

	if (end > size || end > WS_REQUEST_MAX)
		abort();
	/* Without its end too: nothing may be read behind it. */
	ws_upgrade((struct str){(const char *)data, end ? end : size}, &policy, &u, &w);
	if (w.overflow || !w.len || !str_starts(wbuf_view(&w), STR("HTTP/1.1 ")))
		abort();
	if ((u.status == 101) != !u.reason)
		abort();
	if (u.status == 101 && u.origin.n && !str_ieq(u.origin, STR("https://phone.example.net")))
		abort();
	return 0;
}
