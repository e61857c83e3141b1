/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the engine's operations. */
#pragma once

#include "controlplane/manage/ops_config.h"
#include "controlplane/manage/session.h"

struct ops_config {
	struct mgmt *mgmt;
	struct engine *engine;
};

struct ops_row {
	const char *op;
	mgmt_fn fn;
	bool large;
};

/* ops_commit.c, ops_schema.c; each ends with op NULL */
extern const struct ops_row ops_commit_rows[], ops_schema_rows[];

/* ops_commit.c: what of a configuration waits for the next start, or for things of this machine that are not
 * there: of c all, and of the running one what has changed since it was `before`. */
void ops_warn_of_config(struct mgmt_request *rq, struct engine *e, const struct config *c, bool places);
void ops_warn_of_change(struct mgmt_request *rq, struct engine *e, const struct config *before);

/* The end of most operations: nothing to say, or a fault. Ends rq. */
static inline void ops_finish(struct mgmt_request *rq, int rc, const struct engine_fault *f)
{
	if (rc)
		manage_refuse(rq, f);
	else
		mgmt_reply(rq, json_object());
}
