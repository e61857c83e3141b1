/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane's client against a data plane made of a list: both ends in one loop, over a real SEQPACKET
 * socket. Nothing waits for time to pass but what tests a timeout.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "controlplane/media/call_media.h"
#include "lib/msg/framing.h"
#include "tests/support/oa_call.h"

#define SESSIONS 4u

/* The data plane: what it was told, and what it answers. */
static struct plane {
	char path[64];
	int listener;
	struct framing *f; /* NULL: nobody is connected */
	struct event *accepting, *reading;
	uint64_t instance;
	dp_session_id has[256]; /* live sessions */
	unsigned n;
	/* Behaviour */
	bool mute;       /* takes commands, answers nothing */
	bool keep;       /* does not delete: no DP_DELETED */
	int refuse_type; /* this command is answered -EINVAL */
	/* Seen */
	union dp_msg last[512];
	unsigned n_last;
} plane;

static struct event_base *base;
static struct dp_client *client;

static struct {
	unsigned ready, down, lost, found, timeouts;
	dp_session_id lost_id;
	void *lost_user;
	unsigned done, failed;
	int result;
	char reason[96];
	unsigned legs;
} seen;

static void say(union dp_msg *m)
{
	if (plane.f)
		assert_int_equal(framing_send(plane.f, m), 0);
}

static void ack(const union dp_msg *to, int result, const char *reason)
{
	union dp_msg m;

	if (plane.mute)
		return;
	dp_msg_init(&m, DP_ACK, to->h.seq);
	m.ack.result = result;
	m.ack.of_type = to->h.type;
	snprintf(m.ack.reason, sizeof m.ack.reason, "%s", reason);
	say(&m);
}

static void greet(const union dp_msg *c)
{
	union dp_msg m;

	if (plane.mute)
		return;
	dp_msg_init(&m, DP_WELCOME, c->h.seq);
	m.welcome.instance = plane.instance;
	m.welcome.workers = 1;
	m.welcome.sessions_max = SESSIONS;
	strcpy(m.welcome.port, "test");
	say(&m);
}

/* Two sessions a page, so that paging happens. */
static void list(const union dp_msg *c)
{
	union dp_msg m;
	unsigned from = c->list.cursor;

	if (plane.mute)
		return;
	dp_msg_init(&m, DP_LIST_PAGE, c->h.seq);
	for (; m.list_page.n < 2 && from < plane.n; from++)
		m.list_page.sessions[m.list_page.n++] = plane.has[from];
	m.list_page.next_cursor = from < plane.n ? from : 0;
	say(&m);
}

static void forget(dp_session_id id)
{
	for (unsigned i = 0; i < plane.n; i++)
		if (plane.has[i] == id)
			plane.has[i--] = plane.has[--plane.n];
}

static bool has(dp_session_id id)
{
	for (unsigned i = 0; i < plane.n; i++)
		if (plane.has[i] == id)
			return true;
	return false;
}

static void deleted(dp_session_id id)
{
	union dp_msg m;

	dp_msg_init(&m, DP_DELETED, 0);
	m.deleted.session = id;
	forget(id);
	say(&m);
}

static void stats(const union dp_msg *c)
{
	union dp_msg m;

	for (unsigned leg = 0; leg < 2; leg++) {
		dp_msg_init(&m, DP_STATS_LEG, c->h.seq);
		m.stats_leg.session = c->stats.session;
		m.stats_leg.leg = (uint8_t)leg;
		say(&m);
	}
}

static void handle(const union dp_msg *c)
{
	int result = 0;

	if (plane.n_last < 512)
		plane.last[plane.n_last++] = *c;
	if (c->h.type == plane.refuse_type) {
		ack(c, -EINVAL, "because");
		return;
	}
	switch (c->h.type) {
	case DP_HELLO:
		greet(c);
		break;
	case DP_LIST:
		list(c);
		break;
	case DP_SESSION_ADD:
		if (!has(c->session_add.session))
			plane.has[plane.n++] = c->session_add.session;
		break;
	case DP_SESSION_DEL:
		result = has(c->session_del.session) ? 0 : -ENOENT;
		break;
	case DP_STATS:
		if (c->stats.scope == DP_STATS_SCOPE_SESSION)
			stats(c);
		break;
	}
	ack(c, result, "");
	if (c->h.type == DP_SESSION_DEL && result == 0 && !plane.keep)
		deleted(c->session_del.session);
}

static void hang_up(void)
{
	if (plane.reading)
		event_free(plane.reading);
	plane.reading = NULL;
	framing_close(plane.f);
	plane.f = NULL;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	union dp_msg m;
	const char *why;
	int rc;

	(void)fd;
	(void)what;
	(void)arg;
	while (plane.f && (rc = framing_recv(plane.f, &m, &why)) != 0) {
		if (rc == 1) {
			handle(&m);
		} else if (rc == -EPROTO) {
			fail_msg("the client sent a malformed message: %s", why);
		} else {
			hang_up();
		}
	}
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	int conn;
	uid_t uid;

	(void)what;
	(void)arg;
	if (framing_accept(fd, &conn, &uid) < 0)
		return;
	hang_up();
	assert_int_equal(framing_open(conn, 0, &plane.f), 0);
	plane.reading = event_new(base, conn, EV_READ | EV_PERSIST, on_read, NULL);
	event_add(plane.reading, NULL);
}

static void plane_listen(void)
{
	struct err e = {0};

	if (framing_listen(plane.path, &plane.listener, &e) < 0)
		fail_msg("%s", e.text);
	plane.accepting = event_new(base, plane.listener, EV_READ | EV_PERSIST, on_accept, NULL);
	event_add(plane.accepting, NULL);
}

static void plane_deaf(void)
{
	event_free(plane.accepting);
	plane.accepting = NULL;
	close(plane.listener);
	unlink(plane.path);
}

/* Runs the loop until the condition holds; a test that hangs is ended by its runner. */
#define until(condition)                                                                                     \
	while (!(condition))                                                                                 \
	event_base_loop(base, EVLOOP_ONCE)

static void on_ready(void *ctx, const struct dp_welcome *w)
{
	(void)ctx;
	assert_string_equal(w->port, "test");
	seen.ready++;
}

static void on_down(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
	seen.down++;
}

static void on_lost(void *ctx, dp_session_id id, void *user)
{
	(void)ctx;
	seen.lost++;
	seen.lost_id = id;
	seen.lost_user = user;
}

static void on_found(void *ctx, dp_session_id id, void *user)
{
	(void)ctx;
	(void)id;
	(void)user;
	seen.found++;
}

static void on_media_timeout(void *ctx, dp_session_id id, void *user, unsigned leg)
{
	(void)ctx;
	(void)id;
	(void)user;
	(void)leg;
	seen.timeouts++;
}

static void on_done(void *arg, int result, const char *reason)
{
	(void)arg;
	seen.done++;
	seen.result = result;
	snprintf(seen.reason, sizeof seen.reason, "%s", reason);
}

static void on_failed(void *arg, int result, const char *reason)
{
	(void)arg;
	(void)reason;
	seen.failed++;
	seen.result = result;
}

static void on_leg(void *arg, const struct dp_stats_leg *s)
{
	(void)arg;
	assert_int_equal(s->leg, seen.legs);
	seen.legs++;
}

static int start_with(unsigned queue_max, unsigned ack_timeout_ms)
{
	static const struct dp_client_events events = {.ready = on_ready,
		.down = on_down,
		.session_lost = on_lost,
		.session_found = on_found,
		.media_timeout = on_media_timeout};
	struct err e = {0};

	memset(&plane, 0, sizeof plane);
	memset(&seen, 0, sizeof seen);
	plane.instance = 1;
	plane.refuse_type = -1;
	snprintf(plane.path, sizeof plane.path, "/tmp/test_dp_client.%d", (int)getpid());
	base = event_base_new();
	plane_listen();
	const struct dp_client_conf conf = {.path = plane.path,
		.events = &events,
		.queue_max = queue_max,
		.ack_timeout_ms = ack_timeout_ms,
		.backoff_min_ms = 1,
		.backoff_max_ms = 4};

	return dp_client_new(base, &conf, &client, &e);
}

static int start(void **state)
{
	(void)state;
	/* Ten minutes: no test of anything else ever runs into it. */
	return start_with(0, 600000);
}

static int stop(void **state)
{
	(void)state;
	dp_client_free(client);
	hang_up();
	if (plane.accepting)
		plane_deaf();
	event_base_free(base);
	return 0;
}

static unsigned count_of(int type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < plane.n_last; i++)
		n += plane.last[i].h.type == type;
	return n;
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
		.trial_per_second = 10};
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
	assert_int_equal(plane.n_last, 4);
	assert_int_equal(plane.last[0].h.type, DP_HELLO);
	assert_int_equal(plane.last[1].configure.page, 0);
	assert_int_equal(plane.last[1].configure.n_addresses, DP_ADDRESSES_MAX);
	assert_int_equal(plane.last[2].configure.page, 1);
	assert_int_equal(plane.last[2].configure.pages, 2);
	assert_int_equal(plane.last[2].configure.n_addresses, 1);
	assert_int_equal(plane.last[2].configure.addresses[0].port_lower, 1000 + 100 * DP_ADDRESSES_MAX);
	assert_int_equal(plane.last[3].h.type, DP_LIST);
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
	plane.refuse_type = -1;
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
	deleted(id[2]);
	while (dp_client_session_open(client, NULL, &more) == -ENOSPC)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal((uint32_t)more, (uint32_t)id[2]);
	assert_true(more != id[2]);
	/* What is said of the old one is nobody's. */
	union dp_msg m;

	dp_msg_init(&m, DP_MEDIA_TIMEOUT, 0);
	m.media_timeout.session = id[2];
	say(&m);
	m.media_timeout.session = more;
	say(&m);
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
		deleted(UINT64_C(99) << 32 | i);
	while (dp_client_session_open(client, NULL, &id) == -ENOSPC)
		event_base_loop(base, EVLOOP_ONCE);
	dp_client_counters(client, &n);
	assert_int_equal(n.orphans, SESSIONS);
	assert_int_equal(n.stray, 0);
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
	hang_up();
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
	until(!has(ends));
	assert_true(has(stays));
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
	plane_deaf();
	hang_up();
	plane.n = 0;
	plane.instance = 2;
	until(seen.down);
	/* Some attempts find nobody there. */
	for (unsigned i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_ONCE);
	plane_listen();
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
	hang_up();
	until(seen.done == 2);
	assert_int_equal(seen.result, -ENOTCONN);
	/* And those of a session that was closed are not told at all. */
	until(seen.ready == 2);
	plane.mute = true;
	add(id);
	dp_client_session_close(client, id);
	hang_up();
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

/* --- one call's media over it --- */

static struct call_media media;
static const unsigned groups[] = {0};

static void lease_ports(struct oa_call *c, void *arg)
{
	struct err e = {0};

	(void)c;
	if (call_media_ports(arg, &e) < 0)
		fail_msg("%s", e.text);
}

static struct oa_call *call_up(struct port_alloc **ports)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_secure);
	struct port_range r = {.lower = 20000, .upper = 20999};
	struct err e = {0};

	ip_parse(STR("192.0.2.1"), &r.ip);
	r.advertised = r.ip;
	assert_int_equal(port_alloc_new(&r, 1, 1, ports, &e), 0);
	media = (struct call_media){.client = client, .ports = *ports};
	for (unsigned s = 0; s < 2; s++)
		media.side[s] = (struct call_media_side){.leg = s ? &c->b : &c->a,
			.groups = groups,
			.n_groups = 1,
			.family = s ? IP_V6 : IP_NONE};
	c->ports = lease_ports;
	c->arg = &media;
	until(seen.ready);
	assert_int_equal(call_media_open(&media, c), 0);
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(count_of(DP_SESSION_ADD), 0);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	oa_call_commit(c);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	return c;
}

static void settle(void)
{
	struct dp_client_counters n;

	do {
		event_base_loop(base, EVLOOP_ONCE);
		dp_client_counters(client, &n);
	} while (n.outstanding);
}

static void call_down(struct oa_call *c, struct port_alloc *ports)
{
	struct port_usage usage;

	call_media_close(&media);
	call_media_close(&media);
	port_alloc_usage(ports, 0, &usage);
	assert_int_equal(usage.used, 0);
	oa_call_free(c);
	port_alloc_free(ports);
}

static void a_call_is_programmed_and_ended(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);
	dp_session_id id = media.session;

	(void)state;
	settle();
	assert_int_equal(count_of(DP_KEY_ADD), 2);
	assert_int_equal(seen.failed, 0);
	assert_true(has(id));
	call_down(c, ports);
	until(!has(id));
}

/* The data plane restarts: everything comes again but the send key, which comes with the rekey. */
static void a_call_survives_a_restart(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);
	struct wbuf w = wbuf_make(c->text, sizeof c->text);
	struct oa_refusal r;
	unsigned tx = 0;

	(void)state;
	settle();
	uint32_t burnt = oa_media_now(&c->b, 0)->keys->tx.epoch;

	hang_up();
	plane.n = 0;
	plane.instance = 2;
	until(seen.ready == 2);
	assert_int_equal(seen.lost, 1);
	plane.n_last = 0;
	assert_int_equal(call_media_lost(&media, on_failed, NULL), 0);
	settle();
	assert_int_equal(count_of(DP_SESSION_ADD), 1);
	assert_int_equal(count_of(DP_LEG_UPDATE), 2);
	assert_int_equal(count_of(DP_KEY_ADD), 1);
	assert_int_equal(oa_offer_rekey(&c->b, &w, &r), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(
		oa_answer_received(&c->b, str_z(HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B), &r), 0);
	assert_int_equal(oa_commit(&c->b), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	settle();
	for (unsigned i = 0; i < plane.n_last; i++)
		if (plane.last[i].h.type == DP_KEY_ADD && plane.last[i].key_add.direction == DP_KEY_TX) {
			assert_true(plane.last[i].key_add.epoch > burnt);
			tx++;
		}
	assert_int_equal(tx, 1);
	assert_int_equal(seen.failed, 0);
	call_down(c, ports);
}

/* The connection breaks in the middle of a change: it is made good when the connection is back. */
static void a_lost_change_is_made_good(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);

	(void)state;
	settle();
	hang_up();
	until(seen.down);
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
	oa_call_answer(c, &c->b, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\na=recvonly\r\n" CRYPTO);
	oa_call_commit(c);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	until(seen.ready == 2);
	assert_int_equal(seen.found, 1);
	plane.n_last = 0;
	assert_int_equal(call_media_found(&media, on_failed, NULL), 0);
	settle();
	assert_int_equal(count_of(DP_LEG_UPDATE), 2);
	for (unsigned i = 0; i < plane.n_last; i++)
		if (plane.last[i].h.type == DP_LEG_UPDATE)
			assert_int_equal(plane.last[i].leg_update.streams[0].direction,
				plane.last[i].leg_update.leg ? DP_SEND : DP_RECV);
	/* Nothing is open any more: asked again, it sends nothing. */
	plane.n_last = 0;
	assert_int_equal(call_media_found(&media, on_failed, NULL), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(seen.failed, 0);
	call_down(c, ports);
}

static void a_refused_leg_ends_the_call(void **state)
{
	struct port_alloc *ports;

	(void)state;
	plane.refuse_type = DP_LEG_UPDATE;
	struct oa_call *c = call_up(&ports);

	until(seen.failed);
	assert_int_equal(seen.result, -EINVAL);
	unsigned failed = seen.failed;

	/* Nothing is said to a call that is gone. */
	call_down(c, ports);
	settle();
	assert_int_equal(seen.failed, failed);
}

#define test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_handshake),
		test(a_refused_configuration_is_not_ready),
		test(results_come_back),
		test(keys_leave_no_trace),
		test(ids_are_used_again_after_deleted),
		test(a_session_that_was_never_added),
		test(orphans_are_deleted),
		test(a_reconnect_keeps_sessions),
		test(a_restart_loses_sessions),
		test(outstanding_commands_end),
		test(silence_is_a_timeout),
		test(a_full_queue_is_reported),
		test(rubbish_is_counted),
		test(a_call_is_programmed_and_ended),
		test(a_call_survives_a_restart),
		test(a_lost_change_is_made_good),
		test(a_refused_leg_ends_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
