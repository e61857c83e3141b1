/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the audit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/audit/chain.h"
#include "lib/base/err.h"

#define AUDIT_PATH_MAX 4096

/* audit_end.c: where the chain of an open file stands, and how many octets of it are whole records. file: its
 * path, beside which the one before is looked for when this one has none. */
int audit_find_end(
	const char *file, int fd, uint64_t size, struct audit_chain *chain, uint64_t *whole, struct err *e);

/* audit_files.c: FILE.n, or FILE itself for 0. */
void audit_path_of(const char *file, unsigned n, char out[AUDIT_PATH_MAX]);
/* Opens path to append to, for this process alone. The descriptor, or a negative errno value; -ENOTSUP: it is
 * no file, and a pipe that is full would stop who writes. */
int audit_open_locked(const char *path, int flags, uint64_t *size);
/* FILE becomes FILE.1, and those behind it go up by one as far as the first number that nobody has; the
 * oldest goes. False: errno. */
bool audit_make_way(const char *file, unsigned max_files);
