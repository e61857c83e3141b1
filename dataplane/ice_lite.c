/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/ice_lite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_udp.h>

#include "dataplane/event.h"
#include "dataplane/rewrite.h"
#include "dataplane/worker_private.h"
#include "lib/base/secret.h"

static struct ice_component *component_of(const struct leg *leg, const struct packet *p)
{
	return &leg->far->ice->components[p->rtcp_port && !(leg->flags & DP_LEG_RTCP_MUX)];
}

/* The local port that a packet came to: with RTCP_MUX a leg has two. */
static uint16_t arrived_at(const struct packet *p)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(p->m, const struct rte_udp_hdr *, p->l4);

	return rte_be_to_cpu_16(udp->dst_port);
}

bool ice_validated(const struct leg *leg, const struct packet *p)
{
	return ice_pair_find(component_of(leg, p), &p->source) != NULL;
}

uint64_t ice_sender(const struct leg *leg, const struct packet *p)
{
	const struct ice_pair *pair = ice_on(leg) ? ice_pair_find(component_of(leg, p), &p->source) : NULL;

	return pair ? pair->peer : 0;
}

/* Whose credentials a check names: USERNAME is "ours:theirs" (RFC 8445 section 7.2.2). */
static const struct dp_ice_credentials *named(const struct leg_ice *ice, struct str username)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct dp_ice_credentials *c = &ice->credentials[i];

		if (c->ufrag_len && username.n > c->ufrag_len && username.p[c->ufrag_len] == ':' &&
			memcmp(username.p, c->ufrag, c->ufrag_len) == 0)
			return c;
	}
	return NULL;
}

static bool budget_left(struct leg_ice *ice, bool known, uint64_t now)
{
	if (now - ice->budget_at >= NS_PER_S) {
		ice->budget_at = now;
		ice->budget[0] = ice->budget[1] = 0;
	}
	return ice->budget[known]++ < ICE_CHECKS_PER_SECOND;
}

/* Sends the answer in the frame that brought the check, back to where that came from. */
static int send_back(struct worker *w, struct packet *p, enum dp_verdict verdict)
{
	struct path *path = leg_path(p->in, p->rtcp_port), before = *path;
	int rc;

	p->to = leg_departure(p->in);
	p->refused = (int16_t)verdict;
	path->local.port = arrived_at(p);
	if (!ip_port_equal(&path->remote, &p->source)) {
		path->remote = p->source;
		path->hop = (struct neighbour_ref){0};
	}
	rc = rewrite_hop(w, p);
	/* Not even its link-layer address is known: it asks again before that could be found out. */
	if (rc == PACKET_ON && p->waits)
		rc = DP_V_NEIGHBOUR;
	if (rc == PACKET_ON)
		rc = rewrite_headers_any(w, p);
	if (ip_port_equal(&before.remote, &path->remote))
		before.hop = path->hop;
	*path = before;
	if (rc != PACKET_ON)
		return rc;
	worker_send_one(w, p);
	return PACKET_TAKEN;
}

static int answer(struct worker *w, struct packet *p, const struct stun_msg *m, int error,
	const struct dp_ice_credentials *c)
{
	struct wbuf out = wbuf_make(p->data, STUN_ANSWER_MAX);

	if (p->data + STUN_ANSWER_MAX > (uint8_t *)p->m->buf_addr + p->m->buf_len)
		return DP_V_TOO_LONG;
	if (error)
		stun_put_error(&out, m->id, (enum stun_error)error, m, c->pwd, c->pwd_len);
	else
		stun_put_success(&out, m->id, &p->source, c->pwd, c->pwd_len);
	p->len = p->clear_len = (uint16_t)out.len;
	return send_back(w, p, error ? DP_V_ICE_REFUSED : DP_V_ICE);
}

/* Media leaves by the port of the pair that it is sent on. */
static void leave_by(struct leg *leg, struct path *path, uint16_t port)
{
	const struct ip_port before = path->local;

	if (leg->far->also.port != port)
		return;
	path->local = leg->far->also;
	leg->far->also = before;
	leaving_forget(leg_leaving(leg));
}

/* Media goes by this pair from now on. */
static void go_by(
	struct worker *w, struct leg *leg, struct path *path, uint16_t local, const struct ip_port *remote)
{
	leg->learned |= leg_path_bit(leg, path);
	leave_by(leg, path, local);
	if (ip_port_equal(&path->remote, remote))
		return;
	path_remote_set(leg, path, remote);
	if (path == leg_rtp(leg))
		event_mark(w, leg, LEG_EVENT_REMOTE);
}

/* A check proved itself: what it says of the pair holds from now on. */
static void note_check(struct worker *w, struct packet *p, const struct ice_check *k)
{
	struct leg *leg = p->in;
	struct leg_ice *ice = leg->far->ice;
	struct ice_component *c = component_of(leg, p);
	struct path *path = leg_path(leg, p->rtcp_port);
	bool chosen = !k->newest || !ice->peer || k->peer == ice->peer;
	bool moves = ice_component_checked(c, k, chosen);

	if (!chosen)
		return;
	ice->checked = ice->waited = w->now;
	ice->any = true;
	ice->lost = false;
	/* RFC 8445 section 12.1: before anything is nominated any valid pair may be used. */
	if (!moves && !c->astray && path->remote.ip.family != IP_NONE)
		return;
	c->astray = false;
	go_by(w, leg, path, k->local, k->remote);
}

static int check(struct worker *w, struct packet *p, const struct stun_msg *m)
{
	struct leg_ice *ice = p->in->far->ice;
	const struct dp_ice_credentials *c = named(ice, m->username);
	struct ice_check k = {.message = m, .remote = &p->source, .now = w->now};

	if (!c || !stun_fingerprint_good(p->data, m))
		return DP_V_ICE_UNAUTHENTIC;
	if (!budget_left(ice, ice_validated(p->in, p), w->now))
		return DP_V_ICE_LIMIT;
	if (!stun_integrity_good(p->data, m, c->pwd, c->pwd_len))
		return DP_V_ICE_UNAUTHENTIC;
	if (m->n_unknown)
		return answer(w, p, m, STUN_UNKNOWN_ATTRIBUTE, c);
	/* A lite agent is controlled and cannot switch: the peer has to (RFC 8445 sections 6.1.1, 7.3.1.1).
	 */
	if (m->controlled)
		return answer(w, p, m, STUN_ROLE_CONFLICT, c);
	k.local = arrived_at(p);
	k.newest = c == &ice->credentials[0];
	k.peer = dp_ice_peer(m->username.p + c->ufrag_len + 1, m->username.n - c->ufrag_len - 1);
	note_check(w, p, &k);
	return answer(w, p, m, 0, c);
}

int ice_packet(struct worker *w, struct packet *p)
{
	struct stun_msg m;

	if (stun_parse(p->data, p->len, &m) < 0)
		return DP_V_MALFORMED;
	if (m.type == STUN_BINDING_REQUEST)
		return check(w, p, &m);
	if (m.type != STUN_BINDING_INDICATION || !ice_validated(p->in, p))
		return DP_V_ICE_UNAUTHENTIC;
	p->in->far->ice->alive = w->now;
	return DP_V_ICE;
}

static bool same_fragment(const struct dp_ice_credentials *a, const struct dp_ice_credentials *b)
{
	return a->ufrag_len == b->ufrag_len && memcmp(a->ufrag, b->ufrag, a->ufrag_len) == 0;
}

/* Several had an offer of ours, and this peer has answered it. */
static void choose(struct worker *w, struct leg *leg, uint64_t peer)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct ice_pair *pair = ice_component_choose(&leg->far->ice->components[i], peer);

		if (pair)
			go_by(w, leg, i ? &leg->far->rtcp : leg_rtp(leg), pair->local, &pair->remote);
	}
}

int ice_leg(struct worker *w, struct command *c)
{
	const struct dp_leg_ice *d = &c->leg_ice;
	struct session *s = session_find(w, c->session);
	struct leg *leg = s ? s->legs[d->leg] : NULL;
	struct leg_ice *ice;

	if (!leg || (!leg->far->ice && !c->memory[0])) {
		snprintf(c->reason, sizeof c->reason, leg ? "no memory for ICE" : "no such leg");
		return leg ? -ENOMEM : -ENOENT;
	}
	ice = leg->far->ice;
	if (!ice) {
		ice = leg->far->ice = c->memory[0];
		c->memory[0] = NULL;
		leg->attended = true;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!ice->credentials[0].ufrag_len)
			ice_component_init(&ice->components[i]);
		else if (!same_fragment(&ice->credentials[0], &d->credentials[0]))
			ice_component_restart(&ice->components[i]);
	}
	/* The wait begins when a check may be expected. */
	if (!ice->consent_s || !ice->credentials[0].ufrag_len)
		ice->waited = ice->since = w->now;
	ice->consent_s = d->consent_s;
	memcpy(ice->credentials, d->credentials, sizeof ice->credentials);
	if (d->peer && d->peer != ice->peer)
		choose(w, leg, d->peer);
	ice->peer = d->peer;
	return 0;
}

/* When anything of the peer's proved that it is there; none is expected before its answer. */
static uint64_t last_sign(const struct worker *w, const struct leg *leg)
{
	const uint64_t signs[] = {
		w->now - leg_silent_ns(leg, w->now_ms), leg->far->ice->alive, leg->far->ice->checked};
	uint64_t last = leg->far->ice->since;

	for (unsigned i = 0; i < sizeof signs / sizeof *signs; i++)
		last = signs[i] > last ? signs[i] : last;
	return last;
}

void ice_tick(struct worker *w, struct leg *leg)
{
	struct leg_ice *ice = leg->far->ice;
	uint64_t consent, silent;

	if (!ice_on(leg) || !ice->consent_s)
		return;
	consent = ice->consent_s * NS_PER_S;
	if (w->now - ice->waited < consent)
		return;
	silent = w->now - last_sign(w, leg);
	/* Who was heard since its last check is gone when it was silent for as long, not when as long has
	 * passed again. */
	ice->waited = silent < consent ? w->now - silent : w->now;
	ice->lost = true;
	ice->silent_ms = (uint32_t)(silent / NS_PER_MS);
	event_mark(w, leg, LEG_EVENT_CONSENT);
}

void ice_describe(const struct worker *w, const struct leg *leg, struct dp_stats_leg *o)
{
	const struct leg_ice *ice = leg->far->ice;
	const struct ice_component *c = ice ? &ice->components[0] : NULL;

	o->ice_age_ms = UINT64_MAX;
	if (!ice_on(leg))
		return;
	o->ice_pairs = c->n;
	if (ice->any)
		o->ice_age_ms = (w->now - ice->checked) / NS_PER_MS;
	if (ice->lost)
		o->ice = DP_ICE_LOST;
	else if (c->selected != ICE_PAIR_NONE)
		o->ice = DP_ICE_NOMINATED;
	else
		o->ice = c->n ? DP_ICE_CHECKED : DP_ICE_WAITING;
}

struct leg_ice *ice_take(struct leg *leg)
{
	struct leg_ice *ice = leg->far->ice;

	if (ice)
		mem_wipe(ice, sizeof *ice);
	leg->far->ice = NULL;
	return ice;
}
