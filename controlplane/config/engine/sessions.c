/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, their locks and their rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct engine_session *engine_session_open(struct engine *e, uid_t uid, const char *door, const char *host)
{
	struct engine_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->door = strdup(door);
	s->host = strdup(host ? host : "");
	if (!s->door || !s->host || nacm_account_make(&s->who, uid) < 0) {
		free(s->door);
		free(s->host);
		free(s);
		return NULL;
	}
	s->engine = e;
	s->since_ms = clock_wall_ms();
	s->id = ++e->last_session ? e->last_session : ++e->last_session;
	LIST_INSERT_HEAD(&e->sessions, s, next);
	return s;
}

void engine_session_close(struct engine_session *s)
{
	struct engine *e = s->engine;

	/* RFC 6241 8.3.5.2: what was changed under the lock goes with it. */
	if (e->locks[ENGINE_CANDIDATE] == s->id)
		stores_drop_candidate(e);
	for (unsigned i = 0; i < ENGINE_STORES; i++)
		if (e->locks[i] == s->id)
			e->locks[i] = 0;
	confirm_session_ends(s);
	LIST_REMOVE(s, next);
	nacm_account_clear(&s->who);
	free(s->door);
	free(s->host);
	free(s);
}

uint32_t engine_session_id(const struct engine_session *s)
{
	return s->id;
}

const char *engine_session_user(const struct engine_session *s)
{
	return s->who.user;
}

const char *engine_session_door(const struct engine_session *s)
{
	return s->door;
}

const char *engine_session_host(const struct engine_session *s)
{
	return s->host;
}

uint64_t engine_session_since(const struct engine_session *s)
{
	return s->since_ms;
}

unsigned engine_sessions(const struct engine *e, const struct engine_session **out, unsigned max)
{
	const struct engine_session *s;
	unsigned n = 0;

	LIST_FOREACH (s, &e->sessions, next) {
		if (n < max)
			out[n++] = s;
	}
	return n;
}

uint32_t engine_lock_holder(const struct engine *e, enum engine_store store)
{
	return e->locks[store];
}

uint64_t engine_lock_since(const struct engine *e, enum engine_store store)
{
	return e->locked_ms[store];
}

static int lock_denied(struct engine_fault *f, const char *tag, uint32_t session, const char *message)
{
	fault_protocol(f, tag, "%s", message);
	f->session = session;
	return -1;
}

int sessions_may_change(const struct engine_session *s, enum engine_store store, struct engine_fault *f)
{
	const struct engine *e = s->engine;
	uint32_t holder = e->locks[store];

	if (holder && holder != s->id) {
		fault_protocol(f, "in-use", "session %u has locked %s", holder, stores_name(store));
		f->session = holder;
		return -1;
	}
	return 0;
}

int engine_lock(struct engine_session *s, enum engine_store target, struct engine_fault *f)
{
	struct engine *e = s->engine;

	if (sessions_may_call(s, "lock", f))
		return -1;
	if (e->locks[target])
		return lock_denied(f, "lock-denied", e->locks[target],
			e->locks[target] == s->id ? "this session has locked it already"
						  : "another session has locked it");
	if (target == ENGINE_CANDIDATE && e->candidate_own)
		return lock_denied(f, "lock-denied", 0,
			"the candidate has changes that are not committed: commit or discard them");
	if (target == ENGINE_RUNNING && e->pending.active && e->pending.session != s->id)
		return lock_denied(f, "lock-denied", e->pending.session,
			"a confirmed commit waits: confirm or cancel it");
	e->locks[target] = s->id;
	e->locked_ms[target] = clock_wall_ms();
	return 0;
}

int engine_unlock(struct engine_session *s, enum engine_store target, struct engine_fault *f)
{
	struct engine *e = s->engine;

	if (sessions_may_call(s, "unlock", f))
		return -1;
	if (e->locks[target] != s->id) {
		fault_protocol(f, "operation-failed", "this session has not locked %s", stores_name(target));
		f->session = e->locks[target];
		return -1;
	}
	e->locks[target] = 0;
	/* RFC 6241 8.3.5.2. */
	if (target == ENGINE_CANDIDATE)
		stores_drop_candidate(e);
	return 0;
}

static struct engine_session *find_session(const struct engine *e, uint32_t id)
{
	struct engine_session *s;

	LIST_FOREACH (s, &e->sessions, next) {
		if (s->id == id)
			break;
	}
	return s;
}

int engine_kill(struct engine_session *s, uint32_t session, struct engine_fault *f)
{
	const struct engine *e = s->engine;
	struct engine_session *other;

	if (sessions_may_call(s, "kill-session", f))
		return -1;
	if (session == s->id)
		return fault_protocol(f, "invalid-value", "this is your own session: close it");
	other = find_session(e, session);
	if (!other)
		return fault_protocol(f, "invalid-value", "there is no session %u", session);
	log_info("config", "session killed", LU("session", session), LZ("user", other->who.user),
		LZ("by", s->who.user));
	/* Whose connection it is ends it, and the session is no more. */
	for (unsigned i = 0; i < e->n_listeners && find_session(e, session); i++)
		if (e->listeners[i].events->kill)
			e->listeners[i].events->kill(e->listeners[i].ctx, other);
	return 0;
}

static const struct lysc_node *find_rpc(const struct ly_ctx *ctx, const char *module, const char *name)
{
	const struct lys_module *m = ly_ctx_get_module_implemented(ctx, module);

	return m ? lys_find_child(NULL, m, name, 0, LYS_RPC, 0) : NULL;
}

bool engine_may_call(const struct engine_session *s, const char *module, const char *rpc)
{
	struct engine *e = s->engine;
	struct nacm_view v;

	nacm_view(&v, &e->nacm, &s->who);
	if (nacm_may_call(&v, module, rpc, find_rpc(e->ctx, module, rpc)))
		return true;
	e->denied.operations++;
	return false;
}

int sessions_may_call(const struct engine_session *s, const char *rpc, struct engine_fault *f)
{
	if (engine_may_call(s, "ietf-netconf", rpc))
		return 0;
	return fault_protocol(f, "access-denied", "'%s' may not do this (%s): see /ietf-netconf-acm:nacm",
		s->who.user, rpc);
}

bool engine_may_execute(const struct engine_session *s, const struct lyd_node *operation)
{
	struct engine *e = s->engine;
	const struct lyd_node *up = lyd_parent(operation);
	struct nacm_view v;
	bool may;

	nacm_view(&v, &e->nacm, &s->who);
	if (!up) {
		may = nacm_may_call(
			&v, lyd_owner_module(operation)->name, LYD_NAME(operation), operation->schema);
	} else {
		may = nacm_may(&v, operation, NACM_EXEC);
		for (; up && may; up = lyd_parent(up))
			may = nacm_may(&v, up, NACM_READ);
	}
	e->denied.operations += !may;
	return may;
}

bool engine_may_notify(const struct engine_session *s, const struct lyd_node *notification)
{
	struct engine *e = s->engine;
	struct nacm_view v;
	bool may;

	nacm_view(&v, &e->nacm, &s->who);
	may = nacm_may_notify(&v, notification);
	e->denied.notifications += !may;
	return may;
}

bool engine_may_read_path(const struct engine_session *s, const char *path)
{
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	return nacm_may_at(&v, s->engine->ctx, path, NACM_READ);
}

/* Refuses a change of what f->path names, and names it only to who may read it: else the path would tell
 * what is there, as of an entry that the edit would replace. */
static int deny_write(const struct engine_session *s, const struct nacm_view *v, struct engine_fault *f)
{
	char path[sizeof f->path];

	memcpy(path, f->path, sizeof path);
	return fault_set(f, "access-denied", nacm_may_at(v, s->engine->ctx, path, NACM_READ) ? path : NULL,
		"'%s' may not change this: see /ietf-netconf-acm:nacm", s->who.user);
}

void sessions_hide(const struct engine_session *s, struct engine_fault *f)
{
	bool exists = strcmp(f->tag, "data-exists") == 0;
	struct engine *e = s->engine;
	struct nacm_view v;

	if (!exists && strcmp(f->tag, "data-missing") != 0)
		return;
	nacm_view(&v, &e->nacm, &s->who);
	if (nacm_may_at(&v, e->ctx, f->path, exists ? NACM_CREATE : NACM_DELETE) ||
		(!exists && nacm_may_at(&v, e->ctx, f->path, NACM_READ)))
		return;
	e->denied.writes++;
	deny_write(s, &v, f);
}

int sessions_hide_mistake(const struct engine_session *s, int rc, struct engine_fault *f)
{
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	if (!rc || v.all || !f->path[0] || nacm_may_at(&v, s->engine->ctx, f->path, NACM_READ))
		return rc;
	return fault_set(f, "operation-failed", NULL,
		"the configuration is wrong in a place that '%s' may not read", s->who.user);
}

int sessions_hide_text(const struct engine_session *s, struct engine_fault *f)
{
	static const char column[] = ": column ";
	char *p = strstr(f->message, column);
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	if (v.all)
		return -1;
	if (f->path[0])
		return sessions_hide_mistake(s, -1, f);
	/* "FILE:LINE: column N: ... near 'SOMETHING'": where it is says nothing of what there is. */
	if (p) {
		p += strlen(column);
		p += strspn(p, "0123456789");
		snprintf(p, (size_t)(f->message + sizeof f->message - p), ": this is no JSON");
		return -1;
	}
	return fault_set(f, "operation-failed", NULL, "%s is wrong in a place that '%s' may not read",
		s->engine->conf.path, s->who.user);
}

int sessions_could_write(const struct engine_session *s, const struct lyd_node *from,
	const struct lyd_node *to, struct engine_fault *f)
{
	struct lyd_node *diff = NULL;
	const struct lyd_node *denied;
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	if (v.all)
		return 0;
	if (lyd_diff_siblings(from, to, LYD_DIFF_DEFAULTS, &diff) != LY_SUCCESS)
		return fault_memory(f);
	denied = nacm_find_denied(&v, diff);
	if (denied) {
		fault_at(f, denied);
		deny_write(s, &v, f);
	}
	lyd_free_all(diff);
	return denied ? -1 : 0;
}

int sessions_could_ask(const struct engine_session *s, const struct lyd_node *data,
	const struct lyd_node *edit, enum engine_default_operation op, struct engine_fault *f)
{
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	return nacm_may_ask(&v, data, edit, op, f);
}

int sessions_may_ask(const struct engine_session *s, const struct lyd_node *data, const struct lyd_node *edit,
	enum engine_default_operation op, struct engine_fault *f)
{
	if (sessions_could_ask(s, data, edit, op, f) == 0)
		return 0;
	s->engine->denied.writes += strcmp(f->tag, "access-denied") == 0;
	return -1;
}

int sessions_may_write(const struct engine_session *s, const struct lyd_node *from, const struct lyd_node *to,
	struct engine_fault *f)
{
	if (sessions_could_write(s, from, to, f) == 0)
		return 0;
	s->engine->denied.writes += strcmp(f->tag, "access-denied") == 0;
	return -1;
}
