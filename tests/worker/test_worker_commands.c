/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane orders: sessions, their ids, ports, legs and keys; and what it is refused. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define CM SRTP_AES_CM_128_HMAC_SHA1_80

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

	rig_plain_call(r, 9);
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
	assert_int_equal(rig_say(r, 1), 0);
	assert_int_equal(rig_session(r, 9 | 1ull << 32, 0), 0);
	assert_int_equal(rig_session_delete(r, 9), -ENOENT);
	assert_int_equal(rig_session(r, RIG_SESSIONS, 0), -EINVAL);
	assert_int_equal(rig_session(r, 12, RIG_WORKERS), -EINVAL);
	/* Legs, ports and places of the deleted session are free. */
	rig_plain_call(r, 9 | 1ull << 32);
	assert_int_equal(rig_say(r, 1), 1);
}

/* The whole state is said again after a reconnect: nothing changes. */
static void test_idempotent(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	rig_plain_call(r, 2);
	assert_int_equal(rig_say(r, 1), 1);
	rig_plain_call(r, 2);
	assert_int_equal(rig_say(r, 2), 1);
	m = rig_leg(2, 0, DP_SECURITY_PLAIN, gw_a, peer_a);
	m.leg_update.replay_window = 2048;
	assert_int_equal(rig_command(r, &m), -EINVAL);
}

static void test_refusals(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	rig_plain_call(r, 2);
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
	assert_int_equal(rig_say(r, 1), 1);
}

/* Configurations overlap, or name workers that do not exist: refused whole, and the one before holds. */
static void test_configure_refused(void **state)
{
	struct rig *r = *state;
	union dp_msg overlap = rig_configuration(), nobody = rig_configuration();

	overlap.configure.n_addresses = 2;
	for (unsigned i = 0; i < 2; i++)
		overlap.configure.addresses[i] = rig_range("10.0.0.9", 100, 200, 0);
	assert_int_equal(rig_command(r, &overlap), -EINVAL);
	nobody.configure.n_addresses = 1;
	nobody.configure.addresses[0] = rig_range("10.0.0.9", 100, 200, RIG_WORKERS);
	assert_int_equal(rig_command(r, &nobody), -EINVAL);
	rig_plain_call(r, 2);
	assert_int_equal(rig_say(r, 1), 1);
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
	union dp_msg m = rig_configuration();

	m.configure.n_addresses = more ? 3 : 2;
	m.configure.addresses[0] = rig_range("10.0.0.1", 20000, 24999, 0);
	m.configure.addresses[1] = rig_range("10.0.0.1", 25000, 29999, 1);
	m.configure.addresses[2] = rig_range("10.0.0.7", 20000, 24999, 0);
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

	rig_plain_call(r, 2);
	assert_int_equal(rig_say(r, 1), 1);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (unsigned i = 0; i < 200; i++) {
		m = ranges(i % 2 == 0);
		assert_int_equal(rig_command(r, &m), 0);
		assert_int_equal(rig_say(r, (uint16_t)(2 + i)), 1);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(w.gaps, 0);
	/* And what went is no media any more. */
	assert_false(leg_address_is_media(leg_table_address(r->table, &comes), 20000));
}

static void test_direction(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	rig_plain_call(r, 2);
	m = rig_leg(2, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.streams[0].direction = DP_RECV;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(rig_say(r, 1), 0);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_DIRECTION), 1);
	m.leg_update.streams[0].direction = DP_SENDRECV;
	m.leg_update.remote.ip.family = IP_NONE;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(rig_say(r, 2), 0);
	assert_int_equal(rig_verdict(r, 2, 0, DP_V_NO_REMOTE), 1);
}

/* More commands than fit: each is answered, some with a refusal that says so; none is lost or spun on. */
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

/* With the session its keys leave the backend, and their places are free. */
static void test_delete_wipes_keys(void **state)
{
	struct rig *r = *state;
	uint32_t slots = r->w[0]->slots.n_free;
	struct crypto_health h;
	union dp_msg m;

	rig_plain_call(r, 2);
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
	assert_int_equal(rig_session_delete(r, 2), 0);
	crypto_ipsec_mb.health(r->w[0]->crypto, &h);
	assert_int_equal(h.slots_used, 0);
	assert_int_equal(r->w[0]->slots.n_free, slots);
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
		cmocka_unit_test_setup_teardown(test_direction, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_full_command_queue, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_delete_wipes_keys, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
