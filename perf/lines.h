/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the lines of 64 octets that code touches in given memory, whatever it does there: the memory is
 * taken away from the process, each access to it faults, is noted, let through by itself, and the memory is
 * taken away again. Some microseconds an access; prefetches do not count, and an access that spans two lines
 * counts for the first.
 *
 * One thread; x86-64 and Linux. Takes SIGSEGV and SIGTRAP while it counts; a fault elsewhere ends the process
 * as ever. No system call may be given that memory meanwhile.
 */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"

#define LINES_OCTETS 64

/* More memory to watch, of whole pages. -ENOSPC: more than a few dozen pieces. */
int lines_watch(void *base, size_t octets, struct err *err);
/* It is about to be unmapped; what is not watched is ignored. */
void lines_forget(const void *base);

void lines_begin(void);
/* How many different lines were touched since. */
unsigned lines_end(void);
