/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confirmed commit (RFC 6241 8.4). Until it is confirmed the file keeps the configuration from before, so
 * that a restart or a power cut in the middle is a rollback.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define TIMEOUT_S 600
#define RETRY_S 10

/* s: who did it; NULL: nobody, its time is over. */
static void tell(const struct engine *e, const struct engine_session *s, const char *event)
{
	const struct pending *p = &e->pending;
	const char *user = s ? s->who.user : p->user;
	uint64_t now = clock_mono_ns();
	uint32_t left =
		p->deadline_ns > now ? (uint32_t)((p->deadline_ns - now + NS_PER_S - 1) / NS_PER_S) : 0;

	log_info("config", "confirmed commit", LZ("event", event), LU("commit", p->commit), LZ("user", user),
		LU("seconds_left", left));
	for (unsigned i = 0; i < e->n_listeners; i++)
		if (e->listeners[i].events->confirm)
			e->listeners[i].events->confirm(
				e->listeners[i].ctx, event, user, s ? s->id : 0, left);
}

static void clear(struct pending *p)
{
	if (p->timer)
		event_free(p->timer);
	lyd_free_all(p->before);
	free(p->persist);
	free(p->user);
	free(p->door);
	*p = (struct pending){0};
}

void confirm_free(struct engine *e)
{
	clear(&e->pending);
}

/* Nobody is there who could be told of a failure. */
static void roll_back_or_retry(struct engine *e, const struct engine_session *s, const char *event)
{
	const struct timeval retry = {.tv_sec = RETRY_S};
	struct engine_fault f;

	if (confirm_rollback(e, s, event, &f) == 0)
		return;
	log_error("config", "the rollback of an unconfirmed commit failed and is tried again",
		LZ("path", f.path), LZ("reason", f.message));
	event_add(e->pending.timer, &retry);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	roll_back_or_retry(arg, NULL, "timeout");
}

static int own_names(struct pending *p, const struct engine_session *s, const struct engine_commit *c)
{
	char *persist = c->persist ? strdup(c->persist) : NULL;
	char *user = strdup(s->who.user), *door = strdup(s->door);

	if ((c->persist && !persist) || !user || !door) {
		free(persist);
		free(user);
		free(door);
		return -1;
	}
	free(p->persist);
	free(p->user);
	free(p->door);
	p->persist = persist;
	p->user = user;
	p->door = door;
	/* RFC 6241 8.4.5.1: with persist it outlives the session, and so does one made persistent later. */
	p->session = persist ? 0 : s->id;
	return 0;
}

int confirm_begin(struct engine_session *s, const struct engine_commit *c, struct lyd_node **before,
	uint64_t commit, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct pending *p = &e->pending;
	uint32_t timeout = c->timeout_s ? c->timeout_s : TIMEOUT_S;
	const struct timeval tv = {.tv_sec = timeout};
	bool extended = p->active;

	if (!p->timer)
		p->timer = evtimer_new(e->conf.base, on_timeout, e);
	if (!p->timer || own_names(p, s, c) || evtimer_add(p->timer, &tv) != 0) {
		if (!p->active)
			clear(p);
		return fault_memory(f);
	}
	if (!p->active) {
		p->before = *before;
		*before = NULL;
	}
	p->active = true;
	p->commit = commit ? commit : p->commit;
	p->deadline_ns = clock_mono_ns() + timeout * NS_PER_S;
	tell(e, s, extended ? "extend" : "start");
	return 0;
}

/* Another account's change, by a persist-id that srtpgwctl gives to everybody: to keep it or to undo it is a
 * change. */
static int may_write(const struct engine_session *s, struct engine_fault *f)
{
	const struct engine *e = s->engine;

	return strcmp(s->who.user, e->pending.user) == 0
		       ? 0
		       : sessions_may_write(s, e->pending.before, e->running, f);
}

int confirm_allowed(const struct engine_session *s, const char *persist_id, struct engine_fault *f)
{
	const struct pending *p = &s->engine->pending;

	if (!p->active)
		return persist_id ? fault_protocol(f, "invalid-value", "no confirmed commit waits") : 0;
	if (persist_id || p->persist) {
		if (persist_id && p->persist && strcmp(persist_id, p->persist) == 0)
			return may_write(s, f);
		return fault_protocol(f, persist_id ? "invalid-value" : "in-use",
			"a confirmed commit of '%s' waits: give its persist-id", p->user);
	}
	if (p->session == s->id)
		return 0;
	fault_protocol(
		f, "in-use", "a confirmed commit of '%s' waits, which only its session can confirm", p->user);
	f->session = p->session;
	return -1;
}

void confirm_complete(struct engine *e, const struct engine_session *s)
{
	history_confirm(&e->history, e->pending.commit);
	tell(e, s, "complete");
	clear(&e->pending);
}

int confirm_rollback(
	struct engine *e, const struct engine_session *s, const char *event, struct engine_fault *f)
{
	struct pending *p = &e->pending;
	char comment[96];
	struct cause why = {.user = s ? s->who.user : p->user,
		.door = s ? s->door : p->door,
		.session = s ? s->id : 0,
		.comment = comment,
		.keep_file = true};

	snprintf(comment, sizeof comment, "commit %llu was not confirmed (%s)", (unsigned long long)p->commit,
		event);
	if (apply_tree(e, &p->before, &why, NULL, NULL, f))
		return -1;
	tell(e, s, event);
	clear(p);
	return 0;
}

void confirm_session_ends(struct engine_session *s)
{
	struct engine *e = s->engine;

	if (e->pending.active && e->pending.session == s->id && !e->pending.persist)
		roll_back_or_retry(e, s, "cancel");
}

int engine_cancel(struct engine_session *s, const char *persist_id, struct engine_fault *f)
{
	struct engine *e = s->engine;

	if (sessions_may_call(s, "cancel-commit", f))
		return -1;
	if (!e->pending.active)
		return fault_protocol(f, "operation-failed", "no confirmed commit waits");
	if (confirm_allowed(s, persist_id, f) || sessions_may_change(s, ENGINE_RUNNING, f))
		return -1;
	if (confirm_rollback(e, s, "cancel", f)) {
		f->tag = "rollback-failed";
		return -1;
	}
	return 0;
}
