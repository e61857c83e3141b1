/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session timers (RFC 4028), each leg's its own. A session that has one is refreshed in time by us or by the
 * peer, or ended; a peer that does not know them has none.
 */
#include <stddef.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/clock.h"

#define MIN_S SESSION_TIMER_MIN_S
#define RAISES_MAX 4 /* each proxy on the way may ask for more; who always does is not followed for ever */
#define OVERDUE_S 32 /* as long as a request is repeated: what was due before a restart has come by then */

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* "1800;refresher=uas": the seconds, 0 when there are none, and the parameter. */
static uint32_t expires_of(const struct sip_msg *m, enum sip_hdr_id id, struct str *refresher)
{
	struct str value = sip_msg_value(m, id), seconds = str_cut(&value, ';');
	uint64_t n;

	if (!sip_param(value, STR("refresher"), refresher))
		*refresher = STR("");
	return str_to_u64(str_trim(seconds), UINT32_MAX / 1000, &n) == 0 ? (uint32_t)n : 0;
}

static bool knows_timer(const struct sip_msg *m)
{
	return sip_msg_has_token(m, SIP_H_SUPPORTED, STR("timer")) ||
	       sip_msg_has_token(m, SIP_H_REQUIRE, STR("timer"));
}

bool session_timer_too_small(const struct sip_msg *m)
{
	struct str refresher;
	uint32_t s = expires_of(m, SIP_H_SESSION_EXPIRES, &refresher);

	return s && s < MIN_S && knows_timer(m);
}

void session_timer_methods(struct leg *l, const struct sip_msg *m)
{
	if (sip_msg_hdr(m, SIP_H_ALLOW))
		l->timer.peer_updates = sip_msg_has_token(m, SIP_H_ALLOW, STR("UPDATE"));
}

void session_timer_asked(struct leg *l, const struct sip_msg *m)
{
	struct leg_timer *t = &l->timer;
	struct str refresher, none;

	session_timer_methods(l, m);
	t->asked_s = expires_of(m, SIP_H_SESSION_EXPIRES, &refresher);
	t->asked_min_s = expires_of(m, SIP_H_MIN_SE, &none);
	t->asked_uac = str_ieq(refresher, STR("uac"));
	t->asked_uas = str_ieq(refresher, STR("uas"));
	t->asked_supported = knows_timer(m);
}

void session_timer_ask(const struct leg *l, struct sip_builder *b)
{
	const struct leg_timer *t = &l->timer;
	uint32_t s = t->interval_s ? t->interval_s : l->trunk->session_expires_s;

	if (!s)
		return;
	/* Within a session who refreshes it stays who he is. */
	sip_build_hdr_fmt(b, SIP_H_SESSION_EXPIRES, "%u%s", most(s, t->min_s),
		!t->interval_s ? ""
		: t->ours      ? ";refresher=uac"
			       : ";refresher=uas");
	if (t->min_s > MIN_S)
		sip_build_hdr_u32(b, SIP_H_MIN_SE, t->min_s);
}

static struct leg *leg_of(struct timer *t)
{
	return (struct leg *)((char *)t - offsetof(struct leg, timer.timer));
}

static void expired(struct timer *timer)
{
	struct leg *l = leg_of(timer);

	call_tell_outside(l->call, "the session was not refreshed in time");
	call_release(l->call, NULL, 408, "trunk %s: the session was not refreshed within %u s",
		l->trunk->name, l->timer.interval_s);
}

/* RFC 4028 section 10: before the end, so that the BYE is there when it comes. */
static uint32_t before_end_s(uint32_t s)
{
	return s - (s / 3 < 32 ? s / 3 : 32);
}

static void set(struct leg *l, uint32_t s, void (*fire)(struct timer *))
{
	timer_set(l->call->b->wheel, &l->timer.timer, s * 1000, fire);
	l->timer.due_ms = clock_wall_ms() + s * UINT64_C(1000);
}

static void refresh(struct timer *timer)
{
	struct leg *l = leg_of(timer);
	struct call *c = l->call;
	uint32_t s = l->timer.interval_s;

	set(l, before_end_s(s) - s / 2, expired);
	if (l->timer.peer_updates && l->established) {
		update_send(l);
	} else {
		l->timer.refresh_due = true;
		reinvite_start(c);
	}
}

static void arm(struct leg *l, uint32_t s, bool ours)
{
	struct leg_timer *t = &l->timer;

	if (l->call->state == CALL_ENDING)
		return;
	t->refresh_due = false;
	t->interval_s = s;
	t->ours = ours;
	t->due_ms = 0;
	if (!s)
		timer_cancel(l->call->b->wheel, &t->timer);
	else
		set(l, ours ? s / 2 : before_end_s(s), ours ? refresh : expired);
	checkpoint_touch(l->call);
}

void session_timer_restore(struct leg *l, const struct leg_timer *was)
{
	struct leg_timer *t = &l->timer;
	uint64_t now = clock_wall_ms(), left_s = was->due_ms > now ? (was->due_ms - now) / 1000 : 0;

	t->interval_s = was->interval_s;
	t->min_s = was->min_s;
	t->ours = was->ours;
	t->peer_updates = was->peer_updates;
	if (!t->interval_s)
		return;
	if (left_s > t->interval_s)
		left_s = t->interval_s; /* the clock was set */
	/* What was due meanwhile is not done for all calls at once; a peer may have tried to refresh. */
	if (t->ours)
		set(l, most((uint32_t)left_s, 2 + call_random(OVERDUE_S)), refresh);
	else
		set(l, most((uint32_t)left_s, OVERDUE_S), expired);
}

void session_timer_agree(struct leg *l, struct sip_builder *b)
{
	struct leg_timer *t = &l->timer;
	/* A proxy asked, for who knows of no 422: as RFC 4028 section 8.1 has the next one do, it gets more.
	 */
	uint32_t s = t->asked_s ? most(t->asked_s, MIN_S) : 0;
	bool ours = t->asked_uas || !t->asked_supported;

	/* RFC 4028 section 9: what was not asked for may be proposed to who knows of it. */
	if (!s && t->asked_supported && l->trunk->session_expires_s) {
		s = most(most(l->trunk->session_expires_s, t->asked_min_s), MIN_S);
		ours = !t->asked_uac;
	}
	sip_build_hdr(b, SIP_H_SUPPORTED, STR("timer"));
	if (s && !ours)
		sip_build_hdr(b, SIP_H_REQUIRE, STR("timer"));
	if (s)
		sip_build_hdr_fmt(b, SIP_H_SESSION_EXPIRES, "%u;refresher=%s", s, ours ? "uas" : "uac");
	arm(l, s, ours);
}

void session_timer_answered(struct leg *l, const struct sip_msg *m)
{
	struct str refresher;
	uint32_t s = expires_of(m, SIP_H_SESSION_EXPIRES, &refresher);

	session_timer_methods(l, m);
	arm(l, s ? most(s, MIN_S) : 0, !str_ieq(refresher, STR("uas")));
}

bool session_timer_raise(struct leg *l, const struct sip_msg *m)
{
	struct str none;
	uint32_t s = expires_of(m, SIP_H_MIN_SE, &none);

	if (m->status != 422 || s <= l->timer.min_s || l->timer.raised == RAISES_MAX)
		return false;
	l->timer.raised++;
	l->timer.min_s = s;
	if (l->timer.interval_s)
		l->timer.interval_s = most(l->timer.interval_s, s);
	return true;
}

void session_timer_stop(struct leg *l)
{
	timer_cancel(l->call->b->wheel, &l->timer.timer);
	l->timer.refresh_due = false;
}
