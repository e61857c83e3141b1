/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/snapshot.h"

static bool prefix_covers(const struct config_prefix *p, const struct ip_addr *ip)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (p->ip.family != ip->family || memcmp(p->ip.octets, ip->octets, whole) != 0)
		return false;
	return rest == 0 || (p->ip.octets[whole] ^ ip->octets[whole]) >> (8 - rest) == 0;
}

static bool name_matches(const struct config_identify *id, const struct config_source *from)
{
	for (uint32_t i = 0; i < id->n_certificate_names; i++) {
		for (uint32_t k = 0; k < from->n_certificate_names; k++) {
			if (str_ieq(str_z(id->certificate_names[i]), from->certificate_names[k]))
				return true;
		}
	}
	return false;
}

static bool server_name_matches(const struct config_identify *id, const struct config_source *from)
{
	for (uint32_t i = 0; i < id->n_server_names; i++)
		if (str_ieq(str_z(id->server_names[i]), from->server_name))
			return true;
	return false;
}

static bool listener_matches(const struct config_identify *id, const struct config_source *from)
{
	for (uint32_t i = 0; i < id->n_listeners; i++) {
		if (id->listeners[i] == from->listener)
			return true;
	}
	return false;
}

/* May its SIP be read by others? Keys are never in it then. */
static bool clear_sip(const struct config_trunk *t)
{
	return t->keying == CONFIG_KEYING_DTLS && (t->realm->trusted || t->realm->clear_dtls);
}

/* How exactly a trunk's entries name this source: more is better, 0 is not at all. */
static unsigned match_rank(const struct config_trunk *t, const struct config_source *from)
{
	const struct config_identify *id = &t->identify;
	unsigned rank = 0, bits = 0;

	if (t->srtp == CONFIG_SRTP_REQUIRED && !config_transport_secure(from->listener->transport) && !clear_sip(t))
		return 0;
	if (t->peer_auth.username && from->username.n &&
		!str_eq(from->username, str_z(t->peer_auth.username)))
		return 0;
	if (id->n_certificate_names) {
		if (!name_matches(id, from))
			return 0;
		rank += 1000;
	}
	if (id->n_server_names) {
		if (!server_name_matches(id, from))
			return 0;
		rank += 500;
	}
	if (id->n_sources) {
		bool found = false;

		for (uint32_t i = 0; i < id->n_sources; i++) {
			if (!prefix_covers(&id->sources[i], &from->remote))
				continue;
			found = true;
			bits = id->sources[i].bits > bits ? id->sources[i].bits : bits;
		}
		if (!found)
			return 0;
		rank += 2 + 2 * bits; /* at most 258 */
	}
	if (id->n_listeners) {
		if (!listener_matches(id, from))
			return 0;
		rank += 1;
	}
	return rank;
}

const struct config_trunk *config_find_trunk(const struct config *c, const struct config_source *from)
{
	const struct config_realm *realm = from->listener->realm;
	const struct config_trunk *best = NULL;
	unsigned best_rank = 0;

	(void)c;
	for (uint32_t i = 0; i < realm->n_trunks; i++) {
		unsigned rank = match_rank(realm->trunks[i], from);

		if (rank > best_rank) {
			best_rank = rank;
			best = realm->trunks[i];
		}
	}
	return best;
}

const struct config_listener *config_find_listener(const struct config *c, const struct config_realm *realm,
	enum config_transport transport, enum ip_family family)
{
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		const struct config_listener *l = &c->listeners[i];

		if (l->enabled && l->realm == realm && l->transport == transport &&
			(family == IP_NONE || l->local.ip.family == family))
			return l;
	}
	return NULL;
}

static int compare_name(const void *key, const void *row)
{
	return strcmp(key, (*(const struct config_trunk *const *)row)->name);
}

const struct config_trunk *config_trunk_named(const struct config *c, const char *name)
{
	const struct snapshot *s = (const struct snapshot *)c;
	const struct config_trunk **found = c->n_trunks ? bsearch(name, s->trunks_by_name, c->n_trunks,
								  sizeof *s->trunks_by_name, compare_name)
							: NULL;

	return found ? *found : NULL;
}
