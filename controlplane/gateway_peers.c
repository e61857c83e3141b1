/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "controlplane/config/config.h"
#include "controlplane/gateway_private.h"
#include "controlplane/sip/transport.h"
#include "lib/base/log.h"

static bool comes_by(const struct config_trunk *t, const struct config_listener *l)
{
	for (uint32_t i = 0; i < t->identify.n_listeners; i++)
		if (t->identify.listeners[i] == l)
			return true;
	return !t->identify.n_listeners;
}

/* Whoever comes by the listener is this trunk's, and nobody a stranger. */
static bool takes_all(const struct config_trunk *t)
{
	const struct config_identify *id = &t->identify;

	return id->n_listeners && !id->n_sources && !id->n_certificate_names && !id->n_server_names &&
	       !t->peer_auth.username && !t->registrar.realm;
}

/* One prefix for each of its sources and peers, and two more at most. Accounts are whoever shows a password.
 */
static size_t add_trunk(const struct config_trunk *t, struct sip_prefix *out)
{
	size_t n = 0;

	if (takes_all(t)) {
		out[n++] = (struct sip_prefix){{.family = IP_V4}, 0};
		out[n++] = (struct sip_prefix){{.family = IP_V6}, 0};
	}
	for (uint32_t i = 0; i < t->identify.n_sources && !t->registrar.realm; i++)
		out[n++] = (struct sip_prefix){t->identify.sources[i].ip, t->identify.sources[i].bits};
	for (uint32_t i = 0; i < t->n_peers; i++)
		if (t->peers[i].ip.family != IP_NONE)
			out[n++] = (struct sip_prefix){
				t->peers[i].ip, t->peers[i].ip.family == IP_V6 ? 128 : 32};
	return n;
}

void gateway_name_peers(struct sip_listener *to, const struct config_listener *l)
{
	const struct config_realm *realm = l->realm;
	size_t room = 0, n = 0;

	if (sip_listener_transport(to) != SIP_UDP)
		return;
	for (uint32_t i = 0; i < realm->n_trunks; i++)
		room += realm->trunks[i]->identify.n_sources + realm->trunks[i]->n_peers + 2;
	struct sip_prefix *all = calloc(room + 1, sizeof *all);

	for (uint32_t i = 0; all && i < realm->n_trunks; i++)
		if (comes_by(realm->trunks[i], l))
			n += add_trunk(realm->trunks[i], all + n);
	if (!all || sip_listener_set_peers(to, all, n) < 0)
		log_error("sip", "no memory to tell datagrams of peers and of strangers apart: they wait in "
				 "one queue");
	free(all);
}
