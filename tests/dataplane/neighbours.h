/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of next hops: pairs by number. */
#pragma once

#include "tests/dataplane/ports.h"

#include <string.h>

#include "dataplane/nexthop/neighbour_table.h"

static inline struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(str_z(text), &a), 0);
	return a;
}

static inline struct neighbour_key pair(uint32_t n)
{
	struct neighbour_key k = {.local = ip("192.0.2.1"), .remote = {.family = IP_V4}};

	memcpy(k.remote.octets, &n, 4);
	return k;
}
