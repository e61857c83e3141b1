/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/ops_notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libyang/libyang.h>

#include "controlplane/manage/session.h"
#include "controlplane/obs/gather.h"
#include "controlplane/obs/notify.h"
#include "lib/base/clock.h"

#define EDITS_MAX 100 /* of one commit, each in the notification */

struct ops_notify {
	struct mgmt *mgmt;
	struct event_base *base;
	struct engine *engine;
	struct notify *bus;
};

/* Lives as long as its client's connection. */
struct subscription {
	struct ops_notify *o;
	struct mgmt_client *client;
	struct engine_session *session;
	struct notify_listener listener;
	struct engine_query q;      /* its texts are owned */
	uint64_t start_ms, stop_ms; /* wall clock; 0: none */
	struct event *stop;
};

static void closed(void *data)
{
	struct subscription *s = data;

	notify_leave(&s->listener);
	if (s->stop)
		event_free(s->stop);
	free((char *)s->q.xpath);
	free((char *)s->q.subtree);
	free(s);
}

/* Takes over text, the instance data as engine_print() made it. */
static void push(struct subscription *s, uint64_t wall_ms, char *text)
{
	char time[CLOCK_TEXT_MAX];
	json_t *data = s->q.format == ENGINE_XML ? json_string(text) : json_loads(text, 0, NULL);

	free(text);
	/* A subscriber that does not read has lost notifications, and must learn of it. */
	if (mgmt_client_push(s->client, json_pack("{s:{s:s,s:o}}", "notification", "event-time",
						clock_text(wall_ms, time), "data", data)) < 0)
		mgmt_client_close(s->client);
}

static bool is_nothing(const char *text)
{
	return !*text || strcmp(text, "{}") == 0;
}

/* Of the edits of netconf-config-change those whose targets the session may read: a path says what is there.
 */
static void hide_edits(const struct subscription *s, struct lyd_node *notification)
{
	struct lyd_node *edit, *next;

	if (strcmp(LYD_NAME(notification), "netconf-config-change") != 0)
		return;
	LY_LIST_FOR_SAFE(lyd_child(notification), next, edit)
	{
		if (strcmp(LYD_NAME(edit), "edit") == 0 &&
			!engine_may_read_path(s->session, lyd_get_value(lyd_child(edit))))
			lyd_free_tree(edit);
	}
}

/* As the session may see it and its filter wants it, or not at all. */
static void hear(void *ctx, uint64_t wall_ms, const struct lyd_node *node)
{
	struct subscription *s = ctx;
	struct lyd_node *copy = NULL;
	struct engine_fault f;
	char *text = NULL;

	if (!engine_may_notify(s->session, node) ||
		lyd_dup_single(node, NULL, LYD_DUP_RECURSIVE, &copy) != LY_SUCCESS)
		return;
	hide_edits(s, copy);
	if (engine_print(s->session, copy, &s->q, &text, &f) || is_nothing(text))
		free(text);
	else
		push(s, wall_ms, text);
}

static struct lyd_node *mark_new(const struct ops_notify *o, const char *name)
{
	const struct lys_module *m =
		ly_ctx_get_module_implemented(engine_context(o->engine), "nc-notifications");
	struct lyd_node *node = NULL;

	return lyd_new_inner(NULL, m, name, 0, &node) == LY_SUCCESS ? node : NULL;
}

/* replayComplete and notificationComplete are for this subscriber alone, whatever its filter. */
static void tell_mark(struct subscription *s, const char *name)
{
	const struct engine_query all = {.format = s->q.format};
	struct lyd_node *node = mark_new(s->o, name);
	struct engine_fault f;
	char *text = NULL;

	if (node && !engine_print(s->session, node, &all, &text, &f))
		push(s, clock_wall_ms(), text);
}

static void stopped(evutil_socket_t fd, short what, void *arg)
{
	struct subscription *s = arg;

	(void)fd, (void)what;
	if (!s->listener.bus)
		return;
	notify_leave(&s->listener);
	tell_mark(s, "notificationComplete");
}

static void begin(struct subscription *s)
{
	uint64_t now = clock_wall_ms();
	struct timeval left = {0};

	if (s->start_ms) {
		notify_replay(s->o->bus, s->start_ms, s->stop_ms ? s->stop_ms : UINT64_MAX, hear, s);
		tell_mark(s, "replayComplete");
	}
	notify_listen(s->o->bus, &s->listener);
	if (!s->stop_ms)
		return;
	if (s->stop_ms > now) {
		left.tv_sec = (time_t)((s->stop_ms - now) / 1000);
		left.tv_usec = (suseconds_t)((s->stop_ms - now) % 1000 * 1000);
		event_add(s->stop, &left);
	} else {
		stopped(-1, 0, s);
	}
}

/* libyang reads a time only where its form was checked before. */
static bool is_time(const struct ly_ctx *ctx, const char *text)
{
	const struct lysc_node *leaf =
		lys_find_path(ctx, NULL, "/notifications:create-subscription/startTime", 0);

	return text && leaf &&
	       lyd_value_validate(ctx, leaf, text, strlen(text), NULL, NULL, NULL) == LY_SUCCESS;
}

/* RFC 3339 as milliseconds. false: rq is refused. */
static bool take_time(struct mgmt_request *rq, const struct ly_ctx *ctx, const json_t *args, const char *name,
	uint64_t *out)
{
	const char *text = mgmt_arg(args, name);
	struct timespec t = {0};

	*out = 0;
	if (!json_object_get(args, name))
		return true;
	if (!is_time(ctx, text) || ly_time_str2ts(text, &t) != LY_SUCCESS) {
		manage_refuse_argument(rq, name, "it is a time such as 2026-11-21T13:00:00Z");
		return false;
	}
	*out = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	return true;
}

/* RFC 5277, section 2.1.1. */
static bool take_times(
	struct mgmt_request *rq, const struct ly_ctx *ctx, const json_t *args, struct subscription *s)
{
	if (!take_time(rq, ctx, args, "start-time", &s->start_ms) ||
		!take_time(rq, ctx, args, "stop-time", &s->stop_ms))
		return false;
	if (s->start_ms > clock_wall_ms())
		manage_refuse_argument(rq, "start-time", "it is later than now");
	else if (s->stop_ms && !s->start_ms)
		manage_refuse_argument(rq, "start-time", "it is missing, and stop-time needs it");
	else if (s->stop_ms && s->stop_ms < s->start_ms)
		manage_refuse_argument(rq, "stop-time", "it is earlier than start-time");
	else
		return true;
	return false;
}

static bool keep_text(const char **text)
{
	if (*text)
		*text = strdup(*text);
	return *text;
}

/* A wrong expression is refused now, not at the first notification. */
static bool try_filter(const struct ops_notify *o, struct mgmt_request *rq, struct engine_session *session,
	const struct engine_query *q)
{
	struct engine_fault f = {0};
	char *text = NULL;

	if (engine_print(session, mark_new(o, "replayComplete"), q, &text, &f)) {
		manage_refuse(rq, &f);
		return false;
	}
	free(text);
	return true;
}

static struct subscription *make(struct ops_notify *o, struct mgmt_request *rq, const struct engine_query *q)
{
	struct subscription *s = calloc(1, sizeof *s);
	bool xpath, subtree;

	if (!s)
		return NULL;
	*s = (struct subscription){.o = o, .client = mgmt_request_client(rq), .q = *q};
	s->listener = (struct notify_listener){.hear = hear, .ctx = s};
	xpath = !q->xpath || keep_text(&s->q.xpath);
	subtree = !q->subtree || keep_text(&s->q.subtree);
	s->stop = evtimer_new(o->base, stopped, s);
	if (xpath && subtree && s->stop)
		return s;
	closed(s);
	return NULL;
}

static bool is_stream(struct mgmt_request *rq, const json_t *args)
{
	const char *stream = mgmt_arg(args, "stream");

	if (!stream || strcmp(stream, "NETCONF") == 0)
		return true;
	manage_refuse_argument(rq, "stream", "there is one stream, NETCONF");
	return false;
}

static void subscribe(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_notify *o = ctx;
	struct engine_session *session;
	struct subscription *s;
	struct engine_query q;

	if (!is_stream(rq, args) || !manage_query(rq, args, &q) || !(session = manage_session(o->engine, rq)))
		return;
	if (!engine_may_call(session, "notifications", "create-subscription")) {
		mgmt_refuse_error(rq, mgmt_error("access-denied", "protocol", "",
					      "your account may not use <create-subscription>"));
		return;
	}
	s = mgmt_client_attached(mgmt_request_client(rq), closed);
	if (s && s->listener.bus) {
		mgmt_refuse_error(
			rq, mgmt_error("in-use", "protocol", "",
				    "this session has a subscription already: use another session"));
		return;
	}
	if (!try_filter(o, rq, session, &q))
		return;
	s = make(o, rq, &q);
	if (!s) {
		mgmt_reply(rq, NULL);
		return;
	}
	s->session = session;
	if (!take_times(rq, engine_context(o->engine), args, s)) {
		closed(s);
	} else if (mgmt_client_attach(s->client, closed, s) < 0) {
		closed(s);
		mgmt_reply(rq, NULL);
	} else {
		mgmt_reply(rq, json_object());
		begin(s);
	}
}

/* ---- what the engine does ---- */

/* What an entry has that comes or goes is not told with it: RFC 6470 wants the topmost node. */
static bool is_below(const struct engine_change *above, const char *path)
{
	size_t n = above ? strlen(above->path) : 0;

	return n && strncmp(path, above->path, n) == 0 && path[n] == '/';
}

static void top_of(const char *path, char *out, size_t cap)
{
	snprintf(out, cap, "/%.*s", (int)strcspn(path + 1, "/"), path + 1);
}

static bool add_edit(struct notice *n, const char *target, const char *operation)
{
	struct lyd_node *edit = NULL;

	if (lyd_new_list(n->node, NULL, "edit", 0, &edit) == LY_SUCCESS &&
		lyd_new_term(edit, NULL, "target", target, 0, NULL) == LY_SUCCESS &&
		lyd_new_term(edit, NULL, "operation", operation, 0, NULL) == LY_SUCCESS)
		return true;
	lyd_free_tree(edit);
	return false;
}

/* A key with both kinds of quotes has no instance-identifier: then what it is in at the top, as RFC 6470 allows. */
static void write_edit(struct notice *n, const char *target, const char *operation)
{
	char top[128];

	if (!n->node || n->tree.failed || add_edit(n, target, operation))
		return;
	top_of(target, top, sizeof top);
	if (!add_edit(n, top, "merge"))
		n->tree.failed = "edit";
}

/* The next change from *at on that is told by itself; NULL: there is none. */
static const struct engine_change *next_edit(
	const struct engine_committed *c, unsigned *at, const struct engine_change **above)
{
	while (*at < c->n_changes) {
		const struct engine_change *change = &c->changes[(*at)++];

		if (is_below(*above, change->path))
			continue;
		if (strcmp(change->operation, "create") == 0 || strcmp(change->operation, "delete") == 0)
			*above = change;
		return change;
	}
	return NULL;
}

/* So many that nobody would read them: what they are in, which RFC 6470 allows. */
static void write_tops(struct notice *n, const struct engine_committed *c)
{
	char top[128], last[128] = "";

	for (unsigned i = 0; i < c->n_changes; i++) {
		top_of(c->changes[i].path, top, sizeof top);
		if (strcmp(top, last) != 0)
			write_edit(n, top, "merge");
		memcpy(last, top, sizeof last);
	}
}

static void write_edits(struct notice *n, const struct engine_committed *c)
{
	const struct engine_change *change, *above = NULL;
	unsigned at = 0, edits = 0;

	while (next_edit(c, &at, &above))
		edits++;
	if (edits > EDITS_MAX) {
		write_tops(n, c);
		return;
	}
	at = 0;
	above = NULL;
	while ((change = next_edit(c, &at, &above)))
		write_edit(n, change->path,
			strcmp(change->operation, "move") == 0 ? "merge" : change->operation);
}

static void committed(void *ctx, const struct engine_committed *c)
{
	struct ops_notify *o = ctx;
	struct notice n = notify_begin(o->bus, "config-applied");

	state_number(&n.tree, n.node, "commit", c->commit);
	state_text(&n.tree, n.node, "user", c->user);
	state_text(&n.tree, n.node, "door", c->door);
	state_bool(&n.tree, n.node, "confirmed", !c->pending);
	notify_end(o->bus, &n);
	n = notify_begin_of(o->bus, "ietf-netconf-notifications", "netconf-config-change");
	struct lyd_node *by = state_in(&n.tree, n.node, "changed-by");

	state_text(&n.tree, by, "username", c->user);
	state_number(&n.tree, by, "session-id", c->session);
	state_text(&n.tree, n.node, "datastore", "running");
	write_edits(&n, c);
	notify_end(o->bus, &n);
}

static void confirm(void *ctx, const char *event, const char *user, uint32_t session, uint32_t seconds_left)
{
	struct ops_notify *o = ctx;
	struct notice n = notify_begin_of(o->bus, "ietf-netconf-notifications", "netconf-confirmed-commit");

	if (strcmp(event, "timeout") != 0) {
		state_text(&n.tree, n.node, "username", user);
		state_number(&n.tree, n.node, "session-id", session);
	}
	state_text(&n.tree, n.node, "confirm-event", event);
	if (strcmp(event, "start") == 0 || strcmp(event, "extend") == 0)
		state_number(&n.tree, n.node, "timeout", seconds_left);
	notify_end(o->bus, &n);
}

/* ---- the stream's state ---- */

static void write_streams(void *ctx, const struct query *q, struct state_tree *t)
{
	const struct ops_notify *o = ctx;
	struct lyd_node *s;

	if (!(q->parts & QUERY_MONITORING))
		return;
	s = state_in(t, state_top_of(t, "nc-notifications", "netconf"), "streams");
	s = state_entry(t, s, "stream", "NETCONF");
	state_text(t, s, "description", "Everything that the gateway reports by itself.");
	state_bool(t, s, "replaySupport", true);
	state_time(t, s, "replayLogCreationTime", notify_began(o->bus));
	if (notify_aged(o->bus))
		state_time(t, s, "replayLogAgedTime", notify_aged(o->bus));
}

int ops_notify_register(struct mgmt *m, struct event_base *base, struct engine *e, struct notify *bus,
	struct gather *g, struct ops_notify **out)
{
	static const struct engine_events events = {.committed = committed, .confirm = confirm};
	static const struct gather_source streams = {.write = write_streams};
	struct ops_notify *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return -ENOMEM;
	*o = (struct ops_notify){.mgmt = m, .base = base, .engine = e, .bus = bus};
	rc = mgmt_register(m, "subscribe", subscribe, o);
	if (!rc)
		rc = engine_listen(e, &events, o);
	if (!rc)
		rc = gather_add(g, &streams, o);
	if (rc) {
		free(o); /* the callers above are not run any more: the start has failed */
		return rc;
	}
	notify_set_context(bus, engine_context(e));
	*out = o;
	return 0;
}

void ops_notify_free(struct ops_notify *o)
{
	free(o);
}
