/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the report share. */
#pragma once

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/state_tree.h"
#include "lib/msg/dp_msg.h"

struct call;

/* report_call.c */
const char *report_state(const struct call *c);
void report_call(struct state_tree *t, struct lyd_node *calls, const struct call *c);
/* report_places.c */
void report_places(const struct b2bua *b, struct state_tree *t);
void report_places_metrics(const struct b2bua *b, struct metrics *m);
/* report_plane.c */
void report_plane(const struct b2bua *b, struct lyd_node *statistics, struct state_tree *t);
void report_plane_metrics(const struct b2bua *b, struct metrics *m);
/* The network interface of this name, as the data plane said last; NULL: it has none, or was not asked. */
const struct dp_stats_port *report_plane_interface(const struct b2bua *b, const char *device);
