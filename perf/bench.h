/* SPDX-License-Identifier: Apache-2.0 */
/* How a benchmark that runs a worker begins and ends. */
#pragma once

#include "dataplane/eal.h"
#include "perf/figures.h"

/* 0, or a negative errno value: then the reason is on standard error. */
int bench_begin(const char *program, uint32_t memory_mb, struct eal *eal);

/*
 * Prints the figures and, when rc < 0, why there are no more; writes them to json (NULL: nowhere) when all
 * are there. Returns what main() does.
 */
int bench_end(const char *program, struct eal *eal, const struct figures *figures, const char *json, int rc,
	const struct err *err);
