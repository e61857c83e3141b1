/* SPDX-License-Identifier: Apache-2.0 */
/* A record of a registration that an earlier process left: refused, or its contact and addresses can be used,
 * no text breaks a line, and it says the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/sip/uri.h"

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void expect_one_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		expect((unsigned char)s.p[i] >= ' ' || s.p[i] == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[SAVED_BINDING_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct saved_binding s, again;
	struct sip_uri uri;

	if (saved_binding_read(data, size, &s) < 0)
		return 0;
	expect(s.q <= 1000 && s.transport < SIP_TRANSPORT_COUNT && s.trunk.n && s.user.n);
	expect(s.remote.ip.family != IP_NONE && s.remote.port && s.local.ip.family != IP_NONE &&
		s.local.port);
	expect(sip_uri_parse(s.contact, &uri) == 0);
	for (const struct str *t = (struct str[]){s.trunk, s.user, s.contact, s.instance, s.path, s.agent,
		     s.call_id, {0}};
		t->p; t++)
		expect_one_line(*t);
	saved_binding_write(&s, &w);
	expect(!w.overflow && w.len == size && memcmp(w.p, data, size) == 0);
	expect(saved_binding_read(w.p, w.len, &again) == 0);
	expect(str_eq(s.contact, again.contact) && s.ends_ms == again.ends_ms && s.cseq == again.cseq);
	return 0;
}
