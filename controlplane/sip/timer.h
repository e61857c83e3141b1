/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hierarchical timing wheel: set and cancel in O(1), 10 ms ticks, up to 7 days. It has no clock of its own;
 * its owner advances it (the stack from libevent, tests from a clock of theirs). One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_TICK_MS 10

/* Embedded in what it times; zero it before first use. */
struct timer {
	struct timer *next, **prev; /* prev NULL: not running */
	uint64_t tick;
	void (*fire)(struct timer *t);
};

struct timer_wheel;

/* NULL without memory. */
struct timer_wheel *timer_wheel_new(uint64_t (*now_ms)(void *arg), void *arg);
/* Running timers are forgotten, not fired. */
void timer_wheel_free(struct timer_wheel *w);

/* Fires after ms milliseconds, never early, at most two ticks late; a running timer is set anew. */
void timer_set(struct timer_wheel *w, struct timer *t, uint32_t ms, void (*fire)(struct timer *));
void timer_cancel(struct timer_wheel *w, struct timer *t);
static inline bool timer_running(const struct timer *t)
{
	return t->prev != NULL;
}

/* The owner's clock. */
uint64_t timer_now_ms(const struct timer_wheel *w);
/* Milliseconds until it fires; 0: it does not run. */
uint32_t timer_left_ms(const struct timer_wheel *w, const struct timer *t);

/* Fires all that is due. Callbacks may set, cancel and free any timer. */
void timer_wheel_advance(struct timer_wheel *w);
/* Timers running. */
unsigned timer_wheel_count(const struct timer_wheel *w);
