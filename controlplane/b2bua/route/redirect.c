/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/route/number.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/route/redirect.h"
#include "controlplane/b2bua/route/refusal.h"
#include "controlplane/b2bua/reply.h"
#include "lib/base/log.h"

static bool is_redirection(const struct sip_msg *m)
{
	return m && m->status >= 300 && m->status <= 302;
}

static bool transport_fits(const struct sip_uri *uri, const struct config_peer *p)
{
	struct str named;

	if (uri->scheme == SIP_SCHEME_SIPS && p->transport != CONFIG_TLS)
		return false;
	return !sip_param(uri->params, STR("transport"), &named) ||
	       str_ieq(named, str_z(config_transport_name(p->transport)));
}

/* The peer's address that the URI means: any of it by its name, or the one that stands there. */
static bool target_fits(const struct sip_uri *uri, const struct config_peer *p, const struct peer_target *t)
{
	struct ip_addr ip;

	if (uri->port && uri->port != t->remote.port)
		return false;
	return str_ieq(uri->host, str_z(p->host)) ||
	       (ip_parse(uri->host, &ip) == 0 && ip_equal(&ip, &t->remote.ip));
}

static bool find_at(const struct b2bua_generation *g, const struct config_trunk *trunk,
	const struct sip_uri *uri, struct route_target *out)
{
	for (uint32_t i = 0; i < trunk->n_peers; i++) {
		const struct config_peer *p = &trunk->peers[i];
		struct peer_target *t;

		TAILQ_FOREACH (t, &g->peers[trunk->index][i]->targets, entry)
			if (transport_fits(uri, p) && target_fits(uri, p, t)) {
				*out = (struct route_target){trunk, p, t->remote};
				return true;
			}
	}
	return false;
}

bool redirect_find(
	struct call *c, const struct config_trunk *first, const struct sip_uri *uri, struct route_target *out)
{
	const struct b2bua_generation *g = c->generation;
	struct err why;

	if (find_at(g, first, uri, out) && route_usable(c, out, &why))
		return true;
	for (uint32_t i = 0; i < g->config->n_trunks; i++)
		if (find_at(g, &g->config->trunks[i], uri, out) && route_usable(c, out, &why))
			return true;
	return false;
}

/* "0.7" in thousandths; without one 1. RFC 3261 section 25.1: at most three decimals. */
static unsigned q_of(struct str params)
{
	struct str q, whole;
	uint64_t n = 0, scale = 100, value;

	if (!sip_param(params, STR("q"), &q))
		return 1000;
	whole = str_cut(&q, '.');
	if (str_to_u64(whole, 1, &value) < 0)
		return 0;
	for (size_t i = 0; i < q.n && i < 3 && q.p[i] >= '0' && q.p[i] <= '9'; i++, scale /= 10)
		n += (uint64_t)(q.p[i] - '0') * scale;
	n += value * 1000;
	return n > 1000 ? 1000 : (unsigned)n;
}

static bool was_tried(const struct call *c, const struct redirect_target *t)
{
	const struct route_hunt *h = c->hunt;

	for (unsigned i = 0; i < h->n_tried; i++)
		if (h->tried[i].peer == t->to.peer && ip_port_equal(&h->tried[i].remote, &t->to.remote) &&
			strcmp(call_z(c->to), t->user) == 0)
			return true;
	return false;
}

/* Behind those of the same 3xx that are as good, before all that came earlier. */
static void insert(struct redirection *r, const struct redirect_target *t, unsigned of_this)
{
	unsigned at = 0;

	while (at < of_this && at < r->n && r->list[at].q >= t->q)
		at++;
	if (at == REDIRECT_TARGETS_MAX)
		return;
	if (r->n == REDIRECT_TARGETS_MAX)
		r->n--;
	memmove(&r->list[at + 1], &r->list[at], (r->n - at) * sizeof *r->list);
	r->list[at] = *t;
	r->n++;
}

/* Takes in the Contacts of a 3xx; how many of them can be used. */
static unsigned collect(struct leg *out, struct redirection *r, const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_CONTACT);
	struct call *c = out->call;
	struct sip_addr addr;
	struct str value;
	unsigned n = 0;

	while (sip_values_next(&it, &value)) {
		struct redirect_target t;

		if (sip_addr_parse(value, &addr) < 0 || addr.star || !addr.uri.user.n ||
			addr.uri.user.n >= sizeof t.user || addr.uri.scheme == SIP_SCHEME_TEL) {
			snprintf(r->why_not, sizeof r->why_not, "a Contact of the redirection names nobody");
			continue;
		}
		passing_party(out->trunk, &addr.uri, t.user);
		t.by = r->depth;
		t.cause = redirect_cause(&addr.uri);
		t.q = q_of(addr.params);
		if (!redirect_find(c, out->trunk, &addr.uri, &t.to)) {
			snprintf(r->why_not, sizeof r->why_not,
				"%.*s is no peer of a configured trunk that can be called",
				STR_ARG(str_sub(addr.uri.host, 0, 100)));
		} else if (c->sips && t.to.peer->transport != CONFIG_TLS) {
			snprintf(r->why_not, sizeof r->why_not, "a sips: URI was called, and %.*s has no TLS",
				STR_ARG(str_sub(addr.uri.host, 0, 100)));
		} else if (was_tried(c, &t)) {
			snprintf(r->why_not, sizeof r->why_not, "%s at %.*s was tried already", t.user,
				STR_ARG(str_sub(addr.uri.host, 0, 100)));
		} else {
			insert(r, &t, n++);
		}
	}
	return n;
}

/* Has the caller heard an answer of the branch that failed? Then no other can give one. */
static bool may_go_elsewhere(struct leg *out)
{
	const struct call *c = out->call;

	return c->state <= CALL_RINGING && !c->early_media && !c->b->closing && exchange_awaited(out);
}

/* f: what it goes on from; of a redirection that was followed nobody hears. */
static bool go_on(struct leg *out, const struct refusal *f)
{
	struct call *c = out->call;
	struct redirection *r = c->redirection;
	struct leg *in = leg_twin(out);
	struct redirect_target next;
	struct err why = {0};

	do {
		if (!r->n || c->hunt->n_tried == ROUTE_TRIES_MAX)
			return false;
		next = r->list[0];
		memmove(&r->list[0], &r->list[1], --r->n * sizeof *r->list);
	} while (!route_usable(c, &next.to, &why));
	c->b->counters.redirected++;
	log_info("call", "goes on where a redirection points", LZ("call", c->id),
		LZ("trunk", out->trunk->name), LZ("to", next.user), LZ("next_trunk", next.to.trunk->name),
		LZ("next_peer", next.to.peer->name));
	c->hunt->tried[c->hunt->n_tried++] = next.to;
	r->by = next.by;
	r->cause = next.cause;
	if (!is_redirection(f->m))
		refusal_keep(&c->hunt->best, f);
	route_start_again(out, &next.to);
	(void)call_hold(c, &c->to, str_z(next.user));
	exchange_again(in);
	return true;
}

static void note_past(const struct leg *out, struct redirect_past *past, const struct sip_msg *m)
{
	const struct call *c = out->call;
	struct header_set s;

	header_set_from(&s, m);
	header_set_rules(&s, &out->trunk->headers, false);
	past->private = identity_privacy(&s) & (PRIVACY_ID | PRIVACY_USER | PRIVACY_HEADER | PRIVACY_HISTORY);
	past->status = m->status;
	past->by = c->redirection->by;
	past->cause = c->redirection->cause;
	str_copy(past->user, sizeof past->user, str_z(call_z(c->to)));
}

bool redirect_failed(struct leg *out, const struct refusal *f)
{
	const struct sip_msg *m = f->m;
	struct call *c = out->call;
	struct redirection *r = c->redirection;

	if (!may_go_elsewhere(out) || (m && m->status >= 600))
		return false;
	if (is_redirection(m)) {
		if (out->trunk->redirect != CONFIG_REDIRECT_FOLLOW)
			return false;
		if (!r && !(r = c->redirection = calloc(1, sizeof *r)))
			return false;
		if (r->depth++ == REDIRECT_DEPTH_MAX) {
			snprintf(r->why_not, sizeof r->why_not, "redirected more than %u times",
				REDIRECT_DEPTH_MAX);
			r->n = 0;
			return false;
		}
		note_past(out, &r->past[r->depth - 1], m);
		collect(out, r, m);
	}
	return r && go_on(out, f);
}

/* What the caller may be told of. */
struct told {
	struct sip_uri uri; /* of the message */
	unsigned q;
};

/* Behind those that are as good. */
static unsigned insert_told(struct told *list, unsigned n, struct told t)
{
	unsigned at = n;

	while (at && list[at - 1].q < t.q)
		at--;
	if (at == REDIRECT_TARGETS_MAX)
		return n;
	n -= n == REDIRECT_TARGETS_MAX;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof *list);
	list[at] = t;
	return n + 1;
}

/* The best Contacts of a 3xx; how many. */
static unsigned best_of(const struct sip_msg *m, struct told list[REDIRECT_TARGETS_MAX])
{
	struct sip_values it = sip_values(m, SIP_H_CONTACT);
	struct sip_addr addr;
	struct str value;
	unsigned n = 0;

	while (sip_values_next(&it, &value))
		if (sip_addr_parse(value, &addr) == 0 && !addr.star && addr.uri.user.n)
			n = insert_told(list, n, (struct told){addr.uri, q_of(addr.params)});
	return n;
}

bool redirect_pass(struct leg *in, const struct config_trunk *trunk, const struct sip_msg *m)
{
	struct told best[REDIRECT_TARGETS_MAX];
	char text[CALL_HEAD_MAX / 4];
	struct wbuf w = wbuf_make(text, sizeof text);
	unsigned n;

	if (!is_redirection(m) || trunk->redirect != CONFIG_REDIRECT_PASS)
		return false;
	n = best_of(m, best);
	for (unsigned i = 0; i < n; i++) {
		char user[CALL_PARTY_MAX];

		passing_party(trunk, &best[i].uri, user);
		wbuf_fmt(&w, "%s<sip:", i ? ", " : "");
		number_write(&in->trunk->headers.numbers, str_z(user), &w);
		wbuf_fmt(&w, "@%.*s;transport=%s>;q=%u.%03u",
			STR_ARG(sip_listener_sent_by(in->flow.listener)), reply_transport(in->listener),
			best[i].q / 1000, best[i].q % 1000);
	}
	return w.len && !w.overflow && call_text_keep(&in->call->contacts, wbuf_view(&w)) == 0;
}
