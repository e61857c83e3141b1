/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media of every kind, spoiled on its way in: a gateway that does right passes, and one that does any of the
 * wrong things that the generator is there to find does not. Its faults are made by hand, of frames and
 * counters of a real one.
 */
#include <string.h>

#include "perf/calls.h"
#include "perf/gen_frame.h"
#include "perf/gen_rings.h"
#include "perf/test_worker.h"

#define CALLS 20
#define BURST 256
#define FRAMES 4000
#define GCM SRTP_AEAD_AES_128_GCM
#define CM SRTP_AES_CM_128_HMAC_SHA1_32

struct bench {
	struct room room;
	struct gen *gen;
	struct dp_stats_global before, after;
};

static void begin(struct bench *b, const struct gen_conf *conf)
{
	struct gen_conf here = *conf;
	struct err err = {""};

	here.sessions = CALLS;
	here.seed = here.seed ? here.seed : 1;
	memset(b, 0, sizeof(*b));
	if (calls_open(&here, &b->room, &b->gen, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(room_stats(&b->room, &b->before), 0);
}

static void end(struct bench *b)
{
	calls_close(&b->room, b->gen);
}

/* "" or what is wrong. */
static const char *judged(struct bench *b)
{
	static struct err err;

	err.text[0] = 0;
	(void)gen_judge(b->gen, &b->before, &b->after, 0, &err);
	return err.text;
}

static void run(struct bench *b)
{
	const struct rings_conf conf = {.frames = FRAMES};
	struct room_time took = {0};

	assert_int_equal(rings_run(&b->room, b->gen, &conf, &took), 0);
	assert_int_equal(room_stats(&b->room, &b->after), 0);
}

static struct gen_stats passes(const struct gen_conf *conf)
{
	struct gen_stats s;
	struct bench b;

	begin(&b, conf);
	run(&b);
	s = *gen_stats(b.gen);
	assert_string_equal(judged(&b), "");
	end(&b);
	return s;
}

static void test_every_kind_of_media(void **state)
{
	(void)state;
	for (enum gen_media m = GEN_G711; m <= GEN_MIX; m++) {
		struct gen_conf conf = {
			.media = m, .in = m % 2 ? CM : SRTP_SUITE_NONE, .out = m / 2 ? GCM : CM};
		struct gen_stats s = passes(&conf);

		/* The last turn comes out whole. */
		assert_in_range(s.sent, FRAMES, FRAMES + 20);
		assert_int_equal(s.good, s.sent);
	}
}

static void test_pictures_are_bursts_of_big_packets(void **state)
{
	struct gen_conf audio = {.media = GEN_G711}, small = {.media = GEN_G729},
			video = {.media = GEN_VIDEO};

	(void)state;
	assert_int_equal(passes(&audio).octets, FRAMES * 172);
	assert_int_equal(passes(&small).octets, FRAMES * 32);
	/* 1,200 octets but for the last of each picture. */
	assert_in_range(passes(&video).octets, FRAMES * 900, (FRAMES + 20) * 1212);
}

static void test_reports_of_both_sides(void **state)
{
	static const enum srtp_suite suites[] = {SRTP_SUITE_NONE, GCM, CM};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct gen_conf conf = {.media = GEN_MIX, .rtcp = 3, .in = suites[i], .out = suites[2 - i]};
		struct gen_stats s = passes(&conf);

		assert_int_equal(s.rtcp_good, s.rtcp_sent);
		/* Of two reports one is the listener's, but before it has heard anything. */
		assert_in_range(s.rtcp_sent, FRAMES / 8, FRAMES / 2);
		assert_in_range(s.sent + s.rtcp_sent, FRAMES, FRAMES + 20);
	}
}

/* One at a time, on plain and secure legs, so that each one's effect is its own. */
static void test_each_thing_that_is_done_to_packets(void **state)
{
	static const enum srtp_suite suites[] = {SRTP_SUITE_NONE, GCM, CM};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct gen_conf conf = {.in = suites[i], .out = GCM, .impair = {.loss = 5}};

		assert_in_range(passes(&conf).lost, FRAMES / 40, FRAMES / 10);
		conf.impair = (struct gen_impair){.reorder = 5, .depth = 8};
		assert_in_range(passes(&conf).reordered, FRAMES / 40, FRAMES / 10);
		conf.impair = (struct gen_impair){.replay = 5};
		assert_in_range(passes(&conf).replayed, FRAMES / 40, FRAMES / 10);
		conf.impair = (struct gen_impair){.forge = 5};
		assert_in_range(passes(&conf).forged, FRAMES / 40, FRAMES / 10);
	}
}

static void test_all_of_it_at_once(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct gen_conf conf = {.media = GEN_MIX,
			.rtcp = 5,
			.in = seed % 2 ? GCM : SRTP_SUITE_NONE,
			.out = CM,
			.impair = {.loss = 20, .reorder = 20, .replay = 20, .forge = 20, .depth = 32},
			.seed = seed};
		struct gen_stats s = passes(&conf);

		assert_true(s.lost && s.reordered && s.replayed && s.forged && s.rtcp_good);
	}
}

static void test_either_family_on_either_leg(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		for (unsigned secure = 0; secure < 2; secure++) {
			struct gen_conf conf = {.media = GEN_MIX,
				.rtcp = 5,
				.ipv6 = {i & 1, i & 2},
				.in = secure ? GCM : SRTP_SUITE_NONE,
				.out = secure ? SRTP_SUITE_NONE : CM,
				.impair = {.loss = 5, .reorder = 5, .replay = 5, .forge = 5}};
			struct gen_stats s = passes(&conf);

			assert_true(s.lost && s.reordered && s.replayed && s.forged && s.rtcp_good);
		}
	}
}

/* On the leg of RTP a repeated report is one like any other; on the others it is refused. */
static void test_reports_that_something_is_done_to(void **state)
{
	static const enum srtp_suite suites[] = {SRTP_SUITE_NONE, GCM, CM};

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		struct gen_conf conf = {.rtcp = 2,
			.in = suites[i % 3],
			.out = suites[i / 3],
			.ipv6 = {i % 2, false},
			.impair_rtcp = {.loss = 10, .reorder = 10, .replay = 20, .forge = 20, .depth = 8},
			.seed = 1 + i};
		struct gen_stats s = passes(&conf);

		assert_true(s.rtcp_lost && s.rtcp_reordered && !s.lost && !s.forged);
		for (unsigned side = 0; side < 2; side++)
			assert_true(s.rtcp_replayed[side] && s.rtcp_forged[side]);
		assert_int_equal(s.rtcp_good, s.rtcp_sent);
		assert_int_equal(s.rtcp_again,
			(conf.in ? 0 : s.rtcp_replayed[0]) + (conf.out ? 0 : s.rtcp_replayed[1]));
	}
}

static void test_a_seed_says_which_packets(void **state)
{
	struct gen_conf conf = {.impair = {.loss = 10, .replay = 10}, .seed = 7};
	struct gen_stats a = passes(&conf), b = passes(&conf), c;

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	conf.seed = 8;
	c = passes(&conf);
	assert_true(c.lost != a.lost || c.replayed != a.replayed);
}

/* A turn whose frames are still the tester's to spoil. */
static unsigned relayed(struct bench *b, struct rte_mbuf **out)
{
	struct rte_mbuf *frames[BURST];
	struct room_time took = {0};
	unsigned n;

	assert_int_equal(rte_pktmbuf_alloc_bulk(b->room.pool, frames, BURST), 0);
	assert_int_equal(gen_build(b->gen, frames, BURST), 0);
	n = room_relay(&b->room, frames, BURST, out, &took);
	assert_int_equal(room_stats(&b->room, &b->after), 0);
	return n;
}

static void verify(struct bench *b, struct rte_mbuf **out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		gen_verify(b->gen, out[i]);
	rte_pktmbuf_free_bulk(out, n);
}

static void checksum(struct rte_mbuf *m)
{
	frame_finish(rte_pktmbuf_mtod(m, uint8_t *), m->data_len - (size_t)FRAME_HEADERS_V4);
}

static void test_a_replay_that_got_through(void **state)
{
	struct gen_conf conf = {.in = GCM, .impair = {.replay = 10}};
	struct rte_mbuf *out[BURST];
	struct bench b;
	unsigned n;

	(void)state;
	begin(&b, &conf);
	n = relayed(&b, out);
	/* The gateway sends one of them again under its old numbers, and counts it as relayed. */
	gen_verify(b.gen, out[n / 2]);
	b.after.verdicts[DP_V_REPLAY]--;
	b.after.verdicts[DP_V_RELAYED]++;
	verify(&b, out, n);
	assert_non_null(strstr(judged(&b), "twice"));
	end(&b);
}

static void test_a_gap_that_was_closed(void **state)
{
	struct gen_conf conf = {.impair = {.loss = 10}};
	struct rte_mbuf *out[BURST];
	struct bench b;
	unsigned n;

	(void)state;
	begin(&b, &conf);
	n = relayed(&b, out);
	for (unsigned i = n - CALLS; i < n; i++) {
		uint8_t *seq = rte_pktmbuf_mtod(out[i], uint8_t *) + 44;
		uint16_t less = (uint16_t)((seq[0] << 8 | seq[1]) - 1);

		seq[0] = (uint8_t)(less >> 8);
		seq[1] = (uint8_t)less;
		checksum(out[i]);
	}
	verify(&b, out, n);
	assert_non_null(strstr(judged(&b), "wrong RTP numbers"));
	end(&b);
}

static void test_packets_that_are_missing_or_change_places(void **state)
{
	struct gen_conf conf = {.out = GCM};
	struct rte_mbuf *out[BURST], *first;
	struct bench b;
	unsigned n;

	(void)state;
	begin(&b, &conf);
	n = relayed(&b, out);
	assert_int_equal(n, BURST);
	verify(&b, out, n - 1);
	rte_pktmbuf_free(out[n - 1]);
	assert_non_null(strstr(judged(&b), "1 of 256 packets did not come back"));
	end(&b);
	begin(&b, &conf);
	n = relayed(&b, out);
	/* The second packet of a call before its first. */
	first = out[0];
	out[0] = out[CALLS];
	out[CALLS] = first;
	verify(&b, out, n);
	assert_int_equal(gen_stats(b.gen)->good, BURST);
	assert_non_null(strstr(judged(&b), "changed places"));
	end(&b);
}

static void test_a_report_under_a_wrong_number(void **state)
{
	struct gen_conf conf = {.rtcp = 2};
	struct rte_mbuf *out[BURST];
	struct bench b;
	unsigned n, spoiled = 0;

	(void)state;
	begin(&b, &conf);
	n = relayed(&b, out);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *f = rte_pktmbuf_mtod(out[i], uint8_t *);

		if (f[43] != 200 || spoiled++)
			continue;
		f[42 + 7] ^= 1; /* its sender's SSRC */
		checksum(out[i]);
	}
	assert_true(spoiled > 1);
	verify(&b, out, n);
	assert_int_equal(gen_stats(b.gen)->rtcp_bad, 1);
	assert_non_null(strstr(judged(&b), "1 reports"));
	end(&b);
}

/* SRTCP that the gateway should have known, and a report on a leg of RTP that came out once too often. */
static void test_a_replayed_report_that_got_through(void **state)
{
	(void)state;
	for (unsigned secure = 0; secure < 2; secure++) {
		struct gen_conf conf = {
			.in = secure ? GCM : SRTP_SUITE_NONE, .rtcp = 1, .impair_rtcp = {.replay = 30}};
		struct rte_mbuf *out[BURST];
		struct bench b;
		unsigned n, at = 0;

		begin(&b, &conf);
		n = relayed(&b, out);
		while (at < n && rte_pktmbuf_mtod(out[at], uint8_t *)[43] != 200)
			at++;
		assert_true(at < n);
		gen_verify(b.gen, out[at]);
		verify(&b, out, n);
		assert_non_null(strstr(judged(&b), "reports came out twice"));
		end(&b);
	}
}

static void test_counters_that_say_something_else(void **state)
{
	static const struct {
		enum dp_verdict v;
		const char *said;
	} rows[] = {{DP_V_RELAYED, "relayed"}, {DP_V_REPLAY, "replay"}, {DP_V_AUTH_FAIL, "auth_fail"},
		{DP_V_NO_KEY, "no_key"}};
	struct gen_conf conf = {.in = CM, .out = GCM, .impair = {.replay = 5, .forge = 5}};
	struct bench b;

	(void)state;
	begin(&b, &conf);
	run(&b);
	assert_string_equal(judged(&b), "");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.after.verdicts[rows[i].v]++;
		assert_non_null(strstr(judged(&b), rows[i].said));
		b.after.verdicts[rows[i].v]--;
	}
	end(&b);
}

static void test_a_transport_that_loses_a_little(void **state)
{
	struct gen_conf conf = {.in = GCM, .impair = {.replay = 10}};
	struct rte_mbuf *out[BURST];
	struct err err = {""};
	struct bench b;
	unsigned n;

	(void)state;
	begin(&b, &conf);
	n = relayed(&b, out);
	verify(&b, out, n - 2);
	rte_pktmbuf_free_bulk(out + n - 2, 2);
	b.after.verdicts[DP_V_REPLAY]--;
	b.after.verdicts[DP_V_RELAYED]--;
	assert_int_equal(gen_judge(b.gen, &b.before, &b.after, 0.1, &err), 0);
	assert_true(gen_judge(b.gen, &b.before, &b.after, 0.001, &err) < 0);
	/* More replays than were sent are never the transport's. */
	b.after.verdicts[DP_V_REPLAY] += 2;
	assert_true(gen_judge(b.gen, &b.before, &b.after, 0.1, &err) < 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_media),
		cmocka_unit_test(test_pictures_are_bursts_of_big_packets),
		cmocka_unit_test(test_reports_of_both_sides),
		cmocka_unit_test(test_each_thing_that_is_done_to_packets),
		cmocka_unit_test(test_all_of_it_at_once),
		cmocka_unit_test(test_either_family_on_either_leg),
		cmocka_unit_test(test_reports_that_something_is_done_to),
		cmocka_unit_test(test_a_seed_says_which_packets),
		cmocka_unit_test(test_a_replay_that_got_through),
		cmocka_unit_test(test_a_gap_that_was_closed),
		cmocka_unit_test(test_packets_that_are_missing_or_change_places),
		cmocka_unit_test(test_a_report_under_a_wrong_number),
		cmocka_unit_test(test_a_replayed_report_that_got_through),
		cmocka_unit_test(test_counters_that_say_something_else),
		cmocka_unit_test(test_a_transport_that_loses_a_little),
	};

	return WORKER_TESTS_RUN("gen_faults", tests);
}
