/* SPDX-License-Identifier: Apache-2.0 */
/* The management operation trace: args {"call":ID}, answered as trace_json(), to whom NACM shows the call. */
#pragma once

struct engine;
struct mgmt;
struct trace;

/* The caller's; it and what it names outlive m. */
struct ops_trace {
	struct engine *engine;
	struct trace *trace;
};

/* -EEXIST, -ENOMEM. */
int ops_trace_register(struct mgmt *m, struct ops_trace *o);
