/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/bench.h"

#include <stdio.h>

#include "lib/base/log.h"

int bench_begin(const char *program, uint32_t memory_mb, struct eal *eal)
{
	struct eal_conf conf = {.memory_mb = memory_mb};
	struct err err = {""};
	int rc;

	log_setup(LOG_WARN, LOG_TEXT);
	rc = eal_start(&conf, eal, &err);
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", program, err.text);
	return rc;
}

int bench_end(const char *program, struct eal *eal, const struct figures *figures, const char *json, int rc,
	const struct err *err)
{
	printf("%s, data plane on %s pages\n", figures_machine(), eal->hugepages ? "2 MB" : "4 kB");
	figures_print(figures, stdout);
	if (rc < 0 && err->text[0])
		fprintf(stderr, "%s: %s\n", program, err->text);
	if (rc >= 0 && json)
		rc = figures_write_json(figures, json);
	eal_stop(eal);
	return rc < 0 ? 1 : 0;
}
