/* SPDX-License-Identifier: Apache-2.0 */
/* URIs and name-addrs: what is taken prints, and what was printed is taken again as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/sip/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void print_and_parse(const struct sip_uri *u)
{
	char buf[8192];
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct sip_uri again;

	if (u->text.n > sizeof buf / 2)
		return;
	sip_uri_print(&w, u);
	check(!w.overflow);
	check(sip_uri_parse(wbuf_view(&w), &again) == 0);
	check(again.scheme == u->scheme && again.port == u->port && str_eq(again.host, u->host));
	check(sip_uri_equal(u, &again) && sip_uri_equal(&again, u));
	(void)sip_unescape(u->user, buf, sizeof buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, list = text, value, name;
	struct sip_uri u;
	struct sip_addr a;

	if (sip_uri_parse(text, &u) == 0)
		print_and_parse(&u);
	while (sip_list_next(&list, &value)) {
		if (sip_addr_parse(value, &a) == 0 && !a.star) {
			print_and_parse(&a.uri);
			sip_param(a.params, STR("tag"), &name);
		}
	}
	while (sip_param_next(&text, &name, &value))
		;
	return 0;
}
