/* SPDX-License-Identifier: Apache-2.0 */
/* The transport's use of message rates: whose source a message is of, and what becomes of one too many. */
#include <errno.h>
#include <string.h>

#include "controlplane/sip/net.h"
#include "lib/base/log.h"

#define ASK_MS 1000      /* a configuration that changed, a certificate that was shown */
#define KNOWN_MS 3600000 /* of a password */
#define EXPECT_MS 64000  /* two transactions' worth of answers, and what follows them */

struct ip_addr net_source_of(const struct ip_addr *ip)
{
	struct ip_addr source = *ip;

	if (ip->family == IP_V6)
		memset(source.octets + 8, 0, 8);
	return source;
}

int sip_net_set_rates(struct sip_net *net, const struct sip_rate_conf *conf)
{
	struct net_rates *r = &net->rates;
	int rc = r->peers ? 0 : rate_table_new(&r->peers);

	if (rc == 0 && !r->strangers)
		rc = rate_table_new(&r->strangers);
	if (rc < 0) {
		net_rate_close(net);
		return rc;
	}
	if (r->conf.strangers_udp_per_s != conf->strangers_udp_per_s)
		rate_begin(&r->strangers_udp, conf->strangers_udp_per_s, conn_now_ms());
	r->conf = *conf;
	return 0;
}

void net_rate_close(struct sip_net *net)
{
	rate_table_free(net->rates.peers);
	rate_table_free(net->rates.strangers);
	net->rates.peers = net->rates.strangers = NULL;
}

static bool is_fresh(const struct rate_source *s, uint64_t now)
{
	return s && now - s->asked_ms < ASK_MS;
}

/* Peers have a table of their own, out of which no flood of strangers drives them. */
static struct rate_source *source(struct sip_net *net, const struct sip_flow *from, bool *peer)
{
	struct net_rates *r = &net->rates;
	struct ip_addr ip = net_source_of(&from->remote.ip);
	uint64_t now = conn_now_ms();
	uint32_t per_s = r->conf.peer_per_s;
	struct rate_source *known = rate_find(r->peers, &ip), *s = known;

	*peer = true;
	if (is_fresh(s, now))
		return s;
	*peer = false;
	if (!s && is_fresh(s = rate_find(r->strangers, &ip), now))
		return s;
	*peer = r->conf.peer(r->conf.user, from, &per_s) || (known && now < known->known_until_ms);
	if (!*peer)
		per_s = r->conf.stranger_per_s;
	s = rate_source_of(*peer ? r->peers : r->strangers, &ip, per_s, now);
	s->asked_ms = now;
	rate_set(&s->bucket, per_s);
	return s;
}

static void note_over(struct sip_net *net, const struct sip_flow *from, bool peer)
{
	char remote[IP_PORT_TEXT_MAX];
	unsigned dropped;

	if (net_may_log(net, &dropped))
		log_warn("sip",
			peer ? "a peer sends more messages than it may" : "a stranger sends many messages",
			LZ("peer", ip_port_text(&from->remote, remote)), LU("lines_left_out", dropped));
}

bool net_rate_is_peer(struct sip_net *net, struct sip_listener *l, const struct ip_port *remote)
{
	struct sip_flow from = {.transport = l->transport, .listener = l, .remote = *remote};
	bool peer = false;

	if (net->rates.peers)
		source(net, &from, &peer);
	return peer;
}

/* Of the strangers' queue; whom the configuration names has another. Nobody is asked about each one of a flood. */
static bool too_many_strangers(struct sip_net *net, const struct sip_flow *from, uint64_t now)
{
	struct ip_addr ip = net_source_of(&from->remote.ip);
	const struct rate_source *known;

	if (!rate_wait_ms(&net->rates.strangers_udp, now))
		return false;
	known = rate_find(net->rates.peers, &ip);
	return !known || now >= known->known_until_ms;
}

bool net_rate_datagram(struct sip_net *net, const struct sip_flow *from, bool of_strangers)
{
	uint64_t now = conn_now_ms();
	bool peer, ok;

	if (!net->rates.peers)
		return true;
	if (of_strangers && too_many_strangers(net, from, now)) {
		net->counters->rx_rate_dropped_unknown++;
		note_over(net, from, false);
		return false;
	}
	ok = rate_take(&source(net, from, &peer)->bucket, now) &&
	     (peer || rate_take(&net->rates.strangers_udp, now));
	if (ok)
		return true;
	if (peer)
		net->counters->rx_rate_dropped++;
	else
		net->counters->rx_rate_dropped_unknown++;
	note_over(net, from, peer);
	return false;
}

void net_rate_charge(struct sip_net *net, const struct sip_flow *from)
{
	bool peer;

	if (net->rates.peers)
		rate_charge(&source(net, from, &peer)->bucket, conn_now_ms());
}

uint32_t net_rate_wait_ms(struct sip_net *net, const struct sip_flow *from)
{
	bool peer;

	return net->rates.peers ? rate_wait_ms(&source(net, from, &peer)->bucket, conn_now_ms()) : 0;
}

/* For a while whoever this is counts as a peer, whatever the configuration says of its address. */
static void know(struct sip_net *net, const struct sip_flow *flow, uint32_t for_ms)
{
	struct net_rates *r = &net->rates;
	struct ip_addr ip = net_source_of(&flow->remote.ip);
	uint64_t now = conn_now_ms();
	struct rate_source *s;

	if (!r->peers)
		return;
	s = rate_source_of(r->peers, &ip, r->conf.peer_per_s, now);
	bool is_new = s->known_until_ms < now;

	if (s->known_until_ms < now + for_ms)
		s->known_until_ms = now + for_ms;
	for (struct sip_listener *l = net->listeners; l && is_new; l = l->next)
		udp_steer_soon(l);
}

size_t net_rate_known(const struct sip_net *net, struct sip_prefix *out, size_t room)
{
	uint64_t now = conn_now_ms();
	const struct rate_source *s;
	size_t n = 0;

	for (unsigned i = 0; n < room && net->rates.peers && (s = rate_at(net->rates.peers, i)); i++)
		if (s->ip.family != IP_NONE && s->known_until_ms > now)
			out[n++] = (struct sip_prefix){s->ip, s->ip.family == IP_V6 ? 64 : 32};
	return n;
}

void sip_net_know(struct sip_net *net, const struct sip_flow *from)
{
	sip_net_admit(net, from);
	know(net, from, KNOWN_MS);
}

void net_rate_expect(struct sip_net *net, const struct sip_flow *to)
{
	know(net, to, EXPECT_MS);
}
