/* SPDX-License-Identifier: Apache-2.0 */
/* A tree becomes the running configuration. */
#include <stdlib.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/file.h"
#include "controlplane/config/engine/private.h"
#include "controlplane/config/snapshot.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define FILE_MODE 0640

int apply_check_model(struct engine *e, struct lyd_node **tree, struct config **out, struct engine_fault *f)
{
	struct config *config = NULL;
	struct err err = {0};

	ly_err_clean(e->ctx, NULL);
	if (lyd_validate_all(tree, e->ctx, LYD_VALIDATE_NO_STATE, NULL) != LY_SUCCESS)
		return fault_from_libyang(f, e->ctx, *tree);
	if (snapshot_make(*tree, &config, &err) < 0) {
		config_unref(config);
		return fault_from_err(f, "operation-failed", &err);
	}
	*out = config;
	return 0;
}

int apply_check_files(const struct engine *e, const struct config *config, struct engine_fault *f)
{
	struct err err = {0};

	return config_check_files(config, e->config, &err) < 0 ? fault_from_err(f, "operation-failed", &err)
							       : 0;
}

int apply_check(struct engine *e, struct lyd_node **tree, struct config **out, struct engine_fault *f)
{
	struct config *config = NULL;
	int rc = apply_check_model(e, tree, &config, f);

	if (!rc)
		rc = apply_check_files(e, config, f);
	if (!rc && out)
		*out = config;
	else
		config_unref(config);
	return rc;
}

int apply_store(struct engine *e, const struct lyd_node *tree, struct engine_fault *f)
{
	char *text = NULL;
	struct err err = {0};
	int rc;

	if (lyd_print_mem(&text, tree, LYD_JSON, LYD_PRINT_WITHSIBLINGS) != LY_SUCCESS)
		return fault_memory(f);
	const struct str written = str_z(text ? text : "{}\n");

	rc = file_replace(e->conf.path, written, FILE_MODE, &err);
	if (rc == 0)
		e->file = file_digest(written);
	free(text);
	return rc < 0 ? fault_set(f, "operation-failed", NULL, "%s", err.text) : 0;
}

int apply_differs(
	const struct lyd_node *from, const struct lyd_node *to, bool *differs, struct engine_fault *f)
{
	struct lyd_node *diff = NULL;

	if (lyd_diff_siblings(from, to, LYD_DIFF_DEFAULTS, &diff) != LY_SUCCESS)
		return fault_memory(f);
	*differs = diff != NULL;
	lyd_free_all(diff);
	return 0;
}

/* before: what ran until now; NULL at the start, which nobody hears. */
static void tell(
	const struct engine *e, uint64_t commit, const struct cause *why, const struct lyd_node *before)
{
	struct engine_committed c = {.commit = commit,
		.user = why->user,
		.door = why->door,
		.session = why->session,
		.pending = why->unconfirmed};
	struct engine_change *changes = NULL;

	/* Without memory for the changes it is told all the same. */
	if (e->n_listeners && before && engine_diff(before, e->running, &changes, &c.n_changes) == 0)
		c.changes = changes;
	log_info("config", "configuration committed", LU("commit", commit), LZ("user", why->user),
		LZ("door", why->door), LB("confirmed", !why->unconfirmed));
	for (unsigned i = 0; i < e->n_listeners; i++)
		if (e->listeners[i].events->committed)
			e->listeners[i].events->committed(e->listeners[i].ctx, &c);
	engine_diff_free(changes, c.n_changes);
}

/* The new tree and snapshot take the place of those that run. */
static uint64_t take(struct engine *e, struct lyd_node *tree, struct config *config, struct nacm *rules,
	const struct cause *why)
{
	struct history_entry entry = {
		.time_ms = clock_wall_ms(),
		.user = (char *)why->user,
		.door = (char *)why->door,
		.comment = (char *)why->comment,
		.confirmed = !why->unconfirmed,
	};

	nacm_clear(&e->nacm);
	config_unref(e->config);
	e->running = tree;
	e->config = config;
	e->nacm = *rules;
	return why->unrecorded ? 0 : history_add(&e->history, &entry, tree);
}

static int prepare(
	struct engine *e, const struct config *config, bool reread, void **plan, struct engine_fault *f)
{
	struct err err = {0};

	if (e->conf.target->prepare(e->conf.target_ctx, e->config, config, reread, plan, &err) < 0)
		return fault_from_err(f, "operation-failed", &err);
	return 0;
}

int apply_tree(struct engine *e, struct lyd_node **tree, const struct cause *why, uint64_t *commit,
	struct lyd_node **before, struct engine_fault *f)
{
	struct lyd_node *old = e->running;
	struct config *config = NULL;
	struct nacm rules = {0};
	uint64_t made;
	void *plan = NULL;

	if (e->stopped)
		return fault_protocol(f, "operation-failed", "the control plane is ending");
	if (!why->keep_file && !why->overwrite && stores_file_edited(e, f))
		return -1;
	if (apply_check(e, tree, &config, f))
		return -1;
	if (nacm_read(&rules, e->ctx, *tree) < 0) {
		config_unref(config);
		return fault_memory(f);
	}
	if (prepare(e, config, why->reread, &plan, f))
		goto refused;
	/* Last of what can fail: the file says what runs, also after a power cut right behind it. */
	if (!why->keep_file && apply_store(e, *tree, f)) {
		e->conf.target->abandon(e->conf.target_ctx, plan);
		goto refused;
	}
	e->conf.target->commit(e->conf.target_ctx, plan);
	made = take(e, *tree, config, &rules, why);
	*tree = NULL;
	if (commit)
		*commit = made;
	if (made) {
		stores_follow_running(e, old, made);
		tell(e, made, why, old);
	}
	if (before)
		*before = old;
	else
		lyd_free_all(old);
	return 0;

refused:
	nacm_clear(&rules);
	config_unref(config);
	return -1;
}
