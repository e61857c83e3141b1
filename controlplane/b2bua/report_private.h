/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the report share. */
#pragma once

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/state_tree.h"

struct call;

/* report_call.c */
const char *report_state(const struct call *c);
void report_call(struct state_tree *t, struct lyd_node *calls, const struct call *c);
/* report_places.c */
void report_places(const struct b2bua *b, struct state_tree *t);
void report_places_metrics(const struct b2bua *b, struct metrics *m);
