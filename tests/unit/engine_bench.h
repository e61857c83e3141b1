/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine on a file in a folder of its own, with a target that does what the test says instead of a
 * gateway. Aborts on what no test is about.
 */
#pragma once

#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/config/engine.h"

#define G "/srtp-gateway:gateway"
#define A_CALLS G "/trunks/trunk[name='a']/max-calls"
#define B_CALLS G "/trunks/trunk[name='b']/max-calls"
#define STRANGER 4242u /* an account that no machine has; not root and not ours */

struct engine_bench {
	struct event_base *base;
	struct engine *engine;
	struct engine_session *root; /* a recovery session */
	char folder[64], path[96];
	struct engine_fault fault; /* of the last operation that failed */
	/* The target. */
	const char *refuse; /* prepare refuses with this; NULL: it does not */
	unsigned prepared, committed, abandoned;
	bool reread;         /* what was prepared last reads unchanged files again */
	struct config *runs; /* a reference */
	/* Events. */
	char confirm[256]; /* the events of confirmed commits so far: "start,extend," */
	char confirmer[64]; /* whose the last of them was */
	unsigned commits;
	struct engine_session *killed;
};

/* config: the content of srtp-gateway:gateway besides the usual; see engine_bench.c. nacm: NULL or an object.
 */
struct engine_bench *bench_new(const char *nacm);
void bench_free(struct engine_bench *b);
/* cmocka fixtures: a bench of its own, without access rules. */
int bench_setup(void **state);
int bench_teardown(void **state);
/* As after kill -9: the engine forgets, the files stay. */
void bench_crash(struct engine_bench *b);
void bench_start(struct engine_bench *b);
int bench_start_fails(struct engine_bench *b, struct err *e);

/* The file's text; free() it. */
char *bench_file(const struct engine_bench *b);
bool bench_file_has(const struct engine_bench *b, const char *words);
void bench_write_file(const struct engine_bench *b, const char *text);

int bench_edit(struct engine_bench *b, struct engine_session *s, const char *json);
int bench_set(struct engine_bench *b, struct engine_session *s, const char *path, const char *value);
int bench_commit(struct engine_bench *b, struct engine_session *s);
int bench_commit_as(struct engine_bench *b, struct engine_session *s, const struct engine_commit *how);
/* A datastore's JSON at an XPath, as session s sees it; from a ring of buffers. */
const char *bench_get(
	struct engine_bench *b, struct engine_session *s, enum engine_store store, const char *xpath);
/* A trunk of the configuration that runs. */
const struct config_trunk *bench_trunk(const struct engine_bench *b, const char *name);
/* A leaf of the running configuration; NULL: it is not there. */
const char *bench_running(const struct engine_bench *b, const char *path);
/* Turns the loop until the condition holds; fails after 20 s. */
#define bench_until(b, condition)                                                                            \
	do {                                                                                                 \
		for (unsigned turn = 0; !(condition); turn++) {                                              \
			assert_true(turn < 2000);                                                            \
			bench_turn(b);                                                                       \
		}                                                                                            \
	} while (0)
void bench_turn(struct engine_bench *b); /* at most 10 ms */

#define assert_fault(b, want_tag, want_path, want_words)                                                     \
	do {                                                                                                 \
		assert_string_equal((b)->fault.tag, want_tag);                                               \
		assert_string_equal((b)->fault.path, want_path);                                             \
		if (!strstr((b)->fault.message, want_words))                                                 \
			fail_msg("'%s' does not say '%s'", (b)->fault.message, want_words);                  \
	} while (0)
