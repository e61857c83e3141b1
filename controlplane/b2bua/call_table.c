/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/clock.h"
#include "lib/base/secret.h"

static const char *const state_names[] = {
	[CALL_TRYING] = "trying",
	[CALL_RINGING] = "ringing",
	[CALL_ANSWERED] = "answered",
	[CALL_UP] = "up",
	[CALL_ENDING] = "ending",
};

const char *call_state_name(enum call_state s)
{
	return state_names[s];
}

static struct call *call_make(struct b2bua *b)
{
	struct call *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->b = b;
	c->hunt = calloc(1, sizeof *c->hunt);
	if (!c->hunt) {
		free(c);
		return NULL;
	}
	c->config = config_ref(b->now->config);
	c->generation = generation_ref(b->now);
	c->number = b->next_id++;
	snprintf(c->id, sizeof c->id, "%08x", c->number);
	c->began_ms = clock_wall_ms();
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];

		l->call = c;
		l->side = (enum dp_side)side;
		sip_token_make(l->local_tag);
	}
	return c;
}

struct call *call_new(struct b2bua *b)
{
	struct call *c = call_make(b);

	if (!c)
		return NULL;
	TAILQ_INSERT_TAIL(&b->calls, c, entry);
	b->n_calls++;
	return c;
}

int call_text_keep(struct call_text *t, struct str s)
{
	call_text_drop(t);
	t->p = malloc(s.n ? s.n : 1);
	if (!t->p)
		return -ENOMEM;
	memcpy(t->p, s.p, s.n);
	t->n = s.n;
	return 0;
}

void call_text_drop(struct call_text *t)
{
	if (t->p)
		mem_wipe(t->p, t->n);
	free(t->p);
	*t = (struct call_text){0};
}

static void leg_free(struct b2bua *b, struct leg *l)
{
	call_text_drop(&l->offer);
	call_text_drop(&l->again);
	if (l->stx)
		sip_stx_set_user(l->stx, NULL, NULL);
	if (l->ctx)
		sip_ctx_detach(l->ctx);
	contacts_forget(l);
	if (l->update)
		sip_ctx_detach(l->update);
	l->stx = NULL;
	l->ctx = l->update = NULL;
	timer_cancel(b->wheel, &l->own_timer);
	session_timer_stop(l);
	nat_stop(l);
	rekey_stop(l);
	rekey_forget(l);
	reliable_stop(l);
	auth_forget(l);
	fork_clear(l);
	free(l->others);
	l->others = NULL;
	oa_leg_close(&l->oa);
	leg_dtls_close(l);
}

int call_hold(const struct call *c, const char **slot, struct str s)
{
	return texts_hold(c->b->texts, slot, s);
}

static void drop_texts(struct call *c)
{
	const char **of_call[] = {&c->from, &c->to, &c->referred_by, &c->end.phrase, &c->end.reason, &c->end.outside,
		&c->end.peer_reason, &c->end.peer_reason_outside};

	for (unsigned i = 0; i < sizeof of_call / sizeof *of_call; i++)
		texts_drop(c->b->texts, of_call[i]);
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];
		const char **of_leg[] = {
			&l->local_uri, &l->remote_uri, &l->tls, &l->remote, &l->peer_name, &l->peer_fingerprint};

		for (unsigned i = 0; i < sizeof of_leg / sizeof *of_leg; i++)
			texts_drop(c->b->texts, of_leg[i]);
	}
}

static void call_free(struct call *c)
{
	config_unref((struct config *)c->config);
	drop_texts(c);
	for (unsigned side = 0; side < 2; side++) {
		leg_keys_forget(&c->legs[side]);
		free(c->stats[side]);
	}
	free(c->more_stats);
	route_hunt_free(&c->hunt);
	free(c->passed);
	free(c);
}

static void into(struct call **slot, struct call *c)
{
	if (*slot)
		call_free(*slot);
	*slot = c;
}

static void to_history(struct call *c)
{
	struct b2bua *b = c->b;

	into(&b->history[b->history_next++ % CALL_HISTORY], c);
}

struct call *call_refused(struct b2bua *b, const struct config_trunk *t, unsigned status, const char *why)
{
	struct call_refusals *r = &b->refused[t != NULL];
	struct call *c = call_make(b);

	if (!c)
		return NULL;
	generation_unref(c->generation);
	c->generation = NULL;
	route_hunt_free(&c->hunt);
	c->state = CALL_ENDING;
	c->ended_ms = c->began_ms;
	c->legs[DP_SIDE_A].trunk = t;
	c->end.status = status;
	(void)call_hold(c, &c->end.reason, str_z(why));
	into(&r->calls[r->next++ % CALL_REFUSALS], c);
	return c;
}

unsigned call_past(struct b2bua *b, struct call *out[CALL_PAST_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALL_HISTORY; i++)
		if (b->history[i])
			out[n++] = b->history[i];
	for (unsigned known = 0; known < 2; known++)
		for (unsigned i = 0; i < CALL_REFUSALS; i++)
			if (b->refused[known].calls[i])
				out[n++] = b->refused[known].calls[i];
	return n;
}

static void call_unlist(struct call *c)
{
	struct b2bua *b = c->b;

	/* Killed between the two, a process leaves a call whose record is the audit's last: recover.c. */
	if (c->ended_ms)
		record_call(c);
	checkpoint_forget(c);
	if (b->audit)
		checkpoint_forgotten(b);
	succession_forget(c);
	TAILQ_REMOVE(&b->calls, c, entry);
	b->n_calls--;
	call_media_close(&c->media);
	restore_forget(c);
	revive_forget(c);
	timer_cancel(b->wheel, &c->ring);
	call_text_drop(&c->due.offer);
	call_text_drop(&c->contacts);
	early_forget(c);
	refer_forget(c);
	free(c->redirection);
	c->redirection = NULL;
	route_hunt_free(&c->hunt);
	leg_free(b, &c->legs[0]);
	leg_free(b, &c->legs[1]);
	if (c->counted)
		for (unsigned side = 0; side < 2; side++)
			leg_trunk(&c->legs[side])->active--;
	c->counted = false;
	generation_unref(c->generation);
	c->generation = NULL;
}

void call_discard(struct call *c)
{
	c->state = CALL_ENDING;
	call_unlist(c);
	call_free(c);
}

void call_unwait(struct call *c)
{
	if (c->state == CALL_ENDING && !c->dead)
		succession_return(c);
	if (--c->waiting > 0 || c->state != CALL_ENDING || c->dead)
		return;
	call_unlist(c);
	to_history(c);
}

void leg_drop_stx(struct leg *l)
{
	if (!l->stx)
		return;
	sip_stx_set_user(l->stx, NULL, NULL);
	l->stx = NULL;
	call_unwait(l->call);
}

void leg_drop_ctx(struct leg *l)
{
	if (l->established)
		call_text_drop(&l->early_answer);
	if (!l->ctx)
		return;
	sip_ctx_detach(l->ctx);
	l->ctx = NULL;
	call_unwait(l->call);
}

void leg_drop_update(struct leg *l)
{
	if (!l->update)
		return;
	sip_ctx_detach(l->update);
	l->update = NULL;
	call_unwait(l->call);
}

/* Held, it stays in its place. */
struct call *call_first(struct b2bua *b)
{
	struct call *c = TAILQ_FIRST(&b->calls);

	if (c)
		c->waiting++;
	return c;
}

struct call *call_after(struct call *c)
{
	struct call *next = TAILQ_NEXT(c, entry);

	if (next)
		next->waiting++;
	call_unwait(c);
	return next;
}

struct call *call_find(struct b2bua *b, struct str id)
{
	struct call *c, *past[CALL_PAST_MAX];
	unsigned n;

	TAILQ_FOREACH (c, &b->calls, entry)
		if (str_eq(id, str_z(c->id)))
			return c;
	n = call_past(b, past);
	for (unsigned i = 0; i < n; i++)
		if (str_eq(id, str_z(past[i]->id)))
			return past[i];
	return NULL;
}

static void take_off(struct call *c)
{
	c->state = CALL_ENDING;
	call_unlist(c);
	c->dead = true;
	TAILQ_INSERT_TAIL(&c->b->dead, c, entry);
}

static bool clear_ended(struct b2bua *b)
{
	struct call *c = call_first(b), *at;
	bool some = false;

	while ((at = c) != NULL) {
		at->waiting++;
		c = call_after(at);
		if (at->state == CALL_ENDING) {
			take_off(at);
			some = true;
		}
		call_unwait(at);
	}
	return some;
}

void call_table_clear_ended(struct b2bua *b)
{
	while (clear_ended(b))
		; /* one that is taken off may have ended another, in front of it */
}

void call_table_clear(struct b2bua *b)
{
	struct call *c;

	while ((c = TAILQ_FIRST(&b->calls)) != NULL)
		take_off(c);
}

void call_table_free(struct b2bua *b)
{
	struct call *c, *past[CALL_PAST_MAX];
	unsigned n;

	while ((c = TAILQ_FIRST(&b->dead)) != NULL) {
		TAILQ_REMOVE(&b->dead, c, entry);
		call_free(c);
	}
	n = call_past(b, past);
	while (n)
		call_free(past[--n]);
}

static bool rate_ok(uint64_t *second, uint32_t *count, uint32_t max)
{
	uint64_t now = clock_mono_ns() / NS_PER_S;

	if (*second != now) {
		*second = now;
		*count = 0;
	}
	return *count < max;
}

uint64_t *call_inadmissible(struct b2bua *b, const struct config_trunk *t, const char **why)
{
	struct trunk_state *s = b->now->trunks[t->index];

	*why = NULL;
	if (b->n_calls >= b->now->config->limits.max_calls)
		*why = "the gateway carries as many calls as it may";
	else if (s->active >= t->max_calls)
		*why = "the trunk carries as many calls as it may";
	if (*why)
		return &b->counters.refused_limit;
	if (!rate_ok(&b->rate_second, &b->rate_count, b->now->config->limits.max_call_rate))
		*why = "the gateway takes no more new calls this second";
	else if (!rate_ok(&s->rate_second, &s->rate_count, t->max_call_rate))
		*why = "the trunk takes no more new calls this second";
	if (*why)
		return &b->counters.refused_rate;
	/* A call that one of them refuses takes nothing of the other: else one trunk's flood would be
	 * everybody's. */
	b->rate_count++;
	s->rate_count++;
	return NULL;
}

void call_count_move(struct leg *l, const struct config_trunk *to)
{
	struct trunk_state *s = l->call->generation->trunks[to->index];

	if (l->trunk == to)
		return;
	leg_trunk(l)->active--;
	s->active++;
	s->total++;
	l->trunk = to;
}

void call_count_trunks(struct call *c)
{
	for (unsigned side = 0; side < 2; side++) {
		struct trunk_state *s = leg_trunk(&c->legs[side]);

		s->active++;
		s->total++;
	}
	c->counted = true;
}
