/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the audit. */
#pragma once

#include <stdint.h>

#include "lib/audit/chain.h"
#include "lib/base/err.h"

#define AUDIT_PATH_MAX 4096

/* audit_end.c: where the chain of an open file stands, and how many octets of it are whole records. file: its
 * path, beside which the one before is looked for when this one has none. */
int audit_find_end(
	const char *file, int fd, uint64_t size, struct audit_chain *chain, uint64_t *whole, struct err *e);
