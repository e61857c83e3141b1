/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port and a neighbour mirror under remote control: reads commands from standard input, one a line, answers
 * each with one line on standard output. The self-test drives it; it is handy at an interface by hand, too.
 *
 *   media [IP LOW HIGH]...         port_set_media() on every port
 *   lookup LOCAL REMOTE            neighbour_lookup(): "ready PORT DSTMAC SRCMAC MTU", "pending", ...
 *   crowd LOCAL REMOTE N PORT      how many of N remotes, from IPv4 address REMOTE on, lead to PORT
 *   send LOCAL LPORT REMOTE RPORT N  N datagrams to the next hop: "sent K" or the lookup's state
 *   count LOW HIGH                 datagrams to those ports received since the last count, by checksum
 *                                  state: "media M ok O none N partial P bad B other X woken W",
 *                                  W: how often a port's descriptor said that there is something
 *   local IP                       neighbour_local_port()
 *   stats INDEX                    port_stats()
 *   quit
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/nexthop/neighbour.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/port.h"
#include "dataplane/sizing.h"
#include "lib/base/log.h"

#define MEDIA_MAX 64
#define LINE_MAX_OCTETS 1024
#define WORDS_MAX 200
#define SESSIONS 100000

struct probe {
	struct eal eal;
	struct rte_mempool *pool;
	struct port *ports[PORTS_MAX];
	uint16_t n_ports;
	struct neighbour *nb;
	uint64_t by_port[65536]; /* datagrams received */
	uint64_t by_state[4];    /* enum checksum_state */
	uint64_t other;          /* frames that are no UDP */
	uint64_t woken;
};

static void frame_count(struct probe *p, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_udp_hdr *udp;
	enum checksum_state state;

	if (m->pkt_len < 42) {
		p->other++;
	} else if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

		if (ip->next_proto_id != IPPROTO_UDP ||
			rte_be_to_cpu_16(ip->total_length) + 14u > m->pkt_len) {
			p->other++;
			return;
		}
		udp = (struct rte_udp_hdr *)((uint8_t *)ip + rte_ipv4_hdr_len(ip));
		state = checksum_udp4_state(ip, udp);
		p->by_state[state]++;
		p->by_port[rte_be_to_cpu_16(udp->dst_port)]++;
	} else if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(eth + 1);

		if (ip->proto != IPPROTO_UDP || rte_be_to_cpu_16(ip->payload_len) + 54u > m->pkt_len) {
			p->other++;
			return;
		}
		udp = (struct rte_udp_hdr *)(ip + 1);
		state = checksum_udp6_state(ip, udp);
		p->by_state[state]++;
		p->by_port[rte_be_to_cpu_16(udp->dst_port)]++;
	} else {
		p->other++;
	}
}

static void ports_poll(struct probe *p)
{
	struct rte_mbuf *frames[PORT_BURST];

	for (uint16_t i = 0; i < p->n_ports; i++) {
		uint16_t n = port_rx(p->ports[i], 0, frames, PORT_BURST);

		for (uint16_t k = 0; k < n; k++) {
			frame_count(p, frames[k]);
			rte_pktmbuf_free(frames[k]);
		}
	}
}

static const char *const states[] = {"ready", "pending", "no-route", "self"};

static int address(const char *text, struct ip_addr *out)
{
	return ip_parse(str_z(text), out);
}

static void do_media(struct probe *p, char **word, int n)
{
	struct dp_address list[MEDIA_MAX] = {0};
	struct err err = {0};
	uint32_t k = 0;

	for (int i = 1; i + 2 < n && k < MEDIA_MAX; i += 3, k++) {
		if (address(word[i], &list[k].ip) < 0) {
			printf("error address %s\n", word[i]);
			return;
		}
		list[k].port_lower = (uint16_t)atoi(word[i + 1]);
		list[k].port_upper = (uint16_t)atoi(word[i + 2]);
	}
	for (uint16_t i = 0; i < p->n_ports; i++) {
		if (port_set_media(p->ports[i], list, k, &err) < 0) {
			printf("error %s\n", err.text);
			return;
		}
	}
	printf("ok\n");
}

static void do_lookup(struct probe *p, char **word)
{
	struct ip_addr local, remote;
	struct neighbour_hop hop;
	char dst[RTE_ETHER_ADDR_FMT_SIZE], src[RTE_ETHER_ADDR_FMT_SIZE];

	if (address(word[1], &local) < 0 || address(word[2], &remote) < 0) {
		printf("error address\n");
		return;
	}
	enum neighbour_state s = neighbour_lookup(p->nb, NULL, &local, &remote, &hop);
	if (s != NEIGHBOUR_READY) {
		printf("%s\n", states[s]);
		return;
	}
	rte_ether_format_addr(dst, sizeof(dst), (struct rte_ether_addr *)hop.ether);
	rte_ether_format_addr(src, sizeof(src), (struct rte_ether_addr *)(hop.ether + 6));
	printf("ready %u %s %s %u\n", hop.port, dst, src, hop.mtu);
}

static void do_crowd(struct probe *p, char **word)
{
	struct ip_addr local, remote;
	struct neighbour_hop hop;
	unsigned n = (unsigned)strtoul(word[3], NULL, 10), port = (unsigned)strtoul(word[4], NULL, 10),
		 there = 0;
	uint32_t first, ip;

	if (address(word[1], &local) < 0 || address(word[2], &remote) < 0) {
		printf("error address\n");
		return;
	}
	memcpy(&first, remote.octets, sizeof(first));
	for (unsigned i = 0; i < n; i++) {
		ip = rte_cpu_to_be_32(rte_be_to_cpu_32(first) + i);
		memcpy(remote.octets, &ip, sizeof(ip));
		there += neighbour_lookup(p->nb, NULL, &local, &remote, &hop) == NEIGHBOUR_READY &&
			 hop.port == port;
	}
	printf("%u\n", there);
}

static void frame_build(struct rte_mbuf *m, const struct neighbour_hop *hop, const struct ip_port *local,
	const struct ip_port *remote)
{
	static const char payload[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint16_t len = sizeof(payload) - 1 + sizeof(struct rte_udp_hdr);
	size_t l3 = local->ip.family == IP_V4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(14 + l3 + len));
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(at + 14 + l3);

	memcpy(at, hop->ether, 14);
	memset(at + 14, 0, l3);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(local->port),
		.dst_port = rte_cpu_to_be_16(remote->port),
		.dgram_len = rte_cpu_to_be_16(len)};
	memcpy(udp + 1, payload, sizeof(payload) - 1);
	if (local->ip.family == IP_V4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(at + 14);

		ip->version_ihl = 0x45;
		ip->total_length = rte_cpu_to_be_16((uint16_t)(l3 + len));
		ip->time_to_live = 64;
		ip->next_proto_id = IPPROTO_UDP;
		memcpy(&ip->src_addr, local->ip.octets, 4);
		memcpy(&ip->dst_addr, remote->ip.octets, 4);
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	} else {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(at + 14);

		ip->vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28);
		ip->payload_len = rte_cpu_to_be_16(len);
		ip->proto = IPPROTO_UDP;
		ip->hop_limits = 64;
		memcpy(ip->src_addr, local->ip.octets, 16);
		memcpy(ip->dst_addr, remote->ip.octets, 16);
		udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
	}
}

static void do_send(struct probe *p, char **word)
{
	struct ip_port local = {.port = (uint16_t)atoi(word[2])}, remote = {.port = (uint16_t)atoi(word[4])};
	struct neighbour_hop hop;
	int want = atoi(word[5]), sent = 0;

	if (address(word[1], &local.ip) < 0 || address(word[3], &remote.ip) < 0) {
		printf("error address\n");
		return;
	}
	enum neighbour_state s = neighbour_lookup(p->nb, NULL, &local.ip, &remote.ip, &hop);
	if (s != NEIGHBOUR_READY) {
		printf("%s\n", states[s]);
		return;
	}
	while (sent < want) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);

		if (m == NULL)
			break;
		frame_build(m, &hop, &local, &remote);
		if (port_tx(p->ports[hop.port], 0, &m, 1) == 0) {
			rte_pktmbuf_free(m);
			break;
		}
		sent++;
	}
	printf("sent %d\n", sent);
}

static void do_count(struct probe *p, char **word)
{
	uint64_t media = 0;

	for (int port = atoi(word[1]); port <= atoi(word[2]) && port < 65536; port++)
		media += p->by_port[port];
	printf("media %" PRIu64 " ok %" PRIu64 " none %" PRIu64 " partial %" PRIu64 " bad %" PRIu64
	       " other %" PRIu64 " woken %" PRIu64 "\n",
		media, p->by_state[CHECKSUM_OK], p->by_state[CHECKSUM_NONE], p->by_state[CHECKSUM_PARTIAL],
		p->by_state[CHECKSUM_BAD], p->other, p->woken);
	memset(p->by_port, 0, sizeof(p->by_port));
	memset(p->by_state, 0, sizeof(p->by_state));
	p->other = 0;
	p->woken = 0;
}

static void do_stats(struct probe *p, char **word)
{
	struct port_stats s;
	int i = atoi(word[1]);

	if (i < 0 || i >= p->n_ports || port_stats(p->ports[i], &s) < 0) {
		printf("error stats\n");
		return;
	}
	printf("rx %" PRIu64 " tx %" PRIu64 " to_kernel %" PRIu64 " fragments %" PRIu64 " link %d\n",
		s.rx_packets, s.tx_packets, s.to_kernel, s.fragments, s.link_up);
}

static void do_local(struct probe *p, char **word)
{
	struct ip_addr ip;

	if (address(word[1], &ip) < 0)
		printf("error address\n");
	else
		printf("%d\n", neighbour_local_port(p->nb, &ip));
}

/* false: quit. */
static bool command(struct probe *p, char *line)
{
	char *word[WORDS_MAX], *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \n", &save); w != NULL && n < WORDS_MAX;
		w = strtok_r(NULL, " \n", &save))
		word[n++] = w;
	if (n == 0)
		return true;
	if (strcmp(word[0], "quit") == 0)
		return false;
	if (strcmp(word[0], "media") == 0)
		do_media(p, word, n);
	else if (strcmp(word[0], "lookup") == 0 && n == 3)
		do_lookup(p, word);
	else if (strcmp(word[0], "crowd") == 0 && n == 5)
		do_crowd(p, word);
	else if (strcmp(word[0], "send") == 0 && n == 6)
		do_send(p, word);
	else if (strcmp(word[0], "count") == 0 && n == 3)
		do_count(p, word);
	else if (strcmp(word[0], "stats") == 0 && n == 2)
		do_stats(p, word);
	else if (strcmp(word[0], "local") == 0 && n == 2)
		do_local(p, word);
	else
		printf("error command\n");
	fflush(stdout);
	return true;
}

/* Waits for a command or a frame, a second at most. True: a command. */
static bool wait_for_either(struct probe *p)
{
	struct pollfd fds[1 + PORTS_MAX] = {{.fd = STDIN_FILENO, .events = POLLIN}};

	for (uint16_t i = 0; i < p->n_ports; i++)
		fds[1 + i] = (struct pollfd){.fd = port_fd(p->ports[i], 0), .events = POLLIN};
	if (poll(fds, 1u + p->n_ports, 1000) <= 0)
		return false;
	for (uint16_t i = 0; i < p->n_ports; i++)
		p->woken += (fds[1 + i].revents & POLLIN) != 0;
	return fds[0].revents != 0;
}

/* Commands and frames in turn. */
static void run(struct probe *p)
{
	char line[LINE_MAX_OCTETS];
	size_t have = 0;

	for (;;) {
		ports_poll(p);
		if (!wait_for_either(p))
			continue;
		ssize_t n = read(STDIN_FILENO, line + have, sizeof(line) - 1 - have);
		if (n <= 0)
			return;
		have += (size_t)n;
		line[have] = '\0';
		for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
			*end++ = '\0';
			ports_poll(p);
			if (!command(p, line))
				return;
			have -= (size_t)(end - line);
			memmove(line, end, have + 1);
		}
		if (have == sizeof(line) - 1)
			return;
	}
}

static int probe_open(struct probe *p, int argc, char **argv, struct err *err)
{
	struct eal_conf eal = {.memory_mb = 128};
	int rc;

	if (strcmp(argv[1], "small") == 0)
		eal.pages = EAL_PAGES_SMALL;
	else if (strcmp(argv[1], "huge") == 0)
		eal.pages = EAL_PAGES_HUGE;
	rc = eal_start(&eal, &p->eal, err);
	if (rc == 0)
		rc = port_pool_create(16384, &p->pool, err);
	for (int i = 2; rc == 0 && i + 1 < argc && p->n_ports < PORTS_MAX; i += 2) {
		struct port_conf conf = {.interface = argv[i + 1], .index = p->n_ports, .pool = p->pool};

		rc = port_kind_parse(argv[i], &conf.kind);
		if (rc == 0)
			rc = port_open(&conf, &p->ports[p->n_ports], err);
		if (rc == 0)
			p->n_ports++;
	}
	if (rc == 0)
		rc = neighbour_open(p->ports, p->n_ports, sizing_next_hops(SESSIONS), &p->nb, err);
	return rc;
}

int main(int argc, char **argv)
{
	static struct probe p;
	struct err err = {0};
	int rc;

	if (argc < 4 || argc % 2 != 0) {
		fprintf(stderr, "usage: port_probe auto|small|huge KIND INTERFACE [KIND INTERFACE]...\n");
		return 2;
	}
	rc = probe_open(&p, argc, argv, &err);
	if (rc < 0) {
		printf("failed %s\n", err.text);
		fflush(stdout);
	} else {
		printf("open");
		for (uint16_t i = 0; i < p.n_ports; i++)
			printf(" [%s: %s]", p.ports[i]->interface, p.ports[i]->report);
		printf("\n");
		fflush(stdout);
		run(&p);
	}
	neighbour_close(p.nb);
	for (uint16_t i = 0; i < p.n_ports; i++)
		port_close(p.ports[i]);
	eal_stop(&p.eal);
	return rc < 0;
}
