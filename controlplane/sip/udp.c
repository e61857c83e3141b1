/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP over UDP. A listener has two sockets on its address (SO_REUSEPORT), one for peers and one for everybody
 * else; the kernel tells them apart by a program of steer.c before it queues a datagram. Both are read here,
 * in turn, so that neither a full queue nor the reading of one keeps peers out.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controlplane/sip/net.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define BATCH 64 /* datagrams before others get their turn */
#define BUFFER (4 << 20)
#define KNOWN_MAX 512      /* sources that are peers for a while: the kernel is told of so many */
#define STEER_DELAY_MS 200 /* many become known together */

/* Datagrams that the kernel dropped since it was asked last. */
static uint32_t dropped(int fd, uint32_t *before)
{
	uint32_t info[SK_MEMINFO_VARS] = {0}, was = *before;
	socklen_t len = sizeof info;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return 0;
	*before = info[SK_MEMINFO_DROPS];
	return *before - was;
}

static void count_dropped(struct sip_listener *l, int fd)
{
	if (fd == l->fd)
		l->net->counters->rx_queue_dropped += dropped(fd, &l->drops);
	else
		l->net->counters->rx_queue_dropped_unknown += dropped(fd, &l->drops_strangers);
}

static void take(struct sip_net *net, size_t n, struct sip_flow *from, bool of_strangers)
{
	size_t skip = 0;

	while (skip < n && (net->rx[skip] == '\r' || net->rx[skip] == '\n' || net->rx[skip] == '\0'))
		skip++;
	if (skip == n)
		net->counters->rx_keepalives++;
	else if (net_rate_datagram(net, from, of_strangers))
		net_deliver(net, net->rx, n, true, from);
}

void udp_on_datagrams(evutil_socket_t fd, short what, void *arg)
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
			break;
		if (ip_port_from_sockaddr((struct sockaddr *)&sa, &from.remote) == 0)
			take(net, (size_t)n, &from, fd == l->fd_strangers);
		mem_wipe(net->rx, (size_t)n);
	}
	count_dropped(l, fd);
}

int udp_send(struct sip_listener *l, const struct ip_port *to, struct str text)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(to, &sa);

	if (l->transport != SIP_UDP || !len)
		return -EINVAL;
	if (l->fd < 0)
		return -ENOTCONN;
	if (sendto(l->fd, text.p, text.n, MSG_NOSIGNAL, (struct sockaddr *)&sa, len) >= 0)
		return 0;
	/* A full socket buffer is a lost datagram: retransmission is there for that. */
	return errno == EAGAIN || errno == EWOULDBLOCK ? -ENOBUFS : -errno;
}

static int bound(struct sockaddr_storage *sa, socklen_t len, bool shared)
{
	int one = 1, size = BUFFER;
	int fd = socket(sa->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (sa->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	/* As much as the system allows; bursts beyond it are retransmitted. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (bind(fd, (struct sockaddr *)sa, len) == 0 && getsockname(fd, (struct sockaddr *)sa, &len) == 0)
		return fd;
	int code = errno;

	close(fd);
	errno = code;
	return -1;
}

int udp_socket(const struct ip_port *local)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(local, &sa);
	/* One that shares with nobody finds out whether another process has the address, and a port that is
	 * free: among sockets that share, the kernel would let us join a stranger's. */
	int fd = bound(&sa, len, false);

	if (fd < 0)
		return -1;
	close(fd);
	return bound(&sa, len, true);
}

void udp_join(struct sip_listener *l)
{
	if (l->fd_strangers < 0)
		return;
	event_del(&l->ev_steer);
	event_del(&l->ev_strangers);
	close(l->fd_strangers);
	l->fd_strangers = -1;
}

static void say_one_queue(struct sip_listener *l, const char *why)
{
	char text[IP_PORT_TEXT_MAX];

	if (!l->one_queue_said)
		log_warn("sip",
			"datagrams of peers and of strangers wait in one queue, which a flood can fill",
			LZ("address", ip_port_text(&l->local, text)), LZ("reason", why));
	l->one_queue_said = true;
}

/* Those of the configuration, and as many as fit of those that are known for a while. */
static int program_of(const struct sip_listener *l, struct sock_filter *out)
{
	struct sip_prefix *all = calloc(l->n_peers + KNOWN_MAX, sizeof *all);

	if (!all)
		return -ENOMEM;
	if (l->n_peers)
		memcpy(all, l->peers, l->n_peers * sizeof *all);
	size_t known = net_rate_known(l->net, all + l->n_peers, KNOWN_MAX);
	int n = steer_program(l->local.ip.family, all, l->n_peers + known, out);

	if (n == -E2BIG)
		n = steer_program(l->local.ip.family, all, l->n_peers, out);
	free(all);
	return n;
}

static void steer(struct sip_listener *l)
{
	struct sock_filter *insn = calloc(STEER_INSNS, sizeof *insn);
	int n = insn ? program_of(l, insn) : -ENOMEM;
	struct sock_fprog program = {.len = (unsigned short)(n > 0 ? n : 0), .filter = insn};

	if (n == -E2BIG) {
		/* All are peers: the first socket's. */
		say_one_queue(l, "trunks have too many source addresses to tell apart there");
		insn[0] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, 0};
		program.len = n = 1;
	}
	if (n < 0)
		say_one_queue(l, "no memory");
	else if (setsockopt(l->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0)
		say_one_queue(l, strerror(errno));
	else
		n = 0;
	free(insn);
	/* Without a program the kernel would share datagrams out at random. */
	if (n != 0)
		udp_join(l);
}

static void on_steer(evutil_socket_t fd, short what, void *arg)
{
	struct sip_listener *l = arg;

	(void)fd, (void)what;
	if (l->fd_strangers >= 0)
		steer(l);
}

void udp_steer_soon(struct sip_listener *l)
{
	struct timeval soon = {0, STEER_DELAY_MS * 1000};

	if (l->fd_strangers >= 0 && !event_pending(&l->ev_steer, EV_TIMEOUT, NULL))
		event_add(&l->ev_steer, &soon);
}

/* The second socket; -1: all go on in one queue. */
static int part(struct sip_listener *l)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&l->local, &sa);
	int fd = bound(&sa, len, true);

	if (fd < 0) {
		say_one_queue(l, strerror(errno));
		return -1;
	}
	l->fd_strangers = fd;
	l->drops_strangers = 0;
	event_assign(&l->ev_steer, l->net->base, -1, 0, on_steer, l);
	event_assign(&l->ev_strangers, l->net->base, fd, EV_READ | EV_PERSIST, udp_on_datagrams, l);
	if (event_add(&l->ev_strangers, NULL) == 0)
		return 0;
	udp_join(l);
	return -1;
}

int sip_listener_set_peers(struct sip_listener *l, const struct sip_prefix *peers, size_t n)
{
	struct sip_prefix *copy = calloc(n + 1, sizeof *copy);

	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, peers, n * sizeof *copy);
	free(l->peers);
	l->peers = copy;
	l->n_peers = n;
	if (l->transport != SIP_UDP || l->fd < 0)
		return 0;
	if (l->fd_strangers >= 0 || part(l) == 0)
		steer(l);
	return 0;
}
