/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "controlplane/obs/http.h"
#include "lib/base/log.h"

static const struct timeval timeout = {WEB_TIMEOUT_S, 0};

struct client {
	LIST_ENTRY(client) next;
	struct web *web;
	struct bufferevent *stream;
	struct web_request *pending;
	bool answered; /* closed once its output is written */
};

struct web {
	struct event_base *base;
	struct evconnlistener *listener;
	struct ip_port at;
	web_page_fn page;
	void *ctx;
	unsigned n_clients;
	LIST_HEAD(, client) clients;
};

struct web_request {
	struct client *client; /* NULL: gone */
};

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{400, "Bad Request"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{431, "Request Header Fields Too Large"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

static const char *phrase_of(unsigned status)
{
	for (unsigned i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

static void client_free(struct client *c)
{
	struct web *w = c->web;

	if (c->pending)
		c->pending->client = NULL;
	LIST_REMOVE(c, next);
	w->n_clients--;
	bufferevent_free(c->stream);
	free(c);
	evconnlistener_enable(w->listener);
}

static void answer(struct client *c, unsigned status, const char *type, struct evbuffer *body)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);

	c->answered = true;
	evbuffer_add_printf(out,
		"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n%s"
		"Connection: close\r\n\r\n",
		status, phrase_of(status), type, evbuffer_get_length(body),
		status == 405 ? "Allow: GET\r\n" : "");
	evbuffer_add_buffer(out, body);
	bufferevent_disable(c->stream, EV_READ);
}

static void say(struct client *c, unsigned status, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	if (!body) {
		client_free(c);
		return;
	}
	evbuffer_add_printf(body, "%s\n", text);
	answer(c, status, "text/plain; charset=utf-8", body);
	evbuffer_free(body);
}

void web_answer(struct web_request *rq, unsigned status, const char *type, struct evbuffer *body)
{
	if (rq->client) {
		rq->client->pending = NULL;
		answer(rq->client, status, type, body);
	}
	free(rq);
}

void web_say(struct web_request *rq, unsigned status, const char *text)
{
	if (rq->client) {
		rq->client->pending = NULL;
		say(rq->client, status, text);
	}
	free(rq);
}

static void on_read(struct bufferevent *stream, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t n = evbuffer_get_length(in);
	const char *text = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
	unsigned status = 0;
	struct str path;

	if (c->pending || c->answered || !text)
		return;
	switch (http_read((struct str){text, n}, &path, &status)) {
	case HTTP_MORE:
		break;
	case HTTP_WRONG:
		say(c, status, phrase_of(status));
		break;
	case HTTP_READY:
		c->pending = calloc(1, sizeof *c->pending);
		if (!c->pending) {
			client_free(c);
			break;
		}
		c->pending->client = c;
		c->web->page(c->web->ctx, c->pending, path);
		break;
	}
}

static void on_written(struct bufferevent *stream, void *arg)
{
	struct client *c = arg;

	(void)stream;
	if (c->answered)
		client_free(c);
}

/* The end of the connection, an error, or too long a wait. */
static void on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *c = arg;

	(void)stream;
	/* A client may have shut down its sending side and still wait for its answer. */
	if (what & BEV_EVENT_EOF && (c->pending || c->answered))
		return;
	client_free(c);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct web *w = arg;
	struct client *c = calloc(1, sizeof *c);

	(void)sa, (void)n;
	if (c)
		c->stream = bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->stream) {
		close(fd);
		free(c);
		return;
	}
	c->web = w;
	LIST_INSERT_HEAD(&w->clients, c, next);
	if (++w->n_clients >= WEB_CLIENTS_MAX)
		evconnlistener_disable(l);
	bufferevent_setcb(c->stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, HTTP_HEAD_MAX + 1);
	bufferevent_set_timeouts(c->stream, &timeout, &timeout);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

int web_open(struct event_base *base, const struct ip_port *at, web_page_fn page, void *ctx, struct web **out,
	struct err *e)
{
	struct web *w = calloc(1, sizeof *w);
	struct sockaddr_storage sa;
	char text[IP_PORT_TEXT_MAX];
	socklen_t n;
	int code;

	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	*w = (struct web){.base = base, .at = *at, .page = page, .ctx = ctx};
	LIST_INIT(&w->clients);
	n = ip_port_to_sockaddr(at, &sa);
	w->listener = evconnlistener_new_bind(base, on_accept, w,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 64, (struct sockaddr *)&sa,
		(int)n);
	if (!w->listener) {
		code = errno ? errno : ENOMEM;
		free(w);
		return err_set(e, code, "/srtp-gateway:gateway/observability/metrics-listener: %s: %s",
			ip_port_text(at, text), err_bind_reason(code));
	}
	*out = w;
	return 0;
}

void web_close(struct web *w)
{
	if (!w)
		return;
	while (!LIST_EMPTY(&w->clients))
		client_free(LIST_FIRST(&w->clients));
	evconnlistener_free(w->listener);
	free(w);
}

const struct ip_port *web_address(const struct web *w)
{
	return &w->at;
}
