/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "controlplane/obs/mgmt_private.h"
#include "controlplane/obs/mgmt_socket.h"
#include "lib/base/log.h"

/* New clients wait this long when the process has no file descriptors left. */
static const struct timeval accept_pause = {1, 0};

const struct operation *mgmt_find_operation(const struct mgmt *m, const char *name)
{
	const struct operation *op;

	SLIST_FOREACH(op, &m->operations, next)
	{
		if (strcmp(op->name, name) == 0)
			return op;
	}
	return NULL;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct mgmt *m = arg;
	struct mgmt_client *c = m->n_clients < MGMT_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
	socklen_t size = sizeof c->who;

	(void)l, (void)sa, (void)n;
	if (c)
		c->stream = bufferevent_socket_new(m->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->stream || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &size) != 0) {
		static const char busy[] =
			"{\"error\":{\"tag\":\"resource-denied\",\"type\":\"rpc\",\"path\":\"\","
			"\"message\":\"too many clients\"}}\n";

		/* A new socket's buffer takes it; a client that is not told is closed all the same. */
		if (send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("mgmt", "client refused without a word");
		if (c && c->stream)
			bufferevent_free(c->stream);
		else
			close(fd);
		free(c);
		return;
	}
	log_debug("mgmt", "operator connected", LU("uid", c->who.uid), LI("pid", c->who.pid));
	mgmt_client_begin(c, m);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct mgmt *m = arg;

	(void)fd, (void)what;
	evconnlistener_enable(m->listener);
}

/* Mostly EMFILE, which would come again at once and for ever. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	struct mgmt *m = arg;

	log_warn("mgmt", "cannot accept clients", LZ("reason", strerror(errno)));
	evconnlistener_disable(l);
	event_add(m->resume, &accept_pause);
}

int mgmt_open(struct mgmt **out, struct event_base *base, const char *path, const char *group, struct err *e)
{
	struct mgmt *m = calloc(1, sizeof *m);
	int fd, rc;

	if (!m)
		return err_set(e, ENOMEM, "no memory for the management socket");
	/* An answer to a client that has gone must be an error, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	m->base = base;
	LIST_INIT(&m->clients);
	SLIST_INIT(&m->operations);
	fd = mgmt_socket_listen(path, group, e);
	if (fd < 0) {
		free(m);
		return fd;
	}
	str_copy(m->path, sizeof m->path, str_z(path));
	m->resume = evtimer_new(base, on_resume, m);
	m->listener = evconnlistener_new(base, on_accept, m, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (!m->listener)
		close(fd);
	if (!m->resume || !m->listener) {
		rc = err_set(e, ENOMEM, "no memory for the management socket");
		mgmt_close(m);
		return rc;
	}
	evconnlistener_set_error_cb(m->listener, on_accept_error);
	*out = m;
	return 0;
}

void mgmt_close(struct mgmt *m)
{
	if (!m)
		return;
	while (!LIST_EMPTY(&m->clients))
		mgmt_client_free(LIST_FIRST(&m->clients));
	while (!SLIST_EMPTY(&m->operations)) {
		struct operation *op = SLIST_FIRST(&m->operations);

		SLIST_REMOVE_HEAD(&m->operations, next);
		free(op);
	}
	if (m->listener)
		evconnlistener_free(m->listener);
	if (m->resume)
		event_free(m->resume);
	unlink(m->path);
	free(m);
}

static int add_operation(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx, bool large)
{
	if (mgmt_find_operation(m, op))
		return -EEXIST;
	struct operation *o = calloc(1, sizeof *o);

	if (!o)
		return -ENOMEM;
	*o = (struct operation){.name = op, .fn = fn, .ctx = ctx, .large = large};
	SLIST_INSERT_HEAD(&m->operations, o, next);
	return 0;
}

int mgmt_register(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx)
{
	return add_operation(m, op, fn, ctx, false);
}

int mgmt_register_large(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx)
{
	return add_operation(m, op, fn, ctx, true);
}

struct mgmt_client *mgmt_client_with(const struct mgmt *m, mgmt_closed_fn closed, const void *data)
{
	struct mgmt_client *c;
	const struct attachment *a;

	LIST_FOREACH (c, &m->clients, next) {
		SLIST_FOREACH(a, &c->attachments, next)
		{
			if (a->closed == closed && a->data == data)
				return c;
		}
	}
	return NULL;
}
