/* SPDX-License-Identifier: Apache-2.0 */
/* SIP over UDP from addresses that are made up, for perf/floods: raw IPv4 datagrams at a rate, from one
 * thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "perf/outside.h"

#define BATCH 64
#define LATE_MAX 1024
#define MTU 1500
#define HEADS (sizeof(struct iphdr) + sizeof(struct udphdr))
#define TEXT_MAX (MTU - HEADS)
#define HUGE_OCTETS 4096 /* a datagram in three fragments */
#define FRAGMENT 1480    /* octets of a fragment's payload, a multiple of 8 */
#define SDP                                                                                                  \
	"v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 "       \
	"RTP/AVP 0 8\r\n"

static const char usage[] =
	"usage: sip_flood --to IP:PORT --rate N --seconds S [--from IP/BITS]... [--kind KIND]...\n"
	"\n"
	"Sends datagrams to a SIP listener, each from another address and port out of the prefixes (198.18.0.0/15 when none\n"
	"is named), of all kinds in turn unless some are named:\n"
	"\n"
	"  invite, register, options   well-formed requests, each a transaction of its own\n"
	"  cut                         an INVITE that ends in the middle of a header field\n"
	"  garbage                     random octets\n"
	"  huge                        4,096 octets of header fields in three fragments of IP\n"
	"\n"
	"Prints what it sent as one line of JSON. Needs root: raw sockets. Exit codes: 0 done, 1 the system refused, 2 wrong use.\n";

/* A request with its ids, which are eight digits each, left to be filled in. */
#define HEAD(method, target)                                                                                 \
	method " sip:" target " SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK########;rport\r\n"   \
	       "Max-Forwards: 70\r\nFrom: <sip:stranger@198.51.100.7>;tag=########\r\nTo: <sip:" target      \
	       ">\r\n"                                                                                       \
	       "Call-ID: ########@198.51.100.7\r\nCSeq: 1 " method                                           \
	       "\r\nContact: <sip:stranger@198.51.100.7>\r\n"

static const struct kind {
	const char *name, *text; /* NULL: random octets */
	size_t octets;           /* 0: those of text */
} kinds[] = {
	{"invite",
		HEAD("INVITE", "+4940200@gateway") "Content-Type: application/sdp\r\nContent-Length: 105\r\n\r\n" SDP,
		0},
	{"register", HEAD("REGISTER", "gateway") "Expires: 3600\r\nContent-Length: 0\r\n\r\n", 0},
	{"options", HEAD("OPTIONS", "gateway") "Content-Length: 0\r\n\r\n", 0},
	{"cut", HEAD("INVITE", "+4940200@gateway") "Content-Type: applica", 0},
	{"garbage", NULL, 400},
	{"huge", HEAD("INVITE", "+4940200@gateway"), HUGE_OCTETS},
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct flood {
	struct ip_port to;
	struct outside_net from[16];
	unsigned nets, chosen[KINDS], n_chosen;
	double rate, seconds;
	uint64_t random, sent, refused;
	int fd;
	unsigned queued;
	uint8_t packet[BATCH][MTU];
	struct iovec part[BATCH];
	struct mmsghdr message[BATCH];
};

static int push(struct flood *f)
{
	for (unsigned at = 0; at < f->queued;) {
		int n = sendmmsg(f->fd, f->message + at, f->queued - at, 0);

		if (n > 0) {
			at += (unsigned)n;
			f->sent += (unsigned)n;
		} else if (errno == ENOBUFS || errno == EAGAIN || errno == EPERM) {
			f->refused++; /* the queue of the device: this one is lost where others would be */
			at++;
		} else if (errno != EINTR) {
			fprintf(stderr, "sip_flood: send: %s\n", strerror(errno));
			return -1;
		}
	}
	f->queued = 0;
	return 0;
}

/* One IP packet of the datagram: n octets that begin at `from` of it. */
static int add(struct flood *f, const struct iphdr *like, const uint8_t *p, size_t from, size_t n, bool more)
{
	uint8_t *out = f->packet[f->queued];
	struct iphdr ip = *like;

	ip.tot_len = htons((uint16_t)(sizeof ip + n));
	ip.frag_off = htons((uint16_t)(from / 8 | (more ? IP_MF : 0)));
	memcpy(out, &ip, sizeof ip);
	memcpy(out + sizeof ip, p + from, n);
	f->part[f->queued].iov_len = sizeof ip + n;
	return ++f->queued == BATCH ? push(f) : 0;
}

static size_t write_text(struct flood *f, const struct kind *k, char *out)
{
	size_t n = k->text ? strlen(k->text) : 0, all = k->octets ? k->octets : n;
	char id[9];

	if (n)
		memcpy(out, k->text, n);
	snprintf(id, sizeof id, "%08x", outside_draw(&f->random));
	for (char *p = out; n && (p = memmem(p, n - (size_t)(p - out), "########", 8));)
		memcpy(p, id, 8);
	for (; n < all; n++)
		out[n] = k->text ? "X-Long: huge\r\n"[n % 14] : (char)outside_draw(&f->random);
	return all;
}

static int datagram(struct flood *f, const struct kind *k)
{
	static uint8_t text[sizeof(struct udphdr) + HUGE_OCTETS];
	size_t n = sizeof(struct udphdr) + write_text(f, k, (char *)text + sizeof(struct udphdr));
	const struct outside_net *from = &f->from[outside_draw(&f->random) % f->nets];
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .id = (uint16_t)outside_draw(&f->random)};
	struct udphdr udp = {.source = htons((uint16_t)(1024 + outside_draw(&f->random) % 60000)),
		.dest = htons(f->to.port),
		.len = htons((uint16_t)n)};
	int rc = 0;

	ip.saddr = htonl(outside_host(from, &f->random));
	memcpy(&ip.daddr, f->to.ip.octets, 4);
	memcpy(text, &udp, sizeof udp);
	for (size_t at = 0; at < n && rc == 0; at += FRAGMENT)
		rc = add(f, &ip, text, at, n - at < FRAGMENT ? n - at : FRAGMENT, n - at > FRAGMENT);
	return rc;
}

static int run(struct flood *f)
{
	double begun = outside_now_s(), passed = 0;
	uint64_t n = 0;

	while (passed < f->seconds) {
		/* What it falls behind by is not made up for in one go. */
		for (double due = passed * f->rate, most = (double)n + LATE_MAX;
			(double)n < due && (double)n < most; n++)
			if (datagram(f, &kinds[f->chosen[n % f->n_chosen]]) < 0)
				return -1;
		if (push(f) < 0)
			return -1;
		nanosleep(&(struct timespec){0, 500000}, NULL);
		passed = outside_now_s() - begun;
	}
	printf("{\"datagrams\": %llu, \"packets\": %llu, \"not_sent\": %llu, \"seconds\": %.3f}\n",
		(unsigned long long)n, (unsigned long long)f->sent, (unsigned long long)f->refused, passed);
	return 0;
}

static bool add_net(struct flood *f, const char *text)
{
	return f->nets < sizeof f->from / sizeof *f->from && outside_net_read(text, &f->from[f->nets++]);
}

static bool add_kind(struct flood *f, const char *name)
{
	for (unsigned i = 0; i < KINDS && f->n_chosen < KINDS; i++) {
		if (!strcmp(kinds[i].name, name)) {
			f->chosen[f->n_chosen++] = i;
			return true;
		}
	}
	return false;
}

static bool understand(struct flood *f, int argc, char **argv)
{
	static const struct option options[] = {{"to", required_argument, NULL, 't'},
		{"rate", required_argument, NULL, 'r'}, {"seconds", required_argument, NULL, 's'},
		{"from", required_argument, NULL, 'f'}, {"kind", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'}, {0}};
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 't':
			good &= outside_port_read(optarg, 5060, &f->to);
			break;
		case 'r':
			f->rate = strtod(optarg, NULL);
			break;
		case 's':
			f->seconds = strtod(optarg, NULL);
			break;
		case 'f':
			good &= add_net(f, optarg);
			break;
		case 'k':
			good &= add_kind(f, optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			good = false;
		}
	}
	if (!f->nets)
		add_net(f, "198.18.0.0/15");
	for (unsigned i = 0; !f->n_chosen && i < KINDS; i++)
		f->chosen[i] = i;
	if (!f->n_chosen)
		f->n_chosen = KINDS;
	return good && f->to.port && f->rate > 0 && f->seconds > 0 && optind == argc;
}

int main(int argc, char **argv)
{
	static struct flood f;
	static struct sockaddr_storage to;

	if (!understand(&f, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	f.random = outside_random();
	f.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (f.fd < 0) {
		fprintf(stderr, "sip_flood: a raw socket: %s (as root?)\n", strerror(errno));
		return 1;
	}
	socklen_t n = ip_port_to_sockaddr(&f.to, &to);

	for (unsigned i = 0; i < BATCH; i++) {
		f.part[i].iov_base = f.packet[i];
		f.message[i].msg_hdr = (struct msghdr){
			.msg_name = &to, .msg_namelen = n, .msg_iov = &f.part[i], .msg_iovlen = 1};
	}
	return run(&f) < 0 ? 1 : 0;
}
