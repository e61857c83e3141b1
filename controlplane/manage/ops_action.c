/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/ops_action.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/manage/ops_private.h"
#include "controlplane/manage/session.h"
#include "lib/base/log.h"

struct ops_action {
	struct engine *engine;
	const struct action_target *target;
	void *ctx;
};

/* One operation under way: op is the rpc or action in its input, which becomes its output. */
struct action {
	struct ops_action *o;
	struct mgmt_request *rq;
	struct engine_session *session; /* whose it is */
	struct lyd_node *op;
	struct engine_fault *f;
};

static int fail(struct engine_fault *f, const char *tag, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int fail(struct engine_fault *f, const char *tag, const char *path, const char *fmt, ...)
{
	va_list ap;

	*f = (struct engine_fault){.tag = tag, .type = "application"};
	snprintf(f->path, sizeof f->path, "%s", path);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof f->message, fmt, ap);
	va_end(ap);
	return -1;
}

static const char *input(const struct action *a, const char *name)
{
	const struct lyd_node *n;

	LY_LIST_FOR(lyd_child(a->op), n)
	{
		if (strcmp(LYD_NAME(n), name) == 0)
			return lyd_get_value(n);
	}
	return NULL;
}

static void output(struct action *a, const char *name, const char *value)
{
	lyd_new_term(a->op, NULL, name, value, 1, NULL);
}

static int no_trunk(struct action *a, const char *trunk)
{
	char path[128];

	snprintf(path, sizeof path, "/srtp-gateway:gateway/trunks/trunk[name='%.64s']", trunk);
	return fail(a->f, "data-missing", path, "there is no such trunk");
}

static int terminate(struct action *a)
{
	const struct lyd_node *call = lyd_parent(a->op);
	const char *id = lyd_get_value(lyd_child(call));
	char path[160];

	if (a->o->target->terminate(a->o->ctx, id, input(a, "reason")) == 0)
		return 0;
	snprintf(path, sizeof path, "/srtp-gateway:calls/call[id='%.64s']", id);
	return fail(a->f, "data-missing", path, "there is no such call, or it is over");
}

static void output_count(struct action *a, const char *name, unsigned n)
{
	char text[16];

	snprintf(text, sizeof text, "%u", n);
	output(a, name, text);
}

static int rekey(struct action *a)
{
	const char *id = lyd_get_value(lyd_child(lyd_parent(a->op)));
	unsigned legs = 0;
	char path[160];
	int rc = a->o->target->rekey(a->o->ctx, id, &legs);

	snprintf(path, sizeof path, "/srtp-gateway:calls/call[id='%.64s']", id);
	if (rc == -EAGAIN)
		return fail(a->f, "operation-failed", path, "the call is not answered yet");
	if (rc < 0)
		return fail(a->f, "data-missing", path, "there is no such call, or it is over");
	output_count(a, "legs", legs);
	return 0;
}

static int disconnect(struct action *a)
{
	const char *user = lyd_get_value(lyd_child(lyd_parent(a->op)));
	unsigned n = 0;
	char path[160];

	if (a->o->target->disconnect(a->o->ctx, user, &n) < 0) {
		snprintf(path, sizeof path, "/srtp-gateway:gateway/users/user[name='%.64s']", user);
		return fail(a->f, "data-missing", path, "there is no such user");
	}
	output_count(a, "registrations", n);
	return 0;
}

static int rekey_all(struct action *a)
{
	output_count(a, "calls", a->o->target->rekey_all(a->o->ctx));
	return 0;
}

static int rotate_audit(struct action *a)
{
	char file[ACTION_PATH_MAX], text[24];
	uint64_t last = 0;
	struct err e = {0};
	int rc = a->o->target->rotate_audit(a->o->ctx, file, &last, &e);

	if (rc == -ENODATA)
		return 0;
	if (rc < 0)
		return fail(a->f, "operation-failed", "/srtp-gateway:gateway/audit", "%s", e.text);
	snprintf(text, sizeof text, "%" PRIu64, last);
	output(a, "file", file);
	output(a, "last-record", text);
	return 0;
}

static int drain(struct action *a)
{
	const char *trunk = input(a, "trunk"), *timeout = input(a, "timeout");
	unsigned remaining = 0;

	if (a->o->target->drain(
		    a->o->ctx, trunk, timeout ? (uint32_t)strtoul(timeout, NULL, 10) : 0, &remaining) < 0)
		return no_trunk(a, trunk ? trunk : "");
	lyd_free_siblings(lyd_child(a->op));
	output_count(a, "remaining-calls", remaining);
	return 0;
}

static int resume(struct action *a)
{
	const char *trunk = input(a, "trunk"), *still = NULL;
	char text[256];

	if (a->o->target->resume(a->o->ctx, trunk, &still) < 0)
		return no_trunk(a, trunk ? trunk : "");
	if (still) {
		snprintf(text, sizeof text,
			"/srtp-gateway:gateway/trunks/trunk[name='%.64s'] still takes no calls: %s", trunk,
			still);
		mgmt_warn(a->rq, text);
	}
	return 0;
}

static int restart(struct action *a)
{
	/* Both have a default. */
	const char *calls = input(a, "calls"), *timeout = input(a, "timeout");
	bool keep = calls && strcmp(calls, "keep") == 0;
	struct err e = {0};
	struct action_restarted next = {0};
	int rc = a->o->target->restart(
		a->o->ctx, keep, timeout ? (uint32_t)strtoul(timeout, NULL, 10) : 0, &next, &e);

	if (rc < 0)
		return fail(a->f, rc == -EBUSY ? "in-use" : "operation-failed", "", "%s", e.text);
	lyd_free_siblings(lyd_child(a->op));
	output_count(a, "remaining-calls", next.calls);
	if (next.socket[0])
		output(a, "socket", next.socket);
	return 0;
}

static void certificate_changed(void *arg, const char *profile)
{
	output(arg, "tls-profile", profile);
}

static int reload_certificates(struct action *a)
{
	struct err e = {0};

	if (a->o->target->reload_certificates(a->o->ctx, &e) < 0)
		return fail(a->f, "operation-failed", "/srtp-gateway:gateway/tls-profiles",
			"nothing was changed: %s", e.text);
	a->o->target->renewed(a->o->ctx, certificate_changed, a);
	return 0;
}

static int reload(struct action *a)
{
	struct config *before = engine_config(a->o->engine);
	uint64_t commit = 0;
	char text[24];
	int rc = engine_reload(a->o->engine, a->session, &commit, a->f);

	if (rc == 0) {
		snprintf(text, sizeof text, "%" PRIu64, commit);
		if (commit)
			output(a, "commit", text);
		a->o->target->renewed(a->o->ctx, certificate_changed, a);
		ops_warn_of_change(a->rq, a->o->engine, before);
	}
	config_unref(before);
	return rc;
}

static const struct {
	const char *path;
	int (*run)(struct action *a);
} actions[] = {
	{"/srtp-gateway:calls/call/terminate", terminate},
	{"/srtp-gateway:calls/call/rekey", rekey},
	{"/srtp-gateway:gateway/users/user/disconnect", disconnect},
	{"/srtp-gateway:rekey-all", rekey_all},
	{"/srtp-gateway:audit-rotate", rotate_audit},
	{"/srtp-gateway:drain", drain},
	{"/srtp-gateway:resume", resume},
	{"/srtp-gateway:restart", restart},
	{"/srtp-gateway:reload", reload},
	{"/srtp-gateway:reload-certificates", reload_certificates},
};

static int dispatch(struct action *a)
{
	char path[256] = "";

	lysc_path(a->op->schema, LYSC_PATH_DATA, path, sizeof path);
	for (unsigned i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(path, actions[i].path) == 0)
			return actions[i].run(a);
	return fail(
		a->f, "operation-not-supported", path, "'%s' has an operation of its own", LYD_NAME(a->op));
}

/* *tree, the op in it, its input checked against the model. */
static int parse(struct ly_ctx *ctx, const char *text, enum engine_format format, struct lyd_node **tree,
	struct lyd_node **op, struct engine_fault *f)
{
	struct ly_in *in = NULL;
	LY_ERR rc;

	ly_err_clean(ctx, NULL);
	rc = ly_in_new_memory(text, &in);

	if (rc == LY_SUCCESS)
		rc = lyd_parse_op(ctx, NULL, in, format == ENGINE_XML ? LYD_XML : LYD_JSON, LYD_TYPE_RPC_YANG,
			tree, op);
	if (rc == LY_SUCCESS)
		rc = lyd_validate_op(*tree, NULL, LYD_TYPE_RPC_YANG, NULL);
	ly_in_free(in, 0);
	return rc == LY_SUCCESS ? 0 : fault_from_libyang(f, ctx, NULL);
}

/* The output's nodes alone, as instance data. */
static int print(const struct lyd_node *op, enum engine_format format, char **text)
{
	struct lyd_node *first = NULL;
	const struct lyd_node *n;
	struct lyd_node *copy;

	LY_LIST_FOR(lyd_child(op), n)
	{
		if (n->schema->flags & LYS_IS_OUTPUT &&
			lyd_dup_single(n, NULL, LYD_DUP_RECURSIVE, &copy) == LY_SUCCESS)
			lyd_insert_sibling(first, copy, &first);
	}
	*text = NULL;
	if (first)
		lyd_print_mem(text, first, format == ENGINE_XML ? LYD_XML : LYD_JSON,
			LYD_PRINT_WITHSIBLINGS | LYD_PRINT_SHRINK);
	lyd_free_siblings(first);
	if (!*text)
		*text = strdup(format == ENGINE_XML ? "" : "{}");
	return *text ? 0 : -ENOMEM;
}

static int run(struct ops_action *o, struct mgmt_request *rq, struct engine_session *s, const char *text,
	enum engine_format format, char **out, struct engine_fault *f)
{
	struct lyd_node *tree = NULL, *op = NULL;
	int rc = parse(engine_context(o->engine), text, format, &tree, &op, f);

	if (!rc && !engine_may_execute(s, op))
		rc = fail(f, "access-denied", "", "'%s' may not do '%s': see /ietf-netconf-acm:nacm",
			engine_session_user(s), LYD_NAME(op));
	if (!rc) {
		log_info("manage", "operation", LZ("name", LYD_NAME(op)), LZ("user", engine_session_user(s)),
			LZ("door", engine_session_door(s)));
		rc = dispatch(&(struct action){.o = o, .rq = rq, .session = s, .op = op, .f = f});
	}
	if (!rc && print(op, format, out) < 0)
		rc = fail(f, "resource-denied", "", "out of memory");
	lyd_free_all(tree);
	return rc;
}

static void action(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_action *o = ctx;
	struct engine_session *s;
	enum engine_format format;
	struct engine_fault f = {0};
	char *text, *out = NULL;

	if (!manage_format(rq, args, &format) || !(s = manage_session(o->engine, rq)) ||
		!manage_text(rq, args, "data", format, &text))
		return;
	if (run(o, rq, s, text, format, &out, &f))
		manage_refuse(rq, &f);
	else
		manage_reply_data(rq, format, out);
	free(text);
}

int ops_action_register(struct mgmt *m, struct engine *e, const struct action_target *target, void *ctx,
	struct ops_action **out)
{
	struct ops_action *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return -ENOMEM;
	*o = (struct ops_action){.engine = e, .target = target, .ctx = ctx};
	rc = mgmt_register(m, "action", action, o);
	if (rc)
		free(o);
	else
		*out = o;
	return rc;
}

void ops_action_free(struct ops_action *o)
{
	free(o);
}
