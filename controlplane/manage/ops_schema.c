/* SPDX-License-Identifier: Apache-2.0 */
/* get-schema (RFC 6022, section 3.1): the text of the modules that the engine's trees are of. */
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"
#include "controlplane/manage/ops_private.h"

/* version NULL: whichever there is. */
static const struct lys_module *find(const struct ly_ctx *ctx, const char *name, const char *version)
{
	if (!version)
		return ly_ctx_get_module_latest(ctx, name);
	return ly_ctx_get_module(ctx, name, *version ? version : NULL);
}

/* As it was written, or, of libyang's own modules, as libyang prints it. NULL without memory; to be freed. */
static char *text_of(const struct lys_module *m)
{
	const struct schema_module *own = schema_module(m->name);
	char *text = NULL;

	if (own)
		return strdup(own->text);
	return lys_print_mem(&text, m, LYS_OUT_YANG, 0) == LY_SUCCESS ? text : NULL;
}

static void get_schema(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_config *o = ctx;
	const char *name = mgmt_arg(args, "identifier"), *version = mgmt_arg(args, "version");
	struct engine_session *s = manage_session(o->engine, rq);
	const struct lys_module *m;
	char *text;

	if (!s)
		return;
	if (!engine_may_call(s, "ietf-netconf-monitoring", "get-schema")) {
		mgmt_refuse_error(
			rq, mgmt_error("access-denied", "protocol", "", "this account may not get-schema"));
		return;
	}
	m = name ? find(engine_context(o->engine), name, version) : NULL;
	if (!m) {
		manage_refuse_argument(
			rq, name && version ? "version" : "identifier", "there is no such module");
		return;
	}
	text = text_of(m);
	mgmt_reply(rq, text ? json_pack("{s:s}", "text", text) : NULL);
	free(text);
}

const struct ops_row ops_schema_rows[] = {
	{"get-schema", get_schema},
	{NULL},
};
