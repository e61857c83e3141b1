/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit: records that nobody changes unseen, in a file of chained lines (lib/audit/chain.h). Each record
 * is one write(2): what was written survives the end of the process, and the next one goes on with the chain.
 * Every so many records, at the latest when the audit is asked to after a while, and at its end a checkpoint
 * is signed. A file that is full is renamed to FILE.1, FILE.1 to FILE.2 and so on; the oldest goes. Before
 * that it is on the disk as a whole, and so is the beginning of the next one, a checkpoint (behind the record
 * of what happened where somebody else took the file, below; the first of all begins with its first record):
 * those that are closed may be moved away at any time.
 *
 * The file that is written should not be: when somebody moves, removes or cuts it the chain goes on in a new
 * one at its path, with a record of type "file" that says what happened. Where there can be none with that in
 * it (another file with something in it has the path, the folder cannot be written, the disk is full) a file
 * that was moved is written on where it is; of one that was removed records are lost, and counted.
 *
 * The key is FILE.key, made when it is not there (Ed25519, PEM, mode 0600); its public half is FILE.pub.
 * Runs on the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct audit;
struct evp_pkey_st;

struct audit_conf {
	const char *file;
	uint64_t max_octets;         /* of one file */
	unsigned max_files;          /* besides the one that is written; 0: a full one is removed */
	uint32_t checkpoint_records; /* at least 1 */
	uint32_t checkpoint_s;
};

/* -errno with e: the file or its key cannot be made, read or written. conf is copied. */
int audit_open(const struct audit_conf *conf, struct audit **out, struct err *e);
/* Would audit_open() take what is there now? Nothing is made or changed; another process may write it. */
int audit_check(const char *file, struct err *e);
/* Other limits for the same file. */
void audit_change(struct audit *a, const struct audit_conf *conf);
/* Signs what is not signed yet. NULL is ignored. */
void audit_close(struct audit *a);

/* members: the record, a JSON object's members without braces or line ends. One that cannot be written is
 * counted and logged; the chain goes on without it, and a record of type "gap" says how many are missing there as soon
 * as it can be written. a NULL: nobody keeps records. */
void audit_write(struct audit *a, struct str members, uint64_t wall_ms);
/* The gap, when there is one and it can be written; a checkpoint, when the last one is long ago and there is
 * something to sign; whether the file is still there. Call it every few seconds. */
void audit_tick(struct audit *a, uint64_t wall_ms);

/* The file is closed now, though it is not full. -ENODATA: there is no record in it; or another negative
 * errno value: it stays as it is. e says which in both cases. */
struct audit_closed {
	char file[4096]; /* where it is */
	uint64_t last;   /* number of its last record, a checkpoint */
};
int audit_rotate(struct audit *a, uint64_t wall_ms, struct audit_closed *out, struct err *e);

/* The last record that is no checkpoint, as its line without the line end; the caller frees it. NULL: there
 * is none among the last of the file, no memory, or a is NULL. */
char *audit_last(const struct audit *a);

struct audit_counters {
	uint64_t records, failed; /* written, and not written */
	uint64_t taken;           /* times that somebody else moved, removed or cut the file */
	bool losing;              /* the last record could not be written */
	bool away;                /* the file is not at its path, and there can be no other */
};
struct audit_counters audit_counters(const struct audit *a);

/* audit_key.c: reads FILE.key, or makes it and FILE.pub. begun: there are records; what signed them is not
 * made anew. */
int audit_key_open(const char *file, bool begun, struct evp_pkey_st **out, struct err *e);
/* -ENOENT with e: the key is missing, and there are records. */
int audit_key_check(const char *file, bool begun, struct err *e);
