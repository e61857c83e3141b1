/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the bench that another process has taken over. */
#pragma once

#include "tests/unit/b2bua_bench.h"

/* Both peers are asked whether they still have the call, and have it. */
static inline void both_have_it(struct phone *a, struct phone *b)
{
	pass(1100);
	for (struct phone *const *p = (struct phone *[]){a, b, NULL}; *p; p++) {
		hear(*p, "OPTIONS");
		reply(*p, "200 OK");
	}
	silence(NULL);
}
