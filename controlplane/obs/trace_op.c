/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/trace_op.h"

#include "controlplane/obs/mgmt.h"
#include "controlplane/obs/trace.h"

static void show_trace(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	const char *call = mgmt_arg(args, "call");
	json_t *data = call && *call ? trace_json(ctx, call) : NULL;

	if (!call || !*call)
		mgmt_refuse(rq, "", "which call? give its id, or the Call-ID of one of its dialogs");
	else if (!data)
		mgmt_refuse(rq, "",
			"no messages of call '%s' are kept: there was no such call, or it was too long ago",
			call);
	else
		mgmt_reply(rq, data);
}

int trace_register(struct mgmt *m, struct trace *t)
{
	return mgmt_register(m, "trace", show_trace, t);
}
