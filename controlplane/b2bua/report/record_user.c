/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit keeps of registrations: who is there from where, how long and why no more, and who was refused. */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/record.h"
#include "controlplane/b2bua/users/users.h"

static void put_str(json_t *o, const char *name, struct str s)
{
	char text[CALL_PARTY_MAX];

	str_copy(text, sizeof text, str_sub(s, 0, sizeof text - 1));
	record_text(o, name, text);
}

static void put_address(json_t *o, const struct ip_port *from)
{
	char text[IP_PORT_TEXT_MAX];

	record_text(o, "address", ip_port_text(from, text));
}

/* By the model's names, as in the records of sessions. */
static const enum config_transport transports[] = {[SIP_UDP] = CONFIG_UDP,
	[SIP_TCP] = CONFIG_TCP,
	[SIP_TLS] = CONFIG_TLS,
	[SIP_WSS] = CONFIG_WSS};

/* How the request came. */
static void put_signalling(json_t *o, struct b2bua *b, const struct sip_flow *flow)
{
	struct sip_conn_info info;

	record_text(o, "transport", config_transport_name(transports[flow->transport]));
	if (sip_net_conn_info(b->net, flow->conn, &info) < 0 || !info.tls)
		return;
	record_text(o, "tls-version", info.tls->version);
	record_text(o, "tls-cipher", info.tls->cipher);
}

static json_t *of_binding(const struct user_binding *u, const char *event)
{
	json_t *o = record_begin("registration");

	record_text(o, "event", event);
	record_text(o, "trunk", u->trunk);
	record_text(o, "user", u->user);
	record_text(o, "contact", u->contact);
	put_address(o, &u->flow.remote);
	record_left_out(u->b, RECORD_USERS, o);
	return o;
}

void record_registered(const struct user_binding *u)
{
	json_t *o;

	if (!record_may(u->b, RECORD_USERS))
		return;
	o = of_binding(u, "began");
	put_signalling(o, u->b, &u->flow);
	record_text(o, "user-agent", u->agent);
	record_write(u->b, o);
}

void record_registration_ended(const struct user_binding *u, const char *why)
{
	json_t *o;

	if (!record_may(u->b, RECORD_USERS))
		return;
	o = of_binding(u, "ended");
	record_text(o, "reason", why);
	record_write(u->b, o);
}

void record_registration_refused(struct b2bua *b, const char *trunk, const struct sip_msg *m,
	const struct sip_flow *from, unsigned status, const char *why)
{
	json_t *o;

	if (!record_may(b, RECORD_USERS_REFUSED))
		return;
	o = record_begin("registration");
	record_text(o, "event", "refused");
	record_text(o, "trunk", trunk);
	put_str(o, "user", m->to.uri.user);
	put_address(o, &m->source);
	put_signalling(o, b, from);
	record_number(o, "status", status);
	record_text(o, "reason", why);
	record_left_out(b, RECORD_USERS_REFUSED, o);
	record_write(b, o);
}
