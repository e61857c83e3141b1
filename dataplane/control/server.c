/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dataplane/control/control_private.h"
#include "lib/base/log.h"
#include "lib/msg/framing.h"

#define COMMANDS_PER_TURN 256 /* then workers' answers have their turn */
#define TURN_MS 200           /* most between two looks at the workers' health */
#define VISITORS_MAX 4        /* the longest waiting one goes when another comes */

enum { FD_SIGNAL, FD_LISTENER, FD_PEER, FD_VISITORS, FD_WORKERS = FD_VISITORS + VISITORS_MAX };

struct server {
	struct server_conf conf;
	struct control *control;
	struct framing *peer; /* NULL: nobody is connected */
	uint64_t instance;    /* the peer's, by its DP_HELLO */
	uint64_t turned_away; /* who was refused last: it asks again and again, and is logged once */
	uint16_t foreign;     /* what was refused last spoke this version; 0: none since the last peer. Likewise */
	bool gone;            /* the peer is; closed at the end of the turn */
	/* Connected, and have not said DP_HELLO yet. Whoever only looks whether somebody listens here leaves
	 * the peer alone. */
	struct framing *visitors[VISITORS_MAX];
	unsigned next_visitor;
	int listener, signals;
};

static int send_out(void *user, union dp_msg *m)
{
	struct server *s = user;
	int rc;

	if (!s->peer || s->gone)
		return 0;
	rc = framing_send(s->peer, m);
	if (rc == -ENOBUFS || rc == -ENOMEM)
		return rc;
	if (rc < 0)
		s->gone = true;
	return 0;
}

int server_open(const struct server_conf *conf, struct server **out, struct err *err)
{
	struct server *s = calloc(1, sizeof *s);
	struct control_conf control = conf->control;
	sigset_t signals;
	int rc;

	if (!s)
		return err_set(err, ENOMEM, "no memory for the server");
	s->conf = *conf;
	s->listener = s->signals = -1;
	control.out = send_out;
	control.user = s;
	rc = control_open(&control, &s->control, err);
	if (rc == 0)
		rc = framing_listen(conf->path, conf->group, &s->listener, err);
	if (rc < 0) {
		server_close(s);
		return rc;
	}
	control_connection(s->control, false);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	s->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signals < 0) {
		rc = err_set(err, errno, "no signal descriptor: %s", strerror(errno));
		server_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void drop_peer(struct server *s, const char *why)
{
	if (!s->peer)
		return;
	log_info("server", "control plane disconnected", LZ("reason", why),
		LU("sessions", control_sessions(s->control)));
	framing_close(s->peer);
	s->peer = NULL;
	s->gone = false;
	control_connection(s->control, false);
}

static void accept_visitor(struct server *s)
{
	uid_t uid;
	int fd;

	if (framing_accept(s->listener, &fd, &uid) < 0)
		return;
	/* Of the group is who could open the socket. */
	if (!s->conf.group && uid != 0 && uid != geteuid()) {
		log_warn("server", "connection refused: user is not allowed", LU("uid", uid));
		close(fd);
		return;
	}
	struct framing **place = &s->visitors[s->next_visitor];

	framing_close(*place);
	*place = NULL;
	if (framing_open(fd, 0, place) < 0) {
		*place = NULL;
		close(fd);
		return;
	}
	s->next_visitor = (s->next_visitor + 1) % VISITORS_MAX;
}

static void answer_no(struct framing *f, const union dp_msg *m, int result, const char *why)
{
	union dp_msg answer;

	dp_msg_init(&answer, DP_ACK, m->h.seq);
	answer.ack.result = result;
	answer.ack.of_type = m->h.type;
	snprintf(answer.ack.reason, sizeof answer.ack.reason, "%s", why);
	(void)framing_send(f, &answer);
}

/* An upgrade may leave one plane as it was. */
static void say_versions(struct server *s, uint16_t version)
{
	if (s->foreign != version)
		log_error("server",
			version > DP_MSG_VERSION
				? "the planes are of different versions: start the data plane again"
				: "the planes are of different versions: start the control plane again",
			LU("ours", DP_MSG_VERSION), LU("control_plane", version));
	s->foreign = version;
}

static void refuse_visitor(struct server *s, struct framing *f, const union dp_msg *m, const char *why)
{
	if (dp_header_is_foreign(&m->h))
		say_versions(s, m->h.version);
	else
		log_warn("server", "connection refused", LZ("reason", why));
	answer_no(f, m, -EPROTO, why);
}

/* Two control planes would take each other's sessions away: the one that is served stays. */
static bool refuse_second(struct server *s, struct framing *f, const union dp_msg *hello)
{
	static const char why[] = "another control plane is connected: end it first";

	if (!s->peer || s->instance == hello->hello.instance)
		return false;
	if (s->turned_away != hello->hello.instance)
		log_warn("server", "a second control plane is refused", LZ("reason", why));
	s->turned_away = hello->hello.instance;
	answer_no(f, hello, -EBUSY, why);
	framing_close(f);
	return true;
}

/* With its DP_HELLO a visitor becomes the peer, where there is none; with anything else it goes. */
static void read_visitor(struct server *s, struct framing **place)
{
	struct framing *f = *place;
	union dp_msg m;
	const char *why;
	int rc = framing_recv(f, &m, &why);

	if (rc == 0)
		return;
	*place = NULL;
	if (rc == 1 && m.h.type == DP_HELLO) {
		if (refuse_second(s, f, &m))
			return;
		drop_peer(s, "replaced by a new connection of its own");
		s->peer = f;
		s->instance = m.hello.instance;
		s->foreign = 0;
		control_connection(s->control, true);
		log_info("server", "control plane connected", LU("sessions", control_sessions(s->control)));
		control_handle(s->control, &m);
		return;
	}
	if (rc == 1 || rc == -EPROTO)
		refuse_visitor(s, f, &m, rc == 1 ? "say DP_HELLO first" : why);
	if (rc == 1)
		dp_msg_wipe(&m);
	framing_close(f);
}

static void read_peer(struct server *s)
{
	for (unsigned n = 0; n < COMMANDS_PER_TURN && control_ready(s->control); n++) {
		union dp_msg m;
		const char *why;
		int rc = framing_recv(s->peer, &m, &why);

		if (rc == 0)
			return;
		if (rc == 1) {
			control_handle(s->control, &m);
		} else if (rc == -EPROTO) {
			log_warn("server", "message refused", LZ("reason", why));
			control_ack(s->control, s->control->connection,
				&(struct control_answer){
					.seq = m.h.seq, .type = m.h.type, .result = -EPROTO, .reason = why});
		} else {
			s->gone = true;
			return;
		}
	}
}

static bool worker_broken(const struct server *s)
{
	for (uint32_t i = 0; i < s->conf.n_workers; i++)
		if (worker_failed(s->conf.workers[i]))
			return true;
	return false;
}

static nfds_t wanted(struct server *s, struct pollfd *fds)
{
	fds[FD_SIGNAL] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	fds[FD_LISTENER] = (struct pollfd){.fd = s->listener, .events = POLLIN};
	fds[FD_PEER] = (struct pollfd){.fd = s->peer ? framing_fd(s->peer) : -1};
	if (control_ready(s->control))
		fds[FD_PEER].events |= POLLIN;
	if (s->peer && framing_wants_write(s->peer))
		fds[FD_PEER].events |= POLLOUT;
	for (unsigned i = 0; i < VISITORS_MAX; i++)
		fds[FD_VISITORS + i] = (struct pollfd){
			.fd = s->visitors[i] ? framing_fd(s->visitors[i]) : -1, .events = POLLIN};
	for (uint32_t i = 0; i < s->conf.n_workers; i++)
		fds[FD_WORKERS + i] =
			(struct pollfd){.fd = worker_mailbox(s->conf.workers[i])->wake, .events = POLLIN};
	return FD_WORKERS + s->conf.n_workers;
}

static void clear_wakes(struct server *s, const struct pollfd *fds)
{
	uint64_t n;

	for (uint32_t i = 0; i < s->conf.n_workers; i++)
		if (fds[FD_WORKERS + i].revents & POLLIN)
			(void)!read(fds[FD_WORKERS + i].fd, &n, sizeof n);
}

int server_run(struct server *s, struct err *err)
{
	struct pollfd fds[FD_WORKERS + WORKERS_MAX];

	for (;;) {
		nfds_t n = wanted(s, fds);

		if (poll(fds, n, TURN_MS) < 0 && errno != EINTR)
			return err_set(err, errno, "poll: %s", strerror(errno));
		if (fds[FD_SIGNAL].revents & POLLIN)
			return 0;
		/* First read what they have been woken for, then look: nothing is missed in between. */
		clear_wakes(s, fds);
		if (worker_broken(s))
			return err_set(err, EIO,
				"the crypto backend failed: start again so that every session gets its keys");
		if (s->peer && (fds[FD_PEER].revents & POLLOUT) && framing_flush(s->peer) == -EPIPE)
			s->gone = true;
		control_links(s->control, clock_mono_ns());
		if (s->control->links.replaced)
			return err_set(err, ENODEV,
				"interface '%s' went and came back: start again so that media has it",
				s->control->links.replaced->interface);
		control_poll(s->control);
		if (s->peer && (fds[FD_PEER].revents & (POLLIN | POLLHUP | POLLERR)))
			read_peer(s);
		if (s->gone)
			drop_peer(s, "closed by it");
		/* A peer that ended before its successor came may have left something to read. */
		for (unsigned i = 0; i < VISITORS_MAX && !(s->peer && fds[FD_PEER].revents & POLLHUP); i++)
			if (fds[FD_VISITORS + i].revents)
				read_visitor(s, &s->visitors[i]);
		if (fds[FD_LISTENER].revents & POLLIN)
			accept_visitor(s);
	}
}

void server_close(struct server *s)
{
	if (!s)
		return;
	framing_close(s->peer);
	for (unsigned i = 0; i < VISITORS_MAX; i++)
		framing_close(s->visitors[i]);
	control_close(s->control);
	if (s->listener >= 0) {
		close(s->listener);
		unlink(s->conf.path);
	}
	if (s->signals >= 0)
		close(s->signals);
	free(s);
}
