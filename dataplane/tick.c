/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tick.h"

#include "dataplane/event.h"
#include "dataplane/ice_lite.h"
#include "dataplane/worker_private.h"

#define TICKS_PER_WALK 100 /* every leg is looked at once a second */
#define WALK_FETCH 32      /* legs whose state is fetched together */

static bool expects_media(const struct leg *leg)
{
	return leg_directions(leg) & DP_RECV;
}

static bool silent(const struct worker *w, const struct leg *leg, uint64_t timeout_ns)
{
	return expects_media(leg) && leg_silent_ns(leg, w->now_ms) >= timeout_ns;
}

/* A side is silent when all of its legs are that expect something: who is muted may still be seen. */
static bool side_silent(const struct worker *w, const struct leg *leg, uint64_t timeout_ns)
{
	const struct session *s = leg->far->session;

	for (unsigned i = 0; i < DP_LEGS_MAX; i++)
		if (s->legs[i] && s->legs[i]->far->side == leg->far->side && expects_media(s->legs[i]) &&
			!silent(w, s->legs[i], timeout_ns))
			return false;
	return true;
}

static uint64_t media_timeout_ns(const struct worker *w, const struct leg *leg)
{
	uint32_t s = leg->far->session->media_timeout_s[leg->far->side];

	return (s ? s : w->media_timeout_s) * NS_PER_S;
}

static void leg_tick(struct worker *w, struct leg *leg)
{
	uint64_t timeout;

	if (leg->attended) {
		leg_keys_tick(w, leg);
		ice_tick(w, leg);
		guard_tick(w, leg);
		leg->attended = leg->far->ice || leg->guarded || leg_key_role(leg, KEY_PREVIOUS);
	}
	/* Of most legs the walk touches one cache line. */
	if (leg->timed_out || leg_silent_ns(leg, w->now_ms) < NS_PER_S)
		return;
	timeout = media_timeout_ns(w, leg);
	if (timeout == 0 || !silent(w, leg, timeout) || !side_silent(w, leg, timeout))
		return;
	leg->timed_out = true;
	event_mark(w, leg, LEG_EVENT_TIMEOUT);
}

/* One that finds no room now is tried again; the newest state counts. */
static void crypto_alarm(struct worker *w, const struct crypto_health *health)
{
	union dp_msg *m;

	if (w->alarm_reported == !!health->degraded && w->alarm_times == health->failovers)
		return;
	m = mailbox_event(&w->mailbox);
	if (!m)
		return;
	dp_msg_init(m, DP_ALARM, 0);
	m->alarm.worker = w->index;
	m->alarm.kind = DP_ALARM_CRYPTO_DEVICE;
	m->alarm.raised = health->degraded != 0;
	m->alarm.times = health->failovers;
	mailbox_event_send(&w->mailbox, m);
	w->reported = true;
	w->alarm_reported = health->degraded != 0;
	w->alarm_times = health->failovers;
}

/* A gauge: written as it is now. */
static void set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static void crypto_tick(struct worker *w)
{
	struct crypto_health health;

	if (w->backend->health(w->crypto, &health) < 0)
		return;
	set(&w->stats.crypto_jobs, health.jobs);
	set(&w->stats.crypto_batches, health.batches);
	set(&w->stats.crypto_overflow_jobs, health.overflow_jobs);
	set(&w->stats.crypto_rescued, health.rescued);
	set(&w->stats.crypto_failovers, health.failovers);
	set(&w->stats.crypto_overflow_keys, health.overflow_slots);
	set(&w->stats.crypto_degraded, health.degraded != 0);
	crypto_alarm(w, &health);
	if (w->backend->maintain)
		w->backend->maintain(w->crypto);
}

/* The next legs' cache line, all at once: one after the other is as long as memory is far. */
static void walk_fetch(const struct worker *w, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < WALK_FETCH; i++)
		(void)*(struct leg_far *const volatile *)&worker_leg(w, (w->tick_leg + i) % w->legs_top)->far;
}

void worker_tick(struct worker *w)
{
	uint32_t n;

	if (w->now - w->tick_at < TICK_NS)
		return;
	w->tick_at = w->now;
	hold_tick(w);
	crypto_tick(w);
	n = w->legs_top / TICKS_PER_WALK + 1;
	for (uint32_t i = 0; i < n && w->legs_top; i++) {
		struct leg *leg = worker_leg(w, w->tick_leg++ % w->legs_top);

		if (i % WALK_FETCH == 0)
			walk_fetch(w, n - i);
		if (leg->used)
			leg_tick(w, leg);
	}
}
