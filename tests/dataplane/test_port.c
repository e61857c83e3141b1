/* SPDX-License-Identifier: Apache-2.0 */
/* Ports without an interface, what port_open() refuses, and fixed next hops. */
#include "tests/dataplane/ports.h"

#include <errno.h>
#include <string.h>

#include <rte_ring.h>

#include "dataplane/nexthop/neighbour.h"

static struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(str_z(text), &a), 0);
	return a;
}

/* --- ports --- */

static void frames_pass_through_rings_and_stay_the_same(void **state)
{
	struct rte_ring *in = rte_ring_create("t_in", 64, SOCKET_ID_ANY, 0);
	struct rte_ring *out = rte_ring_create("t_out", 64, SOCKET_ID_ANY, 0);
	struct port *port = ring_port("ring0", 3, &in, &out);
	struct rte_mbuf *sent[PORT_BURST], *got[PORT_BURST];
	struct port_stats stats;

	(void)state;
	assert_int_equal(port->kind, PORT_RING);
	assert_int_equal(port->index, 3);
	assert_int_equal(port->ifindex, 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, sent, PORT_BURST), 0);
	for (uint16_t i = 0; i < PORT_BURST; i++) {
		assert_non_null(rte_pktmbuf_append(sent[i], 60));
		assert_int_equal(rte_ring_enqueue(in, sent[i]), 0);
	}
	assert_int_equal(port_rx(port, 0, got, PORT_BURST), PORT_BURST);
	assert_memory_equal(sent, got, sizeof(sent));
	assert_int_equal(port_tx(port, 0, got, PORT_BURST), PORT_BURST);
	memset(got, 0, sizeof(got));
	assert_int_equal(rte_ring_dequeue_burst(out, (void **)got, PORT_BURST, NULL), PORT_BURST);
	assert_memory_equal(sent, got, sizeof(sent));
	assert_int_equal(port_stats(port, &stats), 0);
	assert_int_equal(stats.rx_packets, PORT_BURST);
	assert_int_equal(stats.tx_packets, PORT_BURST);
	rte_pktmbuf_free_bulk(got, PORT_BURST);
	port_close(port);
	assert_int_equal(rte_mempool_avail_count(pool), POOL);

	/* The name is free again: a test that opens a port may do so twice. */
	port_close(ring_port("ring0", 0, &in, &out));
	rte_ring_free(in);
	rte_ring_free(out);
}

static void a_null_port_takes_all_and_gives_nothing(void **state)
{
	struct port_conf conf = {.kind = PORT_NULL, .interface = "null0", .pool = pool};
	struct err err = {0};
	struct port *port;
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool), *got;

	(void)state;
	assert_int_equal(port_open(&conf, &port, &err), 0);
	assert_non_null(rte_pktmbuf_append(frame, 60));
	assert_int_equal(port_rx(port, 0, &got, 1), 0);
	assert_int_equal(port_tx(port, 0, &frame, 1), 1);
	assert_int_equal(port_set_media(port, NULL, 0, &err), 0);
	port_close(port);
	assert_int_equal(rte_mempool_avail_count(pool), POOL);
}

static void what_cannot_be_opened_is_named(void **state)
{
	static const struct {
		struct port_conf conf;
		int result;
		const char *says;
	} cases[] = {
		{{.kind = PORT_AF_XDP, .interface = "srtpgw-nowhere"}, -ENODEV, "'srtpgw-nowhere'"},
		{{.kind = PORT_AUTO, .interface = "srtpgw-nowhere"}, -ENODEV, "'srtpgw-nowhere'"},
		{{.kind = PORT_AF_PACKET, .interface = "lo"}, -ENOTSUP, "not Ethernet"},
		{{.kind = PORT_AF_XDP, .interface = "a-name-that-is-too-long"}, -EINVAL,
			"a-name-that-is-too-long"},
		{{.kind = PORT_AF_XDP, .interface = ""}, -EINVAL, "interface"},
		{{.kind = PORT_AF_XDP}, -EINVAL, "interface"},
		{{.kind = PORT_RING, .interface = "r"}, -EINVAL, "rings"},
		{{.kind = PORT_NULL, .interface = "n", .index = PORTS_MAX}, -EINVAL, "'n'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct port_conf conf = cases[i].conf;
		struct port *port = NULL;
		struct err err = {0};

		conf.pool = pool;
		assert_int_equal(port_open(&conf, &port, &err), cases[i].result);
		assert_null(port);
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("case %zu says: %s", i, err.text);
	}
}

static void kinds_have_names(void **state)
{
	enum port_kind kind;

	(void)state;
	for (int k = PORT_AUTO; k <= PORT_DEVICE; k++) {
		assert_int_equal(port_kind_parse(port_kind_name((enum port_kind)k), &kind), 0);
		assert_int_equal(kind, k);
	}
	assert_int_equal(port_kind_parse("dpdk", &kind), -EINVAL);
	assert_int_equal(port_kind_parse("", &kind), -EINVAL);
}

static void impossible_media_is_refused(void **state)
{
	struct port_conf conf = {.kind = PORT_NULL, .interface = "null1", .pool = pool};
	struct dp_address upside_down = {.ip = {.family = IP_V4}, .port_lower = 2, .port_upper = 1};
	struct dp_address nowhere = {.port_lower = 1, .port_upper = 2};
	struct err err = {0};
	struct port *port;

	(void)state;
	assert_int_equal(port_open(&conf, &port, &err), 0);
	assert_int_equal(port_set_media(port, &upside_down, 1, &err), -EINVAL);
	assert_int_equal(port_set_media(port, &nowhere, 1, &err), -EINVAL);
	assert_int_equal(port_set_media(port, &nowhere, PORT_MEDIA_MAX + 1, &err), -E2BIG);
	port_close(port);
}

/* --- fixed next hops --- */

static void fixed_hops_need_no_kernel(void **state)
{
	static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};
	struct port_conf conf = {.kind = PORT_NULL, .interface = "null2", .pool = pool};
	struct port *port;
	struct neighbour *nb;
	struct neighbour_hop hop;
	struct neighbour_ref ref = {0};
	struct dp_next_hops stats;
	struct ip_addr any = {0}, local = ip("192.0.2.1"), far = ip("198.51.100.9"), six = ip("2001:db8::9");
	struct err err = {0};

	(void)state;
	assert_int_equal(port_open(&conf, &port, &err), 0);
	assert_int_equal(neighbour_open(&port, 1, 0, &nb, &err), 0);
	assert_int_equal(neighbour_lookup(nb, &ref, &local, &far, &hop), NEIGHBOUR_NO_ROUTE);
	assert_int_equal(neighbour_add_static(nb, &any, &far, 0, mac_a), 0);
	assert_int_equal(neighbour_add_static(nb, &any, &any, 0, mac_b), 0);
	assert_int_equal(neighbour_add_static(nb, &any, &any, 1, mac_b), -EINVAL);

	assert_int_equal(neighbour_lookup(nb, &ref, &local, &far, &hop), NEIGHBOUR_READY);
	assert_memory_equal(hop.ether, mac_a, 6);
	assert_memory_equal(hop.ether + 6, port->mac.addr_bytes, 6);
	assert_memory_equal(hop.ether + 12, "\x08\x00", 2);
	assert_int_equal(hop.mtu, 1500);
	assert_int_equal(neighbour_lookup(nb, NULL, &six, &six, &hop), NEIGHBOUR_READY);
	assert_memory_equal(hop.ether, mac_b, 6);
	assert_memory_equal(hop.ether + 12, "\x86\xdd", 2);
	neighbour_stats(nb, &stats);
	assert_memory_equal(&stats, &(struct dp_next_hops){0}, sizeof stats);
	neighbour_close(nb);
	port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_pass_through_rings_and_stay_the_same),
		cmocka_unit_test(a_null_port_takes_all_and_gives_nothing),
		cmocka_unit_test(what_cannot_be_opened_is_named),
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(impossible_media_is_refused),
		cmocka_unit_test(fixed_hops_need_no_kernel),
	};

	return cmocka_run_group_tests_name("port", tests, start, stop);
}
