/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/ops_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/manage/session.h"
#include "controlplane/manage/state_engine.h"
#include "controlplane/manage/state_netconf.h"
#include "controlplane/obs/gather.h"

struct ops_state {
	struct engine *engine;
	struct gather *gather;
	struct state_netconf netconf;
};

/* One question on its way. */
struct get {
	struct ops_state *o;
	struct mgmt_request *rq;
	bool with_config;
	struct engine_query q; /* its texts are owned */
};

static void get_free(struct get *g)
{
	free((char *)g->q.xpath);
	free((char *)g->q.subtree);
	free(g);
}

static bool keep_text(const char **text)
{
	if (*text)
		*text = strdup(*text);
	return *text;
}

/* A question whose texts outlive the request's. NULL without memory. */
static struct get *get_new(struct ops_state *o, struct mgmt_request *rq, const struct engine_query *q)
{
	struct get *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	*g = (struct get){.o = o, .rq = rq, .q = *q};
	bool xpath = !q->xpath || keep_text(&g->q.xpath), subtree = !q->subtree || keep_text(&g->q.subtree);

	if (xpath && subtree)
		return g;
	get_free(g);
	return NULL;
}

static void refuse(
	struct mgmt_request *rq, const char *tag, const char *type, const char *path, const char *message)
{
	mgmt_refuse_error(rq, mgmt_error(tag, type, path, message));
}

/* Puts the running configuration under the state. */
static int add_config(const struct engine *e, struct lyd_node **tree)
{
	const struct lyd_node *running = engine_tree(e, ENGINE_RUNNING);
	struct lyd_node *all = NULL;

	if (!running)
		return 0;
	if (lyd_dup_siblings(running, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &all) != LY_SUCCESS)
		return -ENOMEM;
	if (*tree && lyd_merge_siblings(&all, *tree, LYD_MERGE_DESTRUCT) != LY_SUCCESS) {
		lyd_free_all(all);
		*tree = NULL; /* the merge has taken it */
		return -ENOMEM;
	}
	*tree = all;
	return 0;
}

static void answer(struct get *g, struct engine_session *s, struct lyd_node *tree)
{
	struct engine_fault f = {0};
	char *text = NULL;

	if (g->with_config && add_config(g->o->engine, &tree) < 0) {
		lyd_free_all(tree);
		mgmt_reply(g->rq, NULL);
	} else if (engine_print(s, tree, &g->q, &text, &f)) {
		manage_refuse(g->rq, &f);
	} else {
		manage_reply_data(g->rq, g->q.format, text);
	}
}

static void gathered(void *arg, struct gather_answer *a)
{
	struct get *g = arg;
	/* Who asked may have gone meanwhile. */
	struct engine_session *s = manage_session(g->o->engine, g->rq);

	if (!s)
		lyd_free_all(a->tree);
	else if (a->tag)
		refuse(g->rq, a->tag, "application", a->path, a->message);
	else
		answer(g, s, a->tree);
	get_free(g);
}

static bool page(struct mgmt_request *rq, const json_t *args, struct query *q)
{
	const json_t *limit = json_object_get(args, "limit"), *after = json_object_get(args, "after");

	if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
			     json_integer_value(limit) > UINT32_MAX)) {
		manage_refuse_argument(rq, "limit", "it is a number of calls from 1 on");
		return false;
	}
	if (after && (!json_is_string(after) ||
			     str_copy(q->after, sizeof q->after, str_z(json_string_value(after))) != 0)) {
		manage_refuse_argument(rq, "after", "it is the id of a call");
		return false;
	}
	q->limit = limit ? (unsigned)json_integer_value(limit) : 0;
	return true;
}

static void get(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct ops_state *o = ctx;
	struct engine_session *s;
	struct engine_query filter;
	struct query q;
	struct get *g;

	if (!manage_query(rq, args, &filter))
		return;
	query_make(gather_context(o->gather), filter.xpath, filter.subtree, &q);
	if (!page(rq, args, &q) || !(s = manage_session(o->engine, rq)))
		return;
	if (!engine_may_call(s, "ietf-netconf", "get")) {
		refuse(rq, "access-denied", "protocol", "", "your account may not use <get>");
		return;
	}
	g = get_new(o, rq, &filter);
	if (!g) {
		mgmt_reply(rq, NULL);
		return;
	}
	g->with_config = q.parts & QUERY_CONFIG;
	if (gather_ask(o->gather, &q, gathered, g) < 0) {
		get_free(g);
		mgmt_reply(rq, NULL);
	}
}

int ops_state_register(struct mgmt *m, struct engine *e, struct gather *g, struct ops_state **out)
{
	struct ops_state *o = calloc(1, sizeof *o);
	int rc = o ? state_engine_register(g, e) : -ENOMEM;

	if (!rc) {
		*o = (struct ops_state){.engine = e, .gather = g};
		rc = state_netconf_register(g, e, m, &o->netconf);
	}
	if (!rc)
		rc = mgmt_register(m, "get", get, o);
	if (rc)
		free(o);
	else
		*out = o;
	return rc;
}

void ops_state_free(struct ops_state *o)
{
	free(o);
}
