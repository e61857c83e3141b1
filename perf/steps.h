/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the instructions that this thread goes through, those of libraries too: the processor stops behind
 * each (TF) and a signal handler counts. Some microseconds an instruction. The same code over the same
 * packets has the same count, whatever else the machine does, and on every machine with the same vector
 * instructions.
 *
 * One thread; x86-64 and Linux. Takes SIGTRAP while it counts.
 */
#pragma once

#include <stdint.h>

void steps_begin(void);
/* Instructions since. */
uint64_t steps_end(void);
