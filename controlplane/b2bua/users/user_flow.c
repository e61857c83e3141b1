/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a user in a dialog: connections come and go, the device and its contact stay (RFC 5626). */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/users/users.h"
#include "controlplane/sip/hash.h"

uint64_t users_device(const struct user_binding *u)
{
	return u && u->instance[0] ? hash_str(&u->b->loop_key, str_z(u->instance)) : 0;
}

void users_note_caller(struct leg *in, const struct sip_flow *from)
{
	const struct config_user *account = from->conn ? users_party(in->dialog) : NULL;
	struct user_binding *all[USER_BINDINGS_MAX];
	unsigned n = account ? users_of(in->call->b, account, all) : 0;

	for (unsigned i = 0; i < n; i++)
		if (all[i]->flow.conn == from->conn)
			in->device = users_device(all[i]);
}

const struct config_user *users_party(const struct sip_dialog *d)
{
	/* Routes lead to a proxy, whose matter it is. */
	return d->route_count ? NULL : users_named(d);
}

const struct config_user *users_named(const struct sip_dialog *d)
{
	const struct leg *l = d->user;
	const struct config_user *u;
	struct sip_addr party;
	char name[CALL_PARTY_MAX];

	if (!l || !l->trunk || !l->trunk->registrar.realm || sip_addr_parse(d->remote_uri, &party) < 0)
		return NULL;
	passing_party(l->trunk, &party.uri, name);
	u = config_find_user(l->trunk, str_z(name));
	return u ? u : config_find_user(l->trunk, party.uri.user);
}

bool users_place(const struct user_binding *u, bool secure, uint64_t device, struct str target)
{
	struct sip_uri a, b;

	if (u->adrift || sip_transport_secure(u->flow.transport) < secure)
		return false;
	if (device && users_device(u) == device)
		return true;
	return sip_uri_parse(target, &a) == 0 && sip_uri_parse(str_z(u->contact), &b) == 0 && sip_uri_equal(&a, &b);
}

bool users_flow(const struct sip_dialog *d, bool moved, struct sip_flow *flow)
{
	const struct config_user *account = users_party(d);
	const struct leg *l = d->user;
	struct user_binding *all[USER_BINDINGS_MAX];
	const struct user_binding *found = NULL;
	unsigned n = account && (!moved || l->device) ? users_of(l->call->b, account, all) : 0;

	for (unsigned i = 0; i < n; i++) {
		if (moved && users_device(all[i]) != l->device)
			continue;
		if (moved && all[i]->flow.conn == d->flow.conn)
			return false;
		if (!found && users_place(all[i], sip_transport_secure(d->flow.transport), l->device, d->remote_target))
			found = all[i];
	}
	if (found)
		*flow = found->flow;
	return found;
}
