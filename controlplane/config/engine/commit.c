/* SPDX-License-Identifier: Apache-2.0 */
/* The candidate becomes what runs: commit, discard, rollback. */
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/private.h"
#include "controlplane/config/snapshot.h"
#include "lib/base/clock.h"

#define TEXT_MAX 1000u

/* Nothing is different, but a confirmed commit may wait, or begin to. */
static int commit_nothing(struct engine_session *s, const struct engine_commit *c, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct lyd_node *before = NULL;
	int rc = 0;

	if (e->pending.active && !c->confirmed && !c->overwrite && stores_file_edited(e, f))
		return -1;
	if (c->confirmed) {
		if (!e->pending.active)
			rc = stores_copy(s, ENGINE_RUNNING, &before, f);
		if (!rc)
			rc = confirm_begin(s, c, &before, 0, f);
		lyd_free_all(before);
	} else if (e->pending.active) {
		rc = apply_store(e, e->running, f);
		if (!rc)
			confirm_complete(e, s);
	}
	return rc;
}

/* Would what somebody else changed be lost, in running or, now or when the commit is confirmed, in the file?
 */
static int undoes_edits(const struct engine *e, const struct engine_commit *c, struct engine_fault *f)
{
	if (c->overwrite)
		return 0;
	if (e->candidate_old)
		return fault_protocol(f, "in-use",
			"the running configuration was changed after the candidate was begun (commit %llu), which its commit "
			"would undo: discard it (discard-changes) and edit again, or use --overwrite (copy-config of the "
			"candidate to running); 'srtpgwctl diff' shows what would change",
			(unsigned long long)e->candidate_old);
	return c->confirmed ? stores_file_edited(e, f) : 0;
}

static int commit_changes(
	struct engine_session *s, const struct engine_commit *c, uint64_t *commit, struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct lyd_node *before = NULL;
	struct cause why = {
		.user = s->who.user,
		.door = s->door,
		.session = s->id,
		.comment = c->comment,
		.unconfirmed = c->confirmed,
		.keep_file = c->confirmed,
		.overwrite = c->overwrite,
	};
	int rc = 0;

	if (sessions_may_write(s, e->running, e->candidate, f) || undoes_edits(e, c, f) ||
		sessions_hide_mistake(s, apply_tree(e, &e->candidate, &why, commit, &before, f), f))
		return -1;
	stores_drop_candidate(e);
	if (c->confirmed && c->overwrite)
		stores_accept_file(e);
	if (c->confirmed)
		rc = confirm_begin(s, c, &before, *commit, f);
	else if (e->pending.active)
		confirm_complete(e, s);
	/* What cannot be waited for must not stay. */
	if (rc && before) {
		struct engine_fault ignored;

		why.comment = "the commit before could not wait for its confirmation";
		why.unconfirmed = false;
		apply_tree(e, &before, &why, NULL, NULL, &ignored);
	}
	lyd_free_all(before);
	return rc;
}

static int check_texts(const char *comment, const char *persist, struct engine_fault *f)
{
	if ((comment && strlen(comment) > TEXT_MAX) || (persist && strlen(persist) > TEXT_MAX))
		return fault_protocol(
			f, "too-big", "a comment and a persist have at most %u octets", TEXT_MAX);
	return 0;
}

int engine_commit(
	struct engine_session *s, const struct engine_commit *c, uint64_t *commit, struct engine_fault *f)
{
	struct engine *e = s->engine;
	bool differs = false;

	*commit = 0;
	if (check_texts(c->comment, c->persist, f) || sessions_may_call(s, "commit", f) ||
		sessions_may_change(s, ENGINE_RUNNING, f) ||
		(!c->confirm_only && sessions_may_change(s, ENGINE_CANDIDATE, f)) ||
		confirm_allowed(s, c->persist_id, f))
		return -1;
	if (c->persist && !c->confirmed)
		return fault_protocol(f, "invalid-value", "persist is for a confirmed commit");
	if (c->confirm_only && c->confirmed)
		return fault_protocol(
			f, "invalid-value", "a commit confirms or has to be confirmed, not both");
	if (c->confirm_only)
		return commit_nothing(s, c, f);
	if (e->candidate_own && apply_differs(e->running, e->candidate, &differs, f))
		return -1;
	if (differs)
		return commit_changes(s, c, commit, f);
	stores_drop_candidate(e);
	return commit_nothing(s, c, f);
}

int engine_discard(struct engine_session *s, struct engine_fault *f)
{
	if (sessions_may_call(s, "discard-changes", f) || sessions_may_change(s, ENGINE_CANDIDATE, f))
		return -1;
	stores_drop_candidate(s->engine);
	return 0;
}

uint32_t engine_confirm_by(const struct engine *e)
{
	uint64_t now = clock_mono_ns();

	if (!e->pending.active)
		return 0;
	return e->pending.deadline_ns > now ? (uint32_t)((e->pending.deadline_ns - now) / NS_PER_S) + 1 : 1;
}

int engine_history_tree(
	const struct engine *e, uint64_t commit, struct lyd_node **out, struct engine_fault *f)
{
	struct err err = {0};
	char *text = NULL;
	int rc;

	if (!history_find(&e->history, commit))
		return fault_set(f, "data-missing", NULL, "the history has no commit %llu",
			(unsigned long long)commit);
	if (history_text(&e->history, commit, &text, &err) < 0)
		return fault_set(f, "operation-failed", NULL, "%s", err.text);
	/* Ours, whatever its size: not held to what a client may send. */
	rc = load_tree(e->ctx, text, strlen(text), "the history", out, &err);
	free(text);
	return rc < 0 ? fault_set(f, "operation-failed", NULL, "%s", err.text) : 0;
}

/* Would edits be lost that wait in the candidate, which is everybody's? */
static int drops_edits(struct engine *e, const struct engine_commit *how, struct engine_fault *f)
{
	stores_settle_candidate(e);
	if (how->overwrite || !e->candidate_own)
		return 0;
	return fault_protocol(f, "in-use",
		"the candidate has edits that are not committed, which a rollback would undo: commit or discard them "
		"(discard-changes), or use --overwrite; 'srtpgwctl diff' shows them");
}

int engine_rollback(struct engine_session *s, uint64_t commit, const struct engine_commit *how, uint64_t *made,
	struct engine_fault *f)
{
	struct engine *e = s->engine;
	struct cause why = {.user = s->who.user,
		.door = s->door,
		.session = s->id,
		.comment = how->comment,
		.overwrite = how->overwrite};
	struct lyd_node *tree = NULL;
	bool differs = false;
	int rc;

	*made = 0;
	if (check_texts(how->comment, NULL, f) || sessions_may_call(s, "edit-config", f) ||
		sessions_may_call(s, "commit", f) || sessions_may_change(s, ENGINE_RUNNING, f) ||
		sessions_may_change(s, ENGINE_CANDIDATE, f) || engine_history_tree(e, commit, &tree, f))
		return -1;
	if (e->pending.active)
		rc = fault_protocol(f, "in-use", "a confirmed commit waits: confirm or cancel it first");
	else
		rc = sessions_may_write(s, e->running, tree, f) || drops_edits(e, how, f) ||
				     apply_differs(e->running, tree, &differs, f)
			     ? -1
			     : 0;
	if (!rc && differs)
		rc = sessions_hide_mistake(s, apply_tree(e, &tree, &why, made, NULL, f), f);
	if (!rc)
		stores_drop_candidate(e);
	lyd_free_all(tree);
	return rc;
}
