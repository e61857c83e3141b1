/* SPDX-License-Identifier: Apache-2.0 */
/* One client: lines in, answers out, and what is kept for it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "controlplane/obs/mgmt_private.h"
#include "controlplane/obs/request.h"

static const struct timeval idle = {MGMT_IDLE_S, 0};

static void serve(struct mgmt_client *c);

void mgmt_client_free(struct mgmt_client *c)
{
	if (c->pending)
		c->pending->client = NULL;
	LIST_REMOVE(c, next);
	c->m->n_clients--;
	while (!SLIST_EMPTY(&c->attachments)) {
		struct attachment *a = SLIST_FIRST(&c->attachments);

		SLIST_REMOVE_HEAD(&c->attachments, next);
		a->closed(a->data);
		free(a);
	}
	bufferevent_free(c->stream);
	free(c);
}

static void send_line(struct mgmt_client *c, char *line, size_t n)
{
	if (!line || bufferevent_write(c->stream, line, n) != 0)
		c->closing = true;
	free(line);
}

static void send_error(struct mgmt_client *c, const char *tag, const char *message)
{
	size_t n = 0;
	char *line = request_error(mgmt_error(tag, "rpc", "", message), &n);

	c->counts.errors++;
	send_line(c, line, n);
}

static void begin(struct mgmt_client *c, const char *text, size_t n)
{
	struct request parsed;
	struct err e = {0};

	int rc = request_parse((struct str){text, n}, &parsed, &e);

	if (rc) {
		send_error(c, rc == -E2BIG ? "too-big" : "malformed-message", e.text);
		return;
	}
	const struct operation *op = mgmt_find_operation(c->m, parsed.op);

	if (!op) {
		err_set(&e, ENOENT, "there is no operation '%s'", parsed.op);
		send_error(c, "operation-not-supported", e.text);
	} else if (!(c->pending = calloc(1, sizeof *c->pending))) {
		send_error(c, "resource-denied", "out of memory");
	} else {
		c->pending->client = c;
		c->pending->uid = c->who.uid;
		c->counts.requests++;
		op->fn(c->pending, parsed.args, op->ctx);
	}
	json_decref(parsed.args);
}

/* Does the line begin with the name of an operation whose requests may be large? */
static bool is_large(const struct mgmt_client *c, struct evbuffer *in)
{
	char begin[REQUEST_OP_MAX + 32];
	ev_ssize_t n = evbuffer_copyout(in, begin, sizeof begin);
	char name[REQUEST_OP_MAX];
	const struct operation *op;

	if (n < 0 || request_peek_op((struct str){begin, (size_t)n}, name))
		return false;
	op = mgmt_find_operation(c->m, name);
	return op && op->large;
}

/* The length of the line that input begins with; -1: its end has not come. Closes a client that goes too far.
 */
static ev_ssize_t line_length(struct mgmt_client *c, struct evbuffer *in)
{
	struct evbuffer_ptr from, end;
	size_t have = evbuffer_get_length(in), n, max = MGMT_REQUEST_MAX;

	/* What was searched is not searched again: a large request comes in a thousand pieces. */
	if (evbuffer_ptr_set(in, &from, c->searched, EVBUFFER_PTR_SET) != 0)
		return -1;
	end = evbuffer_search_eol(in, &from, NULL, EVBUFFER_EOL_LF);
	c->searched = end.pos < 0 ? have : c->searched;
	n = end.pos < 0 ? have : (size_t)end.pos;
	if (n > max && is_large(c, in)) {
		max = MGMT_LARGE_MAX;
		bufferevent_setwatermark(c->stream, EV_READ, 0, MGMT_LARGE_MAX + 1);
	}
	if (n > max) {
		send_error(c, "too-big", "the request is too long");
		c->closing = true;
		return -1;
	}
	return end.pos;
}

static void take_line(struct mgmt_client *c, struct evbuffer *in, size_t n)
{
	char *text = (char *)evbuffer_pullup(in, (ev_ssize_t)n + 1);

	if (text)
		begin(c, text, n);
	else
		c->closing = true;
	evbuffer_drain(in, n + 1);
	c->searched = 0;
	if (n > MGMT_REQUEST_MAX)
		bufferevent_setwatermark(c->stream, EV_READ, 0, MGMT_REQUEST_MAX + 1);
}

/* Takes lines while there are any, none is in work, and the client has read what it was sent. Ends it when it
 * is over. */
static void serve(struct mgmt_client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->stream), *out = bufferevent_get_output(c->stream);
	bool line_left = true;

	c->serving = true;
	while (!c->pending && !c->closing && evbuffer_get_length(out) == 0) {
		ev_ssize_t n = line_length(c, in);

		line_left = n >= 0;
		if (!line_left)
			break;
		take_line(c, in, (size_t)n);
	}
	c->serving = false;
	bool finished = c->eof && !c->pending && !line_left;

	if ((c->closing || finished) && evbuffer_get_length(out) == 0)
		mgmt_client_free(c);
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
	struct mgmt_client *c = arg;

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
	mgmt_client_free(c);
}

void mgmt_client_begin(struct mgmt_client *c, struct mgmt *m)
{
	c->m = m;
	SLIST_INIT(&c->attachments);
	m->n_clients++;
	LIST_INSERT_HEAD(&m->clients, c, next);
	bufferevent_setcb(c->stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, MGMT_REQUEST_MAX + 1);
	bufferevent_set_timeouts(c->stream, &idle, &idle);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

/* Ends the request and sends the line; the client's next line is taken once this one is written. */
static void end_request(struct mgmt_request *rq, char *line, size_t n)
{
	struct mgmt_client *c = rq->client;

	json_decref(rq->warnings);
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

void mgmt_warn(struct mgmt_request *rq, const char *text)
{
	if (!rq->warnings)
		rq->warnings = json_array();
	json_array_append_new(rq->warnings, json_string(text));
}

void mgmt_reply(struct mgmt_request *rq, json_t *data)
{
	size_t n = 0;
	char *line = data && rq->client ? request_answer(data, rq->warnings, &n) : NULL;

	json_decref(data);
	if (!line && rq->client)
		line = request_error(mgmt_error("resource-denied", "rpc", "", "out of memory"), &n);
	end_request(rq, line, n);
}

json_t *mgmt_error(const char *tag, const char *type, const char *path, const char *message)
{
	return request_error_object(tag, type, path, message);
}

void mgmt_refuse_error(struct mgmt_request *rq, json_t *error)
{
	size_t n = 0;
	char *line = request_error(error, &n);

	if (rq->client)
		rq->client->counts.errors++;
	end_request(rq, line, n);
}

void mgmt_refuse(struct mgmt_request *rq, const char *path, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	mgmt_refuse_error(rq, mgmt_error("operation-failed", "application", path, message));
}

uid_t mgmt_request_uid(const struct mgmt_request *rq)
{
	return rq->uid;
}

const char *mgmt_arg(const json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

struct mgmt_client *mgmt_request_client(const struct mgmt_request *rq)
{
	return rq->client;
}

int mgmt_client_attach(struct mgmt_client *c, mgmt_closed_fn closed, void *data)
{
	struct attachment *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	*a = (struct attachment){.closed = closed, .data = data};
	SLIST_INSERT_HEAD(&c->attachments, a, next);
	/* A session may think for as long as it likes; one that does not read what it is sent may not. */
	bufferevent_set_timeouts(c->stream, NULL, &idle);
	return 0;
}

void *mgmt_client_attached(const struct mgmt_client *c, mgmt_closed_fn closed)
{
	const struct attachment *a;

	SLIST_FOREACH(a, &c->attachments, next)
	{
		if (a->closed == closed)
			return a->data;
	}
	return NULL;
}

int mgmt_client_push(struct mgmt_client *c, json_t *line)
{
	size_t n = 0;
	char *text;

	if (evbuffer_get_length(bufferevent_get_output(c->stream)) > MGMT_UNREAD_MAX) {
		json_decref(line);
		return -ENOBUFS;
	}
	text = request_line(line, &n);
	if (!text)
		return -ENOMEM;
	c->counts.pushed++;
	send_line(c, text, n);
	return 0;
}

const struct mgmt_counts *mgmt_client_counts(const struct mgmt_client *c)
{
	return &c->counts;
}

void mgmt_client_close(struct mgmt_client *c)
{
	c->closing = true;
	if (!c->serving)
		mgmt_client_free(c);
}
