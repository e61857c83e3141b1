/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are whole or not there: after a power cut the old text or the new, never a part. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Writes "PATH.tmp", fsync, rename, fsync of the folder. An existing file's mode and owner are kept; else it
 * gets mode. The names of both are in e.
 */
int file_replace(const char *path, struct str text, unsigned mode, struct err *e);
/* SHA-256: tells whether a text is the one that was read or written before. */
struct file_digest {
	uint8_t octets[32];
};
struct file_digest file_digest(struct str text);

/* All of it, NUL-terminated behind *n octets, free() it. -ENOENT and others. */
int file_read(const char *path, size_t max, char **out, size_t *n, struct err *e);
