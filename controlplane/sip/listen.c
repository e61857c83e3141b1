/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: how they begin, are retired and end. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/sip/net.h"

#define BATCH 64            /* accepts before others get their turn */
#define ACCEPT_PAUSE_MS 100 /* without a file descriptor left */

static void listener_end(struct sip_listener *l, const char *why);

/* Of a listener that accepts: descriptors may be there again. Of a retired one: its last flow was dropped. */
static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct sip_listener *l = arg;

	(void)fd, (void)what;
	if (!l->retired)
		event_add(&l->ev, NULL);
	else if (!l->flows)
		listener_end(l, "the listener was removed");
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct sip_listener *l = arg;

	(void)what;
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof sa;
		struct ip_port remote;
		int conn = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn >= 0) {
			if (ip_port_from_sockaddr((struct sockaddr *)&sa, &remote) < 0)
				close(conn);
			else
				conn_accept(l, conn, &remote);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			struct timeval pause = {0, ACCEPT_PAUSE_MS * 1000};

			l->net->counters->conn_refused_limit++;
			event_del(&l->ev);
			event_add(&l->ev_resume, &pause);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		}
	}
}

/* The socket that a listener of another stream transport accepts on at this address; -1: there is none. */
static int shared_socket(const struct sip_net *net, const struct sip_listen_conf *conf)
{
	for (enum sip_transport t = SIP_TCP; t <= SIP_WSS && conf->transport != SIP_UDP; t++) {
		const struct sip_listener *l =
			t == conf->transport ? NULL : sip_net_find_listener(net, t, &conf->local);

		if (l && l->fd >= 0)
			return fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	}
	return -1;
}

static int open_socket(
	const struct sip_net *net, const struct sip_listen_conf *conf, struct ip_port *local, struct err *e)
{
	char text[IP_PORT_TEXT_MAX];
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&conf->local, &sa);
	int one = 1;
	bool udp = conf->transport == SIP_UDP;
	int fd = shared_socket(net, conf);

	if (fd >= 0) {
		*local = conf->local;
		return fd;
	}
	fd = udp ? udp_socket(&conf->local) : socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		goto failed;
	if (!udp) {
		if (sa.ss_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, SOMAXCONN) < 0)
			goto failed;
	}
	len = sizeof sa;
	getsockname(fd, (struct sockaddr *)&sa, &len);
	ip_port_from_sockaddr((struct sockaddr *)&sa, local);
	return fd;
failed:;
	int code = errno;

	if (fd >= 0)
		close(fd);
	return err_set(e, code, "cannot listen on %s %s: %s", sip_transport_name(conf->transport).p,
		ip_port_text(&conf->local, text), err_bind_reason(code));
}

static int begin(struct sip_listener *l, int fd)
{
	l->fd = fd;
	event_assign(&l->ev, l->net->base, fd, EV_READ | EV_PERSIST,
		l->transport == SIP_UDP ? udp_on_datagrams : on_accept, l);
	return event_add(&l->ev, NULL) < 0 ? -ENOMEM : 0;
}

static void stop(struct sip_listener *l)
{
	if (l->fd < 0)
		return;
	udp_join(l);
	event_del(&l->ev);
	event_del(&l->ev_resume);
	close(l->fd);
	l->fd = -1;
}

/* A retired one is wanted again: over UDP it never stopped. */
static int revive(struct sip_listener *l, const struct sip_listen_conf *conf, struct err *e)
{
	struct ip_port local;
	int fd = l->fd;

	if (fd < 0) {
		fd = open_socket(l->net, conf, &local, e);
		if (fd < 0)
			return fd;
		if (begin(l, fd) < 0) {
			stop(l);
			return err_set(e, ENOMEM, "no memory for a listener");
		}
	}
	l->retired = false;
	l->realm = conf->realm;
	sip_listener_set_tls(l, conf->tls);
	sip_listener_set_host(l, conf->sent_by_host);
	return 0;
}

static int listener_new(
	struct sip_net *net, const struct sip_listen_conf *conf, struct sip_listener **out, struct err *e)
{
	struct sip_listener *l = calloc(1, sizeof *l);
	int fd;

	if (!l)
		return err_set(e, ENOMEM, "no memory for a listener");
	fd = open_socket(net, conf, &l->local, e);
	if (fd < 0) {
		free(l);
		return fd;
	}
	l->net = net;
	l->refs = 1;
	l->fd_strangers = -1;
	l->transport = conf->transport;
	l->realm = conf->realm;
	l->tls = tls_ctx_ref(conf->tls);
	sip_listener_set_host(l, conf->sent_by_host);
	event_assign(&l->ev_resume, net->base, -1, 0, on_resume, l);
	if (begin(l, fd) < 0) {
		stop(l);
		sip_listener_unref(l);
		return err_set(e, ENOMEM, "no memory for a listener");
	}
	l->next = net->listeners;
	net->listeners = l;
	*out = l;
	return 0;
}

int sip_net_listen(
	struct sip_net *net, const struct sip_listen_conf *conf, struct sip_listener **out, struct err *e)
{
	struct sip_listener *old = sip_net_find_listener(net, conf->transport, &conf->local);

	if (sip_transport_secure(conf->transport) && !conf->tls)
		return err_set(e, EINVAL, "a TLS listener needs a TLS profile");
	if (ip_is_unspecified(&conf->local.ip) && !conf->sent_by_host.n)
		return err_set(e, EINVAL,
			"a listener on all addresses needs a host name or address to give to peers");
	if (!old || !old->retired)
		return listener_new(net, conf, out, e);
	int rc = revive(old, conf, e);

	if (rc == 0)
		*out = old;
	return rc;
}

struct sip_listener *sip_net_find_listener(
	const struct sip_net *net, enum sip_transport t, const struct ip_port *local)
{
	struct sip_listener *l = net->listeners;

	while (l && (l->transport != t || !ip_port_equal(&l->local, local)))
		l = l->next;
	return l;
}

static void listener_end(struct sip_listener *l, const char *why)
{
	struct sip_net *net = l->net;
	struct sip_listener **at = &net->listeners;

	for (struct sip_conn *c = net->all, *next; c; c = next) {
		next = c->next_all;
		if (c->listener == l)
			conn_finish(c, why);
	}
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	stop(l);
	event_del(&l->ev_resume);
	l->net = NULL;
	sip_listener_unref(l);
}

void sip_net_unlisten(struct sip_listener *l)
{
	listener_end(l, "the listener was closed");
}

/* From the loop: whoever drops a flow may be inside the listener's own callback. */
static void end_when_unused(struct sip_listener *l)
{
	if (l->retired && !l->flows && l->net)
		event_active(&l->ev_resume, EV_TIMEOUT, 0);
}

void sip_listener_retire(struct sip_listener *l)
{
	if (l->transport != SIP_UDP)
		stop(l);
	l->retired = true;
	l->realm = NULL;
	l->web = (struct ws_policy){0};
	l->register_within_s = 0;
	end_when_unused(l);
}

bool sip_listener_retired(const struct sip_listener *l)
{
	return l->retired;
}

struct sip_listener *sip_listener_ref(struct sip_listener *l)
{
	if (l)
		l->refs++;
	return l;
}

void sip_listener_unref(struct sip_listener *l)
{
	if (!l || --l->refs)
		return;
	tls_ctx_free(l->tls);
	free(l->peers);
	free(l);
}

static bool copy_text(const char *from, const char **to)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

int sip_flow_keep(struct sip_flow *flow)
{
	struct sip_flow from = *flow;
	bool name = copy_text(from.tls_name, &flow->tls_name), sni = copy_text(from.tls_sni, &flow->tls_sni);

	if (!name || !sni) {
		free((char *)flow->tls_name);
		free((char *)flow->tls_sni);
		*flow = (struct sip_flow){0};
		return -ENOMEM;
	}
	tls_ctx_ref(flow->tls);
	if (flow->listener)
		sip_listener_ref(flow->listener)->flows++;
	return 0;
}

void sip_flow_drop(struct sip_flow *flow)
{
	struct sip_listener *l = flow->listener;

	free((char *)flow->tls_name);
	free((char *)flow->tls_sni);
	tls_ctx_free(flow->tls);
	*flow = (struct sip_flow){0};
	if (!l)
		return;
	l->flows--;
	end_when_unused(l);
	sip_listener_unref(l);
}

void sip_listener_set_tls(struct sip_listener *l, struct tls_ctx *tls)
{
	tls_ctx_ref(tls);
	tls_ctx_free(l->tls);
	l->tls = tls;
}

void sip_listener_set_realm(struct sip_listener *l, void *realm)
{
	l->realm = realm;
}

void sip_listener_set_origins(struct sip_listener *l, const char *const *origins, size_t n)
{
	l->web = (struct ws_policy){origins, n};
}

void sip_listener_set_register_within(struct sip_listener *l, uint32_t seconds)
{
	l->register_within_s = seconds;
}

void sip_listener_set_host(struct sip_listener *l, struct str host)
{
	struct ip_addr ip;
	struct ip_port at = l->local;
	char text[IP_PORT_TEXT_MAX];

	if (host.n && host.n < SIP_SENT_BY_MAX - 8 && ip_parse(host, &ip) < 0) {
		snprintf(l->sent_by, sizeof l->sent_by, "%.*s:%u", STR_ARG(host), l->local.port);
		return;
	}
	if (host.n && ip_parse(host, &ip) == 0)
		at.ip = ip;
	snprintf(l->sent_by, sizeof l->sent_by, "%s", ip_port_text(&at, text));
}

enum sip_transport sip_listener_transport(const struct sip_listener *l)
{
	return l->transport;
}

const struct ip_port *sip_listener_local(const struct sip_listener *l)
{
	return &l->local;
}

struct str sip_listener_sent_by(const struct sip_listener *l)
{
	return str_z(l->sent_by);
}

struct str sip_listener_host(const struct sip_listener *l)
{
	return (struct str){l->sent_by, (size_t)(strrchr(l->sent_by, ':') - l->sent_by)};
}

void *sip_listener_realm(const struct sip_listener *l)
{
	return l->realm;
}
