/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to survive the process, by key: the newest octets of each. A directory of segments, to which
 * records are appended; the newest record of a key counts. It survives kill -9 (what was flushed is the
 * kernel's), not the machine: meant for a tmpfs. A segment that a crash tore is read up to the tear.
 *
 * Bounded by its owner: when journal_due() says so, journal_turn(), every live key put again (as slowly as it
 * likes), journal_trim(). One owner, one thread, one process: the directory is locked.
 *
 * A segment: "SRTPGWJ\n", version and zero (32 bits each), then records: length of the data, CRC-32C of all
 * that follows it in the record (32 bits each), key (64 bits), 1 to put or 0 to remove (8 bits), data.
 * Integers in network byte order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define JOURNAL_DATA_MAX (128u << 10) /* octets of one record */

struct journal; /* opaque */

/*
 * Makes the directory (0700) and begins a new segment in it; older ones stay for journal_read(). -EBUSY: a
 * process has it open, and *e says which; others from the system. *e names the path and says what is wrong.
 */
int journal_open(const char *directory, struct journal **out, struct err *e);
void journal_free(struct journal *j); /* what was not flushed is lost; NULL is ignored */

struct journal_found {
	uint32_t segments, records; /* read */
	uint32_t torn;              /* segments that end in the middle of a record, or are no segments */
};

/*
 * Calls record() with the newest data of every key that the older segments hold and was not removed; data
 * lives during the call. -ENOMEM, or from the system: nothing was called then.
 */
int journal_read(struct journal *j, void (*record)(void *arg, uint64_t key, const void *data, size_t n),
	void *arg, struct journal_found *found);

/* Appended when it is flushed; that happens by itself when much has gathered. -E2BIG; as journal_flush(). */
int journal_put(struct journal *j, uint64_t key, const void *data, size_t n);
int journal_remove(struct journal *j, uint64_t key);
/*
 * Hands what has gathered to the system. A failure (-ENOSPC, ..) loses it: journal_turn() and put all that is
 * live again, later.
 */
int journal_flush(struct journal *j);

/* Has the segment grown to more than twice the `live` octets that its newest records have? */
bool journal_due(const struct journal *j, uint64_t live);
/* A new segment is begun; those that there are stay until journal_trim(). From the system. */
int journal_turn(struct journal *j);
/* All older segments are removed: everything live is in the current one, and flushed. */
void journal_trim(struct journal *j);

/* Octets that a record of n octets of data takes. */
size_t journal_record_octets(size_t n);
