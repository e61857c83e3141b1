/* SPDX-License-Identifier: Apache-2.0 */
/* The transport's face: what is sent, where to, and what is done with what was received. */
#include "controlplane/sip/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controlplane/sip/build.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define ERROR_RESPONSE_MAX (SIP_HEAD_MAX + 1024)
#define UDP_SAFE_OCTETS 1300 /* RFC 3261 section 18.1.1, path MTU unknown */

static const struct str transport_names[] = {{"UDP", 3}, {"TCP", 3}, {"TLS", 3}, {"WSS", 3}};

struct str sip_transport_name(enum sip_transport t)
{
	return transport_names[t];
}

int sip_transport_by_name(struct str name, enum sip_transport *out)
{
	for (unsigned t = 0; t < SIP_TRANSPORT_COUNT; t++) {
		if (str_ieq(name, transport_names[t])) {
			*out = t;
			return 0;
		}
	}
	return -EINVAL;
}

/* FNV-1a: its keys are peers that are configured, and sources, of which there are no more than connections.
 */
uint32_t net_hash(const void *p, size_t n, uint32_t seed)
{
	uint32_t h = 2166136261u ^ seed;

	for (const uint8_t *b = p; n--; b++)
		h = (h ^ *b) * 16777619u;
	return h ^ h >> 15;
}

static void set_default(unsigned *value, unsigned otherwise)
{
	if (!*value)
		*value = otherwise;
}

int sip_net_new(struct event_base *base, const struct sip_net_conf *conf, struct sip_counters *counters,
	sip_net_message_fn on_message, void *user, struct sip_net **out)
{
	struct sip_net *net = calloc(1, sizeof *net);

	if (!net)
		return -ENOMEM;
	/* Connection numbers of an earlier life, which a checkpoint may have kept, must name nothing in this
	 * one. */
	if (getrandom(&net->next_id, sizeof net->next_id, 0) != (ssize_t)sizeof net->next_id) {
		free(net);
		return -EIO;
	}
	net->next_id >>= 1;
	/* OpenSSL writes without MSG_NOSIGNAL: a peer that went away must not end the process. */
	signal(SIGPIPE, SIG_IGN);
	net->base = base;
	if (conf)
		net->conf = *conf;
	set_default(&net->conf.connections_max, 20000);
	set_default(&net->conf.per_source_max, 200);
	set_default(&net->conf.half_open_max, 2000);
	set_default(&net->conf.connect_ms, 5000);
	set_default(&net->conf.handshake_ms, 10000);
	set_default(&net->conf.message_ms, 10000);
	set_default(&net->conf.idle_ms, 600000);
	set_default(&net->conf.ping_ms, 30000);
	if (!net->conf.send_queue_max)
		net->conf.send_queue_max = 1 << 20;
	net->counters = counters;
	net->on_message = on_message;
	net->user = user;
	conn_open_net(net);
	handshake_open(net);
	*out = net;
	return 0;
}

void sip_net_free(struct sip_net *net)
{
	if (!net)
		return;
	for (struct sip_conn *c = net->all; c; c = c->next_all) {
		while (c->waiters)
			sip_waiter_detach(c->waiters);
		if (c->ws && c->state == CONN_UP)
			ws_close(c->ws, WS_GOING_AWAY);
	}
	while (net->all)
		conn_close(net->all, "shutting down");
	while (net->listeners)
		sip_net_unlisten(net->listeners);
	mem_wipe(net->rx, sizeof net->rx);
	net_rate_close(net);
	handshake_close(net);
	event_del(&net->ev_trim);
	free(net);
}

void sip_net_set_connections_max(struct sip_net *net, unsigned max)
{
	net->conf.connections_max = max;
}

void sip_waiter_detach(struct sip_waiter *w)
{
	if (!w->prev)
		return;
	*w->prev = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->prev = NULL;
}

static void waiter_attach(struct sip_conn *c, struct sip_waiter *w)
{
	sip_waiter_detach(w);
	w->next = c->waiters;
	w->prev = &c->waiters;
	if (w->next)
		w->next->prev = &w->next;
	c->waiters = w;
}

int sip_net_watch(const struct sip_net *net, uint64_t conn, struct sip_waiter *w)
{
	struct sip_conn *c = conn_find(net, conn);

	if (!c)
		return -ENOTCONN;
	waiter_attach(c, w);
	return 0;
}

static int net_send_udp(struct sip_net *net, struct sip_flow *flow, struct str text)
{
	flow->conn = 0;
	if (text.n > UDP_SAFE_OCTETS)
		net->counters->tx_too_large_for_udp++;
	return udp_send(flow->listener, &flow->remote, text);
}

static int net_send_stream(
	struct sip_net *net, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	struct sip_conn *c = flow->conn ? conn_find(net, flow->conn) : NULL;
	int rc;

	if (!c || c->transport != flow->transport)
		c = conn_find_remote(net, flow);
	if (!c && (rc = conn_open(net, flow, &c)) < 0)
		return rc;
	if ((rc = conn_send(c, text)) < 0)
		return rc;
	flow->conn = c->id;
	if (waiter)
		waiter_attach(c, waiter);
	return 0;
}

int sip_net_send(struct sip_net *net, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	int rc;

	if (flow->transport == SIP_UDP) {
		if (waiter)
			sip_waiter_detach(waiter);
		rc = net_send_udp(net, flow, text);
	} else {
		rc = net_send_stream(net, flow, text, waiter);
	}
	if (rc == -ENOBUFS)
		net->counters->tx_queue_full++;
	else if (rc < 0)
		net->counters->tx_failed++;
	else
		net->counters->tx_messages++;
	if (rc == 0 && !str_starts(text, STR("SIP/2.0 ")))
		net_rate_expect(net, flow);
	return rc;
}

void sip_net_response_flow(const struct sip_msg *request, struct sip_flow *from)
{
	uint16_t usual = from->transport == SIP_TLS ? 5061 : 5060;

	if (from->transport == SIP_UDP && request->via.rport)
		return;
	from->remote.port = request->via.port ? request->via.port : usual;
}

int sip_net_conn_info(const struct sip_net *net, uint64_t conn, struct sip_conn_info *out)
{
	const struct sip_conn *c = conn_find(net, conn);

	if (!c)
		return -ENOENT;
	*out = (struct sip_conn_info){.transport = c->transport,
		.remote = c->remote,
		.local = c->local,
		.accepted = c->accepted,
		.tls = c->info};
	return 0;
}

void sip_net_hold(const struct sip_net *net, uint64_t conn)
{
	struct sip_conn *c = conn_find(net, conn);

	if (c && !c->half_open)
		c->active_ms = conn_now_ms();
}

void sip_net_close(struct sip_net *net, uint64_t conn, const char *reason)
{
	struct sip_conn *c = conn_find(net, conn);

	if (c)
		conn_finish(c, reason);
}

unsigned sip_net_conn_count(const struct sip_net *net)
{
	return net->conn_count;
}

int sip_flow_from_uri(const struct sip_uri *uri, struct sip_flow *flow)
{
	enum sip_transport t = flow->transport;
	struct ip_addr ip;
	struct str name;

	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return -EPROTONOSUPPORT;
	if (sip_param(uri->params, STR("transport"), &name)) {
		/* RFC 7118 section 5.2.2 has one name for both; here it is always over TLS. */
		if (str_ieq(name, STR("ws")))
			t = SIP_WSS;
		else if (sip_transport_by_name(name, &t) < 0)
			return -EPROTONOSUPPORT;
	}
	if (uri->scheme == SIP_SCHEME_SIPS && t != SIP_WSS)
		t = SIP_TLS;
	if (ip_parse(uri->host, &ip) < 0)
		return -EHOSTUNREACH;
	flow->transport = t;
	flow->remote.ip = ip;
	flow->remote.port = uri->port ? uri->port : t == SIP_TLS ? 5061 : 5060;
	return 0;
}

bool net_may_log(struct sip_net *net, unsigned *dropped)
{
	uint64_t second = conn_now_ms() / 1000;

	if (second != net->log_second) {
		net->log_second = second;
		net->log_lines = 0;
	}
	if (net->log_lines == NET_LOG_LINES) {
		net->log_dropped++;
		return false;
	}
	net->log_lines++;
	*dropped = net->log_dropped;
	net->log_dropped = 0;
	return true;
}

static void answer_malformed(struct sip_net *net, const struct sip_reject *why, struct sip_flow *from)
{
	char buf[ERROR_RESPONSE_MAX], token[SIP_TOKEN_TEXT], remote[IP_PORT_TEXT_MAX];
	struct sip_flow to = *from;
	struct sip_builder b;
	unsigned dropped;

	if (net_may_log(net, &dropped))
		log_info("sip", "malformed message", LZ("reason", why->reason), LU("status", why->status),
			LZ("peer", ip_port_text(&from->remote, remote)), LB("answered", why->answerable),
			LU("lines_left_out", dropped));
	if (!why->answerable) {
		net->counters->rx_malformed_dropped++;
		return;
	}
	net->counters->rx_malformed_answered++;
	sip_build_response(&b, buf, sizeof buf, &net->msg, why->status, why->reason, sip_token_make(token));
	sip_net_response_flow(&net->msg, &to);
	if (sip_build_end(&b, (struct str){0}, (struct str){0}) == 0)
		sip_net_send(net, &to, sip_built(&b), NULL);
}

bool net_deliver(struct sip_net *net, char *p, size_t n, bool datagram, struct sip_flow *from)
{
	struct sip_reject why;
	int rc = sip_msg_parse(&net->msg, p, n, datagram, &why);

	net->msg.source = from->remote;
	if (rc < 0) {
		if (why.status == 513)
			net->counters->rx_too_large++;
		answer_malformed(net, &why, from);
		return false;
	}
	net->counters->rx_messages++;
	net->on_message(net->user, &net->msg, from);
	return true;
}
