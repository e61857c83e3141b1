/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forged packets from the peer's own address, with its SSRC: they cost a bounded number of authentications,
 * the call that they are meant for goes on, and afterwards all is as before. The clock is the test's own, so
 * that every count is the same on every machine.
 */
#include <string.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 4
#define SSRC 7
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define FORGED_PER_MS 200
#define FRAME_MS 20

static struct srtp_context *peer;
static uint16_t seq;
static unsigned forged;

/* What waits is handled without time going on. What B hears. */
static unsigned handled(struct rig *r)
{
	unsigned n = 0;

	do {
		worker_step(r->w[0], r->now);
		n += rig_heard(r);
	} while (!rte_ring_empty(r->rx[0]));
	control_poll(r->control);
	return n;
}

static void speak(struct rig *r, uint16_t number, uint32_t ts)
{
	uint8_t p[512];
	size_t n = rig_rtp(p, SSRC, number, ts, 160);

	assert_int_equal(srtp_context_protect(peer, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
}

/* As the next packet would look, by somebody without the key. */
static void forge(struct rig *r, unsigned n, uint32_t ssrc)
{
	uint8_t p[512];
	size_t size = rig_rtp(p, ssrc, (uint16_t)(seq + 1), (seq + 1) * 160u, 160) + 10;

	memset(p + size - 10, 0xaa, 10);
	for (unsigned i = 0; i < n; i++)
		rig_send(r, peer_a, gw_a, p, size);
	forged += n;
}

/* 20 ms in which packets are forged all the time, and one genuine one at the end. Is it heard? */
static bool frame(struct rig *r, unsigned forged_per_ms)
{
	unsigned n = 0;

	for (unsigned ms = 0; ms < FRAME_MS; ms++) {
		r->now += NS_PER_MS;
		if (ms == FRAME_MS - 1) {
			speak(r, (uint16_t)(seq + 1), (seq + 1) * 160u);
			n += handled(r);
			seq++;
		}
		forge(r, forged_per_ms, SSRC);
		n += handled(r);
	}
	assert_in_range(n, 0, 1);
	return n == 1;
}

/* A secure, B plain; ten packets have been heard. */
static void call_open(struct rig *r)
{
	union dp_msg m;

	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, 0, DP_SECURITY_PLAIN);
	m = rig_key(S, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	rig_forget(r);
	peer = rig_peer(CM, 1, SRTP_PROTECT);
	seq = 0;
	forged = 0;
	for (unsigned i = 0; i < 10; i++)
		assert_true(frame(r, 0));
}

static void call_close(void)
{
	srtp_context_free(peer);
}

static uint64_t trials(struct rig *r)
{
	return rig_verdict(r, S, 0, DP_V_AUTH_FAIL);
}

static uint64_t policed(struct rig *r)
{
	return rig_verdict(r, S, 0, DP_V_POLICED);
}

static uint64_t guarded(const struct rig *r)
{
	return worker_stats(r->w[0])->guarded;
}

static void test_a_burst_without_forgeries_is_not_policed(void **state)
{
	struct rig *r = *state;
	unsigned n = 0;

	call_open(r);
	/* A key frame: 800 packets with one timestamp, at once. */
	for (unsigned part = 0; part < 4; part++) {
		for (unsigned i = 0; i < 200; i++)
			speak(r, ++seq, 5000);
		n += handled(r);
	}
	assert_int_equal(n, 800);
	assert_int_equal(policed(r), 0);
	call_close();
}

static void test_some_failures_are_not_an_attack(void **state)
{
	struct rig *r = *state;

	call_open(r);
	/* A thousand a second, of a peer that uses its new key a little too soon, would be one; 500 are not.
	 */
	for (unsigned i = 0; i < 100; i++) {
		r->now += 2 * NS_PER_MS;
		forge(r, 1, SSRC);
		handled(r);
	}
	assert_int_equal(trials(r), forged);
	assert_int_equal(policed(r), 0);
	assert_null(rig_message(r, DP_LEG_ATTACKED));
	call_close();
}

static void test_trials_are_bounded_and_the_call_goes_on(void **state)
{
	struct rig *r = *state;
	unsigned frames = 15;

	call_open(r);
	for (unsigned i = 0; i < frames; i++)
		assert_true(frame(r, FORGED_PER_MS));
	assert_int_equal(trials(r) + policed(r) + rig_verdict(r, S, 0, DP_V_REPLAY), forged);
	/* Until it is noticed, at the end of a batch; what the bucket holds at first; and what fills it. */
	assert_in_range(trials(r), GUARD_FAILURES,
		GUARD_FAILURES + BATCH_MAX + GUARD_TRIALS_PER_MS * (GUARD_DEPTH_MS + frames * FRAME_MS));
	assert_int_equal(guarded(r), 1);
	/* Said once, while it lasts not again for ten seconds. */
	assert_int_equal(rig_count(r, DP_LEG_ATTACKED), 1);
	assert_int_equal(rig_message(r, DP_LEG_ATTACKED)->leg_attacked.session, S);
	assert_int_equal(rig_message(r, DP_LEG_ATTACKED)->leg_attacked.leg, 0);
	assert_true(rig_message(r, DP_LEG_ATTACKED)->leg_attacked.failures >= GUARD_FAILURES);
	call_close();
}

static void test_afterwards_all_is_as_before(void **state)
{
	struct rig *r = *state;
	unsigned n = 0;
	uint64_t before;

	call_open(r);
	for (unsigned i = 0; i < 5; i++)
		frame(r, FORGED_PER_MS);
	before = policed(r);
	for (unsigned i = 0; i < 5; i++)
		assert_true(frame(r, 0));
	assert_int_equal(guarded(r), 0);
	for (unsigned i = 0; i < 200; i++)
		speak(r, ++seq, 9999);
	n = handled(r);
	assert_int_equal(n, 200);
	assert_int_equal(policed(r), before);
	call_close();
}

/* The leg is not heard any more, either: the second's walk ends it. */
static void test_a_leg_that_fell_silent_is_guarded_no_more(void **state)
{
	struct rig *r = *state;

	call_open(r);
	frame(r, FORGED_PER_MS);
	assert_int_equal(guarded(r), 1);
	rig_run(r, 2500);
	assert_int_equal(guarded(r), 0);
	call_close();
}

static void test_other_ssrcs_and_reports_have_their_share(void **state)
{
	struct srtp_context *other = rig_peer(CM, 1, SRTP_PROTECT);
	struct rig *r = *state;
	uint8_t p[512];
	size_t n;

	call_open(r);
	for (unsigned i = 0; i < 3; i++)
		frame(r, FORGED_PER_MS);
	/* The bucket for what is known is empty; the peer speaks with another SSRC, and reports. */
	forge(r, 4 * FORGED_PER_MS, SSRC);
	handled(r);
	n = rig_rtp(p, SSRC + 1, 1, 160, 160);
	assert_int_equal(srtp_context_protect(other, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	assert_int_equal(handled(r), 1);
	n = rig_sr(p, SSRC, 0, 0);
	assert_int_equal(srtp_context_protect_rtcp(peer, p, &n, sizeof p), 0);
	rig_send(r, peer_a, gw_a, p, n);
	handled(r);
	assert_int_equal(rig_leg_state(r, S, 0)->far->count.rx_rtcp, 1);
	/* Forgers of SSRCs that nobody knows have that small bucket. */
	for (unsigned i = 0; i < 4; i++) {
		forge(r, FORGED_PER_MS, 1000 + i);
		handled(r);
	}
	assert_true(policed(r) >= 4 * FORGED_PER_MS - GUARD_OTHERS_PER_MS * GUARD_DEPTH_MS);
	srtp_context_free(other);
	call_close();
}

static void test_a_new_key_ends_it(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r);
	frame(r, FORGED_PER_MS);
	assert_int_equal(guarded(r), 1);
	m = rig_key(S, 0, DP_KEY_RX, CM, 3);
	m.key_add.epoch = 3;
	m.key_add.fresh_index = 1;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(guarded(r), 0);
	srtp_context_free(peer);
	peer = rig_peer(CM, 3, SRTP_PROTECT);
	assert_true(frame(r, 0));
	call_close();
}

static void test_a_call_that_ends_under_attack_leaves_nothing(void **state)
{
	struct rig *r = *state;

	call_open(r);
	frame(r, FORGED_PER_MS);
	assert_int_equal(guarded(r), 1);
	assert_int_equal(rig_session_delete(r, S), 0);
	assert_int_equal(guarded(r), 0);
	call_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_burst_without_forgeries_is_not_policed, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_some_failures_are_not_an_attack, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_trials_are_bounded_and_the_call_goes_on, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_afterwards_all_is_as_before, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_a_leg_that_fell_silent_is_guarded_no_more, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_other_ssrcs_and_reports_have_their_share, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_a_new_key_ends_it, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_a_call_that_ends_under_attack_leaves_nothing, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
