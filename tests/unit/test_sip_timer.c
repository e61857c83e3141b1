/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <string.h>

#include "controlplane/sip/timer.h"

static uint64_t now;
static uint64_t clock_fn(void *arg)
{
	(void)arg;
	return now;
}

#define TIMERS 2000

static struct shot {
	struct timer t; /* first: the callback casts back */
	uint64_t due, fired;
	unsigned count;
} shots[TIMERS];

static void on_fire(struct timer *t)
{
	struct shot *s = (struct shot *)t;

	s->fired = now;
	s->count++;
}

/* Milliseconds over all levels of the wheel; every timer fires once, never early, within two ticks. */
static void test_every_level(void **state)
{
	now = 123456789;
	struct timer_wheel *w = timer_wheel_new(clock_fn, NULL);
	uint32_t rng = 1;

	(void)state;
	memset(shots, 0, sizeof shots);
	for (unsigned i = 0; i < TIMERS; i++) {
		static const uint32_t spans[] = {50, 2560, 163840, 10485760, 50000000};

		rng = rng * 1664525 + 1013904223;
		uint32_t ms = (rng >> 8) % spans[i % 5];

		shots[i].due = now + ms;
		timer_set(w, &shots[i].t, ms, on_fire);
	}
	assert_int_equal(timer_wheel_count(w), TIMERS);
	for (uint64_t end = now + 50000000 + 100; now < end; now += TIMER_TICK_MS)
		timer_wheel_advance(w);
	for (unsigned i = 0; i < TIMERS; i++) {
		assert_int_equal(shots[i].count, 1);
		assert_true(shots[i].fired >= shots[i].due);
		assert_true(shots[i].fired <= shots[i].due + 2 * TIMER_TICK_MS);
	}
	assert_int_equal(timer_wheel_count(w), 0);
	timer_wheel_free(w);
}

static struct timer_wheel *wheel;

/* Cancels its neighbour, which is due in the same tick, and starts itself again. */
static void on_fire_cancel(struct timer *t)
{
	on_fire(t);
	timer_cancel(wheel, &shots[t == &shots[0].t ? 1 : 0].t);
	if (shots[0].count + shots[1].count < 3)
		timer_set(wheel, t, 0, on_fire_cancel);
}

static void test_change_while_firing(void **state)
{
	(void)state;
	now = 5;
	wheel = timer_wheel_new(clock_fn, NULL);
	memset(shots, 0, sizeof shots);
	timer_set(wheel, &shots[0].t, 100, on_fire_cancel);
	timer_set(wheel, &shots[1].t, 100, on_fire_cancel);
	timer_set(wheel, &shots[1].t, 100, on_fire_cancel); /* set anew, not twice */
	assert_int_equal(timer_wheel_count(wheel), 2);
	for (unsigned i = 0; i < 50; i++, now += TIMER_TICK_MS)
		timer_wheel_advance(wheel);
	assert_int_equal(shots[0].count + shots[1].count, 3);
	assert_true(shots[0].count == 0 || shots[1].count == 0);
	timer_wheel_free(wheel);
}

/* The owner was away for a second: what is set then counts from now, not from the last advance. */
static void test_late_owner(void **state)
{
	(void)state;
	now = 0;
	wheel = timer_wheel_new(clock_fn, NULL);
	memset(shots, 0, sizeof shots);
	timer_set(wheel, &shots[0].t, 5000, on_fire);
	now = 1000;
	timer_set(wheel, &shots[1].t, 500, on_fire);
	timer_wheel_advance(wheel);
	now = 1490;
	timer_wheel_advance(wheel);
	assert_int_equal(shots[1].count, 0);
	now = 1530;
	timer_wheel_advance(wheel);
	assert_int_equal(shots[1].count, 1);
	timer_wheel_free(wheel);
	assert_false(timer_running(&shots[0].t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_level),
		cmocka_unit_test(test_change_while_firing),
		cmocka_unit_test(test_late_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
