/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/route/refusal.h"
#include "controlplane/b2bua/route/route.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/dns/weighted.h"
#include "lib/base/log.h"

/* What a look at one trunk or the whole route found out. */
struct outcome {
	enum route_result result;
	struct err why;
};

static void note(struct outcome *o, enum route_result result, const char *trunk, const char *what)
{
	if (result >= o->result) {
		o->result = result;
		err_set(&o->why, 0, "trunk %s: %s", trunk, what);
	}
}

static struct peer_state *route_peer(const struct b2bua_generation *g, const struct route_target *t)
{
	return g->peers[t->trunk->index][t->peer - t->trunk->peers];
}

static bool was_tried(const struct route_hunt *h, const struct route_target *t)
{
	for (unsigned i = 0; i < h->n_tried; i++)
		if (h->tried[i].binding == t->binding && h->tried[i].peer == t->peer && ip_port_equal(&h->tried[i].remote, &t->remote))
			return true;
	return false;
}

/* The generation's own entry for the listener that the binding's flow is of. */
static const struct config_listener *binding_listener(
	const struct b2bua *b, const struct b2bua_generation *g, const struct route_target *t)
{
	const struct user_binding *u = users_binding(b, t->binding);

	for (uint32_t i = 0; u && i < g->config->n_listeners; i++)
		if (g->listeners[i] == u->flow.listener)
			return &g->config->listeners[i];
	return NULL;
}

/* The listener that speaks to the target; NULL: there is none that is open. */
static const struct config_listener *listener_for(
	const struct b2bua *b, const struct b2bua_generation *g, const struct route_target *t)
{
	if (t->binding)
		return binding_listener(b, g, t);
	const struct config_listener *l = config_find_listener(
		g->config, t->trunk->realm, t->peer->transport, (enum ip_family)t->remote.ip.family);

	return l && g->listeners[l->index] ? l : NULL;
}

static void note_rest(const struct peer_target *t, struct outcome *o)
{
	uint32_t left_s = peer_target_rest_s(t);
	char what[PEER_WHY_MAX + 80];

	snprintf(what, sizeof what, "peer %s rests for %u s more: %s", t->peer->name, left_s, t->why);
	note(o, ROUTE_RESTING, t->peer->trunk->name, what);
}

/* Can the target be called now, in the first round or the second? */
static bool is_open(struct b2bua *b, const struct b2bua_generation *g, const struct route_hunt *h,
	const struct route_target *at, const struct peer_target *t, bool last_resort, struct outcome *o)
{
	char what[PEER_WHY_MAX + 100];

	if (was_tried(h, at))
		return false;
	if (h->sips && at->peer->transport != CONFIG_TLS) {
		note(o, ROUTE_UNREACHABLE, at->trunk->name,
			"a sips: URI was called, and the peer's signalling is not encrypted");
	} else if (t->down) {
		snprintf(what, sizeof what, "peer %.60s is down: %s", at->peer->name, t->why);
		note(o, ROUTE_UNREACHABLE, at->trunk->name, what);
	} else if (peer_target_declines(t)) {
		note_rest(t, o);
	} else if (!listener_for(b, g, at)) {
		snprintf(what, sizeof what, "no enabled %s listener of %s in realm %s to send from",
			config_transport_name(at->peer->transport),
			at->remote.ip.family == IP_V6 ? "IPv6" : "IPv4", at->trunk->realm->name);
		note(o, ROUTE_UNREACHABLE, at->trunk->name, what);
	} else {
		return peer_target_rests(t) == last_resort;
	}
	return false;
}

/* The peer's targets that can be called, in this call's order. */
static void collect_targets(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h,
	const struct config_trunk *trunk, uint32_t peer, bool last_resort, struct outcome *o)
{
	struct peer_state *p = g->peers[trunk->index][peer];
	struct peer_target *all[WEIGHTED_MAX];
	unsigned n = peer_targets(p, all);

	if (!n) {
		char what[PEER_WHY_MAX + 100];

		snprintf(what, sizeof what, "peer %s has no address: %s", p->name, peer_trouble(p));
		note(o, ROUTE_UNREACHABLE, trunk->name, what);
	}
	for (unsigned i = 0; i < n && h->n < ROUTE_TRIES_MAX; i++) {
		const struct route_target at = {trunk, &trunk->peers[peer], all[i]->remote};

		if (is_open(b, g, h, &at, all[i], last_resort, o))
			h->targets[h->n++] = at;
	}
}

/* Has the trunk a place for what is on its way? c: the call, which may have some there already; NULL: none
 * yet. */
static bool has_place(const struct b2bua *b, const struct config_trunk *now, const struct call *c)
{
	uint32_t own = 0;

	for (unsigned side = 0; c && c->counted && side < 2; side++)
		own += strcmp(c->legs[side].trunk->name, now->name) == 0;
	return b->now->trunks[now->index]->active - own < now->max_calls;
}

/* The trunk as it is configured now, which may be another generation than the call's; NULL with why. */
static const struct config_trunk *trunk_open(
	struct b2bua *b, const struct config_trunk *t, const struct call *c, bool message, struct outcome *o)
{
	const struct config_trunk *now = config_trunk_named(b->now->config, t->name);
	const char *why = now ? trunk_closed(b, now) : "the trunk was removed";

	if (!why && (message || has_place(b, now, c)))
		return now;
	note(o, why ? ROUTE_CLOSED : ROUTE_LIMIT, t->name,
		why ? why : "the egress trunk carries as many calls as it may");
	return NULL;
}

/* Where the called account is registered. */
static void collect_bindings(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h,
	const struct config_trunk *trunk, struct outcome *o)
{
	const struct config_user *u = config_find_user(trunk, str_z(h->called));
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = u && u->enabled ? users_of(b, u, all) : 0, adrift = 0;

	if (!u || !u->enabled)
		note(o, ROUTE_NO_USER, trunk->name, "no account has the called number");
	for (unsigned i = 0; i < n; i++)
		adrift += all[i]->adrift;
	if (u && u->enabled)
		note(o, ROUTE_NOT_REGISTERED, trunk->name,
			n && adrift == n
				? "the called user has not connected again since the gateway was restarted"
				: "the called user is not registered");
	for (unsigned i = 0; i < n && h->n < ROUTE_TRIES_MAX; i++) {
		const struct route_target at = {
			.trunk = trunk, .remote = all[i]->flow.remote, .binding = all[i]->id};

		if (!all[i]->adrift && !was_tried(h, &at) && listener_for(b, g, &at) &&
			(!h->sips || sip_transport_secure(all[i]->flow.transport)))
			h->targets[h->n++] = at;
	}
}

static void collect(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h,
	const struct config_trunk *trunk, bool last_resort, struct outcome *o)
{
	unsigned n = trunk->n_peers < WEIGHTED_MAX ? trunk->n_peers : WEIGHTED_MAX;
	struct weighted w[WEIGHTED_MAX];
	uint8_t order[WEIGHTED_MAX];

	h->n = h->at = 0;
	if (!trunk_open(b, trunk, h->call, h->message, o))
		return;
	if (trunk->registrar.realm) {
		if (!last_resort)
			collect_bindings(b, g, h, trunk, o);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		w[i] = (struct weighted){trunk->peers[i].priority, trunk->peers[i].weight};
	weighted_order(w, n, call_random, order);
	for (unsigned i = 0; i < n; i++)
		collect_targets(b, g, h, trunk, order[i], last_resort, o);
}

/* Those in front that have gone down or asked for a rest since they were collected. */
static void drop_resting(
	const struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h)
{
	for (; h->at < h->n; h->at++) {
		const struct route_target *at = &h->targets[h->at];

		if (at->binding && users_binding(b, at->binding))
			return;
		if (at->binding)
			continue;
		const struct peer_target *t = peer_target_at(route_peer(g, at), &at->remote);

		if (!t || (!peer_target_declines(t) && !t->down))
			return;
	}
}

void route_hunt_free(struct route_hunt **h)
{
	if (*h)
		refusal_drop(&(*h)->best);
	free(*h);
	*h = NULL;
}

enum route_result route_next(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h,
	const struct route_target **out, struct err *why)
{
	const struct config_route *r = h->route;
	struct outcome o = {.result = ROUTE_CLOSED};

	drop_resting(b, g, h);
	while (h->at == h->n && h->next_trunk < 2 * r->n_to) {
		uint32_t next = h->next_trunk++;

		collect(b, g, h, r->to[next % r->n_to], next >= r->n_to, &o);
	}
	if (h->at == h->n || h->n_tried == ROUTE_TRIES_MAX) {
		*why = o.why;
		return o.result;
	}
	*out = &h->tried[h->n_tried++];
	h->tried[h->n_tried - 1] = h->targets[h->at++];
	return ROUTE_FOUND;
}

unsigned route_status(enum route_result result)
{
	switch (result) {
	case ROUTE_NO_USER:
		return 404;
	case ROUTE_NOT_REGISTERED:
		return 480;
	case ROUTE_RESTING:
		return 500; /* as the call whose 503 asked for the rest: see reply_refuse_for() */
	default:
		return 503;
	}
}

bool route_usable(struct call *c, const struct route_target *t, struct err *why)
{
	struct b2bua *b = c->b;
	const struct b2bua_generation *g = c->generation;
	struct outcome o = {.result = ROUTE_CLOSED};
	struct peer_target *at = peer_target_at(route_peer(g, t), &t->remote);
	bool usable = trunk_open(b, t->trunk, c, false, &o) && listener_for(b, g, t) && at && !at->down &&
		      !peer_target_declines(at);

	*why = o.why;
	return usable;
}

const struct config_listener *route_flow(const struct b2bua *b, const struct b2bua_generation *g,
	const struct route_target *to, struct sip_flow *out)
{
	const struct config_listener *l = listener_for(b, g, to);
	const struct config_peer *peer = to->peer;
	bool tls = peer && peer->transport == CONFIG_TLS;

	if (!l)
		return NULL;
	if (!peer) {
		*out = users_binding(b, to->binding)->flow;
		return l;
	}
	*out = (struct sip_flow){
		.transport = tls                             ? SIP_TLS
			     : peer->transport == CONFIG_TCP ? SIP_TCP
							     : SIP_UDP,
		.remote = to->remote,
		.listener = g->listeners[l->index],
		.tls = tls ? g->client_tls[to->trunk->index] : NULL,
		.tls_name = tls ? peer->certificate_name : NULL,
		.tls_sni = tls ? peer->sni : NULL,
	};
	return l;
}

void route_aim(struct leg *out, const struct route_target *to)
{
	out->trunk = to->trunk;
	out->peer = to->peer;
	out->binding = to->binding;
	out->listener = route_flow(out->call->b, out->call->generation, to, &out->flow);
	leg_note_remote(out, &out->flow.remote);
}

void route_note_failure(
	const struct b2bua_generation *g, const struct route_target *at, const struct refusal *r)
{
	const struct sip_msg *m = r->m;
	struct peer_target *t = at->peer ? peer_target_at(route_peer(g, at), &at->remote) : NULL;
	char why[PEER_WHY_MAX];
	uint32_t seconds;

	if (!t)
		return;
	if (!m) {
		peer_rest(t, PEER_REST_S, false, r->reason ? r->reason : "no answer");
	} else if (m->status == 503 && reply_retry_after(m, &seconds) && seconds) {
		snprintf(why, sizeof why, "it answered 503 %.*s with Retry-After: %u",
			STR_ARG(str_sub(m->reason, 0, 100)), seconds);
		peer_rest(t, seconds, true, why);
	}
}

static bool fits_beside(const struct user_binding *u, const struct user_binding *lead)
{
	return u && u->q == lead->q && u->flow.remote.ip.family == lead->flow.remote.ip.family &&
	       sip_transport_secure(u->flow.transport) == sip_transport_secure(lead->flow.transport);
}

bool route_beside(struct b2bua *b, struct route_hunt *h, struct route_target *out)
{
	struct route_target *last = &h->tried[h->n_tried - 1];
	const struct user_binding *lead = users_binding(b, last->binding);

	for (unsigned i = h->at; lead && i < h->n && h->n_tried < ROUTE_TRIES_MAX; i++) {
		if (!fits_beside(users_binding(b, h->targets[i].binding), lead))
			continue;
		*out = h->targets[i];
		memmove(&h->targets[i], &h->targets[i + 1], (--h->n - i) * sizeof *h->targets);
		last[1] = last[0];
		last[0] = *out;
		h->n_tried++;
		return true;
	}
	return false;
}

bool route_more_bindings(struct b2bua *b, const struct b2bua_generation *g, struct route_hunt *h)
{
	drop_resting(b, g, h);
	return h->at < h->n && h->targets[h->at].binding && h->n_tried < ROUTE_TRIES_MAX;
}

bool route_hunts(const struct config_trunk *t, unsigned status)
{
	bool listed = status >= 400 && status < 600 &&
		      (t->failover_on[(status - 400) / 64] >> (status - 400) % 64) & 1;

	return listed || status == 503;
}

/*
 * RFC 3263 section 4.3: no answer, no connection, a 503 or what the trunk takes for one; and nothing that the
 * caller has heard of. From one contact of an account to the next: whatever is no decision for all of them,
 * and no answer that the caller has heard (RFC 3261 section 16.7).
 */
static bool may_fail_over(const struct leg *out, const struct sip_msg *m)
{
	struct call *c = out->call;

	if (c->b->closing || !exchange_awaited(out))
		return false;
	if (out->binding && c->state <= CALL_RINGING && !c->early_media && (!m || m->status < 600) &&
		route_more_bindings(c->b, c->generation, c->hunt))
		return true;
	return c->state == CALL_TRYING && !out->dialog && (!m || route_hunts(out->trunk, m->status));
}

void route_start_again(struct leg *out, const struct route_target *to)
{
	struct call *c = out->call;

	fork_clear(out);
	refusal_drop(&out->best);
	call_text_drop(&out->offer);
	call_media_close(&c->media);
	for (unsigned side = 0; side < 2; side++) {
		oa_leg_close(&c->legs[side].oa);
		leg_dtls_close(&c->legs[side]);
	}
	session_timer_stop(out);
	out->timer = (struct leg_timer){0};
	auth_forget(out);
	out->invite_cseq = 0;
	(void)call_hold(c, &out->tls, STR(""));
	sip_token_make(out->local_tag);
	call_count_move(out, to->trunk);
	route_aim(out, to);
}

bool route_failover(struct leg *out, const struct refusal *r)
{
	const struct sip_msg *m = r->m;
	struct call *c = out->call;
	const struct route_target *was = &c->hunt->tried[c->hunt->n_tried - 1], *to;
	struct err why = {0};
	char said[32];

	c->hunt->call = c;
	route_note_failure(c->generation, was, r);
	if (!may_fail_over(out, m) || route_next(c->b, c->generation, c->hunt, &to, &why) != ROUTE_FOUND)
		return false;
	c->b->counters.failovers++;
	snprintf(said, sizeof said, "it answered %u", m ? m->status : 0);
	log_warn("call", "tried at the next peer", LZ("call", c->id), LZ("trunk", was->trunk->name),
		LZ("peer", route_target_name(was)), LZ("address", call_z(out->remote)),
		LZ("reason", m ? said : r->reason), LZ("next_trunk", to->trunk->name),
		LZ("next_peer", route_target_name(to)));
	refusal_keep(&c->hunt->best, r);
	route_start_again(out, to);
	exchange_again(leg_twin(out));
	return true;
}
