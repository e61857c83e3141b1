/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that an earlier control plane left at the data plane: taken over with their calls, or nobody's. */
#include "controlplane/media/dp_private.h"
#include "tests/unit/dp_client_bench.h"

static const unsigned group0[] = {0};

static int start_with_long_grace(void **state)
{
	orphan_ms = 600000;
	return start(state);
}

static int start_with_short_grace(void **state)
{
	orphan_ms = 20;
	return start(state);
}

/* Three pairs of ports; the session that is there has the second, its RTP on the odd one. */
#define ORPHAN (UINT64_C(99) << 32 | 1)

static int start_with_ports(unsigned grace_ms)
{
	struct port_range r = {.lower = 10000, .upper = 10005};
	struct err e = {0};
	int rc;

	ip_parse(STR("192.0.2.1"), &r.ip);
	r.advertised = r.ip;
	orphan_ms = grace_ms;
	assert_int_equal(port_alloc_new(&r, 1, 1, &held_in, &e), 0);
	rc = start(NULL);
	leg_ports[0] = (struct ip_port){.ip = r.ip, .port = 10003};
	leg_ports[1] = (struct ip_port){.ip = r.ip, .port = 10002};
	plane.has[plane.n++] = ORPHAN;
	return rc;
}

static int start_with_ports_and_grace(void **state)
{
	(void)state;
	return start_with_ports(600000);
}

static int start_with_ports_and_short_grace(void **state)
{
	(void)state;
	return start_with_ports(20);
}

static int start_with_ports_only(void **state)
{
	(void)state;
	return start_with_ports(0);
}

/* What is free now is given out in this order, to the last. */
static void assert_free(unsigned n, const uint16_t expected[])
{
	struct port_lease leases[6] = {0};

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(port_alloc_get(held_in, group0, 1, IP_NONE, 0, PORT_PAIR, &leases[i]), 0);
		assert_int_equal(leases[i].rtp.port, expected[i]);
	}
	assert_int_equal(port_alloc_get(held_in, group0, 1, IP_NONE, 0, PORT_PAIR, &leases[n]), -ENOSPC);
	for (unsigned i = 0; i < n; i++)
		port_alloc_put(held_in, &leases[i]);
}

/* What an earlier control plane left behind is deleted, page by page, and its places are not used before. */
static void orphans_are_deleted(void **state)
{
	struct dp_client_counters n;
	dp_session_id id;

	(void)state;
	for (unsigned i = 0; i < SESSIONS; i++)
		plane.has[plane.n++] = UINT64_C(99) << 32 | i;
	plane.keep = true;
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), -ENOSPC);
	until(count_of(DP_SESSION_DEL) == SESSIONS);
	for (unsigned i = 0; i < SESSIONS; i++)
		fake_plane_drop(&plane, UINT64_C(99) << 32 | i);
	while (dp_client_session_open(client, NULL, &id) == -ENOSPC)
		event_base_loop(base, EVLOOP_ONCE);
	dp_client_counters(client, &n);
	assert_int_equal(n.orphans, SESSIONS);
	assert_int_equal(n.stray, 0);
}

/* In their grace period they stay, through a reconnect too, and nobody else gets their places. */
static void orphans_have_a_grace_period(void **state)
{
	struct dp_client_counters n;
	dp_session_id id;

	(void)state;
	plane.has[plane.n++] = UINT64_C(99) << 32 | 1;
	until(seen.ready);
	for (unsigned i = 1; i < SESSIONS; i++)
		assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	assert_int_equal(dp_client_session_open(client, NULL, &id), -ENOSPC);
	fake_plane_hang_up(&plane);
	until(seen.ready == 2);
	assert_int_equal(count_of(DP_SESSION_DEL), 0);
	assert_true(fake_plane_has(&plane, UINT64_C(99) << 32 | 1));
	dp_client_counters(client, &n);
	assert_int_equal(n.orphans, 1);
}

static void orphans_go_after_it(void **state)
{
	(void)state;
	plane.has[plane.n++] = UINT64_C(99) << 32 | 1;
	until(seen.ready);
	until(!fake_plane_has(&plane, UINT64_C(99) << 32 | 1));
}

/* Who sends to them does so still, and the data plane refuses them to anybody else. */
static void its_ports_are_nobodys_while_it_lasts(void **state)
{
	(void)state;
	until(seen.ready);
	assert_free(2, (uint16_t[]){10000, 10004});
	fake_plane_hang_up(&plane);
	until(seen.ready == 2);
	assert_free(2, (uint16_t[]){10000, 10004});
	assert_int_equal(count_of(DP_STATS), 1);
	dp_orphans_end(-1, 0, client);
	until(!fake_plane_has(&plane, ORPHAN));
	for (struct dp_client_counters n = {.closing = 1}; n.closing; dp_client_counters(client, &n))
		event_base_loop(base, EVLOOP_ONCE);
	/* From now on they are free, and behind the others: packets may be on their way still. */
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

/* Without a grace period as well, until it is deleted. */
static void its_ports_are_nobodys_until_it_is_deleted(void **state)
{
	(void)state;
	plane.keep = true;
	until(seen.ready);
	until(count_of(DP_SESSION_DEL));
	assert_free(2, (uint16_t[]){10000, 10004});
	fake_plane_drop(&plane, ORPHAN);
	for (struct dp_client_counters n = {.closing = 1}; n.closing; dp_client_counters(client, &n))
		event_base_loop(base, EVLOOP_ONCE);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

/* A data plane that was started again has nothing of it. */
static void its_ports_are_free_after_a_restart(void **state)
{
	(void)state;
	until(seen.ready);
	fake_plane_hang_up(&plane);
	plane.instance++;
	plane.n = 0;
	until(seen.ready == 2);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

static int hang_up_once(const union dp_msg *c)
{
	if (c->h.type == DP_STATS && count_of(DP_STATS) == 1)
		fake_plane_hang_up(&plane);
	return 0;
}

/* It is asked for again. */
static void a_connection_breaks_before_its_ports_are_known(void **state)
{
	(void)state;
	leg_ports[1].ip.family = IP_NONE;
	plane.stats = NULL;
	plane.command = hang_up_once;
	until(count_of(DP_STATS));
	plane.stats = stats;
	until(seen.ready);
	assert_int_equal(count_of(DP_STATS), 2);
	assert_free(2, (uint16_t[]){10000, 10004});
}

static int restart_once(const union dp_msg *c)
{
	if (c->h.type == DP_STATS) {
		fake_plane_hang_up(&plane);
		plane.instance++;
		plane.n = 0;
	}
	return 0;
}

/* It ends in the middle of the first listing; the one that follows it has nothing of the session. */
static void a_data_plane_restarts_before_it_was_listed(void **state)
{
	dp_session_id id;

	(void)state;
	plane.command = restart_once;
	until(seen.ready);
	assert_int_equal(count_of(DP_STATS), 1);
	for (unsigned i = 0; i < SESSIONS; i++)
		assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

static void mute_when_asked(const union dp_msg *c)
{
	record(c);
	plane.mute |= c->h.type == DP_STATS;
}

/* By a data plane that is slow: the listing ends after the grace period. */
static void the_grace_ends_before_its_ports_are_known(void **state)
{
	union dp_msg answer;

	(void)state;
	plane.saw = mute_when_asked;
	until(plane.mute && !event_pending(client->orphan_timer, EV_TIMEOUT, NULL));
	assert_int_equal(seen.ready, 0);
	plane.saw = record;
	plane.mute = false;
	stats(&last[n_last - 1]);
	dp_msg_init(&answer, DP_ACK, last[n_last - 1].h.seq);
	answer.ack.of_type = DP_STATS;
	fake_plane_say(&plane, &answer);
	until(seen.ready);
	until(!fake_plane_has(&plane, ORPHAN));
	for (struct dp_client_counters n = {.closing = 1}; n.closing; dp_client_counters(client, &n))
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(count_of(DP_SESSION_DEL), 1);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

static int gone_meanwhile(const union dp_msg *c)
{
	if (c->h.type != DP_STATS)
		return 0;
	fake_plane_drop(&plane, c->stats.session);
	return -ENOENT;
}

/* The last control plane had deleted it, and the data plane is about to: that comes before the answer. */
static void it_goes_before_its_ports_are_known(void **state)
{
	dp_session_id id;

	(void)state;
	plane.command = gone_meanwhile;
	until(seen.ready);
	for (unsigned i = 0; i < SESSIONS; i++)
		assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

/* The ports of a call that was taken over are that call's. */
static void what_a_call_has_is_not_withheld(void **state)
{
	struct port_lease lease = {0};

	(void)state;
	assert_int_equal(port_alloc_claim(held_in, &leg_ports[1], 0, &lease), 0);
	until(seen.ready);
	port_alloc_put(held_in, &lease);
	assert_free(3, (uint16_t[]){10000, 10004, 10002});
}

/* As a commit of the configuration does it. */
static void set_range(uint16_t lower, uint16_t upper)
{
	struct port_range r = {.lower = lower, .upper = upper};
	struct dp_client_media media = {.generation = 1};
	struct port_plan *plan;
	struct err e = {0};

	ip_parse(STR("192.0.2.1"), &r.ip);
	r.advertised = r.ip;
	assert_int_equal(port_alloc_prepare(held_in, &r, 1, &plan, &e), 0);
	port_alloc_commit(plan);
	assert_int_equal(dp_client_configure(client, &media), 0);
}

static void grace_ends(void)
{
	dp_orphans_end(-1, 0, client);
	for (struct dp_client_counters n = {.closing = 1}; n.closing; dp_client_counters(client, &n))
		event_base_loop(base, EVLOOP_ONCE);
}

/* It was outside all ranges when it was found. */
static void a_range_that_is_added_does_not_give_its_ports(void **state)
{
	(void)state;
	leg_ports[0].port = 10007;
	leg_ports[1].port = 10006;
	until(seen.ready);
	assert_free(3, (uint16_t[]){10000, 10002, 10004});
	set_range(10000, 10009);
	assert_free(4, (uint16_t[]){10000, 10002, 10004, 10008});
	grace_ends();
	assert_free(5, (uint16_t[]){10000, 10002, 10004, 10008, 10006});
}

/* It is added, taken away and added again: what was withheld of it stays so, and drains meanwhile. */
static void a_range_that_comes_back_does_not_give_its_ports(void **state)
{
	(void)state;
	until(seen.ready);
	set_range(20000, 20003);
	assert_free(2, (uint16_t[]){20000, 20002});
	set_range(10000, 10005);
	assert_free(2, (uint16_t[]){10000, 10004});
	set_range(20000, 20003);
	grace_ends();
	set_range(10000, 10005);
	assert_free(3, (uint16_t[]){10000, 10002, 10004});
}

/* A call's pair keeps the rest of a range from going when it is found. */
static void a_range_that_drains_and_comes_back_does_not_give_its_ports(void **state)
{
	struct port_lease lease;

	(void)state;
	assert_int_equal(port_alloc_get(held_in, group0, 1, IP_NONE, 0, PORT_PAIR, &lease), 0);
	set_range(20000, 20003);
	until(seen.ready);
	set_range(10000, 10005);
	port_alloc_put(held_in, &lease);
	assert_free(2, (uint16_t[]){10004, 10000});
}

/* Sessions of our last process: one is there, one is not, and one is nobody's. */
static void sessions_are_taken_over(void **state)
{
	const dp_session_id there = UINT64_C(7) << 32 | 1, gone = UINT64_C(9) << 32 | 2,
			    nobodys = UINT64_C(8) << 32;
	dp_session_id id;
	int me;

	(void)state;
	plane.has[plane.n++] = there;
	plane.has[plane.n++] = nobodys;
	assert_int_equal(dp_client_session_restore(client, there, NULL), 0);
	assert_int_equal(dp_client_session_restore(client, gone, &me), 0);
	assert_int_equal(dp_client_session_restore(client, there + (UINT64_C(1) << 32), NULL), -EEXIST);
	assert_int_equal(dp_client_session_restore(client, 5, NULL), -EINVAL);
	assert_int_equal(dp_client_session_restore(client, UINT64_C(1) << 32 | UINT32_MAX, NULL), -EINVAL);
	until(seen.ready);
	assert_int_equal(seen.found, 1);
	assert_int_equal(seen.lost, 1);
	assert_true(seen.lost_id == gone && seen.lost_user == &me);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	assert_int_equal((uint32_t)id, 3);
	assert_int_equal(
		dp_client_session_open(client, NULL, &id), -ENOSPC); /* the orphan's is not free yet */
	dp_client_session_close(client, there);
	until(!fake_plane_has(&plane, there));
	assert_true(fake_plane_has(&plane, nobodys));
}

#define with_ports(f) cmocka_unit_test_setup_teardown(f, start_with_ports_and_grace, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(orphans_are_deleted),
		cmocka_unit_test_setup_teardown(orphans_have_a_grace_period, start_with_long_grace, stop),
		cmocka_unit_test_setup_teardown(orphans_go_after_it, start_with_short_grace, stop),
		with_ports(its_ports_are_nobodys_while_it_lasts),
		cmocka_unit_test_setup_teardown(
			its_ports_are_nobodys_until_it_is_deleted, start_with_ports_only, stop),
		with_ports(its_ports_are_free_after_a_restart),
		with_ports(a_connection_breaks_before_its_ports_are_known),
		with_ports(a_data_plane_restarts_before_it_was_listed),
		cmocka_unit_test_setup_teardown(
			the_grace_ends_before_its_ports_are_known, start_with_ports_and_short_grace, stop),
		with_ports(it_goes_before_its_ports_are_known),
		with_ports(what_a_call_has_is_not_withheld),
		with_ports(a_range_that_is_added_does_not_give_its_ports),
		with_ports(a_range_that_comes_back_does_not_give_its_ports),
		with_ports(a_range_that_drains_and_comes_back_does_not_give_its_ports),
		cmocka_unit_test_setup_teardown(sessions_are_taken_over, start_with_long_grace, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
