/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that carries SIP in a WebSocket (RFC 7118): the HTTP request first, frames from then on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/net.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

static void on_write(void *user, const void *p, size_t n)
{
	struct sip_conn *c = user;

	if (c->state == CONN_UP)
		(void)conn_write(c, (struct str){p, n});
}

/* Nothing but CR and LF: two of them are a ping that is answered by one (RFC 5626 section 3.5.1). */
static bool is_keepalive(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			return false;
	return true;
}

static bool on_message(void *user, char *p, size_t n)
{
	struct sip_conn *c = user;

	c->message_ms = 0;
	if (!is_keepalive(p, n))
		return conn_take_message(c, p, n);
	c->net->counters->rx_keepalives++;
	if (n >= 4)
		(void)conn_send(c, STR("\r\n"));
	return c->state == CONN_UP;
}

static void note_refusal(struct sip_conn *c, const struct ws_upgrade *u)
{
	char remote[IP_PORT_TEXT_MAX];
	unsigned dropped;

	c->net->counters->web_refused++;
	c->net->counters->web_refused_origin += u->status == 403;
	if (net_may_log(c->net, &dropped))
		log_info("sip", "WebSocket refused", LZ("peer", ip_port_text(&c->remote, remote)),
			LU("status", u->status), LZ("reason", u->reason), LS("origin", u->origin),
			LU("lines_left_out", dropped));
}

/* Answers the request; false: the connection is on its way out. */
static bool upgrade(struct sip_conn *c, struct str request)
{
	static const struct ws_ops ops = {.message = on_message, .write = on_write};
	char text[WS_RESPONSE_MAX];
	struct wbuf response = wbuf_make(text, sizeof text);
	struct ws_upgrade u;

	ws_upgrade(request, &c->listener->web, &u, &response);
	if (u.status == 101 && ws_new(&ops, c, SIP_HEAD_MAX + SIP_BODY_MAX, &c->ws) < 0) {
		conn_break(c, "no memory");
		return false;
	}
	if (conn_write(c, wbuf_view(&response)) < 0)
		return false;
	if (u.status != 101) {
		note_refusal(c, &u);
		conn_finish(c, u.reason);
		return false;
	}
	c->net->counters->web_opened++;
	c->web_ms = conn_now_ms();
	conn_heard_of(c);
	conn_arm_timer(c);
	return true;
}

static uint64_t ping_at(const struct sip_conn *c)
{
	return c->heard_ms + c->net->conf.ping_ms * (1 + c->pinged);
}

static uint64_t register_by(const struct sip_conn *c)
{
	uint32_t s = c->listener->register_within_s;

	return c->admitted || !s ? UINT64_MAX : c->web_ms + s * 1000ull;
}

uint64_t conn_web_deadline(const struct sip_conn *c)
{
	uint64_t ping = ping_at(c), by = register_by(c);

	return by < ping ? by : ping;
}

static void close_unregistered(struct sip_conn *c)
{
	char remote[IP_PORT_TEXT_MAX];
	unsigned dropped;

	c->net->counters->web_unregistered_closed++;
	if (net_may_log(c->net, &dropped))
		log_info("sip", "WebSocket closed: nobody registered on it in time",
			LZ("peer", ip_port_text(&c->remote, remote)), LU("seconds", c->listener->register_within_s),
			LU("lines_left_out", dropped));
	ws_close(c->ws, WS_POLICY_VIOLATION);
	conn_close(c, "nobody registered on it in time");
}

void conn_web_due(struct sip_conn *c)
{
	if (conn_now_ms() >= register_by(c)) {
		close_unregistered(c);
	} else if (c->pinged) {
		c->net->counters->web_silent_closed++;
		conn_close(c, "the browser does not answer a ping");
	} else {
		c->pinged = true;
		ws_ping(c->ws);
		if (c->state == CONN_UP)
			conn_arm_timer(c);
	}
}

void sip_net_admit(struct sip_net *net, const struct sip_flow *from)
{
	struct sip_conn *c = from->conn ? conn_find(net, from->conn) : NULL;

	if (c)
		c->admitted = true;
}

ptrdiff_t conn_take_web(struct sip_conn *c, char *p, size_t n)
{
	size_t at = 0;

	if (!c->ws) {
		at = ws_request_end(p, n);
		if (!at && n < WS_REQUEST_MAX)
			return (ptrdiff_t)n;
		if (!at) {
			c->net->counters->web_refused++;
			conn_break(c, "the HTTP request is too long");
			return -1;
		}
		c->message_ms = 0;
		if (!upgrade(c, (struct str){p, at}))
			return -1;
	}
	if (at < n && !ws_feed(c->ws, p + at, n - at)) {
		conn_finish(c, ws_end(c->ws));
		return -1;
	}
	if (c->state != CONN_UP)
		return -1;
	if (!ws_partial(c->ws)) {
		c->message_ms = 0;
	} else if (!c->message_ms) {
		c->message_ms = conn_now_ms();
		conn_arm_timer(c);
	}
	return 0;
}

int conn_send(struct sip_conn *c, struct str text)
{
	uint8_t *frame;
	size_t head;
	int rc;

	if (c->transport != SIP_WSS)
		return conn_write(c, text);
	if (!c->ws)
		return -ENOTCONN;
	frame = malloc(WS_HEADER_MAX + text.n);
	if (!frame)
		return -ENOMEM;
	/* In one piece: half a frame in a full queue could not be taken back. */
	head = ws_header(frame, text.n);
	memcpy(frame + head, text.p, text.n);
	rc = conn_write(c, (struct str){(char *)frame, head + text.n});
	mem_wipe(frame, head + text.n);
	free(frame);
	return rc;
}
