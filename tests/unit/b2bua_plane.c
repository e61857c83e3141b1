/* SPDX-License-Identifier: Apache-2.0 */
/* A data plane that does what it is told, keeps no media, and can be told to misbehave. */
#include "tests/unit/b2bua_plane.h"

#include <errno.h>
#include <unistd.h>

#include "lib/msg/framing.h"
#include "tests/unit/b2bua_bench.h"

static struct {
	struct event_base *base;
	char path[128];
	int listener;
	struct framing *f;
	struct event *accepting, *reading;
	uint64_t instance;
	unsigned seen, next;
	union dp_msg late[64]; /* ACKs that wait for plane_acknowledge() */
	unsigned n_late;
} plane;

static void tell(union dp_msg *m)
{
	if (plane.f)
		assert_int_equal(framing_send(plane.f, m), 0);
}

static void send_late(void)
{
	for (unsigned i = 0; i < plane.n_late; i++)
		tell(&plane.late[i]);
	plane.n_late = 0;
}

static void ack(const union dp_msg *to, int result)
{
	union dp_msg m;

	if (bench.mute)
		return;
	dp_msg_init(&m, DP_ACK, to->h.seq);
	m.ack.result = result;
	m.ack.of_type = to->h.type;
	if (result < 0)
		strcpy(m.ack.reason, "the plane says no");
	if (bench.slow && (to->h.type == DP_SESSION_ADD || to->h.type == DP_LEG_UPDATE ||
				  to->h.type == DP_KEY_ADD || to->h.type == DP_KEY_RETIRE)) {
		if (plane.n_late == sizeof plane.late / sizeof *plane.late)
			send_late();
		plane.late[plane.n_late++] = m;
	} else {
		tell(&m);
	}
}

void plane_acknowledge(void)
{
	send_late();
	settle();
}

static struct plane_session *find(dp_session_id id)
{
	for (unsigned i = 0; i < sizeof bench.sessions / sizeof *bench.sessions; i++)
		if (bench.sessions[i].live && bench.sessions[i].id == id)
			return &bench.sessions[i];
	return NULL;
}

struct plane_session *plane_last(void)
{
	return &bench.sessions[(plane.next - 1) % (sizeof bench.sessions / sizeof *bench.sessions)];
}

static void add(dp_session_id id)
{
	struct plane_session *s;

	if (find(id))
		return;
	s = &bench.sessions[plane.next++ % (sizeof bench.sessions / sizeof *bench.sessions)];
	assert_false(s->live);
	*s = (struct plane_session){.live = true, .id = id};
	bench.live++;
}

static void welcome(const union dp_msg *c)
{
	union dp_msg m;

	dp_msg_init(&m, DP_WELCOME, c->h.seq);
	m.welcome.instance = plane.instance;
	m.welcome.workers = 1;
	m.welcome.sessions_max = 1000;
	strcpy(m.welcome.port, "test");
	tell(&m);
}

static void list(const union dp_msg *c)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LIST_PAGE, c->h.seq);
	for (unsigned i = 0; i < sizeof bench.sessions / sizeof *bench.sessions; i++)
		if (bench.sessions[i].live && m.list_page.n < DP_LIST_MAX)
			m.list_page.sessions[m.list_page.n++] = bench.sessions[i].id;
	tell(&m);
}

static void stats(const union dp_msg *c)
{
	union dp_msg m;

	if (c->stats.scope == DP_STATS_SCOPE_GLOBAL) {
		dp_msg_init(&m, DP_STATS_GLOBAL, c->h.seq);
		m.stats_global.rx_packets = 7;
		tell(&m);
		return;
	}
	for (unsigned side = 0; side < 2; side++) {
		dp_msg_init(&m, DP_STATS_LEG, c->h.seq);
		m.stats_leg.session = c->stats.session;
		m.stats_leg.leg = (uint8_t)side;
		m.stats_leg.side = (uint8_t)side;
		m.stats_leg.rx_packets = 100 + side;
		tell(&m);
	}
}

static void drop(struct plane_session *s)
{
	union dp_msg m;

	dp_msg_init(&m, DP_DELETED, 0);
	m.deleted.session = s->id;
	s->live = false;
	bench.live--;
	tell(&m);
}

/* What a secure side was told; the contract is that it has its keys before it has a remote. */
static int session_command(const union dp_msg *c)
{
	struct plane_session *s = find(c->session_add.session); /* first behind the header in each */

	if (!s)
		return -ENOENT;
	if (c->h.type == DP_LEG_UPDATE && c->leg_update.side < 2) {
		s->leg[c->leg_update.side] = c->leg_update;
	} else if (c->h.type == DP_KEY_ADD) {
		for (unsigned side = 0; side < 2; side++) {
			s->rx_keys[side] +=
				c->key_add.leg == s->leg[side].leg && c->key_add.direction == DP_KEY_RX;
			s->tx_keys[side] +=
				c->key_add.leg == s->leg[side].leg && c->key_add.direction == DP_KEY_TX;
		}
	}
	return 0;
}

static void handle(const union dp_msg *c)
{
	struct plane_session *gone = NULL;
	int result = 0;

	if (bench.mute)
		return;
	if (c->h.type == bench.refuse_type) {
		ack(c, -ENOSPC);
		return;
	}
	switch (c->h.type) {
	case DP_HELLO:
		welcome(c);
		break;
	case DP_CONFIGURE:
		break;
	case DP_LIST:
		list(c);
		break;
	case DP_SESSION_ADD:
		add(c->session_add.session);
		break;
	case DP_SESSION_DEL:
		gone = find(c->session_del.session);
		result = gone ? 0 : -ENOENT;
		break;
	case DP_STATS:
		stats(c);
		break;
	default:
		result = session_command(c);
	}
	ack(c, result);
	if (gone)
		drop(gone);
}

static void hang(void)
{
	if (plane.reading)
		event_free(plane.reading);
	plane.reading = NULL;
	framing_close(plane.f);
	plane.f = NULL;
	plane.n_late = 0;
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
			plane.seen++;
			handle(&m);
			dp_msg_wipe(&m);
		} else if (rc == -EPROTO) {
			fail_msg("malformed command: %s", why);
		} else {
			hang();
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
	hang();
	assert_int_equal(framing_open(conn, 0, &plane.f), 0);
	plane.reading = event_new(plane.base, conn, EV_READ | EV_PERSIST, on_read, NULL);
	event_add(plane.reading, NULL);
	plane.seen++;
}

static void listen_again(void)
{
	struct err e = {0};

	if (framing_listen(plane.path, &plane.listener, &e) < 0)
		fail_msg("%s", e.text);
	plane.accepting = event_new(plane.base, plane.listener, EV_READ | EV_PERSIST, on_accept, NULL);
	event_add(plane.accepting, NULL);
}

int plane_open(struct event_base *base, const char *path)
{
	memset(&plane, 0, sizeof plane);
	plane.base = base;
	plane.instance = 1;
	snprintf(plane.path, sizeof plane.path, "%s", path);
	listen_again();
	return 0;
}

void plane_away(void)
{
	hang();
	event_free(plane.accepting);
	plane.accepting = NULL;
	close(plane.listener);
	unlink(plane.path);
	settle();
}

void plane_close(void)
{
	hang();
	if (plane.accepting) {
		event_free(plane.accepting);
		close(plane.listener);
		unlink(plane.path);
	}
}

void plane_restart(bool same)
{
	unsigned before = plane.seen;

	if (plane.accepting)
		plane_away();
	if (!same) {
		plane.instance++;
		memset(bench.sessions, 0, sizeof bench.sessions);
		bench.live = 0;
	}
	listen_again();
	while (plane.seen < before + 4) /* connection, greeting, configuration, listing */
		event_base_loop(plane.base, EVLOOP_ONCE);
	settle();
}

void plane_event_timeout(struct plane_session *s)
{
	union dp_msg m;

	dp_msg_init(&m, DP_MEDIA_TIMEOUT, 0);
	m.media_timeout.session = s->id;
	m.media_timeout.leg = s->leg[DP_SIDE_A].leg;
	tell(&m);
	settle();
}

unsigned plane_seen(void)
{
	return plane.seen;
}
