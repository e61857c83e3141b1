/* SPDX-License-Identifier: Apache-2.0 */
/* Digest challenges and credentials: what is taken prints, and what was printed is taken again as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static char buf[65536];

static void challenge(struct str text)
{
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct digest_challenge c, again;

	if (digest_challenge_parse(text, &c) < 0)
		return;
	digest_challenge_write(&c, &w);
	check(digest_challenge_parse(wbuf_view(&w), &again) == 0);
	check(str_eq(c.realm, again.realm) && str_eq(c.nonce, again.nonce) && str_eq(c.opaque, again.opaque));
	check(c.algorithm == again.algorithm && c.session == again.session && c.qop == again.qop &&
		c.stale == again.stale);
}

static void credentials(struct str text)
{
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct digest_credentials c, again;
	struct secret password = {.len = 6, .octets = "secret"};

	if (digest_credentials_parse(text, &c) < 0)
		return;
	(void)digest_verify(&c, STR("INVITE"), &password);
	digest_credentials_write(&c, &w);
	check(digest_credentials_parse(wbuf_view(&w), &again) == 0);
	check(str_eq(c.username, again.username) && str_eq(c.realm, again.realm) &&
		str_eq(c.nonce, again.nonce) && str_eq(c.uri, again.uri) &&
		str_eq(c.response, again.response));
	check(c.nc == again.nc && c.qop == again.qop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	if (size > sizeof buf / 2)
		return 0;
	challenge(text);
	credentials(text);
	return 0;
}
