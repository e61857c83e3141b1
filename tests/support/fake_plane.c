/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_plane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cmocka_std.h"

void fake_plane_say(struct fake_plane *p, union dp_msg *m)
{
	if (p->f)
		assert_int_equal(framing_send(p->f, m), 0);
}

void fake_plane_acknowledge(struct fake_plane *p)
{
	for (unsigned i = 0; i < p->n_late; i++)
		fake_plane_say(p, &p->late[i]);
	p->n_late = 0;
}

static bool may_be_late(const union dp_msg *c)
{
	return c->h.type == DP_SESSION_ADD || c->h.type == DP_LEG_UPDATE || c->h.type == DP_KEY_ADD ||
	       c->h.type == DP_KEY_RETIRE;
}

static void ack(struct fake_plane *p, const union dp_msg *to, int result, const char *reason)
{
	union dp_msg m;

	dp_msg_init(&m, DP_ACK, to->h.seq);
	m.ack.result = result;
	m.ack.of_type = to->h.type;
	snprintf(m.ack.reason, sizeof m.ack.reason, "%s", reason);
	if (!p->slow || !may_be_late(to)) {
		fake_plane_say(p, &m);
		return;
	}
	if (p->n_late == FAKE_PLANE_LATE)
		fake_plane_acknowledge(p);
	p->late[p->n_late++] = m;
}

static void welcome(struct fake_plane *p, const union dp_msg *c)
{
	union dp_msg m;

	dp_msg_init(&m, DP_WELCOME, c->h.seq);
	m.welcome.instance = p->instance;
	m.welcome.workers = 1;
	m.welcome.sessions_max = p->sessions_max;
	strcpy(m.welcome.port, "test");
	fake_plane_say(p, &m);
}

static void list(struct fake_plane *p, const union dp_msg *c)
{
	union dp_msg m;
	unsigned from = c->list.cursor;

	dp_msg_init(&m, DP_LIST_PAGE, c->h.seq);
	for (; m.list_page.n < p->page && m.list_page.n < DP_LIST_MAX && from < p->n; from++)
		m.list_page.sessions[m.list_page.n++] = p->has[from];
	m.list_page.next_cursor = from < p->n ? from : 0;
	fake_plane_say(p, &m);
}

bool fake_plane_has(const struct fake_plane *p, dp_session_id id)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->has[i] == id)
			return true;
	return false;
}

static void add(struct fake_plane *p, dp_session_id id)
{
	if (fake_plane_has(p, id))
		return;
	assert_true(p->n < FAKE_PLANE_SESSIONS);
	p->has[p->n++] = id;
}

void fake_plane_drop(struct fake_plane *p, dp_session_id id)
{
	union dp_msg m;

	for (unsigned i = 0; i < p->n; i++)
		if (p->has[i] == id)
			p->has[i--] = p->has[--p->n];
	dp_msg_init(&m, DP_DELETED, 0);
	m.deleted.session = id;
	fake_plane_say(p, &m);
}

/* Carries it out; the session, first behind the header in each that names one, must be there. */
static int carry_out(struct fake_plane *p, const union dp_msg *c)
{
	switch (c->h.type) {
	case DP_HELLO:
		welcome(p, c);
		break;
	case DP_LIST:
		list(p, c);
		break;
	case DP_SESSION_ADD:
		add(p, c->session_add.session);
		break;
	case DP_STATS:
		if (p->stats)
			p->stats(c);
		break;
	case DP_CONFIGURE:
		break;
	default:
		if (!fake_plane_has(p, c->session_add.session))
			return -ENOENT;
	}
	return p->command ? p->command(c) : 0;
}

static void handle(struct fake_plane *p, const union dp_msg *c)
{
	int result;

	if (p->saw)
		p->saw(c);
	if (p->mute)
		return;
	if (p->refuse_type && c->h.type == p->refuse_type) {
		ack(p, c, p->refuse_result, p->refuse_reason);
		return;
	}
	result = carry_out(p, c);
	ack(p, c, result, "");
	if (c->h.type == DP_SESSION_DEL && result == 0 && !p->keep)
		fake_plane_drop(p, c->session_del.session);
}

void fake_plane_hang_up(struct fake_plane *p)
{
	if (p->reading)
		event_free(p->reading);
	p->reading = NULL;
	framing_close(p->f);
	p->f = NULL;
	p->n_late = 0;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct fake_plane *p = arg;
	union dp_msg m;
	const char *why;
	int rc;

	(void)fd;
	(void)what;
	while (p->f && (rc = framing_recv(p->f, &m, &why)) != 0) {
		if (rc == 1) {
			p->seen++;
			handle(p, &m);
			dp_msg_wipe(&m);
		} else if (rc == -EPROTO) {
			fail_msg("malformed command: %s", why);
		} else {
			fake_plane_hang_up(p);
		}
	}
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct fake_plane *p = arg;
	int conn;
	uid_t uid;

	(void)what;
	if (framing_accept(fd, &conn, &uid) < 0)
		return;
	fake_plane_hang_up(p);
	assert_int_equal(framing_open(conn, 0, &p->f), 0);
	p->reading = event_new(p->base, conn, EV_READ | EV_PERSIST, on_read, p);
	event_add(p->reading, NULL);
	p->seen++;
}

void fake_plane_listen(struct fake_plane *p)
{
	struct err e = {0};

	if (framing_listen(p->path, NULL, &p->listener, &e) < 0)
		fail_msg("%s", e.text);
	p->accepting = event_new(p->base, p->listener, EV_READ | EV_PERSIST, on_accept, p);
	event_add(p->accepting, NULL);
}

void fake_plane_deaf(struct fake_plane *p)
{
	if (!p->accepting)
		return;
	event_free(p->accepting);
	p->accepting = NULL;
	close(p->listener);
	unlink(p->path);
}

void fake_plane_close(struct fake_plane *p)
{
	fake_plane_hang_up(p);
	fake_plane_deaf(p);
}
