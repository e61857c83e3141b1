/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/file.h"
#include "controlplane/config/engine/private.h"
#include "controlplane/config/schema.h"
#include "controlplane/config/snapshot.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define SYSTEM "system"
#define FILE_DOOR "file"

/* Is what runs what this commit left? */
static bool runs(const struct engine *e, uint64_t commit)
{
	char *now = NULL, *then = NULL;
	struct err ignored = {0};
	bool same = false;

	if (lyd_print_mem(&now, e->running, LYD_JSON, LYD_PRINT_WITHSIBLINGS) == LY_SUCCESS &&
		history_text(&e->history, commit, &then, &ignored) == 0)
		same = now && strcmp(now, then) == 0;
	free(now);
	free(then);
	return same;
}

/* What the start found goes into the history when it is new to it. */
static void record_start(struct engine *e)
{
	const struct history_entry *newest = e->history.n ? &e->history.entries[e->history.n - 1] : NULL;
	struct history_entry entry = {
		.time_ms = clock_wall_ms(), .user = SYSTEM, .door = FILE_DOOR, .confirmed = true};
	char comment[96];

	if (newest && !newest->confirmed) {
		snprintf(comment, sizeof comment, "commit %llu was not confirmed before the restart",
			(unsigned long long)newest->commit);
		log_warn("config",
			"a confirmed commit was not confirmed before the restart and is rolled back",
			LU("commit", newest->commit), LZ("user", newest->user));
		entry.comment = comment;
	} else if (newest && runs(e, newest->commit)) {
		return;
	} else {
		entry.comment = (char *)"read at the start";
	}
	history_add(&e->history, &entry, e->running);
}

static int read_file(struct engine *e, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int rc = file_read(e->conf.path, CONFIG_TEXT_MAX, &text, &n, err);

	if (!rc) {
		e->file = file_digest((struct str){text, n}); /* loading blanks the comments */
		rc = load_tree(e->ctx, text, n, e->conf.path, &e->running, err);
	}
	free(text);
	return rc;
}

static int start(struct engine *e, struct err *err)
{
	void *plan = NULL;
	int rc = read_file(e, err);

	if (rc)
		return rc;
	rc = snapshot_make(e->running, &e->config, err);
	if (!rc)
		rc = config_check_files(e->config, NULL, err);
	if (rc) {
		err_prefix(err, "%s", e->conf.path);
		return rc;
	}
	if (nacm_read(&e->nacm, e->ctx, e->running) < 0 || history_open(&e->history, e->conf.path) < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = e->conf.target->prepare(e->conf.target_ctx, NULL, e->config, false, &plan, err);
	if (rc)
		return rc;
	e->conf.target->commit(e->conf.target_ctx, plan);
	record_start(e);
	return 0;
}

int engine_new(const struct engine_conf *conf, struct engine **out, struct err *err)
{
	struct engine *e = calloc(1, sizeof *e);
	int rc;

	if (!e)
		return err_set(err, ENOMEM, "out of memory");
	e->conf = *conf;
	e->conf.path = strdup(conf->path);
	LIST_INIT(&e->sessions);
	rc = e->conf.path ? schema_context(&e->ctx, err) : err_set(err, ENOMEM, "out of memory");
	if (!rc)
		rc = schema_context_of_names(&e->names, err);
	if (!rc)
		rc = start(e, err);
	if (rc) {
		engine_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void engine_stop(struct engine *e)
{
	confirm_free(e);
	e->stopped = true;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	confirm_free(e);
	nacm_clear(&e->nacm);
	history_close(&e->history);
	lyd_free_all(e->startup);
	lyd_free_all(e->candidate);
	lyd_free_all(e->running);
	config_unref(e->config);
	if (e->ctx)
		ly_ctx_destroy(e->ctx);
	if (e->names)
		ly_ctx_destroy(e->names);
	free((char *)e->conf.path);
	free(e);
}

int engine_listen(struct engine *e, const struct engine_events *events, void *ctx)
{
	if (e->n_listeners == ENGINE_LISTENERS)
		return -ENOMEM;
	e->listeners[e->n_listeners].events = events;
	e->listeners[e->n_listeners++].ctx = ctx;
	return 0;
}

struct config *engine_config(const struct engine *e)
{
	return config_ref(e->config);
}

struct ly_ctx *engine_context(const struct engine *e)
{
	return e->ctx;
}

struct engine_denied engine_denied(const struct engine *e)
{
	return (struct engine_denied){e->denied.operations, e->denied.writes, e->denied.notifications};
}

unsigned engine_history(const struct engine *e, struct engine_history out[ENGINE_HISTORY])
{
	for (unsigned i = 0; i < e->history.n; i++) {
		const struct history_entry *h = &e->history.entries[e->history.n - 1 - i];

		out[i] = (struct engine_history){
			.commit = h->commit,
			.time_ms = h->time_ms,
			.user = h->user,
			.door = h->door,
			.comment = h->comment,
			.confirmed = h->confirmed,
		};
	}
	return e->history.n;
}

/* Has nobody else locked what runs? */
static int may_reload(const struct engine *e, const struct engine_session *who, struct engine_fault *f)
{
	if (who)
		return sessions_may_change(who, ENGINE_RUNNING, f);
	if (!e->locks[ENGINE_RUNNING])
		return 0;
	fault_protocol(f, "in-use", "session %u has locked running", e->locks[ENGINE_RUNNING]);
	f->session = e->locks[ENGINE_RUNNING];
	return -1;
}

static int run_file(struct engine *e, const struct engine_session *who, struct cause *why, uint64_t *commit,
	struct engine_fault *f)
{
	struct lyd_node *tree = NULL;
	struct file_digest digest;
	bool differs = false;
	int rc;

	if (stores_read_file(e, who, &tree, &digest, f))
		return -1;
	rc = apply_differs(e->running, tree, &differs, f);
	/* Also when the text is the same: certificates may be new behind their names. */
	why->unrecorded = !differs;
	if (!rc)
		rc = apply_tree(e, &tree, why, commit, NULL, f);
	if (!rc)
		e->file = digest;
	lyd_free_all(tree);
	return rc;
}

int engine_reload(
	struct engine *e, const struct engine_session *who, uint64_t *commit, struct engine_fault *f)
{
	struct cause why = {
		.user = who ? who->who.user : SYSTEM,
		.door = who ? who->door : FILE_DOOR,
		.session = who ? who->id : 0,
		.comment = "reloaded",
		.keep_file = true,
		.reread = true,
	};
	int rc;

	if (may_reload(e, who, f))
		return -1;
	if (e->pending.active)
		return fault_protocol(f, "in-use", "a confirmed commit waits: confirm or cancel it first");
	rc = run_file(e, who, &why, commit, f);
	return who ? sessions_hide_mistake(who, rc, f) : rc;
}
