/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as a session may see and wants it. */
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/engine/fault.h"
#include "controlplane/config/engine/private.h"
#include "controlplane/config/engine/select.h"
#include "controlplane/config/engine/with_defaults.h"

static int print(
	const struct lyd_node *tree, const struct engine_query *q, char **text, struct engine_fault *f)
{
	static const uint32_t defaults[] = {
		[ENGINE_EXPLICIT] = LYD_PRINT_WD_EXPLICIT,
		[ENGINE_REPORT_ALL] = LYD_PRINT_WD_ALL,
		[ENGINE_REPORT_ALL_TAGGED] =
			LYD_PRINT_WD_IMPL_TAG, /* what was set is no default here, whatever its value */
		[ENGINE_TRIM] = LYD_PRINT_WD_TRIM,
	};
	LYD_FORMAT format = q->format == ENGINE_XML ? LYD_XML : LYD_JSON;

	*text = NULL;
	if (tree && lyd_print_mem(text, tree, format,
			    LYD_PRINT_WITHSIBLINGS | LYD_PRINT_SHRINK | defaults[q->defaults]) != LY_SUCCESS)
		return fault_memory(f);
	if (*text && format == LYD_XML && q->defaults == ENGINE_REPORT_ALL_TAGGED)
		with_defaults_to_rfc(*text);
	if (!*text)
		*text = strdup(q->format == ENGINE_XML ? "" : "{}");
	return *text ? 0 : fault_memory(f);
}

void engine_prune(struct engine_session *s, struct lyd_node **tree)
{
	struct nacm_view v;

	nacm_view(&v, &s->engine->nacm, &s->who);
	nacm_prune(&v, tree);
}

int engine_print(struct engine_session *s, struct lyd_node *tree, const struct engine_query *q, char **text,
	struct engine_fault *f)
{
	struct engine *e = s->engine;
	int rc = 0;

	/* Rights first: a filter must not tell what is behind them. */
	engine_prune(s, &tree);
	if (q->xpath)
		rc = select_xpath(&tree, e->ctx, q->xpath, f);
	if (!rc && q->subtree)
		rc = select_subtree(&tree, e->names, q->subtree, f);
	if (!rc)
		rc = print(tree, q, text, f);
	lyd_free_all(tree);
	return rc;
}

int engine_may_read(const struct engine_session *s, struct engine_fault *f)
{
	return sessions_may_call(s, "get-config", f);
}

int engine_read(
	struct engine_session *s, enum engine_store source, struct lyd_node **out, struct engine_fault *f)
{
	if (sessions_may_call(s, "get-config", f) || stores_copy(s, source, out, f))
		return -1;
	engine_prune(s, out);
	return 0;
}

int engine_get_config(struct engine_session *s, enum engine_store source, const struct engine_query *q,
	char **text, struct engine_fault *f)
{
	struct lyd_node *tree = NULL;

	return engine_read(s, source, &tree, f) ? -1 : engine_print(s, tree, q, text, f);
}
