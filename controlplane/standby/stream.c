/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/standby/stream.h"
#include "controlplane/state/journal_private.h"

#define STREAM_VERSION 2
#define KINDS_MAX 16 /* of records: far more than there will be */
/* Programs with a stream of version 1 tell the version of calls alone, and write registrations as this. */
#define REGISTRATIONS_OF_1 0x81
#define BUFFER (2 * STREAM_FRAME_MAX)

_Static_assert(JOURNAL_FRAME + JOURNAL_DATA_MAX <= STREAM_FRAME_MAX, "a frame that never fits");

static const char magic[8] = "SRTPGWS\n";

struct stream_crc {
	uint32_t table[256];
};

struct stream {
	uint32_t crc[256];
	const struct stream_versions *records; /* that are read */
	bool greeted, begun, stands;
	uint64_t puts; /* since BEGIN */
	size_t from, have;
	uint8_t buffer[BUFFER];
};

int stream_crc_new(struct stream_crc **out)
{
	*out = malloc(sizeof **out);
	if (!*out)
		return -ENOMEM;
	journal_crc_table((*out)->table);
	return 0;
}

void stream_write_hello(struct wbuf *w, const struct stream_versions *records)
{
	wbuf_bytes(w, magic, sizeof magic);
	wbuf_u32(w, STREAM_VERSION);
	wbuf_u32(w, STREAM_RECORDS - 1);
	for (uint32_t kind = STREAM_CALLS; kind < STREAM_RECORDS; kind++) {
		wbuf_u32(w, kind);
		wbuf_u32(w, records->newest[kind]);
	}
}

void stream_write(const struct stream_crc *c, struct wbuf *w, const struct stream_frame *f)
{
	journal_record_write(c->table, w,
		&(struct journal_record){
			.key = f->key, .what = (uint8_t)f->kind, .n = (uint32_t)f->n, .data = f->data});
}

int stream_new(const struct stream_versions *records, struct stream **out)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	journal_crc_table(s->crc);
	s->records = records;
	*out = s;
	return 0;
}

void stream_free(struct stream *s)
{
	free(s);
}

void *stream_room(struct stream *s, size_t *n)
{
	memmove(s->buffer, s->buffer + s->from, s->have - s->from);
	s->have -= s->from;
	s->from = 0;
	*n = BUFFER - s->have;
	return s->buffer + s->have;
}

void stream_filled(struct stream *s, size_t n)
{
	s->have += n;
}

bool stream_greeted(const struct stream *s)
{
	return s->greeted;
}

bool stream_whole(const struct stream *s)
{
	return s->from == s->have;
}

static int check_records(const struct stream *s, uint32_t kind, uint32_t version, struct err *e)
{
	static const char *const names[] = {
		[STREAM_CALLS] = "calls", [STREAM_REGISTRATIONS] = "registrations"};

	if (kind < STREAM_CALLS || kind >= STREAM_RECORDS)
		return err_set(e, EPROTONOSUPPORT,
			"records of kind %u are there, which this program does not know: install the newer one here",
			kind);
	if (version > s->records->newest[kind])
		return err_set(e, EPROTONOSUPPORT,
			"%s have version %u there, this program reads up to %u: install the newer one here",
			names[kind], version, s->records->newest[kind]);
	if (version < s->records->oldest[kind])
		return err_set(e, EPROTONOSUPPORT,
			"%s have version %u there, this program reads from %u on: install the newer one there",
			names[kind], version, s->records->oldest[kind]);
	return 0;
}

static int greeting_of_1(const struct stream *s, uint32_t calls, struct err *e)
{
	int rc = check_records(s, STREAM_CALLS, calls, e);

	return rc < 0 ? rc : check_records(s, STREAM_REGISTRATIONS, REGISTRATIONS_OF_1, e);
}

/* 1: it was. What stands before it, such as a login banner, is a mistake at its first octet. */
static int greeting(struct stream *s, struct rbuf *in, struct err *e)
{
	uint32_t version, n;
	int rc = 0;

	if (memcmp(in->p, magic, in->left < sizeof magic ? in->left : sizeof magic) != 0)
		return err_set(e, EPROTO, "what came is not from srtpgw-standby send");
	if (in->left < sizeof magic + 8)
		return 0;
	rbuf_bytes(in, sizeof magic);
	version = rbuf_u32(in);
	n = rbuf_u32(in);
	if (version < 1 || version > STREAM_VERSION)
		return err_set(e, EPROTONOSUPPORT, "the stream has version %u, this program reads up to %u",
			version, STREAM_VERSION);
	if (version > 1 && n > KINDS_MAX)
		return err_set(e, EPROTO, "the stream is damaged");
	if (version > 1 && in->left < 8 * n)
		return 0;
	if (version == 1)
		rc = greeting_of_1(s, n, e);
	for (uint32_t i = 0; version > 1 && rc == 0 && i < n; i++) {
		uint32_t kind = rbuf_u32(in);

		rc = check_records(s, kind, rbuf_u32(in), e);
	}
	if (rc < 0)
		return rc;
	s->greeted = true;
	return 1;
}

/* Does it belong here? */
static bool in_order(struct stream *s, const struct journal_record *r)
{
	if (r->n && r->what != JOURNAL_PUT)
		return false;
	switch (r->what) {
	case STREAM_BEAT:
		return true;
	case JOURNAL_TOLD_BEGIN:
		s->begun = true;
		s->stands = false;
		s->puts = 0;
		return true;
	case JOURNAL_TOLD_STANDS:
		if (!s->begun || s->stands || r->key != s->puts)
			return false;
		s->stands = true;
		return true;
	case JOURNAL_TOLD_PUT:
		s->puts++;
		return s->begun;
	default:
		return s->stands;
	}
}

int stream_next(struct stream *s, struct stream_frame *f, struct err *e)
{
	struct rbuf in = rbuf_make(s->buffer + s->from, s->have - s->from);
	struct journal_record r;
	int rc = 1;

	if (!s->greeted)
		rc = greeting(s, &in, e);
	if (rc != 1)
		return rc;
	rc = journal_record_read(s->crc, &in, STREAM_BEAT, &r);
	s->from = s->have - in.left;
	if (rc == -EAGAIN)
		return 0;
	if (rc < 0)
		return err_set(e, EPROTO, "the stream is damaged");
	if (!in_order(s, &r))
		return err_set(e, EPROTO, "the stream has something where it does not belong");
	*f = (struct stream_frame){.kind = r.what, .key = r.key, .data = r.data, .n = r.n};
	return 1;
}
