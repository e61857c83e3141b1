/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that nobody should send, at rates that the worker can take: none gets out, none costs an honest
 * one. Counts only; how fast it goes is bench_attack's.
 */
#include "perf/attack.h"
#include "perf/calls.h"
#include "perf/test_worker.h"

#define CALLS 20
#define HONEST_PPS 20e3
#define SECONDS 0.05
#define RTP_GCM SRTP_AEAD_AES_128_GCM
#define RTP_CM SRTP_AES_CM_128_HMAC_SHA1_80

struct bench {
	struct room room;
	struct gen *gen;
	struct attack *attack;
};

static void begin(struct bench *b, enum srtp_suite in, enum srtp_suite out)
{
	struct gen_conf conf = {.sessions = CALLS, .payload = 160, .in = in, .out = out};
	struct err err = {""};

	assert_int_equal(calls_open(&conf, &b->room, &b->gen, &err), 0);
	assert_int_equal(attack_open(&b->room, b->gen, CALLS, &b->attack), 0);
}

static void end(struct bench *b)
{
	attack_close(b->attack);
	calls_close(&b->room, b->gen);
}

static uint64_t verdict(const struct bench *b, enum dp_verdict v)
{
	return worker_stats(b->room.worker)->verdicts[v];
}

/*
 * A slow machine loses packets at its ring, as it must, and nothing may be concluded from which: what is
 * compared is what the worker was given.
 */
static struct attack_result attacked(struct bench *b, enum attack_kind kind)
{
	struct attack_conf calm = {.honest_pps = HONEST_PPS}, conf = {kind, HONEST_PPS, 4 * HONEST_PPS};
	struct attack_result before, r, after;
	const struct gen_stats *g = gen_stats(b->gen);

	assert_int_equal(attack_run(b->attack, &calm, SECONDS / 4, &before), 0);
	assert_int_equal(attack_run(b->attack, &conf, SECONDS, &r), 0);
	assert_int_equal(attack_run(b->attack, &calm, SECONDS / 4, &after), 0);
	/* Of the call that every forged packet is for some may go unheard, of the others none. */
	assert_int_equal(g->sent - g->good, kind == ATTACK_FORGED_ONE ? r.one_lost + after.one_lost : 0);
	assert_int_equal(before.came_out + r.came_out + after.came_out, 0);
	assert_int_equal(verdict(b, DP_V_RELAYED), g->good);
	assert_in_range(r.hostile, 100, UINT32_MAX);
	return r;
}

static void test_forged_packets(void **state)
{
	static const enum srtp_suite suites[] = {RTP_GCM, RTP_CM};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct attack_result r;
		struct bench b;

		begin(&b, suites[i], SRTP_SUITE_NONE);
		r = attacked(&b, i ? ATTACK_FORGED_ONE : ATTACK_FORGED_ALL);
		assert_int_equal(verdict(&b, DP_V_AUTH_FAIL) + verdict(&b, DP_V_POLICED),
			r.hostile + gen_stats(b.gen)->sent - gen_stats(b.gen)->good);
		end(&b);
	}
}

static void test_replays(void **state)
{
	struct attack_result r;
	struct bench b;

	(void)state;
	begin(&b, RTP_CM, RTP_GCM);
	r = attacked(&b, ATTACK_REPLAYS);
	assert_int_equal(verdict(&b, DP_V_REPLAY) + verdict(&b, DP_V_TOO_OLD), r.hostile);
	end(&b);
}

static void test_strangers_get_few_trials(void **state)
{
	struct attack_result r;
	struct bench b;

	(void)state;
	begin(&b, RTP_GCM, SRTP_SUITE_NONE);
	r = attacked(&b, ATTACK_STRANGERS);
	assert_int_equal(verdict(&b, DP_V_AUTH_FAIL) + verdict(&b, DP_V_TRIAL_LIMIT), r.hostile);
	/* Ten a second and leg, and no more than that at once. */
	assert_in_range(r.trials, 1, (uintmax_t)(CALLS * 10 * (1 + r.seconds + r.recovery_ms / 1e3)));
	end(&b);
}

static void test_strangers_inject_nothing_on_plain_legs(void **state)
{
	struct attack_result r;
	struct bench b;

	(void)state;
	begin(&b, SRTP_SUITE_NONE, RTP_GCM);
	r = attacked(&b, ATTACK_STRANGERS);
	assert_int_equal(verdict(&b, DP_V_WRONG_SOURCE), r.hostile);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged_packets),
		cmocka_unit_test(test_replays),
		cmocka_unit_test(test_strangers_get_few_trials),
		cmocka_unit_test(test_strangers_inject_nothing_on_plain_legs),
	};

	return WORKER_TESTS_RUN("attack", tests);
}
