/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: the same messages whether they come at once or octet by octet, none over the limit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/ws.h"

#define MESSAGE_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	unsigned n;
	size_t octets;
	uint32_t sum;
	bool open;
};

static bool on_message(void *user, char *p, size_t n)
{
	struct result *r = user;

	if (!n || n > MESSAGE_MAX)
		abort();
	r->n++;
	r->octets += n;
	for (size_t i = 0; i < n; i++)
		r->sum = r->sum * 31 + (uint8_t)p[i];
	memset(p, 0, n); /* it may be written to */
	return true;
}

static void on_write(void *user, const void *p, size_t n)
{
	(void)user;
	if (!p || !n)
		abort();
}

static struct result feed(const char *p, size_t n, size_t step)
{
	static const struct ws_ops ops = {on_message, on_write};
	struct result r = {.open = true};
	struct ws *ws;

	if (ws_new(&ops, &r, MESSAGE_MAX, &ws) < 0)
		abort();
	for (size_t at = 0; at < n && r.open; at += step)
		r.open = ws_feed(ws, p + at, n - at < step ? n - at : step);
	if (!r.open && !ws_end(ws)[0])
		abort();
	ws_free(ws);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole = feed((const char *)data, size, size ? size : 1);
	struct result single = feed((const char *)data, size, 1);

	/* How early a frame is found to be wrong that has not come whole may differ. */
	if (whole.n != single.n || whole.octets != single.octets || whole.sum != single.sum)
		abort();
	return 0;
}
