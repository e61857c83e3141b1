/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/ops_trace.h"

#include <libyang/libyang.h>

#include "controlplane/manage/session.h"
#include "controlplane/obs/trace.h"

/* What is kept of a call is no leaf of the model: who may read the call's parties may read its messages. */
static bool may_read_call(struct engine *e, struct engine_session *s, const char *id)
{
	const struct lys_module *module = ly_ctx_get_module_implemented(engine_context(e), "srtp-gateway");
	struct lyd_node *tree = NULL, *call = NULL;
	bool may;

	if (lyd_new_inner(NULL, module, "calls", 0, &tree) != LY_SUCCESS ||
		lyd_new_list(tree, NULL, "call", 0, &call, id) != LY_SUCCESS ||
		lyd_new_term(call, NULL, "from", "", 0, NULL) != LY_SUCCESS) {
		lyd_free_all(tree);
		return false;
	}
	engine_prune(s, &tree);
	call = tree ? lyd_child(tree) : NULL;
	may = call && lyd_child(call) && lyd_child(call)->next;
	lyd_free_all(tree);
	return may;
}

static void show_trace(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	const struct ops_trace *o = ctx;
	const char *call = mgmt_arg(args, "call");
	struct engine_session *s;

	if (!call || !*call) {
		manage_refuse_argument(rq, "call", "it is a call's id, or the Call-ID of one of its dialogs");
		return;
	}
	s = manage_session(o->engine, rq);
	if (!s)
		return;
	json_t *data = may_read_call(o->engine, s, call) ? trace_json(o->trace, call) : NULL;

	if (data)
		mgmt_reply(rq, data);
	else
		mgmt_refuse_error(
			rq, mgmt_error("data-missing", "application", "/srtp-gateway:calls/call",
				    "no messages of this call are kept: there was none, or too long ago"));
}

int ops_trace_register(struct mgmt *m, struct ops_trace *o)
{
	return mgmt_register(m, "trace", show_trace, o);
}
