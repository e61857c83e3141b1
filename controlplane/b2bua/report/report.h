/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of calls, trunks, counters and the data plane. */
#pragma once

#include <stdbool.h>

#include "controlplane/b2bua/b2bua.h"

struct gather;

#define REPORT_CALLS_MAX 1000 /* in one answer */

struct metrics;

/* Asks the data plane for its numbers, then calls done (perhaps at once), who writes what there is. -ENOMEM. */
int report_plane_ask(struct b2bua *b, void (*done)(void *arg), void *arg);
void report_metrics_write(struct b2bua *b, struct metrics *m);
/* Can calls be carried now? what: NULL, or in words why not. */
bool report_health(const struct b2bua *b, const char **what);

/* Becomes a source of state. b outlives g. -ENOMEM. */
int report_register(struct gather *g, struct b2bua *b);
