/* SPDX-License-Identifier: Apache-2.0 */
/* The three datastores as trees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/file.h"
#include "controlplane/config/engine/private.h"
#include "controlplane/config/snapshot.h"

const char *stores_name(enum engine_store store)
{
	static const char *const names[] = {"running", "candidate", "startup"};

	return names[store];
}

/* "FILE:LINE: PATH: reason": the path is the fault's, all of it the message. */
static int file_fault(struct engine_fault *f, const struct err *e)
{
	const char *path = strstr(e->text, ": /");
	struct err rest = {0};

	if (path) {
		memcpy(rest.text, path + 2, strlen(path + 2) + 1);
		fault_from_err(f, "operation-failed", &rest);
	} else {
		fault_set(f, "operation-failed", NULL, "%s", "");
	}
	memcpy(f->message, e->text, strlen(e->text) + 1);
	return -1;
}

int stores_read_file(struct engine *e, const struct engine_session *who, struct lyd_node **out,
	struct file_digest *digest, struct engine_fault *f)
{
	struct err err = {0};
	char *text = NULL;
	size_t n = 0;

	int rc = file_read(e->conf.path, CONFIG_TEXT_MAX, &text, &n, &err);

	if (!rc && digest)
		*digest = file_digest((struct str){text, n}); /* loading blanks the comments */
	if (rc)
		return file_fault(f, &err);
	rc = load_tree(e->ctx, text, n, e->conf.path, out, &err);
	free(text);
	if (!rc)
		return 0;
	file_fault(f, &err);
	return who ? sessions_hide_text(who, f) : -1;
}

/* 0, -ENOENT or another reason why there is none. */
static int digest_now(const struct engine *e, struct file_digest *out, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int rc = file_read(e->conf.path, CONFIG_TEXT_MAX, &text, &n, err);

	if (!rc)
		*out = file_digest((struct str){text, n});
	free(text);
	return rc;
}

int stores_file_edited(const struct engine *e, struct engine_fault *f)
{
	struct file_digest now = {{0}};
	struct err err = {0};
	int rc = digest_now(e, &now, &err);

	/* A file that was deleted holds nobody's work. */
	if (rc == -ENOENT || (!rc && memcmp(&now, &e->file, sizeof now) == 0))
		return 0;
	if (rc)
		return fault_protocol(f, "in-use", "%s: whether it was edited is not known: --overwrite replaces it",
			err.text);
	return fault_protocol(f, "in-use",
		"%s was edited and not reloaded: 'srtpgwctl reload' takes it over, --overwrite replaces "
		"it; 'srtpgwctl diff running startup' shows what was edited",
		e->conf.path);
}

void stores_accept_file(struct engine *e)
{
	struct err ignored = {0};

	(void)digest_now(e, &e->file, &ignored);
}

const struct lyd_node *engine_tree(const struct engine *e, enum engine_store store)
{
	struct engine *own = (struct engine *)e;
	struct engine_fault ignored;

	if (store == ENGINE_CANDIDATE && e->candidate_own)
		return e->candidate;
	if (store != ENGINE_STARTUP)
		return e->running;
	lyd_free_all(own->startup);
	own->startup = NULL;
	stores_read_file(own, NULL, &own->startup, NULL, &ignored);
	return e->startup;
}

static int copy(const struct lyd_node *tree, struct lyd_node **out, struct engine_fault *f)
{
	*out = NULL;
	if (tree && lyd_dup_siblings(tree, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, out) != LY_SUCCESS)
		return fault_memory(f);
	return 0;
}

int stores_copy(const struct engine_session *s, enum engine_store store, struct lyd_node **out,
	struct engine_fault *f)
{
	if (store == ENGINE_STARTUP)
		return stores_read_file(s->engine, s, out, NULL, f);
	return copy(engine_tree(s->engine, store), out, f);
}

void stores_set_candidate(struct engine *e, struct lyd_node *tree, bool whole)
{
	uint64_t old = whole ? 0 : e->candidate_old;

	stores_drop_candidate(e);
	e->candidate = tree;
	e->candidate_own = true;
	e->candidate_old = old;
}

void stores_drop_candidate(struct engine *e)
{
	lyd_free_all(e->candidate);
	e->candidate = NULL;
	e->candidate_own = false;
	e->candidate_old = 0;
}

/* Is the candidate what runs? What was added to it has not got its defaults yet: they are no difference. */
static bool candidate_runs(const struct engine *e)
{
	struct engine_fault ignored;
	struct lyd_node *full;
	bool differs = true;

	if (copy(e->candidate, &full, &ignored))
		return false;
	if (lyd_validate_all(&full, e->ctx, LYD_VALIDATE_NO_STATE, NULL) == LY_SUCCESS)
		(void)apply_differs(e->running, full, &differs, &ignored);
	lyd_free_all(full);
	return !differs;
}

void stores_settle_candidate(struct engine *e)
{
	if (e->candidate_own && e->candidate && candidate_runs(e))
		stores_drop_candidate(e);
}

void stores_follow_running(struct engine *e, const struct lyd_node *before, uint64_t commit)
{
	struct engine_fault ignored;
	bool edited = true;

	stores_settle_candidate(e);
	if (!e->candidate_own || e->candidate_old)
		return;
	if (apply_differs(before, e->candidate, &edited, &ignored) == 0 && !edited)
		stores_drop_candidate(e);
	else
		e->candidate_old = commit;
}
