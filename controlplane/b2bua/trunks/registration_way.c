/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/trunks/registration_way.h"

#include <errno.h>
#include <stdio.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/peer.h"

#define REST_MAX_S 3600 /* of a Retry-After: nobody can call us meanwhile */

/* That speaks to the target; NULL: there is none that is open. */
static const struct config_listener *listener_for(
	const struct b2bua_generation *g, const struct config_trunk *trunk, const struct peer_target *t)
{
	const struct config_listener *l = config_find_listener(
		g->config, trunk->realm, trunk->peers[0].transport, (enum ip_family)t->remote.ip.family);

	return l && g->listeners[l->index] ? l : NULL;
}

static struct peer_state *first_peer(const struct b2bua_generation *g, const struct config_trunk *trunk)
{
	return g->peers[trunk->index][0];
}

uint32_t registration_heed(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, const struct sip_msg *answer)
{
	struct peer_state *p = first_peer(g, trunk);
	struct peer_target *asked = peer_target_at(p, &w->asked.registrar), *t;
	char why[PEER_WHY_MAX];
	uint32_t seconds = 0;

	if (!reply_retry_after(answer, &seconds) || !seconds)
		return 0;
	if (seconds > REST_MAX_S)
		seconds = REST_MAX_S;
	if (asked && answer->status == 503) {
		snprintf(why, sizeof why, "it answered REGISTER with 503 %.*s, and is left alone for %u s",
			STR_ARG(str_sub(answer->reason, 0, 100)), seconds);
		peer_rest(asked, seconds, true, why);
	}
	TAILQ_FOREACH (t, &p->targets, entry) {
		uint32_t left_s = peer_target_declines(t) ? peer_target_rest_s(t) : 0;

		if (t != asked && listener_for(g, trunk, t) && left_s < seconds)
			seconds = left_s;
	}
	return seconds;
}

enum reluctance { SAME_AGAIN, FRESH, DOUBTFUL, FAILED, DECLINES, OUT_OF_REACH };

static enum reluctance reluctance(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, const struct peer_target *t)
{
	if (!listener_for(g, trunk, t))
		return OUT_OF_REACH;
	if (!t->refused && ip_port_equal(&t->remote, &w->asked.registrar))
		return SAME_AGAIN;
	if (peer_target_declines(t))
		return DECLINES;
	if (t->refused)
		return FAILED;
	return t->down || peer_target_rests(t) ? DOUBTFUL : FRESH;
}

static bool goes_before(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, const struct peer_target *t, const struct peer_target *u)
{
	enum reluctance a = reluctance(w, g, trunk, t), b = reluctance(w, g, trunk, u);

	if (a == DECLINES && b == DECLINES)
		return peer_target_rest_s(t) < peer_target_rest_s(u);
	if (a == FAILED && b == FAILED)
		return t->refused < u->refused;
	return a < b;
}

/* Of the addresses that the peer's host stands for, in the order of their records. NULL: it has none. */
static const struct peer_target *choose(
	const struct registration_way *w, const struct b2bua_generation *g, const struct config_trunk *trunk)
{
	struct peer_target *all[WEIGHTED_MAX];
	const struct peer_target *best = NULL;
	unsigned n = peer_targets(first_peer(g, trunk), all);

	for (unsigned i = 0; i < n; i++)
		if (!best || goes_before(w, g, trunk, all[i], best))
			best = all[i];
	return best;
}

int registration_aim(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, bool back, struct sip_flow *out, struct err *e)
{
	const struct config_peer *peer = &trunk->peers[0];
	const struct peer_target *t =
		back ? peer_target_at(first_peer(g, trunk), &w->holder.registrar) : NULL;
	const struct config_listener *l;
	bool tls = peer->transport == CONFIG_TLS;

	if (!t || !listener_for(g, trunk, t))
		t = choose(w, g, trunk);
	if (!t)
		return err_set(e, EHOSTUNREACH, "peer host %s has no address", peer->host);
	l = listener_for(g, trunk, t);
	if (!l)
		return err_set(e, EADDRNOTAVAIL, "no enabled %s listener in realm %s to send from",
			config_transport_name(peer->transport), trunk->realm->name);
	*out = (struct sip_flow){
		.transport = tls                             ? SIP_TLS
			     : peer->transport == CONFIG_TCP ? SIP_TCP
							     : SIP_UDP,
		.remote = t->remote,
		.listener = g->listeners[l->index],
		.tls = tls ? g->client_tls[trunk->index] : NULL,
		.tls_name = tls ? peer->certificate_name : NULL,
		.tls_sni = tls ? peer->sni : NULL,
	};
	return 0;
}

void registration_asked(struct registration_way *w, const struct sip_flow *to)
{
	w->asked = (struct registration_place){to->listener, to->remote};
}

void registration_refused(
	const struct registration_way *w, const struct b2bua_generation *g, const struct config_trunk *trunk)
{
	struct peer_state *p = first_peer(g, trunk);
	struct peer_target *asked = peer_target_at(p, &w->asked.registrar), *t;
	uint32_t last = 0;

	TAILQ_FOREACH (t, &p->targets, entry)
		last = t->refused > last ? t->refused : last;
	if (asked)
		asked->refused = last + 1;
}

void registration_granted(
	struct registration_way *w, const struct b2bua_generation *g, const struct config_trunk *trunk)
{
	struct peer_target *t;

	w->holder = w->asked;
	TAILQ_FOREACH (t, &first_peer(g, trunk)->targets, entry)
		t->refused = 0;
}

bool registration_came_by(const struct registration_way *w, const struct sip_flow *from)
{
	return w->asked.listener == from->listener || w->holder.listener == from->listener;
}

static bool is_at(const struct registration_place *p, const struct sip_flow *from)
{
	return p->listener == from->listener && ip_equal(&p->registrar.ip, &from->remote.ip);
}

bool registration_came_from(const struct registration_way *w, const struct sip_flow *from)
{
	return is_at(&w->holder, from) || is_at(&w->asked, from);
}
