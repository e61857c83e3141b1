/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of peers and of strangers wait apart, whatever the kernel is told of them. */
#include "tests/unit/sip_net_pair.h"

#include <sys/socket.h>

#include "lib/base/clock.h"

static struct ip_addr ip_of(const char *text)
{
	struct ip_addr ip;

	assert_int_equal(ip_parse(str_z(text), &ip), 0);
	return ip;
}

static struct sip_prefix prefix(const char *text, uint8_t bits)
{
	return (struct sip_prefix){ip_of(text), bits};
}

static int bound_to(const struct ip_addr *ip, uint16_t port, bool shared)
{
	struct ip_port at = {.ip = *ip, .port = port};
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&at, &sa);
	int fd = socket(sa.ss_family, SOCK_DGRAM, 0), one = 1;

	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static struct ip_port local_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct ip_port at;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(ip_port_from_sockaddr((struct sockaddr *)&sa, &at), 0);
	return at;
}

static void say(int fd, const struct ip_port *to, const char *p, size_t n)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(to, &sa);

	assert_int_equal(sendto(fd, p, n, 0, (struct sockaddr *)&sa, len), (ssize_t)n);
}

/* ---- what the kernel is told ---- */

/* Two sockets on one address, told apart by a program. */
struct group {
	int fd[2];
	struct ip_port at;
};

static void group_open(struct group *g, const char *ip, const struct sip_prefix *known, size_t n)
{
	static struct sock_filter insn[STEER_INSNS];
	struct ip_addr local = ip_of(ip);
	int free_port = bound_to(&local, 0, false), rc = steer_program(local.family, known, n, insn);
	struct sock_fprog program = {.len = (unsigned short)rc, .filter = insn};

	assert_in_range(rc, 1, STEER_INSNS);
	g->at = local_of(free_port);
	close(free_port);
	for (unsigned i = 0; i < 2; i++)
		g->fd[i] = bound_to(&local, g->at.port, true);
	assert_int_equal(
		setsockopt(g->fd[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program), 0);
}

static void group_close(const struct group *g)
{
	close(g->fd[0]);
	close(g->fd[1]);
}

/* Which one a datagram from there comes to. */
static int arrives_at(const struct group *g, const struct ip_addr *from)
{
	int fd = bound_to(from, 0, false), at = -1;
	char octet;

	say(fd, &g->at, "x", 1);
	for (int i = 0; i < 2; i++)
		if (recv(g->fd[i], &octet, 1, MSG_DONTWAIT) == 1)
			at = i;
	close(fd);
	return at;
}

static bool covers(const struct sip_prefix *p, const struct ip_addr *ip)
{
	for (unsigned bit = 0; bit < p->bits; bit++)
		if ((p->ip.octets[bit / 8] ^ ip->octets[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* Loopback has all of 127.0.0.0/8. */
static struct ip_addr any_loopback(uint32_t random)
{
	struct ip_addr ip = {.family = IP_V4, .octets = {127, 0, (uint8_t)(random >> 8), (uint8_t)random}};

	if (!ip.octets[3] || ip.octets[3] == 255)
		ip.octets[3] = 7;
	return ip;
}

static void compare_with_prefixes(uint32_t seed, size_t n, unsigned least_bits)
{
	static struct sip_prefix known[900];
	struct group g;
	uint32_t random = seed;

	for (size_t i = 0; i < n; i++) {
		random = random * 1664525 + 1013904223;
		known[i] = (struct sip_prefix){any_loopback(random >> 12),
			(uint8_t)(least_bits + (random >> 4) % (33 - least_bits))};
	}
	group_open(&g, "127.0.0.1", known, n);
	for (unsigned i = 0; i < 400; i++) {
		random = random * 1664525 + 1013904223;
		/* Half of them beside or at one that is known. */
		struct ip_addr ip = any_loopback(i % 2 && n ? (uint32_t)known[i % n].ip.octets[2] << 8 |
								      (known[i % n].ip.octets[3] + i % 3)
							    : random >> 12);
		int expected = 1;

		for (size_t k = 0; k < n && expected; k++)
			expected = !covers(&known[k], &ip);
		assert_int_equal(arrives_at(&g, &ip), expected);
	}
	group_close(&g);
}

static void test_ipv4_prefixes(void **state)
{
	(void)state;
	compare_with_prefixes(1, 0, 32);
	compare_with_prefixes(2, 1, 32);
	compare_with_prefixes(3, 12, 20);
	compare_with_prefixes(4, 100, 28);
	compare_with_prefixes(5, 900, 32); /* jumps longer than a conditional one can be */
}

static void test_the_edges_of_ipv4(void **state)
{
	const struct sip_prefix all[] = {prefix("0.0.0.0", 0)}, upper[] = {prefix("128.0.0.0", 1)},
				lower[] = {prefix("0.0.0.0", 1), prefix("255.255.255.255", 32)};
	struct ip_addr here = ip_of("127.255.255.254");
	struct group g;

	(void)state;
	group_open(&g, "127.0.0.1", all, 1);
	assert_int_equal(arrives_at(&g, &here), 0);
	group_close(&g);
	group_open(&g, "127.0.0.1", upper, 1);
	assert_int_equal(arrives_at(&g, &here), 1);
	group_close(&g);
	group_open(&g, "127.0.0.1", lower, 2);
	assert_int_equal(arrives_at(&g, &here), 0);
	group_close(&g);
}

static void test_ipv6_prefixes(void **state)
{
	static const struct {
		const char *ip;
		uint8_t bits;
		int arrives;
	} rows[] = {{"::1", 128, 0}, {"::2", 128, 1}, {"::", 127, 0}, {"::2", 127, 1}, {"::", 64, 0},
		{"::", 0, 0}, {"2001:db8::", 32, 1}, {"0:0:1::", 47, 0}, {"0:0:1::", 48, 1}, {"::", 97, 0},
		{"8000::", 1, 1}};
	struct ip_addr here = ip_of("::1");
	struct group g;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&(struct ip_port){.ip = here}, &sa);

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0)
		skip(); /* a machine without IPv6 */
	close(fd);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct sip_prefix known[] = {prefix("127.0.0.0", 8), prefix("2001:db8:7::", 48),
			prefix(rows[i].ip, rows[i].bits), prefix("2001:db8:8::8", 128)};

		group_open(&g, "::1", known, 4);
		assert_int_equal(arrives_at(&g, &here), rows[i].arrives);
		group_close(&g);
	}
}

/* IPv4's program passes over the other family's, whose lengths are beyond its own: for the sanitizer to see.
 */
static void test_prefixes_of_both_families(void **state)
{
	const struct sip_prefix known[] = {
		prefix("2001:db8:1::10", 128), prefix("127.0.0.9", 32), prefix("2001:db8:7::", 48)};
	const struct ip_addr here = ip_of("127.0.0.9"), elsewhere = ip_of("127.0.0.10");
	struct group g;

	(void)state;
	group_open(&g, "127.0.0.1", known, 3);
	assert_int_not_equal(arrives_at(&g, &here), arrives_at(&g, &elsewhere));
	group_close(&g);
}

static void test_too_many_are_refused(void **state)
{
	static struct sip_prefix many[4000];
	static struct sock_filter insn[STEER_INSNS];

	(void)state;
	for (uint32_t i = 0; i < 4000; i++) {
		uint8_t octets[4] = {10, (uint8_t)(i >> 7), (uint8_t)(i << 1), 1}; /* none beside another */

		many[i] = (struct sip_prefix){{.family = IP_V4}, 32};
		memcpy(many[i].ip.octets, octets, 4);
	}
	assert_in_range(steer_program(IP_V4, many, 1000, insn), 1, STEER_INSNS);
	assert_int_equal(steer_program(IP_V4, many, 4000, insn), -E2BIG);
	for (uint32_t i = 0; i < 4000; i++)
		many[i] = (struct sip_prefix){
			{.family = IP_V6, .octets = {0x20, 1, (uint8_t)(i >> 8), (uint8_t)i}}, 128};
	assert_in_range(steer_program(IP_V6, many, 300, insn), 1, STEER_INSNS);
	assert_int_equal(steer_program(IP_V6, many, 4000, insn), -E2BIG);
}

/* ---- a listener ---- */

#define FLOOD 10000 /* of a thousand octets: several times what the largest queue holds */

static bool is_peer(void *user, const struct sip_flow *from, uint32_t *per_s)
{
	struct ip_addr peer = ip_of("127.0.0.5");

	(void)user, (void)per_s;
	return ip_equal(&from->remote.ip, &peer);
}

/* The stranger first, while nobody reads; then one OPTIONS of who is asked about. */
static void flood_and_ask(const char *who)
{
	char garbage[1000];
	struct ip_addr stranger = ip_of("127.0.0.4"), ip = ip_of(who);
	int fd = bound_to(&stranger, 0, false), asks = bound_to(&ip, 0, false);

	memset(garbage, 'x', sizeof garbage);
	for (unsigned i = 0; i < FLOOD; i++)
		say(fd, sip_listener_local(b.l), garbage, sizeof garbage);
	say(asks, sip_listener_local(b.l), OPTIONS, strlen(OPTIONS));
	close(fd);
	close(asks);
}

static void with_rates(void)
{
	const struct sip_rate_conf conf = {
		.peer_per_s = 50, .stranger_per_s = 2, .strangers_udp_per_s = 2, .peer = is_peer};

	assert_int_equal(sip_net_set_rates(b.net, &conf), 0);
}

static void test_a_flood_of_strangers_leaves_the_queue_of_peers(void **state)
{
	const struct sip_prefix peers[] = {prefix("127.0.0.5", 32)};

	(void)state;
	with_rates();
	listen_on(&b, SIP_UDP, NULL);
	assert_int_equal(sip_listener_set_peers(b.l, peers, 1), 0);
	flood_and_ask("127.0.0.5");
	assert_true(loop_until(b_has_message));
	assert_int_equal(b.counters.rx_queue_dropped, 0);
	assert_true(b.counters.rx_queue_dropped_unknown > 0);
}

/* A timer that is due is served, however busy the machine is. */
static void let_pass_ms(uint64_t ms)
{
	uint64_t end = clock_mono_ns() + ms * NS_PER_MS;
	struct timeval step = {0, 5000};

	for (bool over = false; !over;) {
		over = clock_mono_ns() > end;
		event_base_loopexit(base, &step);
		event_base_dispatch(base);
	}
}

static void test_who_has_proved_himself_is_a_peer_to_the_kernel(void **state)
{
	struct sip_flow from = {.transport = SIP_UDP};

	(void)state;
	with_rates();
	listen_on(&b, SIP_UDP, NULL);
	assert_int_equal(sip_listener_set_peers(b.l, NULL, 0), 0);
	from.remote.ip = ip_of("127.0.0.6");
	from.listener = b.l;
	sip_net_know(b.net, &from);
	let_pass_ms(300);
	flood_and_ask("127.0.0.6");
	assert_true(loop_until(b_has_message));
	assert_int_equal(b.counters.rx_queue_dropped, 0);
}

static void test_strangers_are_still_heard(void **state)
{
	struct ip_addr ip = ip_of("127.0.0.8");
	int fd = bound_to(&ip, 0, false);

	(void)state;
	with_rates();
	listen_on(&b, SIP_UDP, NULL);
	assert_int_equal(sip_listener_set_peers(b.l, NULL, 0), 0);
	say(fd, sip_listener_local(b.l), OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	close(fd);
}

/* Sharing a port is between the sockets of a listener, not with another process's. */
static void test_an_address_that_is_taken_is_refused(void **state)
{
	struct sip_listen_conf conf = {.transport = SIP_UDP};
	struct sip_listener *second;
	struct err e = {0};

	(void)state;
	listen_on(&b, SIP_UDP, NULL);
	assert_int_equal(sip_listener_set_peers(b.l, NULL, 0), 0);
	conf.local = *sip_listener_local(b.l);
	assert_int_equal(sip_net_listen(a.net, &conf, &second, &e), -EADDRINUSE);
}

static void test_a_retired_listener_gives_its_address_back(void **state)
{
	struct sip_listen_conf conf = {.transport = SIP_UDP};
	struct err e = {0};

	(void)state;
	listen_on(&b, SIP_UDP, NULL);
	assert_int_equal(sip_listener_set_peers(b.l, NULL, 0), 0);
	conf.local = *sip_listener_local(b.l);
	sip_net_unlisten(b.l);
	assert_int_equal(sip_net_listen(a.net, &conf, &a.l, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_prefixes),
		cmocka_unit_test(test_the_edges_of_ipv4),
		cmocka_unit_test(test_ipv6_prefixes),
		cmocka_unit_test(test_prefixes_of_both_families),
		cmocka_unit_test(test_too_many_are_refused),
		T(test_a_flood_of_strangers_leaves_the_queue_of_peers),
		T(test_who_has_proved_himself_is_a_peer_to_the_kernel),
		T(test_strangers_are_still_heard),
		T(test_an_address_that_is_taken_is_refused),
		T(test_a_retired_listener_gives_its_address_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
