/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/mgmt.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "controlplane/obs/mgmt_socket.h"
#include "controlplane/obs/request.h"
#include "lib/base/log.h"

/* New clients wait this long when the process has no file descriptors left. */
static const struct timeval accept_pause = {1, 0};
static const struct timeval idle = {MGMT_IDLE_S, 0};

struct operation {
	SLIST_ENTRY(operation) next;
	const char *name;
	mgmt_fn fn;
	void *ctx;
};

struct client {
	LIST_ENTRY(client) next;
	struct mgmt *m;
	struct bufferevent *stream;
	struct mgmt_request *pending; /* in work; NULL when the next line may be taken */
	struct ucred who;
	bool closing; /* to be closed once its output is written, whatever else it sent */
	bool eof;     /* it sends no more; what it sent before is still answered */
	bool serving; /* inside serve(): an answer does not call it again */
};

struct mgmt {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepts again after accept_pause */
	char path[108];
	unsigned n_clients;
	LIST_HEAD(, client) clients;
	SLIST_HEAD(, operation) operations;
};

/* Owned by whoever has to answer; the client only points at it, and is forgotten here when it goes first. */
struct mgmt_request {
	struct client *client; /* NULL: gone */
	uid_t uid;
};

static void serve(struct client *c);

static void client_free(struct client *c)
{
	if (c->pending)
		c->pending->client = NULL;
	LIST_REMOVE(c, next);
	c->m->n_clients--;
	bufferevent_free(c->stream);
	free(c);
}

static void send_line(struct client *c, char *line, size_t n)
{
	if (!line || bufferevent_write(c->stream, line, n) != 0)
		c->closing = true;
	free(line);
}

static void send_error(struct client *c, const char *path, const char *message)
{
	size_t n = 0;
	char *line = request_error(path, message, &n);

	send_line(c, line, n);
}

static const struct operation *find_operation(const struct mgmt *m, const char *name)
{
	const struct operation *op;

	SLIST_FOREACH(op, &m->operations, next)
	{
		if (strcmp(op->name, name) == 0)
			return op;
	}
	return NULL;
}

static void begin(struct client *c, const char *text, size_t n)
{
	struct request parsed;
	struct err e = {0};

	if (request_parse((struct str){text, n}, &parsed, &e)) {
		send_error(c, "", e.text);
		return;
	}
	const struct operation *op = find_operation(c->m, parsed.op);

	if (!op) {
		err_set(&e, ENOENT, "there is no operation '%s'", parsed.op);
		send_error(c, "", e.text);
	} else if (!(c->pending = calloc(1, sizeof *c->pending))) {
		send_error(c, "", "out of memory");
	} else {
		c->pending->client = c;
		c->pending->uid = c->who.uid;
		op->fn(c->pending, parsed.args, op->ctx);
	}
	json_decref(parsed.args);
}

/* Takes lines while there are any, none is in work, and the client has read what it was sent. Ends it when it
 * is over. */
static void serve(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->stream), *out = bufferevent_get_output(c->stream);

	bool line_left = true;

	c->serving = true;
	while (!c->pending && !c->closing && evbuffer_get_length(out) == 0) {
		struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
		size_t n = end.pos < 0 ? evbuffer_get_length(in) : (size_t)end.pos;

		if (n > MGMT_REQUEST_MAX) {
			send_error(c, "", "the request is too long");
			c->closing = true;
		}
		line_left = end.pos >= 0;
		if (c->closing || !line_left)
			break;
		char *text = (char *)evbuffer_pullup(in, (ev_ssize_t)n + 1);

		if (text)
			begin(c, text, n);
		else
			c->closing = true;
		evbuffer_drain(in, n + 1);
	}
	c->serving = false;
	bool finished = c->eof && !c->pending && !line_left;

	if ((c->closing || finished) && evbuffer_get_length(out) == 0)
		client_free(c);
}

static void on_read(struct bufferevent *stream, void *arg)
{
	(void)stream;
	serve(arg);
}

static void on_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	serve(arg);
}

/* End of input, an error, or MGMT_IDLE_S without progress. */
static void on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *c = arg;

	(void)stream;
	/* A client may shut down its sending side and still wait for its answer. */
	if (what & BEV_EVENT_EOF) {
		c->eof = true;
		serve(c);
		return;
	}
	/* Nothing is read while a request is in work, which is its handler's business and not idleness. */
	if (what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_READING && c->pending) {
		bufferevent_enable(c->stream, EV_READ);
		return;
	}
	client_free(c);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct mgmt *m = arg;
	struct client *c = m->n_clients < MGMT_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
	socklen_t size = sizeof c->who;

	(void)l, (void)sa, (void)n;
	if (c)
		c->stream = bufferevent_socket_new(m->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->stream || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &size) != 0) {
		static const char busy[] = "{\"error\":{\"path\":\"\",\"message\":\"too many clients\"}}\n";

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
	c->m = m;
	m->n_clients++;
	LIST_INSERT_HEAD(&m->clients, c, next);
	log_debug("mgmt", "operator connected", LU("uid", c->who.uid), LI("pid", c->who.pid));
	bufferevent_setcb(c->stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, MGMT_REQUEST_MAX + 1);
	bufferevent_set_timeouts(c->stream, &idle, &idle);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
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
		client_free(LIST_FIRST(&m->clients));
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

int mgmt_register(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx)
{
	if (find_operation(m, op))
		return -EEXIST;
	struct operation *o = calloc(1, sizeof *o);

	if (!o)
		return -ENOMEM;
	*o = (struct operation){.name = op, .fn = fn, .ctx = ctx};
	SLIST_INSERT_HEAD(&m->operations, o, next);
	return 0;
}

/* Ends the request and sends the line; the client's next line is taken once this one is written. */
static void end_request(struct mgmt_request *rq, char *line, size_t n)
{
	struct client *c = rq->client;

	free(rq);
	if (!c) {
		free(line);
		return;
	}
	c->pending = NULL;
	send_line(c, line, n);
	if (!c->serving && (c->closing || c->eof))
		serve(c);
}

void mgmt_reply(struct mgmt_request *rq, json_t *data)
{
	size_t n = 0;
	char *line = data && rq->client ? request_answer(data, &n) : NULL;

	json_decref(data);
	if (!line && rq->client)
		line = request_error("", "out of memory", &n);
	end_request(rq, line, n);
}

void mgmt_refuse(struct mgmt_request *rq, const char *path, const char *fmt, ...)
{
	char message[512];
	va_list ap;
	size_t n = 0;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	char *line = request_error(path, message, &n);

	end_request(rq, line, n);
}

uid_t mgmt_request_uid(const struct mgmt_request *rq)
{
	return rq->uid;
}

const char *mgmt_arg(const json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}
