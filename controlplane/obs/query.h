/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter can be about, before the state is written: which parts of it, and which calls. It only ever
 * leaves out what the filter surely does not select; the filter itself is applied to what was written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ly_ctx;

/* Parts of the state that cost something to write. The rest is always written. */
enum query_part {
	QUERY_CALL = 1 << 0,       /* the list of calls */
	QUERY_STATISTICS = 1 << 1, /* the data plane has to be asked */
	QUERY_TRUNKS = 1 << 2,
	QUERY_CERTIFICATES = 1 << 3,
	QUERY_MANAGEMENT = 1 << 4, /* sessions and commits */
	QUERY_MONITORING = 1 << 5, /* ietf-netconf-monitoring, and the streams of nc-notifications */
	QUERY_CONFIG = 1 << 6,     /* what is configured */
	QUERY_MEDIA = 1 << 7,      /* links of media interfaces: the data plane has to be asked */
	QUERY_ALL = (1 << 8) - 1,
};

#define QUERY_TEXT 72

struct query {
	unsigned parts; /* enum query_part */
	/* Only calls that are so; "" means any. */
	char id[QUERY_TEXT], state[QUERY_TEXT], ingress_trunk[QUERY_TEXT], egress_trunk[QUERY_TEXT];
	unsigned limit;         /* at most so many calls, the newest; 0: all, unless there are too many */
	char after[QUERY_TEXT]; /* only calls that began before this one; "": no such limit */
};

/* Both NULL: everything. An expression that means nothing to libyang asks for everything too: whoever applies
 * it says what is wrong with it. */
void query_make(const struct ly_ctx *ctx, const char *xpath, const char *subtree, struct query *out);
