/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane is told: figures, events and datagrams for it, also when it reads too slowly. */
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define CM SRTP_AES_CM_128_HMAC_SHA1_80

/* Loss and jitter as RFC 3550 has them: 100 packets at 20 ms, 7 missing, one in two 5 ms late. */
static void test_figures(void **state)
{
	struct rig *r = *state;
	const struct dp_stats_leg *s;
	struct dp_stats_global sum = {.rx_packets = 0};
	uint8_t p[256];

	rig_plain_call(r, 2);
	s = rig_leg_stats(r, 2, 0);
	assert_true(s->rx_age_ms == UINT64_MAX);
	for (uint16_t i = 0; i < 100; i++) {
		rig_run(r, i % 2 ? 25 : 15);
		if (i % 14 == 13)
			continue;
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, (uint16_t)(65500 + i), i * 160u, 160));
	}
	rig_run(r, 50);
	s = rig_leg_stats(r, 2, 0);
	assert_int_equal(s->rx_packets, 93);
	assert_int_equal(s->rx_octets, 93 * 172);
	assert_int_equal(s->rx_lost, 7);
	assert_in_range(s->rx_jitter_us, 3500, 5500);
	assert_in_range(s->rx_age_ms, 45, 80);
	assert_int_equal(s->verdicts[DP_V_RELAYED], 93);
	assert_int_equal(rig_count(r, DP_STATS_LEG), 2);
	assert_int_equal(rig_leg_stats(r, 2, 1)->tx_packets, 93);
	control_sum(r->control, &sum);
	assert_int_equal(sum.rx_packets, 93);
	assert_int_equal(sum.tx_packets, 93);
	assert_int_equal(sum.sessions, 1);
	assert_int_equal(sum.legs, 2);
}

/* Of each leg it is told which ports are in use: a control plane that was started again gives them to nobody
 * else. */
static void test_ports_are_told(void **state)
{
	struct rig *r = *state;
	struct ip_port rtcp = gw_a;
	const struct dp_stats_leg *s;
	union dp_msg m;

	rig_plain_call(r, 2);
	s = rig_leg_stats(r, 2, 0);
	assert_true(ip_port_equal(&s->local[0], &gw_a));
	assert_int_equal(s->local[1].ip.family, IP_NONE);
	rtcp.port++;
	m = rig_leg(2, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	m.leg_update.local_rtcp = rtcp;
	for (unsigned mux = 0; mux < 2; mux++) {
		m.leg_update.flags = mux ? DP_LEG_RTCP_MUX : 0;
		assert_int_equal(rig_command(r, &m), 0);
		s = rig_leg_stats(r, 2, 0);
		assert_true(ip_port_equal(&s->local[0], &gw_a));
		assert_true(ip_port_equal(&s->local[1], &rtcp));
	}
}

/* Each packet comes twice, the copy 10 ms late: of that the stream's own jitter does not know. */
static void test_copies_do_not_jitter(void **state)
{
	struct rig *r = *state;
	const struct dp_stats_leg *s;
	uint8_t p[256];

	rig_plain_call(r, 2);
	for (uint16_t i = 0; i < 50; i++) {
		for (unsigned copy = 0; copy < 2; copy++) {
			rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, i, i * 160u, 160));
			rig_run(r, 10);
		}
	}
	s = rig_leg_stats(r, 2, 0);
	assert_int_equal(s->rx_packets, 100);
	assert_in_range(s->rx_jitter_us, 0, 500);
}

/* What arrives at the wrong worker reaches its own, and is counted. */
static void test_hand_over(void **state)
{
	struct rig *r = *state;
	struct dp_stats_global sum = {.rx_packets = 0};
	struct datagram d;
	uint8_t p[256];

	rig_addresses(false);
	gw_a.port = RIG_PORTS_1;
	gw_b.port = RIG_PORTS_1 + 10;
	rig_call(r, 2, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
	for (uint16_t i = 1; i <= 20; i++)
		rig_send_at(r, i % 2, peer_a, gw_a, p, rig_rtp(p, 4, i, i * 160u, 160));
	rig_run(r, 2);
	for (unsigned i = 0; i < 20; i++)
		assert_true(rig_receive(r, &d));
	control_sum(r->control, &sum);
	assert_int_equal(sum.handover, 10);
	assert_int_equal(sum.verdicts[DP_V_RELAYED], 20);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_RELAYED), 20);
}

/* The port takes no more: dropped and counted, nothing leaks (the teardown looks). */
static void test_full_port(void **state)
{
	struct rig *r = *state;
	uint8_t p[256];

	rig_plain_call(r, 2);
	for (uint16_t i = 0; i < 1200; i++) {
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, i, i * 160u, 20));
		rig_run(r, 1);
	}
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_RELAYED), RIG_RING - 1);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_TX_FULL), 1200 - (RIG_RING - 1));
}

/* What is no media of ours is nobody's verdict: it is the kernel's. */
static void test_not_media(void **state)
{
	struct rig *r = *state;
	struct dp_stats_global sum = {.rx_packets = 0};
	uint8_t arp[60] = {0};

	rig_plain_call(r, 2);
	arp[12] = 8;
	arp[13] = 6;
	rig_send_frame(r, arp, sizeof arp);
	rig_send(r, peer_a, rig_addr("10.0.0.1", 5060), "OPTIONS", 7);
	rig_send(r, peer_a, rig_addr("10.0.0.200", 20000), "x", 1);
	rig_send(r, peer_a, rig_addr("10.0.0.1", 20500), "x", 1); /* a media port without a leg */
	rig_send(r, peer_a, gw_a, "x", 1);                        /* no RTP */
	rig_run(r, 2);
	control_sum(r->control, &sum);
	assert_int_equal(sum.to_kernel, 3);
	assert_int_equal(sum.verdicts[DP_V_NO_LEG], 1);
	assert_int_equal(sum.verdicts[DP_V_MALFORMED], 1);
}

/* Silence is reported once, and again after media came back; legs that expect nothing are not missed. */
static void test_media_timeout(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	rig_plain_call(r, 2);
	rig_media_timeout(r, 2, 3, 3);
	m = rig_leg(2, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.streams[0].direction = DP_SEND;
	assert_int_equal(rig_command(r, &m), 0);
	rig_run(r, 2500);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 0);
	rig_run(r, 5000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 1);
	assert_int_equal(rig_message(r, DP_MEDIA_TIMEOUT)->media_timeout.leg, 0);
	assert_int_equal(rig_say(r, 1), 1);
	rig_run(r, 5000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 2);
}

/* Each side's party says how long it may be silent. */
static void test_each_side_has_its_own_media_timeout(void **state)
{
	struct rig *r = *state;

	rig_plain_call(r, 2);
	rig_media_timeout(r, 2, 20, 3);
	rig_run(r, 10000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 1);
	assert_int_equal(rig_message(r, DP_MEDIA_TIMEOUT)->media_timeout.leg, 1);
	rig_run(r, 15000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 2);
	assert_int_equal(rig_session_delete(r, 2), 0);
	rig_plain_call(r, 3);
	rig_media_timeout(r, 3, 0, 0); /* as configured: never */
	rig_run(r, 25000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 2);
}

/* Side B's speech is not heard while its pictures are, and the other way round; then neither. */
static void test_one_of_two_m_lines_is_enough(void **state)
{
	const struct ip_port local[] = {rig_addr("10.0.0.1", 20000), rig_addr("10.0.0.1", 20010),
		rig_addr("10.0.0.1", 20004), rig_addr("10.0.0.1", 20014)};
	const struct ip_port remote[] = {rig_addr("10.0.0.10", 5000), rig_addr("10.0.0.11", 6000),
		rig_addr("10.0.0.10", 5002), rig_addr("10.0.0.11", 6002)};
	struct rig *r = *state;
	uint8_t p[256];
	union dp_msg m;

	rig_plain_call(r, 2);
	rig_media_timeout(r, 2, 3, 3);
	for (uint8_t leg = 0; leg < 4; leg++) {
		m = rig_leg(2, leg, DP_SECURITY_PLAIN, local[leg], remote[leg]);
		m.leg_update.streams[0].id = (uint8_t)(leg / 2);
		if (leg % 2 == 0)
			m.leg_update.streams[0].direction = DP_SEND;
		assert_int_equal(rig_command(r, &m), 0);
	}
	for (unsigned i = 0; i < 24; i++) {
		unsigned leg = i < 12 ? 1 : 3;

		rig_send(r, remote[leg], local[leg], p, rig_rtp(p, 4 + leg, (uint16_t)i, i * 160u, 160));
		rig_run(r, 500);
		rig_heard(r);
	}
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 0);
	rig_run(r, 5000);
	assert_true(rig_count(r, DP_MEDIA_TIMEOUT) > 0);
	assert_int_equal(rig_message(r, DP_MEDIA_TIMEOUT)->media_timeout.leg % 2, 1);
}

/*
 * A control plane that takes nothing for long: events wait, in the end one for each leg, and the newest state
 * comes when it reads again.
 */
static void test_slow_reader(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(CM, 1, SRTP_PROTECT);
	const unsigned moves = MAILBOX_EVENTS + 500;
	struct ip_port from = {.port = 0};
	struct datagram d;
	union dp_msg m;
	uint8_t p[256];

	rig_plain_call(r, 2);
	m = rig_leg(2, 0, DP_SECURITY_SRTP, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(2, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	r->refuse_out = true;
	rig_forget(r);
	for (unsigned i = 0; i < moves; i++) {
		size_t n = rig_rtp(p, 4, (uint16_t)(i + 1), i * 160, 160);

		from = rig_addr("10.0.0.10", (uint16_t)(7000 + i));
		assert_int_equal(srtp_context_protect(c, p, &n, sizeof p), 0);
		rig_send(r, from, gw_a, p, n);
		rig_run(r, 101);
		assert_true(rig_receive(r, &d));
	}
	assert_int_equal(r->n_messages, 0);
	assert_false(control_ready(r->control));
	r->refuse_out = false;
	for (unsigned i = 0, events = 0; i < moves; i++) {
		rig_run(r, 1);
		events += rig_count(r, DP_REMOTE_CHANGED);
		assert_true(events <= MAILBOX_EVENTS + 1);
		if (rig_message(r, DP_REMOTE_CHANGED))
			m = *rig_message(r, DP_REMOTE_CHANGED);
		rig_forget(r);
	}
	assert_true(ip_port_equal(&m.remote_changed.remote, &from));
	assert_true(control_ready(r->control));
	srtp_context_free(c);
}

/* DTLS goes up when the leg says so, and the answer goes down. */
static void test_punt(void **state)
{
	struct rig *r = *state;
	uint8_t hello[60] = {22, 0xfe, 0xfd};
	struct datagram d;
	union dp_msg m;

	rig_plain_call(r, 2);
	rig_send(r, peer_a, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_MALFORMED), 1);
	m = rig_leg(2, 0, DP_SECURITY_SRTP, gw_a, peer_a);
	m.leg_update.flags |= DP_LEG_PUNT_DTLS;
	assert_int_equal(rig_command(r, &m), 0);
	rig_send(r, peer_a, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_int_equal(rig_message(r, DP_PUNT_RX)->punt.n, sizeof hello);
	assert_memory_equal(rig_message(r, DP_PUNT_RX)->punt.octets, hello, sizeof hello);
	dp_msg_init(&m, DP_PUNT_TX, 0);
	m.punt.session = 2;
	m.punt.n = 33;
	m.punt.remote = peer_b;
	m.punt.octets[32] = 5;
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(rig_receive(r, &d));
	assert_int_equal(d.n, 33);
	assert_true(ip_port_equal(&d.destination, &peer_b));
	assert_true(ip_port_equal(&d.source, &gw_a));
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, 2, 0))->remote, &peer_a));
}

/* A backend whose device can be told to be out of use. */
static int device_down;

static int device_health(struct crypto_queue *q, struct crypto_health *out)
{
	int rc = crypto_ipsec_mb.health(q, out);

	out->degraded = device_down != 0;
	out->failovers = (uint64_t)device_down;
	out->overflow_slots = device_down ? 4 : 0;
	return rc;
}

static void test_crypto_alarm(void **state)
{
	struct rig *r = *state;
	struct crypto_backend backend = crypto_ipsec_mb;
	struct dp_stats_global sum = {.rx_packets = 0};
	const union dp_msg *m;

	backend.health = device_health;
	r->w[1]->backend = &backend;
	device_down = 0;
	rig_run(r, 50);
	assert_int_equal(rig_count(r, DP_ALARM), 0);
	device_down = 1;
	rig_run(r, 50);
	assert_int_equal(rig_count(r, DP_ALARM), 1);
	m = rig_message(r, DP_ALARM);
	assert_int_equal(m->alarm.worker, 1);
	assert_int_equal(m->alarm.kind, DP_ALARM_CRYPTO_DEVICE);
	assert_true(m->alarm.raised);
	control_sum(r->control, &sum);
	assert_int_equal(sum.crypto_degraded, 1);
	assert_int_equal(sum.crypto_overflow_keys, 4);
	assert_int_equal(sum.crypto_failovers, 1);

	/* Over while nobody listens: told when somebody does. */
	r->refuse_out = true;
	device_down = 0;
	rig_run(r, 50);
	r->refuse_out = false;
	rig_run(r, 50);
	assert_int_equal(rig_count(r, DP_ALARM), 2);
	assert_false(rig_message(r, DP_ALARM)->alarm.raised);
	r->w[1]->backend = &crypto_ipsec_mb;
}

/* Each control plane that connects hears of a device that is out of use, and the newest state only. */
static void test_who_connects_hears_of_a_crypto_alarm(void **state)
{
	struct rig *r = *state;
	struct crypto_backend backend = crypto_ipsec_mb;
	const struct dp_alarm *a;

	backend.health = device_health;
	r->w[1]->backend = &backend;
	device_down = 1;
	rig_run(r, 50);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(rig_count(r, DP_ALARM), i);
		a = &rig_message(r, DP_ALARM)->alarm;
		assert_int_equal(a->kind, DP_ALARM_CRYPTO_DEVICE);
		assert_int_equal(a->worker, 1);
		assert_true(a->raised);
		assert_int_equal(a->times, 1);
		control_connection(r->control, false);
		rig_run(r, 50);
		control_connection(r->control, true);
		rig_run(r, 50);
	}
	rig_forget(r);
	control_connection(r->control, false);
	device_down = 0;
	rig_run(r, 50);
	control_connection(r->control, true);
	rig_run(r, 50);
	for (unsigned i = 0; i < rig_count(r, DP_ALARM); i++)
		assert_false(rig_message(r, DP_ALARM)->alarm.raised);
	rig_forget(r);
	control_connection(r->control, true);
	rig_run(r, 50);
	assert_int_equal(rig_count(r, DP_ALARM), 0);
	r->w[1]->backend = &crypto_ipsec_mb;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_figures, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_ports_are_told, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_copies_do_not_jitter, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_hand_over, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_full_port, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_not_media, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_timeout, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_each_side_has_its_own_media_timeout, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_one_of_two_m_lines_is_enough, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_slow_reader, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_punt, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_crypto_alarm, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(
			test_who_connects_hears_of_a_crypto_alarm, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
