/* SPDX-License-Identifier: Apache-2.0 */
/* A benchmark that runs a worker: a program with DPDK's environment around it. */
#pragma once

#include "dataplane/port/eal.h"
#include "perf/program.h"

typedef int (*bench_run)(
	const char *const *values, struct figures *figures, const struct eal *eal, struct err *err);

struct bench_program {
	struct program program;
	struct eal_conf eal;
	bench_run run; /* as program_run */
};

/* As program_main(). */
int bench_main(const struct bench_program *b, int argc, char **argv);
