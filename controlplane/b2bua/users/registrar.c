/* SPDX-License-Identifier: Apache-2.0 */
/* REGISTER (RFC 3261 section 10.3, RFC 3327, RFC 5626 section 6). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/bye.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/report/record.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/log.h"

#define INSTANCE_MAX 256

/* A REGISTER on its way to its answer. */
struct registering {
	struct b2bua *b;
	struct sip_stx *stx;
	const struct sip_msg *m;
	const struct sip_flow *from;
	const struct config_trunk *trunk;
	const struct config_user *user;
	struct user_contact contacts[USER_BINDINGS_MAX];
	unsigned n_contacts;
	bool all; /* "*": every binding is to end */
	char tag[SIP_TOKEN_TEXT];
};

static void refuse(struct registering *r, uint64_t *counter, unsigned status, const char *why)
{
	char remote[IP_PORT_TEXT_MAX];

	++*counter;
	log_warn("user", "REGISTER refused", LU("status", status), LZ("reason", why),
		LZ("trunk", r->trunk ? r->trunk->name : "none"), LS("user", r->m->to.uri.user),
		LZ("peer", ip_port_text(&r->m->source, remote)));
	record_registration_refused(r->b, r->trunk ? r->trunk->name : NULL, r->m, r->from, status, why);
	reply_refuse(r->stx, status, NULL, why, str_z(r->tag));
}

/* 423 with what would do (RFC 3261 section 10.2.8). */
static void refuse_brief(struct registering *r)
{
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;

	r->b->counters.register_refused_brief++;
	log_info("user", "REGISTER refused", LU("status", 423), LZ("reason", "it is for too short a time"),
		LZ("user", r->user->name), LU("min_expires_s", r->trunk->registrar.min_expires_s));
	sip_build_response(&b, buf, sizeof buf, r->m, 423, NULL, str_z(r->tag));
	sip_build_hdr_u32(&b, SIP_H_MIN_EXPIRES, r->trunk->registrar.min_expires_s);
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(r->stx, &b) < 0)
		sip_stx_reply(r->stx, 500, NULL, str_z(r->tag));
}

/* RFC 3261 section 20.19: what is malformed is as if it were not there. */
static uint32_t seconds_of(struct str text, uint32_t otherwise)
{
	uint64_t n;

	return str_to_u64(str_trim(text), UINT32_MAX, &n) == 0 ? (uint32_t)n : otherwise;
}

static uint32_t expires_of(const struct registering *r, const struct sip_addr *addr)
{
	const struct config_registrar *g = &r->trunk->registrar;
	uint32_t s = seconds_of(sip_msg_value(r->m, SIP_H_EXPIRES), g->default_expires_s);
	struct str value;

	if (sip_param(addr->params, STR("expires"), &value))
		s = seconds_of(value, g->default_expires_s);
	return s < g->max_expires_s ? s : g->max_expires_s;
}

/* "0.7" in thousandths; 1 without one, or with a malformed one. */
static unsigned q_of(struct str params)
{
	unsigned n = 0, scale = 100;
	struct str q;

	if (!sip_param(params, STR("q"), &q) || !q.n || q.p[0] != '0')
		return 1000;
	for (size_t i = 2; i < q.n && scale && q.p[i] >= '0' && q.p[i] <= '9'; i++, scale /= 10)
		n += (unsigned)(q.p[i] - '0') * scale;
	return n;
}

static struct str unquoted(struct str s)
{
	return s.n >= 2 && s.p[0] == '"' ? str_sub(s, 1, s.n - 2) : s;
}

static bool read_contact(struct registering *r, struct str value)
{
	struct user_contact *c = &r->contacts[r->n_contacts];
	struct sip_addr addr;
	struct sip_uri target;
	struct str text;

	if (sip_addr_parse(value, &addr) < 0)
		return false;
	if (addr.star) {
		r->all = true;
		return true;
	}
	if (addr.uri.scheme == SIP_SCHEME_TEL || r->n_contacts == USER_BINDINGS_MAX ||
		addr.uri.text.n >= CALL_URI_MAX)
		return false;
	/* It becomes the URI of requests. */
	target = addr.uri;
	target.text = sip_uri_target(&addr.uri);
	target.headers = (struct str){0};
	*c = (struct user_contact){
		.uri = target, .q = q_of(addr.params), .expires_s = expires_of(r, &addr)};
	if (sip_param(addr.params, STR("+sip.instance"), &text) && text.n < INSTANCE_MAX)
		c->instance = unquoted(text);
	if (sip_param(addr.params, STR("reg-id"), &text))
		c->reg_id = seconds_of(text, 0);
	r->n_contacts++;
	return true;
}

/* NULL, or why the request cannot be understood. */
static const char *read_contacts(struct registering *r)
{
	struct sip_values it = sip_values(r->m, SIP_H_CONTACT);
	struct str value;

	while (sip_values_next(&it, &value))
		if (!read_contact(r, value))
			return "a Contact cannot be used, or there are too many";
	if (r->all && (r->n_contacts || seconds_of(sip_msg_value(r->m, SIP_H_EXPIRES), 1) != 0))
		return "Contact: * stands alone, with Expires: 0";
	return NULL;
}

/* An older REGISTER of the same client than the one that counts. */
static bool is_old(const struct registering *r, const struct user_binding *u)
{
	return str_eq(r->m->call_id, str_z(u->call_id)) && r->m->cseq <= u->cseq;
}

/* All or nothing: what would be refused is found before anything is changed. False: it was refused. */
static bool look_ahead(struct registering *r)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = users_of(r->b, r->user, all), has = 0, wanted;

	for (unsigned i = 0; r->all && i < n; i++)
		if (is_old(r, all[i])) {
			refuse(r, &r->b->counters.register_refused_request, 500, "CSeq is out of order");
			return false;
		}
	for (unsigned i = 0; i < n; i++)
		has += !all[i]->adrift;
	wanted = has;
	for (unsigned i = 0; i < r->n_contacts; i++) {
		const struct user_contact *c = &r->contacts[i];
		const struct user_binding *u = users_match(r->b, r->user, c, r->m);
		bool there = u && !u->adrift;

		if (c->expires_s && c->expires_s < r->trunk->registrar.min_expires_s) {
			refuse_brief(r);
			return false;
		}
		if (u && is_old(r, u)) {
			refuse(r, &r->b->counters.register_refused_request, 500, "CSeq is out of order");
			return false;
		}
		wanted += !there && c->expires_s;
		wanted -= there && !c->expires_s;
	}
	if (wanted <= has || wanted <= r->user->max_registrations)
		return true;
	refuse(r, &r->b->counters.register_refused_limit, 403,
		"the account is registered as often as it may be (max-registrations)");
	return false;
}

static int apply(struct registering *r)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = r->all ? users_of(r->b, r->user, all) : 0;
	int err = 0;

	while (n)
		users_unbind(all[--n], "the user unregistered");
	for (unsigned i = 0; i < r->n_contacts && err == 0; i++) {
		const struct user_contact *c = &r->contacts[i];
		struct user_binding *u = users_match(r->b, r->user, c, r->m);

		if (c->expires_s)
			err = users_bind(r->b, r->user, u, c, r->m, r->from);
		else if (u)
			users_unbind(u, "the user unregistered");
	}
	return err;
}

static void put_contact(struct sip_builder *b, const struct user_binding *u)
{
	char text[2 * CALL_URI_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);

	wbuf_fmt(&w, "<%s>;expires=%u", u->contact, users_left_s(u));
	if (u->q < 1000)
		wbuf_fmt(&w, ";q=0.%03u", u->q);
	if (u->instance[0])
		wbuf_fmt(&w, ";+sip.instance=\"%s\"", u->instance);
	if (u->reg_id)
		wbuf_fmt(&w, ";reg-id=%u", u->reg_id);
	b->w.overflow |= w.overflow;
	sip_build_hdr(b, SIP_H_CONTACT, wbuf_view(&w));
}

static void answer(struct registering *r)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = users_of(r->b, r->user, all);
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;
	bool outbound = false;

	sip_build_response(&b, buf, sizeof buf, r->m, 200, NULL, str_z(r->tag));
	for (unsigned i = 0; i < n; i++)
		if (!all[i]->adrift)
			put_contact(&b, all[i]);
	for (unsigned i = 0; i < r->n_contacts; i++)
		outbound |= r->contacts[i].reg_id && r->contacts[i].instance.n;
	sip_build_copy(&b, r->m, SIP_H_PATH);
	sip_build_hdr(&b, SIP_H_SUPPORTED, STR("outbound, path"));
	if (outbound && sip_msg_has_token(r->m, SIP_H_SUPPORTED, STR("outbound")))
		sip_build_hdr(&b, SIP_H_REQUIRE, STR("outbound"));
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(r->stx, &b) < 0)
		sip_stx_reply(r->stx, 500, NULL, str_z(r->tag));
}

/* 420: the REGISTER insists on what is not here. */
static bool insists(struct registering *r)
{
	struct sip_values it = sip_values(r->m, SIP_H_REQUIRE);
	struct str value;

	while (sip_values_next(&it, &value))
		if (!str_ieq(value, STR("outbound")) && !str_ieq(value, STR("path")))
			return true;
	return false;
}

/* What waited for the user goes out behind the answer. */
static void deliver(struct registering *r)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = users_of(r->b, r->user, all);

	while (n)
		bye_registered(all[--n]);
}

/* The request is who it says to be: what it asks for. */
static void update(struct registering *r)
{
	struct b2bua_counters *n = &r->b->counters;
	const char *why;

	if (config_find_user(r->trunk, r->m->to.uri.user) != r->user)
		refuse(r, &n->register_refused_credentials, 403, "To is not the account that the password is of");
	else if (insists(r) && reply_unsupported(r->stx, r->m, str_z(r->tag)))
		n->register_refused_request++;
	else if ((why = read_contacts(r)))
		refuse(r, &n->register_refused_request, 400, why);
	else if (!look_ahead(r))
		return;
	else if (apply(r) < 0)
		refuse(r, &n->register_refused_request, 500, "no memory, or the connection was lost");
	else {
		answer(r);
		deliver(r);
	}
}

void registrar_register(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	const struct config_trunk *t = ingress_identify(b, m, from);
	struct registering r = {.b = b, .stx = stx, .m = m, .from = from, .trunk = t};
	struct b2bua_counters *n = &b->counters;
	enum auth_result result;
	const char *why;

	sip_token_make(r.tag);
	if (!t || !t->registrar.realm) {
		reply_refuse(stx, 405, NULL, "nobody registers here", str_z(r.tag));
	} else if (b->closing) {
		refuse(&r, &n->refused_trunk_down, 503, "the gateway is shutting down");
	} else if ((why = trunk_closed(b, t))) {
		refuse(&r, &n->refused_trunk_down, 503, why);
	} else if ((result = user_admit(b, stx, m, t, &r.user)) == AUTH_ADMITTED) {
		update(&r);
	} else if (result == AUTH_WRONG) {
		refuse(&r, &n->register_refused_credentials, 403, "the user name or password is wrong");
	}
}
