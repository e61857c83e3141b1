/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/bench.h"

#include <stdio.h>

#include "lib/base/log.h"

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	const struct bench_program *b = user;
	struct eal eal;
	int rc;

	log_setup(LOG_WARN, LOG_TEXT);
	rc = eal_start(&b->eal, &eal, err);
	if (rc < 0)
		return rc;
	rc = b->run(values, figures, &eal, err);
	printf("data plane on %s pages\n", eal.hugepages ? "2 MB" : "4 kB");
	eal_stop(&eal);
	return rc;
}

int bench_main(const struct bench_program *b, int argc, char **argv)
{
	return program_main(&b->program, argc, argv, run, (void *)b);
}
