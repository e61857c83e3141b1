/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/media/rekey.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define ALL_PER_S 50 /* calls of a rekey-all */
#define OVERDUE_S 60 /* for keys that became due while the control plane was away */
#define DUE_S 5      /* for a renewal that it was about */
#define REST_S 600   /* after a refusal without end, where the policy has no interval */

static const char *const causes[KEY_CAUSES] = {
	[REKEY_INTERVAL] = "interval",
	[REKEY_PACKETS] = "packets",
	[REKEY_OCTETS] = "octets",
	[REKEY_RTCP_PACKETS] = "rtcp-packets",
	[REKEY_AUTH_FAILURES] = "auth-failures",
	[REKEY_OPERATOR] = "operator",
	[REKEY_DATA_PLANE] = "data-plane",
	[KEY_OF_SETUP] = "setup",
	[KEY_OF_PEER] = "peer",
};

static const char *const results[REKEY_RESULTS] = {
	[REKEY_RENEWED] = "renewed",
	[REKEY_ONE_WAY] = "one-way",
	[REKEY_REFUSED] = "refused",
	[REKEY_GIVEN_UP] = "given-up",
};

/* A trunk without a policy: asked again as by the model's defaults. */
static const struct config_rekey_policy no_policy = {.name = "none", .attempts = 3, .retry_s = 30};

const char *rekey_cause_name(enum rekey_cause c)
{
	return causes[c];
}

const char *rekey_result_name(enum rekey_result r)
{
	return results[r];
}

static const struct config_rekey_policy *policy_of(const struct leg *l)
{
	return l->trunk->rekey ? l->trunk->rekey : &no_policy;
}

static void count(struct leg *l, enum rekey_result r)
{
	l->call->b->rekeys[l->rekey.cause][r]++;
	l->rekey.result = r;
	l->rekey.tried = true;
	checkpoint_touch(l->call);
}

bool rekey_possible(const struct leg *l)
{
	const struct oa_media *m;

	if (!l->trunk || l->trunk->keep_keys || l->rekey.barred)
		return false;
	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++) {
		if (!m->open || !m->keys)
			continue;
		/* A new association takes a port of its own: the one that RTCP leaves free. */
		if (m->keys->method->media_path && !m->mux)
			return false;
		if (m->keys->awaited && !m->keys->established)
			return false; /* its first handshake is under way */
	}
	return leg_keyed_mask(l) != 0;
}

bool rekey_want(struct leg *l, enum rekey_cause cause)
{
	struct leg_rekey *r = &l->rekey;

	if (!rekey_possible(l) || l->call->state == CALL_ENDING)
		return false;
	if (r->due || r->offered)
		return true; /* new keys are on their way */
	r->due = true;
	r->stale = (uint16_t)leg_keyed_mask(l);
	r->cause = cause;
	if (cause == REKEY_OPERATOR)
		r->refusals = 0;
	timer_cancel(l->call->b->wheel, &r->timer);
	checkpoint_touch(l->call);
	reinvite_start(l->call);
	return true;
}

void rekey_limit(struct leg *l, const struct dp_key_soft_limit *e)
{
	static const enum rekey_cause of[] = {
		[DP_LIMIT_PACKETS] = REKEY_PACKETS,
		[DP_LIMIT_OCTETS] = REKEY_OCTETS,
		[DP_LIMIT_AUTH_FAILURES] = REKEY_AUTH_FAILURES,
		[DP_LIMIT_RTCP_PACKETS] = REKEY_RTCP_PACKETS,
	};
	const struct oa_media *m = oa_media_now(&l->oa, e->leg / 2);
	const struct agreed_key *k;

	if (e->limit >= sizeof of / sizeof *of || !m || !m->keys)
		return;
	k = e->direction == DP_KEY_TX ? &m->keys->tx : &m->keys->rx;
	/* One key may report several limits; what it reported last may come when it is gone. */
	if (k->epoch == e->epoch)
		rekey_want(l, of[e->limit]);
}

static void timer_fired(struct timer *t)
{
	struct leg *l = (struct leg *)((char *)t - offsetof(struct leg, rekey.timer));

	rekey_want(l, l->rekey.timer_cause);
}

/*
 * When a key of this age is due. The intervals of calls that begin together end evenly spread over the
 * jitter: multiples of the golden ratio, modulo 1, are that for any number of calls.
 */
static uint32_t interval_ms(struct b2bua *b, const struct config_rekey_policy *p)
{
	uint64_t spread_ms = (uint64_t)p->interval_s * 10 * p->jitter;

	b->rekey_spread += 0x9e3779b9u;
	return p->interval_s * 1000 - (uint32_t)(spread_ms * b->rekey_spread >> 32);
}

static void arm(struct leg *l, uint32_t ms, enum rekey_cause cause)
{
	l->rekey.timer_cause = cause;
	timer_set(l->call->b->wheel, &l->rekey.timer, ms, timer_fired);
}

static void arm_interval(struct leg *l)
{
	const struct config_rekey_policy *p = policy_of(l);

	if (p->interval_s && rekey_possible(l))
		arm(l, interval_ms(l->call->b, p), REKEY_INTERVAL);
}

/* The same, less what the oldest key has behind it. */
static void arm_by_age(struct leg *l)
{
	const struct config_rekey_policy *p = policy_of(l);
	uint64_t age_ms = leg_key_age_ms(l);
	uint32_t interval;

	if (!p->interval_s || !rekey_possible(l))
		return;
	interval = interval_ms(l->call->b, p);
	/* Those that were due meanwhile are not renewed all at once. */
	arm(l, age_ms < interval ? interval - (uint32_t)age_ms : 1000 * (1 + call_random(OVERDUE_S)), REKEY_INTERVAL);
}

static void counted(void *arg, const struct dp_stats_leg *s)
{
	call_note_stats(arg, s);
}

struct key_traffic rekey_traffic(const struct leg *l, unsigned transport)
{
	const struct dp_stats_leg *s = call_stats_of(l->call, 2 * transport + l->side);

	return s ? (struct key_traffic){s->rx_packets, s->rx_octets, s->tx_packets, s->tx_octets}
		 : (struct key_traffic){0};
}

/* What was counted a moment after the new keys came. */
static void counted_all(void *arg, int result, const char *reason)
{
	struct call *c = arg;

	(void)reason;
	for (unsigned side = 0; side < 2; side++) {
		struct leg_rekey *r = &c->legs[side].rekey;

		for (unsigned i = 0; i < r->n_epochs; i++) {
			struct key_epoch *e = &r->epochs[i];

			if (e->counting && result >= 0)
				e->before = rekey_traffic(&c->legs[side], e->transport);
			e->counting = false;
		}
	}
	checkpoint_touch(c);
	call_unwait(c);
}

/* For n, or KEY_EPOCHS_MAX when that is less: twice as many each time that it is not enough. False: no memory. */
static bool room_for_epochs(struct leg_rekey *r, unsigned n)
{
	struct key_epoch *more;
	unsigned room = 1;

	while (room < n && room < KEY_EPOCHS_MAX)
		room *= 2;
	if (room <= r->epochs_room)
		return true;
	more = realloc(r->epochs, room * sizeof *more);
	if (!more)
		return false;
	r->epochs = more;
	r->epochs_room = (uint8_t)room;
	return true;
}

static void remember_epoch(struct leg *l, unsigned transport, uint32_t number)
{
	struct leg_rekey *r = &l->rekey;
	struct call *c = l->call;
	bool counting = number > 1 && c->state != CALL_ENDING;

	if (!c->b->audit || !room_for_epochs(r, r->n_epochs + 1))
		return;
	if (r->n_epochs == KEY_EPOCHS_MAX)
		memmove(r->epochs, r->epochs + 1, --r->n_epochs * sizeof *r->epochs);
	r->epochs[r->n_epochs++] = (struct key_epoch){
		.number = number,
		.transport = (uint8_t)transport,
		.counting = counting,
		.cause = (uint8_t)(number == 1 ? KEY_OF_SETUP : r->offered ? r->cause : KEY_OF_PEER),
		.start_ms = clock_wall_ms(),
		.suite = leg_suite_at(l, transport),
		.before = rekey_traffic(l, transport),
	};
	if (!counting)
		return;
	c->waiting++;
	if (dp_client_stats_session(c->b->client, c->media.session, counted, counted_all, c) < 0)
		counted_all(c, -1, NULL);
}

void rekey_forget(struct leg *l)
{
	free(l->rekey.epochs);
	l->rekey.epochs = NULL;
	l->rekey.n_epochs = l->rekey.epochs_room = 0;
}

void rekey_began(struct leg *l, unsigned i)
{
	struct leg_rekey *r = &l->rekey;

	remember_epoch(l, i, ++leg_keyed(l, i)->keys);
	r->stale &= (uint16_t)(leg_keyed_mask(l) & ~(1u << i));
	if (r->stale)
		return; /* another transport's is to come yet */
	r->due = false;
	r->refusals = 0;
	timer_cancel(l->call->b->wheel, &r->timer);
	if (l->call->state != CALL_ENDING)
		arm_by_age(l);
}

/* Is a handshake under way? With the process it goes, whoever wanted it, and its peer is deaf until another.
 */
static bool is_awaited(const struct leg *l)
{
	const struct oa_media *m;

	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++)
		if (m->open && m->keys && m->keys->awaited)
			return true;
	return false;
}

void rekey_save(const struct leg *l, struct saved_leg *s)
{
	const struct leg_rekey *r = &l->rekey;

	s->renewal = (struct saved_renewal){
		.due = r->due || r->offered || (r->refusals && timer_running(&r->timer)) || is_awaited(l),
		.barred = r->barred,
		.tried = r->tried,
		.result = (uint8_t)r->result,
		.cause = (uint8_t)r->cause,
		.failed = r->failed,
		.strangers = r->strangers,
	};
	s->n_epochs = r->n_epochs;
	if (r->n_epochs)
		memcpy(s->epochs, r->epochs, r->n_epochs * sizeof *r->epochs);
}

static void restore_epochs(struct leg_rekey *r, const struct saved_leg *s)
{
	if (!s->n_epochs || !room_for_epochs(r, s->n_epochs))
		return;
	memcpy(r->epochs, s->epochs, s->n_epochs * sizeof *r->epochs);
	r->n_epochs = s->n_epochs;
}

void rekey_restore(struct leg *l, const struct saved_leg *s)
{
	struct leg_rekey *r = &l->rekey;

	r->barred = s->renewal.barred;
	r->tried = s->renewal.tried;
	r->result = (enum rekey_result)s->renewal.result;
	r->cause = (enum rekey_cause)s->renewal.cause;
	r->failed = s->renewal.failed;
	r->strangers = s->renewal.strangers;
	restore_epochs(r, s);
	if (!rekey_possible(l))
		return;
	/* An offer that was out may have been taken. */
	if (s->renewal.due)
		arm(l, 1000 * (1 + call_random(DUE_S)), r->cause);
	else
		arm_by_age(l);
}

void rekey_offered(struct leg *l)
{
	bool burnt = oa_keys_burnt(&l->oa);

	l->rekey.offered = burnt || l->rekey.due;
	l->rekey.epochs_before = l->oa.next_epoch;
	if (burnt && !l->rekey.due)
		l->rekey.cause = REKEY_DATA_PLANE;
}

/* What the offer brought: is a handshake under way still, does the peer go on with a key of before? */
static void offer_came_to(const struct leg *l, bool *awaited, bool *one_way)
{
	const struct oa_media *m;

	*awaited = *one_way = false;
	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++) {
		if (!m->open || !m->keys)
			continue;
		*awaited |= m->keys->awaited;
		*one_way |= m->keys->rx.epoch <= l->rekey.epochs_before;
	}
}

void rekey_answered(struct leg *l)
{
	bool awaited, one_way;

	if (!l->rekey.offered)
		return;
	l->rekey.due = false;
	offer_came_to(l, &awaited, &one_way);
	if (awaited)
		return; /* then again */
	l->rekey.offered = false;
	count(l, one_way ? REKEY_ONE_WAY : REKEY_RENEWED);
	log_info("call", one_way ? "new keys; the peer goes on with its own" : "new keys",
		LZ("call", l->call->id), LZ("trunk", l->trunk->name), LZ("suite", leg_suite(l)),
		LZ("cause", causes[l->rekey.cause]), LU("key", leg_shown_keyed(l)->keys));
}

static void end_call(struct leg *l, const char *why)
{
	call_tell_outside(l->call, "new keys were refused: %s", why);
	call_release(l->call, NULL, 503, "trunk %s refused new keys: %s", l->trunk->name, why);
}

static void give_up(struct leg *l, unsigned status, const char *why)
{
	const struct config_rekey_policy *p = policy_of(l);

	count(l, REKEY_GIVEN_UP);
	l->rekey.refusals = 0;
	notice_rekey_refused(l, status, p->end_call);
	if (p->end_call) {
		end_call(l, why);
		return;
	}
	if (l->rekey.barred)
		return;
	if (p->interval_s)
		arm_interval(l);
	else
		arm(l, REST_S * 1000, l->rekey.cause);
}

static void refused(struct leg *l, unsigned status, const char *why)
{
	const struct config_rekey_policy *p = policy_of(l);

	l->rekey.failed++;
	count(l, REKEY_REFUSED);
	log_warn("call", "new keys were refused", LZ("call", l->call->id), LZ("trunk", l->trunk->name),
		LZ("reason", why), LZ("cause", causes[l->rekey.cause]), LU("attempt", l->rekey.refusals + 1),
		LU("attempts", p->attempts));
	l->rekey.due = l->rekey.offered = false;
	if (++l->rekey.refusals >= p->attempts || l->rekey.barred)
		give_up(l, status, why);
	else
		arm(l, p->retry_s * 1000u, l->rekey.cause);
}

void rekey_refused(struct leg *l, const struct sip_msg *m)
{
	char why[8];

	snprintf(why, sizeof why, "%u", m->status);
	refused(l, m->status, why);
}

void rekey_unsent(struct leg *l, const char *why)
{
	refused(l, 0, why);
}

void rekey_failed(struct leg *l, const char *why, bool stranger)
{
	const struct config_rekey_policy *p = policy_of(l);

	l->rekey.strangers += stranger;
	if (l->rekey.offered) {
		/* Who takes the offer and then shakes no hands would do the same if asked again. */
		l->rekey.barred = !p->end_call && !stranger;
		refused(l, 0, why);
		return;
	}
	/* It was the peer who wanted new ones. */
	l->rekey.failed++;
	checkpoint_touch(l->call);
	if (p->end_call)
		end_call(l, why);
}

void rekey_stop(struct leg *l)
{
	timer_cancel(l->call->b->wheel, &l->rekey.timer);
	l->rekey.due = l->rekey.offered = false;
}

int b2bua_rekey(struct b2bua *b, struct str id, unsigned *legs)
{
	struct call *c = call_find(b, id);

	*legs = 0;
	if (!c)
		return -ENOENT;
	if (c->state == CALL_ENDING)
		return -EALREADY;
	if (c->state != CALL_UP && c->state != CALL_ANSWERED)
		return -EAGAIN;
	c->waiting++;
	for (unsigned side = 0; side < 2; side++)
		*legs += rekey_want(&c->legs[side], REKEY_OPERATOR);
	call_unwait(c);
	return 0;
}

unsigned b2bua_rekey_all(struct b2bua *b)
{
	struct call *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &b->calls, entry) {
		bool any = false;

		for (unsigned side = 0; side < 2; side++) {
			struct leg *l = &c->legs[side];

			if ((c->state != CALL_UP && c->state != CALL_ANSWERED) || !rekey_possible(l))
				continue;
			arm(l, n * (1000 / ALL_PER_S), REKEY_OPERATOR);
			any = true;
		}
		n += any;
	}
	log_info("call", "keys are renewed", LU("calls", n), LU("seconds", n / ALL_PER_S));
	return n;
}
