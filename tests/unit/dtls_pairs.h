/* SPDX-License-Identifier: Apache-2.0 */
/* Every library that DTLS is done with here, each with itself and with every other, in both roles. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "controlplane/dtls/dtls.h"
#include "tests/support/cmocka_std.h"

enum { CLIENT, SERVER };

static const struct dtls_backend *const dtls_backends[] = {
	&dtls_openssl,
};

#define DTLS_BACKENDS (sizeof dtls_backends / sizeof *dtls_backends)
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

/* Runs each test with each pair: "openssl to nss: test". */
static inline int run_with_all_pairs(const char *group, const struct CMUnitTest *tests, size_t n)
{
	static struct dtls_pair pairs[DTLS_BACKENDS * DTLS_BACKENDS];
	static char names[DTLS_BACKENDS * DTLS_BACKENDS * PAIR_TESTS_MAX][120];
	static struct CMUnitTest all[DTLS_BACKENDS * DTLS_BACKENDS * PAIR_TESTS_MAX];
	size_t total = 0;

	assert_true(n <= PAIR_TESTS_MAX);
	for (size_t p = 0; p < DTLS_BACKENDS * DTLS_BACKENDS; p++) {
		pairs[p].end[CLIENT] = dtls_backends[p / DTLS_BACKENDS];
		pairs[p].end[SERVER] = dtls_backends[p % DTLS_BACKENDS];
		for (size_t i = 0; i < n; i++, total++) {
			snprintf(names[total], sizeof names[0], "%s to %s: %s", pairs[p].end[CLIENT]->name,
				pairs[p].end[SERVER]->name, tests[i].name);
			all[total] = tests[i];
			all[total].name = names[total];
			all[total].setup_func = take_pair;
			all[total].initial_state = &pairs[p];
		}
	}
	return _cmocka_run_group_tests(group, all, total, NULL, NULL);
}
