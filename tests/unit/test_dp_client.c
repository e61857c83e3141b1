/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the data plane: greeting, sessions, commands, and what becomes of them when it is lost.
 */
#include "controlplane/media/dp_private.h"
#include "tests/unit/dp_client_bench.h"

static void on_done(void *arg, int result, const char *reason)
{
	(void)arg;
	seen.done++;
	seen.result = result;
	snprintf(seen.reason, sizeof seen.reason, "%s", reason);
}

static void on_leg(void *arg, const struct dp_stats_leg *s)
{
	(void)arg;
	assert_int_equal(s->leg, seen.legs);
	seen.legs++;
}

static void add(dp_session_id id)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = id;
	assert_int_equal(dp_client_send(client, &m, on_done, NULL), 0);
}

/* Hello, all pages of the configuration, the list, then ready: in this order. */
static void the_handshake(void **state)
{
	struct dp_address addresses[DP_ADDRESSES_MAX + 1] = {0};
	const struct dp_client_media media = {.generation = 5,
		.addresses = addresses,
		.n_addresses = DP_ADDRESSES_MAX + 1,
		.trial_per_second = 10,
		.nap_us = 70};
	dp_session_id id;

	(void)state;
	for (unsigned i = 0; i <= DP_ADDRESSES_MAX; i++) {
		ip_parse(STR("192.0.2.1"), &addresses[i].ip);
		addresses[i].port_lower = (uint16_t)(1000 + 100 * i);
		addresses[i].port_upper = (uint16_t)(1099 + 100 * i);
	}
	assert_int_equal(dp_client_configure(client, &media), 0);
	assert_int_equal(dp_client_session_open(client, NULL, &id), -EAGAIN);
	assert_null(dp_client_welcome(client));
	until(seen.ready);
	assert_int_equal(n_last, 4);
	assert_int_equal(last[0].h.type, DP_HELLO);
	assert_int_equal(last[1].configure.page, 0);
	assert_int_equal(last[1].configure.nap_us, 70);
	assert_int_equal(last[2].configure.nap_us, 70);
	assert_int_equal(last[1].configure.n_addresses, DP_ADDRESSES_MAX);
	assert_int_equal(last[2].configure.page, 1);
	assert_int_equal(last[2].configure.pages, 2);
	assert_int_equal(last[2].configure.n_addresses, 1);
	assert_int_equal(last[2].configure.addresses[0].port_lower, 1000 + 100 * DP_ADDRESSES_MAX);
	assert_int_equal(last[3].h.type, DP_LIST);
	assert_int_equal(dp_client_welcome(client)->sessions_max, SESSIONS);
	/* A new configuration goes out at once. */
	assert_int_equal(dp_client_configure(client, &media), 0);
	until(count_of(DP_CONFIGURE) == 4);
}

static void a_refused_configuration_is_not_ready(void **state)
{
	struct dp_client_counters n;
	const struct dp_client_media media = {.generation = 5};

	(void)state;
	plane.refuse_type = DP_CONFIGURE;
	assert_int_equal(dp_client_configure(client, &media), 0);
	do {
		event_base_loop(base, EVLOOP_ONCE);
		dp_client_counters(client, &n);
	} while (n.disconnects < 2);
	assert_int_equal(seen.ready, 0);
	plane.refuse_type = 0;
	until(seen.ready);
}

static void results_come_back(void **state)
{
	union dp_msg m;
	dp_session_id id;

	(void)state;
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	add(id);
	assert_int_equal(seen.done, 0); /* never from inside the call */
	until(seen.done == 1);
	assert_int_equal(seen.result, 0);
	plane.refuse_type = DP_KEY_RETIRE;
	dp_msg_init(&m, DP_KEY_RETIRE, 0);
	m.key_retire.session = id;
	assert_int_equal(dp_client_send(client, &m, on_done, NULL), 0);
	until(seen.done == 2);
	assert_int_equal(seen.result, -EINVAL);
	assert_string_equal(seen.reason, "because");
	assert_int_equal(dp_client_stats_session(client, id, on_leg, on_done, NULL), 0);
	until(seen.done == 3);
	assert_int_equal(seen.legs, 2);
}

static void keys_leave_no_trace(void **state)
{
	static const uint8_t zero[sizeof(struct dp_key_add)];
	union dp_msg m;
	dp_session_id id;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		dp_msg_init(&m, DP_KEY_ADD, 0);
		m.key_add.suite = SRTP_AES_CM_128_HMAC_SHA1_80;
		m.key_add.master_len = 30;
		memset(m.key_add.master, 0x55, 30);
		/* Not ready; then sent. */
		assert_int_equal(dp_client_send(client, &m, NULL, NULL), round ? 0 : -EAGAIN);
		assert_memory_equal(m.key_add.master, zero, sizeof m.key_add.master);
		until(seen.ready);
		dp_client_session_open(client, NULL, &id);
	}
}

/* A place is given to a new session only when the data plane has said that the old one is gone, and under
 * another id. */
static void ids_are_used_again_after_deleted(void **state)
{
	dp_session_id id[SESSIONS], more;
	struct dp_client_counters n;

	(void)state;
	plane.keep = true;
	until(seen.ready);
	for (unsigned i = 0; i < SESSIONS; i++) {
		assert_int_equal(dp_client_session_open(client, NULL, &id[i]), 0);
		assert_in_range((uint32_t)id[i], 0, SESSIONS - 1);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal((uint32_t)id[i], (uint32_t)id[j]);
		add(id[i]);
	}
	assert_int_equal(dp_client_session_open(client, NULL, &more), -ENOSPC);
	until(seen.done == SESSIONS);
	dp_client_session_close(client, id[2]);
	until(count_of(DP_SESSION_DEL) == 1);
	do {
		event_base_loop(base, EVLOOP_ONCE);
		dp_client_counters(client, &n);
	} while (n.outstanding);
	assert_int_equal(dp_client_session_open(client, NULL, &more), -ENOSPC);
	assert_int_equal(n.closing, 1);
	fake_plane_drop(&plane, id[2]);
	while (dp_client_session_open(client, NULL, &more) == -ENOSPC)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal((uint32_t)more, (uint32_t)id[2]);
	assert_true(more != id[2]);
	/* What is said of the old one is nobody's. */
	union dp_msg m;

	dp_msg_init(&m, DP_MEDIA_TIMEOUT, 0);
	m.media_timeout.session = id[2];
	fake_plane_say(&plane, &m);
	m.media_timeout.session = more;
	fake_plane_say(&plane, &m);
	until(seen.timeouts);
	dp_client_counters(client, &n);
	assert_int_equal(seen.timeouts, 1);
	assert_int_equal(n.stray, 1);
}

/* A call that ended before it was answered: the data plane never heard of its session. */
static void a_session_that_was_never_added(void **state)
{
	struct dp_client_counters n;
	dp_session_id id;

	(void)state;
	until(seen.ready);
	for (unsigned i = 0; i < 3 * SESSIONS; i++) {
		assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
		dp_client_session_close(client, id);
		do {
			event_base_loop(base, EVLOOP_ONCE);
			dp_client_counters(client, &n);
		} while (n.closing);
	}
	assert_int_equal(n.nacks, 0);
}

/* The connection breaks: the data plane is the same, sessions stand, and what ended meanwhile is deleted. */
static void a_reconnect_keeps_sessions(void **state)
{
	dp_session_id stays, ends, never;

	(void)state;
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &stays), 0);
	assert_int_equal(dp_client_session_open(client, NULL, &ends), 0);
	assert_int_equal(dp_client_session_open(client, NULL, &never), 0);
	add(stays);
	add(ends);
	until(seen.done == 2);
	fake_plane_hang_up(&plane);
	until(seen.down);
	dp_client_session_close(client, ends);
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = stays;
	assert_int_equal(dp_client_send(client, &m, on_done, NULL), -EAGAIN);
	until(seen.ready == 2);
	assert_int_equal(seen.found, 1);
	assert_int_equal(seen.lost, 1);
	assert_true(seen.lost_id == never);
	until(!fake_plane_has(&plane, ends));
	assert_true(fake_plane_has(&plane, stays));
}

static void a_restart_loses_sessions(void **state)
{
	dp_session_id id;
	int me;

	(void)state;
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, &me, &id), 0);
	add(id);
	until(seen.done == 1);
	fake_plane_deaf(&plane);
	fake_plane_hang_up(&plane);
	plane.n = 0;
	plane.instance = 2;
	until(seen.down);
	/* Some attempts find nobody there. */
	for (unsigned i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_ONCE);
	fake_plane_listen(&plane);
	until(seen.ready == 2);
	assert_int_equal(seen.lost, 1);
	assert_true(seen.lost_id == id);
	assert_ptr_equal(seen.lost_user, &me);
	assert_int_equal(seen.found, 0);
	add(id); /* under the same id */
	until(seen.done == 2);
	assert_int_equal(seen.result, 0);
}

/* Commands that were out when the connection broke end with -ENOTCONN, each once. */
static void outstanding_commands_end(void **state)
{
	dp_session_id id;

	(void)state;
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	plane.mute = true;
	add(id);
	add(id);
	until(count_of(DP_SESSION_ADD) == 2);
	plane.mute = false;
	fake_plane_hang_up(&plane);
	until(seen.done == 2);
	assert_int_equal(seen.result, -ENOTCONN);
	/* And those of a session that was closed are not told at all. */
	until(seen.ready == 2);
	plane.mute = true;
	add(id);
	dp_client_session_close(client, id);
	fake_plane_hang_up(&plane);
	until(seen.down == 2);
	assert_int_equal(seen.done, 2);
}

static void silence_is_a_timeout(void **state)
{
	dp_session_id id;
	struct dp_client_counters n;

	(void)state;
	stop(state);
	assert_int_equal(start_with(0, 50), 0);
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	plane.mute = true;
	add(id);
	until(seen.done == 1);
	assert_int_equal(seen.result, -ETIMEDOUT);
	dp_client_counters(client, &n);
	assert_true(n.timeouts >= 1);
	assert_int_equal(n.outstanding, 0);
}

static void slow_is_not_gone(void **state)
{
	(void)state;
	assert_int_equal(dp_deadline(1000, 0, 50), 1050);    /* nothing was ever heard */
	assert_int_equal(dp_deadline(1000, 900, 50), 1050);  /* nothing since */
	assert_int_equal(dp_deadline(1000, 1040, 50), 1090); /* others were answered */
	assert_int_equal(dp_deadline(1000, 9000, 50), 1300); /* but this one never will be */
}

static void on_result(void *arg, int result, const char *reason)
{
	unsigned *n = arg;

	(void)reason;
	assert_int_equal(result, 0);
	(*n)++;
}

static void ask_for_stats(unsigned *n)
{
	assert_int_equal(dp_client_stats_global(client, NULL, NULL, on_result, n), 0);
}

/* What calls of a day send goes through the same few places; memory is for those that are outstanding at
 * once. */
static void commands_that_are_done_leave_no_memory_behind(void **state)
{
	const struct dp_command *places;
	unsigned answered = 0;

	(void)state;
	until(seen.ready);
	places = client->commands;
	for (unsigned sent = 0; sent < 5000; sent += 10) {
		for (unsigned i = 0; i < 10; i++)
			ask_for_stats(&answered);
		until(answered == sent + 10);
	}
	assert_ptr_equal(client->commands, places);
	assert_true(client->queue_mask < 5000);
}

/* Each has its own answer, also of those that were sent when there were fewer places. */
static void many_commands_at_once_have_places(void **state)
{
	unsigned first = 0, rest = 0;

	(void)state;
	until(seen.ready);
	for (unsigned i = 0; i < 700; i++)
		ask_for_stats(&first);
	until(first >= 300);
	for (unsigned i = 0; i < 5000; i++)
		ask_for_stats(i < 300 ? &first : &rest);
	until(first == 1000 && rest == 4700);
	assert_int_equal(client->n_outstanding, 0);
}

static void a_full_queue_is_reported(void **state)
{
	dp_session_id id;
	union dp_msg m;
	unsigned sent = 0;
	int rc;

	(void)state;
	stop(state);
	assert_int_equal(start_with(16, 600000), 0);
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	plane.mute = true;
	do {
		dp_msg_init(&m, DP_SESSION_ADD, 0);
		m.session_add.session = id;
		rc = dp_client_send(client, &m, on_done, NULL);
	} while (rc == 0 && ++sent < 100);
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(sent, 16);
	assert_int_equal(seen.done, 0);
}

static void a_data_plane_that_is_behind_gets_no_new_session(void **state)
{
	dp_session_id id, another;
	union dp_msg m;

	(void)state;
	stop(state);
	assert_int_equal(start_with(64, 600000), 0);
	until(seen.ready);
	assert_int_equal(dp_client_session_open(client, NULL, &id), 0);
	plane.mute = true;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(dp_client_behind(client), i > 7);
		dp_msg_init(&m, DP_SESSION_ADD, 0);
		m.session_add.session = id;
		assert_int_equal(dp_client_send(client, &m, on_done, NULL), 0); /* calls that there are go on */
	}
	assert_int_equal(dp_client_session_open(client, NULL, &another), -EBUSY);
}

static void rubbish_is_counted(void **state)
{
	struct dp_client_counters n;

	(void)state;
	until(seen.ready);
	assert_int_equal(send(framing_fd(plane.f), "rubbish", 7, 0), 7);
	do {
		event_base_loop(base, EVLOOP_ONCE);
		dp_client_counters(client, &n);
	} while (!n.malformed);
	assert_int_equal(n.malformed, 1);
	assert_true(dp_client_ready(client));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_handshake),
		test(a_refused_configuration_is_not_ready),
		test(results_come_back),
		test(keys_leave_no_trace),
		test(ids_are_used_again_after_deleted),
		test(a_session_that_was_never_added),
		test(a_reconnect_keeps_sessions),
		test(a_restart_loses_sessions),
		test(outstanding_commands_end),
		test(silence_is_a_timeout),
		test(slow_is_not_gone),
		test(commands_that_are_done_leave_no_memory_behind),
		test(many_commands_at_once_have_places),
		test(a_full_queue_is_reported),
		test(a_data_plane_that_is_behind_gets_no_new_session),
		test(rubbish_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
