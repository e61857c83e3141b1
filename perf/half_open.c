/* SPDX-License-Identifier: Apache-2.0 */
/* TLS connections that never become any, for perf/floods: many at once, from many addresses, from one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "perf/outside.h"

#define CONNECTIONS_MAX 16384
#define EVENTS 256
#define TURN_MAX 1000 /* connections begun at a time */
#define HELLO_MAX 2048
#define PARTIAL 100 /* octets of a hello that does not end */

static const char usage[] =
	"usage: half_open --to IP:PORT --from IP/BITS --connections N --rate RATE\n"
	"\n"
	"Keeps N connections to a TLS listener open, from addresses of the prefix, which must all be this host's own; in\n"
	"turn they say nothing, say half a ClientHello, say a whole one and no more, and say one an octet a second. What is\n"
	"closed is opened again, RATE a second. Answers each line of stdin with one of JSON: how many were opened, closed by\n"
	"the other side and are held. Exit codes: 0 the end of stdin, 1 the system refused, 2 wrong use.\n";

enum kind { SILENT, PARTIAL_HELLO, WHOLE_HELLO, DRIP, KINDS };

struct victim {
	int fd; /* -1: to be opened */
	enum kind kind;
	bool connected;
	size_t said;
};

struct attack {
	struct ip_port to;
	struct outside_net from;
	unsigned n, held, connecting;
	double rate;
	uint64_t random, opened, closed, failed;
	int epoll;
	uint8_t hello[HELLO_MAX];
	size_t hello_n;
	struct victim victim[CONNECTIONS_MAX];
};

/* As OpenSSL's client begins with. */
static int make_hello(struct attack *a)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int n = -1;

	if (ssl && in && out) {
		SSL_set_bio(ssl, in, out);
		SSL_connect(ssl);
		n = BIO_read(out, a->hello, sizeof a->hello);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	a->hello_n = n > 0 ? (size_t)n : 0;
	return n > PARTIAL ? 0 : -1;
}

static void lost(struct attack *a, struct victim *v)
{
	if (v->connected)
		a->held--;
	else
		a->connecting--;
	close(v->fd);
	*v = (struct victim){.fd = -1, .kind = v->kind};
}

static int begin(struct attack *a, struct victim *v)
{
	struct ip_port from = {.ip.family = IP_V4};
	uint32_t ip = htonl(outside_host(&a->from, &a->random));
	struct sockaddr_storage to, own;
	socklen_t to_n = ip_port_to_sockaddr(&a->to, &to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	memcpy(from.ip.octets, &ip, 4);
	socklen_t own_n = ip_port_to_sockaddr(&from, &own);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&own, own_n) < 0 ||
		(connect(fd, (struct sockaddr *)&to, to_n) < 0 && errno != EINPROGRESS)) {
		bool ours = errno != EADDRNOTAVAIL; /* all ports of that address are in use: another time */

		close(fd);
		a->failed++;
		return ours ? -1 : 0;
	}
	v->fd = fd;
	a->connecting++;
	return epoll_ctl(
		a->epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLOUT, .data.ptr = v});
}

static void say(struct attack *a, struct victim *v, size_t n)
{
	n = n < a->hello_n - v->said ? n : a->hello_n - v->said;
	if (n && send(v->fd, a->hello + v->said, n, MSG_NOSIGNAL) > 0)
		v->said += n;
}

static void connected(struct attack *a, struct victim *v)
{
	static const size_t first[KINDS] = {0, PARTIAL, HELLO_MAX, 1};

	v->connected = true;
	a->connecting--;
	a->held++;
	a->opened++;
	say(a, v, first[v->kind]);
	epoll_ctl(a->epoll, EPOLL_CTL_MOD, v->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = v});
}

static void happened(struct attack *a, struct victim *v, uint32_t events)
{
	char ignored[4096];

	if (!v->connected && events == EPOLLOUT) {
		connected(a, v);
		return;
	}
	ssize_t n = recv(v->fd, ignored, sizeof ignored, 0);

	if (n > 0 || (n < 0 && errno == EAGAIN))
		return;
	a->closed += v->connected;
	a->failed += !v->connected;
	lost(a, v);
}

static void drip(struct attack *a)
{
	for (unsigned i = DRIP; i < a->n; i += KINDS)
		if (a->victim[i].connected)
			say(a, &a->victim[i], 1);
}

/* So many more, beginning with the place behind the last. */
static int refill(struct attack *a, unsigned at_most)
{
	static unsigned next;

	for (unsigned i = 0; i < a->n && at_most; i++, next = (next + 1) % a->n) {
		if (a->victim[next].fd >= 0)
			continue;
		at_most--;
		if (begin(a, &a->victim[next]) < 0) {
			fprintf(stderr, "half_open: %s\n", strerror(errno));
			return -1;
		}
	}
	return 0;
}

static bool answer(const struct attack *a)
{
	char line[64];

	if (!fgets(line, sizeof line, stdin))
		return false;
	printf("{\"opened\": %llu, \"closed\": %llu, \"failed\": %llu, \"held\": %u, \"connecting\": %u}\n",
		(unsigned long long)a->opened, (unsigned long long)a->closed, (unsigned long long)a->failed,
		a->held, a->connecting);
	return true;
}

static int run(struct attack *a)
{
	struct epoll_event event[EVENTS];
	double begun = outside_now_s(), dripped = begun, placed = 0;

	for (;;) {
		double now = outside_now_s(), due = (now - begun) * a->rate;
		unsigned more = (unsigned)(due - placed);
		int n;

		if (refill(a, more > TURN_MAX ? TURN_MAX : more) < 0)
			return -1;
		placed += more; /* what is not a whole connection yet is one later */
		if (now - dripped >= 1) {
			drip(a);
			dripped = now;
		}
		n = epoll_wait(a->epoll, event, EVENTS, 5);
		for (int i = 0; i < n; i++) {
			if (event[i].data.ptr)
				happened(a, event[i].data.ptr, event[i].events);
			else if (!answer(a))
				return 0;
		}
	}
}

static bool understand(struct attack *a, int argc, char **argv)
{
	static const struct option options[] = {{"to", required_argument, NULL, 't'},
		{"from", required_argument, NULL, 'f'}, {"connections", required_argument, NULL, 'n'},
		{"rate", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
	bool good = true, whence = false;
	uint64_t count = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 't':
			good &= outside_port_read(optarg, 5061, &a->to);
			break;
		case 'f':
			whence = outside_net_read(optarg, &a->from);
			good &= whence;
			break;
		case 'n':
			good &= str_to_u64(str_z(optarg), CONNECTIONS_MAX, &count) == 0;
			break;
		case 'r':
			a->rate = strtod(optarg, NULL);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			good = false;
		}
	}
	a->n = (unsigned)count;
	return good && a->to.ip.family == IP_V4 && whence && a->n && a->rate > 0 && optind == argc;
}

int main(int argc, char **argv)
{
	static struct attack a;
	struct rlimit files = {CONNECTIONS_MAX + 64, CONNECTIONS_MAX + 64};

	if (!understand(&a, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* a line in stdio's buffer would wake nobody */
	a.random = outside_random();
	a.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < a.n; i++)
		a.victim[i] = (struct victim){.fd = -1, .kind = i % KINDS};
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || a.epoll < 0 ||
		epoll_ctl(a.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &(struct epoll_event){.events = EPOLLIN}) <
			0) {
		fprintf(stderr, "half_open: %s\n", strerror(errno));
		return 1;
	}
	if (make_hello(&a) < 0) {
		fprintf(stderr, "half_open: OpenSSL makes no ClientHello\n");
		return 1;
	}
	return run(&a) < 0 ? 1 : 0;
}
