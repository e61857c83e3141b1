/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of datastores: edit-config, set, copy-config, delete-config, validate. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/edit.h"
#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/private.h"

/* How a changed copy gets where it belongs. */
struct way {
	enum engine_store target;
	enum engine_test test;
	bool whole;     /* it is a configuration of its own, not an edit of what the target was */
	bool overwrite; /* what somebody wrote into the file by hand may be lost */
};

/* tree becomes what the target is; it is taken over in any case. Whoever names startup wants the file replaced. */
static int put(struct engine_session *s, const struct way *w, struct lyd_node *tree, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct cause why = {
		.user = s->who.user, .door = s->door, .session = s->id, .overwrite = w->overwrite};
	bool differs = true;
	int rc = 0;

	if (w->target == ENGINE_CANDIDATE) {
		stores_set_candidate(e, tree, w->whole);
		return 0;
	}
	if (e->pending.active) {
		lyd_free_all(tree);
		return fault_protocol(f, "in-use", "a confirmed commit waits: confirm or cancel it first");
	}
	if (w->target == ENGINE_STARTUP) {
		rc = apply_check(e, &tree, NULL, f);
		if (!rc)
			rc = apply_store(e, tree, f);
	} else {
		rc = apply_differs(e->running, tree, &differs, f);
		if (!rc && differs)
			rc = apply_tree(e, &tree, &why, NULL, NULL, f);
		else if (!rc)
			stores_settle_candidate(e);
	}
	lyd_free_all(tree);
	return sessions_hide_mistake(s, rc, f);
}

/* A changed copy: may it be, is it right, and there it goes. Takes it over. */
static int finish(
	struct engine_session *s, const struct way *w, struct lyd_node *changed, struct engine_fault *f)
{
	struct engine *e = s->engine;
	int rc = sessions_may_write(s, engine_tree(e, w->target), changed, f);

	if (!rc && w->test != ENGINE_SET)
		rc = sessions_hide_mistake(s, apply_check(e, &changed, NULL, f), f);
	if (rc || w->test == ENGINE_TEST_ONLY) {
		lyd_free_all(changed);
		return rc;
	}
	return put(s, w, changed, f);
}

static int check_target(enum engine_store target, struct engine_fault *f)
{
	if (target == ENGINE_STARTUP)
		return fault_protocol(
			f, "invalid-value", "startup is not edited: copy a configuration to it");
	return 0;
}

int engine_edit(struct engine_session *s, enum engine_store target, enum engine_default_operation op,
	enum engine_test test, struct str config, enum engine_format format, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct lyd_node *edit = NULL, *changed = NULL;
	int rc;

	if (sessions_may_call(s, "edit-config", f) || check_target(target, f) ||
		sessions_may_change(s, target, f) || edit_parse(e->ctx, config, format, &edit, f))
		return -1;
	rc = stores_copy(s, target, &changed, f);
	if (!rc)
		rc = sessions_may_ask(s, changed, edit, op, f);
	if (!rc)
		rc = edit_apply(&changed, edit, op, f);
	lyd_free_all(edit);
	if (!rc)
		return finish(s, &(struct way){.target = target, .test = test}, changed, f);
	sessions_hide(s, f);
	lyd_free_all(changed);
	return rc;
}

int engine_set(struct engine_session *s, const char *path, const char *value, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct lyd_node *edit = NULL, *changed = NULL;
	int rc;

	if (sessions_may_call(s, "edit-config", f) || sessions_may_change(s, ENGINE_CANDIDATE, f) ||
		edit_check_path(path, f) || (value && edit_at(e->ctx, path, value, &edit, f)))
		return -1;
	rc = stores_copy(s, ENGINE_CANDIDATE, &changed, f);
	if (!rc && edit)
		rc = sessions_may_ask(s, changed, edit, ENGINE_MERGE, f);
	if (!rc)
		rc = edit ? edit_apply(&changed, edit, ENGINE_MERGE, f)
			  : edit_delete(e->ctx, &changed, path, f);
	lyd_free_all(edit);
	if (!rc)
		return finish(s, &(struct way){.target = ENGINE_CANDIDATE}, changed, f);
	sessions_hide(s, f);
	lyd_free_all(changed);
	return rc;
}

int engine_copy(
	struct engine_session *s, enum engine_store source, enum engine_store target, struct engine_fault *f)
{
	/* What was edited into the file is what shall run. */
	const struct way w = {.target = target, .whole = true, .overwrite = source == ENGINE_STARTUP};
	struct engine *e = s->engine;
	struct lyd_node *tree = NULL;

	if (sessions_may_call(s, "copy-config", f) || sessions_may_change(s, target, f))
		return -1;
	if (source == target)
		return fault_protocol(f, "invalid-value", "source and target are the same datastore");
	if (stores_copy(s, source, &tree, f))
		return -1;
	/* RFC 8341 3.2.4: saving what runs shows nothing to anybody and changes nothing that runs. */
	if (source == ENGINE_RUNNING && target == ENGINE_STARTUP)
		return put(s, &w, tree, f);
	if (source == ENGINE_RUNNING && target == ENGINE_CANDIDATE) {
		lyd_free_all(tree);
		stores_drop_candidate(e);
		return 0;
	}
	engine_prune(s, &tree);
	return finish(s, &w, tree, f);
}

int engine_copy_text(struct engine_session *s, struct str config, enum engine_format format,
	enum engine_store target, struct engine_fault *f)
{
	struct lyd_node *tree = NULL;

	if (sessions_may_call(s, "copy-config", f) || sessions_may_change(s, target, f) ||
		edit_parse_config(s->engine->ctx, config, format, &tree, f))
		return -1;
	if (sessions_may_ask(s, engine_tree(s->engine, target), tree, ENGINE_REPLACE, f)) {
		lyd_free_all(tree);
		return -1;
	}
	return finish(s, &(struct way){.target = target, .whole = true}, tree, f);
}

int engine_delete(struct engine_session *s, enum engine_store target, struct engine_fault *f)
{
	const struct engine *e = s->engine;

	if (sessions_may_call(s, "delete-config", f) || sessions_may_change(s, target, f))
		return -1;
	if (target != ENGINE_STARTUP)
		return fault_protocol(f, "invalid-value", "only startup can be deleted");
	if (unlink(e->conf.path) == 0)
		return 0;
	return fault_set(f, errno == ENOENT ? "data-missing" : "operation-failed", NULL,
		"%s: cannot be deleted: %s", e->conf.path, strerror(errno));
}

int engine_validate(
	struct engine_session *s, enum engine_store source, struct config **out, struct engine_fault *f)
{
	struct lyd_node *tree = NULL;
	int rc;

	if (sessions_may_call(s, "validate", f) || stores_copy(s, source, &tree, f))
		return -1;
	rc = sessions_hide_mistake(s, apply_check(s->engine, &tree, out, f), f);
	lyd_free_all(tree);
	return rc;
}

int engine_validate_text(struct engine_session *s, struct str config, enum engine_format format,
	struct config **out, bool *files, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct lyd_node *tree = NULL;
	struct config *c = NULL;
	struct engine_fault denied;
	int rc;

	*files = false;
	if (sessions_may_call(s, "validate", f) || edit_parse_config(e->ctx, config, format, &tree, f))
		return -1;
	/* Before the check, which fills in the defaults: those nobody asked for. */
	bool may_ask = sessions_could_ask(s, e->running, tree, ENGINE_REPLACE, &denied) == 0;

	rc = apply_check_model(e, &tree, &c, f);
	/* Else whoever may not even name a file here could ask which ones the machine has. */
	*files = !rc && may_ask && sessions_could_write(s, e->running, tree, &denied) == 0;
	if (*files)
		rc = apply_check_files(e, c, f);
	lyd_free_all(tree);
	if (!rc && out)
		*out = c;
	else
		config_unref(c);
	return rc;
}
