/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever arrives: refused, or every view lies in it, and what is answered parses and proves itself. */
#include <stdlib.h>
#include <string.h>

#include "lib/stun/stun.h"

static const char key[] = "a password that nobody knows";

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void expect_good(const struct wbuf *w, const uint8_t *id)
{
	struct stun_msg m;

	expect(!w->overflow && stun_parse((const uint8_t *)w->p, w->len, &m) == 0);
	expect(memcmp(m.id, id, STUN_ID) == 0);
	expect(stun_fingerprint_good((const uint8_t *)w->p, &m));
	expect(stun_integrity_good((const uint8_t *)w->p, &m, key, sizeof key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_port from = {.ip = {.family = size & 1 ? IP_V4 : IP_V6}, .port = (uint16_t)size};
	char text[STUN_ANSWER_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct stun_msg m;

	if (stun_parse(data, size, &m) < 0)
		return 0;
	expect(m.n_unknown <= STUN_UNKNOWN_MAX);
	if (m.username.p)
		expect((const uint8_t *)m.username.p >= data + STUN_HEADER &&
			(const uint8_t *)m.username.p + m.username.n <= data + size);
	stun_fingerprint_good(data, &m);
	expect(!stun_integrity_good(data, &m, key, sizeof key));
	stun_put_success(&w, m.id, m.mapped.ip.family ? &m.mapped : &from, key, sizeof key);
	expect_good(&w, m.id);
	w = wbuf_make(text, sizeof text);
	stun_put_error(&w, m.id, m.n_unknown ? STUN_UNKNOWN_ATTRIBUTE : STUN_ROLE_CONFLICT, &m, key, sizeof key);
	expect_good(&w, m.id);
	return 0;
}
