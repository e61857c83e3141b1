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

/* How much of the address the best of a trunk's entries names, in bits and one more; 0: none names it. */
static unsigned address_match(const struct config_identify *id, const struct config_source *from)
{
	unsigned best = 0;

	for (uint32_t i = 0; i < id->n_sources; i++)
		if (prefix_covers(&id->sources[i], &from->remote) && id->sources[i].bits >= best)
			best = id->sources[i].bits + 1u;
	return best;
}

/* What a trunk asks of a source, in the order in which an operator would look. */
enum demand {
	DEMAND_TLS,
	DEMAND_LISTENER,
	DEMAND_ADDRESS,
	DEMAND_CERTIFICATE,
	DEMAND_SERVER_NAME,
	DEMAND_USERNAME,
	DEMANDS,
};

static const char *const not_met[DEMANDS] = {
	[DEMAND_TLS] = "it requires SRTP, and this came without TLS",
	[DEMAND_LISTENER] = "this came by a listener that is not among its own",
	[DEMAND_ADDRESS] = "this address is not among its sources",
	[DEMAND_CERTIFICATE] = "no verified certificate with one of its names was shown",
	[DEMAND_SERVER_NAME] = "the server name that was asked for in TLS (SNI) is not among its own",
	[DEMAND_USERNAME] = "the request says to be from another user",
};

/* The demands of a trunk that a source does not meet, as bits. */
static unsigned demands_missed(const struct config_trunk *t, const struct config_source *from)
{
	const struct config_identify *id = &t->identify;
	const bool missed[DEMANDS] = {
		[DEMAND_TLS] = t->srtp == CONFIG_SRTP_REQUIRED &&
			       !config_transport_secure(from->listener->transport) && !clear_sip(t),
		[DEMAND_LISTENER] = id->n_listeners && !listener_matches(id, from),
		[DEMAND_ADDRESS] = id->n_sources && !address_match(id, from),
		[DEMAND_CERTIFICATE] = id->n_certificate_names && !name_matches(id, from),
		[DEMAND_SERVER_NAME] = id->n_server_names && !server_name_matches(id, from),
		[DEMAND_USERNAME] = t->peer_auth.username && from->username.n &&
				    !str_eq(from->username, str_z(t->peer_auth.username)),
	};
	unsigned bits = 0;

	for (unsigned i = 0; i < DEMANDS; i++)
		bits |= (unsigned)missed[i] << i;
	return bits;
}

/* How exactly a trunk's entries name this source: more is better, 0 is not at all. */
static unsigned match_rank(const struct config_trunk *t, const struct config_source *from)
{
	const struct config_identify *id = &t->identify;
	unsigned rank = 0;

	if (demands_missed(t, from))
		return 0;
	rank += id->n_certificate_names ? 1000 : 0;
	rank += id->n_server_names ? 500 : 0;
	rank += id->n_sources ? 2 * address_match(id, from) : 0; /* at most 258 */
	rank += id->n_listeners ? 1 : 0;
	return rank;
}

/* Is there anything in which the source is like the trunk's peers, when what it misses is left aside? */
static bool has_likeness(const struct config_identify *id, unsigned missed)
{
	return (id->n_sources && missed != 1u << DEMAND_ADDRESS) ||
	       (id->n_certificate_names && missed != 1u << DEMAND_CERTIFICATE) ||
	       (id->n_server_names && missed != 1u << DEMAND_SERVER_NAME);
}

const struct config_trunk *config_near_miss(const struct config_source *from, const char **not_met_by)
{
	const struct config_realm *realm = from->listener->realm;

	for (uint32_t i = 0; i < realm->n_trunks; i++) {
		unsigned missed = demands_missed(realm->trunks[i], from);

		for (unsigned d = 0; d < DEMANDS; d++) {
			if (missed != 1u << d || !has_likeness(&realm->trunks[i]->identify, missed))
				continue;
			*not_met_by = not_met[d];
			return realm->trunks[i];
		}
	}
	return NULL;
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
