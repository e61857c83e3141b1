/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_scale [json]: what the data plane takes when there is much of everything: memory of 100,000 sessions,
 * sessions that come and go a thousand times a second, a second worker.
 */
#include <errno.h>
#include <stdio.h>

#include "dataplane/sizing.h"
#include "lib/base/log.h"
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

int main(int argc, char **argv)
{
	static struct figures figures;
	struct eal_conf conf = {.memory_mb = sizing_memory_mb(SCALE_SESSIONS, 1), .workers = 2};
	struct err err = {""};
	struct eal eal;
	int rc;

	if (argc > 2) {
		fprintf(stderr, "usage: bench_scale [file.json]\n");
		return 2;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	rc = eal_start(&conf, &eal, &err);
	if (rc < 0) {
		fprintf(stderr, "bench_scale: %s\n", err.text);
		return 1;
	}
	rc = scale_memory(&figures, &err);
	if (rc >= 0)
		rc = scale_churn(&figures, &err);
	if (rc >= 0)
		rc = scale_workers(&figures, &eal, &err);
	return bench_end("bench_scale", &eal, &figures, argc > 1 ? argv[1] : NULL, rc, &err);
}
