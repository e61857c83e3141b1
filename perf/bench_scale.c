/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_scale: what the data plane takes when there is much of everything: memory of 100,000 sessions,
 * sessions that come and go a thousand times a second, a second worker.
 */
#include <errno.h>
#include <stdio.h>

#include "dataplane/sizing.h"
#include "perf/bench.h"
#include "perf/scale.h"

void scale_sample(struct figures *figures, const char *name, const char *unit, double value,
	enum figure_target sense, double target)
{
	struct figure *f;
	char full[96];

	snprintf(full, sizeof(full), "scale.%s", name);
	f = figures_get(figures, full, unit);
	if (!f)
		return;
	if (sense != FIGURE_NO_TARGET)
		figure_target(f, sense, target);
	figure_sample(f, value);
}

static int run_all(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	int rc = scale_memory(figures, err);

	(void)values;
	rc = rc < 0 ? rc : scale_churn(figures, err);
	return rc < 0 ? rc : scale_workers(figures, eal, err);
}

int main(int argc, char **argv)
{
	const struct bench_program program = {
		.program = {.name = "bench_scale",
			.what = "What the data plane takes when there is much of everything: memory of 100,000 sessions, sessions that\n"
				"come and go a thousand times a second, a second worker.\n",
			.arguments = {PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = sizing_memory_mb(SCALE_SESSIONS, 1), .workers = 2},
		.run = run_all,
	};

	return bench_main(&program, argc, argv);
}
