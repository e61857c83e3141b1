/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane sees: ids, answers, figures, events, and what happens when something is full. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define CM SRTP_AES_CM_128_HMAC_SHA1_80

static struct ip_port gw_a, gw_b, peer_a, peer_b;

static int del(struct rig *r, dp_session_id s)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_DEL, 0);
	m.session_del.session = s;
	return rig_command(r, &m);
}

/* Two plain legs at the worker that owns the ports. */
static void call_open(struct rig *r, dp_session_id s, uint32_t worker)
{
	union dp_msg m;

	gw_a = rig_addr("10.0.0.1", worker ? 25000 : 20000);
	gw_b = rig_addr("10.0.0.1", worker ? 25010 : 20010);
	peer_a = rig_addr("10.0.0.10", 5000);
	peer_b = rig_addr("10.0.0.11", 6000);
	assert_int_equal(rig_session(r, s, worker), 0);
	m = rig_leg(s, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(s, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	assert_int_equal(rig_command(r, &m), 0);
}

static unsigned play(struct rig *r, uint16_t seq)
{
	struct datagram d;
	uint8_t p[256];
	unsigned n = 0;

	rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, seq, seq * 160u, 160));
	rig_run(r, 1);
	while (rig_receive(r, &d))
		n++;
	return n;
}

static void test_hello_and_list(void **state)
{
	struct rig *r = *state;
	const union dp_msg *w;
	union dp_msg m;

	for (dp_session_id s = 1; s < 40; s++)
		assert_int_equal(rig_session(r, s | 7ull << 32, 0), 0);
	dp_msg_init(&m, DP_HELLO, 0);
	assert_int_equal(rig_command(r, &m), 0);
	w = rig_message(r, DP_WELCOME);
	assert_int_equal(w->welcome.sessions, 39);
	assert_int_equal(w->welcome.sessions_max, RIG_SESSIONS);
	assert_int_equal(w->welcome.workers, RIG_WORKERS);
	assert_string_equal(w->welcome.backend, "ipsec-mb");
	assert_true(w->welcome.suites >> CM & 1);
	dp_msg_init(&m, DP_LIST, 0);
	assert_int_equal(rig_command(r, &m), 0);
	w = rig_message(r, DP_LIST_PAGE);
	assert_int_equal(w->list_page.n, 39);
	assert_int_equal(w->list_page.next_cursor, 0);
	assert_true(w->list_page.sessions[38] == (39 | 7ull << 32));
}

/* An id is free again with DP_DELETED, not before; its generation guards against late commands. */
static void test_id_reuse(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 9, 0);
	assert_int_equal(rig_session(r, 9 | 1ull << 32, 0), -EEXIST);
	dp_msg_init(&m, DP_SESSION_DEL, 0);
	m.session_del.session = 9;
	control_handle(r->control, &m);
	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = 9 | 1ull << 32;
	control_handle(r->control, &m);
	assert_int_equal(rig_message(r, DP_ACK)->ack.result, -EEXIST);
	rig_run(r, 2);
	assert_true(rig_message(r, DP_DELETED)->deleted.session == 9);
	assert_int_equal(play(r, 1), 0);
	assert_int_equal(rig_session(r, 9 | 1ull << 32, 0), 0);
	assert_int_equal(del(r, 9), -ENOENT);
	assert_int_equal(rig_session(r, RIG_SESSIONS, 0), -EINVAL);
	assert_int_equal(rig_session(r, 12, RIG_WORKERS), -EINVAL);
	/* Legs, ports and places of the deleted session are free. */
	call_open(r, 9 | 1ull << 32, 0);
	assert_int_equal(play(r, 1), 1);
}

/* The whole state is said again after a reconnect: nothing changes. */
static void test_idempotent(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 2, 0);
	assert_int_equal(play(r, 1), 1);
	call_open(r, 2, 0);
	assert_int_equal(play(r, 2), 1);
	m = rig_leg(2, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	m.leg_update.replay_window = 2048;
	assert_int_equal(rig_command(r, &m), -EINVAL);
}

static void test_refusals(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 2, 0);
	assert_int_equal(rig_session(r, 3, 0), 0);
	m = rig_leg(3, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), -EADDRINUSE);
	m = rig_leg(3, 0, DP_SECURITY_PLAIN, rig_addr("10.0.0.1", 19999), peer_a);
	assert_int_equal(rig_command(r, &m), -EINVAL);
	m = rig_leg(3, 0, DP_SECURITY_PLAIN, rig_addr("10.0.0.1", 25000), peer_a);
	assert_int_equal(rig_command(r, &m), -EINVAL); /* the other worker's */
	m = rig_key(2, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), -EPERM);
	m = rig_key(3, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), -ENOENT);
	assert_true(rig_message(r, DP_ACK)->ack.reason[0] != 0);
	assert_int_equal(play(r, 1), 1);
}

/* Configurations overlap, or name workers that do not exist: refused whole, and the one before holds. */
static void test_configure_refused(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	dp_msg_init(&m, DP_CONFIGURE, 0);
	m.configure.pages = 1;
	m.configure.n_addresses = 2;
	for (unsigned i = 0; i < 2; i++)
		m.configure.addresses[i] = (struct dp_address){
			.ip = rig_addr("10.0.0.9", 1).ip, .port_lower = 100, .port_upper = 200};
	union dp_msg other = m;

	assert_int_equal(rig_command(r, &m), -EINVAL);
	other.configure.n_addresses = 1;
	other.configure.addresses[0].worker = RIG_WORKERS;
	assert_int_equal(rig_command(r, &other), -EINVAL);
	call_open(r, 2, 0);
	assert_int_equal(play(r, 1), 1);
}

struct watcher {
	const struct leg_address *address;
	_Atomic bool stop;
	unsigned looks, gaps;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;

	while (!atomic_load(&w->stop) || !w->looks) {
		for (unsigned port = 20000; port < 25000; port += 100)
			w->gaps += !leg_address_is_media(w->address, (uint16_t)port);
		w->looks++;
	}
	return NULL;
}

static union dp_msg ranges(bool more)
{
	union dp_msg m;

	dp_msg_init(&m, DP_CONFIGURE, 0);
	m.configure.pages = 1;
	m.configure.trial_per_second = 10;
	m.configure.n_addresses = more ? 3 : 2;
	m.configure.addresses[0] = (struct dp_address){
		.ip = rig_addr("10.0.0.1", 1).ip, .port_lower = 20000, .port_upper = 24999};
	m.configure.addresses[1] = (struct dp_address){
		.ip = rig_addr("10.0.0.1", 1).ip, .port_lower = 25000, .port_upper = 29999, .worker = 1};
	m.configure.addresses[2] = (struct dp_address){
		.ip = rig_addr("10.0.0.7", 1).ip, .port_lower = 20000, .port_upper = 24999};
	return m;
}

/* Ranges come and go while calls are up: what stays is media at every moment, and the call hears it all. */
static void test_configure_while_calls_are_up(void **state)
{
	struct rig *r = *state;
	const struct ip_addr stays = rig_addr("10.0.0.1", 1).ip, comes = rig_addr("10.0.0.7", 1).ip;
	struct watcher w = {.address = leg_table_address(r->table, &stays)};
	pthread_t thread;
	union dp_msg m;

	call_open(r, 2, 0);
	assert_int_equal(play(r, 1), 1);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (unsigned i = 0; i < 200; i++) {
		m = ranges(i % 2 == 0);
		assert_int_equal(rig_command(r, &m), 0);
		assert_int_equal(play(r, (uint16_t)(2 + i)), 1);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(w.gaps, 0);
	/* And what went is no media any more. */
	assert_false(leg_address_is_media(leg_table_address(r->table, &comes), 20000));
}

static const struct dp_stats_leg *stats(struct rig *r, dp_session_id s, uint8_t leg)
{
	union dp_msg m;

	rig_forget(r);
	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_SESSION;
	m.stats.session = s;
	assert_int_equal(rig_command(r, &m), 0);
	for (unsigned i = 0; i < r->n_messages; i++)
		if (r->messages[i].h.type == DP_STATS_LEG && r->messages[i].stats_leg.leg == leg)
			return &r->messages[i].stats_leg;
	fail_msg("no figures of leg %u", leg);
	return NULL;
}

/* Loss and jitter as RFC 3550 has them: 100 packets at 20 ms, 7 missing, one in two 5 ms late. */
static void test_figures(void **state)
{
	struct rig *r = *state;
	const struct dp_stats_leg *s;
	struct dp_stats_global sum = {.rx_packets = 0};
	uint8_t p[256];

	call_open(r, 2, 0);
	s = stats(r, 2, 0);
	assert_true(s->rx_age_ms == UINT64_MAX);
	for (uint16_t i = 0; i < 100; i++) {
		rig_run(r, i % 2 ? 25 : 15);
		if (i % 14 == 13)
			continue;
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, (uint16_t)(65500 + i), i * 160u, 160));
	}
	rig_run(r, 50);
	s = stats(r, 2, 0);
	assert_int_equal(s->rx_packets, 93);
	assert_int_equal(s->rx_octets, 93 * 172);
	assert_int_equal(s->rx_lost, 7);
	assert_in_range(s->rx_jitter_us, 3500, 5500);
	assert_in_range(s->rx_age_ms, 45, 80);
	assert_int_equal(s->verdicts[DP_V_RELAYED], 93);
	assert_int_equal(rig_count(r, DP_STATS_LEG), 2);
	assert_int_equal(stats(r, 2, 1)->tx_packets, 93);
	control_sum(r->control, &sum);
	assert_int_equal(sum.rx_packets, 93);
	assert_int_equal(sum.tx_packets, 93);
	assert_int_equal(sum.sessions, 1);
	assert_int_equal(sum.legs, 2);
}

/* What arrives at the wrong worker reaches its own, and is counted. */
static void test_hand_over(void **state)
{
	struct rig *r = *state;
	struct dp_stats_global sum = {.rx_packets = 0};
	struct datagram d;
	uint8_t p[256];

	call_open(r, 2, 1);
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

/* Silence is reported once, and again after media came back; legs that expect nothing are not missed. */
static void test_media_timeout(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 2, 0);
	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = 2;
	m.session_add.media_timeout_s = 3;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(2, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.streams[0].direction = DP_SEND;
	assert_int_equal(rig_command(r, &m), 0);
	rig_run(r, 2500);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 0);
	rig_run(r, 5000);
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 1);
	assert_int_equal(rig_message(r, DP_MEDIA_TIMEOUT)->media_timeout.leg, 0);
	assert_int_equal(play(r, 1), 1);
	rig_run(r, 5000);
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
	struct datagram d;
	uint8_t p[256];
	union dp_msg m;

	call_open(r, 2, 0);
	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = 2;
	m.session_add.media_timeout_s = 3;
	assert_int_equal(rig_command(r, &m), 0);
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
		while (rig_receive(r, &d))
			;
	}
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 0);
	rig_run(r, 5000);
	assert_true(rig_count(r, DP_MEDIA_TIMEOUT) > 0);
	assert_int_equal(rig_message(r, DP_MEDIA_TIMEOUT)->media_timeout.leg % 2, 1);
}

static void test_direction(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 2, 0);
	m = rig_leg(2, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.streams[0].direction = DP_RECV;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(play(r, 1), 0);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_DIRECTION), 1);
	m.leg_update.streams[0].direction = DP_SENDRECV;
	m.leg_update.remote.ip.family = IP_NONE;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(play(r, 2), 0);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_NO_REMOTE), 1);
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

	call_open(r, 2, 0);
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

/* More commands than fit: each is answered, some with a refusal that says so; none is lost, none is spun on.
 */
static void test_full_command_queue(void **state)
{
	struct rig *r = *state;
	unsigned refused = 0, done = 0;
	union dp_msg m;

	for (unsigned i = 0; i < MAILBOX_COMMANDS + 100; i++) {
		dp_msg_init(&m, DP_SESSION_ADD, i + 1);
		m.session_add.session = 1;
		control_handle(r->control, &m);
		for (unsigned k = 0; k < r->n_messages; k++)
			refused += r->messages[k].ack.result == -ENOBUFS;
		rig_forget(r);
	}
	assert_int_equal(refused, 101);
	assert_false(control_ready(r->control));
	for (unsigned i = 0; i < MAILBOX_COMMANDS; i++) {
		rig_run(r, 1);
		for (unsigned k = 0; k < r->n_messages; k++)
			done += r->messages[k].ack.result == 0;
		rig_forget(r);
	}
	assert_int_equal(done, MAILBOX_COMMANDS - 1);
	assert_true(control_ready(r->control));
}

/* The port takes no more: dropped and counted, nothing leaks (the teardown looks). */
static void test_full_port(void **state)
{
	struct rig *r = *state;
	uint8_t p[256];

	call_open(r, 2, 0);
	for (uint16_t i = 0; i < 1200; i++) {
		rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, i, i * 160u, 20));
		rig_run(r, 1);
	}
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_RELAYED), RIG_RING - 1);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_TX_FULL), 1200 - (RIG_RING - 1));
}

/* With the session its keys leave the backend, and their places are free. */
static void test_delete_wipes_keys(void **state)
{
	struct rig *r = *state;
	uint32_t slots = r->w[0]->slots.n_free;
	struct crypto_health h;
	union dp_msg m;

	call_open(r, 2, 0);
	m = rig_leg(2, 0, DP_SECURITY_SRTP, gw_a, peer_a);
	assert_int_equal(rig_command(r, &m), 0);
	for (unsigned i = 0; i < 3; i++) {
		m = rig_key(2, 0, DP_KEY_RX, CM, 1 + i);
		m.key_add.role = i == 2 ? DP_KEY_NEXT : DP_KEY_CURRENT;
		assert_int_equal(rig_command(r, &m), 0);
	}
	m = rig_key(2, 0, DP_KEY_TX, CM, 9);
	uint8_t master[30];

	memcpy(master, m.key_add.master, sizeof master);
	assert_int_equal(rig_command(r, &m), 0);
	assert_memory_not_equal(m.key_add.master, master, sizeof master); /* the message is wiped */
	crypto_ipsec_mb.health(r->w[0]->crypto, &h);
	assert_int_equal(h.slots_used, 4);
	/* No command object keeps a key. */
	const uint8_t *memory = (const void *)r->w[0]->mailbox.command_memory;

	assert_null(memmem(memory, MAILBOX_COMMANDS * sizeof(struct command), master, sizeof master));
	assert_int_equal(del(r, 2), 0);
	crypto_ipsec_mb.health(r->w[0]->crypto, &h);
	assert_int_equal(h.slots_used, 0);
	assert_int_equal(r->w[0]->slots.n_free, slots);
}

/* DTLS goes up when the leg says so, and the answer goes down. */
static void test_punt(void **state)
{
	struct rig *r = *state;
	uint8_t hello[60] = {22, 0xfe, 0xfd};
	struct datagram d;
	union dp_msg m;

	call_open(r, 2, 0);
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
	assert_true(ip_port_equal(&rig_leg_state(r, 2, 0)->rtp.remote, &peer_a));
}

/* What is no media of ours is nobody's verdict: it is the kernel's. */
static void test_not_media(void **state)
{
	struct rig *r = *state;
	struct dp_stats_global sum = {.rx_packets = 0};
	uint8_t arp[60] = {0};

	call_open(r, 2, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hello_and_list, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_id_reuse, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_idempotent, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_refusals, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_configure_refused, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_configure_while_calls_are_up, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_figures, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_hand_over, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_timeout, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_one_of_two_m_lines_is_enough, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_direction, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_slow_reader, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_full_command_queue, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_full_port, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_delete_wipes_keys, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_punt, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_not_media, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_crypto_alarm, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
