/* SPDX-License-Identifier: Apache-2.0 */
/* Index estimate and replay window. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/index.h"
#include "lib/srtp/iv.h"
#include "lib/srtp/replay.h"
#include "tests/support/rng.h"

#define ROC(n) ((uint64_t)(n) << 16)
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 3711 appendix A as it is written, for ROC > 0. */
static uint64_t rfc3711_appendix_a(uint64_t highest, uint16_t seq)
{
	uint32_t roc = (uint32_t)(highest >> 16), v = roc;
	int32_t s_l = (uint16_t)highest;

	if (s_l < 32768) {
		if (seq - s_l > 32768)
			v = roc - 1;
	} else if (s_l - 32768 > seq) {
		v = roc + 1;
	}
	return ROC(v) + seq;
}

static void estimate_is_appendix_a(void **state)
{
	(void)state;
	for (uint32_t s_l = 0; s_l < 65536; s_l += s_l % 4096 < 3 || s_l % 4096 > 4092 ? 1 : 1021)
		for (uint32_t seq = 0; seq < 65536; seq++)
			if (srtp_index_estimate(ROC(7) + s_l, (uint16_t)seq) !=
				rfc3711_appendix_a(ROC(7) + s_l, (uint16_t)seq))
				fail_msg("highest 7:%u, seq %u", s_l, seq);
}

static void estimate_at_the_ends(void **state)
{
	(void)state;
	static const struct {
		uint64_t highest;
		uint16_t seq;
		uint64_t index;
	} cases[] = {
		{65535, 0, ROC(1)},     /* first packet was 65535, the next wraps */
		{ROC(1), 65535, 65535}, /* and the one before it comes late */
		{ROC(1) + 100, 65500, 65500},
		{3, 65534, 65534}, /* there is no ROC -1 */
		{0, 65535, 65535},
		{32767, 65535, 65535},
		{32767, 0, 0},
		{65534, 65535, 65535},
		{SRTP_INDEX_MAX, 0, SRTP_INDEX_NONE}, /* nor a ROC 2^32 */
		{SRTP_INDEX_MAX, 65534, SRTP_INDEX_MAX - 1},
		{SRTP_INDEX_MAX - 1, 65535, SRTP_INDEX_MAX},
	};

	for (size_t i = 0; i < N_OF(cases); i++)
		if (srtp_index_estimate(cases[i].highest, cases[i].seq) != cases[i].index)
			fail_msg("case %zu", i);
	assert_int_equal(srtp_index_first_tries(65535), 1);
	assert_int_equal(srtp_index_first_tries(0), 2);
	assert_int_equal(srtp_index_first(5, 1), ROC(1) + 5);
}

static void srtcp_indexes_end(void **state)
{
	(void)state;
	uint32_t next = SRTCP_INDEX_MAX - 1, index = 0;

	assert_true(srtcp_index_take(&next, &index));
	assert_true(srtcp_index_take(&next, &index));
	assert_int_equal(index, SRTCP_INDEX_MAX);
	assert_false(srtcp_index_take(&next, &index));
	assert_false(srtcp_index_take(&next, &index));
}

enum { NEW = SRTP_REPLAY_NEW, SEEN = SRTP_REPLAY_SEEN, OLD = SRTP_REPLAY_OLD };

/* Numbered steps on one window of W indexes; base moves all of them, so that they cross each kind of
 * boundary. */
static const struct {
	int no;
	bool relative; /* index = (at - 1) + W, else index = at */
	uint32_t at;
	int expect;
} window_steps[] = {
	{1, false, 0, NEW},
	{2, false, 1, NEW},
	{3, false, 1, SEEN},
	{4, false, 9, NEW},
	{5, false, 8, NEW},
	{6, false, 7, NEW},
	{7, false, 7, SEEN},
	{8, true, 0, NEW}, /* W - 1: 0 is the last in the window */
	{9, false, 0, SEEN},
	{10, true, 1, NEW}, /* W: 0 falls out */
	{11, false, 0, OLD},
	{12, false, 1, SEEN},
	{13, false, 2, NEW}, /* skipped before, still inside */
	{14, true, 0, SEEN},
	{15, false, 2, SEEN},
	{16, true, 17, NEW}, /* W + 16 */
	{17, false, 16, OLD},
	{18, false, 17, NEW},
	{19, false, 17, SEEN},
	{20, true, 17, SEEN},
	{21, true, 16, NEW},
	{22, true, 65536, NEW}, /* far ahead: all behind it is forgotten */
	{23, true, 65536, SEEN},
	{24, true, 17, OLD},
	{25, false, 65536, NEW}, /* the oldest of the new window */
	{26, false, 65536, SEEN},
	{27, false, 65535, OLD},
	{28, true, 65535, NEW},
	{29, true, 65474, NEW},
	{30, true, 65474, SEEN},
};

static void window_table(void **state)
{
	(void)state;
	static const uint32_t windows[] = {64, 128, 192, 1024, 4160, 32768};
	static const uint64_t bases[] = {0, 1, 63, 64, 65535, ROC(3) - 1, (UINT64_C(1) << 48) - 200000};

	for (size_t w = 0; w < N_OF(windows); w++) {
		uint64_t *memory = calloc(srtp_replay_words(windows[w]), sizeof *memory);

		assert_non_null(memory);
		for (size_t b = 0; b < N_OF(bases); b++) {
			struct srtp_replay r;

			assert_int_equal(srtp_replay_init(&r, memory, windows[w]), 0);
			for (size_t i = 0; i < N_OF(window_steps); i++) {
				uint64_t index = bases[b] + window_steps[i].at +
						 (window_steps[i].relative ? windows[w] - 1 : 0);

				if ((int)srtp_replay_peek(&r, index) != window_steps[i].expect ||
					(int)srtp_replay_commit(&r, index) != window_steps[i].expect)
					fail_msg("window %u, base %llu, step %d", windows[w],
						(unsigned long long)bases[b], window_steps[i].no);
			}
		}
		free(memory);
	}
}

static void window_sizes(void **state)
{
	(void)state;
	struct srtp_replay r;
	uint64_t memory[2];

	assert_int_equal(srtp_replay_init(&r, memory, 0), -EINVAL);
	assert_int_equal(srtp_replay_init(&r, memory, 32), -EINVAL);
	assert_int_equal(srtp_replay_init(&r, memory, 100), -EINVAL);
	assert_int_equal(srtp_replay_init(&r, memory, 32768 + 64), -EINVAL);
	assert_int_equal(srtp_replay_words(64), 1 + 1);
	assert_int_equal(srtp_replay_words(192), 1 + 4);
	assert_int_equal(srtp_replay_words(32768), 1 + 512);
}

/* Against a set that remembers everything. */
static void window_tells_every_index(void **state)
{
	(void)state;
	enum { SPAN = 200000 };
	struct rng rng = rng_make("window_tells_every_index");

	for (int round = 0; round < 20; round++) {
		uint32_t window = 64 * (1 + rng_below(&rng, round % 2 ? 512 : 20));
		uint64_t *memory = calloc(srtp_replay_words(window), sizeof *memory);
		bool *seen = calloc(SPAN, sizeof *seen);
		struct srtp_replay r;
		int64_t high = -1;

		assert_int_equal(srtp_replay_init(&r, memory, window), 0);
		for (int i = 0; i < 100000; i++) {
			/* Mostly near the highest, at times far behind, seldom a leap. */
			int64_t at = high + 3 - (int64_t)rng_below(&rng, i % 8 ? 40 : window + 80);

			if (rng_below(&rng, 3000) == 0)
				at += rng_below(&rng, 2 * window);
			if (at < 0 || at >= SPAN)
				continue;
			int expect = high - at >= (int64_t)window ? OLD : seen[at] ? SEEN : NEW;

			if ((int)srtp_replay_commit(&r, (uint64_t)at) != expect)
				fail_msg("round %d, window %u, index %lld, highest %lld", round, window,
					(long long)at, (long long)high);
			if (expect == NEW)
				seen[at] = true;
			if (at > high)
				high = at;
		}
		free(memory);
		free(seen);
	}
}

static void peek_changes_nothing(void **state)
{
	(void)state;
	uint64_t memory[3], memory_before[3];
	struct srtp_replay r, before;

	srtp_replay_init(&r, memory, 128);
	for (uint64_t i = 0; i < 300; i += 3)
		srtp_replay_commit(&r, i);
	before = r;
	memcpy(memory_before, memory, sizeof memory);
	for (uint64_t i = 0; i < 70000; i++)
		srtp_replay_peek(&r, i);
	assert_memory_equal(&r, &before, sizeof r);
	assert_memory_equal(memory, memory_before, sizeof memory);
}

static void ivs_have_their_layout(void **state)
{
	(void)state;
	static const uint8_t salt[14] = {0};
	static const uint8_t cm[16] = {0, 0, 0, 0, 0xa1, 0xa2, 0xa3, 0xa4, 1, 2, 3, 4, 5, 6, 0, 0};
	static const uint8_t gcm[12] = {0, 0, 0xa1, 0xa2, 0xa3, 0xa4, 1, 2, 3, 4, 5, 6};
	uint8_t iv[16];

	srtp_iv_cm(iv, salt, 0xa1a2a3a4, UINT64_C(0x010203040506));
	assert_memory_equal(iv, cm, 16);
	srtp_iv_gcm(iv, salt, 0xa1a2a3a4, UINT64_C(0x010203040506));
	assert_memory_equal(iv, gcm, 12);
}

/* A window that was given up and goes on: all below its end is refused, all from there on is new once. */
static void window_resumes(void **state)
{
	static const uint32_t windows[] = {64, 192, 1024};
	uint64_t memory[17];

	(void)state;
	for (unsigned w = 0; w < N_OF(windows); w++) {
		for (uint64_t end = ROC(3) - 5; end < ROC(3) + 70; end += 13) {
			struct srtp_replay r;

			assert_int_equal(srtp_replay_init(&r, memory, windows[w]), 0);
			srtp_replay_resume(&r, end);
			for (uint64_t i = end - 2 * windows[w]; i < end; i++)
				assert_int_not_equal(srtp_replay_commit(&r, i), SRTP_REPLAY_NEW);
			for (uint64_t i = end + 2; i < end + 3 * windows[w]; i++)
				assert_int_equal(srtp_replay_commit(&r, i), SRTP_REPLAY_NEW);
			assert_int_equal(srtp_replay_commit(&r, end + 3), SRTP_REPLAY_OLD);
		}
	}
	struct srtp_replay r;

	assert_int_equal(srtp_replay_init(&r, memory, 64), 0);
	srtp_replay_resume(&r, 0);
	assert_true(srtp_replay_empty(&r));
	assert_int_equal(srtp_replay_commit(&r, 0), SRTP_REPLAY_NEW);
	/* Skipped on the way, so not seen. */
	srtp_replay_resume(&r, 1000);
	assert_int_equal(srtp_replay_commit(&r, 1010), SRTP_REPLAY_NEW);
	assert_int_equal(srtp_replay_commit(&r, 1003), SRTP_REPLAY_NEW);
	assert_int_equal(srtp_replay_commit(&r, 999), SRTP_REPLAY_SEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimate_is_appendix_a),
		cmocka_unit_test(estimate_at_the_ends),
		cmocka_unit_test(srtcp_indexes_end),
		cmocka_unit_test(window_table),
		cmocka_unit_test(window_sizes),
		cmocka_unit_test(window_tells_every_index),
		cmocka_unit_test(peek_changes_nothing),
		cmocka_unit_test(window_resumes),
		cmocka_unit_test(ivs_have_their_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
