/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP says the same as the RTP that it goes with, in both directions, after every change of offsets. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/renumber.h"
#include "lib/srtp/rtcp_hdr.h"

#define A 0xa0a0a0a0u  /* the source at first */
#define A2 0xa2a2a2a2u /* and after it changed its SSRC */
#define B 0xb0b0b0b0u  /* the other side's source */
#define B_OUT B
#define X 0x01020304u /* nobody's */

/*
 * a_to_b maps what the A side sends towards B, b_to_a the other way. A restarted and then became A2 under the
 * outgoing SSRC A. B began at SEQ 40000, which left as 7232, and restarted at 100 when 7331 had been sent.
 */
struct call {
	struct renumber a_to_b, b_to_a;
	struct renumber_slot slots[4];
	struct renumber_past past[4];
	uint64_t windows[4 * 2];
	uint32_t now_ms;
	uint32_t a_ts_offset; /* of A2 */
};

static struct renumber_packet send(
	struct call *c, struct renumber *r, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
	struct renumber_packet p = {.ssrc = ssrc, .seq = seq, .ts = ts, .now_ms = c->now_ms += 20};
	struct renumber_slot *last = NULL;

	assert_int_equal(renumber_packet_map(r, &last, &p), RENUMBER_SEND);
	return p;
}

static struct call *call_open(void)
{
	struct call *c = calloc(1, sizeof *c);
	struct renumber_packet p = {0};

	assert_non_null(c);
	assert_int_equal(renumber_init(&c->a_to_b, c->slots, c->slots + 1, c->past, 2, c->windows, 64, 1), 0);
	assert_int_equal(
		renumber_init(&c->b_to_a, c->slots + 2, c->slots + 3, c->past + 2, 2, c->windows + 4, 64, 2),
		0);
	for (uint16_t i = 0; i < 100; i++)
		p = send(c, &c->a_to_b, A, (uint16_t)(1000 + i), 160u * i);
	p = send(c, &c->a_to_b, A2, 9, 0x77000000);
	assert_int_equal(p.out_ssrc, A);
	c->a_ts_offset = p.out_ts - p.ts;
	for (uint16_t i = 0; i < 100; i++)
		p = send(c, &c->b_to_a, B, (uint16_t)(40000 + i), 160u * i);
	assert_int_equal(p.out_index, 7331);
	for (uint16_t i = 0; i < 10; i++)
		p = send(c, &c->b_to_a, B, (uint16_t)(100 + i), 0x11000000u + 160u * i);
	assert_int_equal(p.out_index, 7341);
	return c;
}

/* A packet of 32-bit words, host order; the length field is set. Returns octets. */
static size_t words(uint8_t *p, unsigned n, ...)
{
	va_list ap;

	va_start(ap, n);
	for (unsigned i = 0; i < n; i++)
		be32_put(p + 4 * i, va_arg(ap, uint32_t));
	va_end(ap);
	be16_put(p + 2, (uint16_t)(n - 1));
	return 4 * (size_t)n;
}

#define WORD(p, i) be32_get((p) + 4 * (i))

static void sender_report_and_description(void **state)
{
	(void)state;
	struct call *c = call_open();
	uint8_t p[128];
	size_t n = words(p, 13, 0x81c80000u, A2, 0xd0000001u, 0xd0000002u, 0x77000050u, 10u, 1600u,
		/* a report about B: lost 1/256, 3 in all, highest SEQ 7341 of cycle 5, jitter, LSR, DLSR */
		B_OUT, 0x01000003u, 0x0005u << 16 | 7341u, 4u, 5u, 6u);

	n += words(p + n, 4, 0x81ca0000u, A2, 0x01046142u, 0x63640000u);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 1), A);
	assert_int_equal(WORD(p, 2), 0xd0000001u);
	assert_int_equal(WORD(p, 4), 0x77000050u + c->a_ts_offset);
	assert_int_equal(WORD(p, 5), 10);
	assert_int_equal(WORD(p, 7), B);
	assert_int_equal(WORD(p, 8), 0x01000003u);
	assert_int_equal(WORD(p, 9), 109); /* what B numbered so */
	assert_int_equal(WORD(p, 10), 4);
	assert_int_equal(WORD(p, 14), A);
	free(c);
}

/* A report about packets from before the restart is told in the numbers of before. */
static void reports_across_a_restart(void **state)
{
	(void)state;
	struct call *c = call_open();
	static const struct {
		uint32_t out, in;
	} cases[] = {{7341, 109}, {7332, 100}, {7331, 40099}, {7300, 40068}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t p[64];
		size_t n = words(p, 8, 0x81c90000u, A2, B_OUT, 0u, cases[i].out, 0u, 0u, 0u);

		assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
		assert_int_equal(WORD(p, 1), A);
		assert_int_equal(WORD(p, 2), B);
		assert_int_equal(WORD(p, 4), cases[i].in);
	}
	free(c);
}

static void feedback_names_the_source(void **state)
{
	(void)state;
	struct call *c = call_open();
	uint8_t p[64];
	/* NACK of 7340 and, by the bitmap, 7341; then 7331 of the run before */
	size_t n = words(p, 5, 0x81cd0000u, A2, B_OUT, 7340u << 16 | 1u, 7331u << 16);

	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 1), A);
	assert_int_equal(WORD(p, 2), B);
	assert_int_equal(WORD(p, 3), 108u << 16 | 1u);
	assert_int_equal(WORD(p, 4), 40099u << 16);

	/* From B's side about the media that A2 sends as A: PLI, FIR, TMMBR, REMB. */
	n = words(p, 3, 0x81ce0000u, B, A);
	assert_int_equal(renumber_rtcp(&c->b_to_a, &c->a_to_b, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 1), B_OUT);
	assert_int_equal(WORD(p, 2), A2);

	n = words(p, 7, 0x84ce0000u, B, 0u, A, 0x05000000u, X, 0x06000000u);
	assert_int_equal(renumber_rtcp(&c->b_to_a, &c->a_to_b, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 2), 0);
	assert_int_equal(WORD(p, 3), A2);
	assert_int_equal(WORD(p, 4), 0x05000000u);
	assert_int_equal(WORD(p, 5), X);

	n = words(p, 5, 0x83cd0000u, B, 0u, A, 0x12345678u);
	assert_int_equal(renumber_rtcp(&c->b_to_a, &c->a_to_b, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 3), A2);
	assert_int_equal(WORD(p, 4), 0x12345678u);

	n = words(p, 7, 0x8fce0000u, B, 0u, 0x52454d42u, 0x02001000u, A, X);
	assert_int_equal(renumber_rtcp(&c->b_to_a, &c->a_to_b, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 5), A2);
	assert_int_equal(WORD(p, 6), X);

	/* Transport-wide feedback counts packets, not sequence numbers of one SSRC: only the SSRCs change. */
	n = words(p, 5, 0x8fcd0000u, B, A, 0x1ccd0001u, 0x12345678u);
	assert_int_equal(renumber_rtcp(&c->b_to_a, &c->a_to_b, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 2), A2);
	assert_int_equal(WORD(p, 3), 0x1ccd0001u);
	free(c);
}

static void extended_reports(void **state)
{
	(void)state;
	struct call *c = call_open();
	uint8_t p[128];
	/* Loss RLE of 7332..7341, DLRR, VoIP metrics cut to its SSRC, receiver reference time */
	size_t n = words(p, 2 + 4 + 4 + 2 + 3, 0x80cf0000u, A2, 0x01000003u, B_OUT, 7332u << 16 | 7342u,
		0x40000000u, 0x05000003u, B_OUT, 1u, 2u, 0x07000001u, B_OUT, 0x04000002u, 0xb0b0b0b0u,
		0xb0b0b0b0u);

	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 1), A);
	assert_int_equal(WORD(p, 3), B);
	assert_int_equal(WORD(p, 4), 100u << 16 | 110u);
	assert_int_equal(WORD(p, 5), 0x40000000u);
	assert_int_equal(WORD(p, 7), B);
	assert_int_equal(WORD(p, 8), 1);
	assert_int_equal(WORD(p, 11), B);
	assert_int_equal(WORD(p, 13), 0xb0b0b0b0u);
	free(c);
}

/* RFC 3550 has a source say BYE for the SSRC that it gives up; the stream that goes on as A must not end by
 * it. */
static void a_bye_of_the_old_ssrc_ends_nothing(void **state)
{
	(void)state;
	struct call *c = call_open();
	uint8_t p[128], rest[128];
	size_t n = words(p, 2, 0x80c90000u, A);

	n += words(p + n, 2, 0x81cb0000u, A);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), 0);

	/* Among others only it is taken out. */
	n = words(p, 2, 0x80c90000u, A2);
	n += words(p + n, 2, 0x81cb0000u, A);
	n += words(p + n, 3, 0x81ce0000u, A2, B_OUT);
	size_t expect = words(rest, 2, 0x80c90000u, A);

	expect += words(rest + expect, 3, 0x81ce0000u, A, B);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), expect);
	assert_memory_equal(p, rest, expect);

	/* Its own BYE passes, as A. */
	n = words(p, 2, 0x80c90000u, A2);
	n += words(p + n, 2, 0x81cb0000u, A2);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 3), A);
	free(c);
}

/* A became A2 became A3, which goes on as A: neither of the others may end it. */
static void a_chain_of_ssrcs(void **state)
{
	(void)state;
	static const uint32_t gone[] = {A, A2};
	struct call *c = call_open();
	uint8_t p[32];

	for (uint16_t i = 0; i < RENUMBER_SETTLED; i++)
		send(c, &c->a_to_b, A2, (uint16_t)(10 + i), 0x77000000u + 160u * i);
	assert_int_equal(send(c, &c->a_to_b, X, 5, 0).out_ssrc, A);
	for (size_t i = 0; i < 2; i++) {
		size_t n = words(p, 2, 0x81cb0000u, gone[i]);

		assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), 0);
	}
	size_t n = words(p, 2, 0x81cb0000u, X);

	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 1), A);
	free(c);
}

static void strangers_and_nonsense(void **state)
{
	(void)state;
	struct call *c = call_open();
	uint8_t p[64], before[64];
	size_t n = words(p, 9, 0x81c90000u, X, X, 0u, 5u, 0u, 0u, 0u, 0u);

	/* A participant that only listens, about somebody unknown: as it was, profile extension included. */
	memcpy(before, p, n);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_memory_equal(p, before, n);
	assert_int_equal(renumber_rtcp(NULL, NULL, RENUMBER_ANY_SOURCE, p, n), n);
	assert_memory_equal(p, before, n);

	/* Malformed behind a good packet: nothing is rewritten. */
	n = words(p, 2, 0x80c90000u, A2);
	n += words(p + n, 2, 0x80c90000u, A2);
	be16_put(p + 10, 9);
	memcpy(before, p, n);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), -EBADMSG);
	assert_memory_equal(p, before, n);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, 0), -EBADMSG);

	/* More reports promised than there are: those that are there. */
	n = words(p, 8, 0x9fc90000u, A2, B_OUT, 0u, 7341u, 0u, 0u, 0u);
	assert_int_equal(renumber_rtcp(&c->a_to_b, &c->b_to_a, RENUMBER_ANY_SOURCE, p, n), n);
	assert_int_equal(WORD(p, 4), 109);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sender_report_and_description),
		cmocka_unit_test(reports_across_a_restart),
		cmocka_unit_test(feedback_names_the_source),
		cmocka_unit_test(extended_reports),
		cmocka_unit_test(a_bye_of_the_old_ssrc_ends_nothing),
		cmocka_unit_test(a_chain_of_ssrcs),
		cmocka_unit_test(strangers_and_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
