/* SPDX-License-Identifier: Apache-2.0 */
/* Message rates: buckets and their table on a clock of the test's own, then sockets. */
#include "tests/unit/sip_net_pair.h"

#include "controlplane/sip/rate.h"

static void test_bucket(void **state)
{
	struct rate_bucket r;
	unsigned taken = 0;

	(void)state;
	rate_begin(&r, 10, 1000);
	for (unsigned i = 0; i < 100; i++)
		taken += rate_take(&r, 1000);
	assert_int_equal(taken, 20); /* two seconds' worth at once */
	assert_int_equal(rate_wait_ms(&r, 1000), 100);
	assert_false(rate_take(&r, 1099));
	assert_true(rate_take(&r, 1100));
	assert_false(rate_take(&r, 1100));
	for (taken = 0; taken < 10 && rate_take(&r, 2100); taken++)
		;
	assert_int_equal(taken, 10);
	/* However long it was silent, no more than two seconds' worth. */
	for (taken = 0; taken < 100 && rate_take(&r, UINT64_C(1) << 60); taken++)
		;
	assert_int_equal(taken, 20);
}

static void test_bucket_ahead_of_time(void **state)
{
	struct rate_bucket r;

	(void)state;
	rate_begin(&r, 10, 0);
	for (unsigned i = 0; i < 120; i++)
		rate_charge(&r, 0);
	assert_int_equal(rate_wait_ms(&r, 0), 10100);
	assert_false(rate_take(&r, 10099));
	assert_true(rate_take(&r, 10100));
	rate_set(&r, 1);
	assert_int_equal(rate_wait_ms(&r, 10100), 1000);
	rate_begin(&r, RATE_UNLIMITED, 0);
	for (unsigned i = 0; i < 1000000; i++)
		assert_true(rate_take(&r, 0));
	assert_int_equal(rate_wait_ms(&r, 0), 0);
}

/* However many sources there are, the table does not grow, and those that send are not driven out. */
static void test_table(void **state)
{
	struct rate_table *t;
	struct ip_addr busy, one = {.family = IP_V6};
	struct rate_source *s;
	unsigned lost = 0;

	(void)state;
	ip_parse(STR("192.0.2.1"), &busy);
	assert_int_equal(rate_table_new(&t), 0);
	assert_null(rate_find(t, &busy));
	s = rate_source_of(t, &busy, 5, 1);
	assert_ptr_equal(rate_find(t, &busy), s);
	assert_true(rate_take(&s->bucket, 1));
	for (uint32_t i = 1; i <= 100000; i++) {
		memcpy(one.octets, &i, sizeof i);
		assert_non_null(rate_source_of(t, &one, 1, i));
		if (i % 100)
			continue;
		s = rate_source_of(t, &busy, 5, i);
		lost += s->bucket.last_ms > 1; /* a new one, full again */
	}
	assert_int_equal(lost, 0);
	rate_table_free(t);
}

/* ---- sockets ---- */

static bool peers_here;

static bool is_peer(void *user, const struct sip_flow *from, uint32_t *per_s)
{
	(void)user, (void)from;
	if (peers_here)
		*per_s = 40;
	return peers_here;
}

static void with_rates(bool peers, uint32_t strangers_udp)
{
	const struct sip_rate_conf conf = {
		.peer_per_s = 50,
		.stranger_per_s = 2,
		.strangers_udp_per_s = strangers_udp,
		.peer = is_peer,
	};

	peers_here = peers;
	assert_int_equal(sip_net_set_rates(b.net, &conf), 0);
}

#define FLOOD 100

static bool all_datagrams_are_read(void)
{
	return b.messages + b.counters.rx_rate_dropped + b.counters.rx_rate_dropped_unknown >= FLOOD;
}

/* Whatever arrives: a busy machine gives a bucket time to fill, so only bounds are looked at. */
static void flood_by_udp(void)
{
	struct sip_flow to;

	listen_on(&a, SIP_UDP, NULL);
	listen_on(&b, SIP_UDP, NULL);
	to = to_b();
	for (unsigned i = 0; i < FLOOD; i++)
		assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(all_datagrams_are_read));
	assert_int_equal(a.messages, 0); /* what is dropped is not answered */
}

static void test_a_stranger_by_udp(void **state)
{
	(void)state;
	with_rates(false, 1000);
	flood_by_udp();
	assert_in_range(b.messages, 4, FLOOD / 2);
	assert_int_equal(b.counters.rx_rate_dropped_unknown, FLOOD - b.messages);
	assert_int_equal(b.counters.rx_rate_dropped, 0);
}

static void test_all_strangers_by_udp(void **state)
{
	(void)state;
	with_rates(false, 1);
	flood_by_udp();
	assert_in_range(b.messages, 2, FLOOD / 2);
}

static void test_a_peer_by_udp(void **state)
{
	(void)state;
	with_rates(true, 1);
	flood_by_udp();
	assert_in_range(b.messages, 80, FLOOD);
	assert_int_equal(b.counters.rx_rate_dropped, FLOOD - b.messages);
	assert_int_equal(b.counters.rx_rate_dropped_unknown, 0);
}

/* Whoever has shown his password, or is sent requests, is no stranger any more. */
static void test_a_stranger_becomes_known(void **state)
{
	struct sip_flow from;

	(void)state;
	with_rates(false, 1000);
	listen_on(&a, SIP_UDP, NULL);
	listen_on(&b, SIP_UDP, NULL);
	from = (struct sip_flow){.remote = *sip_listener_local(a.l), .listener = b.l};
	sip_net_know(b.net, &from);
	struct sip_flow to = to_b();

	for (unsigned i = 0; i < FLOOD; i++)
		assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_true(loop_until(all_datagrams_are_read));
	assert_int_equal(b.messages, FLOOD);
}

static bool b_has_all(void)
{
	return b.messages >= 2 * FLOOD;
}

/* A connection is slowed down, and loses nothing. */
static void test_a_connection(void **state)
{
	(void)state;
	with_rates(true, 1);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	for (unsigned i = 0; i < 2 * FLOOD; i++) {
		raw_send(OPTIONS, sizeof OPTIONS - 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	for (unsigned i = 0; i < 10 && !b_has_all(); i++)
		loop_until(b_has_all);
	assert_int_equal(b.messages, 2 * FLOOD);
	assert_true(b.counters.rx_rate_paused > 0);
	close(raw_fd);
	assert_true(loop_until(b_is_empty));
}

/* One that is closed while it waits is gone. */
static void test_a_connection_that_is_closed(void **state)
{
	(void)state;
	with_rates(false, 1);
	listen_on(&b, SIP_TCP, NULL);
	raw_begin();
	for (unsigned i = 0; i < FLOOD; i++)
		raw_send(OPTIONS, sizeof OPTIONS - 1);
	assert_true(loop_until(b_has_two));
	event_base_loop(base, EVLOOP_NONBLOCK);
	close(raw_fd);
	sip_net_unlisten(b.l);
	assert_true(loop_until(b_is_empty));
}

/* However many strangers hold connections, a trunk's party gets one. */
static void test_strangers_leave_room_for_peers(void **state)
{
	enum { MOST = 8 };
	struct sip_flow party = {.transport = SIP_TCP};
	int fds[MOST];

	(void)state;
	teardown(state);
	b_conf.connections_max = MOST;
	setup(state);
	with_rates(false, 1000);
	listen_on(&b, SIP_TCP, NULL);
	for (unsigned i = 0; i < MOST - 1; i++)
		fds[i] = raw_connect();
	raw_begin();
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_refused_limit, 1);
	assert_int_equal(b.counters.conn_accepted, MOST - 1);
	close(raw_fd);
	party.listener = b.l;
	assert_int_equal(ip_parse(STR("127.0.0.1"), &party.remote.ip), 0);
	sip_net_know(b.net, &party);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(b_has_message));
	fds[MOST - 1] = raw_fd;
	raw_begin(); /* there is an end of it for peers too */
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.counters.conn_refused_limit, 2);
	close(raw_fd);
	for (unsigned i = 0; i < MOST; i++)
		close(fds[i]);
	assert_true(loop_until(b_is_empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_bucket_ahead_of_time),
		cmocka_unit_test(test_table),
		T(test_a_stranger_by_udp),
		T(test_all_strangers_by_udp),
		T(test_a_peer_by_udp),
		T(test_a_stranger_becomes_known),
		T(test_a_connection),
		T(test_a_connection_that_is_closed),
		T(test_strangers_leave_room_for_peers),
	};

	return cmocka_run_group_tests_name("sip_rate", tests, NULL, NULL);
}
