/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane is told of the data plane's network interfaces and next hops. */
#include <stdio.h>
#include <string.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

int __wrap_rte_eth_stats_get(uint16_t port, struct rte_eth_stats *s);

/* A NIC that drops. */
int __wrap_rte_eth_stats_get(uint16_t port, struct rte_eth_stats *s)
{
	(void)port;
	*s = (struct rte_eth_stats){.ipackets = 1,
		.ibytes = 2,
		.opackets = 3,
		.obytes = 4,
		.imissed = 5,
		.ierrors = 6,
		.rx_nombuf = 7,
		.oerrors = 8};
	return 0;
}

void __wrap_neighbour_stats(const struct neighbour *nb, struct dp_next_hops *out);

void __wrap_neighbour_stats(const struct neighbour *nb, struct dp_next_hops *out)
{
	assert_non_null(nb);
	*out = (struct dp_next_hops){
		.resolved = 1, .unresolved = 2, .no_route = 3, .idle = 4, .capacity = 5, .evicted = 6};
}

static void seconds_pass(struct rig *r)
{
	r->now += 2 * NS_PER_S;
	control_links(r->control, r->now);
}

static const struct dp_alarm *alarm_is(struct rig *r, unsigned count)
{
	assert_int_equal(rig_count(r, DP_ALARM), count);
	return count ? &rig_message(r, DP_ALARM)->alarm : NULL;
}

static void ask(struct rig *r)
{
	union dp_msg m;

	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_GLOBAL;
	assert_int_equal(rig_command(r, &m), 0);
}

static const struct dp_stats_port *figures(struct rig *r)
{
	ask(r);
	assert_non_null(rig_message(r, DP_STATS_PORT));
	return &rig_message(r, DP_STATS_PORT)->stats_port;
}

static void test_a_lost_link_is_an_alarm(void **state)
{
	struct rig *r = *state;
	const struct dp_alarm *a;

	seconds_pass(r);
	alarm_is(r, 0);
	assert_int_equal(rte_eth_dev_set_link_down(r->port->id), 0);
	seconds_pass(r);
	a = alarm_is(r, 1);
	assert_int_equal(a->kind, DP_ALARM_LINK);
	assert_string_equal(a->interface, "rig");
	assert_true(a->raised);
	assert_int_equal(a->times, 1);
	seconds_pass(r);
	alarm_is(r, 1);
	assert_false(figures(r)->link_up);
	assert_int_equal(figures(r)->link_losses, 1);
	assert_int_equal(rte_eth_dev_set_link_up(r->port->id), 0);
	seconds_pass(r);
	a = alarm_is(r, 2);
	assert_false(a->raised);
	assert_int_equal(a->times, 1);
	assert_true(figures(r)->link_up);
}

static void test_who_connects_hears_of_an_alarm_that_lasts(void **state)
{
	struct rig *r = *state;

	seconds_pass(r);
	control_connection(r->control, false);
	assert_int_equal(rte_eth_dev_set_link_down(r->port->id), 0);
	seconds_pass(r);
	alarm_is(r, 0);
	control_connection(r->control, true);
	seconds_pass(r);
	assert_true(alarm_is(r, 1)->raised);
	/* The next one as well, and nobody of what is over. */
	control_connection(r->control, true);
	seconds_pass(r);
	assert_true(alarm_is(r, 2)->raised);
	assert_int_equal(rte_eth_dev_set_link_up(r->port->id), 0);
	seconds_pass(r);
	assert_false(alarm_is(r, 3)->raised);
	control_connection(r->control, true);
	seconds_pass(r);
	alarm_is(r, 3);
}

static void test_what_a_nic_drops_is_told(void **state)
{
	struct rig *r = *state;
	const struct dp_stats_port *s = figures(r);

	assert_string_equal(s->interface, "rig");
	assert_true(s->link_up);
	assert_int_equal(s->rx_packets, 1);
	assert_int_equal(s->rx_octets, 2);
	assert_int_equal(s->tx_packets, 3);
	assert_int_equal(s->tx_octets, 4);
	assert_int_equal(s->rx_missed, 5);
	assert_int_equal(s->rx_errors, 6);
	assert_int_equal(s->rx_no_buffer, 7);
	assert_int_equal(s->tx_errors, 8);
}

static void test_next_hops_are_told(void **state)
{
	struct rig *r = *state;
	const struct dp_next_hops *s;

	ask(r);
	assert_non_null(rig_message(r, DP_STATS_GLOBAL));
	s = &rig_message(r, DP_STATS_GLOBAL)->stats_global.next_hops;
	assert_int_equal(s->resolved, 1);
	assert_int_equal(s->unresolved, 2);
	assert_int_equal(s->no_route, 3);
	assert_int_equal(s->idle, 4);
	assert_int_equal(s->capacity, 5);
	assert_int_equal(s->evicted, 6);
}

#define BUSY 3     /* ports */
#define FRAMES 700 /* that wait at each: together more than a worker takes in a step */

static struct port *busy_port(struct rig *r, unsigned number, struct rte_ring *rings[RIG_WORKERS])
{
	struct port_conf conf = {.kind = PORT_RING,
		.queues = RIG_WORKERS,
		.rx_rings = rings,
		.tx_rings = r->tx,
		.pool = r->pool};
	struct err err = {""};
	struct port *port;
	char name[32];

	for (unsigned q = 0; q < RIG_WORKERS; q++) {
		snprintf(name, sizeof name, "busy%u_%u", number, q);
		rings[q] = rte_ring_create(name, RIG_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		assert_non_null(rings[q]);
	}
	conf.interface = name;
	if (port_open(&conf, &port, &err) < 0)
		fail_msg("%s", err.text);
	return port;
}

/* None of them waits until another has nothing more. */
static void test_busy_ports_take_turns(void **state)
{
	struct rte_ring *rings[BUSY][RIG_WORKERS];
	struct port *ports[BUSY];
	struct rig *r = *state;
	unsigned left[BUSY];

	for (unsigned i = 0; i < BUSY; i++) {
		ports[i] = busy_port(r, i, rings[i]);
		for (unsigned k = 0; k < FRAMES; k++) {
			struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

			assert_non_null(m);
			memset(rte_pktmbuf_append(m, 60), 0, 60);
			assert_int_equal(rte_ring_enqueue(rings[i][0], m), 0);
		}
	}
	r->w[0]->ports = ports;
	r->w[0]->n_ports = BUSY;
	worker_step(r->w[0], r->now);
	for (unsigned i = 0; i < BUSY; i++)
		left[i] = rte_ring_count(rings[i][0]);
	rig_run(r, 10);
	r->w[0]->ports = &r->port;
	r->w[0]->n_ports = 1;
	r->w[0]->port_next = 0;
	assert_in_range(left[0], 1, FRAMES - 1);
	for (unsigned i = 0; i < BUSY; i++) {
		assert_in_range(left[i], left[0] - PORT_BURST, left[0] + PORT_BURST);
		assert_int_equal(rte_ring_count(rings[i][0]), 0);
		port_close(ports[i]);
		for (unsigned q = 0; q < RIG_WORKERS; q++)
			rte_ring_free(rings[i][q]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_lost_link_is_an_alarm, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_who_connects_hears_of_an_alarm_that_lasts, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_what_a_nic_drops_is_told, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_next_hops_are_told, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_busy_ports_take_turns, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
