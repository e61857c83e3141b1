/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the report share. */
#pragma once

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/obs/metrics.h"
#include "controlplane/obs/state_tree.h"

/* report_places.c */
void report_places(const struct b2bua *b, struct state_tree *t);
void report_places_metrics(const struct b2bua *b, struct metrics *m);
