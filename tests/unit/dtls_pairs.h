/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every library that DTLS is done with here, each with itself and with every other, in both roles: without ICE, where
 * servers ask for cookies, and with it, in the newest version that both have and capped to the older one.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "controlplane/dtls/module.h"
#include "tests/support/cmocka_std.h"

enum { CLIENT, SERVER };

#define DTLS_BACKENDS_MAX 2
#define WAYS_MAX 3 /* of one pair */
#define PAIRS_MAX (WAYS_MAX * DTLS_BACKENDS_MAX * DTLS_BACKENDS_MAX)
#define PAIR_TESTS_MAX 64

struct dtls_pair {
	const struct dtls_backend *end[2];
	bool by_ice; /* the server knows that the client is there */
	bool capped; /* the client speaks DTLS 1.2 only */
	char name[64];
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

static inline struct dtls_pair pair_of(
	const struct dtls_backend *client, const struct dtls_backend *server, bool by_ice, bool capped)
{
	struct dtls_pair p = {.end = {client, server}, .by_ice = by_ice, .capped = capped};

	snprintf(p.name, sizeof p.name, "%s to %s%s%s", client->name, server->name, by_ice ? " by ICE" : "",
		capped ? " capped" : "");
	return p;
}

/* Only where both have 1.3 is a cap another way. The number of ways. */
static inline size_t take_ways(
	struct dtls_pair *to, const struct dtls_backend *client, const struct dtls_backend *server)
{
	size_t n = 0;

	to[n++] = pair_of(client, server, false, false);
	to[n++] = pair_of(client, server, true, false);
	if (client != &dtls_openssl && server != &dtls_openssl)
		to[n++] = pair_of(client, server, true, true);
	return n;
}

struct pair_tests {
	const char *group;
	const struct CMUnitTest *tests; /* run with ICE and without */
	size_t n;
	const struct CMUnitTest *without_ice; /* run without only */
	size_t n_without_ice;
};

enum pairs { EVERY_PAIR, EVERY_SERVER /* once: the tests have clients of their own */ };

struct pair_run {
	struct dtls_pair pairs[PAIRS_MAX];
	char names[PAIRS_MAX * PAIR_TESTS_MAX][120];
	struct CMUnitTest all[PAIRS_MAX * PAIR_TESTS_MAX];
	size_t n_pairs, n;
};

static inline void take_tests(struct pair_run *r, struct dtls_pair *p, const struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++, r->n++) {
		assert_true(r->n < PAIRS_MAX * PAIR_TESTS_MAX);
		snprintf(r->names[r->n], sizeof r->names[0], "%s: %s", p->name, tests[i].name);
		r->all[r->n] = tests[i];
		r->all[r->n].name = r->names[r->n];
		r->all[r->n].setup_func = take_pair;
		r->all[r->n].initial_state = p;
	}
}

/* Runs each test with each pair: "openssl to nss: test". */
static inline int run_with_pairs(const struct pair_tests *t, enum pairs which)
{
	static struct pair_run r;
	const struct dtls_module *module = open_module();
	const struct dtls_backend *backends[DTLS_BACKENDS_MAX] = {&dtls_openssl, module ? module->backend : NULL};
	size_t n = module ? 2 : 1;
	int rc;

	for (size_t i = 0; i < n * n; i += which == EVERY_SERVER ? n + 1 : 1)
		r.n_pairs += take_ways(&r.pairs[r.n_pairs], backends[i / n], backends[i % n]);
	for (size_t i = 0; i < r.n_pairs; i++) {
		take_tests(&r, &r.pairs[i], t->tests, t->n);
		if (!r.pairs[i].by_ice)
			take_tests(&r, &r.pairs[i], t->without_ice, t->n_without_ice);
	}
	rc = _cmocka_run_group_tests(t->group, r.all, r.n, NULL, NULL);
	dtls_module_close(module);
	return rc;
}

static inline int run_with_all_pairs(const char *group, const struct CMUnitTest *tests, size_t n)
{
	const struct pair_tests t = {.group = group, .tests = tests, .n = n};

	return run_with_pairs(&t, EVERY_PAIR);
}
