/* SPDX-License-Identifier: Apache-2.0 */
/* The bench with an audit and calls that are kept, for tests of what a crash leaves of both. */
#pragma once

#include "tests/unit/b2bua_audit.h"

static struct audit *audit;

static inline int setup(void **state)
{
	int rc = bench_setup(state);

	audit = audit_begin();
	bench_keep_calls();
	return rc;
}

static inline int teardown(void **state)
{
	audit_end(audit);
	return bench_teardown(state);
}
