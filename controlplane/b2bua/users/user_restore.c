/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bindings of an earlier process. Over UDP the address that a REGISTER came from leads to the account as
 * before. A connection is gone, and what was registered by it with RFC 5626 is reached by no other
 * (section 5.3), nor is who sits behind NAT, or is encrypted: he is no server, and no certificate that he
 * could show was agreed on. Who registered over plain TCP with a Contact of his own address can be connected
 * to there (RFC 3261 section 10.2.1).
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/b2bua/report/record.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* Ids are given in turn: a larger one is none of ours, and the key has room for those that follow. */
#define ID_MAX (1ull << 48)

void users_saved(const struct user_binding *u, struct saved_binding *out)
{
	*out = (struct saved_binding){.trunk = str_z(u->trunk),
		.user = str_z(u->user),
		.contact = str_z(u->contact),
		.instance = str_z(u->instance),
		.path = str_z(u->path),
		.agent = str_z(u->agent),
		.call_id = str_z(u->call_id),
		.reg_id = u->reg_id,
		.cseq = u->cseq,
		.q = (uint16_t)u->q,
		.transport = u->flow.transport,
		.remote = u->flow.remote,
		.local = *sip_listener_local(u->flow.listener),
		.since_ms = u->since_ms,
		.ends_ms = clock_wall_ms() + timer_left_ms(u->b->wheel, &u->end)};
}

/* Listeners are known by transport and address. NULL: it is not there any more. */
static struct sip_listener *listener_of(const struct b2bua *b, const struct saved_binding *s)
{
	for (uint32_t i = 0; i < b->now->config->n_listeners; i++) {
		struct sip_listener *l = b->now->listeners[i];

		if (l && sip_listener_transport(l) == s->transport &&
			ip_port_equal(sip_listener_local(l), &s->local))
			return l;
	}
	return NULL;
}

static bool by_contact(const struct saved_binding *s, struct sip_flow *flow)
{
	struct sip_flow to = *flow;
	struct sip_uri uri;

	if (s->transport != SIP_TCP || s->reg_id || s->path.n || sip_uri_parse(s->contact, &uri) < 0 ||
		sip_flow_from_uri(&uri, &to) < 0 || to.transport != SIP_TCP ||
		!ip_equal(&to.remote.ip, &s->remote.ip))
		return false;
	*flow = to;
	return true;
}

static int set_flow(struct user_binding *u, const struct saved_binding *s)
{
	struct sip_flow flow = {
		.transport = s->transport, .remote = s->remote, .listener = listener_of(u->b, s)};

	u->adrift = s->transport != SIP_UDP && !by_contact(s, &flow);
	u->flow = flow;
	return sip_flow_keep(&u->flow);
}

static struct user_binding *make(struct b2bua *b, uint64_t id, const struct saved_binding *s)
{
	const struct user_texts texts = {
		s->trunk, s->user, s->contact, s->instance, s->path, s->agent, s->call_id};
	struct user_binding *u = users_binding_new(b, id);

	if (!u)
		return NULL;
	if (users_set_texts(u, &texts) < 0 || set_flow(u, s) < 0) {
		users_binding_free(u);
		return NULL;
	}
	u->reg_id = s->reg_id;
	u->cseq = s->cseq;
	u->q = s->q;
	u->since_ms = s->since_ms;
	return u;
}

/* Of those of the account and this one, that is to be with them: who is adrift gives way, or who came first.
 */
static struct user_binding *least(struct user_binding *const *all, unsigned n, struct user_binding *u)
{
	for (unsigned i = 0; i < n; i++)
		if (all[i]->adrift != u->adrift ? all[i]->adrift : all[i]->id < u->id)
			u = all[i];
	return u;
}

static enum user_restored drop(struct user_binding *u, enum user_restored what, const char *why)
{
	record_registration_ended(u, why);
	keep_user_forget(u); /* now: another process may follow before the older segments go */
	users_binding_free(u);
	return what;
}

/* It may be; the configuration may have another limit now. */
static enum user_restored list(struct user_binding *u, uint64_t left_ms)
{
	static const char why[] = "the account may be registered in fewer places now (max-registrations)";
	const struct config_trunk *t = config_trunk_named(u->b->now->config, u->trunk);
	const struct config_user *account = config_find_user(t, str_z(u->user));
	struct user_binding *all[USER_BINDINGS_MAX], *gone = NULL;
	unsigned n = users_of(u->b, account, all);
	uint64_t most_ms = t->registrar.max_expires_s * 1000ull; /* clocks may have been set */

	if (n >= account->max_registrations)
		gone = least(all, n, u);
	if (gone == u)
		return drop(u, USER_UNWANTED, why);
	if (gone)
		users_unbind(gone, why);
	if (users_list(u, (uint32_t)(left_ms < most_ms ? left_ms : most_ms) / 1000 + 1) < 0) {
		users_binding_free(u);
		return USER_DAMAGED;
	}
	return u->adrift ? USER_ADRIFT : USER_RESTORED;
}

enum user_restored users_restore(struct b2bua *b, uint64_t id, const void *data, size_t n)
{
	uint64_t now = clock_wall_ms();
	struct user_binding *u = NULL;
	struct saved_binding s;
	const char *why;

	if (id && id < ID_MAX && !users_binding(b, id) && saved_binding_read(data, n, &s) == 0)
		u = make(b, id, &s);
	if (!u) {
		log_warn("user",
			"a registration of before the start is lost: its record is damaged, or of another version",
			LU("registration", id));
		return USER_DAMAGED;
	}
	if ((why = users_unwanted(b, u)))
		return drop(u, USER_UNWANTED, why);
	if (s.ends_ms <= now)
		return drop(u, USER_EXPIRED, "it was not refreshed");
	return list(u, s.ends_ms - now);
}
