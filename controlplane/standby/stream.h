/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes from the active machine to the standby: "SRTPGWS\n", version of the stream, how many kinds of
 * records there are, each kind and its version (32 bits each), then frames, each as a record of a segment
 * (controlplane/state/journal.h): what journal_follow.h tells, by its numbers, and BEAT each second. Only PUT
 * has data. The parser takes octets as they come and holds one frame at most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/state/journal_follow.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

enum stream_kind {
	/* key 1: all that is written so far was sent; 0: there is no journal */
	STREAM_BEAT = JOURNAL_TOLD_TRIM + 1,
};

struct stream_frame {
	unsigned kind; /* enum journal_told or enum stream_kind */
	uint64_t key;
	const void *data; /* a view; until the next call */
	size_t n;
};

enum stream_records { STREAM_CALLS = 1, STREAM_REGISTRATIONS, STREAM_RECORDS };

/* By kind, from STREAM_CALLS on: what this program takes over; it writes the newest. */
struct stream_versions {
	uint32_t oldest[STREAM_RECORDS], newest[STREAM_RECORDS];
};

#define STREAM_HELLO (16 + 8 * (STREAM_RECORDS - 1)) /* octets */
#define STREAM_FRAME_MAX (129u << 10)

/* Into w, which has room for STREAM_HELLO, for STREAM_FRAME_MAX. */
void stream_write_hello(struct wbuf *w, const struct stream_versions *records);
struct stream_crc;                           /* opaque: a table */
int stream_crc_new(struct stream_crc **out); /* free() ends it */
void stream_write(const struct stream_crc *c, struct wbuf *w, const struct stream_frame *f);

struct stream; /* opaque: the parser */
/* records: borrowed. -ENOMEM. */
int stream_new(const struct stream_versions *records, struct stream **out);
void stream_free(struct stream *s);

/* Where to put what was read next, and how much fits (never 0); then how much it was. */
void *stream_room(struct stream *s, size_t *n);
void stream_filled(struct stream *s, size_t n);
/*
 * 1: a frame; 0: it needs more. -EPROTONOSUPPORT: the active machine has records of a kind or version that is
 * not read here, or a stream of another version; -EPROTO: damage, a frame that does not belong there; *e says
 * which. What it gives keeps journal_follow.h's order: nothing before BEGIN, only PUT between BEGIN and
 * STANDS, and as many as STANDS says.
 */
int stream_next(struct stream *s, struct stream_frame *f, struct err *e);
/* Was the greeting read, and is nothing of a frame left over? */
bool stream_greeted(const struct stream *s);
bool stream_whole(const struct stream *s);
