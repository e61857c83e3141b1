/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "perf/sip_wire.h"

static int failed(const char *what)
{
	unsigned long e = ERR_get_error();

	fprintf(stderr, "bench_sip: %s: %s\n", what, e ? ERR_error_string(e, NULL) : strerror(errno));
	return -1;
}

static void make_room(struct wire_octets *o, size_t n)
{
	if (o->from && o->from == o->n)
		o->from = o->n = 0;
	if (o->n + n <= o->room)
		return;
	memmove(o->p, o->p + o->from, o->n - o->from);
	o->n -= o->from;
	o->from = 0;
	if (o->n + n > o->room) {
		o->room = (o->n + n) * 2;
		o->p = realloc(o->p, o->room);
		if (!o->p)
			abort();
	}
}

/*
 * The socket as OpenSSL sees it: its own tells nobody when the kernel had what it reads. What comes while
 * this process waits for a core would be younger than it is, and that wait the gateway's.
 */
static int socket_read(BIO *b, char *to, int n)
{
	struct wire_conn *c = BIO_get_data(b);
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec iov = {to, (size_t)n};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	ssize_t got = recvmsg(c->fd, &m, 0);

	BIO_clear_retry_flags(b);
	if (got < 0 && BIO_sock_should_retry((int)got))
		BIO_set_retry_read(b);
	if (got <= 0)
		return (int)got;
	c->arrived_ns = clock_mono_ns();
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		struct timespec now, then;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&then, CMSG_DATA(h), sizeof then);
		clock_gettime(CLOCK_REALTIME, &now); /* the kernel's stamps are of this clock */
		int64_t ago = (now.tv_sec - then.tv_sec) * 1000000000LL + now.tv_nsec - then.tv_nsec;

		c->arrived_ns -= ago > 0 ? (uint64_t)ago : 0;
	}
	return (int)got;
}

static int socket_write(BIO *b, const char *from, int n)
{
	struct wire_conn *c = BIO_get_data(b);
	ssize_t put = send(c->fd, from, (size_t)n, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (put < 0 && BIO_sock_should_retry((int)put))
		BIO_set_retry_write(b);
	return (int)put;
}

static long socket_control(BIO *b, int what, long number, void *more)
{
	(void)b, (void)number, (void)more;
	return what == BIO_CTRL_FLUSH; /* nothing is held back */
}

static bool socket_method(struct wire *w)
{
	w->socket = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	return w->socket && BIO_meth_set_read(w->socket, socket_read) &&
	       BIO_meth_set_write(w->socket, socket_write) && BIO_meth_set_ctrl(w->socket, socket_control);
}

int wire_open(struct wire *w, const char *certificate, const char *key, const char *ca)
{
	*w = (struct wire){.listener = -1, .message = w->message, .arg = w->arg};
	for (unsigned i = 0; i < WIRE_CONNECTIONS_MAX; i++)
		w->conn[i] = (struct wire_conn){.wire = w, .fd = -1};
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->tls = SSL_CTX_new(TLS_method());
	if (w->epoll < 0 || !w->tls || !socket_method(w))
		return failed("start");
	SSL_CTX_set_mode(w->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_min_proto_version(w->tls, TLS1_2_VERSION);
	if (SSL_CTX_use_certificate_chain_file(w->tls, certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(w->tls, key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(w->tls, ca, NULL) != 1)
		return failed(certificate);
	return 0;
}

void wire_hang_up(struct wire_conn *c)
{
	if (c->fd < 0)
		return;
	SSL_free(c->ssl);
	close(c->fd);
	free(c->in.p);
	free(c->out.p);
	*c = (struct wire_conn){.wire = c->wire, .fd = -1};
}

void wire_close(struct wire *w)
{
	for (unsigned i = 0; i < WIRE_CONNECTIONS_MAX; i++)
		wire_hang_up(&w->conn[i]);
	if (w->listener >= 0)
		close(w->listener);
	SSL_CTX_free(w->tls);
	BIO_meth_free(w->socket);
	close(w->epoll);
}

static int watch(struct wire *w, int fd, void *what, uint32_t events, int op)
{
	return epoll_ctl(w->epoll, op, fd, &(struct epoll_event){.events = events, .data.ptr = what});
}

static struct wire_conn *take(struct wire *w, int fd)
{
	for (unsigned i = 0; i < WIRE_CONNECTIONS_MAX; i++) {
		struct wire_conn *c = &w->conn[i];

		if (c->fd >= 0)
			continue;
		c->ssl = SSL_new(w->tls);
		c->fd = fd;
		BIO *b = BIO_new(w->socket);

		if (!c->ssl || !b)
			abort();
		BIO_set_data(b, c);
		BIO_set_init(b, 1);
		SSL_set_bio(c->ssl, b, b);
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
		return c;
	}
	close(fd);
	fprintf(stderr, "bench_sip: more than %d connections\n", WIRE_CONNECTIONS_MAX);
	return NULL;
}

int wire_listen(struct wire *w, const struct ip_port *at)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_port_to_sockaddr(at, &sa);

	w->listener = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->listener < 0 ||
		setsockopt(w->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
		bind(w->listener, (struct sockaddr *)&sa, n) < 0 || listen(w->listener, 8) < 0)
		return failed("listen");
	return watch(w, w->listener, &w->listener, EPOLLIN, EPOLL_CTL_ADD);
}

/* Handshakes are waited for: they are few, and not what is measured. */
static struct wire_conn *start(struct wire *w, int fd, bool accepted)
{
	struct wire_conn *c = take(w, fd);

	if (!c)
		return NULL;
	c->accepted = accepted;
	if ((accepted ? SSL_accept(c->ssl) : SSL_connect(c->ssl)) != 1) {
		failed(accepted ? "a TLS handshake of the gateway's" : "the TLS handshake with the gateway");
		wire_hang_up(c);
		return NULL;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	watch(w, fd, c, EPOLLIN, EPOLL_CTL_ADD);
	return c;
}

struct wire_conn *wire_connect(struct wire *w, const struct ip_port *from, const struct ip_port *to)
{
	struct ip_port any = {.ip = from->ip};
	struct sockaddr_storage sa, local;
	socklen_t n = ip_port_to_sockaddr(to, &sa), n_local = ip_port_to_sockaddr(&any, &local);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, n_local) < 0 ||
		connect(fd, (struct sockaddr *)&sa, n) < 0) {
		failed("connect");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	return start(w, fd, false);
}

static void push(struct wire_conn *c)
{
	bool blocked = false;

	while (c->out.from < c->out.n && !blocked) {
		int n = SSL_write(c->ssl, c->out.p + c->out.from, (int)(c->out.n - c->out.from));

		if (n > 0)
			c->out.from += (size_t)n;
		else
			blocked = true; /* the socket is full, or gone: reading tells */
	}
	if (blocked != c->blocked)
		watch(c->wire, c->fd, c, EPOLLIN | (blocked ? EPOLLOUT : 0), EPOLL_CTL_MOD);
	c->blocked = blocked;
}

void wire_say(struct wire_conn *c, struct str text)
{
	make_room(&c->out, text.n);
	memcpy(c->out.p + c->out.n, text.p, text.n);
	c->out.n += text.n;
	if (c->wire->prompt)
		push(c);
}

void wire_flush(struct wire *w)
{
	for (unsigned i = 0; i < WIRE_CONNECTIONS_MAX; i++)
		if (w->conn[i].fd >= 0)
			push(&w->conn[i]);
}

static size_t body_length(struct str head)
{
	const char *p = memmem(head.p, head.n, "\r\nContent-Length:", 17);

	if (!p)
		p = memmem(head.p, head.n, "\r\nl:", 4);
	return p ? strtoul((const char *)memchr(p, ':', 20) + 1, NULL, 10) : 0;
}

static void messages(struct wire_conn *c)
{
	for (;;) {
		struct str all = {c->in.p + c->in.from, c->in.n - c->in.from};

		while (all.n >= 2 && all.p[0] == '\r' &&
			all.p[1] == '\n') { /* keep-alives, RFC 5626 clause 4.4.1 */
			all = str_sub(all, 2, all.n);
			c->in.from += 2;
		}
		const char *end = all.n ? memmem(all.p, all.n, "\r\n\r\n", 4) : NULL;

		if (!end)
			return;
		size_t head = (size_t)(end - all.p) + 4, n = head + body_length((struct str){all.p, head});

		if (n > all.n)
			return;
		c->in.from += n;
		c->wire->message(c->wire->arg, c, str_sub(all, 0, n));
	}
}

/* false: the connection is lost. */
static bool pull(struct wire_conn *c)
{
	for (;;) {
		make_room(&c->in, WIRE_MESSAGE_MAX);
		int n = SSL_read(c->ssl, c->in.p + c->in.n, WIRE_MESSAGE_MAX);

		if (n <= 0)
			return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
		c->in.n += (size_t)n;
		messages(c);
	}
}

int wire_turn(struct wire *w, int extra_fd, int timeout_ms, bool *extra)
{
	struct epoll_event event[WIRE_CONNECTIONS_MAX + 2];
	int n;

	watch(w, extra_fd, NULL, EPOLLIN, EPOLL_CTL_ADD); /* EEXIST from the second time on */
	wire_flush(w);
	n = epoll_wait(w->epoll, event, WIRE_CONNECTIONS_MAX + 2, timeout_ms);
	*extra = false;
	for (int i = 0; i < n; i++) {
		struct wire_conn *c = event[i].data.ptr;

		if (!c) {
			*extra = true;
		} else if ((void *)c == &w->listener) {
			int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0)
				start(w, fd, true);
		} else if (!pull(c)) {
			bool ours = !c->accepted;

			wire_hang_up(c);
			if (ours) {
				fprintf(stderr, "bench_sip: the gateway closed our connection\n");
				return -1;
			}
		}
	}
	return 0;
}
