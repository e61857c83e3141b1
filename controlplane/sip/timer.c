/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/timer.h"

#include <stdlib.h>

#define LEVELS 4
#define SLOTS0_BITS 8 /* level 0: one tick a slot, 2.56 s */
#define SLOTS_BITS 6  /* levels above: 163 s, 2.9 hours, 7.7 days */
#define SLOTS0 (1u << SLOTS0_BITS)
#define SLOTS (1u << SLOTS_BITS)
#define TICKS_MAX ((UINT64_C(1) << (SLOTS0_BITS + 3 * SLOTS_BITS)) - 1)

struct timer_wheel {
	uint64_t (*now_ms)(void *arg);
	void *arg;
	uint64_t tick; /* all timers up to and with this tick have fired */
	unsigned count;
	struct timer *near[SLOTS0];
	struct timer *far[LEVELS - 1][SLOTS];
};

static uint64_t now_tick(const struct timer_wheel *w)
{
	return w->now_ms(w->arg) / TIMER_TICK_MS;
}

struct timer_wheel *timer_wheel_new(uint64_t (*now_ms)(void *arg), void *arg)
{
	struct timer_wheel *w = calloc(1, sizeof *w);

	if (w) {
		w->now_ms = now_ms;
		w->arg = arg;
		w->tick = now_tick(w);
	}
	return w;
}

static void list_push(struct timer **head, struct timer *t)
{
	t->next = *head;
	t->prev = head;
	if (t->next)
		t->next->prev = &t->next;
	*head = t;
}

static void list_take(struct timer *t)
{
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = NULL;
}

static void list_move(struct timer **from, struct timer **to)
{
	*to = *from;
	*from = NULL;
	if (*to)
		(*to)->prev = to;
}

void timer_wheel_free(struct timer_wheel *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < SLOTS0; i++)
		while (w->near[i])
			list_take(w->near[i]);
	for (unsigned level = 0; level < LEVELS - 1; level++)
		for (unsigned i = 0; i < SLOTS; i++)
			while (w->far[level][i])
				list_take(w->far[level][i]);
	free(w);
}

/* A slot of a level holds ticks that differ from w->tick by less than the level's span. */
static void place(struct timer_wheel *w, struct timer *t)
{
	uint64_t ahead = t->tick - w->tick;
	unsigned shift = SLOTS0_BITS;

	if (ahead < SLOTS0) {
		list_push(&w->near[t->tick % SLOTS0], t);
		return;
	}
	for (unsigned level = 0; level < LEVELS - 1; level++, shift += SLOTS_BITS) {
		if (ahead < UINT64_C(1) << (shift + SLOTS_BITS)) {
			list_push(&w->far[level][t->tick >> shift & (SLOTS - 1)], t);
			return;
		}
	}
}

void timer_set(struct timer_wheel *w, struct timer *t, uint32_t ms, void (*fire)(struct timer *))
{
	timer_cancel(w, t);
	if (!w->count)
		w->tick = now_tick(w);
	/* The current tick has begun: one more, so that the timer is never early. */
	t->tick = now_tick(w) + (ms + TIMER_TICK_MS - 1) / TIMER_TICK_MS + 1;
	if (t->tick - w->tick > TICKS_MAX)
		t->tick = w->tick + TICKS_MAX;
	t->fire = fire;
	place(w, t);
	w->count++;
}

void timer_cancel(struct timer_wheel *w, struct timer *t)
{
	if (!timer_running(t))
		return;
	list_take(t);
	w->count--;
}

uint64_t timer_now_ms(const struct timer_wheel *w)
{
	return w->now_ms(w->arg);
}

uint32_t timer_left_ms(const struct timer_wheel *w, const struct timer *t)
{
	uint64_t now = now_tick(w);

	return timer_running(t) && t->tick > now ? (uint32_t)(t->tick - now) * TIMER_TICK_MS : 0;
}

/* The span of a level begins: its timers move down. */
static void cascade(struct timer_wheel *w)
{
	unsigned shift = SLOTS0_BITS;

	for (unsigned level = 0; level < LEVELS - 1; level++, shift += SLOTS_BITS) {
		unsigned slot = w->tick >> shift & (SLOTS - 1);
		struct timer *list;

		list_move(&w->far[level][slot], &list);
		while (list) {
			struct timer *t = list;

			list_take(t);
			place(w, t);
		}
		if (slot)
			break;
	}
}

void timer_wheel_advance(struct timer_wheel *w)
{
	uint64_t target = now_tick(w);

	while (w->tick < target) {
		if (!w->count) {
			w->tick = target;
			return;
		}
		w->tick++;
		if (w->tick % SLOTS0 == 0)
			cascade(w);
		struct timer *due;

		/* A local list: a callback may cancel what is on it, what it sets lands elsewhere. */
		list_move(&w->near[w->tick % SLOTS0], &due);
		while (due) {
			struct timer *t = due;

			list_take(t);
			w->count--;
			t->fire(t);
		}
	}
}

unsigned timer_wheel_count(const struct timer_wheel *w)
{
	return w->count;
}
