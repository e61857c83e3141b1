/* SPDX-License-Identifier: Apache-2.0 */
/* The management operation trace: args {"call":ID}, answered as trace_json(). */
#pragma once

struct mgmt;
struct trace;

/* t outlives m. -EEXIST, -ENOMEM. */
int trace_register(struct mgmt *m, struct trace *t);
