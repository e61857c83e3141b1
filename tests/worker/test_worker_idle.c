/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a worker sleeps and for how long, and what wakes it. The plan is a function of what it is told, so
 * that no test looks at a clock; the one that lets a worker run and sleep is bounded by what it is to do.
 */
#include <errno.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define US UINT64_C(1000)
#define MOST_US 200
#define WATCHDOG_S 90

static struct idle opened(uint32_t idle_us, bool can_wait)
{
	struct err err = {""};
	struct idle s;

	assert_int_equal(idle_open(&s, idle_us, &err), 0);
	s.can_wait = can_wait;
	s.since = 1000 * US;
	return s;
}

/* Packets at a steady rate until the worker first sleeps, or for 10 ms; looks at them every us. */
static struct idle_plan at_rate(struct idle *s, double per_us)
{
	struct idle_plan plan = {IDLE_AWAKE, 0};
	uint64_t now = s->since;
	double due = 0;

	for (unsigned us = 0; us < 10000 && plan.kind == IDLE_AWAKE; us++) {
		unsigned n = (unsigned)(due += per_us);

		due -= n;
		now += US;
		plan = idle_plan(s, n, now);
	}
	return plan;
}

static void test_a_nap_is_as_long_as_a_batch_takes(void **state)
{
	struct idle s = opened(MOST_US, false);
	struct idle_plan plan;
	uint64_t now = s.since;

	(void)state;
	/* 16 packets in 100 us: the next 32 take 200; 30 in 100 us: 107. */
	plan = idle_plan(&s, 16, now += 100 * US);
	assert_int_equal(plan.kind, IDLE_NAP);
	assert_int_equal(plan.ns, 200 * US);
	plan = idle_plan(&s, 30, now += 100 * US);
	assert_int_equal(plan.kind, IDLE_NAP);
	assert_in_range(plan.ns, 106 * US, 107 * US);
	/* Never longer than was said, however few there are. */
	plan = idle_plan(&s, 1, now += 5000 * US);
	assert_int_equal(plan.ns, MOST_US * US);
	plan = idle_plan(&s, 0, now += 5000 * US);
	assert_int_equal(plan.kind, IDLE_NAP);
	assert_int_equal(plan.ns, MOST_US * US);
	idle_close(&s);
}

static void test_a_busy_worker_never_sleeps(void **state)
{
	struct idle s = opened(MOST_US, true);
	uint64_t now = s.since;

	(void)state;
	/* More frames may wait where a port had a whole burst. */
	assert_int_equal(idle_plan(&s, IDLE_BATCH, now += 100 * US).kind, IDLE_AWAKE);
	/* Two million a second, whichever way they come. */
	s.since = now;
	s.packets = 0;
	assert_int_equal(at_rate(&s, 2).kind, IDLE_AWAKE);
	idle_close(&s);
}

static void test_the_rate_is_that_of_the_last_moments(void **state)
{
	struct idle s = opened(MOST_US, false);
	uint64_t now = s.since;
	unsigned us = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(idle_plan(&s, 31, now += 10 * US).kind, IDLE_AWAKE);
	/* Nothing comes any more: it goes to sleep within a few milliseconds. */
	while (idle_plan(&s, 0, now += US).kind == IDLE_AWAKE)
		assert_in_range(us++, 0, 20000);
	idle_close(&s);
}

static void test_it_waits_after_a_nap_that_met_nothing(void **state)
{
	struct idle s = opened(MOST_US, true);
	uint64_t now = s.since;
	struct idle_plan plan;

	(void)state;
	assert_int_equal(idle_plan(&s, 1, now += 500 * US).kind, IDLE_NAP);
	plan = idle_plan(&s, 0, now += MOST_US * US);
	assert_int_equal(plan.kind, IDLE_SLEEP);
	assert_int_equal(plan.ns, IDLE_DEEP_NS);
	assert_int_equal(idle_plan(&s, 0, now += 10000 * US).kind, IDLE_SLEEP);
	/* A packet came. */
	assert_int_equal(idle_plan(&s, 1, now += 10 * US).kind, IDLE_NAP);
	idle_close(&s);
}

static void test_without_naps_it_never_sleeps(void **state)
{
	struct idle s = opened(0, true);
	uint64_t now = s.since;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(idle_plan(&s, 0, now += 1000 * US).kind, IDLE_AWAKE);
	idle_close(&s);
}

static uint64_t wakes(const struct idle *s)
{
	uint64_t n = 0;

	return read(s->fds[0].fd, &n, sizeof n) == (ssize_t)sizeof n ? n : 0;
}

static void test_only_a_sleeper_is_woken_and_once(void **state)
{
	struct idle s = opened(MOST_US, true);

	(void)state;
	idle_wake(&s, IDLE_NAP);
	assert_int_equal(wakes(&s), 0);
	atomic_store(&s.state, IDLE_NAP);
	idle_wake(&s, IDLE_SLEEP); /* a packet handed over: the nap ends soon */
	assert_int_equal(wakes(&s), 0);
	idle_wake(&s, IDLE_NAP);
	idle_wake(&s, IDLE_NAP);
	assert_int_equal(wakes(&s), 1);
	atomic_store(&s.state, IDLE_SLEEP);
	idle_wake(&s, IDLE_SLEEP);
	idle_wake(&s, IDLE_NAP);
	assert_int_equal(wakes(&s), 1);
	idle_close(&s);
}

static void test_another_longest_nap_counts_from_the_next_one_on(void **state)
{
	struct idle s = opened(MOST_US, false);
	uint64_t now = s.since;

	(void)state;
	assert_false(idle_set(&s, DP_NAP_AS_STARTED));
	assert_true(idle_set(&s, 50));
	assert_false(idle_set(&s, 50));
	assert_int_equal(idle_plan(&s, 0, now += 100 * US).ns, 50 * US);
	assert_true(idle_set(&s, DP_NAP_NEVER));
	assert_int_equal(idle_plan(&s, 0, now += 100 * US).kind, IDLE_AWAKE);
	assert_true(idle_set(&s, DP_NAP_AS_STARTED));
	assert_int_equal(idle_plan(&s, 0, now + 100 * US).ns, MOST_US * US);
	idle_close(&s);
	/* One that was started to poll all the time naps as well, when it is told to. */
	s = opened(0, false);
	assert_true(idle_set(&s, 1000));
	assert_int_equal(idle_plan(&s, 0, s.since + 100 * US).ns, 1000 * US);
	assert_true(idle_set(&s, DP_NAP_AS_STARTED));
	assert_int_equal(idle_plan(&s, 0, s.since + 200 * US).kind, IDLE_AWAKE);
	idle_close(&s);
}

/* The control plane's word reaches every worker, and one that is refused as a whole changes nothing. */
static void test_the_configuration_says_how_long(void **state)
{
	struct rig *r = *state;
	union dp_msg m = rig_configuration();

	m.configure.nap_us = 70;
	assert_int_equal(rig_command(r, &m), 0);
	for (unsigned i = 0; i < RIG_WORKERS; i++)
		assert_int_equal(r->w[i]->idle.most_ns, 70000);
	m.configure.nap_us = 80;
	m.configure.n_addresses = 1;
	m.configure.addresses[0] = rig_range("10.0.0.9", 1, 2, RIG_WORKERS);
	assert_int_equal(rig_command(r, &m), -EINVAL);
	assert_int_equal(r->w[0]->idle.most_ns, 70000);
}

static void test_a_port_without_descriptor_is_not_waited_for(void **state)
{
	struct rig *r = *state;

	assert_int_equal(port_fd(r->port, 0), -1);
	assert_false(r->w[0]->idle.can_wait);
}

static void test_a_fault_of_a_port_does_not_wake_for_ever(void **state)
{
	struct rig *r = *state;
	struct worker *w = r->w[0];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	w->idle.can_wait = true;
	w->idle.most_ns = MOST_US * 1000;
	idle_add(&w->idle, ends[1]);
	close(ends[0]); /* POLLERR from now on */
	assert_true(idle_rest(w, 0, r->now));
	assert_false(w->idle.can_wait);
	close(ends[1]);
}

static void answered(struct rig *r, union dp_msg *m)
{
	m->h.seq = ++r->seq;
	control_handle(r->control, m);
	for (;;) {
		const union dp_msg *ack;

		control_poll(r->control);
		ack = rig_message(r, DP_ACK);
		if (ack && ack->h.seq == r->seq) {
			assert_int_equal(ack->ack.result, 0);
			rig_forget(r);
			return;
		}
		usleep(50);
	}
}

/* One that sleeps deeply all the time between takes commands and hands packets over; every one comes out. */
static void test_workers_that_sleep_lose_nothing(void **state)
{
	struct ip_port gw = rig_addr("10.0.0.1", 25000), peer = rig_addr("10.0.0.10", 5000);
	struct ip_port far_gw = rig_addr("10.0.0.1", 25002), far = rig_addr("10.0.0.20", 6000);
	struct rig *r = *state;
	unsigned came = 0, lcore;
	struct datagram d;
	union dp_msg m;
	uint8_t p[256];

	alarm(WATCHDOG_S);
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		r->w[i]->idle.most_ns = MOST_US * 1000;
		r->w[i]->idle.can_wait = true;
	}
	/* The owner has no port of its own to wake it: what it gets is handed over by the other, that naps.
	 */
	r->w[0]->idle.can_wait = false;
	lcore = rte_get_next_lcore(-1, 1, 0);
	for (unsigned i = 0; i < RIG_WORKERS; i++, lcore = rte_get_next_lcore(lcore, 1, 0))
		assert_int_equal(rte_eal_remote_launch(worker_run, r->w[i], lcore), 0);
	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = 1;
	m.session_add.worker = 1;
	answered(r, &m);
	m = rig_leg(1, 0, DP_SECURITY_PLAIN, gw, peer);
	answered(r, &m);
	m = rig_leg(1, 1, DP_SECURITY_PLAIN, far_gw, far);
	m.leg_update.side = DP_SIDE_B;
	answered(r, &m);
	for (uint16_t seq = 1; seq <= 200; seq++) {
		size_t n = rig_rtp(p, 7, seq, seq * 160u, 80);

		rig_send_at(r, 0, peer, gw, p, n);
		while (came < seq)
			came += rig_receive(r, &d);
	}
	for (unsigned i = 0; i < RIG_WORKERS; i++)
		worker_stop(r->w[i]);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		const struct worker_stats *s = worker_stats(r->w[i]);

		assert_true(s->sleeps > 0 && s->sleep_cycles > 0 && s->sleep_cycles <= s->idle_cycles);
	}
	assert_int_equal(worker_stats(r->w[0])->handover, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_longest_nap_counts_from_the_next_one_on),
		cmocka_unit_test_setup_teardown(test_the_configuration_says_how_long, rig_open, rig_close),
		cmocka_unit_test(test_a_nap_is_as_long_as_a_batch_takes),
		cmocka_unit_test(test_a_busy_worker_never_sleeps),
		cmocka_unit_test(test_the_rate_is_that_of_the_last_moments),
		cmocka_unit_test(test_it_waits_after_a_nap_that_met_nothing),
		cmocka_unit_test(test_without_naps_it_never_sleeps),
		cmocka_unit_test(test_only_a_sleeper_is_woken_and_once),
		cmocka_unit_test_setup_teardown(
			test_a_port_without_descriptor_is_not_waited_for, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_a_fault_of_a_port_does_not_wake_for_ever, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_workers_that_sleep_lose_nothing, rig_open, rig_close),
	};

	rig_lcores(RIG_WORKERS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
