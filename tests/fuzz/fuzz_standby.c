/* SPDX-License-Identifier: Apache-2.0 */
/* The stream to a standby: the same frames however it is cut, within bounds and in their order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/standby/stream.h"
#include "controlplane/state/journal.h"

static const struct stream_versions records = {.oldest = {[STREAM_REGISTRATIONS] = 0x81},
	.newest = {[STREAM_CALLS] = 3, [STREAM_REGISTRATIONS] = 0x81}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	unsigned n;
	uint32_t sum;
	int end;
};

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void look(struct result *r, const struct stream_frame *f)
{
	r->n++;
	r->sum = r->sum * 31 + f->kind + (uint32_t)f->key;
	expect(f->n <= JOURNAL_DATA_MAX && f->kind <= STREAM_BEAT);
	expect(f->n == 0 || f->kind == JOURNAL_TOLD_PUT);
	expect(r->n > 1 || f->kind == JOURNAL_TOLD_BEGIN || f->kind == STREAM_BEAT);
	for (size_t i = 0; i < f->n; i++)
		r->sum += ((const uint8_t *)f->data)[i];
}

static struct result feed(const uint8_t *data, size_t size, size_t step)
{
	struct result r = {.end = 0};
	struct stream_frame f;
	struct stream *s;
	struct err e = {0};

	expect(stream_new(&records, &s) == 0);
	while (size && r.end == 0) {
		size_t room, n = size < step ? size : step;
		void *at = stream_room(s, &room);

		expect(room > 0);
		n = n < room ? n : room;
		memcpy(at, data, n);
		stream_filled(s, n);
		data += n;
		size -= n;
		while ((r.end = stream_next(s, &f, &e)) == 1)
			look(&r, &f);
	}
	expect(r.end == 0 || e.text[0]);
	stream_free(s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole = feed(data, size, size), single = feed(data, size, 1);

	expect(whole.n == single.n && whole.sum == single.sum && whole.end == single.end);
	return 0;
}
