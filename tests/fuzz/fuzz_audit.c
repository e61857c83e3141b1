/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as lines of an audit: reading stays in its bounds, and nothing but a whole chain verifies. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/audit/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct audit_verify v = {0};
	struct err e = {0};

	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		uint64_t before = v.at.seq;

		if (audit_verify_line(&v, line, &e) < 0)
			break;
		if (before && v.at.seq != before + 1)
			abort();
	}
	return 0;
}
