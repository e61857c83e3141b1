/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/users/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/report/record.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static bool is_of(const struct user_binding *u, const struct config_user *account)
{
	return strcmp(u->user, account->name) == 0 && strcmp(u->trunk, account->trunk->name) == 0;
}

void users_init(struct b2bua *b)
{
	TAILQ_INIT(&b->users.all);
}

static void unlink_binding(struct user_binding *u)
{
	user_index_remove(&u->b->users.index, u);
	TAILQ_REMOVE(&u->b->users.all, u, entry);
	u->b->users.n--;
	u->b->users.n_adrift -= u->adrift;
	keep_user_unlist(u);
}

void users_binding_free(struct user_binding *u)
{
	timer_cancel(u->b->wheel, &u->end);
	sip_waiter_detach(&u->waiter);
	sip_flow_drop(&u->flow);
	free(u->trunk);
	free(u);
}

void users_unbind(struct user_binding *u, const char *why)
{
	char remote[IP_PORT_TEXT_MAX];

	u->b->counters.users_ended++;
	log_info("user", "registration ended", LZ("user", u->user), LZ("trunk", u->trunk),
		LZ("contact", u->contact), LZ("peer", ip_port_text(&u->flow.remote, remote)),
		LZ("reason", why));
	record_registration_ended(u, why);
	keep_user_forget(u);
	unlink_binding(u);
	users_binding_free(u);
}

static void expired(struct timer *t)
{
	users_unbind(owner_of(t, struct user_binding, end), "it was not refreshed");
}

static void lost(struct sip_waiter *w, const char *reason, bool connected)
{
	char why[CALL_REASON_MAX];

	(void)connected;
	snprintf(why, sizeof why, "its connection was lost: %s", reason);
	users_unbind(owner_of(w, struct user_binding, waiter), why);
}

const char *users_unwanted(struct b2bua *b, const struct user_binding *u)
{
	const struct config_trunk *t = config_trunk_named(b->now->config, u->trunk);
	const struct config_user *account =
		t && t->registrar.realm ? config_find_user(t, str_z(u->user)) : NULL;

	if (!account || strcmp(account->name, u->user) != 0)
		return "the account was removed";
	if (!account->enabled)
		return "the account was disabled";
	if (t->admin == CONFIG_ADMIN_DOWN)
		return "the trunk was taken down";
	return !u->flow.listener || sip_listener_retired(u->flow.listener) ? "its listener was removed"
									   : NULL;
}

void users_commit(struct b2bua *b)
{
	struct user_binding *u, *next;
	const char *why;

	for (u = TAILQ_FIRST(&b->users.all); u; u = next) {
		next = TAILQ_NEXT(u, entry);
		if ((why = users_unwanted(b, u)))
			users_unbind(u, why);
	}
}

void users_forget(struct b2bua *b)
{
	while (!TAILQ_EMPTY(&b->users.all)) {
		struct user_binding *u = TAILQ_FIRST(&b->users.all);

		unlink_binding(u);
		users_binding_free(u);
	}
	user_index_free(&b->users.index);
}

static bool goes_before(const struct user_binding *a, const struct user_binding *b)
{
	return a->q != b->q ? a->q > b->q : a->id > b->id;
}

unsigned users_of(const struct b2bua *b, const struct config_user *account,
	struct user_binding *out[USER_BINDINGS_MAX])
{
	struct user_binding *u = user_index_of(&b->users.index, account->trunk->name, account->name);
	unsigned n = 0, at;

	for (; u && n < USER_BINDINGS_MAX; u = u->next_of) {
		if (!is_of(u, account))
			continue;
		for (at = n++; at && goes_before(u, out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = u;
	}
	return n;
}

struct user_binding *users_binding(const struct b2bua *b, uint64_t id)
{
	return user_index_id(&b->users.index, id);
}

/* RFC 5626 section 6: device and flow where it says them, else the URI. */
static bool matches(const struct user_binding *u, const struct user_contact *c)
{
	struct sip_uri uri;

	if (c->instance.n && c->reg_id && u->reg_id)
		return c->reg_id == u->reg_id && str_eq(c->instance, str_z(u->instance));
	return sip_uri_parse(str_z(u->contact), &uri) == 0 && sip_uri_equal(&uri, &c->uri);
}

/* The device under another URI, where it does not count its flows: but not one that it names in the same request. */
static bool is_earlier(const struct user_binding *u, const struct user_contact *c, const struct sip_msg *m)
{
	return c->instance.n && !c->reg_id && !u->reg_id && str_eq(c->instance, str_z(u->instance)) &&
	       !(u->cseq == m->cseq && str_eq(m->call_id, str_z(u->call_id)));
}

struct user_binding *users_match(const struct b2bua *b, const struct config_user *account,
	const struct user_contact *c, const struct sip_msg *m)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = users_of(b, account, all);

	for (unsigned i = 0; i < n; i++)
		if (matches(all[i], c))
			return all[i];
	for (unsigned i = 0; i < n; i++)
		if (is_earlier(all[i], c, m))
			return all[i];
	return NULL;
}

/* The Path lines as one list; what is too long is as good as none: the flow leads there all the same. */
static struct str path_of(const struct sip_msg *m, char *buf, size_t cap)
{
	struct wbuf w = wbuf_make(buf, cap);
	struct sip_values it = sip_values(m, SIP_H_PATH);
	struct str value;

	while (sip_values_next(&it, &value)) {
		if (w.len)
			wbuf_z(&w, ", ");
		wbuf_str(&w, value);
	}
	return w.overflow ? STR("") : wbuf_view(&w);
}

static char *put_text(char **at, struct str s)
{
	char *p = *at;

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	*at += s.n + 1;
	return p;
}

int users_set_texts(struct user_binding *u, const struct user_texts *t)
{
	const struct str texts[] = {
		t->trunk, t->user, t->contact, t->instance, t->path, t->agent, t->call_id};
	char **const fields[] = {&u->trunk, &u->user, &u->contact, &u->instance, &u->path, &u->agent, &u->call_id};
	size_t n = 0;
	char *at;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		n += texts[i].n + 1;
	at = malloc(n);
	if (!at)
		return -ENOMEM;
	free(u->trunk);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*fields[i] = put_text(&at, texts[i]);
	return 0;
}

/* The flow by which it was registered last is the one that leads to it. */
static int set_flow(struct user_binding *u, const struct sip_flow *from)
{
	struct sip_flow flow = *from;
	int err = 0;

	if (from->conn)
		err = sip_net_watch(u->b->net, from->conn, &u->waiter);
	else
		sip_waiter_detach(&u->waiter);
	if (err == 0)
		err = sip_flow_keep(&flow);
	if (err < 0)
		return err;
	sip_flow_drop(&u->flow);
	u->flow = flow;
	u->b->users.n_adrift -= u->adrift;
	u->adrift = false;
	return 0;
}

static int fill(struct user_binding *u, const struct config_user *account, const struct user_contact *c,
	const struct sip_msg *m, const struct sip_flow *from)
{
	char path[SIP_LINE_MAX];
	const struct user_texts texts = {.trunk = str_z(account->trunk->name),
		.user = str_z(account->name),
		.contact = c->uri.text,
		.instance = c->instance,
		.path = path_of(m, path, sizeof path),
		.agent = sip_msg_value(m, SIP_H_USER_AGENT),
		.call_id = m->call_id};
	int err = users_set_texts(u, &texts);

	if (err == 0)
		err = set_flow(u, from);
	u->reg_id = c->reg_id;
	u->cseq = m->cseq;
	u->q = c->q;
	return err;
}

struct user_binding *users_binding_new(struct b2bua *b, uint64_t id)
{
	struct user_binding *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->b = b;
	u->id = id;
	if (b->users.last_id < id)
		b->users.last_id = id;
	u->since_ms = clock_wall_ms();
	u->waiter.lost = lost;
	return u;
}

int users_list(struct user_binding *u, uint32_t expires_s)
{
	struct users *all = &u->b->users;
	int err = user_index_add(&all->index, u, all->n);

	if (err < 0)
		return err;
	TAILQ_INSERT_TAIL(&all->all, u, entry);
	all->n++;
	all->n_adrift += u->adrift;
	timer_set(u->b->wheel, &u->end, expires_s * 1000, expired);
	return 0;
}

void users_make_room(struct b2bua *b, const struct config_user *account)
{
	struct user_binding *all[USER_BINDINGS_MAX], *oldest = NULL;
	unsigned n = users_of(b, account, all);

	for (unsigned i = 0; i < n && n >= account->max_registrations; i++)
		if (all[i]->adrift && (!oldest || all[i]->id < oldest->id))
			oldest = all[i];
	if (oldest)
		users_unbind(oldest, "another place of the account took its place");
}

static void say_registered(const struct user_binding *u, uint32_t expires_s, const char *what)
{
	char remote[IP_PORT_TEXT_MAX];

	log_at(what ? LOG_INFO : LOG_DEBUG, "user", what ? what : "registration refreshed",
		LZ("user", u->user), LZ("trunk", u->trunk), LZ("contact", u->contact),
		LZ("transport", sip_transport_name(u->flow.transport).p),
		LZ("peer", ip_port_text(&u->flow.remote, remote)), LU("expires_s", expires_s),
		LZ("user_agent", u->agent));
}

int users_bind(struct b2bua *b, const struct config_user *account, struct user_binding *old,
	const struct user_contact *c, const struct sip_msg *m, const struct sip_flow *from)
{
	const char *what = !old ? "registered" : old->adrift ? "registered again" : NULL;
	struct user_binding *u;
	int err;

	if (!old)
		users_make_room(b, account);
	u = old ? old : users_binding_new(b, b->users.last_id + 1);
	err = u ? fill(u, account, c, m, from) : -ENOMEM;
	if (err == 0 && !old)
		err = users_list(u, c->expires_s);
	if (err < 0) {
		if (old)
			users_unbind(old, "it could not be renewed");
		else if (u)
			users_binding_free(u);
		return err;
	}
	*(old ? &b->counters.users_refreshed : &b->counters.users_registered) += 1;
	if (old)
		timer_set(b->wheel, &u->end, c->expires_s * 1000, expired);
	keep_user(u);
	say_registered(u, c->expires_s, what);
	if (!old)
		record_registered(u);
	return 0;
}

uint32_t users_left_s(const struct user_binding *u)
{
	uint32_t s = (timer_left_ms(u->b->wheel, &u->end) + 500) / 1000;

	return s ? s : 1; /* 0 would say that it is over */
}

/* Is the account at the other end of the leg, or called there? */
static bool is_with(const struct leg *l, const struct config_user *account)
{
	const struct user_binding *called = users_binding(l->call->b, l->binding);
	const struct config_user *party = l->dialog ? users_named(l->dialog) : NULL;

	return (called && is_of(called, account)) || (party && strcmp(party->name, account->name) == 0 &&
							     strcmp(party->trunk->name, account->trunk->name) == 0);
}

static void end_calls_of(struct b2bua *b, const struct config_user *account)
{
	for (struct call *c = call_first(b); c; c = call_after(c)) {
		if (c->state == CALL_ENDING || !(is_with(&c->legs[0], account) || is_with(&c->legs[1], account)))
			continue;
		call_tell_outside(c, "the user was logged out");
		call_release(c, NULL, 480, "an operator logged the user out");
	}
}

int b2bua_disconnect(struct b2bua *b, const char *name, unsigned *registrations)
{
	const struct config_user *u = NULL;
	struct user_binding *all[USER_BINDINGS_MAX];

	for (uint32_t i = 0; i < b->now->config->n_users && !u; i++)
		if (strcmp(b->now->config->users[i].name, name) == 0)
			u = &b->now->config->users[i];
	if (!u)
		return -ENOENT;
	end_calls_of(b, u);
	*registrations = users_of(b, u, all);
	for (unsigned i = 0; i < *registrations; i++) {
		uint64_t conn = all[i]->flow.conn;

		users_unbind(all[i], "an operator logged the user out");
		sip_net_close(b->net, conn, "an operator logged the user out");
	}
	return 0;
}

static const struct user_binding *binding_of(const struct leg *out)
{
	return users_binding(out->call->b, out->binding);
}

/* It may have ended meanwhile; its connection is then gone, and the INVITE with it. */
void users_uri(const struct leg *out, struct wbuf *w)
{
	const struct user_binding *u = binding_of(out);

	wbuf_z(w, u ? u->contact : "sip:nobody@invalid");
}

void users_routes(const struct leg *out, struct sip_builder *b)
{
	const struct user_binding *u = binding_of(out);

	if (u && u->path[0])
		sip_build_hdr(b, SIP_H_ROUTE, str_z(u->path));
}
