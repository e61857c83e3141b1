/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/framing.h"

#include <string.h>

#define END_OF_MESSAGE "]]>]]>"
#define END_OCTETS (sizeof END_OF_MESSAGE - 1)
#define CHUNK_MAX 4294967295u /* RFC 6242, section 4.2 */
#define CHUNK_DIGITS 10

/* LF HASH SIZE... LF data, again and again, then LF HASH HASH LF. */
enum state { WANT_LF, WANT_HASH, WANT_SIZE_OR_HASH, WANT_SIZE_OR_LF, WANT_DATA, WANT_END_LF };

void framing_free(struct framing *f)
{
	text_free(&f->message);
}

void framing_use_chunks(struct framing *f)
{
	f->chunked = true;
	f->state = WANT_LF;
	f->any_chunk = false;
}

static struct str cut(struct str *input, size_t n)
{
	struct str head = str_sub(*input, 0, n);

	*input = str_sub(*input, n, input->n - n);
	return head;
}

/* The marker may begin in one read and end in another, so its end is looked for in what was gathered. */
static enum framing_event take_marked(struct framing *f, struct str *input)
{
	struct text *m = &f->message;

	while (input->n) {
		ptrdiff_t at = str_chr(*input, '>');

		text_str(m, cut(input, at < 0 ? input->n : (size_t)at + 1));
		if (m->failed)
			return FRAMING_TOO_BIG;
		if (at >= 0 && m->n >= END_OCTETS &&
			memcmp(m->p + m->n - END_OCTETS, END_OF_MESSAGE, END_OCTETS) == 0) {
			m->n -= END_OCTETS;
			return FRAMING_MESSAGE;
		}
	}
	return FRAMING_MORE;
}

static bool expect(struct framing *f, char c, char wanted, enum state next)
{
	f->state = next;
	return c == wanted;
}

/* One octet of a chunk's size, or the LF behind it. */
static bool take_size(struct framing *f, char c)
{
	if (c == '\n' && f->digits) {
		f->state = WANT_DATA;
		f->any_chunk = true;
		return true;
	}
	if (c < (f->digits ? '0' : '1') || c > '9' || ++f->digits > CHUNK_DIGITS)
		return false;
	f->octets = f->octets * 10 + (uint64_t)(c - '0');
	f->state = WANT_SIZE_OR_LF;
	return f->octets <= CHUNK_MAX;
}

/* One octet outside of chunk data. */
static bool take_mark(struct framing *f, char c)
{
	switch ((enum state)f->state) {
	case WANT_LF:
		return expect(f, c, '\n', WANT_HASH);
	case WANT_HASH:
		f->octets = 0;
		f->digits = 0;
		return expect(f, c, '#', WANT_SIZE_OR_HASH);
	case WANT_SIZE_OR_HASH:
		if (c == '#' && f->any_chunk)
			return expect(f, c, '#', WANT_END_LF);
		return take_size(f, c);
	case WANT_SIZE_OR_LF:
		return take_size(f, c);
	case WANT_END_LF:
		f->any_chunk = false;
		return expect(f, c, '\n', WANT_LF);
	case WANT_DATA:
		break;
	}
	return false;
}

static enum framing_event take_chunked(struct framing *f, struct str *input)
{
	while (input->n) {
		if (f->state == WANT_DATA) {
			size_t n = input->n < f->octets ? input->n : (size_t)f->octets;

			text_str(&f->message, cut(input, n));
			if (f->message.failed)
				return FRAMING_TOO_BIG;
			f->octets -= n;
			if (f->octets == 0)
				f->state = WANT_LF;
			continue;
		}
		bool at_end = f->state == WANT_END_LF;

		if (!take_mark(f, *cut(input, 1).p))
			return FRAMING_BROKEN;
		if (at_end)
			return FRAMING_MESSAGE;
	}
	return FRAMING_MORE;
}

enum framing_event framing_take(struct framing *f, struct str *input)
{
	if (f->whole)
		text_reset(&f->message);
	f->message.max = FRAMING_MESSAGE_MAX + END_OCTETS;
	enum framing_event event = f->chunked ? take_chunked(f, input) : take_marked(f, input);

	f->whole = event == FRAMING_MESSAGE;
	return event;
}

void framing_put(struct text *out, struct str message, bool chunked)
{
	if (chunked)
		text_fmt(out, "\n#%zu\n", message.n);
	text_str(out, message);
	text_z(out, chunked ? "\n##\n" : END_OF_MESSAGE);
}
