/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of calls, trunks, counters and the data plane. */
#pragma once

#include "controlplane/b2bua/b2bua.h"

struct gather;

#define REPORT_CALLS_MAX 1000 /* in one answer */

/* Becomes a source of state. b outlives g. -ENOMEM. */
int report_register(struct gather *g, struct b2bua *b);
