/* SPDX-License-Identifier: Apache-2.0 */
/* Every library that DTLS is done with here, each with itself and with every other, in both roles. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "controlplane/dtls/module.h"
#include "tests/support/cmocka_std.h"

enum { CLIENT, SERVER };

#define DTLS_BACKENDS_MAX 2
#define PAIRS_MAX (DTLS_BACKENDS_MAX * DTLS_BACKENDS_MAX)
#define PAIR_TESTS_MAX 64

struct dtls_pair {
	const struct dtls_backend *end[2];
};

/* That the test at hand is run with. */
static const struct dtls_pair *tested;

static inline int take_pair(void **state)
{
	tested = *state;
	return 0;
}

/* NULL: this build has no module. */
static inline const struct dtls_module *open_module(void)
{
	const struct dtls_module *m = NULL;
#ifdef SRTPGW_DTLS_MODULE
	struct err e = {0};

	if (dtls_module_open(SRTPGW_DTLS_MODULE, &m, &e) < 0)
		fprintf(stderr, "%s\n", e.text); /* the tests with it fail then */
	assert_non_null(m);
#endif
	return m;
}

/* Runs each test with each pair: "openssl to nss: test". */
static inline int run_with_all_pairs(const char *group, const struct CMUnitTest *tests, size_t n)
{
	static struct dtls_pair pairs[PAIRS_MAX];
	static char names[PAIRS_MAX * PAIR_TESTS_MAX][120];
	static struct CMUnitTest all[PAIRS_MAX * PAIR_TESTS_MAX];
	const struct dtls_module *module = open_module();
	const struct dtls_backend *backends[DTLS_BACKENDS_MAX] = {&dtls_openssl, module ? module->backend : NULL};
	size_t total = 0, n_backends = module ? 2 : 1;
	int rc;

	assert_true(n <= PAIR_TESTS_MAX);
	for (size_t p = 0; p < n_backends * n_backends; p++) {
		pairs[p].end[CLIENT] = backends[p / n_backends];
		pairs[p].end[SERVER] = backends[p % n_backends];
		for (size_t i = 0; i < n; i++, total++) {
			snprintf(names[total], sizeof names[0], "%s to %s: %s", pairs[p].end[CLIENT]->name,
				pairs[p].end[SERVER]->name, tests[i].name);
			all[total] = tests[i];
			all[total].name = names[total];
			all[total].setup_func = take_pair;
			all[total].initial_state = &pairs[p];
		}
	}
	rc = _cmocka_run_group_tests(group, all, total, NULL, NULL);
	dtls_module_close(module);
	return rc;
}
