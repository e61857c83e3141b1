/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as the head of a request for metrics: a path that is one, or a status that refuses. */
#include <stdint.h>
#include <stdlib.h>

#include "controlplane/obs/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str head = {(const char *)data, size}, path = {0};
	unsigned status = 0;

	switch (http_read(head, &path, &status)) {
	case HTTP_MORE:
		if (size >= HTTP_HEAD_MAX)
			abort();
		break;
	case HTTP_WRONG:
		if (status != 400 && status != 405 && status != 431 && status != 505)
			abort();
		break;
	case HTTP_READY:
		if (!path.n || *path.p != '/' || path.p < head.p || path.p + path.n > head.p + size)
			abort();
		for (size_t i = 0; i < path.n; i++)
			if (path.p[i] <= 0x20 || path.p[i] >= 0x7f || path.p[i] == '?')
				abort();
		break;
	}
	return 0;
}
