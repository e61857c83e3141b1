/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/renumber.h"

#include "lib/srtp/rtcp_hdr.h"

#define REPORT_LEN 24 /* RFC 3550 section 6.4.1 */
#define SR_REPORTS 28
#define RR_REPORTS 8

/* What is rewritten where, for one compound. */
struct rewrite {
	const struct renumber *forward;
	const struct renumber *reverse;
	uint8_t source;
};

static const struct renumber_slot *by_in(const struct rewrite *w, uint32_t ssrc)
{
	for (uint16_t i = 0; w->forward && i < w->forward->n; i++) {
		const struct renumber_slot *s = renumber_slot(w->forward, i);

		if (s->now.valid && s->now.in_ssrc == ssrc &&
			(w->source == RENUMBER_ANY_SOURCE || w->source == s->now.source))
			return s;
	}
	return NULL;
}

static const struct renumber_slot *by_out(const struct renumber *r, uint32_t ssrc)
{
	for (uint16_t i = 0; r && i < r->n; i++)
		if (renumber_slot(r, i)->now.valid && renumber_slot(r, i)->out_ssrc == ssrc)
			return renumber_slot(r, i);
	return NULL;
}

uint8_t renumber_source_of(const struct renumber *r, uint32_t out_ssrc)
{
	const struct renumber_slot *s = by_out(r, out_ssrc);

	return s ? s->now.source : RENUMBER_ANY_SOURCE;
}

/*
 * An SSRC that has no slot now, but had one, or that names what somebody else's media is sent as: what it
 * says would be taken for the other's word.
 */
static bool is_stale(const struct rewrite *w, uint32_t ssrc)
{
	if (!w->forward || by_in(w, ssrc))
		return false;
	for (uint16_t i = 0; i < w->forward->n; i++) {
		const struct renumber_slot *s = renumber_slot(w->forward, i);
		const struct renumber_run *before = &w->forward->past[i].before;

		if (s->now.valid && before->valid && before->in_ssrc == ssrc && s->now.in_ssrc != ssrc &&
			(w->source == RENUMBER_ANY_SOURCE || w->source == before->source))
			return true;
	}
	return by_out(w->forward, ssrc) != NULL;
}

static void ssrc_forward(const struct rewrite *w, uint8_t *p)
{
	const struct renumber_slot *s = by_in(w, be32_get(p));

	if (s)
		be32_put(p, s->out_ssrc);
}

static void ssrc_reverse(const struct rewrite *w, uint8_t *p)
{
	const struct renumber_slot *s = by_out(w->reverse, be32_get(p));

	if (s)
		be32_put(p, s->now.in_ssrc);
}

/* Which run of the slot an outgoing SEQ is of, taking it as the latest with these 16 bits; *in the source's
 * number, *offset its distance from the outgoing index. */
static const struct renumber_run *run_of(
	const struct renumber *r, const struct renumber_slot *s, uint16_t seq, int64_t *in, int64_t *offset)
{
	const struct renumber_past *past = renumber_past(r, s);
	int64_t high = (int64_t)s->used.end - 1;
	int64_t index = high - (uint16_t)((uint16_t)high - seq);
	bool before = index < (int64_t)past->begin && past->before.valid;

	*offset = before ? past->offset : renumber_offset(s);
	*in = index - *offset;
	return before ? &past->before : &s->now;
}

static void sender_report(const struct rewrite *w, uint8_t *p, size_t n)
{
	const struct renumber_slot *s = by_in(w, be32_get(p + 4));

	if (!s || n < SR_REPORTS)
		return;
	uint32_t ts = be32_get(p + 16);
	const struct renumber_run *m = &s->now, *before = &renumber_past(w->forward, s)->before;

	/* A report may lag behind a restart of its source. */
	if (ts - m->in_ts + RENUMBER_TS_JUMP > 2 * RENUMBER_TS_JUMP && before->valid &&
		before->in_ssrc == m->in_ssrc &&
		ts - before->in_ts + RENUMBER_TS_JUMP <= 2 * RENUMBER_TS_JUMP)
		m = before;
	be32_put(p + 16, ts + m->ts_offset);
}

static void reports(const struct rewrite *w, uint8_t *p, size_t n, unsigned count, size_t at)
{
	for (; count && at + REPORT_LEN <= n; count--, at += REPORT_LEN) {
		const struct renumber_slot *s = by_out(w->reverse, be32_get(p + at));
		int64_t in, offset;

		if (!s)
			continue;
		const struct renumber_run *m = run_of(w->reverse, s, be16_get(p + at + 10), &in, &offset);

		be32_put(p + at, m->in_ssrc);
		be32_put(p + at + 8, (uint32_t)in);
	}
}

/* Chunks of SSRC and items; items end with a zero octet and fill up to a multiple of 4. */
static void source_description(const struct rewrite *w, uint8_t *p, size_t n, unsigned count)
{
	for (size_t at = 4; count && at + 4 <= n; count--) {
		ssrc_forward(w, p + at);
		at += 4;
		while (at < n && p[at]) {
			if (n - at < 2)
				return;
			at += 2u + p[at + 1];
		}
		at = (at + 4) & ~(size_t)3;
	}
}

static void bye(const struct rewrite *w, uint8_t *p, size_t n, unsigned count)
{
	for (size_t at = 4; count && at + 4 <= n; count--, at += 4)
		ssrc_forward(w, p + at);
}

/* RFC 3611 section 4. A block: type, specific, length in words less one. */
static void extended_report(const struct rewrite *w, uint8_t *p, size_t n)
{
	for (size_t at = 8; at + 4 <= n;) {
		uint8_t *b = p + at;
		size_t len = 4 * (be16_get(b + 2) + (size_t)1);
		const struct renumber_slot *s;

		if (len > n - at)
			return;
		switch (b[0]) {
		case 1: /* loss RLE */
		case 2: /* duplicate RLE */
		case 3: /* packet receipt times */
		case 6: /* statistics summary: all four SSRC, begin_seq, end_seq (the one behind the last) */
			s = len >= 12 ? by_out(w->reverse, be32_get(b + 4)) : NULL;
			if (s) {
				int64_t in, offset;
				const struct renumber_run *m =
					run_of(w->reverse, s, (uint16_t)(be16_get(b + 10) - 1), &in, &offset);

				be32_put(b + 4, m->in_ssrc);
				be16_put(b + 8, (uint16_t)(be16_get(b + 8) - offset));
				be16_put(b + 10, (uint16_t)(be16_get(b + 10) - offset));
			}
			break;
		case 5: /* DLRR: sub-blocks of 12 octets, an SSRC first */
			for (size_t sub = 4; sub + 12 <= len; sub += 12)
				ssrc_reverse(w, b + sub);
			break;
		case 7: /* VoIP metrics */
			if (len >= 8)
				ssrc_reverse(w, b + 4);
			break;
		}
		at += len;
	}
}

enum fci { FCI_NONE, FCI_NACK, FCI_ENTRIES_8, FCI_REMB };

/* What of a feedback format names SSRCs or sequence numbers; the rest passes as it is. */
static const struct {
	uint8_t type, format;
	enum fci fci;
} feedback_formats[] = {
	{RTCP_RTPFB, 1, FCI_NACK},      /* RFC 4585 section 6.2.1 */
	{RTCP_RTPFB, 3, FCI_ENTRIES_8}, /* TMMBR, RFC 5104 section 4.2.1 */
	{RTCP_RTPFB, 4, FCI_ENTRIES_8}, /* TMMBN */
	{RTCP_PSFB, 4, FCI_ENTRIES_8},  /* FIR, section 4.3.1 */
	{RTCP_PSFB, 5, FCI_ENTRIES_8},  /* TSTR */
	{RTCP_PSFB, 6, FCI_ENTRIES_8},  /* TSTN */
	{RTCP_PSFB, 15, FCI_REMB},      /* application layer feedback; only REMB is known */
};

static enum fci feedback_fci(const struct rtcp_part *part)
{
	for (size_t i = 0; i < sizeof feedback_formats / sizeof feedback_formats[0]; i++)
		if (feedback_formats[i].type == part->type && feedback_formats[i].format == part->count)
			return feedback_formats[i].fci;
	return FCI_NONE;
}

/* Feedback (RFC 4585 section 6.1): sender SSRC, media SSRC, then what the format says. */
static void feedback(const struct rewrite *w, uint8_t *p, size_t n, enum fci fci)
{
	if (n < 12)
		return;
	const struct renumber_slot *s = by_out(w->reverse, be32_get(p + 8));

	ssrc_reverse(w, p + 8);
	switch (fci) {
	case FCI_NACK: /* PID and a bitmap relative to it */
		for (size_t at = 12; s && at + 4 <= n; at += 4) {
			int64_t in, offset;

			run_of(w->reverse, s, be16_get(p + at), &in, &offset);
			be16_put(p + at, (uint16_t)in);
		}
		break;
	case FCI_ENTRIES_8:
		for (size_t at = 12; at + 8 <= n; at += 8)
			ssrc_reverse(w, p + at);
		break;
	case FCI_REMB: /* "REMB", count, 3 octets of rate, SSRCs */
		if (n < 20 || memcmp(p + 12, "REMB", 4))
			break;
		for (size_t at = 20, count = p[16]; count && at + 4 <= n; count--, at += 4)
			ssrc_reverse(w, p + at);
		break;
	case FCI_NONE:
		break;
	}
}

static void rewrite_part(const struct rewrite *w, uint8_t *p, const struct rtcp_part *part)
{
	size_t n = part->body;

	if (n < RTCP_HDR_LEN)
		return;
	/* What needs the sender's own SSRC comes before its SSRC is rewritten. */
	switch (part->type) {
	case RTCP_SR:
		sender_report(w, p, n);
		reports(w, p, n, part->count, SR_REPORTS);
		break;
	case RTCP_RR:
		reports(w, p, n, part->count, RR_REPORTS);
		break;
	case RTCP_SDES:
		source_description(w, p, n, part->count);
		return;
	case RTCP_BYE:
		bye(w, p, n, part->count);
		return;
	case RTCP_XR:
		extended_report(w, p, n);
		break;
	case RTCP_RTPFB:
	case RTCP_PSFB:
		feedback(w, p, n, feedback_fci(part));
		break;
	}
	ssrc_forward(w, p + 4);
}

/* Says one of its own SSRCs what must not be believed? The first chunk of an SDES is the sender's; a BYE
 * lists several. */
static bool part_is_stale(const struct rewrite *w, const uint8_t *p, const struct rtcp_part *part)
{
	bool list = part->type == RTCP_SDES || part->type == RTCP_BYE;
	unsigned count = part->type == RTCP_BYE ? part->count : 1;

	if (list && !part->count)
		return false;
	for (size_t at = 4; count && at + 4 <= part->body; count--, at += 4)
		if (is_stale(w, be32_get(p + at)))
			return true;
	return false;
}

int renumber_rtcp(
	const struct renumber *forward, const struct renumber *reverse, uint8_t source, uint8_t *p, size_t n)
{
	const struct rewrite w = {forward, reverse, source};
	struct rtcp_walk walk = rtcp_walk_begin(p, n);
	struct rtcp_part part;
	size_t kept = 0;

	if (rtcp_check(p, n))
		return -EBADMSG;
	while (rtcp_walk_next(&walk, &part) > 0) {
		if (part_is_stale(&w, p + part.off, &part))
			continue;
		rewrite_part(&w, p + part.off, &part);
		if (kept != part.off)
			memmove(p + kept, p + part.off, part.len);
		kept += part.len;
	}
	return (int)kept;
}
