/* SPDX-License-Identifier: Apache-2.0 */
/* What operators do to calls: drain, resume, terminate. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/trunks/health.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static struct trunk_state *trunk_named(const struct b2bua *b, const char *name)
{
	struct trunk_state *s;

	TAILQ_FOREACH (s, &b->trunk_states, entry)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

const char *trunk_closed(const struct b2bua *b, const struct config_trunk *t)
{
	if (b->draining)
		return "the gateway is being drained";
	if (t->admin == CONFIG_ADMIN_DOWN)
		return "the trunk is out of service";
	if (t->admin == CONFIG_ADMIN_DRAIN || b->now->trunks[t->index]->draining)
		return "the trunk is being drained";
	return NULL;
}

static bool unreachable(const struct b2bua *b, const struct config_trunk *t)
{
	for (uint32_t i = 0; i < t->n_peers; i++)
		if (!health_is_down(b->now->peers[t->index][i]))
			return false;
	return t->n_peers;
}

enum trunk_oper trunk_oper(const struct b2bua *b, const struct config_trunk *t)
{
	if (t->admin == CONFIG_ADMIN_DOWN)
		return TRUNK_DOWN;
	if (trunk_closed(b, t))
		return TRUNK_DRAINING;
	return unreachable(b, t) ? TRUNK_UNREACHABLE : TRUNK_UP;
}

const char *trunk_oper_name(enum trunk_oper oper)
{
	static const char *const names[] = {
		[TRUNK_UP] = "up",
		[TRUNK_DRAINING] = "draining",
		[TRUNK_DOWN] = "down",
		[TRUNK_UNREACHABLE] = "unreachable",
	};

	return names[oper];
}

void trunk_tell_states(struct b2bua *b, const char *reason)
{
	const struct config *c = b->now->config;

	for (uint32_t i = 0; i < c->n_trunks; i++) {
		struct trunk_state *t = b->now->trunks[i];
		enum trunk_oper oper = trunk_oper(b, &c->trunks[i]);
		struct notice n;

		if (t->told == oper)
			continue;
		t->told = oper;
		n = notify_begin(b->notify, "trunk-state-change");
		state_text(&n.tree, n.node, "trunk", t->name);
		state_text(&n.tree, n.node, "oper-state", trunk_oper_name(oper));
		state_text(&n.tree, n.node, "reason", reason);
		notify_end(b->notify, &n);
	}
}

static bool is_on(const struct call *c, const struct trunk_state *s)
{
	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].trunk && leg_trunk(&c->legs[side]) == s)
			return true;
	return !s;
}

/* s NULL: every call. */
static void end_calls(struct b2bua *b, const struct trunk_state *s)
{
	for (struct call *c = call_first(b); c; c = call_after(c)) {
		if (c->state != CALL_ENDING && is_on(c, s)) {
			call_tell_outside(c, "the gateway is being taken out of service");
			call_release(c, NULL, 503, "%s%s was drained, and its time is up",
				s ? "trunk " : "the gateway", s ? s->name : "");
		}
	}
}

static void trunk_time_is_up(struct timer *t)
{
	struct trunk_state *s = owner_of(t, struct trunk_state, drain_end);

	end_calls(s->b, s);
}

static void time_is_up(struct timer *t)
{
	end_calls(owner_of(t, struct b2bua, drain_end), NULL);
}

static void set_end(struct b2bua *b, struct timer *t, uint32_t timeout_s, void (*fire)(struct timer *t))
{
	if (timeout_s)
		timer_set(b->wheel, t, timeout_s * 1000, fire);
	else
		timer_cancel(b->wheel, t);
}

int b2bua_drain(struct b2bua *b, const char *trunk, uint32_t timeout_s, unsigned *remaining)
{
	struct trunk_state *s = trunk ? trunk_named(b, trunk) : NULL;

	if (trunk && !s)
		return -ENOENT;
	if (s) {
		s->draining = true;
		set_end(b, &s->drain_end, timeout_s, trunk_time_is_up);
	} else {
		b->draining = true;
		set_end(b, &b->drain_end, timeout_s, time_is_up);
	}
	if (remaining)
		*remaining = s ? s->active : b->n_calls;
	log_info("call", "draining", LZ("trunk", trunk ? trunk : "all"), LU("timeout_s", timeout_s),
		LU("calls", s ? s->active : b->n_calls));
	trunk_tell_states(b, "drained by an operator");
	return 0;
}

int b2bua_resume(struct b2bua *b, const char *trunk, const char **still)
{
	struct trunk_state *s = trunk ? trunk_named(b, trunk) : NULL;
	const struct config_trunk *t = trunk ? config_trunk_named(b->now->config, trunk) : NULL;
	const char *why;

	if (trunk && !s)
		return -ENOENT;
	if (s) {
		s->draining = false;
		timer_cancel(b->wheel, &s->drain_end);
	} else {
		b->draining = false;
		timer_cancel(b->wheel, &b->drain_end);
	}
	why = t ? trunk_closed(b, t) : NULL;
	if (still)
		*still = why;
	log_info("call", why ? "its drain has ended, and it still takes no calls" : "takes calls again",
		LZ("trunk", trunk ? trunk : "all"));
	trunk_tell_states(b, "an operator ended the drain");
	return 0;
}

int b2bua_remaining(const struct b2bua *b, const char *trunk, unsigned *out)
{
	const struct trunk_state *s = trunk ? trunk_named(b, trunk) : NULL;

	if (trunk && !s)
		return -ENOENT;
	*out = s ? s->active : b->n_calls;
	return 0;
}

int b2bua_terminate(struct b2bua *b, struct str id, const char *reason)
{
	struct call *c = call_find(b, id);

	if (!c)
		return -ENOENT;
	if (c->state == CALL_ENDING)
		return -EALREADY;
	call_release(c, NULL, 480, "%s", reason ? reason : "an operator ended the call");
	return 0;
}

void operate_forget_trunk(struct trunk_state *s)
{
	struct peer_state *p;

	TAILQ_FOREACH (p, &s->peers, entry)
		peer_forget(p);
	if (timer_running(&s->drain_end))
		timer_cancel(s->b->wheel, &s->drain_end);
}

void operate_forget(struct b2bua *b)
{
	struct trunk_state *s;

	TAILQ_FOREACH (s, &b->trunk_states, entry)
		operate_forget_trunk(s);
	if (timer_running(&b->drain_end))
		timer_cancel(b->wheel, &b->drain_end);
}
