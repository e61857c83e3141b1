/* SPDX-License-Identifier: Apache-2.0 */
/* An audit in a folder of its own. Aborts on what no test is about. */
#pragma once

#include "tests/support/cmocka_std.h"

#include "controlplane/audit/audit.h"
#include "lib/audit/chain.h"

extern char bench_folder[40], bench_file[64];

/* cmocka fixtures: the folder, and what an audit leaves in it. */
int bench_setup(void **state);
int bench_teardown(void **state);
/* Two files are kept besides the one that is written. */
struct audit *bench_open(uint64_t max_octets, uint32_t checkpoint);
/* The record of call n. */
void bench_say(struct audit *a, unsigned n);
/* The text of the file, or of the one with a suffix; the caller frees it. */
char *bench_slurp(const char *suffix);
struct evp_pkey_st *bench_public_key(void);
/* Verifies lines on from v; NULL: all well, else what is wrong. */
const char *bench_wrong(struct audit_verify *v, const char *text);
