/* SPDX-License-Identifier: Apache-2.0 */
/* The first INVITE of a call: whose is it, where does it go, may it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/transfer/pickup.h"
#include "controlplane/b2bua/transfer/replaces.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "controlplane/obs/trace.h"
#include "lib/base/log.h"

/* The names that a verified certificate of the peer's carries; how many. */
static unsigned verified_names(struct b2bua *b, const struct sip_flow *from, struct str names[TLS_SANS_MAX])
{
	struct sip_conn_info info;
	unsigned n = 0;

	if (sip_net_conn_info(b->net, from->conn, &info) < 0 || !info.tls || !info.tls->verified)
		return 0;
	for (unsigned i = 0; i < info.tls->san_count; i++) {
		struct str name = str_z(info.tls->sans[i]);

		if (str_starts(name, STR("DNS:")))
			names[n++] = str_sub(name, 4, name.n);
		else if (str_starts(name, STR("IP:")))
			names[n++] = str_sub(name, 3, name.n);
	}
	return n;
}

/* What there is to know a peer by; names: room for those of its certificate. */
static struct config_source source_of(
	struct b2bua *b, struct str username, const struct sip_flow *from, struct str *names)
{
	struct config_source source = {
		.listener = sip_listener_realm(from->listener),
		.remote = from->remote.ip,
		.certificate_names = names,
		.n_certificate_names = verified_names(b, from, names),
		.username = username,
	};
	struct sip_conn_info info;

	if (sip_net_conn_info(b->net, from->conn, &info) == 0 && info.tls)
		source.server_name = str_z(info.tls->sni);
	return source;
}

static const struct config_trunk *identify(struct b2bua *b, struct str username, const struct sip_flow *from)
{
	struct str names[TLS_SANS_MAX];
	struct config_source source = source_of(b, username, from, names);

	return source.listener ? config_find_trunk(b->now->config, &source) : NULL;
}

const struct config_trunk *ingress_identify(
	struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from)
{
	const struct config_trunk *found = identify(b, auth_username(m), from), *t;

	/* Nobody but the registrar and what lies behind it knows the user that we registered. */
	t = registration_of(b, m, from);
	if (!t || t->identify.n_sources || t->identify.n_certificate_names || t->identify.n_listeners)
		return found;
	return t;
}

bool b2bua_knows(void *user, const struct sip_flow *from, uint32_t *per_s)
{
	struct b2bua *b = user;
	const struct config_trunk *t = b->now ? identify(b, STR(""), from) : NULL;

	if (!t && b->now)
		t = registration_at(b, from);

	/* Who comes by a listener that anybody may use is whoever he proves to be. */
	if (!t || t->registrar.realm ||
		(t->peer_auth.username && !t->identify.n_sources && !t->identify.n_certificate_names))
		return false;
	*per_s = t->max_message_rate;
	return true;
}

bool ingress_of_account(struct b2bua *b, const struct sip_msg *answer, const struct sip_flow *from)
{
	const struct config_trunk *t = b->now ? identify(b, STR(""), from) : NULL;
	const struct config_user *u;
	char called[CALL_PARTY_MAX];

	if (!t || !t->registrar.realm)
		return false;
	passing_party(t, &answer->to.uri, called);
	u = config_find_user(t, str_z(called));
	return u && u->enabled;
}

static bool is_one_of(const char *name, const struct str *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (str_ieq(str_z(name), names[i]))
			return true;
	return false;
}

/*
 * Whom a connection that we open to the caller has to lead to, when his own is gone: one who shows the name
 * that he showed, or that his trunk's peers are to show. Any member of the trust bag would do otherwise, and
 * a re-INVITE carries keys. The name is the configuration's.
 */
static const char *callback_name(struct b2bua *b, const struct config_trunk *t, const struct sip_flow *from)
{
	const struct config_identify *id = &t->identify;
	struct str names[TLS_SANS_MAX];
	unsigned n = verified_names(b, from, names);

	for (uint32_t i = 0; i < id->n_certificate_names; i++)
		if (is_one_of(id->certificate_names[i], names, n))
			return id->certificate_names[i];
	for (uint32_t i = 0; i < t->n_peers; i++)
		if (is_one_of(t->peers[i].certificate_name, names, n) ||
			ip_equal(&t->peers[i].ip, &from->remote.ip))
			return t->peers[i].certificate_name;
	return t->n_peers ? t->peers[0].certificate_name : NULL;
}

/* Whom a party names, as a number inside the gateway. */
static int hold_party(
	struct call *c, const char **slot, const struct config_trunk *from, const struct sip_uri *uri)
{
	char text[CALL_PARTY_MAX];

	passing_party(from, uri, text);
	return call_hold(c, slot, str_z(text));
}

/* The refused call, as `show call` and `trace` have it. NULL without memory. */
static struct call *keep_refused(
	struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, unsigned status, const char *why)
{
	const struct sip_msg *m = sip_stx_request(stx);
	struct call *c = call_refused(b, t, status, why);
	struct leg *in = c ? &c->legs[DP_SIDE_A] : NULL;

	if (!c)
		return NULL;
	in->listener = sip_listener_realm(sip_stx_flow(stx)->listener);
	leg_note_flow(in, sip_stx_flow(stx));
	in->flow.remote = m->source;
	if (t) {
		(void)hold_party(c, &c->from, t, &m->from.uri);
		(void)hold_party(c, &c->to, t, &m->uri);
	} else {
		(void)call_hold(c, &c->from, str_sub(m->from.uri.user, 0, CALL_PARTY_MAX - 1));
		(void)call_hold(c, &c->to, str_sub(m->uri.user, 0, CALL_PARTY_MAX - 1));
	}
	if (b->trace)
		trace_bind(b->trace, m->call_id, c->id, 'a');
	return c;
}

/* A call that does not begin, as counters, log, `show calls` and `show trunks` have it. */
static void note_refusal(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t,
	uint64_t *counter, unsigned status, const char *why)
{
	const struct sip_msg *m = sip_stx_request(stx);
	char remote[IP_PORT_TEXT_MAX];

	++*counter;
	if (t) {
		struct trunk_state *s = b->now->trunks[t->index];

		s->rejected++;
		responses_count(s->responses.sent, status);
		snprintf(s->last_reject, sizeof s->last_reject, "%u %s", status, why);
	}
	notice_refusal(b, t ? b->now->trunks[t->index] : NULL, status, why);
	record_refusal(b, keep_refused(b, stx, t, status, why), t ? t->name : NULL, status, why);
	log_warn("call", "refused", LU("status", status), LZ("reason", why),
		LZ("trunk", t ? t->name : "none"), LZ("peer", ip_port_text(&m->source, remote)),
		LS("called", m->uri.user), LS("sip_call_id", m->call_id));
}

static void refuse(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, uint64_t *counter,
	unsigned status, const char *phrase, const char *why)
{
	char tag[SIP_TOKEN_TEXT];

	note_refusal(b, stx, t, counter, status, why);
	reply_refuse(stx, status, phrase, why, sip_token_make(tag));
}

/* The operator hears what is missing; a stranger does not, or he could find out what to pretend. */
static void refuse_stranger(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	static const char outside[] = "no trunk is configured for this source (address, certificate and listener)";
	struct str names[TLS_SANS_MAX];
	struct config_source source = source_of(b, auth_username(m), from, names);
	char why[ERR_TEXT_MAX], tag[SIP_TOKEN_TEXT];
	const char *what;
	const struct config_trunk *near = config_near_miss(&source, &what);

	if (near)
		snprintf(why, sizeof why, "no trunk is configured for this source; it would be %s, but %s",
			near->name, what);
	note_refusal(b, stx, NULL, &b->counters.refused_unknown_peer, 403, near ? why : outside);
	reply_refuse(stx, 403, NULL, outside, sip_token_make(tag));
}

void ingress_refuse(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, uint64_t *counter,
	unsigned status, const char *why)
{
	refuse(b, stx, t, counter, status, NULL, why);
}

/* Who calls whom, as numbers inside the gateway. */
static int parties(struct call *c, const struct sip_msg *m)
{
	const struct config_trunk *from = c->legs[DP_SIDE_A].trunk;
	int err = hold_party(c, &c->from, from, &m->from.uri);

	if (err == 0 && !c->legs[DP_SIDE_B].ancestor)
		err = hold_party(c, &c->to, from, &m->uri);
	return err;
}

/* Nowhere to go: the caller is told of what it can act on, people of all. */
static void refuse_unrouted(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t,
	enum route_result result, const char *why)
{
	static const struct {
		size_t counter;
		const char *outside;
	} results[] = {
		[ROUTE_CLOSED] = {offsetof(struct b2bua_counters, refused_trunk_down),
			"every trunk of the route is down"},
		[ROUTE_LIMIT] = {offsetof(struct b2bua_counters, refused_limit),
			"the called side carries as many calls as it may"},
		[ROUTE_RESTING] = {offsetof(struct b2bua_counters, failed_unreachable),
			"the called side takes no calls for now"},
		[ROUTE_UNREACHABLE] = {offsetof(struct b2bua_counters, failed_unreachable),
			"the called side could not be reached"},
		[ROUTE_NO_USER] = {offsetof(struct b2bua_counters, refused_not_registered),
			"nobody has this number"},
		[ROUTE_NOT_REGISTERED] = {offsetof(struct b2bua_counters, refused_not_registered),
			"the called user is not registered"},
	};
	const char *outside = results[result].outside;
	unsigned status = route_status(result);
	char tag[SIP_TOKEN_TEXT], text[CALL_REASON_MAX];

	snprintf(text, sizeof text, "%s: %.200s", outside, why);
	note_refusal(b, stx, t, (uint64_t *)((char *)&b->counters + results[result].counter), status, text);
	reply_refuse_for(stx, status, t->realm->trusted ? text : outside, sip_token_make(tag));
}

static void stx_cancelled(void *user, struct sip_stx *stx, const struct sip_msg *cancel)
{
	struct leg *in = user;

	(void)stx;
	exchange_cancelled(in, cancel);
}

static void stx_failed(void *user, struct sip_stx *stx, enum sip_tx_error error, const char *reason)
{
	struct leg *in = user;
	struct call *c = in->call;

	if (in->stx != stx)
		return;
	c->waiting++;
	in->awaiting_ack = false;
	leg_drop_stx(in);
	if (c->state == CALL_ENDING) {
		/* Whoever has not acknowledged the answer in all that time gets the BYE that waited for it.
		 */
		if (in->bye_due)
			release_bye(in);
	} else if (error == SIP_TX_NO_ACK) {
		/* RFC 3261 section 13.3.1.4: the session was not established, but the dialog is: BYE. */
		c->b->counters.ended_no_ack++;
		call_release(c, NULL, 408, "the answer was never acknowledged");
	} else if (!c->initial && c->exchange == in && !leg_twin(in)->ack_due) {
		/* The change holds on the other side, and here nobody knows of it: it is offered. */
		in->astray = true;
		exchange_over(c);
	} else {
		in->ended = true;
		call_tell_outside(c, "the connection to the other side was lost");
		call_release(c, in, 503, "the connection to the caller was lost: %s", reason);
	}
	call_unwait(c);
}

static void stx_gone(void *user, struct sip_stx *stx)
{
	struct leg *in = user;

	if (in->stx == stx)
		in->stx = NULL;
	call_unwait(in->call);
}

static struct str stx_tag(void *user)
{
	const struct leg *in = user;

	return str_z(in->local_tag);
}

static const struct sip_stx_ops stx_ops = {
	.cancelled = stx_cancelled,
	.failed = stx_failed,
	.gone = stx_gone,
	.tag = stx_tag,
};

void leg_take_stx(struct leg *in, struct sip_stx *stx)
{
	in->stx = stx;
	in->call->waiting++;
	sip_stx_set_user(stx, &stx_ops, in);
	/* Without memory an answer is lost with its connection. */
	if (in->flow.transport == SIP_TLS)
		(void)sip_stx_set_tls(stx, &in->flow);
}

void ingress_begin(struct call *c, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from,
	const struct config_trunk *ingress)
{
	struct b2bua *b = c->b;
	struct leg *in = &c->legs[DP_SIDE_A];

	c->waiting++; /* this function's own */
	c->max_forwards = m->max_forwards;
	in->trunk = ingress;
	call_count_trunks(c);
	in->listener = sip_listener_realm(from->listener);
	in->flow = *from;
	if (from->transport == SIP_TLS) {
		in->flow.tls = b->now->client_tls[ingress->index];
		in->flow.tls_name = callback_name(b, ingress, from);
	}
	leg_take_stx(in, stx);
	session_timer_asked(in, m);
	reliable_asked(in, m);
	leg_note_flow(in, from);
	if (b->trace)
		trace_bind(b->trace, m->call_id, c->id, 'a');
	c->exchange = in;
	c->initial = true;
	b->counters.calls++;
	if (sip_dialog_new_uas(m, str_z(in->local_tag), &in->flow, &in->dialog) < 0) {
		b->counters.refused_request++;
		call_release(c, NULL, 400, "the INVITE has no usable Contact, Record-Route or From tag");
	} else if (parties(c, m) < 0) {
		b->counters.refused_limit++;
		call_release(c, NULL, 503, "no memory for another call");
	} else {
		in->dialog->user = in;
		sip_dialogs_add(b->dialogs, in->dialog);
		nat_watch(in);
		users_note_caller(in, from);
		log_info("call", "offered", LZ("call", c->id), LZ("from", call_z(c->from)), LZ("to", call_z(c->to)),
			LZ("ingress", ingress->name), LZ("egress", c->legs[DP_SIDE_B].trunk->name),
			LZ("peer", call_z(in->remote)), LS("sip_call_id", m->call_id));
		exchange_expires(c, m);
		checkpoint_touch(c);
		(c->pickup ? pickup_begin : exchange_begin)(in, m);
	}
	call_unwait(c);
}

static void begin(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from,
	const struct config_trunk *ingress, const struct route_hunt *hunt)
{
	struct call *c = call_new(b);

	if (!c) {
		refuse(b, stx, ingress, &b->counters.refused_limit, 503, NULL, "no memory for another call");
		return;
	}
	*c->hunt = *hunt;
	c->sips = hunt->sips;
	route_aim(&c->legs[DP_SIDE_B], &hunt->tried[0]);
	ingress_begin(c, stx, m, from, ingress);
}

/* RFC 5630: a sips: URI goes on over TLS or not at all. */
static bool has_tls(const struct config_route *route)
{
	for (uint32_t i = 0; i < route->n_to; i++) {
		if (route->to[i]->registrar.realm)
			return true; /* each flow is looked at */
		for (uint32_t k = 0; k < route->to[i]->n_peers; k++)
			if (route->to[i]->peers[k].transport == CONFIG_TLS)
				return true;
	}
	return false;
}

/*
 * The request of an account as others are to see it: from the first of its numbers when it has any and calls
 * under its name. NULL: it says to be from somebody else. copy: for a changed one.
 */
static const struct sip_msg *as_user(
	const struct config_trunk *t, const struct sip_msg *m, struct sip_msg *copy)
{
	const struct config_user *u = user_of(t, m);

	if (!u || config_find_user(t, m->from.uri.user) != u)
		return NULL;
	if (!u->n_numbers || !str_eq(m->from.uri.user, str_z(u->name)))
		return m;
	*copy = *m;
	copy->from.uri.user = str_z(u->numbers[0]);
	return copy;
}

void ingress_invite(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct b2bua_counters *n = &b->counters;
	const struct config_trunk *t = ingress_identify(b, m, from);
	struct sip_msg registered, of_user;
	struct route_hunt hunt = {.sips = m->uri.scheme == SIP_SCHEME_SIPS};
	const struct route_target *to;
	enum route_result found;
	struct err nowhere = {0};
	const char *why;
	uint64_t *over;
	char tag[SIP_TOKEN_TEXT], called[CALL_PARTY_MAX] = "";
	enum auth_result result;

	/* The Request-URI is then the address that we registered; whom it is for is said by To. */
	if (t && registration_of(b, m, from) == t) {
		registered = *m;
		registered.uri.user = m->to.uri.user;
		m = &registered;
	}
	if (t)
		passing_party(t, &m->uri, called);
	str_copy(hunt.called, sizeof hunt.called, str_z(called));
	if (!sip_listener_realm(from->listener)) {
		refuse(b, stx, NULL, &n->refused_trunk_down, 503, NULL,
			"this listener was removed from the configuration");
	} else if (!t) {
		refuse_stranger(b, stx, m, from);
	} else if ((why = b2bua_ends(b)) || (why = trunk_closed(b, t))) {
		refuse(b, stx, t, &n->refused_trunk_down, 503, NULL, why);
	} else if ((result = auth_admit(b, stx, m, t)) != AUTH_ADMITTED) {
		if (result == AUTH_WRONG)
			refuse(b, stx, t, &n->refused_credentials, 403, NULL,
				"the user name or password is wrong");
	} else if (t->registrar.realm && !(m = as_user(t, m, &of_user))) {
		refuse(b, stx, t, &n->refused_credentials, 403, NULL,
			"From is neither the account's name nor a number of its");
	} else if (m->has_max_forwards && m->max_forwards == 0) {
		refuse(b, stx, t, &n->refused_loop, 483, NULL, "Max-Forwards is used up");
	} else if (m->uri.scheme == SIP_SCHEME_OTHER) {
		refuse(b, stx, t, &n->refused_request, 416, NULL,
			"only sip, sips and tel URIs are known here");
	} else if (m->uri.scheme == SIP_SCHEME_SIPS && !sip_transport_secure(from->transport)) {
		refuse(b, stx, t, &n->refused_request, 480, NULL,
			"a sips: URI is called over TLS only, and this came without");
	} else if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, sip_token_make(tag))) {
		note_refusal(b, stx, t, &n->refused_request, 420, "the INVITE requires an extension");
	} else if (session_timer_too_small(m)) {
		refuse(b, stx, t, &n->refused_request, 422, NULL, "Session-Expires is too small");
	} else if (!message_bare(m) && !message_sdp(m).n) {
		refuse(b, stx, t, &n->refused_request, 415, NULL, message_why_no_sdp(m));
	} else if (!reply_takes_sdp(m)) {
		refuse(b, stx, t, &n->refused_request, 406, NULL,
			"Accept does not have application/sdp, which the answer would be");
	} else if (m->uri.user.n >= CALL_PARTY_MAX) {
		refuse(b, stx, t, &n->refused_request, 414, NULL, "the called party's name is too long");
	} else if (m->from.uri.user.n >= CALL_PARTY_MAX) {
		refuse(b, stx, t, &n->refused_request, 400, NULL, "the calling party's name is too long");
	} else if (!m->uri.user.n) {
		refuse(b, stx, t, &n->refused_request, 484, NULL, "the Request-URI names nobody");
	} else if (loop_is_ours(&b->loop_key, m->call_id, str_z(called))) {
		refuse(b, stx, t, &n->refused_loop, 482, NULL,
			"a call of this gateway came back to it: the routes of both sides send it in a "
			"circle");
	} else if (passing_cannot(t, m)) {
		refuse(b, stx, t, &n->refused_request, 500, NULL,
			"Privacy insists (critical) on what is not known here");
	} else if (sip_msg_hdr(m, SIP_H_REPLACES)) {
		replaces_invite(b, stx, m, from, t);
	} else if (!(hunt.route = config_find_route(b->now->config, t, m->uri.host, str_z(called)))) {
		refuse(b, stx, t, &n->refused_no_route, 404, NULL, "no route leads to this number");
	} else if (hunt.sips && !has_tls(hunt.route)) {
		refuse(b, stx, t, &n->refused_request, 480, NULL,
			"a sips: URI was called, and no peer of the route has encrypted signalling");
	} else if ((over = call_inadmissible(b, t, &why))) {
		refuse(b, stx, t, over, 503, NULL, why);
	} else if ((found = route_next(b, b->now, &hunt, &to, &nowhere)) != ROUTE_FOUND) {
		refuse_unrouted(b, stx, t, found, nowhere.text);
	} else {
		begin(b, stx, m, from, t, &hunt);
	}
}
