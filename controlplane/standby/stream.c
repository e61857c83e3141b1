/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/standby/stream.h"
#include "controlplane/state/journal_private.h"

#define STREAM_VERSION 1
#define BUFFER (2 * STREAM_FRAME_MAX)

_Static_assert(JOURNAL_FRAME + JOURNAL_DATA_MAX <= STREAM_FRAME_MAX, "a frame that never fits");

static const char magic[8] = "SRTPGWS\n";

struct stream_crc {
	uint32_t table[256];
};

struct stream {
	uint32_t crc[256];
	uint32_t records; /* the newest version that is read */
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

void stream_write_hello(struct wbuf *w, uint32_t records)
{
	wbuf_bytes(w, magic, sizeof magic);
	wbuf_u32(w, STREAM_VERSION);
	wbuf_u32(w, records);
}

void stream_write(const struct stream_crc *c, struct wbuf *w, const struct stream_frame *f)
{
	journal_record_write(c->table, w,
		&(struct journal_record){
			.key = f->key, .what = (uint8_t)f->kind, .n = (uint32_t)f->n, .data = f->data});
}

int stream_new(uint32_t records, struct stream **out)
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

/* 1: it was. What stands before it, such as a login banner, is a mistake at its first octet. */
static int greeting(struct stream *s, struct rbuf *in, struct err *e)
{
	uint32_t version, records;

	if (memcmp(in->p, magic, in->left < sizeof magic ? in->left : sizeof magic) != 0)
		return err_set(e, EPROTO, "what came is not from srtpgw-standby send");
	if (in->left < STREAM_HELLO)
		return 0;
	rbuf_bytes(in, sizeof magic);
	version = rbuf_u32(in);
	records = rbuf_u32(in);
	if (version != STREAM_VERSION)
		return err_set(e, EPROTO, "the stream has version %u, this program reads %u", version,
			STREAM_VERSION);
	if (records > s->records)
		return err_set(e, EPROTO,
			"calls have version %u there, this program reads up to %u: install the newer one here",
			records, s->records);
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
