/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as a SIP message: redaction neither reads nor writes past its bounds, and a key planted behind
 * what introduces one is never in what comes out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/obs/redact.h"

#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *p, size_t n)
{
	size_t cap = 4 * n + 256;
	char *out = malloc(cap);
	struct wbuf w = wbuf_make(out, cap);

	redact_sip((struct str){p, n}, &w);
	if (w.overflow || (w.len && memmem(out, w.len, KEY, strlen(KEY))))
		abort();
	free(out);
}

/* The input with an a=crypto line put in after its first line end. */
static void check_planted(const char *p, size_t n)
{
	static const char key[] = "\na=crypto:1 X inline:" KEY "\r\n";
	const char *end = memchr(p, '\n', n);
	size_t at = end ? (size_t)(end - p) : n;
	char *all = malloc(n + sizeof key);

	memcpy(all, p, at);
	memcpy(all + at, key, sizeof key - 1);
	memcpy(all + at + sizeof key - 1, p + at, n - at);
	check(all, n + sizeof key - 1);
	free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char small[64];
	struct wbuf w = wbuf_make(small, sizeof small);

	if (size && memmem(data, size, KEY, strlen(KEY)))
		return 0;
	check((const char *)data, size);
	check_planted((const char *)data, size);
	redact_sip((struct str){(const char *)data, size}, &w);
	return 0;
}
