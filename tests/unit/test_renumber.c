/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a source does, no outgoing (SSRC, index) is used twice and the listener goes on hearing it. */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include "lib/srtp/renumber.h"
#include "tests/support/rng.h"

#define WINDOW 1024
#define SLOTS_MAX 8
#define A 0xaaaaaaaau
#define B 0xbbbbbbbbu

/* A leg, and a source's next packet. */
struct leg {
	struct renumber r;
	struct renumber_slot slots[SLOTS_MAX];
	struct renumber_past past[SLOTS_MAX];
	uint64_t windows[SLOTS_MAX * (1 + WINDOW / 64)];
	struct renumber_slot *last;
	struct renumber_packet p; /* the last one mapped */
	uint32_t now_ms;
};

static struct leg *leg_open(uint16_t slots)
{
	struct leg *l = calloc(1, sizeof *l);

	assert_non_null(l);
	assert_int_equal(
		renumber_init(&l->r, l->slots, l->slots + 1, l->past, slots, l->windows, WINDOW, 1), 0);
	l->now_ms = 0xffffff00; /* the clock may wrap */
	return l;
}

static enum renumber_verdict send_pt(struct leg *l, uint32_t ssrc, uint16_t seq, uint32_t ts, uint8_t pt)
{
	l->now_ms += 20;
	l->p = (struct renumber_packet){
		.ssrc = ssrc, .seq = seq, .ts = ts, .pt = pt, .clock_hz = 8000, .now_ms = l->now_ms};
	return renumber_packet_map(&l->r, &l->last, &l->p);
}

static enum renumber_verdict send(struct leg *l, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
	return send_pt(l, ssrc, seq, ts, 0);
}

/* n packets in order from (seq, ts), all of which must pass with consecutive indexes. */
static void run(struct leg *l, uint32_t ssrc, uint16_t seq, uint32_t ts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t index = l->p.out_index;

		assert_int_equal(send(l, ssrc, (uint16_t)(seq + i), ts + 160 * i), RENUMBER_SEND);
		if (i)
			assert_int_equal(l->p.out_index, index + 1);
	}
}

static void an_ordinary_stream_passes_unchanged(void **state)
{
	(void)state;
	struct leg *l = leg_open(2);

	for (uint32_t i = 0; i < 70000; i++) {
		assert_int_equal(send(l, A, (uint16_t)(1000 + i), 7 + 160 * i), RENUMBER_SEND);
		assert_int_equal(l->p.out_ssrc, A);
		assert_int_equal(l->p.out_ts, 7 + 160 * i);
		assert_int_equal(l->p.out_index, 1000 + i);
	}
	assert_int_equal(l->r.restarts, 0);
	free(l);
}

/* A listener that misses the first packets of a stream must not have missed a wrap. */
static void no_stream_begins_near_a_wrap(void **state)
{
	(void)state;
	static const uint16_t firsts[] = {0, 1, 63, 64, 32767, 32768, 32769, 65535};

	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
		struct leg *l = leg_open(1);

		assert_int_equal(send(l, A, firsts[i], 5), RENUMBER_SEND);
		assert_true(
			l->p.out_index < 0x8000 + RENUMBER_HEADROOM && l->p.out_index >= RENUMBER_HEADROOM);
		uint64_t first = l->p.out_index;

		/* Those that the first one overtook have their place. */
		for (uint16_t k = 1; k <= RENUMBER_HEADROOM; k++) {
			assert_int_equal(send(l, A, (uint16_t)(firsts[i] - k), 5 - 160u * k), RENUMBER_SEND);
			assert_int_equal(l->p.out_index, first - k);
		}
		free(l);
	}
}

static void reordering_passes_and_duplicates_do_not(void **state)
{
	(void)state;
	struct leg *l = leg_open(1);
	static const struct {
		uint16_t seq;
		enum renumber_verdict expect;
	} steps[] = {
		{500, RENUMBER_SEND},
		{502, RENUMBER_SEND},
		{501, RENUMBER_SEND},
		{501, RENUMBER_DUPLICATE},
		{502, RENUMBER_DUPLICATE},
		{503, RENUMBER_SEND},
		{503, RENUMBER_DUPLICATE},
		{520, RENUMBER_SEND},
		{510, RENUMBER_SEND},
		{519, RENUMBER_SEND},
		{510, RENUMBER_DUPLICATE},
		{511, RENUMBER_SEND},
		{1542, RENUMBER_SEND},
		{519, RENUMBER_DUPLICATE},
		{521, RENUMBER_SEND},
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (send(l, A, steps[i].seq, 160u * steps[i].seq) != steps[i].expect)
			fail_msg("step %zu", i);
		if (steps[i].expect == RENUMBER_SEND) {
			assert_int_equal(l->p.out_index, steps[i].seq);
			assert_int_equal(l->p.out_ts, 160u * steps[i].seq);
		}
	}
	assert_int_equal(l->r.restarts, 0);
	free(l);
}

/* Every packet sent twice, the copy some packets behind (two paths): exactly one of each passes. */
static void a_second_path_is_no_rewind(void **state)
{
	(void)state;
	for (uint32_t lag = 0; lag < 40; lag++) {
		struct leg *l = leg_open(1);

		for (uint32_t i = 0; i < 500; i++) {
			assert_int_equal(send(l, A, (uint16_t)(65300 + i), 160 * i), RENUMBER_SEND);
			if (i >= lag)
				assert_int_equal(send(l, A, (uint16_t)(65300 + i - lag), 160 * (i - lag)),
					RENUMBER_DUPLICATE);
		}
		assert_int_equal(l->r.restarts, 0);
		free(l);
	}
}

/* Duplicates in sequence, but with something new between any two of them. */
static void duplicates_among_reordered_packets(void **state)
{
	(void)state;
	struct leg *l = leg_open(1);

	for (uint32_t i = 0; i < 300; i++) {
		assert_int_equal(send(l, A, (uint16_t)(101 + 2 * i), 160 * (2 * i + 1)), RENUMBER_SEND);
		assert_int_equal(send(l, A, (uint16_t)(100 + 2 * i), 160 * 2 * i), RENUMBER_SEND);
		assert_int_equal(send(l, A, (uint16_t)(100 + i), 160 * i), RENUMBER_DUPLICATE);
	}
	assert_int_equal(l->r.restarts, 0);
	free(l);
}

/* The first packet of a restarted source is heard, and its timestamp goes on with the time that passed. */
static void a_restart_is_heard_at_once(void **state)
{
	(void)state;
	static const struct {
		uint16_t seq;
		uint32_t ts;
	} jumps[] = {
		{5000, 3000000000u},
		{60000, 99},
		{32768 + 300, 1u << 31},
		{3301, 300 * 160 + 5},
		{300, 1u << 31},
		{305, 0x80000000u},
		{65535, 0xf0000000u},
		{100, 2000000000u},
	};

	for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		struct leg *l = leg_open(1);

		run(l, A, 100, 160 * 100, 200);
		uint64_t index = l->p.out_index;
		uint32_t ts = l->p.out_ts;

		l->now_ms += 980; /* a second passes */
		if (send(l, A, jumps[i].seq, jumps[i].ts) != RENUMBER_SEND)
			fail_msg("jump %zu", i);
		assert_int_equal(l->p.out_ssrc, A);
		assert_int_equal(l->p.out_index, index + 1);
		assert_int_equal(l->p.out_ts, ts + 8000);
		run(l, A, (uint16_t)(jumps[i].seq + 1), jumps[i].ts + 160, 50);
		assert_int_equal(l->p.out_index, index + 51);
		assert_int_equal(l->p.out_ts, ts + 8000 + 50 * 160);
		assert_int_equal(l->r.restarts, 1);
		free(l);
	}
}

/* It plays the same numbers again, from any distance: at most RENUMBER_REWIND - 1 packets are lost. */
static void a_rewind_is_heard_soon(void **state)
{
	(void)state;
	for (uint32_t back = 10; back < 3000; back = back * 3 / 2) {
		struct leg *l = leg_open(1);
		unsigned lost = 0;

		run(l, A, 1000, 0, 3000);
		for (uint32_t i = 3000 - back; i < 3500; i++)
			lost += send(l, A, (uint16_t)(1000 + i), 160 * i) != RENUMBER_SEND;
		assert_true(lost < RENUMBER_REWIND);
		assert_int_equal(l->r.restarts, 1);
		free(l);
	}
}

static void late_packets_of_the_run_before(void **state)
{
	(void)state;
	struct leg *l = leg_open(1);

	run(l, A, 100, 0, 50);
	assert_int_equal(send(l, A, 151, 51 * 160), RENUMBER_SEND);
	uint64_t index = l->p.out_index;

	run(l, A, 40000, 1u << 30, 5);
	/* 150 was overtaken by 151 and by the restart. */
	assert_int_equal(send(l, A, 150, 50 * 160), RENUMBER_SEND);
	assert_int_equal(l->p.out_index, index - 1);
	assert_int_equal(l->p.out_ts, 50 * 160);
	assert_int_equal(send(l, A, 150, 50 * 160), RENUMBER_DUPLICATE);
	assert_int_equal(send(l, A, 149, 49 * 160), RENUMBER_DUPLICATE);
	run(l, A, 40005, (1u << 30) + 5 * 160, 5);
	assert_int_equal(l->r.restarts, 1);
	free(l);
}

/* The source of a call changes (a transfer behind the peer): the listener's SSRC stays and goes on. */
static void a_changed_ssrc_goes_on(void **state)
{
	(void)state;
	for (uint16_t slots = 1; slots <= 4; slots += 3) {
		struct leg *l = leg_open(slots);

		run(l, A, 65000, 160, 20);
		uint64_t index = l->p.out_index;
		uint32_t ts = l->p.out_ts;

		assert_int_equal(send(l, B, 7, 0x12345678), RENUMBER_SEND);
		assert_int_equal(l->p.out_ssrc, A);
		assert_int_equal(l->p.out_index, index + 1);
		assert_int_equal(l->p.out_ts, ts + 160);
		run(l, B, 8, 0x12345678 + 160, 20);
		assert_int_equal(l->p.out_index, index + 21);
		/* One more of the old source comes late; it does not turn anything back. */
		assert_int_equal(send(l, A, 65018, 160 + 18 * 160), RENUMBER_DUPLICATE);
		run(l, B, 28, 0x12345678 + 21 * 160, 20);
		assert_int_equal(l->p.out_index, index + 41);
		free(l);
	}
}

/* Two sources at a time (video and its retransmission, simulcast) keep apart, also with one payload type. */
static void sources_side_by_side(void **state)
{
	(void)state;
	for (int same_pt = 0; same_pt < 2; same_pt++) {
		struct leg *l = leg_open(4);
		uint32_t out_a = 0, out_b = 0;
		unsigned changes = 0;

		for (uint32_t i = 0; i < 200; i++) {
			assert_int_equal(send_pt(l, A, (uint16_t)(100 + i), 160 * i, 96), RENUMBER_SEND);
			changes += i && l->p.out_ssrc != out_a;
			out_a = l->p.out_ssrc;
			assert_int_equal(send_pt(l, B, (uint16_t)(900 + i), 99 + 160 * i, same_pt ? 96 : 97),
				RENUMBER_SEND);
			changes += i && l->p.out_ssrc != out_b;
			out_b = l->p.out_ssrc;
			if (i > 1)
				assert_int_not_equal(out_a, out_b);
		}
		assert_true(changes <= (same_pt ? 2 : 0));
		free(l);
	}
}

/* Equal SSRCs of two streams that leave by one leg must not share a keystream. */
static void equal_ssrcs_of_two_streams(void **state)
{
	(void)state;
	struct leg *l = leg_open(4);
	struct renumber_packet first = {.ssrc = A, .seq = 100, .source = 1},
			       second = {.ssrc = A, .seq = 100, .source = 2};

	assert_int_equal(renumber_packet_map(&l->r, &l->last, &first), RENUMBER_SEND);
	assert_int_equal(renumber_packet_map(&l->r, &l->last, &second), RENUMBER_SEND);
	assert_int_not_equal(first.out_ssrc, second.out_ssrc);
	free(l);
}

static void ssrcs_are_bounded(void **state)
{
	(void)state;
	struct leg *l = leg_open(3);
	unsigned refused = 0;

	for (uint32_t i = 0; i < 100; i++) {
		for (uint32_t ssrc = 1; ssrc <= 3; ssrc++) {
			l->p = (struct renumber_packet){.ssrc = ssrc,
				.seq = (uint16_t)(100 + i),
				.ts = i,
				.source = (uint8_t)ssrc,
				.now_ms = i * 20};
			assert_int_equal(renumber_packet_map(&l->r, &l->last, &l->p), RENUMBER_SEND);
		}
		l->p = (struct renumber_packet){.ssrc = 1000 + i, .seq = 9, .source = 9, .now_ms = i * 20};
		refused += renumber_packet_map(&l->r, &l->last, &l->p) == RENUMBER_SSRC_LIMIT;
	}
	assert_int_equal(refused, 100);
	/* One of the three falls silent: its slot is free for another source after a while. */
	l->p = (struct renumber_packet){
		.ssrc = 77, .seq = 9, .source = 9, .now_ms = 100 * 20 + RENUMBER_IDLE_MS};
	assert_int_equal(renumber_packet_map(&l->r, &l->last, &l->p), RENUMBER_SEND);
	free(l);
}

static void a_new_key_begins_in_roc_0(void **state)
{
	(void)state;
	for (uint32_t high = 65530 - 1100; high < 65540; high++) {
		struct leg *l = leg_open(1);

		/* From 100 through two wraps to `high` of ROC 2. */
		for (uint32_t i = 100; i <= 2 * 65536 + high; i++)
			assert_int_equal(send(l, A, (uint16_t)i, 160 * i), RENUMBER_SEND);
		uint64_t old = l->p.out_index;
		uint32_t index = 0;

		assert_true(srtcp_index_take(&l->r.srtcp_next, &index));
		renumber_rekey(&l->r, false);
		assert_int_equal(l->r.srtcp_next, 1);
		renumber_rekey(&l->r, true);
		assert_int_equal(l->r.srtcp_next, 0);
		/* Copies of what left under the old key do not leave under the new one. */
		for (uint32_t back = 0; back < RENUMBER_HEADROOM; back += 13)
			assert_int_equal(send(l, A, (uint16_t)(old - back), 160 * ((uint32_t)old - back)),
				RENUMBER_DUPLICATE);
		/* 500 packets are lost before the listener has the key. */
		assert_int_equal(
			send(l, A, (uint16_t)(old + 501), 160 * ((uint32_t)old + 501)), RENUMBER_SEND);
		assert_true(l->p.out_index < 0x10000);
		assert_int_equal(l->p.out_ts, 160 * ((uint32_t)old + 501));
		assert_int_equal(
			send(l, A, (uint16_t)(old + 500), 160 * ((uint32_t)old + 500)), RENUMBER_SEND);
		assert_int_equal(
			send(l, A, (uint16_t)(old + 500), 160 * ((uint32_t)old + 500)), RENUMBER_DUPLICATE);
		free(l);
		high += high % 97;
	}
}

/* What the source sent before it restarted has no index under a key that came after. */
static void a_new_key_forgets_the_run_before(void **state)
{
	(void)state;
	struct leg *l = leg_open(1);

	run(l, A, 65000, 0, 1000);
	run(l, A, 20000, 1u << 30, 10);
	uint16_t next = (uint16_t)(l->p.out_index + 1);

	renumber_rekey(&l->r, true);
	assert_int_equal(send(l, A, 20010, (1u << 30) + 1600), RENUMBER_SEND);
	assert_int_equal(l->p.out_index, next);
	/* The last packet of the first run again: under the new key it is a source that jumps, and goes on in
	 * ROC 0. */
	assert_int_equal(send(l, A, (uint16_t)(65000 + 999), 160 * 999), RENUMBER_SEND);
	assert_int_equal(l->p.out_index, next + 1);
	free(l);
}

static void indexes_end(void **state)
{
	(void)state;
	struct leg *l = leg_open(1);

	run(l, A, 100, 0, 10);
	/* As after 2^48 packets. */
	l->slots[0].used.end = SRTP_INDEX_MAX - 1;
	assert_int_equal(send(l, A, 110, 1600), RENUMBER_SEND);
	assert_int_equal(send(l, A, 111, 1760), RENUMBER_SEND);
	assert_int_equal(l->p.out_index, SRTP_INDEX_MAX);
	assert_int_equal(send(l, A, 112, 1920), RENUMBER_EXHAUSTED);
	assert_int_equal(send(l, A, 50000, 1u << 31), RENUMBER_EXHAUSTED);
	assert_int_equal(send(l, B, 1, 0), RENUMBER_EXHAUSTED);
	free(l);
}

/* All that was ever sent under one key, to find a second use. */
struct used {
	struct {
		uint64_t index;
		uint32_t ssrc;
		bool taken;
	} * cells;
	uint32_t mask;
};

static bool used_twice(struct used *u, uint32_t ssrc, uint64_t index)
{
	uint64_t hash =
		(index * UINT64_C(0x9e3779b97f4a7c15)) ^ ((uint64_t)ssrc * UINT64_C(0xbf58476d1ce4e5b9));
	uint32_t at = (uint32_t)(hash >> 20) & u->mask;

	while (u->cells[at].taken) {
		if (u->cells[at].index == index && u->cells[at].ssrc == ssrc)
			return true;
		at = (at + 1) & u->mask;
	}
	u->cells[at].taken = true;
	u->cells[at].index = index;
	u->cells[at].ssrc = ssrc;
	return false;
}

/* Sources that lose, reorder, repeat, rewind, restart, change their SSRC and steal each other's. */
static void nothing_is_used_twice(void **state)
{
	(void)state;
	enum { PACKETS = 1500000, SOURCES = 5 };
	struct rng rng = rng_make("nothing_is_used_twice");
	struct used used = {.mask = (1u << 22) - 1};
	struct {
		uint32_t ssrc, ts;
		uint16_t seq;
	} src[SOURCES];
	unsigned verdicts[RENUMBER_EXHAUSTED + 1] = {0};

	used.cells = calloc(used.mask + 1, sizeof *used.cells);
	assert_non_null(used.cells);
	struct leg *l = leg_open(4);

	for (unsigned s = 0; s < SOURCES; s++) {
		src[s].ssrc = rng_below(&rng, 8);
		src[s].ts = rng_u32(&rng);
		src[s].seq = (uint16_t)rng_u32(&rng);
	}
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned s = rng_below(&rng, 3) ? 0 : rng_below(&rng, SOURCES);
		int32_t shift = rng_below(&rng, 4) ? 0 : (int32_t)rng_below(&rng, 12) - 8;

		switch (rng_below(&rng, 4000)) {
		case 0:
			src[s].ssrc = rng_below(&rng, 8);
			break;
		case 1:
			src[s].seq = (uint16_t)rng_u32(&rng);
			src[s].ts = rng_u32(&rng);
			break;
		case 2: {
			uint32_t back = rng_below(&rng, 2000);

			src[s].seq = (uint16_t)(src[s].seq - back);
			src[s].ts -= 160 * back;
			break;
		}
		case 3:
			src[s].seq = (uint16_t)(src[s].seq + rng_below(&rng, 40000));
			break;
		case 4:
			src[s].ts = rng_u32(&rng);
			break;
		case 5:
			src[s] = src[rng_below(&rng, SOURCES)];
			break;
		case 6:
			l->now_ms += rng_below(&rng, 5000);
			break;
		}
		l->now_ms += rng_below(&rng, 3) * 10;
		struct renumber_packet p = {.ssrc = src[s].ssrc,
			.seq = (uint16_t)(src[s].seq + shift),
			.ts = src[s].ts + (uint32_t)shift * 160,
			.source = (uint8_t)(s / 4),
			.now_ms = l->now_ms};

		if (!shift) {
			src[s].seq++;
			src[s].ts += 160;
		}
		enum renumber_verdict v = renumber_packet_map(&l->r, &l->last, &p);

		verdicts[v]++;
		if (v == RENUMBER_SEND && used_twice(&used, p.out_ssrc, p.out_index))
			fail_msg("packet %u: %08x index %llu was used", i, p.out_ssrc,
				(unsigned long long)p.out_index);
		if (v == RENUMBER_SEND && p.out_index > SRTP_INDEX_MAX)
			fail_msg("packet %u: index beyond the last", i);
	}
	assert_true(verdicts[RENUMBER_SEND] > PACKETS / 2);
	assert_true(verdicts[RENUMBER_DUPLICATE] > 0 && l->r.restarts > 100);
	assert_int_equal(verdicts[RENUMBER_EXHAUSTED], 0);
	free(l);
	free(used.cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_stream_passes_unchanged),
		cmocka_unit_test(no_stream_begins_near_a_wrap),
		cmocka_unit_test(reordering_passes_and_duplicates_do_not),
		cmocka_unit_test(a_second_path_is_no_rewind),
		cmocka_unit_test(duplicates_among_reordered_packets),
		cmocka_unit_test(a_restart_is_heard_at_once),
		cmocka_unit_test(a_rewind_is_heard_soon),
		cmocka_unit_test(late_packets_of_the_run_before),
		cmocka_unit_test(a_changed_ssrc_goes_on),
		cmocka_unit_test(sources_side_by_side),
		cmocka_unit_test(equal_ssrcs_of_two_streams),
		cmocka_unit_test(ssrcs_are_bounded),
		cmocka_unit_test(a_new_key_begins_in_roc_0),
		cmocka_unit_test(a_new_key_forgets_the_run_before),
		cmocka_unit_test(indexes_end),
		cmocka_unit_test(nothing_is_used_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
