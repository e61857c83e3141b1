/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of bench_scale. Each adds its figures; 0, or a negative errno value with the reason in err. */
#pragma once

#include "dataplane/port/eal.h"
#include "lib/base/err.h"
#include "perf/figures.h"

#define SCALE_SESSIONS 100000 /* for which the program reserves memory as srtpgw-dataplane does */

/* What the data plane has of memory with as many sessions, SRTP on both sides. */
int scale_memory(struct figures *figures, struct err *err);
/* What sessions that come and go cost a worker under load. */
int scale_churn(struct figures *figures, struct err *err);
/* Two workers beside one, and packets that arrive at the wrong one. Says so where there is one core. */
int scale_workers(struct figures *figures, const struct eal *eal, struct err *err);

/* A sample of "scale." and the name. sense: FIGURE_NO_TARGET without one. */
void scale_sample(struct figures *figures, const char *name, const char *unit, double value,
	enum figure_target sense, double target);
