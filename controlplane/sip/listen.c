/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, and UDP, which has nothing but them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/sip/net.h"
#include "lib/base/secret.h"

#define BATCH 64            /* accepts or datagrams before others get their turn */
#define ACCEPT_PAUSE_MS 100 /* without a file descriptor left */
#define UDP_BUFFER (4 << 20)

static void on_datagrams(evutil_socket_t fd, short what, void *arg)
{
	struct sip_listener *l = arg;
	struct sip_net *net = l->net;

	(void)what;
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof sa;
		ssize_t n = recvfrom(fd, net->rx, sizeof net->rx, 0, (struct sockaddr *)&sa, &len);
		struct sip_flow from = {.transport = SIP_UDP, .listener = l};

		if (n < 0)
			return;
		if (ip_port_from_sockaddr((struct sockaddr *)&sa, &from.remote) < 0)
			continue;
		ssize_t skip = 0;

		while (skip < n && (net->rx[skip] == '\r' || net->rx[skip] == '\n' || net->rx[skip] == '\0'))
			skip++;
		if (skip == n)
			net->counters->rx_keepalives++;
		else
			net_deliver(net, net->rx, (size_t)n, true, &from);
		mem_wipe(net->rx, (size_t)n);
	}
}

int udp_send(struct sip_listener *l, const struct ip_port *to, struct str text)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(to, &sa);

	if (l->transport != SIP_UDP || !len)
		return -EINVAL;
	if (sendto(l->fd, text.p, text.n, MSG_NOSIGNAL, (struct sockaddr *)&sa, len) >= 0)
		return 0;
	/* A full socket buffer is a lost datagram: retransmission is there for that. */
	return errno == EAGAIN || errno == EWOULDBLOCK ? -ENOBUFS : -errno;
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct sip_listener *l = arg;

	(void)fd, (void)what;
	event_add(&l->ev, NULL);
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

static int open_socket(const struct sip_listen_conf *conf, struct ip_port *local, struct err *e)
{
	char text[IP_PORT_TEXT_MAX];
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&conf->local, &sa);
	int one = 1, size = UDP_BUFFER;
	bool udp = conf->transport == SIP_UDP;
	int fd = socket(sa.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		goto failed;
	if (sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (udp) {
		/* As much as the system allows; bursts beyond it are retransmitted. */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	}
	if (bind(fd, (struct sockaddr *)&sa, len) < 0 || (!udp && listen(fd, SOMAXCONN) < 0))
		goto failed;
	len = sizeof sa;
	getsockname(fd, (struct sockaddr *)&sa, &len);
	ip_port_from_sockaddr((struct sockaddr *)&sa, local);
	return fd;
failed:;
	int code = errno;

	if (fd >= 0)
		close(fd);
	return err_set(e, code, "cannot listen on %s %s: %s", sip_transport_name(conf->transport).p,
		ip_port_text(&conf->local, text), strerror(code));
}

static char *make_sent_by(const struct sip_listen_conf *conf, const struct ip_port *local)
{
	char text[300], address[IP_PORT_TEXT_MAX];

	if (conf->sent_by_host.n)
		snprintf(text, sizeof text, "%.*s:%u", STR_ARG(conf->sent_by_host), local->port);
	else
		snprintf(text, sizeof text, "%s", ip_port_text(local, address));
	return strdup(text);
}

int sip_net_listen(
	struct sip_net *net, const struct sip_listen_conf *conf, struct sip_listener **out, struct err *e)
{
	if (conf->transport == SIP_TLS && !conf->tls)
		return err_set(e, EINVAL, "a TLS listener needs a TLS profile");
	if (ip_is_unspecified(&conf->local.ip) && !conf->sent_by_host.n)
		return err_set(e, EINVAL,
			"a listener on all addresses needs a host name or address to give to peers");
	struct sip_listener *l = calloc(1, sizeof *l);

	if (!l)
		return err_set(e, ENOMEM, "no memory for a listener");
	int fd = open_socket(conf, &l->local, e);

	if (fd < 0) {
		free(l);
		return fd;
	}
	l->fd = fd;
	l->net = net;
	l->transport = conf->transport;
	l->realm = conf->realm;
	l->tls = tls_ctx_ref(conf->tls);
	l->sent_by = make_sent_by(conf, &l->local);
	event_assign(&l->ev, net->base, fd, EV_READ | EV_PERSIST,
		l->transport == SIP_UDP ? on_datagrams : on_accept, l);
	event_assign(&l->ev_resume, net->base, -1, 0, on_resume, l);
	if (!l->sent_by || event_add(&l->ev, NULL) < 0) {
		listener_close(l);
		return err_set(e, ENOMEM, "no memory for a listener");
	}
	l->next = net->listeners;
	net->listeners = l;
	*out = l;
	return 0;
}

void listener_close(struct sip_listener *l)
{
	event_del(&l->ev);
	event_del(&l->ev_resume);
	close(l->fd);
	tls_ctx_free(l->tls);
	free(l->sent_by);
	free(l);
}

void sip_net_unlisten(struct sip_listener *l)
{
	struct sip_net *net = l->net;
	struct sip_listener **at = &net->listeners;

	for (struct sip_conn *c = net->all, *next; c; c = next) {
		next = c->next_all;
		if (c->listener == l)
			conn_break(c, "the listener was closed");
	}
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	listener_close(l);
}

void sip_listener_set_tls(struct sip_listener *l, struct tls_ctx *tls)
{
	tls_ctx_ref(tls);
	tls_ctx_free(l->tls);
	l->tls = tls;
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

void *sip_listener_realm(const struct sip_listener *l)
{
	return l->realm;
}
