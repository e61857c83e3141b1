/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities that interfaces of the kernel's need: said by name where something fails for lack of one.
 */
#pragma once

#include <stddef.h>

#define PRIVILEGES_TEXT_MAX 80

/*
 * Those that this process has not, as "CAP_NET_ADMIN, CAP_BPF"; "" where it has them all, or may do without
 * (CAP_SYS_ADMIN stands for CAP_BPF, an unlimited RLIMIT_MEMLOCK for CAP_IPC_LOCK).
 */
void privileges_missing(char *out, size_t cap);
