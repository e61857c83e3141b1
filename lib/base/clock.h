/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks: one that never jumps for intervals, one that people read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* DPDK has one too, an int that overflows when multiplied: include its headers before this one. */
#undef NS_PER_S
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC, nanoseconds */
uint64_t clock_wall_ms(void); /* CLOCK_REALTIME, milliseconds since 1970 */

/* Between two times of the clock that people read; 0 when it was set back in between. */
static inline uint64_t clock_between_ms(uint64_t from_ms, uint64_t to_ms)
{
	return to_ms > from_ms ? to_ms - from_ms : 0;
}

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with milliseconds, such as 2026-11-20T13:22:38.125Z. Returns buf. */
const char *clock_text(uint64_t wall_ms, char buf[CLOCK_TEXT_MAX]);
