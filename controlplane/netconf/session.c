/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/netconf/capability.h"
#include "controlplane/netconf/client.h"
#include "controlplane/netconf/fault.h"
#include "controlplane/netconf/link.h"
#include "controlplane/netconf/reply.h"
#include "controlplane/netconf/rpc.h"

#define OUT_HIGH ((size_t)1 << 20) /* with more than this waiting for the client, nothing new is begun */
#define ENGINE_HELLO_S 15

enum phase {
	ENGINE_HELLO, /* the engine was asked who we are */
	CLIENT_HELLO, /* our <hello> is out, the client's is awaited */
	OPEN,
	ENDING, /* what is queued goes out, then it is over */
};

struct session {
	const struct session_conf *conf;
	struct link link;
	struct client client;
	enum phase phase;
	uint64_t deadline_ms; /* of the phase, or of a client that does not read; 0: none */
	json_t *hello;        /* the engine's */
	struct models models; /* in hello */
	struct xml_doc *doc;  /* of the request that the engine works on; NULL: none */
	struct rpc rpc;       /* the same request */
	enum session_end end;
	struct err *e;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t stall_deadline(void)
{
	return now_ms() + SESSION_STALL_S * 1000;
}

static void finish(struct session *s, enum session_end end, const char *why)
{
	if (s->phase == ENDING)
		return;
	s->phase = ENDING;
	s->end = end;
	s->deadline_ms = stall_deadline();
	if (why)
		err_set(s->e, EIO, "%s", why);
}

/* Frames message and frees it. A message that could not be written ends the session: the client would wait.
 */
static void put(struct session *s, struct text *message)
{
	if (s->phase == OPEN && client_unsent(&s->client) == 0)
		s->deadline_ms = stall_deadline();
	if (message->failed || client_put(&s->client, text_view(message)))
		finish(s, SESSION_REFUSED, "out of memory");
	text_free(message);
}

/* Takes fault over. */
static void put_fault(struct session *s, const struct xml_node *rpc, json_t *fault)
{
	struct text t = {0};
	const char *tag = json_string_value(json_object_get(fault, "tag"));

	/* Appendix A: clients of base:1.0 do not know this tag. */
	if (tag && strcmp(tag, "malformed-message") == 0 && !s->client.framing.chunked)
		json_object_set_new(fault, "tag", json_string("operation-failed"));
	reply_fault(&t, rpc, &s->models, fault);
	put(s, &t);
	json_decref(fault);
}

static void put_answer(
	struct session *s, const struct xml_node *rpc, enum rpc_answer answer, const json_t *data)
{
	struct text t = {0};

	if (reply_answer(&t, rpc, answer, data)) {
		put_fault(s, rpc,
			fault_make("application", "operation-failed",
				"the gateway answered with something else than was asked for"));
		text_free(&t);
		return;
	}
	if (t.failed) {
		put_fault(s, rpc,
			fault_make("application", "too-big", "the answer is too large: ask with a filter"));
		text_free(&t);
		return;
	}
	put(s, &t);
}

static void read_client_hello(struct session *s, const struct xml_node *root)
{
	bool base_1_0 = false, base_1_1 = false;
	const struct xml_node *list = xml_is(root, RPC_NS_BASE, "hello") ? root->child : NULL;

	for (; list; list = list->next) {
		if (xml_is(list, RPC_NS_BASE, "session-id")) /* RFC 6241, section 8.1 */
			finish(s, SESSION_REFUSED, "the client's <hello> has a session-id");
		if (!xml_is(list, RPC_NS_BASE, "capabilities"))
			continue;
		for (const struct xml_node *c = list->child; c; c = c->next) {
			struct str uri = str_trim(str_z(c->text));

			base_1_0 |= str_eq(uri, STR(CAPABILITY_BASE_1_0));
			base_1_1 |= str_eq(uri, STR(CAPABILITY_BASE_1_1));
		}
	}
	if (!base_1_0 && !base_1_1)
		finish(s, SESSION_REFUSED, "the client sent no <hello> with base:1.0 or base:1.1");
	if (s->phase == ENDING)
		return;
	if (base_1_1)
		framing_use_chunks(&s->client.framing);
	s->phase = OPEN;
	s->deadline_ms = client_unsent(&s->client) ? stall_deadline() : 0;
}

/* Takes over doc, which is kept until the engine's answer. */
static void begin_rpc(struct session *s, struct xml_doc *doc)
{
	const struct xml_node *root = xml_root(doc);
	json_t *fault = NULL;
	struct rpc rpc;

	if (rpc_read(root, &s->models, &rpc, &fault)) {
		/* Of a message that is no <rpc> nothing is repeated. */
		put_fault(s, xml_is(root, RPC_NS_BASE, "rpc") ? root : NULL, fault);
		xml_free(doc);
		return;
	}
	if (rpc.answer == RPC_CLOSE) {
		put_answer(s, root, rpc.answer, NULL);
		finish(s, SESSION_DONE, NULL);
		json_decref(rpc.args);
		xml_free(doc);
		return;
	}
	int rc = link_ask(&s->link, rpc.op, rpc.args);

	if (rc) {
		put_fault(s, root,
			fault_make("application", rc == -E2BIG ? "too-big" : "resource-denied",
				rc == -E2BIG ? "the gateway does not take that much at once"
					     : "out of memory"));
		if (rc != -E2BIG)
			finish(s, SESSION_REFUSED, "out of memory");
		xml_free(doc);
		return;
	}
	s->rpc = rpc;
	s->doc = doc;
}

static struct str trim_message(struct str s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]))
		s = str_sub(s, 1, s.n - 1);
	return s;
}

static void begin_message(struct session *s)
{
	struct xml_doc *doc;
	struct err why = {0};
	/* Many clients end a message with a newline: it then stands in front of the next one's XML. */
	int rc = xml_parse(trim_message(text_view(&s->client.framing.message)), &doc, &why);

	if (rc && s->phase == CLIENT_HELLO) {
		finish(s, SESSION_REFUSED, "the client's <hello> is not XML");
	} else if (rc) {
		put_fault(s, NULL,
			fault_make("rpc",
				rc == -E2BIG    ? "too-big"
				: rc == -ENOMEM ? "resource-denied"
						: "malformed-message",
				"%s", why.text));
	} else if (s->phase == CLIENT_HELLO) {
		read_client_hello(s, xml_root(doc));
		xml_free(doc);
	} else {
		begin_rpc(s, doc);
	}
}

/* May the next request be begun? */
static bool is_free(const struct session *s)
{
	return (s->phase == CLIENT_HELLO || s->phase == OPEN) && !s->doc &&
	       client_unsent(&s->client) < OUT_HIGH;
}

static void take_input(struct session *s)
{
	while (is_free(s) && s->client.input.n) {
		switch (client_take(&s->client)) {
		case FRAMING_MORE:
			break;
		case FRAMING_MESSAGE:
			begin_message(s);
			break;
		case FRAMING_BROKEN:
			finish(s, SESSION_REFUSED, "the client's framing is broken (RFC 6242, section 4.2)");
			break;
		case FRAMING_TOO_BIG:
			if (s->phase == OPEN)
				put_fault(s, NULL,
					fault_make("rpc", "too-big",
						"a message may have %zu octets: the session ends",
						FRAMING_MESSAGE_MAX));
			finish(s, SESSION_REFUSED, "the client's message is too long");
			break;
		}
	}
	if (is_free(s) && !s->client.input.n && s->client.ended)
		finish(s, SESSION_DONE, NULL);
}

static void write_output(struct session *s)
{
	if (client_write(&s->client) == 0 && s->phase == OPEN)
		s->deadline_ms = client_unsent(&s->client) ? stall_deadline() : 0;
}

/* The engine knows who we are: our <hello>. */
static void open_client(struct session *s, json_t *data)
{
	struct text t = {0};
	json_t *id = json_object_get(data, "session-id");

	if (!json_is_integer(id)) {
		finish(s, SESSION_UNREACHABLE, "what answers at the management socket is not a gateway");
		return;
	}
	s->hello = json_incref(data);
	s->models.list = json_object_get(data, "modules");
	reply_hello(&t, (uint32_t)json_integer_value(id), &s->models);
	s->phase = CLIENT_HELLO;
	s->deadline_ms = now_ms() + (s->conf->hello_s ? s->conf->hello_s : SESSION_HELLO_S) * 1000;
	put(s, &t);
}

static void take_answer(struct session *s, const json_t *line)
{
	json_t *data = json_object_get(line, "data"), *error = json_object_get(line, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	if (s->phase == ENGINE_HELLO) {
		if (error)
			finish(s, SESSION_REFUSED, message ? message : "the gateway takes no session");
		else
			open_client(s, data);
		return;
	}
	if (!s->doc) {
		finish(s, SESSION_UNREACHABLE, "the gateway answered what was not asked");
		return;
	}
	if (error)
		put_fault(s, xml_root(s->doc), json_incref(error));
	else
		put_answer(s, xml_root(s->doc), s->rpc.answer, data);
	xml_free(s->doc);
	s->doc = NULL;
}

static void take_lines(struct session *s)
{
	struct err why = {0};
	json_t *line;

	while (s->phase != ENDING && (line = link_next(&s->link, &why))) {
		json_t *notification = json_object_get(line, "notification");
		struct text t = {0};

		if (!notification)
			take_answer(s, line);
		else if (reply_notification(&t, notification) == 0)
			put(s, &t);
		json_decref(line);
	}
	if (why.text[0])
		finish(s, SESSION_UNREACHABLE, why.text);
}

/* The engine is gone: who waits for an answer is told before the end. */
static void lose_engine(struct session *s, const char *why)
{
	if (s->doc)
		put_fault(s, xml_root(s->doc), fault_make("application", "operation-failed", "%s", why));
	finish(s, SESSION_UNREACHABLE, why);
}

static void time_out(struct session *s)
{
	switch (s->phase) {
	case ENGINE_HELLO:
		finish(s, SESSION_UNREACHABLE, "the gateway does not answer");
		break;
	case CLIENT_HELLO:
		finish(s, SESSION_REFUSED, "the client sent no <hello> in time");
		break;
	case OPEN:
		finish(s, SESSION_REFUSED, "the client does not read its answers");
		client_forget(&s->client);
		break;
	case ENDING: /* nothing of what is left can go out */
		client_forget(&s->client);
		break;
	}
}

static int timeout_ms(const struct session *s)
{
	uint64_t now = now_ms();

	if (!s->deadline_ms)
		return -1;
	return s->deadline_ms > now ? (int)(s->deadline_ms - now) : 0;
}

/* One wait for whatever comes first. */
static void step(struct session *s)
{
	struct client *c = &s->client;
	size_t unsent = client_unsent(c);
	struct err why = {0};
	struct pollfd p[3] = {
		{.fd = is_free(s) && !c->input.n && !c->ended ? c->in : -1, .events = POLLIN},
		{.fd = c->out, .events = unsent ? POLLOUT : 0},
		{.fd = s->phase == ENDING || unsent >= OUT_HIGH ? -1 : s->link.fd,
			.events = link_events(&s->link)},
	};
	int n = poll(p, 3, timeout_ms(s));

	if (n == 0)
		time_out(s);
	if (n <= 0)
		return;
	if (p[2].revents && link_work(&s->link, p[2].revents, &why))
		lose_engine(s, why.text);
	take_lines(s);
	if (p[0].revents)
		client_read(c);
	if (p[1].revents & POLLOUT)
		write_output(s);
	else if (p[1].revents)
		client_forget(c);
	if (c->gone)
		finish(s, SESSION_DONE, NULL);
	take_input(s); /* last: what went in or out may have made room for the next request */
}

static void run(struct session *s)
{
	json_t *args = json_pack("{s:s,s:s*}", "client", "netconf", "source-host", s->conf->source_host);

	if (link_open(&s->link, s->conf->socket, s->e)) {
		s->end = SESSION_UNREACHABLE;
		json_decref(args);
		return;
	}
	s->deadline_ms = now_ms() + ENGINE_HELLO_S * 1000;
	if (link_ask(&s->link, "hello", args))
		finish(s, SESSION_UNREACHABLE, "out of memory");
	while (s->phase != ENDING || client_unsent(&s->client))
		step(s);
}

static void session_free(struct session *s)
{
	xml_free(s->doc);
	json_decref(s->hello);
	client_close(&s->client);
	link_close(&s->link);
	free(s);
}

enum session_end session_run(const struct session_conf *conf, struct err *e)
{
	struct session *s = calloc(1, sizeof *s);

	if (!s) {
		err_set(e, ENOMEM, "out of memory");
		return SESSION_REFUSED;
	}
	s->conf = conf;
	s->e = e;
	client_open(&s->client, conf->in, conf->out);
	run(s);
	enum session_end end = s->end;

	session_free(s);
	return end;
}
