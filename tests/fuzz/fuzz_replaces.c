/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces, of a header and in a URI: what is taken names a dialog, within what was given. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/transfer/replaces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void within(struct str part, struct str whole)
{
	check(part.n > 0 && part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void read(struct str value)
{
	struct replaces r;

	if (replaces_read(value, &r) < 0)
		return;
	within(r.call_id, value);
	within(r.to_tag, value);
	within(r.from_tag, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str whole = {(const char *)data, size};
	char text[REPLACES_TEXT_MAX];

	read(whole);
	if (replaces_in_uri(whole, text)) {
		check(strlen(text) < sizeof text);
		read(str_z(text));
	}
	return 0;
}
