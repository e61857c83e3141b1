/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the way from the candidate to what runs, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/config_diff.h"
#include "controlplane/manage/ops_private.h"
#include "lib/base/clock.h"

#define TIMEOUT_MAX (7 * 24 * 3600)

static bool number(struct mgmt_request *rq, const json_t *args, const char *name, json_int_t max, bool must,
	json_int_t *out)
{
	const json_t *member = json_object_get(args, name);
	char what[64];

	*out = json_integer_value(member);
	if (!member && !must)
		return true;
	if (json_is_integer(member) && *out > 0 && *out <= max)
		return true;
	snprintf(what, sizeof what, "it is a whole number from 1 to %" JSON_INTEGER_FORMAT, max);
	manage_refuse_argument(rq, name, what);
	return false;
}

static json_t *committed(struct engine *e, uint64_t commit)
{
	uint32_t left = engine_confirm_by(e);
	char when[CLOCK_TEXT_MAX];
	json_t *data = json_object();

	if (commit)
		json_object_set_new(data, "commit", json_integer((json_int_t)commit));
	if (left)
		json_object_set_new(
			data, "confirm-by", json_string(clock_text(clock_wall_ms() + left * 1000, when)));
	return data;
}

/* Changes that are accepted, and wait for the next start. */
static void warn_of_starts(struct mgmt_request *rq, const struct config *from, const struct config *to)
{
	struct config_diff *d;
	char path[256], text[320];

	if (config_diff(from, to, &d) < 0)
		return;
	for (uint32_t i = 0; i < d->n; i++)
		if (config_difference_needs_start(&d->all[i])) {
			config_difference_path(&d->all[i], path, sizeof path);
			snprintf(text, sizeof text, "%s takes effect at the next start", path);
			mgmt_warn(rq, text);
		}
	config_diff_free(d);
}

static void warn_of_place(void *rq, const char *line)
{
	mgmt_warn(rq, line);
}

void ops_warn_of_config(struct mgmt_request *rq, struct engine *e, const struct config *c, bool places)
{
	struct config *now = engine_config(e);
	/* Where it is the same, this request came by it, or by one that the command line has instead. */
	bool same = strcmp(now->management.socket, c->management.socket) == 0;

	warn_of_starts(rq, now, c);
	if (places)
		config_look_at_places(NULL, c, same ? c->management.socket : NULL, warn_of_place, rq);
	else
		mgmt_warn(rq,
			"the files and devices that it names were not looked at: your account may not make this change");
	config_unref(now);
}

void ops_warn_of_change(struct mgmt_request *rq, struct engine *e, const struct config *before)
{
	struct config *now = engine_config(e);

	warn_of_starts(rq, before, now);
	config_look_at_places(before, now, NULL, warn_of_place, rq);
	config_unref(now);
}

/* Answers with a commit that went well; before is let go. */
static void reply_committed(struct mgmt_request *rq, struct engine *e, struct config *before, uint64_t made)
{
	ops_warn_of_change(rq, e, before);
	config_unref(before);
	mgmt_reply(rq, committed(e, made));
}

static void commit(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	json_int_t timeout;
	uint64_t made;

	if (!number(rq, args, "confirm-timeout", TIMEOUT_MAX, false, &timeout) ||
		!(s = manage_session(o->engine, rq)))
		return;
	const struct engine_commit c = {
		.confirmed = json_is_true(json_object_get(args, "confirmed")),
		.timeout_s = (uint32_t)timeout,
		.persist = mgmt_arg(args, "persist"),
		.persist_id = mgmt_arg(args, "persist-id"),
		.comment = mgmt_arg(args, "comment"),
		.overwrite = json_is_true(json_object_get(args, "overwrite")),
		.confirm_only = json_is_true(json_object_get(args, "confirm-only")),
	};

	struct config *before = engine_config(o->engine);

	if (engine_commit(s, &c, &made, &f)) {
		config_unref(before);
		manage_refuse(rq, &f);
	} else {
		reply_committed(rq, o->engine, before, made);
	}
}

static void cancel_commit(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s = manage_session(o->engine, rq);
	struct engine_fault f;

	if (s)
		ops_finish(rq, engine_cancel(s, mgmt_arg(args, "persist-id"), &f), &f);
}

static void discard_changes(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s = manage_session(o->engine, rq);
	struct engine_fault f;

	(void)args;
	if (s)
		ops_finish(rq, engine_discard(s, &f), &f);
}

static void lock(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	int target;

	if (manage_store(rq, args, "target", -1, &target) && (s = manage_session(o->engine, rq)))
		ops_finish(rq, engine_lock(s, (enum engine_store)target, &f), &f);
}

static void unlock(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	int target;

	if (manage_store(rq, args, "target", -1, &target) && (s = manage_session(o->engine, rq)))
		ops_finish(rq, engine_unlock(s, (enum engine_store)target, &f), &f);
}

static void kill_session(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	json_int_t id;

	if (number(rq, args, "session-id", UINT32_MAX, true, &id) && (s = manage_session(o->engine, rq)))
		ops_finish(rq, engine_kill(s, (uint32_t)id, &f), &f);
}

static void history(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_history rows[ENGINE_HISTORY];
	struct engine_session *s = manage_session(o->engine, rq);
	struct engine_fault f;
	char when[CLOCK_TEXT_MAX];
	json_t *list;
	unsigned n;

	(void)args;
	if (!s)
		return;
	if (engine_may_read(s, &f)) {
		manage_refuse(rq, &f);
		return;
	}
	list = json_array();
	n = engine_history(o->engine, rows);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list,
			json_pack("{s:I,s:s,s:s,s:s,s:s*,s:b}", "commit", (json_int_t)rows[i].commit, "time",
				clock_text(rows[i].time_ms, when), "user", rows[i].user, "door", rows[i].door,
				"comment", rows[i].comment, "confirmed", rows[i].confirmed));
	mgmt_reply(rq, json_pack("{s:o}", "commits", list));
}

static void rollback(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	json_int_t to;
	uint64_t made;

	if (!number(rq, args, "commit", INT64_MAX, true, &to) || !(s = manage_session(o->engine, rq)))
		return;
	const struct engine_commit how = {
		.comment = mgmt_arg(args, "comment"),
		.overwrite = json_is_true(json_object_get(args, "overwrite")),
	};
	struct config *before = engine_config(o->engine);

	if (engine_rollback(s, (uint64_t)to, &how, &made, &f)) {
		config_unref(before);
		manage_refuse(rq, &f);
	} else {
		reply_committed(rq, o->engine, before, made);
	}
}

/* A datastore by its name or a commit by its number, as the session may read it. The tree is the caller's. */
static bool side(struct ops_config *o, struct engine_session *s, struct mgmt_request *rq, const json_t *args,
	const char *name, int absent, struct lyd_node **out)
{
	const json_t *member = json_object_get(args, name);
	struct engine_fault f;
	int store, rc;

	if (json_is_integer(member)) {
		rc = engine_may_read(s, &f);
		if (!rc)
			rc = engine_history_tree(o->engine, (uint64_t)json_integer_value(member), out, &f);
		if (!rc)
			engine_prune(s, out);
	} else if (manage_store(rq, args, name, absent, &store)) {
		rc = engine_read(s, (enum engine_store)store, out, &f);
	} else {
		return false;
	}
	if (rc)
		manage_refuse(rq, &f);
	return rc == 0;
}

static json_t *changes(const struct lyd_node *from, const struct lyd_node *to)
{
	struct engine_change *rows;
	json_t *list;
	unsigned n;

	if (engine_diff(from, to, &rows, &n))
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:s*,s:s*}", "operation", rows[i].operation, "path",
				      rows[i].path, "old", rows[i].before, "new", rows[i].after));
	engine_diff_free(rows, n);
	return json_pack("{s:o}", "changes", list);
}

static void diff(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s = manage_session(o->engine, rq);
	struct lyd_node *from = NULL, *to = NULL;

	if (s && side(o, s, rq, args, "from", ENGINE_RUNNING, &from) &&
		side(o, s, rq, args, "to", ENGINE_CANDIDATE, &to))
		mgmt_reply(rq, changes(from, to));
	lyd_free_all(from);
	lyd_free_all(to);
}

const struct ops_row ops_commit_rows[] = {
	{"commit", commit},
	{"cancel-commit", cancel_commit},
	{"discard-changes", discard_changes},
	{"lock", lock},
	{"unlock", unlock},
	{"kill-session", kill_session},
	{"diff", diff},
	{"history", history},
	{"rollback", rollback},
	{NULL},
};
