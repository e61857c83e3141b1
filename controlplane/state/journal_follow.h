/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal that another process writes, read as it is written. Takes no lock and writes nothing, so the
 * writer never notices; it may crash, start again, begin segments and remove them at any time, also much
 * faster than this reads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct journal_follow; /* opaque; one thread */

/*
 * What is told, in this order: BEGIN, a PUT for every key that lives, STANDS (its key: how many). From then
 * on PUT and REMOVE as they are appended; TURN: the writer begins to put all again that lives; TRIM: it has,
 * and a key that was not put since TURN is gone. BEGIN can come again at any time: everything is told anew,
 * and what is not is gone.
 */
enum journal_told {
	JOURNAL_TOLD_REMOVE, /* the first two are numbered as in a segment */
	JOURNAL_TOLD_PUT,
	JOURNAL_TOLD_BEGIN,
	JOURNAL_TOLD_STANDS,
	JOURNAL_TOLD_TURN,
	JOURNAL_TOLD_TRIM,
};

/* 0: go on. Anything negative ends the poll with it; journal_follow_free() is all that may follow. Data lives
 * during the call. */
typedef int journal_tell(void *arg, enum journal_told what, uint64_t key, const void *data, size_t n);

/* Nothing is opened yet: the directory may come later. -ENOMEM. */
int journal_follow_new(const char *directory, struct journal_follow **out);
void journal_follow_free(struct journal_follow *f); /* NULL is ignored */

/*
 * Tells what there is to tell, up to the end of what is written now. 1: that is everything; 0: there is no
 * journal yet, or not any more (nothing is concluded from that), or it changed so fast that the next poll has
 * to look again. -EPROTO: a journal of another version; else from tell() or the system.
 */
int journal_follow_poll(struct journal_follow *f, journal_tell *tell, void *arg);
