/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: how they begin, what limits them, how they end. A handshake is begun in conn_begin_handshake()
 * and ends in conn_up() or conn_close(): what lies between is done in handshake.c.
 */
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "controlplane/sip/net.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define TRIM_LEAST 1000 /* connections that are worth it */
#define TRIM_DELAY_S 2

uint64_t conn_now_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

static struct sip_conn **id_bucket(const struct sip_net *net, uint64_t id)
{
	return (struct sip_conn **)&net->by_id[id % NET_BUCKETS];
}

static struct sip_conn **remote_bucket(
	const struct sip_net *net, enum sip_transport t, const struct ip_port *remote)
{
	uint32_t h = net_hash(remote->ip.octets, sizeof remote->ip.octets, (uint32_t)t << 16 | remote->port);

	return (struct sip_conn **)&net->by_remote[h % NET_BUCKETS];
}

struct sip_conn *conn_find(const struct sip_net *net, uint64_t id)
{
	struct sip_conn *c = *id_bucket(net, id);

	while (c && c->id != id)
		c = c->next_id;
	return c && c->state < CONN_BROKEN && !c->close_flushed ? c : NULL;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

struct sip_conn *conn_find_remote(const struct sip_net *net, const struct sip_flow *flow)
{
	struct sip_conn *c = *remote_bucket(net, flow->transport, &flow->remote);

	for (; c; c = c->next_remote)
		if (c->state < CONN_BROKEN && !c->close_flushed && c->transport == flow->transport &&
			c->listener == flow->listener && ip_port_equal(&c->remote, &flow->remote) &&
			c->tls == flow->tls && same_name(c->tls_name, flow->tls_name) &&
			same_name(c->tls_sni, flow->tls_sni))
			return c;
	return NULL;
}

static struct source **source_find(struct sip_net *net, const struct ip_addr *ip)
{
	struct source **s = &net->sources[net_hash(ip->octets, sizeof ip->octets, ip->family) % NET_BUCKETS];

	while (*s && !ip_equal(&(*s)->ip, ip))
		s = &(*s)->next;
	return s;
}

/* One more accepted connection of this address. -EMFILE over the limit, -ENOMEM. */
static int source_add(struct sip_net *net, const struct ip_addr *remote)
{
	struct ip_addr ip = net_source_of(remote);
	struct source **s = source_find(net, &ip);

	if (!*s) {
		*s = calloc(1, sizeof **s);
		if (!*s)
			return -ENOMEM;
		(*s)->ip = ip;
	}
	if ((*s)->count >= net->conf.per_source_max)
		return -EMFILE;
	(*s)->count++;
	return 0;
}

static void source_drop(struct sip_net *net, const struct ip_addr *remote)
{
	struct ip_addr ip = net_source_of(remote);
	struct source **s = source_find(net, &ip), *gone = *s;

	if (!gone || --gone->count)
		return;
	*s = gone->next;
	free(gone);
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

/* Often enough that NAT does not forget a connection without calls, and that one to nobody is found in two
 * minutes. */
static void keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 60},
		{IPPROTO_TCP, TCP_KEEPINTVL, 15}, {IPPROTO_TCP, TCP_KEEPCNT, 4},
		{IPPROTO_TCP, TCP_USER_TIMEOUT,
			120000}, /* the probes rest while something is unacknowledged */
	};

	for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

static struct sip_conn *conn_new(struct sip_net *net, struct sip_listener *l, int fd, enum sip_transport t,
	const struct ip_port *remote)
{
	struct sip_conn *c = calloc(1, sizeof *c);
	int one = 1;

	if (!c)
		return NULL;
	c->net = net;
	c->id = ++net->next_id;
	c->fd = fd;
	c->listener = sip_listener_ref(l);
	c->transport = t;
	c->remote = *remote;
	c->tx_tail = &c->tx_head;
	c->active_ms = conn_now_ms();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	keep_alive(fd);
	event_assign(&c->ev_read, net->base, fd, EV_READ | EV_PERSIST, conn_on_read, c);
	event_assign(&c->ev_write, net->base, fd, EV_WRITE, conn_on_write, c);
	event_assign(&c->ev_timer, net->base, -1, 0, on_timer, c);
	event_assign(&c->ev_rate, net->base, -1, 0, conn_on_rate, c);
	struct sip_conn **bucket = id_bucket(net, c->id);

	c->next_id = *bucket;
	*bucket = c;
	c->next_all = net->all;
	c->prev_all = &net->all;
	if (c->next_all)
		c->next_all->prev_all = &c->next_all;
	net->all = c;
	if (++net->conn_count > net->conn_peak)
		net->conn_peak = net->conn_count;
	return c;
}

static void read_local(struct sip_conn *c)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getsockname(c->fd, (struct sockaddr *)&sa, &len) == 0)
		ip_port_from_sockaddr((struct sockaddr *)&sa, &c->local);
}

int conn_begin_handshake(struct sip_conn *c, struct tls_ctx *ctx, struct err *e)
{
	int rc = tls_session_new(ctx, c->tls_name, c->tls_sni, &c->ssl, e);

	if (rc < 0)
		return rc;
	if (SSL_set_fd(c->ssl, c->fd) != 1)
		return err_set(e, ENOMEM, "no memory for a TLS session");
	/* A browser that is asked for a certificate gives a WebSocket up, whether it has one or not. */
	if (c->transport == SIP_WSS)
		SSL_set_verify(c->ssl, SSL_VERIFY_NONE, NULL);
	c->state = CONN_HANDSHAKE;
	return 0;
}

/* An eighth is for peers: strangers, who may shake hands and send a message each, fill the rest at most. */
static bool is_full(struct sip_net *net, struct sip_listener *l, const struct ip_port *remote)
{
	unsigned most = net->conf.connections_max;

	return net->conn_count >= most ||
	       (net->conn_count >= most - most / 8 && !net_rate_is_peer(net, l, remote));
}

void conn_accept(struct sip_listener *l, int fd, const struct ip_port *remote)
{
	struct sip_net *net = l->net;
	int rc;

	if (is_full(net, l, remote)) {
		net->counters->conn_refused_limit++;
	} else if (net->half_open >= net->conf.half_open_max && !net_rate_is_peer(net, l, remote)) {
		net->counters->conn_refused_half_open++;
	} else if ((rc = source_add(net, &remote->ip)) < 0) {
		net->counters->conn_refused_source += rc == -EMFILE;
	} else {
		struct sip_conn *c = conn_new(net, l, fd, l->transport, remote);

		if (!c) {
			source_drop(net, &remote->ip);
			close(fd);
			return;
		}
		net->counters->conn_accepted++;
		net->half_open++;
		c->accepted = c->half_open = true;
		read_local(c);
		event_add(&c->ev_read, NULL);
		if (!sip_transport_secure(l->transport)) {
			conn_up(c);
		} else {
			c->state = CONN_HANDSHAKE;
			conn_arm_timer(c);
		}
		return;
	}
	close(fd);
}

static int start_connect(const struct sip_flow *flow)
{
	struct sockaddr_storage to, own;
	socklen_t to_len = ip_port_to_sockaddr(&flow->remote, &to), own_len;
	struct ip_port local = *sip_listener_local(flow->listener);
	int one = 1, fd, code;

	if (!to_len || !flow->remote.port || local.ip.family != flow->remote.ip.family)
		return -EAFNOSUPPORT;
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* From the realm's own address, whatever the routing table would choose. */
	local.port = 0;
	own_len = ip_port_to_sockaddr(&local, &own);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&own, own_len) == 0 &&
		(connect(fd, (struct sockaddr *)&to, to_len) == 0 || errno == EINPROGRESS))
		return fd;
	code = errno;
	close(fd);
	return -code;
}

int conn_open(struct sip_net *net, const struct sip_flow *flow, struct sip_conn **out)
{
	/* A browser connects to us; nobody can connect to a browser. */
	if ((flow->transport == SIP_TLS && !flow->tls) || flow->transport == SIP_WSS ||
		net->conn_count >= net->conf.connections_max)
		return -ENOTCONN;
	int fd = start_connect(flow);

	if (fd < 0)
		return fd;
	struct sip_conn *c = conn_new(net, flow->listener, fd, flow->transport, &flow->remote);

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->state = CONN_CONNECTING;
	c->tls = tls_ctx_ref(flow->tls);
	c->tls_name = flow->tls_name ? strdup(flow->tls_name) : NULL;
	c->tls_sni = flow->tls_sni ? strdup(flow->tls_sni) : NULL;
	if ((flow->tls_name && !c->tls_name) || (flow->tls_sni && !c->tls_sni)) {
		/* Without its name the connection would be made without checking one. */
		conn_close(c, "no memory");
		return -ENOMEM;
	}
	struct sip_conn **bucket = remote_bucket(net, c->transport, &c->remote);

	c->next_remote = *bucket;
	*bucket = c;
	event_add(&c->ev_write, NULL);
	conn_arm_timer(c);
	*out = c;
	return 0;
}

/* TCP is there: called by the write event of a connection under way. */
void conn_connected(struct sip_conn *c)
{
	struct err e = {0};
	int code = 0;
	socklen_t len = sizeof code;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &len);
	if (code) {
		conn_close(c, strerror(code));
		return;
	}
	read_local(c);
	event_add(&c->ev_read, NULL);
	if (c->transport != SIP_TLS) {
		conn_up(c);
	} else if (conn_begin_handshake(c, c->tls, &e) < 0) {
		conn_close(c, e.text);
	} else {
		conn_on_write(c->fd, EV_WRITE, c);
	}
}

void conn_up(struct sip_conn *c)
{
	char remote[IP_PORT_TEXT_MAX];

	if (c->ssl) {
		c->net->counters->tls_handshakes++;
		tls_count_agreed(c->ssl, c->net->counters->tls_agreed);
		c->info = calloc(1, sizeof *c->info);
		if (!c->info) {
			conn_close(c, "no memory");
			return;
		}
		tls_info_read(c->ssl, c->info);
	}
	c->state = CONN_UP;
	c->active_ms = c->heard_ms = conn_now_ms();
	if (!c->accepted)
		c->net->counters->conn_opened++;
	log_debug("sip", c->accepted ? "connection accepted" : "connection opened",
		LZ("peer", ip_port_text(&c->remote, remote)), LZ("tls", c->info ? c->info->version : "none"));
	conn_arm_timer(c);
	if (c->tx_head)
		event_add(&c->ev_write, NULL);
}

/* When this connection has to have made progress, milliseconds on the monotonic clock. */
static uint64_t progress(const struct sip_conn *c)
{
	const struct sip_net_conf *conf = &c->net->conf;
	uint64_t idle = c->active_ms + conf->idle_ms;

	/* While connecting and shaking hands active_ms stays at the beginning: trickling octets buy no time.
	 */
	if (!c->accepted && c->state < CONN_UP)
		return c->active_ms + conf->connect_ms;
	if (c->state < CONN_UP)
		return c->active_ms + conf->handshake_ms;
	if (c->close_flushed)
		return c->closing_ms + conf->message_ms;
	if (c->message_ms && c->message_ms + conf->message_ms < idle)
		return c->message_ms + conf->message_ms;
	if (c->half_open && conf->handshake_ms < conf->idle_ms)
		return c->active_ms + conf->handshake_ms;
	return idle;
}

static uint64_t deadline(const struct sip_conn *c)
{
	bool speaks_web = c->ws && c->state == CONN_UP && !c->close_flushed;
	uint64_t at = progress(c), web = speaks_web ? conn_web_deadline(c) : UINT64_MAX;

	return web < at ? web : at;
}

void conn_arm_timer(struct sip_conn *c)
{
	uint64_t now = conn_now_ms(), at = deadline(c);
	uint64_t ms = at > now ? at - now + 1 : 1;
	struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	event_add(&c->ev_timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct sip_conn *c = arg;
	struct sip_counters *counters = c->net->counters;

	(void)fd, (void)what;
	if (c->state == CONN_BROKEN) {
		conn_close(c, c->reason_text.text);
	} else if (conn_now_ms() < deadline(c)) {
		conn_arm_timer(c); /* there was progress since it was set */
	} else if (c->state == CONN_CONNECTING) {
		conn_close(c, "no answer to the connection attempt in time");
	} else if (c->state == CONN_HANDSHAKE) {
		counters->conn_slow_closed++;
		conn_close(c, "the TLS handshake took too long");
	} else if (c->close_flushed) {
		conn_close(c, c->reason_text.text);
	} else if (c->ws && conn_now_ms() < progress(c)) {
		conn_web_due(c);
	} else if (c->message_ms || c->half_open) {
		counters->conn_slow_closed++;
		conn_close(c, "no whole message in time");
	} else if (c->waiters && !c->tx_head) {
		/* Somebody is registered by it, or an answer is to come: the kernel finds out whether it is
		 * there. Who takes nothing of what is queued, all that time, is of no use to them. */
		c->active_ms = conn_now_ms();
		conn_arm_timer(c);
	} else {
		counters->conn_idle_closed++;
		conn_close(c, "idle");
	}
}

void conn_break(struct sip_conn *c, const char *reason)
{
	struct timeval at_once = {0, 0};

	if (c->state >= CONN_BROKEN)
		return;
	err_set(&c->reason_text, ECONNRESET, "%s", reason);
	c->broke_up = c->state == CONN_UP;
	c->state = CONN_BROKEN;
	event_del(&c->ev_read);
	event_del(&c->ev_rate);
	event_del(&c->ev_write);
	event_add(&c->ev_timer, &at_once);
}

void conn_heard_of(struct sip_conn *c)
{
	if (c->half_open)
		c->net->half_open--;
	c->half_open = false;
}

void conn_finish(struct sip_conn *c, const char *reason)
{
	if (c->ws && c->state == CONN_UP)
		ws_close(c->ws, WS_GOING_AWAY);
	if (c->state != CONN_UP || !c->tx_head) {
		conn_break(c, reason);
		return;
	}
	err_set(&c->reason_text, ECONNRESET, "%s", reason);
	c->close_flushed = true;
	c->closing_ms = conn_now_ms();
	/* Nothing is read any more, and what is there to be read must not wake us. */
	event_del(&c->ev_read);
	event_del(&c->ev_rate);
	conn_arm_timer(c);
}

/* What thousands of connections had is given back to the system when they are gone. */
static void on_trim(evutil_socket_t fd, short what, void *arg)
{
	struct sip_net *net = arg;

	(void)fd, (void)what;
	net->conn_peak = net->conn_count;
	malloc_trim(0);
}

static void trim_soon(struct sip_net *net)
{
	struct timeval soon = {TRIM_DELAY_S, 0};

	if (net->conn_peak < TRIM_LEAST || net->conn_count > net->conn_peak / 4 ||
		event_pending(&net->ev_trim, EV_TIMEOUT, NULL))
		return;
	event_add(&net->ev_trim, &soon);
}

void conn_open_net(struct sip_net *net)
{
	event_assign(&net->ev_trim, net->base, -1, 0, on_trim, net);
}

static void unlink_conn(struct sip_conn *c)
{
	struct sip_net *net = c->net;
	struct sip_conn **at = id_bucket(net, c->id);

	while (*at != c)
		at = &(*at)->next_id;
	*at = c->next_id;
	for (at = remote_bucket(net, c->transport, &c->remote); *at && *at != c;)
		at = &(*at)->next_remote;
	if (*at)
		*at = c->next_remote;
	*c->prev_all = c->next_all;
	if (c->next_all)
		c->next_all->prev_all = c->prev_all;
	if (c->accepted)
		source_drop(net, &c->remote.ip);
	net->half_open -= c->half_open;
	net->conn_count--;
	trim_soon(net);
}

static void conn_count_end(struct sip_conn *c, bool was_up, const char *reason)
{
	char remote[IP_PORT_TEXT_MAX];
	unsigned dropped;

	ip_port_text(&c->remote, remote);
	if (was_up) {
		log_debug("sip", "connection closed", LZ("peer", remote), LZ("reason", reason));
		return;
	}
	c->net->counters->tls_failures += c->ssl || (c->accepted && sip_transport_secure(c->transport));
	if (c->accepted) {
		if (net_may_log(c->net, &dropped))
			log_info("sip", "TLS handshake with a peer failed", LZ("peer", remote),
				LZ("reason", reason), LU("lines_left_out", dropped));
	} else {
		c->net->counters->conn_failed++;
		log_warn("sip", "connection failed", LZ("peer", remote), LZ("reason", reason),
			LZ("name", c->tls_name ? c->tls_name : ""));
	}
}

void conn_close(struct sip_conn *c, const char *reason)
{
	if (c->state == CONN_DEAD)
		return;
	bool was_up = c->state == CONN_UP || (c->state == CONN_BROKEN && c->broke_up);

	c->busy++;
	conn_count_end(c, was_up, reason);
	if (c->ssl && was_up) {
		SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	c->state = CONN_DEAD;
	unlink_conn(c);
	event_del(&c->ev_read);
	event_del(&c->ev_write);
	event_del(&c->ev_timer);
	event_del(&c->ev_rate);
	handshake_forget(c);
	SSL_free(c->ssl);
	close(c->fd);
	conn_drop_queue(c);
	if (c->rx)
		mem_wipe(c->rx, c->rx_cap);
	free(c->rx);
	tls_ctx_free(c->tls);
	/* Whoever is told may send, and attach to other connections, but not to this one. */
	while (c->waiters) {
		struct sip_waiter *w = c->waiters;

		sip_waiter_detach(w);
		w->lost(w, reason, was_up);
	}
	conn_leave(c);
}

void conn_leave(struct sip_conn *c)
{
	if (--c->busy || c->state != CONN_DEAD)
		return;
	free(c->tls_name);
	free(c->tls_sni);
	free(c->info);
	ws_free(c->ws);
	sip_listener_unref(c->listener);
	free(c);
}
