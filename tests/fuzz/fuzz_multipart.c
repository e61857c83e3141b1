/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of several parts: the first line is the Content-Type, the rest the body; every part lies within it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void visit(struct str type, struct str body, unsigned depth)
{
	struct sip_parts it = sip_parts(type, body);
	struct sip_part part;
	size_t octets = 0;

	while (sip_parts_next(&it, &part)) {
		check(part.body.n == 0 ||
			(part.body.p >= body.p && part.body.p + part.body.n <= body.p + body.n));
		octets += part.body.n;
		if (depth)
			visit(part.type, part.body, depth - 1);
	}
	check(octets <= body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	struct str body = {text, size}, type = str_cut(&body, '\n');

	visit(str_trim(type), body, 3);
	free(text);
	return 0;
}
