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

/* The file's last line that is no checkpoint, as of audit_last(). */
char *audit_find_last(int fd, uint64_t size);

/* audit_files.c: FILE.n, or FILE itself for 0. */
void audit_path_of(const char *file, unsigned n, char out[AUDIT_PATH_MAX]);
/* Opens path to append to, for this process alone. The descriptor, or a negative errno value; -ENOTSUP: it is
 * no file, and a pipe that is full would stop who writes. */
int audit_open_locked(const char *path, int flags, uint64_t *size);
/* What is at next becomes FILE, which becomes FILE.1, and so on: see audit.h. With max_files 0 FILE goes. The
 * names are on the disk. False with errno: FILE is what it was. */
bool audit_replace(const char *file, const char *next, unsigned max_files);
/* A process that was killed within audit_replace() may have left FILE, open as fd, with FILE.1 for a second
 * name, and would write on in a file that counts as closed. */
void audit_undo_replace(const char *file, int fd);
/* On the disk: the names in the folder that path is in. -1: errno. */
int audit_sync_folder(const char *path);
