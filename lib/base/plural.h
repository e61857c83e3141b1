/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of things, in what people read. */
#pragma once

#include <stdint.h>

/* The noun's ending after n: "" of one, else "s". */
static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}
