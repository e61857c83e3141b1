/* SPDX-License-Identifier: Apache-2.0 */
/* How a test that runs a worker begins and ends: on ordinary pages, in a group of its own. */
#pragma once

#include "tests/support/cmocka_std.h"

#include "dataplane/port/eal.h"
#include "lib/base/log.h"

#define WORKER_TESTS_RUN(name, tests) worker_tests_run(name, tests, sizeof(tests) / sizeof((tests)[0]))

static inline int worker_tests_run(const char *name, const struct CMUnitTest *tests, size_t n)
{
	struct eal_conf conf = {.pages = EAL_PAGES_SMALL, .memory_mb = 256};
	struct err err = {""};
	struct eal eal;
	int failed;

	log_setup(LOG_WARN, LOG_TEXT);
	if (eal_start(&conf, &eal, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	eal_stop(&eal);
	return failed;
}
