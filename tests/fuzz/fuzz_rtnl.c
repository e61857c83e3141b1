/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of kernel notifications: whatever comes, nothing outside them is read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/nexthop/rtnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtnl_neighbour n;
	/* A copy of exactly this size, aligned as a receive buffer is, so that the sanitizer sees every octet
	 * too many. */
	void *message = malloc(size != 0 ? size : 1);

	if (message == NULL)
		return 0;
	memcpy(message, data, size);
	size_t left = size;
	for (const void *m = rtnl_message(message, NULL, &left); m != NULL;
		m = rtnl_message(message, m, &left))
		if (rtnl_event_parse(m, left, &n) == RTNL_NEIGHBOUR_CHANGED && n.ip.family != IP_V4 &&
			n.ip.family != IP_V6)
			abort();
	free(message);
	return 0;
}
