/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, and operations on whole datastores. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/manage/ops_private.h"

static json_t *features_of(const struct lys_module *m)
{
	json_t *list = json_array();
	struct lysp_feature *f = NULL;
	uint32_t i = 0;

	while ((f = lysp_feature_next(f, m->parsed, &i)))
		if (f->flags & LYS_FENABLED)
			json_array_append_new(list, json_string(f->name));
	return list;
}

static json_t *modules_of(const struct ly_ctx *ctx)
{
	json_t *list = json_array();
	const struct lys_module *m;
	uint32_t i = 0;

	while ((m = ly_ctx_get_module_iter(ctx, &i))) {
		json_t *row = json_pack("{s:s,s:s,s:s,s:b}", "name", m->name, "revision",
			m->revision ? m->revision : "", "namespace", m->ns, "implemented",
			m->implemented != 0);

		if (m->implemented)
			json_object_set_new(row, "features", features_of(m));
		json_array_append_new(list, row);
	}
	return list;
}

static void hello(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	static const char *const doors[] = {"cli", "netconf", NULL};
	struct ops_config *o = ctx;
	struct engine_session *s;
	int door;

	if (!manage_choice(rq, args, "client", doors, 0, &door))
		return;
	s = manage_session_open(o->engine, rq, doors[door], mgmt_arg(args, "source-host"));
	if (s)
		mgmt_reply(rq, json_pack("{s:I,s:s,s:s,s:o}", "session-id", (json_int_t)engine_session_id(s),
				       "user", engine_session_user(s), "version", SRTPGW_VERSION, "modules",
				       modules_of(engine_context(o->engine))));
}

static void get_config(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_query q;
	struct engine_fault f;
	char *text;
	int source;

	if (!manage_store(rq, args, "source", ENGINE_RUNNING, &source) || !manage_query(rq, args, &q) ||
		!(s = manage_session(o->engine, rq)))
		return;
	if (engine_get_config(s, (enum engine_store)source, &q, &text, &f))
		manage_refuse(rq, &f);
	else
		manage_reply_data(rq, q.format, text);
}

static bool edit_options(struct mgmt_request *rq, const json_t *args, int target, int *op, int *test)
{
	static const char *const operations[] = {"merge", "replace", "none", NULL};
	static const char *const tests[] = {"set", "test-then-set", "test-only", NULL};
	/* Whatever is asked, an edit is done as a whole or not at all. */
	static const char *const errors[] = {"rollback-on-error", "stop-on-error", "continue-on-error", NULL};
	int error;

	return manage_choice(rq, args, "default-operation", operations, ENGINE_MERGE, op) &&
	       manage_choice(rq, args, "test-option", tests,
		       target == ENGINE_RUNNING ? ENGINE_TEST_THEN_SET : ENGINE_SET, test) &&
	       manage_choice(rq, args, "error-option", errors, 0, &error);
}

static void edit_config(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	enum engine_format format;
	char *text = NULL;
	int target, op, test;

	if (!manage_store(rq, args, "target", ENGINE_CANDIDATE, &target) ||
		!edit_options(rq, args, target, &op, &test) || !manage_format(rq, args, &format) ||
		!(s = manage_session(o->engine, rq)) || !manage_text(rq, args, "config", format, &text))
		return;
	ops_finish(rq,
		engine_edit(s, (enum engine_store)target, (enum engine_default_operation)op,
			(enum engine_test)test, str_z(text), format, &f),
		&f);
	free(text);
}

static void set(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	const char *path = mgmt_arg(args, "path"), *text = mgmt_arg(args, "value");
	const json_t *value = json_object_get(args, "value");
	struct engine_session *s;
	struct engine_fault f;
	char *printed = NULL;

	if (!path) {
		manage_refuse_argument(rq, "path", "it is missing: /srtp-gateway:gateway/...");
		return;
	}
	/* Numbers and booleans may be given as such. */
	if (!text && value && !json_is_null(value)) {
		printed = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		text = printed;
	}
	s = manage_session(o->engine, rq);
	if (s)
		ops_finish(rq, engine_set(s, path, text, &f), &f);
	free(printed);
}

static void copy_config(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	enum engine_format format;
	char *text = NULL;
	int source, target;

	if (!manage_store(rq, args, "target", -1, &target) || !manage_format(rq, args, &format))
		return;
	if (json_object_get(args, "config")) {
		if (!(s = manage_session(o->engine, rq)) || !manage_text(rq, args, "config", format, &text))
			return;
		ops_finish(rq, engine_copy_text(s, str_z(text), format, (enum engine_store)target, &f), &f);
		free(text);
	} else if (manage_store(rq, args, "source", -1, &source) && (s = manage_session(o->engine, rq))) {
		ops_finish(rq, engine_copy(s, (enum engine_store)source, (enum engine_store)target, &f), &f);
	}
}

static void delete_config(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	int target;

	if (manage_store(rq, args, "target", -1, &target) && (s = manage_session(o->engine, rq)))
		ops_finish(rq, engine_delete(s, (enum engine_store)target, &f), &f);
}

/* Answers a validation, with what is no mistake and yet worth a word. places: also of files and devices. */
static void reply_validated(struct mgmt_request *rq, struct engine *e, int rc, struct config *c, bool places,
	const struct engine_fault *f)
{
	if (!rc)
		ops_warn_of_config(rq, e, c, places);
	config_unref(c);
	ops_finish(rq, rc, f);
}

static void validate(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	struct engine_session *s;
	struct engine_fault f;
	enum engine_format format;
	struct config *c = NULL;
	char *text = NULL;
	bool files;
	int source, rc;

	if (!manage_format(rq, args, &format) || !(s = manage_session(o->engine, rq)))
		return;
	if (json_object_get(args, "config")) {
		if (!manage_text(rq, args, "config", format, &text))
			return;
		rc = engine_validate_text(s, str_z(text), format, &c, &files, &f);
		reply_validated(rq, o->engine, rc, c, files, &f);
		free(text);
	} else if (manage_store(rq, args, "source", ENGINE_CANDIDATE, &source)) {
		rc = engine_validate(s, (enum engine_store)source, &c, &f);
		reply_validated(rq, o->engine, rc, c, true, &f);
	}
}

static const struct ops_row rows[] = {
	{"hello", hello},
	{"get-config", get_config},
	{"edit-config", edit_config, true},
	{"set", set},
	{"copy-config", copy_config, true},
	{"delete-config", delete_config},
	{"validate", validate, true},
	{NULL},
};

static int register_rows(struct ops_config *o, const struct ops_row *row)
{
	int rc = 0;

	for (; row->op && !rc; row++)
		rc = (row->large ? mgmt_register_large : mgmt_register)(o->mgmt, row->op, row->fn, o);
	return rc;
}

static void on_kill(void *ctx, struct engine_session *s)
{
	struct ops_config *o = ctx;

	manage_session_kill(s, o->mgmt);
}

int ops_config_register(struct mgmt *m, struct engine *e, struct ops_config **out)
{
	static const struct engine_events events = {.kill = on_kill};
	struct ops_config *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return -ENOMEM;
	*o = (struct ops_config){.mgmt = m, .engine = e};
	rc = register_rows(o, rows);
	if (!rc)
		rc = register_rows(o, ops_commit_rows);
	if (!rc)
		rc = register_rows(o, ops_schema_rows);
	if (!rc)
		rc = engine_listen(e, &events, o);
	if (rc)
		free(o);
	else
		*out = o;
	return rc;
}

void ops_config_free(struct ops_config *o)
{
	free(o);
}
